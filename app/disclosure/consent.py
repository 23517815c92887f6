"""What a view may be shown of a record about a person: consent, then the protection assessment, then nothing more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.disclosure.view import Facts, View

CONTENT = ("none", "counted", "summary", "full")
IDENTITY = ("withheld", "pseudonym", "named")
PLACE = ("country", "province", "county", "exact")
DATE = ("year", "month", "day")


@dataclass(frozen=True, slots=True)
class Decision:
    """How much may be shown, as positions on the scales above; `text` is the audience whose texts are fit."""

    content: int
    identity: int
    place: int
    date: int
    text: str

    @property
    def whole(self) -> bool:
        """Tell whether place, date and identity may all be shown as they are."""
        return self.identity == len(IDENTITY) - 1 and self.is_as_fine_as(len(PLACE) - 1, len(DATE) - 1)

    def is_as_fine_as(self, place: int, date: int) -> bool:
        """Tell whether this allows a place and a date at least as fine as these."""
        return self.place >= place and self.date >= date


def decide(content: Mapping[str, Any], view: View, expired: bool = False) -> Decision | None:
    """Return what a view may be shown of a testimony or person; None when it is not to be listed at all.

    `counted` records are None here: they are in statistics only (DESIGN 4).
    """
    decision = _granted(content, view, expired)
    if decision is not None and (protection := content.get("protection")) is not None:
        for audience in {view.audience, view.audience.partition(":")[0]}:  # a body below is limited with all of them
            decision = _limited(decision, protection["limits"].get(audience))
    if decision is None or decision.content <= CONTENT.index("counted"):
        return None
    return decision


def is_named(person: str, view: View, facts: Facts) -> bool:
    """Tell whether a view is shown a person by name: only then may it know that accounts are of that person."""
    account = facts.person(person) if facts.visible(view.id, person) else None
    allowed = None if account is None else decide(account.content, view, account.expired)
    return allowed is not None and allowed.identity == IDENTITY.index("named")


def _granted(content: Mapping[str, Any], view: View, expired: bool) -> Decision | None:
    if content["disclosure_basis"] == "published":
        return Decision(len(CONTENT) - 1, len(IDENTITY) - 1, len(PLACE) - 1, len(DATE) - 1, "public")
    allowed = content["consent"]["audiences"].get(view.audience)
    if expired or allowed is None:
        return None
    if view.purpose not in allowed["purposes"] or not view.recipient.issuperset(allowed["conditions"]):
        return None
    return Decision(
        CONTENT.index(allowed["content"]),
        IDENTITY.index(allowed["identity"]),
        PLACE.index(allowed["place"]),
        DATE.index(allowed["date"]),
        view.audience,
    )


def _limited(decision: Decision, limit: Mapping[str, Any] | None) -> Decision:
    if limit is None:
        return decision

    def least(scale: tuple[str, ...], name: str, granted: int) -> int:
        stated = limit.get(name)
        return granted if stated is None else min(granted, scale.index(stated))

    return Decision(
        least(CONTENT, "content", decision.content),
        least(IDENTITY, "identity", decision.identity),
        least(PLACE, "place", decision.place),
        least(DATE, "date", decision.date),
        decision.text,
    )
