"""SQLite: one file, no set-up, the default."""

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Select,
    String,
    Table,
    TextClause,
    and_,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateIndex

from app.core import fts5, indexing, inserting
from app.core.checkpoints import Checkpoints
from app.core.engine import DatabaseError, Limits, Prepared, Question, Reading, Row, Rows, ServerState, Wanted, too_long
from app.core.sqlite_snapshot import SQLiteSnapshot, finish

try:
    import pysqlite3 as sqlite
except ImportError:  # no wheel for this machine: the system's library, if it is new enough
    import sqlite3 as sqlite

T = TypeVar("T")
OLDEST = (3, 42, 0)  # the first with FTS5 secure-delete
_LOG = 65_536  # pages of the write-ahead log, after which the writer copies it
_ASIDE = 20_000  # rows
PATIENCE = 10.0  # seconds for which a sweep waits for readers


@dataclass(frozen=True)
class _Series:
    durable: Callable[[], None]
    rest: Callable[[], None]


class SQLite:
    """One file in WAL mode: one writer at a time, readers that see one snapshot and cannot write."""

    name = "sqlite"

    def __init__(self, url: URL, limits: Limits) -> None:
        """Open the file, or make it.

        Raises:
            DatabaseError: the library is too old, or the folder is not there and cannot be made.
        """
        if sqlite.sqlite_version_info < OLDEST:
            raise DatabaseError(
                f"SQLite {sqlite.sqlite_version} is too old: 3.42 or newer is needed. "
                "Install the package pysqlite3, which brings a current one."
            )
        self.path = Path(url.database or "")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(f"the folder of the database cannot be made: {error.strerror}") from None
        self._door = self.path.with_name(f"{self.path.name}-door")
        for path in (self.path, self._door):  # in a folder that everybody may enter too they are the user's alone
            # Made, never opened: whoever closes a file lets go of the locks that this process has on it (POSIX).
            with suppress(OSError):  # it is there; or SQLite says what is wrong
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        cache = self._cache = limits.cache * 1024
        self._synchronous = "FULL" if limits.lasting else "OFF"
        shred = "ON" if limits.shred else "FAST"
        self._engine = self._open_engine("BEGIN IMMEDIATE", (f"cache_size=-{cache}", f"secure_delete={shred}"))
        self._looking = self._open_engine("BEGIN", ("query_only=ON", f"cache_size=-{cache // 4}"))
        self._dialect = self._engine.dialect
        self._insertions: dict[str, str] = {}
        self._checkpoints: Checkpoints | None = None
        self._local = threading.local()
        self._limits = limits
        self._inline: Any = None
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="read")

    def _open_engine(self, begin: str, more: tuple[str, ...]) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            module=sqlite,
            poolclass=QueuePool,
            pool_size=1,
            connect_args={"cached_statements": 512},
        )

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            for pragma in (
                "page_size=4096",
                "journal_mode=WAL",
                f"synchronous={self._synchronous}",
                "foreign_keys=ON",
                "busy_timeout=60000",
                "temp_store=FILE",
                f"wal_autocheckpoint={_LOG}",
                *more,
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            if begin == "BEGIN":
                connection.exec_driver_sql(begin)
                return
            with self._turn():
                connection.exec_driver_sql(begin)

        return engine

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the write lock alone: SQLite looks for it now and then, and whoever comes again at once is faster.

        So everybody else queues at the door, the kernel's own lock, until the one before them has begun.
        """
        with self._door.open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield

    def prepare(self, select: "Select[Any]") -> Prepared:
        """Compile a statement."""
        return Prepared.of(select, self._dialect)

    def packed(self, columns: Sequence[ColumnElement[int]]) -> ColumnElement[bytes]:
        """Return the aggregate of rows as one value: as hexadecimal digits first, all without Python's lock."""
        wide = [isinstance(column.type, BigInteger) for column in columns]
        form = "".join("%016llx" if one else "%08llx" for one in wide)
        values = [column if one else column.op("&")(0xFFFFFFFF) for column, one in zip(columns, wide, strict=True)]
        return func.unhex(func.group_concat(func.printf(form, *values), ""), type_=LargeBinary)

    def wanted(self, wanted: Wanted) -> str:
        """Return what is looked for in texts, as `found` takes it."""
        return fts5.wanted(wanted)

    def found(self, table: Table, value: int, wanted: ColumnElement[str]) -> "Select[tuple[int]]":
        """Return the keys, the second column, of rows whose first column has a value and in whose text it is found."""
        return fts5.found(table, value, wanted)

    def among(self, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
        """Return the condition that a column has one of some values, which are bound as one, however many they are."""
        given = func.json_each(bindparam(None, orjson.dumps([*values]).decode(), type_=String, unique=True))
        return column.in_(select(given.table_valued("value").c.value))

    def insert(self, connection: Connection, table: Table, rows: Iterable[Row], or_ignore: bool = False) -> None:
        """Insert whole rows, their values in the order of the table's columns; the rows may come from an iterator."""
        text = self._insertions.get(table.name)
        if text is None:
            text = self._insertions[table.name] = str(insert(table).compile(dialect=self._dialect))
        if or_ignore:
            text = text.replace("INSERT INTO", "INSERT OR IGNORE INTO", 1)
        blobs = [place for place, column in enumerate(table.columns) if isinstance(column.type, LargeBinary)]
        # Straight to the driver: the batch is bound row by row in C, and is never held as a whole.
        rows = inserting.bindable(rows, blobs) if blobs else rows
        connection.connection.dbapi_connection.executemany(text, rows)  # type: ignore[union-attr]

    def insert_alike(self, connection: Connection, table: Table, firsts: Sequence[int], rows: Iterable[Row]) -> None:
        """Insert rows, which lack the table's first column, once for each of its values.

        They cross from Python once, into a table at the side: SQLite copies a row in a third of the time. That table is
        in memory, so it never has many.
        """
        if len(firsts) == 1:
            self.insert(connection, table, ((firsts[0], *row) for row in rows))
            return
        driver: Any = connection.connection.dbapi_connection
        make, arrive, copy, leave = inserting.aside(table, self._dialect)
        driver.execute(make)
        coming = iter(rows)
        while driver.executemany(arrive, islice(coming, _ASIDE)).rowcount > 0:
            for first in firsts:
                driver.execute(copy, (first,))
            driver.execute(leave)

    def many(self, connection: Connection, statement: TextClause, rows: Iterable[Row]) -> None:
        """Run a statement once for each row of values, which are in the order in which it names them."""
        text = str(statement.compile(dialect=self._dialect))
        connection.connection.dbapi_connection.executemany(text, rows)  # type: ignore[union-attr]

    def part(self, connection: Connection, table: Table, value: int) -> None:
        """Make the index of texts of a new value; all else of a table is whole here."""
        if "text" in table.info:
            fts5.make(connection, table, value)

    def delete(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Delete the rows whose named columns, the first of a key, have these values."""
        where = and_(*(table.c[name] == bindparam(name) for name in names))
        text = str(delete(table).where(where).compile(dialect=self._dialect))
        driver: Any = connection.connection.dbapi_connection
        # In their order, so that those that lie together go together.
        those = sorted(map(tuple, rows))
        if "text" not in table.info or len(those) < fts5.MANY:
            driver.executemany(text, those)
            return
        for first, some in groupby(those, key=itemgetter(0)):
            with fts5.marked(connection, table, first):
                driver.executemany(text, some)

    roomy = staticmethod(fts5.roomy)

    def tidy(self, goes_on: Callable[[], bool]) -> None:
        """Write indexes of texts anew, step by step, if they keep what was only marked as deleted."""
        while self.look(fts5.keeps_marks) and goes_on():
            self.write(fts5.merge)

    def change(self, connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
        """Set named columns of rows: of each a value of the key, the first name, then of the others."""
        key, *others = names
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in others}
        text = str(update(table).where(table.c[key] == bindparam("key")).values(values).compile(dialect=self._dialect))
        driver: Any = connection.connection.dbapi_connection
        driver.executemany(text, [(*rest, first) for first, *rest in rows])

    def empty(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Take every row out of tables, without looking at them one by one."""
        for table in tables:
            with fts5.emptied(connection, table):
                connection.execute(delete(table))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, after every other writer (`BEGIN IMMEDIATE`)."""
        with self._engine.begin() as connection:
            result = work(connection)
        if self._checkpoints is not None:
            self._checkpoints.committed()
        return result

    @contextmanager
    def series(self, unread: bool) -> Iterator[_Series]:
        """Copy the write-ahead log in a thread beside the writer; `unread`, do not wait for the disk each time."""
        checkpoints = Checkpoints(lambda: sqlite.connect(self.path, check_same_thread=False, isolation_level=None))
        self._set_writer("wal_autocheckpoint=0")
        if unread and self._limits.lasting:
            self._set_writer("synchronous=NORMAL")
        if unread:  # nothing is looked up: what is put in goes to the end
            self._set_writer(f"cache_size=-{self._cache * 5 // 6}")
        self._checkpoints = checkpoints
        try:
            yield _Series(lambda: self._set_writer(f"synchronous={self._synchronous}"), checkpoints.rest)
        finally:
            self._checkpoints = None
            self._set_writer(f"synchronous={self._synchronous}")
            self._set_writer(f"wal_autocheckpoint={_LOG}")
            self._set_writer(f"cache_size=-{self._cache}")
            checkpoints.end()

    def _set_writer(self, pragma: str) -> None:
        with closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute(f"PRAGMA {pragma}")

    def look(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot without the write lock, by a connection that cannot write."""
        with self._looking.begin() as connection:
            return work(connection)

    def sweep(self) -> list[str]:
        """Write the file anew and empty the write-ahead log; return what may still keep what was deleted."""
        self.tidy(lambda: True)
        name = self.path.name
        with self._turn(), closing(sqlite.connect(self.path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")
            try:
                # Not what secure_delete leaves: pages keep old copies of rows that were moved within the tree.
                connection.execute("VACUUM")
            except sqlite.OperationalError as error:
                return [f"{name}: could not be written anew ({error})"]
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return [f"{name}-wal: a reader still uses the write-ahead log"] if busy else []

    def _connect_to_read(self) -> Any:
        connection = sqlite.connect(
            f"file:{self.path}?mode=ro",
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            cached_statements=512,
        )
        for pragma in ("query_only=ON", "busy_timeout=5000", "mmap_size=17179869184", "cache_size=-16384"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _in_snapshot(self, connection: Any, reading: Reading[T]) -> T:
        connection.execute("BEGIN")
        try:
            return finish(reading(SQLiteSnapshot(connection)))
        finally:
            connection.execute("COMMIT")

    def _in_thread(self, reading: Reading[T]) -> T:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect_to_read()
        end = time.monotonic() + self._limits.seconds
        connection.set_progress_handler(lambda: time.monotonic() > end, 50_000)
        try:
            return self._in_snapshot(connection, reading)
        except sqlite.OperationalError as error:
            if str(error) == "interrupted":
                raise too_long(self._limits) from None
            raise

    async def read(self, reading: Reading[T], heavy: bool = False) -> T:
        """Run `reading` on one snapshot: at once on the event loop, or in a thread of its own if it is heavy."""
        if not heavy:
            return self._in_snapshot(self._on_loop(), reading)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._in_thread, reading)

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a short question, on the event loop; read to its end, nothing is held."""
        return next(iter(self._on_loop().execute(statement.text, statement.values(values)).fetchall()), None)

    def _on_loop(self) -> Any:
        if self._inline is None:
            self._inline = self._connect_to_read()
        return self._inline

    def version(self) -> int | None:
        """Return `PRAGMA data_version` of the connection of the event loop, which never writes."""
        return int(self._on_loop().execute("PRAGMA data_version").fetchone()[0])

    async def stream(
        self, questions: Sequence[Question], batch: int, work: Callable[[int, Rows], T]
    ) -> AsyncGenerator[T, None]:
        """Yield what `work` makes of each batch of rows, fetched and worked on in a thread, one ahead."""
        connection = self._connect_to_read()

        def following(position: int, cursor: Any) -> list[T]:
            rows = cursor.fetchmany(batch)
            return [work(position, rows)] if rows else []

        job = self._pool.submit(connection.execute, "BEGIN")
        try:
            await asyncio.wrap_future(job)
            for position, (statement, values) in enumerate(questions):
                job = self._pool.submit(connection.execute, statement.text, statement.values(values))
                cursor = await asyncio.wrap_future(job)
                job = self._pool.submit(following, position, cursor)
                while made := await asyncio.wrap_future(job):
                    job = self._pool.submit(following, position, cursor)
                    yield made[0]
        finally:
            # A reader that goes away leaves its last job running: the connection is closed behind it, never under it.
            job.add_done_callback(lambda _: connection.close())

    def index(self, tables: Sequence[Table]) -> None:
        """Make the indexes of tables that are not there: elsewhere, if what sorts there keeps less in memory."""
        makers = (CreateIndex(index, if_not_exists=True) for table in tables for index in table.indexes)
        texts = sorted(str(maker.compile(dialect=self._dialect)) for maker in makers)
        if texts and not indexing.make(self.path, texts):
            self.write(lambda connection: [connection.exec_driver_sql(text) for text in texts])

    def learn(self, _: Connection, __: Sequence[Table]) -> None:
        """Leave it: statements name what they are read by."""

    def servers(self) -> list[ServerState]:
        """Return nothing: there is no server."""
        return []

    async def close(self) -> None:
        """Give back every connection."""
        self._pool.shutdown(wait=True)
        if self._inline is not None:
            self._inline.close()
            self._inline = None
        self._engine.dispose()
        self._looking.dispose()
