"""What a view is shown of a testimony."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.disclosure import coarsen, plain
from app.disclosure.consent import CONTENT, IDENTITY, Decision, is_named
from app.disclosure.consent import decide as consented
from app.disclosure.view import Facts, View
from app.records.kind import Kind
from app.vocabulary import edtf

FULL = CONTENT.index("full")
WITHHELD_NOTE = {"en": "There is a note on the reliability of this testimony; its words are withheld here."}
WITHHELD, PSEUDONYM = range(len(IDENTITY) - 1)


@dataclass(frozen=True, slots=True)
class Telling:
    """The decision about a testimony: how much, the ids that stay hidden, and the name made up for this view."""

    allowed: Decision
    hidden: frozenset[str]
    pseudonym: str | None


def decide(
    content: Mapping[str, Any], named: Iterable[str], view: View, facts: Facts, expired: bool, secret: bytes
) -> Telling | None:
    """Decide what a view is shown of a testimony; None: nothing."""
    allowed = consented(content, view, expired)
    if allowed is None:
        return None
    hidden = plain.hidden_among(named, view, facts)
    if not (content["consent"] or plain.is_published(content, hidden)):
        return None
    hidden |= {other for other in content["same_witness"] if not _may_tie(allowed, other, hidden, view, facts)}
    person = content["witness"]["person"]
    if person is not None and not is_named(person, view, facts):
        hidden |= {person}  # an account under a name must not lead to a record that keeps the name back
    pseudonym = _pseudonym(content, view, secret) if allowed.identity == PSEUDONYM else None
    return Telling(allowed, hidden, pseudonym)


def _may_tie(allowed: Decision, other: str, hidden: frozenset[str], view: View, facts: Facts) -> bool:
    """Tell whether a view may know that two accounts are one person's: not if that says more of who tells either."""
    account = None if other in hidden or allowed.identity == WITHHELD else facts.testimony(other)
    its = None if account is None else consented(account.content, view, account.expired)
    return its is not None and its.identity == allowed.identity


def _pseudonym(content: Mapping[str, Any], view: View, secret: bytes) -> str:
    """Return a name that stands for one witness in one view, and that cannot be linked with another view's."""
    who = content["witness"]["person"] or content["id"]
    return "Witness " + hmac.digest(secret, f"{view.id}\0{who}".encode(), hashlib.sha256).hex()[:8].upper()


def show(kind: Kind, content: Mapping[str, Any], decision: Telling, facts: Facts) -> dict[str, Any]:
    """Return the testimony as shown, without owner, revision and time."""
    allowed = decision.allowed
    record = plain.fields(kind, plain.without(content, decision.hidden))
    named = record["places"]
    record["places"] = coarsen.places(named, allowed.place, decision.hidden, facts)
    exact = allowed.place == coarsen.EXACT
    record["geometry"] = coarsen.geometry(record["places"], facts) if exact else None
    for name in ("date", "given"):
        text = coarsen.date(content[name], allowed.date)
        record[name] = edtf.shown(text) if text is not None else None
    record["witness"] = _witness(content["witness"], decision)
    for name in ("title", "summary", "own_words"):
        record[name] = text_for(content[name], allowed.text)
    if allowed.content < FULL:
        record["own_words"] = record["full_text"] = None
    if not allowed.whole:
        # Free text that nobody marked for this audience may say what is coarsened here.
        record["full_text"] = None
        for name in ("setting", "note", "transcription_note", "given_place", "medium"):
            record[name] = None
        record["citations"] = []
    record["reliability_note"] = reliability(content, allowed.whole)
    if record["title"] is None:
        record["title"] = _title(record, content, allowed)
    return record


def _title(record: Mapping[str, Any], content: Mapping[str, Any], allowed: Decision) -> dict[str, str]:
    when = coarsen.date(content["date"], allowed.date)
    return coarsen.title("Account", record["violations"], record["places"], when)


def reliability(content: Mapping[str, Any], whole: bool) -> Any:
    """Return the reliability note of a testimony; where its words may say too much, the fact that there is one."""
    note = content["reliability_note"]
    return note if note is None or whole else WITHHELD_NOTE


def text_for(texts: Mapping[str, Any] | None, audience: str) -> Any:
    """Return the text that a person marked fit for an audience, or None."""
    return None if texts is None else texts.get(audience)


def _witness(witness: Mapping[str, Any], decision: Telling) -> dict[str, Any]:
    allowed = decision.allowed
    left = coarsen.date(witness["left"], allowed.date)
    shown = {
        "designation": witness["designation"],
        "form": witness["form"],
        "role": witness["role"] if allowed.whole else None,
        "person": None if witness["person"] in decision.hidden else witness["person"],
        "left": edtf.shown(left) if left is not None else None,
    }
    if allowed.identity == PSEUDONYM:
        return shown | {"designation": {"en": decision.pseudonym}, "form": "pseudonym", "role": None, "person": None}
    if allowed.identity == WITHHELD:
        return shown | {"designation": None, "form": "withheld", "role": None, "person": None}
    return shown
