"""Gathering: columns read in one snapshot of the database, whole, or what changed since an earlier generation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Integer, Select, SmallInteger, String, Table, bindparam, select, tuple_

from app.catalogue.classes import Classes, Codes, Sorting
from app.catalogue.columns import BYTES, PACKED, Columns, Filling
from app.catalogue.query import Queries, rounded
from app.catalogue.tables import POSTING, ROW
from app.core.db import Database, Prepared, Rows, Snapshot
from app.core.ids import k_of
from app.disclosure.project import FILES_OTHERS
from app.vault.tables import DISCLOSED
from app.vocabulary.edtf import UNDATED

CHUNK = 8_192  # rows that the database packs at once
TERMS = 20_000  # values of a facet that is kept in memory
PLACED = np.dtype([("k", ">i8"), ("s0", ">i4")])
AT_ONCE = 256  # changed rows read by one statement


class Key(NamedTuple):
    """Which rows: of a view and kind, all (no term) or those that have a term."""

    view: int
    kind: str
    term: int | None = None
    facet: str | None = None  # what of all rows is wanted besides: a facet, or "year"

    @property
    def whose(self) -> "Key":
        """The key of the columns themselves."""
        return self._replace(facet=None)


def _view() -> Any:
    return bindparam("view", type_=SmallInteger)


def _packed(database: Database, table: Table, term: bool, names: Sequence[str] = PACKED.names or ()) -> Prepared:
    """Some rows of a kind or term, behind a place in the order of dates, as one value."""
    c = table.c
    whose = c.term == bindparam("term", type_=BigInteger) if term else c.kind == bindparam("kind", type_=String)
    place = tuple_(bindparam("after", type_=Integer), bindparam("after_k", type_=BigInteger))
    columns = [c[name] for name in names]
    some = select(*columns).where(c.view == _view(), whose, tuple_(c.s0, c.k) > place).order_by(c.s0, c.k)
    chunk = some.limit(bindparam("limit", type_=Integer)).subquery()
    return database.prepare(select(database.packed(list(chunk.c))))


def _changes() -> "Select[Any]":
    """The changes of what a view is shown between two generations: id, kind."""
    c = DISCLOSED.c
    after = c.seq > bindparam("after", type_=BigInteger)
    upto = c.seq <= bindparam("upto", type_=BigInteger)
    return select(c.id, c.kind).where(c.view == _view(), after, upto).limit(bindparam("limit", type_=Integer))


def _rows() -> "Select[Any]":
    """Some rows as they are now: k, bounds, terms."""
    c = ROW.c
    some = c.k.in_([bindparam(f"k{i}", type_=BigInteger) for i in range(AT_ONCE)])
    return select(c.k, c.s0, c.s1, c.e0, c.e1, c.terms).where(c.view == _view(), some)


class Gather:
    """Reads columns."""

    def __init__(self, database: Database, queries: Queries) -> None:
        """Compile the statements."""
        self._terms = queries.terms
        self._of_kind = _packed(database, ROW, term=False)
        self._of_term = _packed(database, POSTING, term=True)
        self._places = _packed(database, POSTING, term=True, names=PLACED.names or ())
        self._changes = database.prepare(_changes())
        self._rows = database.prepare(_rows())

    async def whole(self, snapshot: Snapshot, key: Key, generation: int, n: int) -> Columns:
        """Read all rows, of which there are n; the snapshot has to be of that generation.

        Raises:
            ValueError: there are more.
        """
        statement = self._of_kind if key.term is None else self._of_term
        values = {"view": key.view, "kind": key.kind, "term": key.term, "limit": CHUNK}
        values |= {"after": UNDATED - 1, "after_k": 0}
        filling, size = Filling(n), CHUNK * BYTES
        while size == CHUNK * BYTES:
            row = await snapshot.one(statement, values)
            packed: bytes = (row[0] if row is not None else None) or b""
            size = len(packed)
            if packed:
                values["after"], values["after_k"] = filling.add(packed)
        return await snapshot.work(partial(filling.columns, generation))

    async def classes(self, snapshot: Snapshot, key: Key, columns: Columns) -> Classes | None:
        """Read the values of a facet of all rows of a kind; the snapshot has to be of the generation of their columns.

        Returns:
            None where there are too many values, or too many classes.
        """
        terms = await self._terms_of(snapshot, key, str(key.facet))
        if len(terms) > TERMS:
            return None
        sorting = Sorting(len(columns))
        try:
            for term, value, n in terms:
                at = columns.place(await self._having(snapshot, key, term))
                if len(at) != n:
                    raise ValueError("a term has another number of rows than were counted")
                await snapshot.work(partial(sorting.add, term, value, at))
            return await snapshot.work(sorting.classes)
        except OverflowError:
            return None

    async def _terms_of(self, snapshot: Snapshot, key: Key, facet: str) -> Rows:
        """Return the values of a facet in a fixed order: term, value, number of rows."""
        return sorted(await snapshot.all(self._terms, {"view": key.view, "kind": key.kind, "facet": facet}))

    async def _having(self, snapshot: Snapshot, key: Key, term: int) -> NDArray[np.int64]:
        """Return the k of the rows that have a term."""
        values = {"view": key.view, "term": term, "limit": CHUNK, "after": UNDATED - 1, "after_k": 0}
        found: list[NDArray[np.int64]] = []
        size = CHUNK
        while size == CHUNK:
            row = await snapshot.one(self._places, values)
            rows = np.frombuffer((row[0] if row is not None else None) or b"", PLACED)
            size = len(rows)
            if size:
                s0 = rows["s0"].max()
                values["after"], values["after_k"] = int(s0), int(rows["k"][rows["s0"] == s0].max())
                found.append(rows["k"].astype(np.int64))
        return np.concatenate(found) if found else np.empty(0, np.int64)

    async def since(self, snapshot: Snapshot, key: Key, columns: Columns, generation: int, most: int) -> Columns | None:
        """Bring columns forward to the generation of the snapshot, if there are at most so many changes in between.

        Returns:
            None where they have to be read anew: there are more changes, the history has a gap, or a record changed
            that others are filed under, so that rows may have come to a term with no change of their own. Then, and
            where its values do not add up, a facet alone is left out of what goes on.
        """
        if generation - columns.generation > most:
            return None
        between = {"view": key.view, "after": columns.generation, "upto": generation, "limit": most + 1}
        changes = await snapshot.all(self._changes, between)
        if len(changes) != generation - columns.generation:
            return None
        refiled = not FILES_OTHERS.isdisjoint(kind for _, kind in changes)
        if key.term is not None and refiled:
            return None
        changed = await snapshot.work(partial(_keys, changes, key.kind))
        rows: Rows = []
        for start in range(0, len(changed), AT_ONCE):
            some = rounded(changed[start : start + AT_ONCE])
            some += some[-1:] * (AT_ONCE - len(some))
            values = {"view": key.view, **{f"k{i}": k for i, k in enumerate(some)}}
            found = await snapshot.all(self._rows, values)
            rows += [row for row in found if key.term is None or _has(row[5], key.term)]
        filed: dict[str, tuple[Classes, Mapping[int, Codes]]] = {}
        counted: dict[str, dict[int, int]] = {}
        for facet, classes in () if refiled else columns.facets.items():
            terms = await self._terms_of(snapshot, key, facet)
            classes = classes.more([(term, value) for term, value, _ in terms])
            filed[facet] = classes, {k: _codes(packed, classes.codes) for k, *_, packed in rows}
            counted[facet] = {term: n for term, _, n in terms}
        dates = [row[:5] for row in rows]
        return await snapshot.work(lambda: _true(columns.forward(generation, changed, dates, filed), counted))


def _keys(changes: Rows, kind: str) -> list[int]:
    """Return k of the records of a kind among changes, rising."""
    return sorted({k_of(id) for id, one in changes if one == kind})


def _true(columns: Columns, counted: Mapping[str, Mapping[int, int]]) -> Columns:
    """Return columns with those facets alone whose values as many rows have as the database has counted."""
    right = {name: one for name, one in columns.facets.items() if one.totals() == counted[name]}
    return replace(columns, facets=right)


def _codes(terms: bytes, codes: Mapping[int, int]) -> Codes:
    numbers = (int.from_bytes(terms[start : start + 6], "big") for start in range(0, len(terms), 6))
    return tuple(sorted({codes[number] for number in numbers if number in codes}))


def _has(terms: bytes, term: int) -> bool:
    """Tell whether a term is among those of a row."""
    return term.to_bytes(6, "big") in {terms[start : start + 6] for start in range(0, len(terms), 6)}
