"""A source: a report, hearing, article or data set that records cite."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.records.base import Content, Edtf, Name, OwnSlug, Slug, Tag, Text, Url, refuse
from app.records.kind import Kind
from app.records.shown import Date, ShownRecord, says


class Source(Content):
    """A document. `derived_from` are the sources that it only reports on or repeats."""

    kind: Literal["source"] = "source"
    id: OwnSlug | None = None
    title: Text
    symbol: Name | None = None
    type: Name
    publisher: Name | None = None
    date: Edtf | None = None
    addresses: Annotated[list[Url], Field(max_length=500)] = Field(default_factory=list)
    languages: Annotated[list[Tag], Field(max_length=50)] = Field(default_factory=list)
    derived_from: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    restricted: bool = False

    @model_validator(mode="after")
    def _is_not_its_own_origin(self) -> Self:
        if self.derived_from and self.id in self.derived_from:
            raise refuse("derived_from", "a source does not derive from itself")
        return self


class SourceShown(ShownRecord):
    """A report, hearing, article or data set."""

    id: str = says("Readable and permanent.", "src-004")
    kind: Literal["source"] = says("Always source.", "source")
    title: Text = says("Its title.", {"en": "A/HRC/25/63"})
    symbol: str | None = says("Its UN symbol, where it has one.", "A/HRC/25/63")
    type: str = says("What it is.", "UN document or UN release (often seen through press or a mirror)")
    publisher: str | None = says("Who published it.", None)
    date: Date | None = says("When it was published.", None)
    addresses: list[str] = says("Where it was seen.", ["http://barnoldlaw.blogspot.com/2014/02/monsters.html"])
    languages: list[str] = says("The languages that it was seen in (BCP 47).", ["en", "ja"])
    derived_from: list[str] = says("Ids of the sources that it reports on or repeats.", [])


KIND = Kind(
    name="source",
    path="sources",
    title="Sources",
    about="The documents that records cite: reports, hearings, articles, data sets.",
    model=Source,
    shown=SourceShown,
    date="date",
    dates=("date",),
    hidden=frozenset({"slug", "restricted"}),
    references=(("derived_from", "source"), ("citations[].source", "source")),
    facets={"source": "derived_from"},  # a source cites itself, and that is no relation
)
