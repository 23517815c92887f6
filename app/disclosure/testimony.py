"""What a view is shown of a testimony."""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.disclosure import coarsen, plain
from app.disclosure.consent import CONTENT, DATE, IDENTITY, OWN, PLACE, Decision, is_named
from app.disclosure.consent import decide as consented
from app.disclosure.reasons import SILENCE, Silence, hold_back
from app.disclosure.view import Facts, View
from app.records.kind import Kind
from app.vocabulary import edtf

FULL = CONTENT.index("full")
WITHHELD_NOTE = {"en": "There is a note on the reliability of this testimony; its words are withheld here."}
UNMARKED = ("full_text", "setting", "note", "transcription_note", "given_place", "medium", "citations")
WITHHELD, PSEUDONYM = range(len(IDENTITY) - 1)


@dataclass(frozen=True, slots=True)
class Telling:
    """The decision about a testimony: how much, the ids that stay hidden, and the name made up for this view."""

    allowed: Decision
    hidden: frozenset[str]
    pseudonym: str | None


def decide(
    content: Mapping[str, Any],
    named: Collection[str],
    view: View,
    facts: Facts,
    expired: bool,
    secret: bytes,
    owner: str | None = None,
    say: Silence = SILENCE,
) -> Telling | None:
    """Decide what a view is shown of a testimony; None: nothing."""
    allowed = consented(content, view, facts, expired, owner, say)
    if allowed is None:
        return None
    hidden = plain.hidden_among(named, view, facts, say)
    if not (content["consent"] or view.owns(owner) or plain.is_published(content, hidden)):
        say("unpublished")
        return None
    for other in content["same_witness"]:
        if other not in hidden and not _may_tie(allowed, other, view, facts):
            say("tie", "same_witness", other)
            hidden |= {other}
    person = content["witness"]["person"]
    if person is not None and person not in hidden and not is_named(person, view, facts):
        say("nameless", "witness.person", person)
        hidden |= {person}  # an account under a name must not lead to a record that keeps the name back
    pseudonym = _pseudonym(content, view, secret, facts, owner) if allowed.identity == PSEUDONYM else None
    return Telling(allowed, hidden, pseudonym)


def _may_tie(allowed: Decision, other: str, view: View, facts: Facts) -> bool:
    """Tell whether a view may know that two accounts are one person's: not if that says more of who tells either."""
    account = None if allowed.identity == WITHHELD else facts.testimony(other)
    its = None if account is None else consented(account.content, view, facts, account.expired, account.owner)
    return its is not None and its.identity == allowed.identity


def _pseudonym(content: Mapping[str, Any], view: View, secret: bytes, facts: Facts, owner: str | None) -> str:
    """Return a name that stands for one witness in one view, and that cannot be linked with another view's.

    Whoever names a person of another organisation makes up no name that this one's accounts have: it would tell them,
    guess by guess, whose accounts these are.
    """
    person = content["witness"]["person"]
    who = facts.leads_to(person or content["id"])
    if person is not None and facts.owner_of(person) != owner:
        who = f"{owner}\0{who}"
    return "Witness " + hmac.digest(secret, f"{view.id}\0{who}".encode(), hashlib.sha256).hex()[:8].upper()


def show(
    kind: Kind, content: Mapping[str, Any], decision: Telling, facts: Facts, say: Silence = SILENCE
) -> dict[str, Any]:
    """Return the testimony as shown, without owner, revision and time."""
    allowed = decision.allowed
    record = plain.fields(kind, plain.without(content, decision.hidden))
    named = record["places"]
    record["places"] = coarsen.places(named, allowed.place, decision.hidden, facts)
    if record["places"] != named:
        say("coarsened", "places", level=PLACE[allowed.place])
    exact = allowed.place == coarsen.EXACT
    record["geometry"] = coarsen.geometry(record["places"], facts) if exact else None
    if named and not exact:
        say("coordinates", "geometry")
    for name in ("date", "given"):
        record[name] = dated(content[name], allowed.date, name, say)
    record["witness"] = _witness(content["witness"], decision, say)
    for name in ("title", "summary", "own_words"):
        record[name] = marked(content, name, allowed.text, say)
    if allowed.content < FULL:
        hold_back(record, ("own_words", "full_text"), "needs-full", say)
    if not allowed.whole:
        # Free text that nobody marked for this audience may say what is coarsened here.
        hold_back(record, UNMARKED, "not-whole", say)
    record["reliability_note"] = reliability(content, allowed.whole, say)
    if record["title"] is None:
        say("made", "title")
        record["title"] = _title(record, content, allowed)
    return record


def _title(record: Mapping[str, Any], content: Mapping[str, Any], allowed: Decision) -> dict[str, str]:
    when = coarsen.date(content["date"], allowed.date)
    return coarsen.title("Account", record["violations"], record["places"], when)


def reliability(content: Mapping[str, Any], whole: bool, say: Silence = SILENCE) -> Any:
    """Return the reliability note of a testimony; where its words may say too much, the fact that there is one."""
    note = content["reliability_note"]
    if note is None or whole:
        return note
    say("note", "reliability_note")
    return WITHHELD_NOTE


def marked(content: Mapping[str, Any], name: str, audience: str | None, say: Silence = SILENCE) -> Any:
    """Return the text that a person marked fit for an audience, or None; of one's own, the fullest."""
    texts = content[name]
    if texts is None:
        return None
    if audience == OWN:
        return next(texts[one] for one in ("mechanism", "partner", "public", *sorted(texts)) if one in texts)
    if audience is None:
        say("unfit", name)
        return None
    if audience not in texts:
        say("unmarked", name, audience=audience)
    return texts.get(audience)


def dated(text: str | None, level: int, name: str, say: Silence = SILENCE) -> Any:
    """Return a date as shown, no finer than a level, with the bounds that follow from that."""
    coarse = coarsen.date(text, level)
    if coarse != text:
        say("coarsened", name, level=DATE[level])
    return edtf.shown(coarse) if coarse is not None else None


def _witness(witness: Mapping[str, Any], decision: Telling, say: Silence) -> dict[str, Any]:
    allowed = decision.allowed
    shown = {
        "designation": witness["designation"],
        "form": witness["form"],
        "role": witness["role"] if allowed.whole else None,
        "person": None if witness["person"] in decision.hidden else witness["person"],
        "left": dated(witness["left"], allowed.date, "witness.left", say),
    }
    if witness["role"] and not allowed.whole:
        say("not-whole", "witness.role")
    if allowed.identity == PSEUDONYM:
        say("pseudonym", "witness")
        return shown | {"designation": {"en": decision.pseudonym}, "form": "pseudonym", "role": None, "person": None}
    if allowed.identity == WITHHELD:
        say("withheld", "witness")
        return shown | {"designation": None, "form": "withheld", "role": None, "person": None}
    return shown
