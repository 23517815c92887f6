"""What a view is shown of a person: a name only where that person allowed it, or a source published it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.disclosure import coarsen, plain
from app.disclosure.consent import IDENTITY, PLACE, Decision, allows_linkage
from app.disclosure.consent import decide as consented
from app.disclosure.reasons import SILENCE, Silence, hold_back
from app.disclosure.testimony import dated, marked
from app.disclosure.view import Facts, View
from app.records.kind import Kind

NAMED = IDENTITY.index("named")
LINKABLE = ("linkage", "yes")  # what a person is filed under who allowed it: nothing that a filter knows


@dataclass(frozen=True, slots=True)
class Likeness:
    """The decision about a person: how much, and the ids that stay hidden."""

    allowed: Decision
    hidden: frozenset[str]
    linkable: bool = False


def decide(
    content: Mapping[str, Any],
    named: Collection[str],
    view: View,
    facts: Facts,
    expired: bool,
    owner: str | None = None,
    say: Silence = SILENCE,
) -> Likeness | None:
    """Decide what a view is shown of a person; None: nothing."""
    allowed = consented(content, view, facts, expired, owner, say)
    if allowed is None:
        return None
    hidden = plain.hidden_among(named, view, facts, say)
    if not (content["consent"] or view.owns(owner) or plain.is_published(content, hidden)):
        say("unpublished")
        return None
    return Likeness(allowed, hidden, allows_linkage(content, expired))


def show(
    kind: Kind, content: Mapping[str, Any], decision: Likeness, facts: Facts, say: Silence = SILENCE
) -> dict[str, Any]:
    """Return the person as shown, without owner, revision and time."""
    allowed = decision.allowed
    record = plain.fields(kind, plain.without(content, decision.hidden))
    if allowed.identity < NAMED:
        hold_back(record, ("name",), "withheld", say)
    if (home := record["home_province"]) is not None:
        found = coarsen.places([home], allowed.place, decision.hidden, facts)
        record["home_province"] = found[0] if found else None
        if record["home_province"] != home:
            say("coarsened", "home_province", level=PLACE[allowed.place])
    record["left"] = dated(content["left"], allowed.date, "left", say)
    record["description"] = marked(content, "description", allowed.text, say)
    if not allowed.whole:
        hold_back(record, ("note", "citations"), "not-whole", say)
    return record
