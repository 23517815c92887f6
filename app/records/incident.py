"""An incident: what happened, as the sources and testimonies that it rests on say."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.records.base import (
    Basis,
    Citation,
    Count,
    Edtf,
    IncidentId,
    Name,
    PersonId,
    Piece,
    Slug,
    StandardOfProof,
    TestimonyId,
    Text,
    TextPerAudience,
    Verification,
    Word,
    refuse,
)
from app.records.consent import PeopleContent
from app.records.geometry import Geometry
from app.records.kind import Kind
from app.records.shown import Date, Shown, ShownCitation, ShownRecord, says

Scope = Literal["event", "situation", "pattern"]


class Victims(Piece):
    """How many. Numbers only where the source gives numbers; `described` is what it says."""

    low: Count | None = None
    best: Count | None = None
    high: Count | None = None
    described: Text | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        known = [n for n in (self.low, self.best, self.high) if n is not None]
        if known != sorted(known):
            raise refuse("", "the numbers are out of order: low <= best <= high")
        return self


class Assessment(Piece):
    """Who judged how sure it is, when, by which standard, and where that is stated."""

    by: Name
    on: Edtf
    standard: StandardOfProof
    citation: Citation


class Act(Piece):
    """One violation against one victim or counted group by zero or more actors: who did what to whom."""

    violation: Slug
    victims: Victims | None = None
    people: Annotated[list[PersonId], Field(max_length=1_000)] = Field(default_factory=list)
    actors: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    date: Edtf | None = None
    places: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)


class Incident(PeopleContent):
    """What happened. It is never labelled a crime: violations may amount to one, and that mapping is elsewhere."""

    kind: Literal["incident"] = "incident"
    id: IncidentId | None = None
    scope: Scope
    date: Edtf | None = None
    title: TextPerAudience | None = None
    summary: TextPerAudience | None = None
    places: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    violations: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    actors: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    victim_groups: Annotated[list[Word], Field(max_length=50)] = Field(default_factory=list)
    victims: Victims | None = None
    verification: Verification = "as-reported"
    standard_of_proof: StandardOfProof = "not-stated"
    assessment: Assessment | None = None
    testimonies: Annotated[list[TestimonyId], Field(max_length=1_000)] = Field(default_factory=list)
    contradicted_by: Annotated[list[TestimonyId], Field(max_length=1_000)] = Field(default_factory=list)
    acts: Annotated[list[Act], Field(max_length=1_000)] = Field(default_factory=list)


class ShownVictims(Shown):
    """How many victims."""

    low: int | None = says("At least so many, where the source gives a range.", 300)
    best: int | None = says("The number that the source gives.", 300)
    high: int | None = says("At most so many, where the source gives a range.", 300)
    described: Text | None = says("The victims in words.", {"en": "about 300 people"})


class ShownAssessment(Shown):
    """A judgement of how sure it is."""

    by: str = says("Who judged.", "Commission of inquiry on human rights in the DPRK")
    on: Date | None = says(
        "When.",
        {"edtf": "2014-02-07", "start": ["2014-02-07", "2014-02-07"], "end": ["2014-02-07", "2014-02-07"]},
    )
    standard: StandardOfProof = says("By which standard of proof.", "reasonable-grounds-to-believe")
    citation: ShownCitation = says(
        "Where that is stated.",
        {"symbol": "A/HRC/25/63", "paragraph": "74", "basis": None, "source": "src-004", "supports": None},
    )


class ShownAct(Shown):
    """Who did what to whom."""

    violation: str = says("Id of the violation.", "political-prison-camp")
    victims: ShownVictims | None = says("How many.", None)
    people: list[str] = says("Ids of the victims on record.", [])
    actors: list[str] = says("Ids of the alleged actors.", ["mss"])
    date: Date | None = says("When, where it differs from the incident.", None)
    places: list[str] = says("Ids of the places.", ["kwanliso-18"])


class ReliabilityNote(Shown):
    """What is known against relying on one of the supporting testimonies."""

    testimony: str = says("Id of the testimony.", "tst-0hvw7zh2bgtbhxm3sfcjgwt932")
    note: Text = says(
        "The note.", {"en": "In January 2015 he said parts of his earlier published account … were not correct"}
    )


class IncidentShown(ShownRecord):
    """What happened, when, where, to whom, and how surely it is known."""

    id: str = says("Opaque and permanent.", "inc-5b677bmxvskpqkehc3ddskh6yr")
    kind: Literal["incident"] = says("Always incident.", "incident")
    scope: Scope = says("One event, a situation that lasted, or a pattern of many events.", "event")
    title: Text | None = says(
        "A heading, written for this audience or made from the fields shown.",
        {"en": "Mass arrest of families in Nampo"},
    )
    summary: Text | None = says(
        "What happened, in words that a person marked as fit for this audience.",
        {
            "en": "About 300 people from families branded class enemies were put on a train to Camp 18 "
            "without reasons being given"
        },
    )
    date: Date | None = says(
        "When it happened.",
        {"edtf": "1975", "start": ["1975-01-01", "1975-12-31"], "end": ["1975-01-01", "1975-12-31"]},
    )
    places: list[str] = says("Ids of the places.", ["loc-nampo", "kwanliso-18"])
    geometry: Geometry | None = says(
        "The places shown that have coordinates.", {"type": "Point", "coordinates": [126.09, 39.56]}
    )
    violations: list[str] = says("Ids of the violations.", ["political-prison-camp", "guilt-by-association"])
    actors: list[str] = says("Ids of the alleged actors.", ["mss"])
    victim_groups: list[str] = says("Groups that the victims belong to.", [])
    victims: ShownVictims | None = says(
        "How many victims.", {"low": None, "best": 300, "high": None, "described": {"en": "about 300 people"}}
    )
    acts: list[ShownAct] = says("Who did what to whom, where the sources tell it apart.", [])
    verification: Verification = says("How far it has been checked against other evidence.", "as-reported")
    standard_of_proof: StandardOfProof = says("The standard by which it has been found to be so.", "not-stated")
    assessment: ShownAssessment | None = says("Who judged that, and when.", None)
    testimonies: list[str] = says("Ids of the testimonies that support it.", ["tst-0ryg57e7bk0yt014fadx9v5ytr"])
    contradicted_by: list[str] = says("Ids of the testimonies that contradict it.", [])
    corroboration: int = says(
        "Distinct witnesses, plus sources that derive neither from them nor from each other, as this audience sees.",
        1,
        ge=0,
    )
    reliability_notes: list[ReliabilityNote] = says(
        "The reliability note of every supporting testimony that has one.", []
    )
    disclosure_basis: Basis = says("Why it may be shown: consent, or publication.", "published")


KIND = Kind(
    name="incident",
    path="incidents",
    title="Incidents",
    about="What happened: events, lasting situations and patterns, with what supports or contradicts each.",
    model=Incident,
    shown=IncidentShown,
    prefix="inc",
    opaque=True,
    people=True,
    geometry=True,
    date="date",
    dates=("date", "assessment.on", "acts[].date"),
    references=(
        ("places", "place"),
        ("violations", "violation"),
        ("actors", "actor"),
        ("testimonies", "testimony"),
        ("contradicted_by", "testimony"),
        ("acts[].violation", "violation"),
        ("acts[].people", "person"),
        ("acts[].actors", "actor"),
        ("acts[].places", "place"),
        ("assessment.citation.source", "source"),
        ("citations[].source", "source"),
    ),
    facets={
        "violation": "violations|acts[].violation",
        "place": "places|acts[].places",
        "actor": "actors|acts[].actors",
        "source": "citations[].source|assessment.citation.source",
        "victim_group": "victim_groups",
        "scope": "scope",
        "verification": "verification",
        "standard_of_proof": "standard_of_proof",
        "testimony": "testimonies|contradicted_by",
        "person": "acts[].people",
    },
)
