"""Records that are public unless marked, shown as they are, without what the view may not know of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.disclosure import coarsen
from app.disclosure.consent import unwilling
from app.disclosure.reasons import SILENCE, Silence
from app.disclosure.view import Facts, View
from app.records import BY_NAME
from app.records.kind import Kind
from app.vocabulary import edtf

NOTHING: frozenset[str] = frozenset()
# Kinds of record that say where or when something happened.
HAPPENED = frozenset({"testimony", "incident", "weapons-event", "statement", "period"})


@dataclass(frozen=True, slots=True)
class Plain:
    """The decision about such a record: the ids in it that the view is not shown."""

    hidden: frozenset[str]
    alleged: bool = False


def hidden_among(named: Collection[str], view: View, facts: Facts, say: Silence = SILENCE) -> frozenset[str]:
    """Return the ids of the records among these, and above them, that a view is not shown."""
    gone = [one for target in named for one in facts.lineage(target) if not facts.visible(view.id, one)]
    if not gone:
        return NOTHING
    hidden = frozenset(gone)
    for target in named:
        if not hidden.isdisjoint(facts.lineage(target)):
            say("reference" if target in hidden else "reference-above", record=target)
    return hidden


def is_published(content: Mapping[str, Any], hidden: frozenset[str]) -> bool:
    """Tell whether a record is published, by a document that has no record of its own or whose record is not hidden."""
    return content["disclosure_basis"] == "published" and any(
        one["source"] not in hidden for one in content["citations"]
    )


def decide(
    content: Mapping[str, Any],
    named: Collection[str],
    view: View,
    facts: Facts,
    owner: str | None = None,
    say: Silence = SILENCE,
) -> Plain | None:
    """Decide about a record that is public unless it is marked `restricted`, or names a natural person as perpetrator.

    A marked record is for mechanisms only. A natural person is for mechanisms only too, unless a source that this
    view is shown names that person in that role (DESIGN 4).
    """
    may_know = view.is_mechanism or view.owns(owner)
    if content.get("restricted") and not may_know:
        say("restricted")
        return None
    natural = content.get("type") == "natural-person"
    if natural and not may_know and not any(facts.visible(view.id, s) for s in content["named_in"]):
        say("accused")
        return None
    say("open")
    return Plain(hidden_among(named, view, facts, say), natural)


def decide_link(
    content: Mapping[str, Any],
    named: Collection[str],
    view: View,
    facts: Facts,
    owner: str | None = None,
    say: Silence = SILENCE,
) -> Plain | None:
    """Decide about a link: it is shown where both its ends and its source are, and a person at an end allows it.

    Whoever links a person of another organisation is told whether views that they do not read are shown the link. So
    that they learn no levels by it, that person has to allow all of place and date if it tells of either.
    """
    hidden = hidden_among(named, view, facts, say)
    ends = content["from"], content["to"]
    told, lost = _says(content, facts), False
    for end in ("from", "to"):
        if facts.kind_of(content[end]) == "person":
            fine = (coarsen.EXACT, coarsen.DAY) if any(told) and facts.owner_of(content[end]) != owner else told
            lost |= bool(unwilling([content[end]], *fine, view, facts, end, say))
    if not hidden.isdisjoint((*ends, content["source"])) or ends[0] == ends[1] or lost:
        say("loose")
        return None
    say("open")
    return Plain(hidden)


def _says(content: Mapping[str, Any], facts: Facts) -> tuple[int, int]:
    """Return how finely a link tells where and when; an end that happened somewhere is taken to tell all of it."""
    ends = [(end, facts.kind_of(end)) for end in (content["from"], content["to"])]
    if any(kind in HAPPENED for _, kind in ends):
        return coarsen.EXACT, coarsen.DAY
    return (
        max((coarsen.level_of_place(end, facts) for end, kind in ends if kind == "place"), default=0),
        coarsen.level_of(content["date"]) if content["date"] is not None else 0,
    )


def show(
    kind: Kind, content: Mapping[str, Any], decision: Plain, facts: Facts, say: Silence = SILENCE
) -> dict[str, Any]:
    """Return the record as shown, without owner, revision and time."""
    record = fields(kind, without(content, decision.hidden))
    if "alleged" in record:
        record["alleged"] = decision.alleged
    return record


@lru_cache(64)
def _shape(name: str) -> tuple[tuple[str, ...], frozenset[str], frozenset[str]]:
    kind = BY_NAME[name]
    tail = {"owner", "revision", "updated"}
    last = ("citations", "note")  # what a record is comes before what it rests on
    stated = [field.alias or own for own, field in kind.shown.model_fields.items() if own not in tail]
    names = tuple(sorted(stated, key=last.__contains__))
    tops = frozenset(path for path in kind.dates if "." not in path and "[]" not in path)
    return names, tops, frozenset(kind.dates) - tops


def fields(kind: Kind, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the shown model has of a content, in its order; dates with bounds, citations without addresses."""
    names, tops, deeper = _shape(kind.name)
    record: dict[str, Any] = {}
    for name in names:
        value = content.get(name)
        if name == "citations":
            value = citations(value or ())
        elif name in tops and value is not None:
            value = edtf.shown(value)
        record[name] = value
    for path in deeper:
        _expand(record, path.split("."))
    if kind.date is not None and kind.date != "date":
        record["date"] = edtf.shown(content[kind.date]) if content.get(kind.date) else None
    return record


def _expand(record: dict[str, Any], steps: list[str]) -> None:
    """Turn the EDTF texts at a path below the top into dates, in copies: contents are never touched."""
    name = steps[0].removesuffix("[]")
    value = record.get(name)
    if value is None:
        return
    if len(steps) == 1:
        record[name] = edtf.shown(value) if isinstance(value, str) else value
    elif steps[0].endswith("[]"):
        record[name] = [dict(item) for item in value]
        for item in record[name]:
            _expand(item, steps[1:])
            if "citations" in item:
                item["citations"] = citations(item["citations"])
    else:
        record[name] = dict(value)
        _expand(record[name], steps[1:])


def citations(stated: Any) -> list[dict[str, Any]]:
    """Return citations as shown: document, place, basis and source; where each was seen is for whoever checks."""
    return [
        {
            "symbol": one["symbol"],
            "paragraph": one["paragraph"],
            "basis": one["basis"],
            "source": one["source"],
            "supports": one["supports"],
        }
        for one in stated
    ]


def without(value: Any, hidden: frozenset[str]) -> Any:
    """Return a JSON value that names none of the hidden ids: a member that does is left out, a field is null."""
    if not hidden:
        return value
    if isinstance(value, Mapping):
        return {key: None if _is(item, hidden) else without(item, hidden) for key, item in value.items()}
    if isinstance(value, list):
        return [without(item, hidden) for item in value if not _is(item, hidden) and not _names(item, hidden)]
    return value


def _is(value: Any, hidden: frozenset[str]) -> bool:
    return isinstance(value, str) and value in hidden


def _names(value: Any, hidden: frozenset[str]) -> bool:
    return isinstance(value, Mapping) and any(_is(item, hidden) for item in value.values())
