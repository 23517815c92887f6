"""What each engine can do, and the words in which it is asked."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Dialect, Select, Table, TextClause

from app.core.problems import Problem

T = TypeVar("T")
Row = Sequence[Any]
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much reading there may be at once."""

    threads: int = 4
    connections: int = 8
    seconds: int = 30  # for one reading
    exports: int = 8  # streams at once
    cache: int = 24  # MiB that SQLite's writer keeps in memory
    shred: bool = False  # overwrite at once what is deleted, whatever it costs
    lasting: bool = True  # after a cut of the power it is still there
    wait: float = 0.2  # seconds that a replica is waited for


class ServerState(NamedTuple):
    """What is known of one of several servers.

    Attributes:
        state: "used"; else why it is not read from, after a colon what was the matter.
        reads: readings that it did.
        failures: how often it was given up.
        behind: bytes of the primary's log that it did not show when it was last looked at.
    """

    name: str
    state: str
    reads: int
    failures: int
    behind: int


Phrase = tuple[tuple[str, ...], bool]  # terms that follow one another, and whether the last one only begins so


class Wanted(NamedTuple):
    """What is looked for in texts: one phrase of each member of `every`, and none of those of `without`.

    Terms consist of letters and digits.
    """

    every: tuple[tuple[Phrase, ...], ...]
    without: tuple[tuple[Phrase, ...], ...] = ()


SMALL = Limits(cache=4)  # of a database that is only on the side
PASSING = Limits(cache=4, lasting=False)  # of one that goes away with the process


def too_long(limits: Limits) -> Problem:
    """Return the problem of a reading that was stopped."""
    detail = f"This took longer than the {limits.seconds} seconds that it may. Ask for less: narrow the filters."
    return Problem("unavailable", detail, headers={"Retry-After": "60"})


class DatabaseError(Exception):
    """The database cannot be used as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement compiled once for its engine: text, the names of its values in their order, and its constants."""

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]

    @classmethod
    def of(cls, select: "Select[Any]", dialect: Dialect) -> "Prepared":
        """Compile a statement."""
        compiled = select.compile(dialect=dialect)
        names = tuple(compiled.positiontup or ())
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return cls(str(compiled), names, constants)

    def values(self, given: dict[str, Any]) -> tuple[Any, ...]:
        """Return the values in the order in which the text wants them."""
        bound = self.constants | given
        return tuple([bound[name] for name in self.names])


def as_they_are(position: int, rows: Rows) -> tuple[int, Rows]:
    """Return a batch of a stream as it is, with the position of its statement."""
    return position, rows


Question = tuple[Prepared, dict[str, Any]]  # a statement and the values that it is run with


class Snapshot(Protocol):
    """One unchanging state of the database, to read from."""

    async def all(self, statement: Prepared, values: dict[str, Any]) -> Rows:
        """Return every row."""
        ...

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        ...

    async def work(self, work: Callable[[], T]) -> T:
        """Return what a longer calculation gives, in between: where it holds up nobody, if the reading is heavy."""
        ...


Reading = Callable[[Snapshot], Coroutine[Any, Any, T]]


class Series(Protocol):
    """Many transactions of one writer in a row."""

    def rest(self) -> None:
        """Catch up with what is left to do behind the transactions, while nobody else is at work."""
        ...

    def durable(self) -> None:
        """Have every transaction from here on, and so all before it, on disk when it is done."""
        ...


class Engine(Protocol):
    """What each engine can do."""

    name: str

    def prepare(self, select: "Select[Any]") -> Prepared:
        """Compile a statement."""
        ...

    def packed(self, columns: Sequence[ColumnElement[int]]) -> ColumnElement[bytes]:
        """Return the aggregate of rows as one value: whole numbers, 8 bytes of a BigInteger and 4 of others.

        They are two's complement, the highest byte first; no row may have a null. Of no rows it is null.
        """
        ...

    def wanted(self, wanted: Wanted) -> str:
        """Return what is looked for in texts, as `found` takes it."""
        ...

    def found(self, table: Table, value: int, wanted: ColumnElement[str]) -> "Select[tuple[int]]":
        """Return the keys, the second column, of rows whose first column has a value and in whose text it is found."""
        ...

    def among(self, column: "ColumnElement[Any]", values: Iterable[Any]) -> ColumnElement[bool]:
        """Return the condition that a column has one of some values, which are bound as one, however many they are."""
        ...

    def insert(self, connection: Connection, table: Table, rows: Iterable[Row], or_ignore: bool = False) -> None:
        """Insert whole rows, their values in the order of the table's columns."""
        ...

    def insert_alike(self, connection: Connection, table: Table, firsts: Sequence[int], rows: Iterable[Row]) -> None:
        """Insert rows, which lack the table's first column, once for each of its values."""
        ...

    def many(self, connection: Connection, statement: TextClause, rows: Iterable[Row]) -> None:
        """Run a statement once for each row of values, which are in the order in which it names them."""
        ...

    def part(self, connection: Connection, table: Table, value: int) -> None:
        """Make room for rows whose first column has a new value, where the engine keeps them apart."""
        ...

    def delete(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Delete the rows whose named columns, the first of a key, have these values."""
        ...

    def roomy(self, connection: Connection) -> AbstractContextManager[None]:
        """Have a transaction that changes much keep more of what it changes in memory meanwhile."""
        ...

    def tidy(self, goes_on: Callable[[], bool]) -> None:
        """Write anew, in short transactions, what still keeps texts that were deleted by the many."""
        ...

    def change(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Set named columns of rows: of each a value of the key, the first name, then of the others."""
        ...

    def empty(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Take every row out of tables, without looking at them one by one."""
        ...

    def index(self, tables: Sequence[Table]) -> None:
        """Make the indexes of tables that are not there, with no more memory however many rows there are."""
        ...

    def learn(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Look at what is in tables, if statements are planned by that."""
        ...

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, after every other writer."""
        ...

    def series(self, unread: bool) -> AbstractContextManager[Series]:
        """Be ready for many transactions in a row; `unread`: nobody is shown any of it until it is `durable`."""
        ...

    def look(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot without the write lock, by a connection that cannot write."""
        ...

    def sweep(self) -> list[str]:
        """Write everything anew, so that files keep nothing of what was deleted; return what may still keep some."""
        ...

    def version(self) -> int | None:
        """Return a number that is another one after each transaction that wrote; None: asking is no cheaper."""
        ...

    async def read(self, reading: Reading[T], heavy: bool = False) -> T:
        """Run `reading` on one snapshot, by a connection that cannot write."""
        ...

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a short question, or None: one statement is a snapshot by itself."""
        ...

    def stream(
        self, questions: Sequence[Question], batch: int, work: Callable[[int, Rows], T]
    ) -> AsyncGenerator[T, None]:
        """Yield what `work`, run where it holds up nobody, makes of each batch of rows, from one snapshot."""
        ...

    def servers(self) -> list[ServerState]:
        """Return what is known of the servers that are read from, where there are several."""
        ...

    async def close(self) -> None:
        """Give back every connection."""
        ...
