"""Breakdown: how many records of what a question lists have each value of facets; in columns, else by statements."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.catalogue import facets
from app.catalogue.classes import Classes
from app.catalogue.columns import Columns
from app.catalogue.facets import NO_YEAR, YEARS, Found, Years
from app.catalogue.parameters import vocabulary
from app.catalogue.query import Queries
from app.catalogue.resolve import Resolved
from app.catalogue.shelf import YEAR, Shelf
from app.core.db import Snapshot
from app.vocabulary.edtf import UNDATED

Cells = dict[tuple[str | None, ...], int]  # the value of each facet (None: no date) -> how many records


async def facets_of(
    snapshot: Snapshot, queries: Queries, shelf: Shelf, generation: int, found: Resolved
) -> dict[str, Any]:
    """Return the facets that are asked for, each counted without the filter of its own name."""
    known, limit = vocabulary(found.asked.kind), found.asked.facet_limit
    wanted = {name: YEAR if name in YEARS else str(known[name].facet) for name in found.asked.facets}
    filters = {name: found.terms(name) for name in wanted}
    counting: list[str] = []  # those that columns are counted for
    for name, terms in filters.items():
        if terms and not found.finds_nothing(name):
            counting.append(name)
    whole = None
    if counting:
        needed = [facet for name in counting for facet, _ in filters[name] or ()]
        whole = await shelf.whole(snapshot, generation, found, [*needed, *[wanted[name] for name in counting]])
    told: dict[str, Any] = {}
    if whole is not None:
        told = await snapshot.work(partial(_in_columns, whole, found, {name: filters[name] or [] for name in counting}))
    for name in wanted:
        if name not in told:
            cells = await cells_of(snapshot, queries, shelf, generation, found, (name,), name)
            undated = cells.pop((None,), 0) if name in YEARS else None
            counts = np.fromiter(cells.values(), np.int64, len(cells))
            told[name] = facets.told(Found([str(key[0]) for key in cells], counts, undated), limit)
    return {name: told[name] for name in wanted}


def _in_columns(
    columns: Columns, found: Resolved, filters: Mapping[str, Sequence[tuple[str, Sequence[int]]]]
) -> dict[str, Any]:
    """Return facets as they are told, by their names; those with the same filters share what these find."""
    known, asked = vocabulary(found.asked.kind), found.asked
    listed: dict[str, NDArray[Any] | None] = {}
    told: dict[str, Any] = {}
    for name, terms in filters.items():
        key = repr(terms)
        if key not in listed:
            listed[key] = columns.listed(terms, asked.when, found.days)
        at = listed[key]
        if name in YEARS:
            one = _years(columns, at, YEARS[name])
        else:
            axis = columns.facets[str(known[name].facet)]
            rows = axis.rows if at is None else axis.rows[at]
            one = Found(axis.values, axis.spread(np.bincount(rows, minlength=len(axis.members))))
        told[name] = facets.told(one, asked.facet_limit)
    return told


def _years(columns: Columns, at: NDArray[Any] | None, step: int) -> Found:
    """Return in how many of some rows' dates each year, or decade, may lie."""
    assert columns.years is not None  # noqa: S101 - they were asked for
    first, last = columns.years if at is None else (one[at] for one in columns.years)
    dated = first != NO_YEAR
    some = int(np.count_nonzero(dated))
    if some < len(first):
        first, last, undated = first[dated], last[dated], len(first) - some
    else:
        undated = 0
    years = Years.of(first, last, step)
    begins, ends = (np.bincount(one, minlength=years.size) for one in (years.begin, years.end))
    return Found(years.names, years.counted(begins, ends), undated)


async def cells_of(
    snapshot: Snapshot,
    queries: Queries,
    shelf: Shelf,
    generation: int,
    found: Resolved,
    names: Sequence[str],
    without: str | None = None,
) -> Cells:
    """Return how many records have each combination of the values of facets: one or two, and one of them of the date.

    Args:
        snapshot: where to count.
        queries: the statements.
        shelf: where columns may be.
        generation: of the view, in this snapshot.
        found: the question.
        names: the facets.
        without: the filter that is left out.
    """
    if found.finds_nothing(without):
        return {}
    known = vocabulary(found.asked.kind)
    terms = found.terms(without)
    filed = [str(known[name].facet) for name in names if name not in YEARS]
    if filed and terms is not None and not terms and len(names) == 1 and not found.asked.when.bounded:
        about = {"view": found.view, "kind": found.asked.kind.name, "facet": filed[0]}
        return {(value,): n for _, value, n in await snapshot.all(queries.terms, about)}
    if terms is not None:
        wanted = [*(facet for facet, _ in terms), *filed, *([YEAR] if len(filed) < len(names) else [])]
        whole = await shelf.whole(snapshot, generation, found, wanted)
        if whole is not None:
            counting = partial(
                in_columns, whole, found, terms, [known[n].facet if n not in YEARS else n for n in names]
            )
            cells = await snapshot.work(counting)
            if cells is not None:
                return cells
    return await _by_statement(snapshot, queries, found, names, filed, without)


async def _by_statement(
    snapshot: Snapshot, queries: Queries, found: Resolved, names: Sequence[str], filed: list[str], without: str | None
) -> Cells:
    question = found.question(without=() if without is None else (without,))
    values = question.values | {f"facet{i}": facet for i, facet in enumerate(filed)}
    spans = len(filed) < len(names)
    rows = await snapshot.all(queries.groups(question.form, len(filed), spans), values)
    if not spans:
        return {tuple(row[:-1]): row[-1] for row in rows}
    return await snapshot.work(partial(_spread, rows, names))


def _spread(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> Cells:
    """Return the cells of values and years from those of values, first and last days."""
    where = next(i for i, name in enumerate(names) if name in YEARS)
    labels = list(dict.fromkeys(row[:-3] for row in rows))
    index = {label: i for i, label in enumerate(labels)}
    dated = [(index[row[:-3]], *row[-3:]) for row in rows if row[-3] != UNDATED]
    group, s0, e1, n = np.array(dated, np.int64).reshape(-1, 4).T
    years = Years.of(facets.years_of(s0), facets.years_of(e1), YEARS[names[where]])
    shape = len(labels), years.size
    begins, ends = (np.bincount(group * years.size + one, n, shape[0] * shape[1]) for one in (years.begin, years.end))
    cells = _named(years.counted(begins.reshape(shape), ends.reshape(shape)), labels, years.names, where)
    return cells | {_with(row[:-3], where, None): row[-1] for row in rows if row[-3] == UNDATED}


def _named(counts: NDArray[Any], labels: Sequence[tuple[str, ...]], years: Sequence[str], where: int) -> Cells:
    """Return the cells of a table: labels down, years across."""
    down, across = np.nonzero(counts)
    found = zip(down.tolist(), across.tolist(), counts[down, across].tolist(), strict=True)
    if where == 0:
        return {(years[j], *labels[i]): n for i, j, n in found}
    return {(*labels[i], years[j]): n for i, j, n in found}


def _with(label: tuple[str, ...], where: int, year: str | None) -> tuple[str | None, ...]:
    return (*label[:where], year, *label[where:])


def in_columns(
    columns: Columns, found: Resolved, terms: Sequence[tuple[str, Sequence[int]]], names: Sequence[Any]
) -> Cells | None:
    """Return the cells; None: there would be too many numbers on the way."""
    at = columns.listed(terms, found.asked.when, found.days)
    axes = [columns.facets[name] for name in names if name not in YEARS]
    where = next((i for i, name in enumerate(names) if name in YEARS), None)
    classes = [one.rows if at is None else one.rows[at] for one in axes]
    try:
        if where is not None:
            return _by_year(columns, at, axes, classes, where, YEARS[names[where]])
        if len(axes) == 1:
            counts = axes[0].spread(np.bincount(classes[0], minlength=len(axes[0].members)))
            return {(axes[0].values[i],): n for i, n in enumerate(counts.tolist()) if n}
        table = axes[0].table(classes[0], classes[1].astype(np.int64), len(axes[1].members))
        table = axes[1].spread(table.T).T
        return _named(table, [(value,) for value in axes[0].values], axes[1].values, 1)
    except OverflowError:
        return None


def _by_year(
    columns: Columns, at: Any, axes: Sequence[Classes], classes: Sequence[NDArray[Any]], where: int, step: int
) -> Cells:
    if not axes:
        found = _years(columns, at, step)
        cells = _named(found.counts[None], [()], found.values, where)
        return cells | ({(None,): found.undated} if found.undated else {})
    assert columns.years is not None  # noqa: S101 - they were asked for
    first, last = columns.years if at is None else (one[at] for one in columns.years)
    undated = first == NO_YEAR
    some = int(np.count_nonzero(undated))
    inside, counted = classes, ~undated
    for axis, one in zip(axes, classes, strict=True):
        counted &= axis.filed(
            one
        )  # a record that has no value is in no group, and says nothing of which years there are
    if not counted.all():
        first, last, inside = first[counted], last[counted], [one[counted] for one in classes]
    years = Years.of(first, last, step)
    (axis,) = axes
    begins, ends = (axis.table(inside[0], one, years.size) for one in (years.begin, years.end))
    cells = _named(years.counted(begins, ends), [(value,) for value in axis.values], years.names, where)
    if some:
        without = axis.spread(np.bincount(classes[0][undated], minlength=len(axis.members))).tolist()
        cells |= {_with((axis.values[i],), where, None): n for i, n in enumerate(without) if n}
    return cells
