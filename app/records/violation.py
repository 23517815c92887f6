"""A violation: one term of the taxonomy. A parent holds only what is always a kind of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.records.base import Content, Name, OwnSlug, Piece, Slug, Text, refuse
from app.records.kind import Kind
from app.records.shown import Shown, ShownRecord, says


class MayAmountTo(Piece):
    """A crime that this violation may amount to, and on what the mapping rests: it is ours, not a finding."""

    crime: Slug
    basis: Text


class Violation(Content):
    """The areas of the commission of inquiry and their parts."""

    kind: Literal["violation"] = "violation"
    id: OwnSlug | None = None
    label: Text
    parent: Slug | None = None
    coi_area: Name | None = None
    may_amount_to: Annotated[list[MayAmountTo], Field(max_length=100)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_no_kind_of_itself(self) -> Self:
        if self.parent is not None and self.parent == self.id:
            raise refuse("parent", "a violation is not a kind of itself")
        return self


_MAPPING = (
    "Crime types are those the COI names in A/HRC/25/63 para 76; the link to this violation type and to the Statute "
    "letter is ours"
)


class ShownMayAmountTo(Shown):
    """A crime that the violation may amount to."""

    crime: str = says("Id of the crime.", "rome-statute-7-1-f")
    basis: Text = says("What the mapping rests on, and whose it is.", {"en": _MAPPING})


class ViolationShown(ShownRecord):
    """A term of the taxonomy."""

    id: str = says("Readable and permanent.", "torture")
    kind: Literal["violation"] = says("Always violation.", "violation")
    label: Text = says("Its name.", {"en": "Torture and ill-treatment"})
    parent: str | None = says("Id of the violation that this is always a kind of.", "detention-torture-camps")
    coi_area: str | None = says("The area of the commission of inquiry's report that it belongs to.", "E")
    may_amount_to: list[ShownMayAmountTo] = says(
        "Crimes that it may amount to; no incident is ever labelled a crime.",
        [{"crime": "rome-statute-7-1-f", "basis": {"en": _MAPPING}}],
    )


KIND = Kind(
    name="violation",
    path="violations",
    title="Violations",
    about="The taxonomy: the commission of inquiry's six areas and their parts.",
    model=Violation,
    shown=ViolationShown,
    hierarchical=True,
    references=(("parent", "violation"), ("may_amount_to[].crime", "crime"), ("citations[].source", "source")),
    facets={"parent": "parent", "crime": "may_amount_to[].crime", "source": "citations[].source"},
)
