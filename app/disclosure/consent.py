"""What a view may be shown of a record about a person: consent, then the protection assessment, then nothing more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.disclosure.reasons import SILENCE, Silence
from app.disclosure.view import Facts, View
from app.records.consent import SCALES

CONTENT, IDENTITY, PLACE, DATE = (SCALES[name] for name in ("content", "identity", "place", "date"))


@dataclass(frozen=True, slots=True)
class Decision:
    """How much may be shown, as positions on the scales above; `text` is the audience whose texts are fit, if any."""

    content: int
    identity: int
    place: int
    date: int
    text: str | None

    @property
    def whole(self) -> bool:
        """Tell whether place, date and identity may all be shown as they are."""
        return self.identity == len(IDENTITY) - 1 and self.is_as_fine_as(len(PLACE) - 1, len(DATE) - 1)

    def is_as_fine_as(self, place: int, date: int) -> bool:
        """Tell whether this allows a place and a date at least as fine as these."""
        return self.place >= place and self.date >= date


OWN = "own"  # in place of an audience: the fullest text that there is, for whoever holds the record
WHOLE = Decision(len(CONTENT) - 1, len(IDENTITY) - 1, len(PLACE) - 1, len(DATE) - 1, OWN)


def decide(
    content: Mapping[str, Any],
    view: View,
    facts: Facts,
    expired: bool = False,
    owner: str | None = None,
    say: Silence = SILENCE,
) -> Decision | None:
    """Return what a view may be shown of a testimony or person; None when it is not to be listed at all.

    `counted` records are None here: they are in statistics only (DESIGN 4). Who holds a record sees all of it. `say` is
    told each step, and why.
    """
    if view.owns(owner):
        say("own")
        return WHOLE
    decision = _granted(content, view, expired, say)
    if decision is not None and (protection := content.get("protection")) is not None:
        # A body below is limited with all of them.
        for audience in dict.fromkeys((view.audience, view.audience.partition(":")[0])):
            decision = _limited(decision, protection["limits"].get(audience), audience, say)
    if decision is not None:
        decision = _objected_to(decision, content, facts, say)
    if decision is None:
        return None
    if decision.content <= CONTENT.index("counted"):
        say("not-listed", content=CONTENT[decision.content])
        return None
    return decision


def allows_linkage(content: Mapping[str, Any], expired: bool) -> bool:
    """Tell whether somebody consented to their account or record being linked with what other organisations hold."""
    consent = content.get("consent")
    return not expired and consent is not None and bool(consent.get("linkage"))


def of_person(person: str, view: View, facts: Facts, say: Silence = SILENCE) -> Decision | None:
    """Return what a view may be shown of the person of an id; None when it is not shown them."""
    account = facts.person(person) if facts.visible(view.id, person) else None
    return None if account is None else decide(account.content, view, facts, account.expired, account.owner, say)


def unwilling(
    people: Iterable[str], place: int, date: int, view: View, facts: Facts, field: str, say: Silence = SILENCE
) -> frozenset[str]:
    """Return those of some people who are not to be tied to a place and a date as fine as these, where a view sees it.

    One who was merged into another was led there, unless they allow less than the survivor (`leading.py`).
    """
    found: set[str] = set()
    for person in people:
        part = say.about(person)
        allowed = of_person(person, view, facts, part)
        if allowed is None:
            part("no-part", field)
            found.add(person)
            continue
        part("part", place=PLACE[allowed.place], date=DATE[allowed.date], identity=IDENTITY[allowed.identity])
        if not allowed.is_as_fine_as(place, date) or facts.leads_to(person) != person:
            part("says-more", field)
            found.add(person)
    return frozenset(found)


def is_named(person: str, view: View, facts: Facts) -> bool:
    """Tell whether a view is shown a person by name: only then may it know that accounts are of that person.

    Where the record was merged into another one, both have to allow it.
    """
    allowed = of_person(person, view, facts)
    if allowed is None or allowed.identity != IDENTITY.index("named"):
        return False
    survivor = facts.leads_to(person)
    return survivor == person or is_named(survivor, view, facts)


def _granted(content: Mapping[str, Any], view: View, expired: bool, say: Silence) -> Decision | None:
    if content["disclosure_basis"] == "published":
        say("published")
        return replace(WHOLE, text="public")
    allowed = content["consent"]["audiences"].get(view.audience)
    if allowed is None:
        say("not-named", audience=view.audience)
        return None
    say("consented", audience=view.audience, expires=content["consent"]["expires"], **allowed)
    if expired:
        say("expired", expires=content["consent"]["expires"])
        return None
    if view.purpose not in allowed["purposes"]:
        say("purpose", audience=view.audience, purposes=allowed["purposes"], purpose=view.purpose)
        return None
    if not view.recipient.issuperset(allowed["conditions"]):
        say("conditions", audience=view.audience, conditions=allowed["conditions"])
        return None
    return Decision(
        CONTENT.index(allowed["content"]),
        IDENTITY.index(allowed["identity"]),
        PLACE.index(allowed["place"]),
        DATE.index(allowed["date"]),
        view.audience,
    )


def _objected_to(decision: Decision, content: Mapping[str, Any], facts: Facts, say: Silence) -> Decision | None:
    """Return what is left where a person objected to the record, or to being named, in it or in their own record.

    Texts were marked when the name could be told: none of them is fit any more.
    """
    objection = content.get("objection")
    if objection is not None and objection["to"] == "record":
        say("objected")
        return None
    person = (content.get("witness") or {}).get("person")
    if (objection is not None and objection["to"] == "name") or (person is not None and facts.objects(person)):
        say("name-objected")
        return replace(decision, identity=IDENTITY.index("withheld"), text=None)
    return decision


def _limited(decision: Decision, limit: Mapping[str, Any] | None, audience: str, say: Silence) -> Decision:
    if limit is None:
        return decision

    def least(scale: tuple[str, ...], name: str, granted: int) -> int:
        stated = limit.get(name)
        if stated is None or scale.index(stated) >= granted:
            return granted
        say("limited", audience=audience, scale=name, level=stated)
        return scale.index(stated)

    return Decision(
        least(CONTENT, "content", decision.content),
        least(IDENTITY, "identity", decision.identity),
        least(PLACE, "place", decision.place),
        least(DATE, "date", decision.date),
        decision.text,
    )
