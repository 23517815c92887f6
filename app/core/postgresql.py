"""PostgreSQL: a server, for more than one machine."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, contextmanager, nullcontext
from functools import reduce
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    Table,
    TextClause,
    any_,
    bindparam,
    func,
    insert,
    literal,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from app.core import tsvector
from app.core.engine import DatabaseError, Limits, Prepared, Question, Reading, Row, Rows, ServerState, Wanted
from app.core.problems import Problem
from app.core.reading import Away, Server, address_of, unprepared
from app.core.replicas import Replicas
from app.core.sweep import Sweep

T = TypeVar("T")
OLDEST = 150000
LAST_SECONDS = 10  # in which what is under way may end when the database is closed
WRITE_LOCK = 0x45564944454E4345  # "EVIDENCE": the advisory lock that makes writers take turns


# Its commits are in the log before anybody sees them, whatever the server is set to: replicas are measured by that.
_BEGIN_WRITE = f"""SELECT pg_advisory_xact_lock({WRITE_LOCK}),
    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END"""


def _away() -> Problem:
    return Problem("unavailable", "The database does not answer. Try again later.", headers={"Retry-After": "10"})


class _Series:
    """The server does by itself what there is to do behind transactions."""

    def rest(self) -> None:
        pass

    def durable(self) -> None:
        pass


class PostgreSQL:
    """A server: writers take an advisory lock in turn, readers see one snapshot and cannot write."""

    name = "postgresql"

    def __init__(self, url: URL, limits: Limits, replicas: Sequence[URL] = ()) -> None:
        """Remember the addresses; connections are made when they are first needed."""
        self._url, self._is_pooled = address_of(url)
        self._is_checked = False  # its version
        self._engine = self._open_engine()
        self._dialect = self._engine.dialect
        self._primary = Server(url, limits)
        servers = [Server(one, limits) for one in replicas]
        self._replicas = Replicas(self._primary, servers, limits) if servers else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread()
        self._starting = threading.Lock()

    def _open_engine(self) -> AsyncEngine:
        given: dict[str, Any] = {"async_creator_fn": self._connect}
        if self._is_pooled:
            given |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}  # no name
        url = self._url.set(drivername="postgresql+asyncpg")
        return create_async_engine(url, pool_size=1, max_overflow=4, connect_args=given)

    async def _connect(self, **_: Any) -> Any:
        """Return a connection by the address as it is, as readers do: SQLAlchemy knows no `sslmode` in it."""
        return await asyncpg.connect(self._url.render_as_string(hide_password=False), **unprepared(self._is_pooled))

    def prepare(self, select: "Select[Any]") -> Prepared:
        """Compile a statement."""
        return Prepared.of(select, self._dialect)

    def packed(self, columns: Sequence[ColumnElement[int]]) -> ColumnElement[bytes]:
        """Return the aggregate of rows as one value: what the server itself sends for whole numbers, joined."""
        whole: list[ColumnElement[bytes]] = []
        for column in columns:
            send = func.int8send if isinstance(column.type, BigInteger) else func.int4send
            whole.append(send(column, type_=LargeBinary))
        row = reduce(lambda left, right: left.op("||", return_type=LargeBinary())(right), whole)
        return func.string_agg(row, literal(b"", LargeBinary), type_=LargeBinary)

    def wanted(self, wanted: Wanted) -> str:
        """Return what is looked for in texts, as `found` takes it."""
        return tsvector.wanted(wanted)

    def found(self, table: Table, value: int, wanted: ColumnElement[str]) -> "Select[tuple[int]]":
        """Return the keys, the second column, of rows whose first column has a value and in whose text it is found."""
        return tsvector.found(table, value, wanted)

    def among(self, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
        """Return the condition that a column has one of some values, which are bound as one, however many they are."""
        return column == any_(bindparam(None, list(values), type_=ARRAY(column.type), unique=True))

    def insert(self, connection: Connection, table: Table, rows: Iterable[Row], or_ignore: bool = False) -> None:
        """Insert whole rows, their values in the order of the table's columns: by COPY, which streams them."""
        if or_ignore:
            text = str(insert(table).compile(dialect=self._dialect)) + " ON CONFLICT DO NOTHING"
            if batch := list(map(tuple, rows)):
                connection.exec_driver_sql(text, batch)
            return
        driver: Any = connection.connection.driver_connection
        columns = [column.name for column in table.columns]
        await_only(driver.copy_records_to_table(table.name, records=rows, columns=columns))

    def insert_alike(self, connection: Connection, table: Table, firsts: Sequence[int], rows: Iterable[Row]) -> None:
        """Insert rows, which lack the table's first column, once for each of its values."""
        self.insert(connection, table, ((first, *row) for row in rows for first in firsts))

    def many(self, connection: Connection, statement: TextClause, rows: Iterable[Row]) -> None:
        """Run a statement once for each row of values, which are in the order in which it names them."""
        if batch := list(map(tuple, rows)):
            connection.exec_driver_sql(str(statement.compile(dialect=self._dialect)), batch)

    def part(self, connection: Connection, table: Table, value: int) -> None:
        """Make the partition of a new value."""
        whole = self._dialect.identifier_preparer.format_table(table)
        one = self._dialect.identifier_preparer.quote(f"{table.name}_{value}")
        connection.exec_driver_sql(f"CREATE TABLE {one} PARTITION OF {whole} FOR VALUES IN ({value:d})")

    def delete(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Delete the rows whose named columns, the first of a key, have these values."""
        given = self._given(table, names[1:])
        same = " AND ".join(f't."{name}" = g."{name}"' for name in names[1:])
        for first, some in groupby(sorted(rows, key=tuple), key=itemgetter(0)):  # a constant, for it names a partition
            where = f'"{names[0]}" = {first:d}'
            # One by one by the key, whatever the planner believes of a table that it knows little of.
            found = f'SELECT ctid FROM "{table.name}" t WHERE t.{where} AND {same} OFFSET 0'  # noqa: S608 - names of our own
            which = f"SELECT found.ctid FROM {given} CROSS JOIN LATERAL ({found}) AS found"  # noqa: S608
            text = f'DELETE FROM "{table.name}" WHERE {where} AND ctid = ANY(ARRAY({which}))'  # noqa: S608
            self._with(connection, text, [row[1:] for row in some])

    def roomy(self, _: Connection) -> AbstractContextManager[None]:
        """Do nothing: what a transaction changes is in the server's own memory."""
        return nullcontext()

    def tidy(self, goes_on: Callable[[], bool]) -> None:
        """Do nothing: what was deleted goes with the next VACUUM, whatever it was."""

    def change(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Set named columns of rows: of each a value of the key, the first name, then of the others."""
        key, *others = names
        new = ", ".join(f'"{name}" = g."{name}"' for name in others)
        given = self._given(table, names)
        text = f'UPDATE "{table.name}" t SET {new} FROM {given} WHERE t."{key}" = g."{key}"'  # noqa: S608 - the same
        self._with(connection, text, list(rows))

    def _given(self, table: Table, names: Sequence[str]) -> str:
        """Return rows of values as a table of a statement: one array for each column."""
        types = (table.c[name].type.compile(dialect=self._dialect) for name in names)
        arrays = ", ".join(f"${place}::{type}[]" for place, type in enumerate(types, 1))
        return f"unnest({arrays}) AS g({', '.join(names)})"

    def _with(self, connection: Connection, text: str, rows: Sequence[Row]) -> None:
        if rows:
            driver: Any = connection.connection.driver_connection
            await_only(driver.execute(text, *map(list, zip(*rows, strict=True))))

    def empty(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Take every row out of tables, without looking at them one by one."""
        names = ", ".join(self._dialect.identifier_preparer.format_table(table) for table in tables)
        connection.exec_driver_sql(f"TRUNCATE {names}")

    def index(self, tables: Sequence[Table]) -> None:
        """Make the indexes of tables that are not there: the server has a bound of its own for what it sorts."""

        def _index(connection: Connection) -> None:
            for index in [index for table in tables for index in table.indexes]:
                index.create(connection, checkfirst=True)

        self.write(_index)

    def learn(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Make the statistics of tables: the server does so by itself too, but not before it has been asked badly."""
        connection.exec_driver_sql("ANALYZE " + ", ".join(map(self._dialect.identifier_preparer.format_table, tables)))

    def _run(self, work: Awaitable[T]) -> T:
        """Run a coroutine on the writer's own event loop, from any thread."""

        async def _go() -> T:
            return await work

        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="write")
                self._thread.start()
            begun = asyncio.run_coroutine_threadsafe(_go(), self._loop)
        return begun.result()

    @asynccontextmanager
    async def _begin(self, first: str) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that begins with a statement.

        Raises:
            DatabaseError: the server cannot be reached, or is too old.
        """
        try:
            connection = await self._engine.connect()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as error:
            reason = type(getattr(error, "orig", None) or error).__name__
            raise DatabaseError(f"the PostgreSQL server cannot be reached, or lets nobody in ({reason})") from None
        try:
            async with connection.begin():
                await connection.exec_driver_sql(first)
                await self._check(connection)
                yield connection
        finally:
            await connection.close()

    async def _check(self, connection: AsyncConnection) -> None:
        if not self._is_checked:
            version = await connection.exec_driver_sql("SHOW server_version_num")
            if int(version.scalar_one()) < OLDEST:
                raise DatabaseError("this PostgreSQL is too old: version 15 or newer is needed")
            self._is_checked = True

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, after every other writer (an advisory lock)."""

        async def _go() -> T:
            async with self._begin(_BEGIN_WRITE) as connection:
                return await connection.run_sync(work)

        return self._run(_go())

    @contextmanager
    def series(self, unread: bool) -> Iterator[_Series]:
        """Do nothing more than otherwise."""
        yield _Series()

    def look(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot without the write lock, by a connection that cannot write."""

        async def _go() -> T:
            async with self._begin("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
                return await connection.run_sync(work)

        return self._run(_go())

    def sweep(self) -> list[str]:
        """Write every table anew and have the server let go of its old log; return what may keep what was deleted."""

        async def _go() -> list[str]:
            connection = await self._connect()
            try:
                return await Sweep(connection, str(self._url.database)).run()
            finally:
                await connection.close()

        return self._run(_go())

    def version(self) -> int | None:
        """Return nothing: asking costs as much as reading."""
        return None

    async def read(self, reading: Reading[T], heavy: bool = False) -> T:
        """Run `reading` on one snapshot, of a replica where there is a fresh one.

        Raises:
            Problem: unavailable, where the server does not answer.
        """
        try:
            return await (self._replicas.read(reading, heavy) if self._replicas else self._primary.read(reading))
        except Away:
            raise _away() from None

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a question, or None.

        Raises:
            Problem: unavailable, where the server does not answer.
        """
        if self._replicas:
            return await self.read(lambda snapshot: snapshot.one(statement, values))
        try:
            return await self._primary.one(statement, values)
        except Away:
            raise _away() from None

    async def stream(
        self, questions: Sequence[Question], batch: int, work: Callable[[int, Rows], T]
    ) -> AsyncGenerator[T, None]:
        """Yield what `work` makes of each batch of rows, from one snapshot.

        Raises:
            Problem: unavailable, where the server does not answer.
        """
        try:
            async with aclosing((self._replicas or self._primary).stream(questions, batch, work)) as parts:
                async for part in parts:
                    yield part
        except Away:
            raise _away() from None

    def servers(self) -> list[ServerState]:
        """Return what is known of the servers that are read from, where there are several."""
        return list(self._replicas.states()) if self._replicas else []

    async def close(self) -> None:
        """Give back every connection, once what threads still write and look at is done."""
        if self._replicas:
            await self._replicas.close()
        await self._primary.close()
        with self._starting:  # whoever comes later begins another loop
            loop, self._loop, thread = self._loop, None, self._thread
        if loop is not None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._end(), loop))
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _end(self) -> None:
        """Wait for what runs on the writer's loop: a thread whose work was never done would wait for ever."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            _, late = await asyncio.wait(others, timeout=LAST_SECONDS)
            for one in late:
                one.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._engine.dispose()
