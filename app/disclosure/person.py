"""What a view is shown of a person: a name only where that person allowed it, or a source published it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.disclosure import coarsen, plain
from app.disclosure.consent import IDENTITY, Decision
from app.disclosure.consent import decide as consented
from app.disclosure.testimony import text_for
from app.disclosure.view import Facts, View
from app.records.kind import Kind
from app.vocabulary import edtf

NAMED = IDENTITY.index("named")


@dataclass(frozen=True, slots=True)
class Likeness:
    """The decision about a person: how much, and the ids that stay hidden."""

    allowed: Decision
    hidden: frozenset[str]


def decide(
    content: Mapping[str, Any],
    named: Iterable[str],
    view: View,
    facts: Facts,
    expired: bool,
    owner: str | None = None,
) -> Likeness | None:
    """Decide what a view is shown of a person; None: nothing."""
    allowed = consented(content, view, expired, owner)
    if allowed is None:
        return None
    hidden = plain.hidden_among(named, view, facts)
    shown = content["consent"] or view.owns(owner) or plain.is_published(content, hidden)
    return Likeness(allowed, hidden) if shown else None


def show(kind: Kind, content: Mapping[str, Any], decision: Likeness, facts: Facts) -> dict[str, Any]:
    """Return the person as shown, without owner, revision and time."""
    allowed = decision.allowed
    record = plain.fields(kind, plain.without(content, decision.hidden))
    if allowed.identity < NAMED:
        record["name"] = None
    if record["home_province"] is not None:
        found = coarsen.places([record["home_province"]], allowed.place, decision.hidden, facts)
        record["home_province"] = found[0] if found else None
    left = coarsen.date(content["left"], allowed.date)
    record["left"] = edtf.shown(left) if left is not None else None
    record["description"] = text_for(content["description"], allowed.text)
    if not allowed.whole:
        record["note"] = None
        record["citations"] = []
    return record
