"""Checkpoints of the log while the service runs: one each time the clock strikes, by whichever process is first."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from app.core import crypto, moments
from app.core.db import Database
from app.core.settings import Settings
from app.custody import checkpoints
from app.custody.filling import Filling
from app.custody.note import Signer
from app.custody.tree import Tree
from app.intake.write import Closed, Writer

LOOK_EVERY = 30.0  # seconds


def signer_of(master: bytes) -> Signer:
    """Return the key of the log: it follows from the master key, and is as old as that."""
    return Signer(crypto.derive(master, "log"))


class Checkpointing:
    """Makes checkpoints that are due, in a thread."""

    def __init__(
        self, settings: Settings, database: Database, log: Any, clock: Callable[[], int] = moments.now
    ) -> None:
        """Use a database; its writer is opened when the first checkpoint is due."""
        self._settings, self._database, self._log, self._clock = settings, database, log, clock
        self._every = settings.checkpoint_hours * checkpoints.HOUR
        self._tree = Tree()
        self._opened: Writer | None = None
        self._ends = asyncio.Event()

    async def run(self) -> None:
        """Look now and then whether one is due, until told to end."""
        while not self._ends.is_set():
            try:
                await asyncio.to_thread(self.once)
            except Exception as error:  # the service answers on, with the proofs that there are
                self._log.warning("a checkpoint could not be made", type=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ends.wait(), LOOK_EVERY)

    async def end(self, running: "asyncio.Task[None]") -> None:
        """End after the transaction that is under way."""
        self._ends.set()
        await running
        if self._opened is not None:
            await self._opened.vault.keys.close()

    def once(self) -> bool:
        """Make a checkpoint if one is due; tell whether it was made."""
        if not self._database.look(lambda connection: checkpoints.is_due(connection, self._clock(), self._every)):
            return False
        if self._opened is None:
            self._opened = Writer.open(self._settings, self._database, self._clock)
        writer = self._opened
        if not checkpoints.catch_up(self._database, self._tree, lambda: not self._ends.is_set()):
            return False
        signer, filling = signer_of(writer.master), Filling(writer.master)

        def _make(connection: Connection, at: int, size: int) -> bool:
            if not checkpoints.is_due(connection, at, self._every):  # another process was first
                return False
            checkpoints.make(self._database, connection, at, size, self._tree, signer, filling)
            return True

        try:
            return writer.transact(_make)
        except Closed:  # once more than the clock strikes: as soon as the catalogue is open
            return False
        except BaseException:
            self._tree = Tree()
            raise
