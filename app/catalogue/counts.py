"""Counts: the total of a list, and what dropped out of it and why; worked out once for a question and a generation."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from app.catalogue import when
from app.catalogue.columns import Columns
from app.catalogue.parameters import vocabulary
from app.catalogue.query import Queries
from app.catalogue.resolve import Resolved, Resolver
from app.catalogue.tally import Counted
from app.core.db import Snapshot
from app.records import Kind


class Counts(NamedTuple):
    """What is said of a whole list; None where it does not apply.

    `undated`: fit all that is not about time, and have no date. `matched`: fit all else (the side included), under each
    match. `boundary`: what `total` counts, or would without `side`, by side. `unlocated`: fit all that is not about
    places, and name no place (`place`) or have no geometry (`bbox`). `facets`: see `breakdown.py`.
    """

    total: int
    undated: int | None
    matched: dict[str, int] | None
    unlocated: int | None
    boundary: dict[str, int] | None
    facets: dict[str, Any] | None = None


async def count(
    snapshot: Snapshot, queries: Queries, resolver: Resolver, found: Resolved, columns: Columns | None
) -> Counts:
    """Count what a question finds: in its columns where they are in memory, else by statements."""
    asked = found.asked
    if not (asked.when.asks or asked.when.boundary) and (total := _known(found)) is not None:
        undated = await _undated(snapshot, queries, found, columns) if asked.kind.date else None
        return Counts(total, undated, None, await _unlocated(snapshot, queries, resolver, found), None)
    main = await _counted(snapshot, queries, found, columns)
    undated = await _undated(snapshot, queries, found, columns) if asked.when.asks else main.undated
    sides = (main.before, main.after, main.straddling)
    loose = 0 if asked.when.asks else main.undated
    return Counts(
        total=main.total,
        undated=undated if asked.kind.date else None,
        matched={match: getattr(main, match) for match in when.MATCHES} if asked.when.asks else None,
        unlocated=await _unlocated(snapshot, queries, resolver, found),
        boundary=dict(zip(when.SIDES, (*sides, main.sides - sum(sides) - loose, loose), strict=True))
        if asked.when.boundary
        else None,
    )


def _known(found: Resolved) -> int | None:
    """Return the total where it is counted already: of a kind, and of one term."""
    if found.nothing:
        return 0
    return None if found.plain is None else found.plain.n


async def _counted(snapshot: Snapshot, queries: Queries, found: Resolved, columns: Columns | None) -> Counted:
    if found.nothing:
        return Counted(*[0] * len(Counted._fields))
    if columns is not None:
        return await snapshot.work(partial(columns.tally, found.asked.when, found.days))
    question = found.question()
    row = await snapshot.one(queries.counts(question.form), question.values)
    return Counted(*row) if row else Counted(*[0] * len(Counted._fields))


async def _undated(snapshot: Snapshot, queries: Queries, found: Resolved, columns: Columns | None) -> int:
    if found.nothing:
        return 0
    if columns is not None:
        return columns.undated
    question = found.question(timeless=True)
    row = await snapshot.one(queries.undated(question.form), question.values)
    return int(row[0]) if row else 0


async def _unlocated(snapshot: Snapshot, queries: Queries, resolver: Resolver, found: Resolved) -> int | None:
    """Return how many were left out for want of a place or a geometry alone."""
    given, kind = found.asked.given, found.asked.kind
    if "bbox" in given:
        total = await _lacking(snapshot, queries, resolver, found, "geometry", ("bbox",))
        if "place" in given:
            total += await _lacking(snapshot, queries, resolver, found, "place", ("bbox", "place"))
        return total
    if "place" in given and "place" in kind.facets:
        return await _lacking(snapshot, queries, resolver, found, "place", ("place",))
    return None


async def _lacking(
    snapshot: Snapshot, queries: Queries, resolver: Resolver, found: Resolved, what: str, without: Sequence[str]
) -> int:
    lacking = await resolver.terms("unlocated", [("unlocated", what)], found.asked.kind.name)
    if any((not one.values or one.n == 0) for one in (lacking, *found.filters) if one.name not in without):
        return 0
    question = found.question(without=without, more=[lacking])
    row = await snapshot.one(queries.counts(question.form), question.values)
    return int(row[0]) if row else 0


def describes(found: Resolved, belongs: str) -> str:
    """Return the question in words; `belongs` says to which record the list belongs, if it belongs to one."""
    asked = found.asked
    known = vocabulary(asked.kind)
    clauses = [belongs] if belongs else []
    clauses += when.words({name: values for name, values in asked.given.items() if known[name].role == "time"})
    clauses += [known[name].said(values) for name, values in asked.given.items() if known[name].role == "filter"]
    return f"{asked.kind.title} {', '.join(clauses)}" if clauses else f"All {_lower(asked.kind)}"


def meta_of_ids(kind: Kind, identifier: str) -> dict[str, Any]:
    """Return what is said of the list of one dated or undatable record, asked for by its id."""
    words = f"{kind.title} {vocabulary(kind)['ids'].said((identifier,))}"
    return meta(Counts(1, 0 if kind.date else None, None, None, None), words)


def _lower(kind: Kind) -> str:
    return kind.title[:1].lower() + kind.title[1:]


def meta(counts: Counts, words: str) -> dict[str, Any]:
    """Return the member `meta` of a list."""
    stated = {name: value for name, value in counts._asdict().items() if name != "total" and value is not None}
    return {"describes": words, **stated}
