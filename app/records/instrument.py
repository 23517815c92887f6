"""An instrument: a resolution, mandate, body, meeting, report or law, and what created, renewed or ended it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.records.base import Content, Count, Edtf, Name, OwnSlug, Piece, Slug, Text, refuse
from app.records.kind import Kind
from app.records.shown import Date, Shown, ShownRecord, says

InstrumentIds = Annotated[list[Slug], Field(max_length=200)]


class Vote(Piece):
    """How it was decided; a number that no source gave stays null."""

    method: Name
    for_: Count | None = Field(default=None, alias="for")
    against: Count | None = None
    abstain: Count | None = None
    veto: Name | None = None
    abstained: Annotated[list[Name], Field(max_length=200)] = Field(default_factory=list)


class Instrument(Content):
    """`date` is when it was adopted, `end` when it ended."""

    kind: Literal["instrument"] = "instrument"
    id: OwnSlug | None = None
    symbol: Name | None = None
    title: Text
    type: Name
    body: Name
    date: Edtf | None = None
    effect: Text | None = None
    vote: Vote | None = None
    end: Edtf | None = None
    end_reason: Text | None = None
    decided: Edtf | None = None
    outcome: Text | None = None
    violations: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)
    creates: InstrumentIds = Field(default_factory=list)
    renews: InstrumentIds = Field(default_factory=list)
    ends: InstrumentIds = Field(default_factory=list)

    @model_validator(mode="after")
    def _does_not_act_on_itself(self) -> Self:
        for field in ("creates", "renews", "ends"):
            if self.id is not None and self.id in getattr(self, field):
                raise refuse(field, "names this very instrument")
        return self


class ShownVote(Shown):
    """How it was decided."""

    method: str = says("Consensus, recorded vote, unanimous.", "recorded")
    for_: int | None = says("Votes in favour.", 13, alias="for")
    against: int | None = says("Votes against.", 1)
    abstain: int | None = says("Abstentions.", 1)
    veto: str | None = says("The State whose vote against prevented adoption.", "Russian Federation")
    abstained: list[str] = says("States that abstained, where listed.", ["China"])


class InstrumentShown(ShownRecord):
    """A resolution, mandate, body, meeting, report or law."""

    id: str = says("Readable and permanent.", "sc-draft-2024-poe")
    kind: Literal["instrument"] = says("Always instrument.", "instrument")
    symbol: str | None = says("Its symbol.", "Draft resolution presented by the United States (28 March 2024)")
    title: Text = says("Its title.", {"en": "Extension of the Panel of Experts to 30 April 2025"})
    type: str = says("What it is.", "failed draft")
    body: str = says("The body that it comes from.", "Security Council")
    date: Date | None = says("When it was adopted.", None)
    effect: Text | None = says("What it did.", {"en": "Not adopted: veto by the Russian Federation"})
    vote: ShownVote | None = says(
        "How it was decided.",
        {
            "method": "recorded",
            "for": 13,
            "against": 1,
            "abstain": 1,
            "veto": "Russian Federation",
            "abstained": ["China"],
        },
    )
    end: Date | None = says("When it ended.", None)
    end_reason: Text | None = says("Why it ended.", None)
    decided: Date | None = says(
        "When it was decided, where it was not adopted.",
        {"edtf": "2024-03-28", "start": ["2024-03-28", "2024-03-28"], "end": ["2024-03-28", "2024-03-28"]},
    )
    outcome: Text | None = says("What was decided.", {"en": "not adopted: veto by the Russian Federation"})
    violations: list[str] = says("Ids of the violations that it concerns.", [])
    creates: list[str] = says("Ids of the instruments that it created.", [])
    renews: list[str] = says("Ids of the instruments that it renewed.", [])
    ends: list[str] = says("Ids of the instruments that it ended.", [])


KIND = Kind(
    name="instrument",
    path="instruments",
    title="Instruments",
    about="Resolutions, mandates, bodies, reports and laws; what created, renewed or ended each.",
    model=Instrument,
    shown=InstrumentShown,
    date="date",
    dates=("date", "end", "decided"),
    references=(
        ("violations", "violation"),
        ("creates", "instrument"),
        ("renews", "instrument"),
        ("ends", "instrument"),
        ("citations[].source", "source"),
    ),
    facets={"violation": "violations", "instrument": "creates|renews|ends", "source": "citations[].source"},
)
