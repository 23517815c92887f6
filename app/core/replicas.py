"""Reading on streaming replicas: never older than what the primary had when the reading was asked for."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import TypeVar

from app.core.engine import Limits, Question, Reading, Rows, ServerState
from app.core.reading import TELL, Away, Broken, Server

T = TypeVar("T")
LIGHT = 2.0  # seconds that a replica may take for a reading of which little is asked
LEAST_REST, MOST_REST = 0.25, 30.0  # seconds for which nothing is asked of a replica that failed: doubled each time
LOOK = 0.002  # seconds between two looks at how far a replica is
LEAST_WAIT = 0.05  # seconds in which it may say that it is there already

# How much of its log a server has written safely: whatever anybody could see in it is in that part.
MARK = "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint"
# How much of it a replica shows, and whether it is one: null after it was promoted.
PLACE = "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint END"
SYSTEM = "SELECT system_identifier FROM pg_control_system()"  # the same for a server and its replicas alone


class Told:
    """A number that a server tells, asked for all who wait for it together.

    Each is given one that was asked for after it came: who comes while it is asked waits for the next.
    """

    def __init__(self, ask: Callable[[], Awaitable[int]]) -> None:
        """Ask by a function."""
        self._ask = ask
        self._next: asyncio.Future[int] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def now(self) -> int:
        """Return the number.

        Raises:
            Away: the server does not tell.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._next)

    async def _ask_all(self) -> None:
        while (waiting := self._next) is not None:
            self._next = None
            try:
                waiting.set_result(await self._ask())
            except asyncio.CancelledError:
                waiting.cancel()
                raise
            except Exception as error:
                waiting.set_exception(error)
                waiting.exception()  # it is nobody's fault if all who waited have gone

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        self._next = self._asking = None


class Replica:
    """One replica: how far it is, whether it is used, and how long it rests where it is not."""

    def __init__(self, name: str, server: Server) -> None:
        """Begin with one of which nothing is known."""
        self.name = name
        self.server = server
        self.state = "not asked yet"
        self.reads = self.failures = self.seen = 0
        self.place = Told(self._place)
        self.rests_until = 0.0
        self._rest = LEAST_REST
        self.trying: asyncio.Task[None] | None = None

    @property
    def is_used(self) -> bool:
        """Whether it is read from."""
        return self.state == "used"

    async def _place(self) -> int:
        (place,) = await self.server.tell(PLACE)
        if place is None:
            raise Away("no replica any more")
        self.seen = max(self.seen, int(place))
        return int(place)

    async def reaches(self, mark: int, until: float) -> bool:
        """Tell whether it shows what the primary had at a mark, or does so by a moment.

        Raises:
            Away: it cannot be read from.
        """
        try:
            async with asyncio.timeout(max(until - time.monotonic(), LEAST_WAIT)):
                while self.seen < mark:
                    if await self.place.now() < mark:
                        await asyncio.sleep(LOOK)
        except TimeoutError:
            return False
        return True

    def use(self) -> None:
        """Read from it again."""
        self.state, self._rest = "used", LEAST_REST

    def fail(self, away: Away) -> None:
        """Note that it could not be read from: where it is not about one reading alone, let go of it and rest."""
        if self.is_used and not isinstance(away, Broken):
            self.rest(f"away: {away}")
            self.server.drop()

    def rest(self, why: str) -> None:
        """Ask nothing of it for a while, longer each time."""
        if self.is_used:
            self.failures += 1
        self.state = why
        self.rests_until = time.monotonic() + self._rest
        self._rest = min(self._rest * 2, MOST_REST)

    async def close(self) -> None:
        """Let go of it."""
        if self.trying is not None:
            self.trying.cancel()
            await asyncio.gather(self.trying, return_exceptions=True)
        await self.place.close()
        await self.server.close()


class Replicas:
    """The replicas of one primary, in turn; the primary where none of them is fit."""

    def __init__(self, primary: Server, servers: Sequence[Server], limits: Limits) -> None:
        """Read from servers that follow a primary."""
        self._primary = primary
        self._limits = limits
        self._marks = Told(self._mark)
        self._all = [Replica(f"replica-{number}", server) for number, server in enumerate(servers, 1)]
        self._turn = self._reads = self._last = 0
        self._system: int | None = None

    async def _mark(self) -> int:
        (mark,) = await self._primary.tell(MARK)
        self._last = int(mark)
        return self._last

    async def _fresh(self) -> list[tuple[Replica, int]]:
        """Return the replicas to ask, in turn, with the mark that each has to reach.

        Raises:
            Away: the primary does not tell; what is fresh cannot be known.
        """
        before = {one.name: one.seen for one in self._all}
        mark = await self._marks.now() if any(one.is_used for one in self._all) else 0
        self._turn += 1
        found = []
        for i in range(len(self._all)):
            one = self._all[(self._turn + i) % len(self._all)]
            if one.is_used and before[one.name] > mark:  # a true one is never ahead: the primary is another one now
                one.rest("ahead of the primary")
                one.seen = 0
            if one.is_used:
                found.append((one, mark))
            else:
                self._try(one)
        return found

    async def _fit(self, wait: float) -> "AsyncGenerator[Replica, None]":
        """Yield the replicas that are fresh, one after the other, as long as more are wanted."""
        until = time.monotonic() + wait
        for one, mark in await self._fresh():
            try:
                is_there = await one.reaches(mark, until)
            except Away as away:
                one.fail(away)
                continue
            if is_there and one.is_used:
                yield one
            elif one.is_used:
                one.rest("behind")

    async def read(self, reading: Reading[T], heavy: bool) -> T:
        """Run `reading` on one snapshot of a fresh replica, else of the primary.

        Raises:
            Away: the primary does not answer.
        """
        seconds = self._limits.seconds + LIGHT if heavy else LIGHT
        async with aclosing(self._fit(self._limits.wait)) as fit:
            async for one in fit:
                try:
                    done = await one.server.read(reading, seconds)
                except Away as away:
                    one.fail(away)
                    continue
                one.reads += 1
                return done
        self._reads += 1
        return await self._primary.read(reading)

    async def stream(
        self, questions: Sequence[Question], batch: int, work: Callable[[int, Rows], T]
    ) -> AsyncGenerator[T, None]:
        """Yield what `work` makes of batches of rows from one snapshot; what has begun is not begun anew elsewhere.

        Raises:
            Away: the primary does not answer, or whoever gave the first batch gives no more.
        """
        has_begun = False
        async with aclosing(self._fit(self._limits.wait)) as fit:
            async for one in fit:
                parts = one.server.stream(questions, batch, work, self._limits.seconds + LIGHT)
                try:
                    async with aclosing(parts):
                        async for part in parts:
                            has_begun = True
                            yield part
                    one.reads += 1
                    return
                except Away as away:
                    one.fail(away)
                    if has_begun:
                        raise
        self._reads += 1
        async with aclosing(self._primary.stream(questions, batch, work)) as parts:
            async for part in parts:
                yield part

    def _try(self, one: Replica) -> None:
        """Begin to see whether a replica may be used, beside the requests, if it has rested."""
        if time.monotonic() >= one.rests_until and (one.trying is None or one.trying.done()):
            one.trying = asyncio.create_task(self._is_good(one))

    async def _is_good(self, one: Replica) -> None:
        try:
            if self._system is None:
                (self._system,) = await self._primary.tell(SYSTEM)
            if await one.server.tell(SYSTEM) != (self._system,):
                one.rest("no replica of this primary")
                return
            mark = await self._marks.now()
            place = await one.place.now()
            if place > await self._marks.now():
                one.rest("ahead of the primary")
                one.seen = 0
            elif await one.reaches(mark, time.monotonic() + TELL):
                await one.server.open()
                one.use()
            else:
                one.rest("behind")
        except Exception as error:  # whatever it is that fails: it is not used, and tried again
            one.rest(f"away: {error if isinstance(error, Away) else type(error).__name__}")

    def states(self) -> Iterator[ServerState]:
        """Yield what is known of each server, the primary first."""
        yield ServerState("primary", "used", self._reads, 0, 0)
        for one in self._all:
            yield ServerState(one.name, one.state, one.reads, one.failures, max(0, self._last - one.seen))

    async def close(self) -> None:
        """Let go of the replicas."""
        await self._marks.close()
        for one in self._all:
            await one.close()
