"""What a view is shown of an incident: as finely as a published source states it, else as its witnesses allow."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.disclosure import coarsen, plain
from app.disclosure.consent import DATE, IDENTITY, OWN, PLACE, unwilling
from app.disclosure.consent import decide as consented
from app.disclosure.corroboration import Told, count
from app.disclosure.reasons import SILENCE, Silence, hold_back
from app.disclosure.testimony import marked, reliability
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

    def allows(self, place: int, date: int) -> bool:
        """Tell whether it lets the view know a place and a date as finely as this."""
        return self.place >= place and self.date >= date


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


def decide(
    content: Mapping[str, Any],
    named: Collection[str],
    view: View,
    facts: Facts,
    owner: str | None = None,
    say: Silence = SILENCE,
) -> Happening | None:
    """Decide what a view is shown of an incident; None: nothing, for nothing that it rests on may be shown."""
    hidden = plain.hidden_among(named, view, facts, say)
    supports = _supports(content, "testimonies", hidden, view, facts, say)
    if view.owns(owner) or plain.is_published(content, hidden):
        say("own" if view.owns(owner) else "published")
        whole, text = True, OWN if view.owns(owner) else "public"
        told = coarsen.EXACT, coarsen.DAY, plain.NOTHING, plain.NOTHING, whole, text
    elif any(one.heard for one in supports):
        place, date = min(one.place for one in supports), min(one.date for one in supports)
        whole = all(one.whole for one in supports)
        say("inherited", place=PLACE[place], date=DATE[date])
        told = place, date, *_published(supports, facts, say), whole, view.audience
    else:
        say("no-support")
        return None
    against = _supports(content, "contradicted_by", hidden, view, facts, say)
    people = dict.fromkeys(person for act in content["acts"] for person in act["people"])
    if supports or against or people:
        # A testimony or person is tied to what the incident says here only if their consent allows to know as much.
        place, date = _says(content, Happening(*told, (), (), hidden), facts)
        supports = _listed(supports, "testimonies", place, date, say)
        against = _listed(against, "contradicted_by", place, date, say)
        hidden |= unwilling(people, place, date, view, facts, "acts[].people", say)
    # A citation for one field alone does not say that it happened.
    cited = [one["source"] for one in content["citations"] if one.get("supports") is None] if whole else []
    counted = _counted([source for source in cited if source and source not in hidden], supports, view, facts)
    return Happening(*told, tuple(supports), tuple(against), hidden, counted)


def _counted(cited: Iterable[str], supports: Iterable[Support], view: View, facts: Facts) -> int:
    told = [Told(one.id, one.identity, one.whole) for one in supports]
    return count(cited, told, facts, view)


def _says(content: Mapping[str, Any], decision: Happening, facts: Facts) -> tuple[int, int]:
    """Return how finely an incident, as shown, tells where and when it happened, its acts included."""
    told = (content, *plain.without(content["acts"], decision.hidden))
    named = [place for one in told for place in one["places"] if place not in decision.hidden]
    dates = [_when(one["date"], decision) for one in told]
    return (
        max((coarsen.level_of_place(place, facts) for place in _places(named, decision, facts)), default=0),
        max((coarsen.level_of(date) for date in dates if date is not None), default=0),
    )


def _supports(
    content: Mapping[str, Any], name: str, hidden: frozenset[str], view: View, facts: Facts, say: Silence
) -> list[Support]:
    found: list[Support] = []
    for id in content[name]:
        part = say.about(id)
        account = facts.testimony(id) if id not in hidden else None
        if account is None:
            part("no-part", name)
            continue
        one = consented(account.content, view, facts, account.expired, account.owner, part)
        if one is None:
            part("no-part", name)
            continue
        part("part", place=PLACE[one.place], date=DATE[one.date], identity=IDENTITY[one.identity])
        heard = not account.content["title_only"]
        if not heard:
            part("title-only")
        found.append(Support(id, one.place, one.date, one.whole, heard, one.identity))
    return found


def _listed(supports: list[Support], name: str, place: int, date: int, say: Silence) -> list[Support]:
    """Return those who allow a place and a date as fine as this."""
    for one in supports:
        if not one.allows(place, date):
            say.about(one.id)("says-more", name)
    return [one for one in supports if one.allows(place, date)]


def _published(supports: list[Support], facts: Facts, say: Silence) -> tuple[frozenset[str], frozenset[str]]:
    """Return the places and the dates that the published testimonies among these state themselves."""
    places: set[str] = set()
    dates: set[str] = set()
    for one in supports:
        account = facts.testimony(one.id)
        if account is None or account.content["disclosure_basis"] != "published":
            continue
        if one.place == coarsen.EXACT and account.content["places"]:
            # Otherwise a protection assessment holds back what was published.
            say.about(one.id)("states", "places")
            places.update(facts.leads_to(place) for place in account.content["places"])
        if one.date == coarsen.DAY and account.content["date"] is not None:
            say.about(one.id)("states", "date")
            dates.add(account.content["date"])
    return frozenset(places), frozenset(dates)


def show(
    kind: Kind, content: Mapping[str, Any], decision: Happening, facts: Facts, say: Silence = SILENCE
) -> dict[str, Any]:
    """Return the incident as shown, without owner, revision and time."""
    record = plain.fields(kind, plain.without(content, decision.hidden))
    record["testimonies"] = [one.id for one in decision.supports]
    record["contradicted_by"] = [one.id for one in decision.against]
    named, record["places"] = record["places"], _places(record["places"], decision, facts)
    if record["places"] != named:
        say("coarsened", "places", level=PLACE[decision.place])
    precise = (
        record["places"] if decision.place == coarsen.EXACT else [p for p in record["places"] if p in decision.free]
    )
    record["geometry"] = coarsen.geometry(precise, facts)
    if precise != named and record["geometry"] is None:
        say("coordinates", "geometry")
    when = _when(content["date"], decision)
    if when != content["date"]:
        say("coarsened", "date", level=DATE[decision.date])
    record["date"] = edtf.shown(when) if when is not None else None
    record["title"] = marked(content, "title", decision.text, say)
    record["summary"] = marked(content, "summary", decision.text, say)
    record["acts"] = [_act(act, decision, facts, say) for act in record["acts"]]
    record["assessment"] = _assessment(record["assessment"], content["assessment"], decision)
    if not decision.whole:
        hold_back(record, ("note", "assessment", "citations"), "not-whole", say)
        record["victims"] = _without_words(record["victims"], "victims", say)
    if record["title"] is None:
        say("made", "title")
        record["title"] = coarsen.title("Incident", record["violations"], record["places"], when)
    record["corroboration"] = decision.corroboration
    record["reliability_notes"] = _notes((*decision.supports, *decision.against), facts, say)
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


def _act(act: dict[str, Any], decision: Happening, facts: Facts, say: Silence) -> dict[str, Any]:
    if not decision.exact:
        when = _when(act["date"]["edtf"], decision) if act["date"] else None
        shown = {
            "places": _places(act["places"], decision, facts),
            "date": edtf.shown(when) if when is not None else None,
        }
        for name, level in (("places", PLACE[decision.place]), ("date", DATE[decision.date])):
            if shown[name] != act[name]:
                say("coarsened", f"acts[].{name}", level=level)
        act = act | shown
    return act if decision.whole else act | {"victims": _without_words(act["victims"], "acts[].victims", say)}


def _without_words(victims: dict[str, Any] | None, field: str, say: Silence) -> dict[str, Any] | None:
    if victims is None:
        return None
    if victims["described"]:
        say("not-whole", f"{field}.described")
    return {**victims, "described": None}


def _assessment(shown: Any, stated: Mapping[str, Any] | None, decision: Happening) -> Any:
    """Return the assessment, with its citation as citations are shown; None where its source is hidden."""
    if stated is None or stated["citation"]["source"] in decision.hidden:
        return None
    return shown | {"citation": plain.citations([stated["citation"]])[0]}


def _notes(supports: tuple[Support, ...], facts: Facts, say: Silence) -> list[dict[str, Any]]:
    found = ((one, facts.testimony(one.id)) for one in dict.fromkeys(supports))
    accounts = ((one, account.content) for one, account in found if account is not None)
    notes = ((one.id, reliability(account, one.whole, say.about(one.id))) for one, account in accounts)
    return [{"testimony": id, "note": note} for id, note in notes if note is not None]
