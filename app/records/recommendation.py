"""A recommendation, to whom it was made, and what later sources said became of it."""

from typing import Annotated, Literal

from pydantic import Field

from app.records.base import Citation, Content, Edtf, Name, OwnSlug, Piece, Slug, Text
from app.records.kind import Kind
from app.records.shown import Date, Shown, ShownCitation, ShownRecord, says

Status = Literal["implemented", "partly", "none", "reversed", "no-information"]


class FollowUp(Piece):
    """What one later source said of it. `status` is our word, `status_as_read` the word of whoever read the source."""

    id: Slug
    date: Edtf
    status: Status
    status_as_read: Name | None = None
    assessor: Name | None = None
    paraphrase: Text
    citations: Annotated[list[Citation], Field(min_length=1, max_length=100)]


class Recommendation(Content):
    """A recommendation in our words; `paraphrase_complete` is false where its text was seen cut off."""

    kind: Literal["recommendation"] = "recommendation"
    id: OwnSlug | None = None
    document: Name
    paragraph: Name
    letter: Name | None = None
    addressee: Name
    paraphrase: Text
    paraphrase_complete: bool
    follow_up: Annotated[list[FollowUp], Field(max_length=500)] = Field(default_factory=list)


class ShownFollowUp(Shown):
    """What one later source said became of it."""

    id: str = says("Readable and permanent.", "fu-001")
    date: Date = says(
        "When, or of which time, the source says so.",
        {"edtf": "2025-09-12", "start": ["2025-09-12", "2025-09-12"], "end": ["2025-09-12", "2025-09-12"]},
    )
    status: Status = says("What became of it, in our words.", "none")
    status_as_read: str | None = says("The same in the words of whoever read the source.", "not-implemented")
    assessor: str | None = says("Who judged.", None)
    paraphrase: Text = says(
        "What the source said.",
        {"en": "OHCHR said that political prison camps still operate and asked for their closure"},
    )
    citations: list[ShownCitation] = says(
        "Where it says so.",
        [
            {
                "symbol": "OHCHR press briefing, 12 Sept 2025",
                "paragraph": None,
                "basis": None,
                "source": "src-209",
                "supports": None,
            }
        ],
    )


class RecommendationShown(ShownRecord):
    """A recommendation and its follow-up."""

    id: str = says("Readable and permanent.", "rec-89-d")
    kind: Literal["recommendation"] = says("Always recommendation.", "recommendation")
    document: str = says("The document.", "A/HRC/25/63")
    paragraph: str = says("Its paragraph.", "89")
    letter: str | None = says("Its letter in that paragraph.", "d")
    addressee: str = says("To whom it was made.", "Democratic People's Republic of Korea")
    paraphrase: Text = says(
        "The recommendation in our words.",
        {"en": "Stop passing and carrying out death sentences at once, then abolish the death penalty without delay"},
    )
    paraphrase_complete: bool = says("False where its text was seen cut off.", True)
    follow_up: list[ShownFollowUp] = says("What later sources said became of it; sources may disagree.", [])


KIND = Kind(
    name="recommendation",
    path="recommendations",
    title="Recommendations",
    about="What the commission of inquiry recommended, to whom, and what became of it.",
    model=Recommendation,
    shown=RecommendationShown,
    dates=("follow_up[].date",),
    references=(("follow_up[].citations[].source", "source"), ("citations[].source", "source")),
    facets={"source": "citations[].source|follow_up[].citations[].source"},
)
