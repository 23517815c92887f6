"""Hits: what a question with `q` finds, in the order asked for, worked out once in a generation and then only read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.catalogue.asked import Asked
from app.catalogue.columns import PACKED, Columns
from app.catalogue.cursor import Place
from app.catalogue.query import Queries, rounded
from app.catalogue.resolve import Resolved
from app.catalogue.shelf import Shelf
from app.catalogue.tally import conditions
from app.catalogue.when import Dates
from app.core.db import Rows, Snapshot
from app.search import score
from app.search.query import Query
from app.vocabulary.edtf import UNDATED

SORTS = ("date", "-date", "relevance")  # the orders that this has
MOST_SCORED = 10_000  # the newest of them, where there are more
AT_ONCE = 256
_LAST = 1 << 40  # after every day, and before every score: what is not scored lies below by its day


@dataclass(frozen=True)
class Hits:
    """Records in an order: what they are sorted by, and k, 8 bytes each."""

    values: NDArray[np.int64]
    ks: NDArray[np.int64]
    rising: bool = False

    @property
    def size(self) -> int:
        """How many bytes they take."""
        return 16 * len(self.ks)

    def after(self, place: Place | None, limit: int) -> list[tuple[int, int]]:
        """Return (value, k) of so many records behind a place."""
        start = 0
        if place is not None:
            value = _LAST if self.rising and place.value == UNDATED else int(place.value)
            keys = (self.values, self.ks) if self.rising else (-self.values, -self.ks)
            here = (value, place.k) if self.rising else (-value, -place.k)
            low = int(np.searchsorted(keys[0], here[0]))
            high = int(np.searchsorted(keys[0], here[0], "right"))
            start = low + int(np.searchsorted(keys[1][low:high], here[1], "right"))
        page = slice(start, start + limit)
        values = self.values[page].tolist()
        return [
            (UNDATED if value == _LAST else value, k) for value, k in zip(values, self.ks[page].tolist(), strict=True)
        ]


async def keys(snapshot: Snapshot, queries: Queries, view: int, query: Query) -> NDArray[np.int64]:
    """Return the keys of all records of a view that have what is looked for, rising; no row is read for it."""
    bound = {"view": view, "wanted": queries.wanted(query.wanted)}
    row = await snapshot.one(queries.found_keys(view), bound)
    packed = (row[0] if row is not None else None) or b""
    return await snapshot.work(lambda: np.sort(np.frombuffer(packed, ">i8").astype(np.int64)))


async def columns(snapshot: Snapshot, queries: Queries, shelf: Shelf, generation: int, found: Resolved) -> Columns:
    """Return all that a question finds, time aside, in the order of k.

    Where the columns of all that its other filters find are in memory, the index of texts alone is read.
    """
    query = found.asked.query
    if query is not None and not found.nothing:
        others = [one for one in found.filters if one.name != "q"]
        every = await shelf.columns(snapshot, generation, replace(found, filters=others))
        if every is not None:
            ks = await keys(snapshot, queries, found.view, query)
            return await snapshot.work(partial(every.among, ks))
    packed = b""
    if not found.nothing:
        question = found.question(timeless=True)
        row = await snapshot.one(queries.packed(question.form), question.values)
        packed = (row[0] if row is not None else None) or b""

    def made() -> Columns:
        rows = np.frombuffer(packed, PACKED)
        rows = rows[np.argsort(rows["k"])]
        dates = Dates(*(rows[name].astype(np.int32) for name in Dates._fields))
        return Columns(generation, rows["k"].astype(np.int64), dates)

    return await snapshot.work(made)


def in_order(columns: Columns, asked: Asked, days: dict[str, int]) -> Hits:
    """Return what of the columns a list has, in the order of its dates."""
    every, each = conditions(columns.dates, days.__getitem__, asked.when)
    here: Any = np.ones(len(columns), bool)
    for one in (every, *(each[0] or ())):
        here = here if one is None else here & one
    return by_date(columns.dates.s0[here], columns.k[here], asked.sort == "date")


def by_date(s0: NDArray[Any], ks: NDArray[np.int64], rising: bool) -> Hits:
    """Return records in the order of their first days, the undated ones last."""
    values = s0.astype(np.int64)
    if rising:
        values[values == UNDATED] = _LAST
    return by(values, ks, rising)


def by(values: NDArray[np.int64], ks: NDArray[np.int64], rising: bool) -> Hits:
    """Return records in the order of some values, equals by k."""
    order = np.lexsort((ks, values))
    order = order if rising else order[::-1]
    return Hits(values[order], ks[order], rising)


async def scored(snapshot: Snapshot, queries: Queries, view: int, hits: Hits, query: Query) -> Hits:
    """Return the newest hits in the order of their scores, then all others, the newest first.

    Args:
        snapshot: reads the texts.
        queries: the statements.
        view: whose counts the scores rest on.
        hits: all of them, the newest first.
        query: what was looked for.
    """
    words = sorted(score.terms_of(query) | {"", " "})
    some = rounded(words)
    bound = {"view": view, **{f"w{i}": word for i, word in enumerate(some)}}
    having = {word: n for word, n in await snapshot.all(queries.having(len(some)), bound)}
    give = score.scorer(query, score.Known(having.get("", 0), having.get(" ", 0), having))
    first, rest = hits.ks[:MOST_SCORED], slice(MOST_SCORED, None)
    scores: dict[int, int] = {}
    lying = np.sort(first)  # as the texts lie in the database
    for start in range(0, len(lying), AT_ONCE):
        texts = await read(snapshot, queries.texts, view, lying[start : start + AT_ONCE].tolist())
        scores.update(await snapshot.work(partial(_each, give, texts)))
    values = np.array([scores.get(k, 0) for k in first.tolist()], np.int64)
    order = np.lexsort((first, values))[::-1]
    return Hits(
        np.concatenate([values[order], hits.values[rest] - _LAST]), np.concatenate([first[order], hits.ks[rest]])
    )


def _each(give: Callable[[str], int], texts: Rows) -> dict[int, int]:
    return {k: give(text) for text, k in texts}


async def read(snapshot: Snapshot, statement: Any, view: int, ks: list[int]) -> Rows:
    """Return (what the statement reads …, k) of records by their keys, in the order of the database."""
    some = rounded(ks)
    return await snapshot.all(statement(len(some)), {"view": view, **{f"g0_{i}": k for i, k in enumerate(some)}})


async def bodies(snapshot: Snapshot, queries: Queries, view: int, page: list[tuple[int, int]]) -> Rows:
    """Return (body, value, k) of records in the order of a page."""
    if not page:
        return []
    found = {k: body for body, k in await read(snapshot, queries.bodies, view, [k for _, k in page])}
    return [(found[k], value, k) for value, k in page]
