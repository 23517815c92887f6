"""The projection: one revision and one view in, what that view is shown out, or nothing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.disclosure import coarsen, incident, person, plain, testimony
from app.disclosure.reasons import SILENCE, Silence
from app.disclosure.view import Account, Facts, View, lineage
from app.records import BY_NAME
from app.records.kind import Kind, Walk, walk
from app.vocabulary.edtf import UNDATED, UNDATED_BOUNDS, Bounds, bounds

__all__ = ["FILES_OTHERS", "Account", "Facts", "Shown", "View", "decide", "show"]

# Kinds of record from which it follows what others are filed under (`_terms`): when one of these changes, a record may
# come to other terms with no change of its own.
FILES_OTHERS = frozenset({"violation", "place", "crime"})

Decision = Any  # one of the frozen decisions of this package: equal decisions show equal things


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view is shown of one record: the record, and what it is filed under."""

    record: dict[str, Any]
    terms: tuple[tuple[str, str], ...]
    bounds: Bounds
    given: tuple[int, int]
    left: tuple[int, int]
    corroboration: int
    boxes: tuple[tuple[float, float, float, float], ...]


def decide(
    kind: Kind,
    content: Mapping[str, Any],
    named: Collection[str],
    view: View,
    facts: Facts,
    *,
    state: str,
    secret: bytes,
    owner: str | None = None,
    say: Silence = SILENCE,
) -> Decision | None:
    """Return the decision about one record for one view, or None where the view is not to know that there is one.

    `named` are the ids of the records that the content names, `state` is the record's in the vault. Two views with
    equal decisions are shown the same bytes, so a record is rendered once for each decision; `say` is told why.
    """
    if state in ("retracted", "withdrawn", "erased", "merged"):
        say(state)
        return None
    expired = state == "expired"
    match kind.name:
        case "testimony":
            return testimony.decide(content, named, view, facts, expired, secret, owner, say)
        case "incident":
            return incident.decide(content, named, view, facts, owner, say)
        case "person":
            return person.decide(content, named, view, facts, expired, owner, say)
        case "link":
            return plain.decide_link(content, named, view, facts, owner, say)
        case _:
            return plain.decide(content, named, view, facts, owner, say)


Carrying = Callable[[Kind, Mapping[str, Any], Any, Facts, Silence], dict[str, Any]]


def is_alike(content: Mapping[str, Any]) -> bool:
    """Tell whether every view that is shown all that a record names, and what stands above that, is shown it alike.

    Every view but an organisation's own, that is.

    So it is where nothing depends on who asks: no consent, no mark, and no testimony or person whose consent has a say.
    """
    return (
        content.get("disclosure_basis", "published") == "published"
        and not content.get("protection")
        and not content.get("restricted")
        and not content.get("testimonies")
        and not content.get("contradicted_by")
        and not content.get("same_witness")
        and not (content.get("witness") or {}).get("person")
        and not any(act["people"] for act in content.get("acts") or ())
        and not any((content.get(end) or "").startswith("per-") for end in ("from", "to"))
        and content.get("type") != "natural-person"
    )


_SHOW: dict[str, Carrying] = {
    "testimony": testimony.show,
    "incident": incident.show,
    "person": person.show,
}


def show(
    kind: Kind, content: Mapping[str, Any], decision: Decision, owner: str, facts: Facts, say: Silence = SILENCE
) -> Shown:
    """Carry out a decision: the record as shown, and its terms, bounds and boxes, worked out from what is shown."""
    carry_out: Carrying = _SHOW.get(kind.name, plain.show)
    record = carry_out(kind, content, decision, facts, say)
    record["owner"] = owner
    given, left = record.get("given"), record.get("left") or (record.get("witness") or {}).get("left")
    return Shown(
        record,
        tuple(dict.fromkeys([*_terms(kind, record, decision.hidden, facts), *_beside(decision)])),
        _bounds(record.get("date")) if kind.date else UNDATED_BOUNDS,
        _ends(given),
        _ends(left),
        record.get("corroboration", 0),
        coarsen.boxes(record.get("geometry")),
    )


def _bounds(date: Mapping[str, Any] | None) -> Bounds:
    return UNDATED_BOUNDS if date is None else bounds(date["edtf"])


def _ends(date: Mapping[str, Any] | None) -> tuple[int, int]:
    if date is None:
        return UNDATED, UNDATED
    found = bounds(date["edtf"])
    return found.s0, found.e1


def _terms(kind: Kind, record: Mapping[str, Any], hidden: frozenset[str], facts: Facts) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for facet, find in _finders(kind.name):
        values = find(record)
        if facet in ("violation", "place"):
            values = [above for value in values for above in lineage(value, hidden, facts)]
        found += [(facet, value) for value in values]
        if facet == "violation":
            found += [("crime", crime) for value in values for crime in facts.crimes(value)]
        elif facet == "place" and not values:
            found.append(("unlocated", "place"))
    if kind.geometry and record.get("geometry") is None:
        found.append(("unlocated", "geometry"))
    found.append(("owner", record["owner"]))
    return found


def _beside(decision: Decision) -> list[tuple[str, str]]:
    """Return what a record is filed under that it does not say, and that no filter knows."""
    return [person.LINKABLE] if isinstance(decision, person.Likeness) and decision.linkable else []


@lru_cache(64)
def _finders(name: str) -> tuple[tuple[str, Walk], ...]:
    return tuple((facet, walk(path)) for facet, path in BY_NAME[name].facets.items())
