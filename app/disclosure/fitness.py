"""Whether a text that is marked fit for an audience holds what that audience may not know: warnings, nothing more."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from app.disclosure.consent import CONTENT, IDENTITY, PLACE, Decision, decide
from app.disclosure.screen import COORDINATES, NAME, Names, contacts, coordinates
from app.disclosure.view import Facts, View
from app.records.kind import Kind

TEXTS = ("title", "summary", "own_words", "description")
NAMED, EXACT, FULL = len(IDENTITY) - 1, len(PLACE) - 1, len(CONTENT) - 1
Contents = Callable[[str], Mapping[str, Any] | None]
_NOBODY: tuple[str, ...] = ()


class Doubt(NamedTuple):
    """One text to be looked at again: its field (`summary.public.ko`), and why, with none of its words."""

    field: str
    reason: str


def doubts(kind: Kind, content: Mapping[str, Any], contents: Contents, facts: Facts) -> list[Doubt]:
    """Return what a person should look at before they rely on the marks of a record's texts.

    Telephone numbers, resident registration numbers and e-mail addresses are told of whatever the audience may know;
    coordinates where it may not know exact places; names where it may not know who that is.

    Args:
        kind: of the record.
        content: of the record; of a kind that is not about people nothing is returned.
        contents: gives the content of a testimony, a person, or an actor who is a natural person, by its id.
        facts: as for a decision.
    """
    if not kind.people:
        return []
    found: list[Doubt] = []
    for audience, texts in _marked(content).items():
        place = _place(content, audience, contents, facts)
        if place is None:
            continue  # nothing is shown to this audience
        unnamed = Names(_unnamed(content, audience, contents, facts))
        for field, text in texts:
            reasons = list(contacts(text))
            if place < EXACT:
                reasons += coordinates(text)
            if unnamed.within(text):
                reasons.append(NAME)
            found += [Doubt(field, _WHY[reason].format(audience=audience)) for reason in reasons]
    if (consent := content.get("consent")) is not None:
        found += _idle(consent)
    return found


_ALWAYS = "holds what looks like {what}, and is marked as fit for {{audience}}: see whether it is meant to be there"
_WHY = {
    what: _ALWAYS.format(what=what)
    for what in ("a telephone number", "a resident registration number", "an e-mail address")
}
_WHY[COORDINATES] = "holds what looks like coordinates, and {audience} may not know exact places"
_WHY[NAME] = "holds the name of somebody whom {audience} may not know by name"


def _idle(consent: Mapping[str, Any]) -> Iterator[Doubt]:
    """Yield what in a consent has no effect, and may not be what was meant."""
    public = consent["audiences"].get("public")
    if public is not None and public["conditions"] and public["content"] != "none":
        reason = "can be asked of nobody where everybody may read: nothing is shown to public"
        yield Doubt("consent.audiences.public.conditions", reason)


def _marked(content: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Return field and words of every text, by the audience that it is marked for."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in TEXTS:
        for audience, text in (content.get(name) or {}).items():
            words = [(f"{name}.{audience}.{tag}", said) for tag, said in text.items() if tag not in _ABOUT]
            found.setdefault(audience, []).extend(words)
    return found


_ABOUT = ("original", "translated_by")


def _allowed(content: Mapping[str, Any], audience: str, facts: Facts) -> Decision | None:
    """Return what an audience is allowed for the purposes, and on the conditions, that the consent itself names."""
    entry = ((content.get("consent") or {}).get("audiences") or {}).get(audience)
    if entry is None and content["disclosure_basis"] == "consent":
        return None
    purposes: Sequence[str] = entry["purposes"] if entry is not None else ()
    recipient = frozenset(entry["conditions"]) if entry is not None else frozenset[str]()
    return decide(content, View(-1, audience, purposes[0] if purposes else "", recipient), facts)


def _place(content: Mapping[str, Any], audience: str, contents: Contents, facts: Facts) -> int | None:
    """Return the finest place that an audience may know of a record, on the scale of places; None: it is shown none."""
    if "testimonies" not in content:
        own = _allowed(content, audience, facts)
        return None if own is None else own.place
    if content["disclosure_basis"] == "published":
        return EXACT
    accounts = [account for id in content["testimonies"] if (account := contents(id)) is not None]
    levels = [one.place for account in accounts if (one := _allowed(account, audience, facts)) is not None]
    return min(levels, default=None)


def _unnamed(content: Mapping[str, Any], audience: str, contents: Contents, facts: Facts) -> Iterator[str]:
    """Yield the names of those in a record whom an audience may not know by name."""
    accounts: Iterable[Mapping[str, Any]] = [content]
    if "testimonies" in content:
        named = (contents(id) for id in (*content["testimonies"], *content["contradicted_by"]))
        accounts = [account for account in named if account is not None]
    people = [id for act in content.get("acts", ()) for id in act["people"]]
    for account in accounts:
        witness = account.get("witness") or {}
        level = _allowed(account, audience, facts)
        person = contents(witness["person"]) if witness.get("person") else None
        if level is None or level.identity < NAMED:
            yield from _of(witness.get("designation")) if witness.get("form") != "unnamed" else _NOBODY
            yield from _of(account.get("name"))
            yield from _of(person.get("name")) if person is not None else _NOBODY
        elif person is not None:
            people.append(witness["person"])
    for id in dict.fromkeys(people):
        if (person := contents(id)) is not None:
            level = _allowed(person, audience, facts)
            yield from _of(person.get("name")) if level is None or level.identity < NAMED else _NOBODY
    actors = chain(content.get("actors", ()), (id for act in content.get("acts", ()) for id in act["actors"]))
    for id in dict.fromkeys(actors):
        actor = contents(id)
        if actor is not None and not actor["named_in"] and audience.partition(":")[0] != "mechanism":
            yield from chain(_of(actor["name"]), actor["aliases"])


def _of(text: Mapping[str, str] | None) -> list[str]:
    return [said for tag, said in (text or {}).items() if tag not in _ABOUT]
