"""A statement: who said what about a link between abuse and weapons, and when."""

from typing import Annotated, Literal

from pydantic import Field

from app.records.base import Content, Edtf, Name, OwnSlug, Slug, Text
from app.records.kind import Kind
from app.records.shown import Date, ShownRecord, says


class Statement(Content):
    """What was said, in our words."""

    kind: Literal["statement"] = "statement"
    id: OwnSlug | None = None
    date: Edtf | None = None
    speaker: Name
    link_type: Name
    paraphrase: Text
    instruments: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)


class StatementShown(ShownRecord):
    """Who tied weapons to abuses, when, and how."""

    id: str = says("Readable and permanent.", "link-turk-2023-militarisation")
    kind: Literal["statement"] = says("Always statement.", "statement")
    date: Date | None = says(
        "When it was said.",
        {"edtf": "2023-08-17", "start": ["2023-08-17", "2023-08-17"], "end": ["2023-08-17", "2023-08-17"]},
    )
    speaker: str = says("Who said it.", "UN High Commissioner for Human Rights")
    link_type: str = says("How it ties weapons to abuses.", "militarisation")
    paraphrase: Text = says(
        "What was said, in our words.",
        {
            "en": "Told the Security Council that many of the violations come from or feed the growing militarisation "
            "of the State"
        },
    )
    instruments: list[str] = says("Ids of the instruments that it was made in or about.", [])


KIND = Kind(
    name="statement",
    path="statements",
    title="Statements",
    about="Who said what about a link between abuses and weapons, and when.",
    model=Statement,
    shown=StatementShown,
    date="date",
    dates=("date",),
    references=(("instruments", "instrument"), ("citations[].source", "source")),
    facets={"instrument": "instruments", "source": "citations[].source"},
)
