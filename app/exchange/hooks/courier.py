"""The courier: one task of each process that sees which webhooks have something to send, and has it sent in order."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection

from app.core import moments
from app.core.crypto import SealError
from app.core.db import Database
from app.core.settings import Settings
from app.exchange.hooks import outbox
from app.exchange.hooks.messages import Messages
from app.exchange.hooks.outbox import Outcome, Rules, Work
from app.exchange.hooks.posting import AT_ONCE, Post

T = TypeVar("T")
EVERY = 1.0  # seconds between two looks
IN_A_ROW = 200  # messages of one webhook before others have their turn
TURN = 5.0  # seconds after which it begins no further one: a slow receiver must not keep a place for hours
Expire = Callable[[int], Awaitable[None]]
Count = Callable[[str], None]


class Courier:
    """Sends the messages of all webhooks; what each process does at a time is held by leases in the database.

    A message is fixed before it is sent, and struck off after it was taken. Whatever ends a process in between, another
    one, or itself after it began anew, sends it again by the same id.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        messages: Messages,
        post: Post,
        expire: Expire,
        count: Count,
        log: Any,
        clock: Callable[[], int] = moments.now,
    ) -> None:
        """Send from a database; each outcome is counted."""
        self._database, self._messages, self._post = database, messages, post
        self._expire, self._count, self._log, self._clock = expire, count, log, clock
        self._rules = Rules(settings.hook_retry_seconds, settings.hook_days)
        self._is_off = not settings.hooks_each
        # Longer than an attempt takes, so that no other process begins it meanwhile.
        self._lease = (2 * settings.hook_seconds + 1) * 1000
        self._me = secrets.token_hex(8)
        self._going: dict[str, asyncio.Task[None]] = {}
        self._turns: dict[str, float] = {}  # when each webhook that still has something to send had its last turn
        self._ends = self._has_held = False

    async def run(self) -> None:
        """Look and send until cancelled."""
        while not self._is_off:
            try:
                await self.look()
            except Exception as error:  # what waits is safe in the database, and is looked at again
                self._log.warning("webhooks could not be looked at", type=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Begin to send for every webhook that has something to send, as far as there are places."""
        due = await asyncio.to_thread(self._database.look, self._due)
        over = {view for _, view, expiry in due if expiry is not None and expiry <= self._clock()}
        for view in over:
            await self._expire(view)
        self._turns = {id: self._turns.get(id, 0.0) for id in (*(one[0] for one in due), *self._going)}
        for id, view, _ in sorted(due, key=lambda one: self._turns[one[0]]):
            if len(self._going) >= AT_ONCE:
                return
            if id not in self._going and view not in over:
                self._turns[id] = time.monotonic()
                task = self._going[id] = asyncio.create_task(self._serve(id))
                task.add_done_callback(lambda _, id=id: self._going.pop(id, None))  # type: ignore[misc]

    def _due(self, connection: Connection) -> list[Any]:
        return [*connection.execute(outbox.due(self._clock()))]

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        while self._going:
            await asyncio.wait([*self._going.values()])

    async def _serve(self, id: str) -> None:
        """Send the messages of one webhook, one after the other, as long as they are taken."""
        self._has_held = True
        try:
            work = await self._write(lambda connection: outbox.claim(connection, id, *self._held()))
            ends = time.monotonic() + TURN
            for number in range(IN_A_ROW):
                if work is None:
                    return
                if number and time.monotonic() >= ends:
                    break
                work = await self._one(work)
            await self._write(lambda connection: outbox.release(connection, self._me, id))
        except Exception as error:  # its lease ends by itself
            self._log.warning("a webhook could not be served", webhook=id, type=type(error).__name__)

    async def _one(self, work: Work) -> Work | None:
        outcome = await self._attempt(work)
        self._count(outcome.word)
        me, now, until = self._held()

        def settled(connection: Connection) -> Work | None:
            if not outbox.settle(connection, work, outcome, me, now, until, self._rules) or self._ends:
                return None
            return outbox.following(connection, work.webhook, me, now, until)

        return await self._write(settled)

    async def _attempt(self, work: Work) -> Outcome:
        id, body = self._messages.of(work)
        try:
            headers = self._messages.signed(work.webhook, work.secrets, id, body, self._clock())
        except SealError:
            return Outcome("secret")
        return await self._post.send(work.url, headers, body)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._database.write, work)

    def _held(self) -> tuple[str, int, int]:
        """Return who holds what is taken now, the moment, and until when."""
        now = self._clock()
        return self._me, now, now + self._lease

    async def end(self) -> None:
        """End: what is being sent is given up, and what this process holds is left to others."""
        self._ends = True
        for task in [*self._going.values()]:
            task.cancel()
        for task in [*self._going.values()]:
            with suppress(asyncio.CancelledError):
                await task
        if self._has_held:
            with suppress(Exception):  # the leases end by themselves
                await self._write(lambda connection: outbox.release(connection, self._me))
        await self._post.close()
