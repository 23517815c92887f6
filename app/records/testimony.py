"""A testimony: one account by one person, as it was given."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.records.base import (
    Basis,
    Edtf,
    FullText,
    Name,
    PersonId,
    Piece,
    Slug,
    Tag,
    TestimonyId,
    Text,
    TextPerAudience,
    Word,
    refuse,
)
from app.records.consent import OwnPeopleContent
from app.records.geometry import Geometry
from app.records.kind import Kind
from app.records.shown import Date, Shown, ShownRecord, says

Form = Literal["named", "pseudonym", "alias", "unnamed"]
AccountType = Literal["interview", "hearing", "written", "public-statement", "composite", "unknown"]
Knowledge = Literal["experienced", "witnessed", "heard", "expert", "unknown"]


class Witness(Piece):
    """Who speaks, as the source or the witness wants them called."""

    designation: Text | None = None
    form: Form
    role: Text | None = None
    person: PersonId | None = None
    left: Edtf | None = None


class Testimony(OwnPeopleContent):
    """One account by one person. `date` is when the events happened, `given` when the account was given."""

    kind: Literal["testimony"] = "testimony"
    id: TestimonyId | None = None
    witness: Witness
    date: Edtf | None = None
    given: Edtf | None = None
    given_place: Name | None = None
    recorded_by: Word
    setting: Text | None = None
    medium: Name | None = None
    language: Tag | None = None
    title: TextPerAudience | None = None
    summary: TextPerAudience | None = None
    own_words: TextPerAudience | None = None
    full_text: FullText | None = None
    violations: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    places: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    actors: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    account_type: AccountType = "unknown"
    knowledge: Knowledge = "unknown"
    title_only: bool = False
    reliability_note: Text | None = None
    transcription_note: Text | None = None
    same_witness: Annotated[list[TestimonyId], Field(max_length=200)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_not_its_own_other(self) -> Self:
        if self.same_witness and self.id in self.same_witness:
            raise refuse("same_witness", "names this very testimony")
        return self


class ShownWitness(Shown):
    """The witness as far as they may be known."""

    designation: Text | None = says("The witness as the source calls them.", {"en": "Ahn Myong Chul"})
    form: Literal["named", "pseudonym", "alias", "unnamed", "withheld"] = says(
        "What the designation is; withheld: this audience is not told.", "named"
    )
    role: Text | None = says("In what capacity the witness speaks.", {"en": "former camp guard"})
    person: str | None = says("Id of the person.", "per-2yf3cx99haze07wycvz4vzrje4")
    left: Date | None = says("When the witness left the country, where the account states it.", None)


class TestimonyShown(ShownRecord):
    """One account by one person. Accounts are never merged; `same_witness` ties those of one person."""

    id: str = says("Opaque and permanent.", "tst-5m6hd29hbxgv1q7d3nevzrf1kb")
    kind: Literal["testimony"] = says("Always testimony.", "testimony")
    title: Text | None = says("A heading, written for this audience or made from the fields shown.", None)
    summary: Text | None = says(
        "What was told, in words that a person marked as fit for this audience.",
        {"en": "Former Camp 22 guard. Described training to hate inmates, using them for martial arts practice …"},
    )
    own_words: Text | None = says("Words of the witness, approved by the witness.", None)
    full_text: FullText | None = says("The whole account; only where the consent allows `full`.", None)
    witness: ShownWitness = says(
        "Who speaks.",
        {
            "designation": {"en": "Ahn Myong Chul"},
            "form": "named",
            "role": {"en": "former camp guard"},
            "person": "per-2yf3cx99haze07wycvz4vzrje4",
            "left": None,
        },
    )
    date: Date | None = says(
        "When the events happened.",
        {"edtf": "198X/1994", "start": ["1980-01-01", "1989-12-31"], "end": ["1994-01-01", "1994-12-31"]},
    )
    given: Date | None = says(
        "When the account was given.",
        {"edtf": "2013-08-21", "start": ["2013-08-21", "2013-08-21"], "end": ["2013-08-21", "2013-08-21"]},
    )
    given_place: str | None = says("Where the account was given.", None)
    recorded_by: str = says("The body that recorded the account.", "coi")
    setting: Text | None = says("The occasion.", {"en": "COI: public hearing, Seoul"})
    medium: str | None = says("How it was recorded.", None)
    language: str | None = says("The language that the witness spoke (BCP 47).", None)
    violations: list[str] = says(
        "Ids of the violations that it tells of.",
        ["political-prison-camp", "summary-execution", "sexual-violence", "torture"],
    )
    places: list[str] = says("Ids of the places that it tells of.", ["kwanliso-22"])
    actors: list[str] = says("Ids of the institutions or alleged perpetrators that it names.", [])
    geometry: Geometry | None = says(
        "The places shown that have coordinates.", {"type": "Point", "coordinates": [129.88, 42.58]}
    )
    account_type: AccountType = says("How the account was given.", "hearing")
    knowledge: Knowledge = says("How the witness knows.", "unknown")
    title_only: bool = says("True: only the title of the session was seen; it counts as support for nothing.", False)
    reliability_note: Text | None = says("What is known against relying on it; shown with all that rests on it.", None)
    transcription_note: Text | None = says("What is doubtful in the copy that was read.", None)
    same_witness: list[str] = says("Ids of other accounts by the same person.", [])
    disclosure_basis: Basis = says("Why it may be shown: the witness consented, or it was published.", "published")


KIND = Kind(
    name="testimony",
    path="testimonies",
    title="Testimonies",
    about="Accounts, each by one person: what the witness told, to whom and when.",
    model=Testimony,
    shown=TestimonyShown,
    prefix="tst",
    opaque=True,
    people=True,
    geometry=True,
    date="date",
    dates=("date", "given", "witness.left"),
    hidden=frozenset({"slug", "consent", "protection"}),
    references=(
        ("witness.person", "person"),
        ("violations", "violation"),
        ("places", "place"),
        ("actors", "actor"),
        ("same_witness", "testimony"),
        ("citations[].source", "source"),
    ),
    facets={
        "violation": "violations",
        "place": "places",
        "actor": "actors",
        "source": "citations[].source",
        "account_type": "account_type",
        "knowledge": "knowledge",
        "recorded_by": "recorded_by",
        "person": "witness.person",
        "testimony": "same_witness",
    },
)
