"""What a witness allowed, for each audience on its own, and what a protection assessment holds back further."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from app.core.moments import end_of
from app.records.base import Audience, Basis, Content, Edtf, Name, Piece, Tag, Words, refuse
from app.vocabulary.edtf import bounds

ContentLevel = Literal["none", "counted", "summary", "full"]
IdentityLevel = Literal["withheld", "pseudonym", "named"]
PlaceLevel = Literal["country", "province", "county", "exact"]
DateLevel = Literal["year", "month", "day"]
Purpose = Literal["publication", "research", "advocacy", "un-reporting", "criminal-proceedings"]
Condition = Literal["no-death-penalty", "fair-trial"]
Reason = Literal["family-in-country", "child", "sexual-violence", "other"]
# From least to most.
SCALES: Mapping[str, tuple[str, ...]] = {
    name: get_args(levels)
    for name, levels in (
        ("content", ContentLevel),
        ("identity", IdentityLevel),
        ("place", PlaceLevel),
        ("date", DateLevel),
    )
}
AHEAD = 1  # days by which a date may lie ahead of UTC: where the day begins first, it is tomorrow already


def _day(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise refuse("", "is no day of the calendar") from None
    return value


Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]


class Allowed(Piece):
    """What one audience may be shown. What is not stated is the least."""

    content: ContentLevel = "none"
    identity: IdentityLevel = "withheld"
    place: PlaceLevel = "country"
    date: DateLevel = "year"
    purposes: Annotated[list[Purpose], Field(max_length=5)] = Field(default_factory=list)
    conditions: Annotated[list[Condition], Field(max_length=2)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.content != "none" and not self.purposes:
            raise refuse(
                "purposes", f"is empty, so that content {self.content} serves nothing: name one, or allow none"
            )
        if self.identity == "named" and self.content in ("none", "counted"):
            raise refuse(
                "identity",
                f"is named, and content {self.content} shows nobody: allow a summary, or say pseudonym or withheld",
            )
        return self


class Consent(Piece):
    """A promise made to a person. An audience that is not named is allowed nothing, and nor is linkage.

    With `linkage` the record may be compared with what other organisations hold of the same person, and linked to it.
    Where it is not allowed it is not written: a consent that says nothing of it is the same one as before there was it.
    """

    obtained_by: Name
    obtained_on: Edtf
    form: Literal["written", "oral", "recorded", "guardian"]
    language: Tag
    recontact: bool
    expires: Day | None = None
    linkage: bool = False
    audiences: Annotated[dict[Audience, Allowed], Field(max_length=50)]

    @model_serializer(mode="wrap")
    def _without_what_is_not_allowed(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        if not self.linkage:
            del written["linkage"]
        return written

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.expires is not None and bounds(self.expires).e1 < bounds(self.obtained_on).s0:
            raise refuse("expires", "lies before the day on which the consent was obtained: mend one of the two")
        return self


class Limit(Piece):
    """The most that one audience may be shown, whatever the consent says. What is not stated is not limited."""

    content: ContentLevel | None = None
    identity: IdentityLevel | None = None
    place: PlaceLevel | None = None
    date: DateLevel | None = None


class Protection(Piece):
    """An assessment of danger to the witness or to others: it restricts, and never widens."""

    reasons: Annotated[list[Reason], Field(min_length=1, max_length=4)]
    assessed_by: Name
    assessed_on: Edtf
    limits: Annotated[dict[Audience, Limit], Field(max_length=50)]

    @model_validator(mode="after")
    def _limits_a_body_with_its_class(self) -> Self:
        for audience, limit in self.limits.items():
            whole = self.limits.get(audience.partition(":")[0])
            for name, scale in SCALES.items() if whole is not None and whole is not limit else ():
                mine, all_of_them = getattr(limit, name), getattr(whole, name)
                if mine is not None and all_of_them is not None and scale.index(mine) > scale.index(all_of_them):
                    raise refuse(
                        f"limits.{audience}.{name}",
                        f"is {mine}, and the limit of its whole class holds for it too: say {all_of_them} or less",
                    )
        return self


class Objection(Piece):
    """What a published person objects to: the record, or being named in it. No submission states it or lifts it."""

    to: Literal["nothing", "name", "record"]
    reason: Words


class PeopleContent(Content):
    """A record about people: it says on what basis it may be shown, and has what that basis needs."""

    disclosure_basis: Basis

    @model_validator(mode="after")
    def _has_a_basis(self) -> Self:
        if self.disclosure_basis == "published" and not self.citations:
            raise refuse("citations", "a published record names at least one source that published it")
        return self


class OwnPeopleContent(PeopleContent):
    """A record about one person, who can consent to it."""

    consent: Consent | None = None
    protection: Protection | None = None

    @model_validator(mode="after")
    def _has_consent(self) -> Self:
        if (self.consent is not None) != (self.disclosure_basis == "consent"):
            raise refuse(
                "consent",
                "is missing: disclosure_basis is consent"
                if self.consent is None
                else "does not go with disclosure_basis published: publication is never called consent",
            )
        return self


def not_yet(content: Mapping[str, Any], today: int) -> Iterator[tuple[str, str]]:
    """Yield field and reason of each day in a content's consent and protection that has not come yet.

    Args:
        content: a testimony's or person's; any other yields nothing.
        today: the day in UTC, counted as `datetime.date.toordinal` counts.
    """
    for name, day in (("consent", "obtained_on"), ("protection", "assessed_on")):
        stated = content.get(name)
        if stated is not None and bounds(stated[day]).s0 > today + AHEAD:
            yield f"{name}.{day}", "lies in the future: write the day on which it was done"


def expiry(content: Mapping[str, Any]) -> int | None:
    """Return the moment at which the consent in a content runs out, if it does."""
    day = (content.get("consent") or {}).get("expires")
    return end_of(day) if day else None
