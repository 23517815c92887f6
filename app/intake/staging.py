"""The staging table of a load: where in the spool each record stands, so that all is checked before any is applied.

It holds ids and positions, never content: what a killed load leaves behind says nothing of any witness.
"""

import asyncio
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    delete,
    func,
    literal,
    select,
    tuple_,
    update,
)

from app.core.db import PASSING, Database
from app.intake.order import RANK
from app.vault.keys import chunks

_METADATA = MetaData()
_STAGED = Table(
    "staged",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("file", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("tied", Boolean, nullable=False),
    Index("staged_order", "rank", "day", "file", "at"),
)
_FORESEEN = Table(
    "foreseen",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("views", Integer, nullable=False),
)
_NAMED = Table(
    "named",
    _METADATA,
    Column("target", String, primary_key=True),
    Column("allowed", String, primary_key=True),
    Column("record", String, primary_key=True),
    Column("file", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("path", String, nullable=False),
)


BY_DAY = ("day", "file", "at")  # records of one time lie together in the catalogue: fewer of its pages are touched
BY_ID = ("id",)


def _first(statement: "Select[Any]", connection: Connection) -> list[Any]:
    return list(connection.scalars(statement))


def _all(statement: "Select[Any]", connection: Connection) -> list[Any]:
    return list(connection.execute(statement))


class Staged(NamedTuple):
    """One record of a load: what it is and where it stands."""

    id: str
    kind: str
    rank: int
    day: int
    file: int
    line: int
    at: int  # where it begins in the spool
    size: int  # its bytes there
    tied: bool = False  # to others of its kind: not among those in order


class Named(NamedTuple):
    """One id that a record of the load names."""

    target: str
    allowed: str
    record: str
    file: int
    line: int
    path: str


class Staging:
    """The positions of one load, in a file of its own."""

    def __init__(self, folder: Path) -> None:
        """Make an empty staging table in a folder that goes away."""
        self._database = Database(f"sqlite:///{folder}/staging.db", PASSING)
        self._database.write(lambda connection: _METADATA.create_all(connection))

    def add(self, staged: Iterable[Staged]) -> dict[str, tuple[int, int]]:
        """Add records; return the ids that stand there already, with where."""
        rows = list(staged)

        def _add(connection: Connection) -> dict[str, tuple[int, int]]:
            twice: dict[str, tuple[int, int]] = {}
            for chunk in chunks([row.id for row in rows]):
                columns = (_STAGED.c.id, _STAGED.c.file, _STAGED.c.line)
                for id, file, line in connection.execute(select(*columns).where(_STAGED.c.id.in_(chunk))):
                    twice[id] = (file, line)
            fresh = [row for row in rows if row.id not in twice]
            self._database.insert(connection, _STAGED, fresh)
            return twice

        return self._database.write(_add)

    def name(self, named: Iterable[Named]) -> None:
        """Add what records name."""
        self._database.write(lambda connection: self._database.insert(connection, _NAMED, named, or_ignore=True))

    def find(self, ids: Iterable[str]) -> list[Staged]:
        """Return records of the load, by their ids, as they stand in the files."""
        columns = [_STAGED.c[name] for name in Staged._fields]
        pages = [self._page(select(*columns).where(_STAGED.c.id.in_(chunk))) for chunk in chunks(ids)]
        return sorted((one for page in pages for one in page), key=lambda one: (one.file, one.at))

    def of_rows(self, rows: Iterable[tuple[int, int]], width: int, most: int) -> list[str]:
        """Return the ids of what stands in rows of files: a row is `width` lines, of which the first `most` count."""
        found: list[str] = []
        row, number = _STAGED.c.line // width, _STAGED.c.line % width
        for chunk in chunks(sorted(rows)):
            statement = select(_STAGED.c.id).where(tuple_(_STAGED.c.file, row).in_(chunk), number < most)
            found += self._database.look(partial(_first, statement))
        return found

    def unnamed(self, width: int, least: int) -> list[str]:
        """Return the ids of what stands in rows of files from line `least` of the row on and is named by nothing."""
        named = select(_NAMED.c.target).where(_NAMED.c.target == _STAGED.c.id).exists()
        statement = select(_STAGED.c.id).where(_STAGED.c.line % width >= least, ~named)
        return self._database.look(partial(_first, statement))

    def foresee(self, views: Iterable[tuple[str, int]]) -> None:
        """Note which views (one bit each) will be shown records."""
        self._database.write(lambda connection: self._database.insert(connection, _FORESEEN, views))

    def foreseen(self, ids: Iterable[str]) -> dict[str, int]:
        """Return which views will be shown those of some records that it was noted of."""
        found: dict[str, int] = {}
        for chunk in chunks(ids):
            statement = select(_FORESEEN.c.id, _FORESEEN.c.views).where(_FORESEEN.c.id.in_(chunk))
            found.update((id, views) for id, views in self._database.look(partial(_all, statement)))
        return found

    def tie(self, ids: Iterable[str]) -> list[Staged]:
        """Take records out of the order, for they are tied to others; return them."""
        tied = list(ids)

        def _tie(connection: Connection) -> None:
            for chunk in chunks(tied):
                connection.execute(update(_STAGED).where(_STAGED.c.id.in_(chunk)).values(tied=True))

        self._database.write(_tie)
        return self.find(tied)

    def dangling(self) -> Iterator[list[Named]]:
        """Yield what is named and does not stand in the load as one of the allowed kinds."""
        columns = [_NAMED.c[name] for name in Named._fields]
        here = (
            select(_STAGED.c.id)
            .where(_STAGED.c.id == _NAMED.c.target)
            .where(func.instr(_NAMED.c.allowed, "|" + _STAGED.c.kind + "|") > 0)
        )
        statement = select(*columns).where(~here.exists())
        rows = self._database.look(lambda connection: [Named(*row) for row in connection.execute(statement)])
        yield from chunks(rows)

    def drop(self, ids: Iterable[str]) -> None:
        """Take records out of the load, and what they name."""
        gone = list(ids)

        def _drop(connection: Connection) -> None:
            for chunk in chunks(gone):
                connection.execute(delete(_STAGED).where(_STAGED.c.id.in_(chunk)))
                connection.execute(delete(_NAMED).where(_NAMED.c.record.in_(chunk)))

        self._database.write(_drop)

    def kind_of(self, id: str) -> str | None:
        """Return the kind of a record of the load, by its id."""
        statement = select(_STAGED.c.kind).where(_STAGED.c.id == id)
        kind: str | None = self._database.look(lambda connection: connection.scalar(statement))
        return kind

    def count(self, kinds: Iterable[str] = RANK) -> int:
        """Return how many records the load has."""
        statement = select(func.count()).select_from(_STAGED).where(_STAGED.c.kind.in_(list(kinds)))
        count: int | None = self._database.look(lambda connection: connection.scalar(statement))
        return count or 0

    def in_order(
        self, kinds: Iterable[str], key: tuple[str, ...] = BY_DAY, size: int = 5_000
    ) -> Iterator[list[Staged]]:
        """Yield the records of some kinds in lists: kind after kind as they can be applied, within a kind by a key."""
        columns = [_STAGED.c[name] for name in Staged._fields]
        place = [_STAGED.c[name] for name in key]
        for rank in sorted(RANK[kind] for kind in kinds):
            # By id there is the key's own order: the index of ranks would be sorted anew for every page.
            of = _STAGED.c.rank + 0 if key == BY_ID else _STAGED.c.rank
            page = select(*columns).where(of == rank, ~_STAGED.c.tied).order_by(*place).limit(size)
            rows = self._page(page)
            while rows:
                yield rows
                last = [literal(getattr(rows[-1], name)) for name in key]
                rows = self._page(page.where(tuple_(*place) > tuple_(*last)))

    def _page(self, statement: "Select[Any]") -> list[Staged]:
        return self._database.look(lambda connection: [Staged(*row) for row in connection.execute(statement)])

    def close(self) -> None:
        """Let go of the file."""
        asyncio.run(self._database.close())
