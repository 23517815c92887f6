"""Freshness: the state that a view has now, never an older one, so that what was answered before can be given again."""

import asyncio
from collections.abc import Sequence
from typing import Any

from app.catalogue import state
from app.catalogue.query import Queries
from app.catalogue.state import State
from app.core.db import Database

Row = Sequence[Any] | None


class Fresh:
    """The states of the views of one database, for the event loop of one process.

    Where the database has a version, a state holds for as long as the version from before it was read. Where it has
    none, each state is read, by one reading for all who wait for it: one that began after they asked.
    """

    def __init__(self, database: Database, queries: Queries) -> None:
        """Read the states of a database."""
        self._database = database
        self._queries = queries
        self._known: dict[int, tuple[int, Row]] = {}
        self._next: dict[int, asyncio.Task[Row]] = {}
        self._reading: dict[int, asyncio.Task[Row]] = {}

    def known(self, view: int) -> State | None:
        """Return the state of a view if nothing was written since it was read, which costs some 5 µs to ask.

        Raises:
            Problem, Expired: as `state.of`.
        """
        known = self._known.get(view)
        if known is None or self._database.version() != known[0]:
            return None
        return state.of(view, known[1])

    async def read(self, view: int) -> State:
        """Return the state of a view, as it is after this was asked.

        Raises:
            Problem, Expired: as `state.of`.
        """
        version = self._database.version()
        if version is None:
            return state.of(view, await self._shared(view))
        row = await self._row(view)
        self._known[view] = version, row
        return state.of(view, row)

    async def _shared(self, view: int) -> Row:
        task = self._next.get(view)
        if task is None:
            task = self._next[view] = asyncio.create_task(self._after(view, self._reading.get(view)))
        return await asyncio.shield(task)

    async def _after(self, view: int, before: "asyncio.Task[Row] | None") -> Row:
        """Read after the reading that is under way, for all who asked meanwhile."""
        if before is not None:
            await asyncio.wait([before])
        self._reading[view] = self._next.pop(view)  # who asks from here on waits for the next one
        return await self._row(view)

    async def _row(self, view: int) -> Row:
        return await self._database.one(self._queries.state, {"view": view})
