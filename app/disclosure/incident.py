"""What a view is shown of an incident: as finely as a published source states it, else as its witnesses allow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.disclosure import coarsen, plain
from app.disclosure.consent import PLACE
from app.disclosure.consent import decide as consented
from app.disclosure.corroboration import Told, count
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
    heard: bool  # not its title alone
    identity: int  # how far it tells of the witness


@dataclass(frozen=True, slots=True)
class Happening:
    """The decision about an incident: how fine its places and dates are, on whose word, and what stays hidden."""

    place: int
    date: int
    free: frozenset[str]  # places that a published testimony states: shown as they are
    stated: frozenset[str]  # dates likewise
    whole: bool  # nothing that it rests on is held back: text that nobody marked for an audience may be shown too
    text: str
    supports: tuple[Support, ...]
    against: tuple[Support, ...]
    hidden: frozenset[str]
    corroboration: int = 0

    @property
    def exact(self) -> bool:
        """Tell whether nothing of place and date is coarsened."""
        return self.place == coarsen.EXACT and self.date == coarsen.DAY


def decide(content: Mapping[str, Any], named: Iterable[str], view: View, facts: Facts) -> Happening | None:
    """Decide what a view is shown of an incident; None: nothing, for nothing that it rests on may be shown."""
    hidden = plain.hidden_among(named, view, facts)
    supports = _supports(content["testimonies"], hidden, view, facts)
    if plain.is_published(content, hidden):
        everything = coarsen.EXACT, coarsen.DAY, plain.NOTHING, plain.NOTHING, True
        decision = Happening(*everything, "public", (), (), hidden)
    elif any(one.heard for one in supports):
        place, date = min(one.place for one in supports), min(one.date for one in supports)
        whole = all(one.whole for one in supports)
        decision = Happening(place, date, *_published(supports, facts), whole, view.audience, (), (), hidden)
    else:
        return None
    against = _supports(content["contradicted_by"], hidden, view, facts)
    if not supports and not against:
        return replace(decision, corroboration=_counted(content, decision, (), view, facts))
    # A testimony is tied to what the incident says here only if its own consent allows its audience to know as much.
    place, date = _says(content, decision, facts)

    def listed(witnesses: list[Support]) -> tuple[Support, ...]:
        return tuple(one for one in witnesses if one.place >= place and one.date >= date)

    counted = _counted(content, decision, listed(supports), view, facts)
    return replace(decision, supports=listed(supports), against=listed(against), corroboration=counted)


def _counted(
    content: Mapping[str, Any], decision: Happening, supports: tuple[Support, ...], view: View, facts: Facts
) -> int:
    shown = content["citations"] if decision.whole else ()
    cited = [one["source"] for one in shown if one["source"] and one["source"] not in decision.hidden]
    told = [Told(one.id, one.identity, one.whole) for one in supports]
    return count(cited, told, facts, view)


def _says(content: Mapping[str, Any], decision: Happening, facts: Facts) -> tuple[int, int]:
    """Return how finely an incident, as shown, tells where and when it happened, its acts included."""
    told = (content, *plain.without(content["acts"], decision.hidden))
    named = [place for one in told for place in one["places"] if place not in decision.hidden]
    dates = [_when(one["date"], decision) for one in told]
    return (
        max((_level(place, facts) for place in _places(named, decision, facts)), default=0),
        max((coarsen.level_of(date) for date in dates if date is not None), default=0),
    )


def _level(place: str, facts: Facts) -> int:
    kind = facts.type_of(place)
    return PLACE.index(kind) if kind in PLACE else coarsen.EXACT


def _supports(ids: list[str], hidden: frozenset[str], view: View, facts: Facts) -> list[Support]:
    found: list[Support] = []
    for id in ids:
        account = facts.testimony(id) if id not in hidden else None
        one = consented(account.content, view, account.expired) if account is not None else None
        if account is not None and one is not None:
            heard = not account.content["title_only"]
            found.append(Support(id, one.place, one.date, one.whole, heard, one.identity))
    return found


def _published(supports: list[Support], facts: Facts) -> tuple[frozenset[str], frozenset[str]]:
    """Return the places and the dates that the published testimonies among these state themselves."""
    places: set[str] = set()
    dates: set[str] = set()
    for one in supports:
        account = facts.testimony(one.id)
        if account is None or account.content["disclosure_basis"] != "published":
            continue
        if one.place == coarsen.EXACT:  # a protection assessment may hold back what was published
            places.update(account.content["places"])
        if one.date == coarsen.DAY and account.content["date"] is not None:
            dates.add(account.content["date"])
    return frozenset(places), frozenset(dates)


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
    when = _when(content["date"], decision)
    record["date"] = edtf.shown(when) if when is not None else None
    record["title"] = text_for(content["title"], decision.text)
    record["summary"] = text_for(content["summary"], decision.text)
    record["acts"] = [_act(act, decision, facts) for act in record["acts"]]
    record["assessment"] = _assessment(record["assessment"], content["assessment"], decision)
    if not decision.whole:
        record["note"] = record["assessment"] = None
        record["citations"] = []
        record["victims"] = _without_words(record["victims"])
    if record["title"] is None:
        record["title"] = coarsen.title("Incident", record["violations"], record["places"], when)
    record["corroboration"] = decision.corroboration
    record["reliability_notes"] = _notes((*decision.supports, *decision.against), facts)
    return record


def _places(named: list[str], decision: Happening, facts: Facts) -> list[str]:
    if decision.place == coarsen.EXACT:
        return named
    shown: list[str] = []
    for place in named:
        free = place in decision.free
        shown += [place] if free else coarsen.places([place], decision.place, decision.hidden, facts)
    return list(dict.fromkeys(shown))


def _when(text: str | None, decision: Happening) -> str | None:
    """Return a date as finely as a published testimony states it, else as the decision has it."""
    if text is None or decision.date == coarsen.DAY:
        return text
    for level in range(coarsen.DAY, decision.date, -1):
        coarse = coarsen.date(text, level)
        if coarse in decision.stated:
            return coarse
    return coarsen.date(text, decision.date)


def _act(act: dict[str, Any], decision: Happening, facts: Facts) -> dict[str, Any]:
    if not decision.exact:
        when = _when(act["date"]["edtf"], decision) if act["date"] else None
        act = act | {
            "places": _places(act["places"], decision, facts),
            "date": edtf.shown(when) if when is not None else None,
        }
    return act if decision.whole else act | {"victims": _without_words(act["victims"])}


def _without_words(victims: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if victims is None else {**victims, "described": None}


def _assessment(shown: Any, stated: Mapping[str, Any] | None, decision: Happening) -> Any:
    """Return the assessment, with its citation as citations are shown; None where its source is hidden."""
    if stated is None or stated["citation"]["source"] in decision.hidden:
        return None
    return shown | {"citation": plain.citations([stated["citation"]])[0]}


def _notes(supports: tuple[Support, ...], facts: Facts) -> list[dict[str, Any]]:
    found = ((one, facts.testimony(one.id)) for one in dict.fromkeys(supports))
    notes = ((one.id, reliability(account.content, one.whole)) for one, account in found if account is not None)
    return [{"testimony": id, "note": note} for id, note in notes if note is not None]
