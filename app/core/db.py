"""The database: how everything else reads, writes and compiles; nobody else makes a connection."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, TextClause

from app.core.dialect import engine_for
from app.core.engine import (
    PASSING,
    SMALL,
    DatabaseError,
    Limits,
    Prepared,
    Question,
    Reading,
    Row,
    Rows,
    Series,
    ServerState,
    Snapshot,
    Wanted,
    as_they_are,
)
from app.core.problems import Problem
from app.core.settings import Settings

__all__ = [
    "PASSING",
    "SMALL",
    "Database",
    "DatabaseError",
    "Limits",
    "Prepared",
    "Question",
    "Reading",
    "Rows",
    "Series",
    "ServerState",
    "Snapshot",
    "Wanted",
]

T = TypeVar("T")
NO_MORE = Limits()


class Database:
    """One database, of either engine.

    Writers take turns and each has one transaction; readers see one snapshot and cannot write.
    """

    def __init__(self, url: str, limits: Limits = NO_MORE, replicas: Sequence[str] = ()) -> None:
        """Open a database by its address (`sqlite:///…` or `postgresql://…`), and those of servers that follow it."""
        self.engine = engine_for(url, limits, replicas)
        self._free = limits.exports

    @classmethod
    def main(cls, settings: Settings) -> "Database":
        """Open the main database of the settings."""
        limits = Limits(
            settings.threads,
            settings.read_connections,
            settings.read_seconds,
            settings.exports,
            wait=settings.read_wait_ms / 1000,
        )
        return cls(settings.database_url, limits, settings.read_urls)

    def prepare(self, select: "Select[Any]") -> Prepared:
        """Compile a statement once: afterwards it runs as text on the driver."""
        return self.engine.prepare(select)

    def packed(self, columns: Sequence[ColumnElement[int]]) -> ColumnElement[bytes]:
        """Return the aggregate of rows as one value of bytes, read much faster than row by row."""
        return self.engine.packed(columns)

    def wanted(self, wanted: Wanted) -> str:
        """Return what is looked for in texts, as `found` takes it."""
        return self.engine.wanted(wanted)

    def found(self, table: Table, value: int, wanted: ColumnElement[str]) -> "Select[tuple[int]]":
        """Return the keys, the second column, of rows whose first column has a value and in whose text it is found."""
        return self.engine.found(table, value, wanted)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction under the write lock; an exception undoes all of it."""
        return self.engine.write(work)

    def series(self, unread: bool = False) -> AbstractContextManager[Series]:
        """Be ready for many transactions in a row.

        A cut of the power leaves those that were done by then; with `unread` it may take the last ones back: for what
        nobody is shown before it is made `durable`.
        """
        return self.engine.series(unread)

    def look(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot without the lock, unable to write: for commands; the API uses `read`."""
        return self.engine.look(work)

    def among(self, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
        """Return the condition that a column has one of some values, which are bound as one, however many they are."""
        return self.engine.among(column, values)

    def insert(self, connection: Connection, table: Table, rows: Iterable[Row], or_ignore: bool = False) -> None:
        """Insert whole rows, their values in the order of the table's columns, as fast as the engine can."""
        self.engine.insert(connection, table, rows, or_ignore)

    def insert_alike(self, connection: Connection, table: Table, firsts: Sequence[int], rows: Iterable[Row]) -> None:
        """Insert rows, which lack the table's first column, once for each of its values."""
        self.engine.insert_alike(connection, table, firsts, rows)

    def many(self, connection: Connection, statement: TextClause, rows: Iterable[Row]) -> None:
        """Run a statement (`… :name …`) once for each row of values, in the order in which it names them."""
        self.engine.many(connection, statement, rows)

    def part(self, connection: Connection, table: Table, value: int) -> None:
        """Make room for rows of a partitioned table whose first column has a new value."""
        self.engine.part(connection, table, value)

    def delete(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Delete the rows whose named columns, the first of a key, have these values."""
        self.engine.delete(connection, table, names, rows)

    def roomy(self, connection: Connection) -> AbstractContextManager[None]:
        """Have a transaction that changes much keep more of what it changes in memory meanwhile."""
        return self.engine.roomy(connection)

    def tidy(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Write anew, in short transactions, what still keeps texts that were deleted by the many."""
        self.engine.tidy(goes_on)

    def change(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Set named columns of rows: of each a value of the key, the first name, then of the others."""
        self.engine.change(connection, table, names, rows)

    def empty(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Take every row out of tables."""
        self.engine.empty(connection, tables)

    def index(self, tables: Sequence[Table]) -> None:
        """Make the indexes of tables that are not there; the memory that it takes does not grow with the tables."""
        self.engine.index(tables)

    def learn(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Have the engine look at what is in tables of which it knows nothing yet: it plans by that."""
        self.engine.learn(connection, tables)

    def sweep(self) -> list[str]:
        """Write everything anew, so that the database's files keep nothing of what was deleted.

        It takes time in proportion to the whole. SQLite: readers go on, writers wait. PostgreSQL: everybody waits for
        each table in turn.

        Returns:
            What may still keep some of it, each in words for the operator; empty: nothing does.
        """
        return self.engine.sweep()

    def version(self) -> int | None:
        """Return a number that is another one after each transaction that wrote, whoever did; on the event loop.

        What was read after it was told holds for as long as the same number is told. None: a reading costs as much.
        """
        return self.engine.version()

    async def read(self, reading: Reading[T], heavy: bool = False) -> T:
        """Run `reading` on one snapshot; with `heavy`, away from the event loop where the engine would block it."""
        return await self.engine.read(reading, heavy)

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a short question, or None: one statement is a snapshot by itself."""
        return await self.engine.one(statement, values)

    async def stream(
        self,
        questions: Sequence[Question],
        batch: int = 500,
        work: Callable[[int, Rows], T] = as_they_are,  # type: ignore[assignment]
    ) -> AsyncGenerator[T, None]:
        """Yield batches of rows of one statement after another, with its position, from one snapshot.

        `work` makes something else of them, away from the event loop, one batch after the other. Never more than two
        batches are held: the one that is sent, and the one behind it.

        Raises:
            Problem: unavailable, where as many streams are under way as there may be.
        """
        if self._free == 0:
            detail = "As many exports are under way as there may be. Try again in a minute."
            raise Problem("unavailable", detail, headers={"Retry-After": "60"})
        self._free -= 1
        try:
            async with aclosing(self.engine.stream(questions, batch, work)) as made:
                async for one in made:
                    yield one
        finally:
            self._free += 1

    def servers(self) -> list[ServerState]:
        """Return what is known of the servers that are read from, the primary first; nothing where there is one."""
        return self.engine.servers()

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.close()
