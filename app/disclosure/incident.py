"""What a view is shown of an incident: as finely as a published source states it, else as its witnesses allow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.disclosure import coarsen, plain
from app.disclosure.consent import PLACE
from app.disclosure.consent import decide as consented
from app.disclosure.corroboration import count
from app.disclosure.testimony import reliability, text_for
from app.disclosure.view import Facts, View
from app.records.kind import Kind
from app.vocabulary import edtf


@dataclass(frozen=True, slots=True)
class Support:
    """One testimony that the view is shown: how finely it lets the view know place and date, and whether all of it."""

    id: str
    place: int
    date: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """The decision about an incident: how fine its place and date are, on whose word, and the ids that stay hidden."""

    place: int
    date: int
    free: frozenset[str]  # places that a published source states: shown as they are
    text: str
    supports: tuple[Support, ...]
    against: tuple[Support, ...]
    hidden: frozenset[str]

    @property
    def whole(self) -> bool:
        """Tell whether nothing of place and date is coarsened."""
        return self.place == coarsen.EXACT and self.date == coarsen.DAY


def decide(content: Mapping[str, Any], named: Iterable[str], view: View, facts: Facts) -> Happening | None:
    """Decide what a view is shown of an incident; None: nothing, for nothing that it rests on may be shown."""
    hidden = plain.hidden_among(named, view, facts)
    supports = _supports(content["testimonies"], hidden, view, facts)
    if content["disclosure_basis"] == "published":
        place, date, free, text = coarsen.EXACT, coarsen.DAY, plain.NOTHING, "public"
    else:
        if not supports:
            return None
        free, finest = _published(content, supports, facts)
        place = min(one.place for one in supports)
        date = max(min(one.date for one in supports), finest)
        text = view.audience
    decision = Happening(place, date, free, text, (), (), hidden)
    # A testimony is tied to what the incident says here only if its own consent allows its audience to know as much.
    says_place = max((_level(one, facts) for one in _places(content["places"], decision, facts)), default=0)
    when = coarsen.date(content["date"], date)
    says_date = 0 if when is None else coarsen.level_of(when)

    def listed(witnesses: list[Support]) -> tuple[Support, ...]:
        return tuple(one for one in witnesses if one.place >= says_place and one.date >= says_date)

    against = _supports(content["contradicted_by"], hidden, view, facts)
    return replace(decision, supports=listed(supports), against=listed(against))


def _level(place: str, facts: Facts) -> int:
    kind = facts.type_of(place)
    return PLACE.index(kind) if kind in PLACE else coarsen.EXACT


def _supports(ids: list[str], hidden: frozenset[str], view: View, facts: Facts) -> list[Support]:
    found = ((id, facts.testimony(id)) for id in ids if id not in hidden)
    decided = ((id, consented(account.content, view, account.expired)) for id, account in found if account is not None)
    return [Support(id, one.place, one.date, one.whole) for id, one in decided if one is not None]


def _published(content: Mapping[str, Any], supports: list[Support], facts: Facts) -> tuple[frozenset[str], int]:
    """Return the places, and the finest level of the date, that visible published testimonies state themselves."""
    free: set[str] = set()
    finest = 0
    for one in supports:
        account = facts.testimony(one.id)
        if account is None or account.content["disclosure_basis"] != "published":
            continue
        free.update(account.content["places"])
        stated = account.content["date"]
        if stated and content["date"]:
            level = coarsen.level_of(stated)
            if coarsen.date(content["date"], level) == stated:
                finest = max(finest, level)
    return frozenset(free), finest


def show(kind: Kind, content: Mapping[str, Any], decision: Happening, facts: Facts) -> dict[str, Any]:
    """Return the incident as shown, without owner, revision and time."""
    record = plain.fields(kind, plain.without(content, decision.hidden))
    record["testimonies"] = [one.id for one in decision.supports]
    record["contradicted_by"] = [one.id for one in decision.against]
    record["places"] = _places(record["places"], decision, facts)
    precise = (
        record["places"] if decision.place == coarsen.EXACT else [p for p in record["places"] if p in decision.free]
    )
    record["geometry"] = coarsen.geometry(precise, facts)
    when = coarsen.date(content["date"], decision.date)
    record["date"] = edtf.shown(when) if when is not None else None
    record["title"] = text_for(content["title"], decision.text)
    record["summary"] = text_for(content["summary"], decision.text)
    record["acts"] = [_act(act, decision, facts) for act in record["acts"]]
    if not decision.whole:
        record["note"] = None
    if decision.text != "public" and record["victims"] is not None:
        record["victims"] = {**record["victims"], "described": None}
    if record["title"] is None:
        record["title"] = coarsen.title("Incident", record["violations"], record["places"], when)
    record["corroboration"] = count(content, record["testimonies"], facts)
    record["reliability_notes"] = _notes((*decision.supports, *decision.against), facts)
    return record


def _places(named: list[str], decision: Happening, facts: Facts) -> list[str]:
    if decision.place == coarsen.EXACT:
        return named
    shown: list[str] = []
    for place in named:
        shown += [place] if place in decision.free else coarsen.places([place], decision.place, facts)
    return list(dict.fromkeys(shown))


def _act(act: dict[str, Any], decision: Happening, facts: Facts) -> dict[str, Any]:
    if decision.whole:
        return act
    text = act["date"]["edtf"] if act["date"] else None
    when = coarsen.date(text, decision.date)
    victims = act["victims"]
    return act | {
        "places": _places(act["places"], decision, facts),
        "date": edtf.shown(when) if when is not None else None,
        "victims": {**victims, "described": None} if victims is not None else None,
    }


def _notes(supports: tuple[Support, ...], facts: Facts) -> list[dict[str, Any]]:
    found = ((one, facts.testimony(one.id)) for one in supports)
    notes = ((one.id, reliability(account.content, one.whole)) for one, account in found if account is not None)
    return [{"testimony": id, "note": note} for id, note in notes if note is not None]
