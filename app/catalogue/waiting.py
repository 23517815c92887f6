"""Waiting for a change: one look at the views for all who wait in this process, and a bound on how many do."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import select

from app.access.caller import Caller, Identify, unauthenticated
from app.access.identify import anew
from app.access.limits import Addresses
from app.catalogue.state import Expire, unavailable
from app.catalogue.tables import VIEW
from app.core.answer import Request, Scope
from app.core.db import Database, Rows, Snapshot
from app.core.load import release
from app.core.problems import Problem
from app.core.scopes import is_ending

EVERY = 0.25  # seconds between two looks
_AGAIN = "30"  # seconds after which whoever is refused may try again


async def recheck(identify: Identify, request: Request, caller: Caller) -> None:
    """Look once more whether whoever waits may still read, and in the same view.

    Raises:
        Problem: what is wrong with the credential by now.
    """
    again = identify(anew(request.scope))
    if not isinstance(again, Caller):
        again = await again
    if again.view != caller.view:
        raise unauthenticated("What this credential reads was changed meanwhile.", given=True)


class Waiting:
    """All who wait in this process.

    While somebody waits a single task looks at the views, with one short statement, and wakes those whose view has
    changed, whose view may not answer any more, and whose server ends. Nobody has a thread or a connection.
    """

    def __init__(self, database: Database, expire: Expire, most: int, each: int) -> None:
        """Let `most` wait at once, and `each` credential or public reader hold so many of these places."""
        c = VIEW.c
        self._database = database
        self._statement = database.prepare(select(c.id, c.generation, c.state, c.next_expiry))
        self._expire, self._most, self._each = expire, most, each
        self._addresses = Addresses()
        self._held = Counter[str]()
        self._scopes: dict[int, Scope] = {}
        self._views: dict[int, int] | None = None  # the generation of each view that may answer, since somebody waits
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def place(self, request: Request, caller: Caller) -> Iterator[None]:
        """Hold a place among those who wait.

        Raises:
            Problem: too-many-requests, where this reader has as many as it may; unavailable, where all are taken.
        """
        who = caller.credential or self._addresses(request.scope)
        if self._held[who] >= self._each:
            detail = f"You wait for changes {self._each} times at once already, which is the most there may be."
            raise Problem("too-many-requests", detail, headers={"Retry-After": _AGAIN})
        if len(self._scopes) >= self._most:
            raise unavailable("As many wait for changes as there may be. Ask without waiting, or try again later.")
        release(request.scope)
        key = id(request)
        self._held[who] += 1
        self._scopes[key] = request.scope
        try:
            yield
        finally:
            del self._scopes[key]
            self._held[who] -= 1
            if not self._held[who]:
                del self._held[who]
            if not self._scopes and self._looking is not None:
                self._looking.cancel()
                self._looking, self._views = None, None

    async def wait(self, request: Request, view: int, seen: int, seconds: float) -> bool:
        """Wait until a view is beyond a generation, or may not answer, or the server ends, or seconds have passed.

        It is to be called by who holds a place.

        Returns:
            Whether it is one of the first two.
        """
        end = time.monotonic() + seconds
        while not is_ending(request.scope) and not self._has_changed(view, seen):
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), left)
        return self._has_changed(view, seen)

    def _has_changed(self, view: int, seen: int) -> bool:
        return self._views is not None and self._views.get(view, seen + 1) > seen

    async def _look(self) -> None:
        """Look at the views now and then, and wake all who wait where something is to be done."""
        while True:
            with suppress(Exception):  # whoever asks next is told what is wrong; those who wait go on
                found = {id: generation for id, generation, state, _ in await self._read() if state == "live"}
                if found != self._views or any(map(is_ending, self._scopes.values())):
                    self._views = found
                    self._woken.set()
                    self._woken = asyncio.Event()
            await asyncio.sleep(EVERY)

    async def _read(self) -> Rows:
        async def reading(snapshot: Snapshot) -> Rows:
            return await snapshot.all(self._statement, {})

        rows = await self._database.read(reading)
        over = [one for one, _, state, end in rows if state == "live" and end is not None and end <= time.time() * 1000]
        for view in over[:1]:  # of all views at once
            await self._expire(view)
        return await self._database.read(reading) if over else rows
