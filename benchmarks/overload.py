"""What happens when more is asked than can be answered: how long what is taken takes, and what is refused.

Requests are sent at moments drawn by lot, whether earlier ones are answered or not, and their time counts from the
moment at which they were due. First as many connections as wrk has ask without a pause: that is what can be carried.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import uvloop

from benchmarks.server import Failed, Server
from benchmarks.system import Request
from benchmarks.wrk import CONNECTIONS

SHARES = (0.5, 2.0)  # of what can be carried
MOST = 1_000  # connections
TICK = 0.001  # seconds
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Overload:
    """One load: how many times what can be carried, requests a second, milliseconds.

    `answered` and `refused` are 200 and 503 with Retry-After, a second; anything else has failed.
    """

    system: str
    share: float
    offered: float
    answered: float
    p50: float
    p99: float
    refused: float
    refused_p99: float


class _Connection(asyncio.Protocol):
    """One connection, which asks one thing at a time."""

    def __init__(self, crowd: "_Crowd") -> None:
        self._crowd = crowd
        self._due = 0.0
        self._head = b""
        self._left = -1  # bytes of the body still to come; before its head is there, -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def ask(self, request: bytes, due: float) -> None:
        self._due, self._head, self._left = due, b"", -1
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            head, there, body = self._head.partition(b"\r\n\r\n")
            if not there:
                return
            found = _LENGTH.search(head)
            self._head, self._left, data = head, int(found[1]) if found else 0, body
        self._left -= len(data)
        if self._left <= 0:
            again = b"\r\nretry-after:" in self._head.lower()
            self._crowd.answered(self, int(self._head[9:12]), again, time.perf_counter() - self._due)

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost += 1

    def close(self) -> None:
        self._transport.close()


class _Crowd:
    """Those who ask."""

    def __init__(self, port: int, requests: Sequence[Request]) -> None:
        lines = "GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAccept: application/json\r\n\r\n"
        self._asked = [lines.format(one.path, port).encode() for one in requests]
        self._port = port
        self._free: list[_Connection] = []
        self._due: deque[float] = deque()
        self._number = 0
        self.lost = 0
        self.taken: dict[bool, list[float]] = {True: [], False: []}  # seconds, of what was answered and refused
        self._again = False

    async def connect(self, many: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(many):
            _, one = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
            self._free.append(one)

    def answered(self, one: _Connection, status: int, again: bool, took: float) -> None:
        if status != 200 and not (status == 503 and again):
            raise Failed(f"a request was answered {status}")
        self.taken[status == 200].append(took)
        if self._again:
            self._ask(one, time.perf_counter())
        elif self._due:
            self._ask(one, self._due.popleft())
        else:
            self._free.append(one)

    def _ask(self, one: _Connection, due: float) -> None:
        self._number += 1
        one.ask(self._asked[self._number % len(self._asked)], due)

    async def without_pause(self, seconds: float) -> float:
        """Ask again as soon as there is an answer; return how many there were a second."""
        self._again, free, self._free = True, self._free, []
        for one in free:
            self._ask(one, time.perf_counter())
        await asyncio.sleep(seconds)
        self._again, many = False, len(self.taken[True])
        return many / seconds

    async def at(self, rate: float, seconds: float, random: Random) -> float:
        """Ask so many times a second; return how many were asked a second."""
        begun, due, asked = time.perf_counter(), 0.0, 0
        while due < seconds:
            now = time.perf_counter() - begun
            while due <= min(now, seconds):
                if self._free:
                    self._ask(self._free.pop(), begun + due)
                else:
                    self._due.append(begun + due)
                asked, due = asked + 1, due + random.expovariate(rate)
            await asyncio.sleep(TICK)
        return asked / seconds

    def close(self) -> None:
        for one in self._free:
            one.close()


def measure(name: str, server: Server, requests: Sequence[Request], seconds: float, seed: int = 11) -> list[Overload]:
    """Ask for pages at each load.

    Raises:
        Failed: something was neither answered nor refused as it should be, or a connection was cut.
    """
    for request in requests:  # until every total is known
        server.ask(request)
    carried = uvloop.run(_carried(server.port, requests, seconds))
    found = []
    for share in SHARES:
        server.rest()
        found.append(uvloop.run(_at(name, server.port, requests, share, carried, seconds, Random(seed))))
    return found


async def _carried(port: int, requests: Sequence[Request], seconds: float) -> float:
    crowd = _Crowd(port, requests)
    await crowd.connect(CONNECTIONS)
    rate = await crowd.without_pause(seconds)
    await asyncio.sleep(0.5)
    crowd.close()
    return rate


async def _at(
    name: str, port: int, requests: Sequence[Request], share: float, carried: float, seconds: float, random: Random
) -> Overload:
    crowd = _Crowd(port, requests)
    await crowd.connect(MOST if share > 1 else CONNECTIONS)
    offered = await crowd.at(share * carried, seconds, random)
    answered, refused = (list(crowd.taken[kind]) for kind in (True, False))
    if crowd.lost:
        raise Failed(f"{crowd.lost} connections were cut")
    await asyncio.sleep(1)
    crowd.close()
    (p50, p99), (_, refused_p99) = _middle(answered), _middle(refused)
    return Overload(name, share, offered, len(answered) / seconds, p50, p99, len(refused) / seconds, refused_p99)


def _middle(taken: list[float]) -> tuple[float, float]:
    """Return the median and the 99th of 100, in milliseconds."""
    taken = sorted(taken) or [0.0]
    return taken[len(taken) // 2] * 1e3, taken[len(taken) * 99 // 100] * 1e3
