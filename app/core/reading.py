"""One PostgreSQL server to read from: by connections that cannot write, each reading from one snapshot."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.engine import URL

from app.core.engine import Limits, Prepared, Question, Reading, Rows, too_long

T = TypeVar("T")
CONNECT = 5.0  # seconds in which a server has to let somebody in
AGAIN = 0.25  # seconds after which it is tried again: those who waited for it together do not try one by one
TELL = 1.0  # seconds in which it has to tell one number
_REFUSED = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
# What says that a server cannot be read from now, whatever is asked of it.
_GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    asyncpg.InterfaceError,
)


class Away(Exception):
    """A server cannot be read from now; the message is the type of the error that said so."""


class Broken(Away):
    """One reading could not be done by a server, of which nothing else is wrong."""


def address_of(url: URL) -> tuple[URL, bool]:
    """Return an address as the driver takes it, and whether it leads to a pooler in transaction mode."""
    pooled = url.query.get("pooled") == "true"
    return url.set(drivername="postgresql").difference_update_query(["pooled"]), pooled


def unprepared(pooled: bool) -> dict[str, Any]:
    """Return how to connect through a pooler: no statement may outlive its transaction on the server."""
    return {"statement_cache_size": 0} if pooled else {}


class PostgreSQLSnapshot:
    """One unchanging state, seen by a connection in a transaction."""

    def __init__(self, connection: Any, limits: Limits) -> None:
        """Read by a connection."""
        self._connection = connection
        self._limits = limits

    async def all(self, statement: Prepared, values: dict[str, Any]) -> Rows:
        """Return every row."""
        given = statement.values(values)
        with _asking(self._limits):
            return [tuple(row) for row in await self._connection.fetch(statement.text, *given)]

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        given = statement.values(values)
        with _asking(self._limits):
            row = await self._connection.fetchrow(statement.text, *given)
        return None if row is None else tuple(row)

    async def work(self, work: Callable[[], T]) -> T:
        """Return what a longer calculation gives, away from the event loop."""
        return await asyncio.get_running_loop().run_in_executor(None, work)


class Server:
    """A server, and the connections to it that cannot write. It belongs to one event loop at a time."""

    def __init__(self, url: URL, limits: Limits) -> None:
        """Remember the address; connections are made when they are first needed."""
        url, self._is_pooled = address_of(url)
        self._address = url.render_as_string(hide_password=False)
        self._limits = limits
        self._pools: dict[str, Any] = {}
        self._opening = asyncio.Lock()
        self._closed_until = 0.0

    def _set(self) -> dict[str, str]:
        # Every statement of a reader has an index from limit to limit; the planner, who takes one page for a few rows
        # of many, would now and then rather read a whole table.
        return {"statement_timeout": f"{self._limits.seconds}s", "jit": "off", "enable_seqscan": "off"}

    async def _pool(self, what: str, size: int) -> Any:
        """Return the pool of connections for reading, for exports (slow clients hold theirs for long), or for telling.

        Raises:
            Away: nobody is let in.
        """
        async with self._opening:
            if what not in self._pools:
                if time.monotonic() < self._closed_until:
                    raise Away("nobody was let in a moment ago")
                given = {} if self._is_pooled else {"default_transaction_read_only": "on", **self._set()}
                try:
                    self._pools[what] = await asyncpg.create_pool(
                        self._address,
                        min_size=1,
                        max_size=size,
                        server_settings=given,
                        timeout=CONNECT,
                        reset=_nothing,
                        **unprepared(self._is_pooled),
                    )
                except _REFUSED as error:
                    self._closed_until = time.monotonic() + AGAIN
                    raise Away(type(error).__name__) from None
        return self._pools[what]

    @asynccontextmanager
    async def _connection(self, what: str, size: int, seconds: float | None) -> AsyncIterator[Any]:
        """Give a connection; one is waited for so long.

        Raises:
            Away: the server let nobody in.
            Broken: all connections are taken for so long.
        """
        pool = self._pools.get(what) or await self._pool(what, size)
        try:
            connection = await pool.acquire(timeout=seconds)
        except TimeoutError:
            raise (Broken if pool.get_size() - pool.get_idle_size() == size else Away)("no connection") from None
        except _REFUSED as error:
            raise Away(type(error).__name__) from None
        try:
            yield connection
        finally:
            with suppress(*_GONE):
                await pool.release(connection)

    @asynccontextmanager
    async def _snapshot(self, connection: Any) -> AsyncIterator[None]:
        transaction = connection.transaction(isolation="repeatable_read", readonly=True)
        with _asking(self._limits):
            await transaction.start()
            if self._is_pooled:  # the session is everybody's: what is set ends with the transaction
                given = (f"SET LOCAL {name} = '{value}'" for name, value in self._set().items())
                await connection.execute("; ".join(given))
        try:
            yield
        except BaseException:
            with suppress(*_GONE):
                await transaction.rollback()
            raise
        with _asking(self._limits):
            await transaction.commit()

    async def read(self, reading: Reading[T], seconds: float | None = None) -> T:
        """Run `reading` on one snapshot; with a server that takes longer nobody waits any more.

        Raises:
            Away: the server cannot be read from.
            Problem: unavailable, the reading took longer than any may.
        """
        async with self._connection("read", self._limits.connections, seconds) as connection:
            with _within(connection, seconds):
                async with self._snapshot(connection):
                    return await reading(PostgreSQLSnapshot(connection, self._limits))

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a question: with no transaction around it, where none is needed for settings.

        Raises:
            Away, Problem: as `read`.
        """
        if self._is_pooled:
            return await self.read(lambda snapshot: snapshot.one(statement, values))
        async with self._connection("read", self._limits.connections, None) as connection:
            return await PostgreSQLSnapshot(connection, self._limits).one(statement, values)

    async def stream(
        self,
        questions: Sequence[Question],
        batch: int,
        work: Callable[[int, Rows], T],
        seconds: float | None = None,
    ) -> AsyncGenerator[T, None]:
        """Yield what `work` makes of each batch of rows, fetched by cursors of the server, worked on in a thread.

        Raises:
            Away: the server cannot be read from, or gave no batch for so long.
        """
        loop = asyncio.get_running_loop()
        async with (
            self._connection("export", self._limits.exports, seconds) as connection,
            aclosing(self._batches(connection, questions, batch, seconds)) as batches,
        ):
            async for position, rows in batches:
                yield await loop.run_in_executor(None, lambda p, r: work(p, [tuple(row) for row in r]), position, rows)

    async def _batches(
        self, connection: Any, questions: Sequence[Question], batch: int, seconds: float | None
    ) -> AsyncGenerator[tuple[int, Rows], None]:
        async with self._snapshot(connection):
            for position, (statement, values) in enumerate(questions):
                with _within(connection, seconds), _asking(self._limits):
                    cursor = await connection.cursor(statement.text, *statement.values(values))
                    rows = await cursor.fetch(batch)
                while rows:
                    yield position, rows
                    with _within(connection, seconds), _asking(self._limits):
                        rows = await cursor.fetch(batch)

    async def open(self) -> None:
        """Be ready to read, so that no reading waits for the first connection.

        Raises:
            Away: nobody is let in.
        """
        await self._pool("read", self._limits.connections)

    async def tell(self, statement: str) -> tuple[Any, ...]:
        """Return the one row of a short statement, as it is now.

        Raises:
            Away: the server cannot be read from, or does not answer at once.
        """
        async with self._connection("tell", 1, TELL) as connection:
            with _within(connection, TELL), _asking(self._limits):
                return tuple(await connection.fetchrow(statement))

    def drop(self) -> None:
        """Cut every connection, also those that are read by."""
        pools, self._pools = list(self._pools.values()), {}
        self._closed_until = time.monotonic() + AGAIN  # who was about to read tries elsewhere
        for pool in pools:
            pool.terminate()

    async def close(self) -> None:
        """Give back every connection."""
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()


async def _nothing(_: Any) -> None:
    """Leave a connection as it is: whatever it did was in a transaction, and that has ended."""


@contextmanager
def _asking(limits: Limits) -> Iterator[None]:
    """Tell what is wrong with a server from what is wrong with a question, while it is asked.

    Raises:
        Away: the server failed.
        Broken: it took the connection back.
        Problem: unavailable, it took longer than it may.
    """
    try:
        yield
    except asyncpg.QueryCanceledError:
        raise too_long(limits) from None
    except asyncpg.SerializationError:  # to a reader: it stood in the way of a replica that follows its primary
        raise Broken("in the way") from None
    except _GONE as error:
        raise Away(type(error).__name__) from None


@contextmanager
def _within(connection: Any, seconds: float | None) -> Iterator[None]:
    """Cut a connection that takes longer: its server may not even read that somebody gave up."""
    if seconds is None:
        yield
        return
    cut = asyncio.get_running_loop().call_later(seconds, connection.terminate)
    try:
        yield
    finally:
        cut.cancel()
