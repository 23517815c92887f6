"""A link: a typed, dated relation between two records, stated by a source. Never filled by inference."""

from typing import Literal, Self

from pydantic import Field, model_validator

from app.records.base import AnyId, Content, Edtf, OwnSlug, Slug, Word, refuse
from app.records.kind import Kind
from app.records.shown import Date, ShownRecord, says

Confidence = Literal["low", "medium", "high"]

ANY = (
    "testimony",
    "incident",
    "person",
    "actor",
    "place",
    "source",
    "violation",
    "crime",
    "period",
    "instrument",
    "finding",
    "recommendation",
    "weapons-event",
    "statement",
)


class Link(Content):
    """One relation. `source` states that very relation; without one there is no link."""

    kind: Literal["link"] = "link"
    id: OwnSlug | None = None
    type: Word
    from_id: AnyId = Field(alias="from")
    to: AnyId
    date: Edtf | None = None
    confidence: Confidence
    source: Slug

    @model_validator(mode="after")
    def _has_two_ends(self) -> Self:
        if self.from_id == self.to:
            raise refuse("to", "a link ties two records; this names one twice")
        return self


class LinkShown(ShownRecord):
    """A relation between two records. The built-in record states none; the examples show the form."""

    id: str = says("Readable and permanent.", "rec-94-c-hrc-25-25")
    kind: Literal["link"] = says("Always link.", "link")
    type: str = says("What the relation is.", "followed-by")
    from_id: str = says("Id of the first record.", "rec-94-c", alias="from")
    to: str = says("Id of the second record.", "hrc-25-25")
    date: Date | None = says("When it holds.", None)
    confidence: Confidence = says("How sure the source is.", "high")
    source: str = says("Id of the source that states this very relation.", "src-004")


KIND = Kind(
    name="link",
    path="links",
    title="Links",
    about="Relations between two records that a source states; never inferred, and so there may be none.",
    model=Link,
    shown=LinkShown,
    date="date",
    dates=("date",),
    references=(("from", ANY), ("to", ANY), ("source", "source"), ("citations[].source", "source")),
    facets={"from": "from", "to": "to", "source": "citations[].source|source"},
)
