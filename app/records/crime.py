"""A crime: a provision of law, with its elements."""

from typing import Annotated, Literal

from pydantic import Field

from app.records.base import Content, Name, OwnSlug, Text
from app.records.kind import Kind
from app.records.shown import ShownRecord, says


class Crime(Content):
    """A provision. Records of incidents never name one."""

    kind: Literal["crime"] = "crime"
    id: OwnSlug | None = None
    label: Text
    provision: Name
    instrument_name: Name
    elements: Annotated[list[Text], Field(max_length=100)] = Field(default_factory=list)


class CrimeShown(ShownRecord):
    """A provision of law."""

    id: str = says("Readable and permanent.", "rome-statute-7-1-f")
    kind: Literal["crime"] = says("Always crime.", "crime")
    label: Text = says("What the provision is called.", {"en": "torture"})
    provision: str = says("Article, paragraph and letter.", "7(1)(f)")
    instrument_name: str = says("The law.", "Rome Statute of the International Criminal Court")
    elements: list[Text] = says("What has to be proved.", [])


KIND = Kind(
    name="crime",
    path="crimes",
    title="Crimes",
    about="Provisions of international criminal law, with their elements.",
    model=Crime,
    shown=CrimeShown,
    references=(("citations[].source", "source"),),
    facets={"source": "citations[].source"},
)
