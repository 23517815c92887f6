"""Turns: one import is worked on at a time, in a process beside the service, and begun again where one was killed."""

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from app.core.db import Database
from app.core.settings import Settings
from app.imports.keeping import Keeping
from app.imports.working import AGAIN
from app.intake.bulk import Busy, alone
from app.vault.keys import KeyStore

LOOK_EVERY = 15  # seconds, for what others have left to be done
MOST_ATTEMPTS = 3  # that end without an end of the work
BEGIN = "from app.imports.working import begin; begin()"
PAUSE = 2.0  # seconds after one of those


class Running(Protocol):
    """A process that works on an import."""

    def wait(self) -> int:
        """Wait until it has ended; return its status."""

    def kill(self) -> None:
        """End it at once: whatever it was at is begun again."""


class Beside:
    """A process beside this one that works on an import, and ends with this one.

    It is no fork of this one, nor does it load what this one has loaded: its memory is its own work's alone.
    """

    def __init__(self, settings: Settings, id: str) -> None:
        """Start it, and tell it what to do."""
        self.process = subprocess.Popen([sys.executable, "-c", BEGIN], stdin=subprocess.PIPE)  # noqa: S603
        assert self.process.stdin is not None  # noqa: S101 - it was asked for
        with suppress(OSError):  # it has ended already: its status says so
            self.process.stdin.write(pickle.dumps((settings, id)))
            self.process.stdin.flush()

    def wait(self) -> int:
        """Wait until it has ended; return its status."""
        with self.process:
            return self.process.wait()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()


class Turns:
    """Who is next, and how the process that works on it does."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        keys: Callable[[], KeyStore],
        log: Any,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """Work on the imports of a database; `done` is called after each, for what is still to be shown anew."""
        self._settings, self._keys, self._log, self._done = settings, keys, log, done
        self._keeping = Keeping(database, settings.home, settings.import_days)
        self._due = asyncio.Event()
        self._running: Running | None = None
        self._ends = False

    def wake(self) -> None:
        """Look at once whether there is something to be done; on the event loop."""
        self._due.set()

    async def run(self) -> None:
        """Work on one import after another until told to end."""
        while not self._ends:
            self._due.clear()
            try:
                with suppress(Busy), alone(self._settings.home, "imports"):  # another server of this folder is at it
                    await self._all()
            except Exception as error:  # the service answers on; it is tried again
                self._log.warning("imports could not be worked on", type=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), LOOK_EVERY)

    async def _all(self) -> None:
        if await asyncio.to_thread(self._keeping.has_any):
            await asyncio.to_thread(lambda: self._keeping.tidy(self._keys()))
        while not self._ends and (waiting := await asyncio.to_thread(self._keeping.waiting_for_work)):
            if not await self._one(waiting[0]):
                return

    async def _one(self, id: str) -> bool:
        """Have an import worked on; tell whether another may be at once."""
        self._running = await asyncio.to_thread(Beside, self._settings, id)
        if self._ends:
            self._running.kill()
        status = await asyncio.to_thread(self._running.wait)
        self._running = None
        self._done()
        if self._ends or status == AGAIN:
            return False
        if status:
            over = await asyncio.to_thread(self._keeping.failed_once, id, MOST_ATTEMPTS)
            self._log.warning("an import was not worked on to its end", status=status, over=over)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), PAUSE)
        return True

    async def end(self, running: "asyncio.Task[None]") -> None:
        """End: an import that is worked on is begun again at the next start."""
        self._ends = True
        self._due.set()
        if self._running is not None:
            self._running.kill()
        await running
