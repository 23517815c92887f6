"""The desk: writes wait their turn in a thread of their own, and give up after some seconds."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Select, select
from sqlalchemy.exc import DBAPIError

from app.access.caller import PUBLIC, Identity
from app.catalogue.state import Expire
from app.catalogue.tables import VIEW
from app.core import moments
from app.core.db import Database, Rows, Snapshot
from app.core.problems import Problem
from app.core.settings import Settings
from app.core.unusable import unusable
from app.intake.submit import Asker
from app.intake.write import Closed, Writer

T = TypeVar("T")
PATIENCE = 5.0  # seconds for which a write waits for its turn
MOST_WAITING = 64


class _GivenUp(Exception):
    """Whoever asked was told that it was too long."""


class _Turn:
    """One write that waits: it begins or is given up, never both."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = self._is_given_up = False

    def begin(self) -> None:
        with self._lock:
            if self._is_given_up:
                raise _GivenUp
            self._begun = True

    def check(self) -> None:
        with self._lock:
            if self._is_given_up:
                raise _GivenUp

    def give_up(self) -> bool:
        with self._lock:
            self._is_given_up = not self._begun
            return self._is_given_up


class Desk:
    """Where requests have their writes done: one after another, so that one writer of this process is enough."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        master: bytes,
        expire: Expire,
        done: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        """Write to a database.

        Args:
            settings: how the service is deployed.
            database: the main database.
            master: the master key.
            expire: takes away what has expired from a view.
            done: called after each write, for what is still to be shown anew.
            failed: told why the database cannot be written, for the operator.
        """
        self.master = master
        self._settings, self._database, self._expire = settings, database, expire
        self._done, self._failed = done, failed
        self._writing = ThreadPoolExecutor(1, "write")
        self._looking = ThreadPoolExecutor(1, "look")
        self._opening = threading.Lock()
        self._writer: Writer | None = None
        self._waiting = 0
        self._views = database.prepare(_views())

    def writer(self) -> Writer:
        """Return the writer of the thread that writes."""
        with self._opening:
            if self._writer is None:
                self._writer = Writer.open(self._settings, self._database)
            return self._writer

    async def asker(self, who: Identity) -> Asker:
        """Return what a caller is shown of others: the view of everybody; where it may read, those of its credential.

        What has expired in one of these is taken away first.
        """
        wanted = {PUBLIC} | ({one.view for one in who.views} if "read" in who.roles else set())

        async def reading(snapshot: Snapshot) -> Rows:
            return await snapshot.all(self._views, {})

        rows = await self._database.read(reading)
        now = moments.now()
        for view, _, expiry in rows:
            if view in wanted and expiry is not None and expiry <= now:
                await self._expire(view)
        live = sum(1 << view for view, state, _ in rows if view in wanted and state == "live")
        return Asker(str(who.organisation), live)

    async def write(self, work: Callable[[Writer, Connection, int, int], T]) -> T:
        """Run `work(writer, connection, moment, size of the log)` in one transaction.

        Raises:
            Problem: unavailable, where its turn did not come in time: then nothing is written, now or later.
        """
        if self._waiting >= MOST_WAITING:
            raise _busy()
        turn = _Turn()

        def in_turn() -> T:
            writer = self.writer()

            def begun(connection: Connection, at: int, size: int) -> T:
                turn.begin()
                return work(writer, connection, at, size)

            turn.check()  # while it waited for this thread
            return writer.transact(begun)

        self._waiting += 1
        going = asyncio.get_running_loop().run_in_executor(self._writing, in_turn)
        going.add_done_callback(self._is_through)
        return await self._within(going, turn)

    def _is_through(self, going: "asyncio.Future[T]") -> None:
        self._waiting -= 1  # only now: what was given up is still held in memory until the thread comes to it
        if not going.cancelled():
            going.exception()  # whoever gave up does not ask for it

    async def _within(self, going: "asyncio.Future[T]", turn: _Turn) -> T:
        done, _ = await asyncio.wait([going], timeout=PATIENCE)
        if not done and turn.give_up():
            raise _busy()
        try:
            found = await going
        except Closed:
            detail = "The catalogue is being made anew, and nothing is written meanwhile."
            raise Problem("unavailable", detail, headers={"Retry-After": "30"}) from None
        except (DBAPIError, OSError) as error:
            if (why := unusable(error)) is None:
                raise
            self._failed(why)
            detail = "The database cannot be written now. Nothing was written."
            raise Problem("unavailable", detail, headers={"Retry-After": "30"}) from None
        self._done()
        return found

    async def think(self, work: Callable[[Writer], T]) -> T:
        """Run what needs no database, and may take long, away from the event loop and from the lock."""
        return await asyncio.get_running_loop().run_in_executor(self._looking, lambda: work(self.writer()))

    async def look(self, work: Callable[[Writer, Connection], T]) -> T:
        """Run `work(writer, connection)` on one snapshot; it writes nothing, and the writer is one for this alone."""

        def looking() -> T:
            writer = Writer(self._database, self.writer().vault.keys, moments.now)
            return self._database.look(lambda connection: work(writer, connection))

        return await asyncio.get_running_loop().run_in_executor(self._looking, looking)

    async def close(self) -> None:
        """End after what is under way."""
        await asyncio.to_thread(self._writing.shutdown)
        await asyncio.to_thread(self._looking.shutdown)
        if self._writer is not None:
            await self._writer.vault.keys.close()


def _views() -> "Select[tuple[int, str, int]]":
    """Every view: its number, its state, when the next consent in it runs out."""
    return select(VIEW.c.id, VIEW.c.state, VIEW.c.next_expiry)


def _busy() -> Problem:
    detail = f"Others write, and this did not get its turn in {PATIENCE:g} seconds. Nothing was written."
    return Problem("unavailable", detail, headers={"Retry-After": "5"})
