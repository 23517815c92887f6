"""Gathering: columns read in one snapshot of the database, whole, or what changed since an earlier generation."""

from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, Select, SmallInteger, String, Table, bindparam, select, tuple_

from app.catalogue.columns import BYTES, PACKED, Columns, Filling
from app.catalogue.query import rounded
from app.catalogue.tables import POSTING, ROW
from app.core.db import Database, Prepared, Rows, Snapshot
from app.core.ids import k_of
from app.disclosure.project import FILES_OTHERS
from app.vault.tables import DISCLOSED
from app.vocabulary.edtf import UNDATED

CHUNK = 8_192  # rows that the database packs at once
AT_ONCE = 256  # changed rows read by one statement


class Key(NamedTuple):
    """Which rows: of a view and kind, all (no term) or those that have a term."""

    view: int
    kind: str
    term: int | None = None


def _view() -> Any:
    return bindparam("view", type_=SmallInteger)


def _packed(database: Database, table: Table, term: bool) -> Prepared:
    """Some rows of a kind or term, behind a place in the order of dates, as one value."""
    c = table.c
    whose = c.term == bindparam("term", type_=BigInteger) if term else c.kind == bindparam("kind", type_=String)
    place = tuple_(bindparam("after", type_=Integer), bindparam("after_k", type_=BigInteger))
    columns = [c[name] for name in PACKED.names or ()]
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

    def __init__(self, database: Database) -> None:
        """Compile the statements."""
        self._of_kind = _packed(database, ROW, term=False)
        self._of_term = _packed(database, POSTING, term=True)
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

    async def since(self, snapshot: Snapshot, key: Key, columns: Columns, generation: int, most: int) -> Columns | None:
        """Bring columns forward to the generation of the snapshot, if there are at most so many changes in between.

        Returns:
            None where they have to be read anew: there are more changes, the history has a gap, or a record changed
            that others are filed under, so that rows may have come to a term with no change of their own.
        """
        if generation - columns.generation > most:
            return None
        between = {"view": key.view, "after": columns.generation, "upto": generation, "limit": most + 1}
        changes = await snapshot.all(self._changes, between)
        if len(changes) != generation - columns.generation:
            return None
        if key.term is not None and not FILES_OTHERS.isdisjoint(kind for _, kind in changes):
            return None
        changed = await snapshot.work(partial(_keys, changes, key.kind))
        rows: list[tuple[int, ...]] = []
        for start in range(0, len(changed), AT_ONCE):
            some = rounded(changed[start : start + AT_ONCE])
            some += some[-1:] * (AT_ONCE - len(some))
            values = {"view": key.view, **{f"k{i}": k for i, k in enumerate(some)}}
            found = await snapshot.all(self._rows, values)
            rows += [row[:5] for row in found if key.term is None or _has(row[5], key.term)]
        return await snapshot.work(partial(columns.forward, generation, changed, rows))


def _keys(changes: Rows, kind: str) -> list[int]:
    """Return k of the records of a kind among changes, rising."""
    return sorted({k_of(id) for id, one in changes if one == kind})


def _has(terms: bytes, term: int) -> bool:
    """Tell whether a term is among those of a row."""
    return term.to_bytes(6, "big") in {terms[start : start + 6] for start in range(0, len(terms), 6)}
