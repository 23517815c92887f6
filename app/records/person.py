"""A person: a victim or a witness, as far as may be told."""

from typing import Annotated, Literal

from pydantic import Field

from app.records.base import Basis, Edtf, PersonId, Slug, Text, TextPerAudience
from app.records.consent import OwnPeopleContent
from app.records.kind import Kind
from app.records.shown import Date, ShownRecord, says

Role = Literal["victim", "witness"]
Sex = Literal["female", "male", "other", "unknown"]
AgeBand = Literal["infant", "child", "young-adult", "adult", "older-adult"]


class Person(OwnPeopleContent):
    """A victim or a witness. The name is shown only where consent or the publication allows."""

    kind: Literal["person"] = "person"
    id: PersonId | None = None
    name: Text | None = None
    roles: Annotated[list[Role], Field(max_length=2)] = Field(default_factory=list)
    sex: Sex = "unknown"
    age_band: AgeBand | None = None
    home_province: Slug | None = None
    left: Edtf | None = None
    description: TextPerAudience | None = None


class PersonShown(ShownRecord):
    """A victim or a witness."""

    id: str = says("Opaque and permanent.", "per-2yf3cx99haze07wycvz4vzrje4")
    kind: Literal["person"] = says("Always person.", "person")
    name: Text | None = says("As the source, or the consent, has it.", {"en": "Ahn Myong Chul"})
    roles: list[Role] = says("Victim, witness, or both.", ["witness"])
    sex: Sex = says("As stated by the source.", "unknown")
    age_band: AgeBand | None = says("Age at the events.", None)
    home_province: str | None = says("Id of the province that the person comes from.", None)
    left: Date | None = says("When the person left the country.", None)
    description: Text | None = says("In words that a person marked as fit for this audience.", None)
    disclosure_basis: Basis = says("Why it may be shown: the person consented, or it was published.", "published")


KIND = Kind(
    name="person",
    path="people",
    title="People",
    about="Victims and witnesses, named only where consent or publication allows.",
    model=Person,
    shown=PersonShown,
    prefix="per",
    opaque=True,
    people=True,
    dates=("left",),
    hidden=frozenset({"slug", "consent", "protection"}),
    references=(("home_province", "place"), ("citations[].source", "source")),
    facets={"place": "home_province", "source": "citations[].source"},
)
