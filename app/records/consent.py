"""What a witness allowed, for each audience on its own, and what a protection assessment holds back further."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from app.records.base import Audience, Basis, Content, Edtf, Name, Piece, Tag, refuse

ContentLevel = Literal["none", "counted", "summary", "full"]
IdentityLevel = Literal["withheld", "pseudonym", "named"]
PlaceLevel = Literal["country", "province", "county", "exact"]
DateLevel = Literal["year", "month", "day"]
Purpose = Literal["publication", "research", "advocacy", "un-reporting", "criminal-proceedings"]
Condition = Literal["no-death-penalty", "fair-trial"]
Reason = Literal["family-in-country", "child", "sexual-violence", "other"]


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


class Consent(Piece):
    """A promise made to a person. An audience that is not named is allowed nothing."""

    obtained_by: Name
    obtained_on: Edtf
    form: Literal["written", "oral", "recorded", "guardian"]
    language: Tag
    recontact: bool
    expires: Day | None = None
    audiences: Annotated[dict[Audience, Allowed], Field(max_length=50)]


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
