"""More at once than can be answered: what is taken is answered, the rest is refused at once, nobody is forgotten."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.core.load import STATE, Load
from app.server import Connection
from tests.conftest import serving

GET = b"GET %b HTTP/1.1\r\nHost: evidence.test\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def write(self, data: Any) -> None:
        self.written += data

    def writelines(self, pieces: Any) -> None:
        self.written += b"".join(pieces)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    @property
    def status(self) -> int:
        return int(self.written.split()[1]) if self.written else 0


class House:
    """A server whose app answers when it is told to."""

    def __init__(self, most: int) -> None:
        self.load = Load(most)
        self.free = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = [(b"content-length", b"2")]
        options: Any = {"http": Connection, "ws": "none", "log_config": None, "lifespan": "off", "interface": "asgi3"}
        config = uvicorn.Config(self.app, **options)
        config.load()
        self.config, self.state = config, ServerState()

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        await self.free.wait()
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"ok"})

    def connect(self) -> tuple[Connection, Wire]:
        connection, wire = Connection(self.config, self.state, {STATE: self.load}), Wire()
        connection.connection_made(wire)
        return connection, wire

    def ask(self, request: bytes = GET % b"/v1") -> tuple[Connection, Wire]:
        connection, wire = self.connect()
        connection.data_received(request)
        return connection, wire

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


def run(work: Any) -> None:
    asyncio.run(work())


def test_what_is_too_much_is_refused_before_anything_else_is_done():
    async def work() -> None:
        house = House(3)
        asked = [house.ask() for _ in range(8)]
        # Nothing has run yet: the refusals are there, the others wait.
        assert [wire.status for _, wire in asked] == [0] * 3 + [503] * 5
        head, _, body = asked[-1][1].written.partition(b"\r\n\r\n")
        assert b"\r\nretry-after: 1" in head and b"\r\ncontent-type: application/problem+json\r\n" in head
        assert b"\r\nx-content-type-options: nosniff" in head and b"connection: close" not in head
        assert json.loads(body)["type"] == "/problems/unavailable"
        assert house.ask(GET % b"/healthz")[1].status == 0  # it is taken
        house.free.set()
        await house.settle()
        assert [wire.status for _, wire in asked] == [200] * 3 + [503] * 5
        assert (house.load.now, house.load.refused) == (0, 5)
        # The connection of a refusal goes on.
        connection, wire = asked[-1]
        wire.written = b""
        connection.data_received(GET % b"/v1")
        await house.settle()
        assert wire.status == 200 and not wire.closed
        for one, _ in asked:
            one.connection_lost(None)

    run(work)


def test_a_refusal_to_head_has_no_body_and_one_of_a_body_ends_the_connection():
    async def work() -> None:
        house = House(1)
        house.ask()
        _, wire = house.ask(b"HEAD /v1 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.status == 503 and wire.written.endswith(b"\r\n\r\n") and not wire.closed
        connection, wire = house.ask(b"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        assert wire.status == 503 and b"\r\nconnection: close\r\n" in wire.written and wire.closed
        connection.data_received(b"123456789")
        _, wire = house.ask(b"GET /v1 HTTP/1.0\r\nHost: a\r\n\r\n")
        assert wire.status == 503 and wire.closed
        house.free.set()
        await house.settle()
        assert house.load.now == 0

    run(work)


def test_requests_one_behind_the_other_are_each_answered_or_refused():
    async def work() -> None:
        house = House(2)
        house.ask()
        connection, wire = house.ask(GET % b"/a" + GET % b"/b" + GET % b"/c")
        assert house.load.now == 2
        house.free.set()
        await house.settle()
        assert wire.written.count(b"HTTP/1.1 200 OK") == 3 and house.load.now == 0
        house.free.clear()
        held = [house.ask() for _ in range(2)]
        wire.written = b""
        connection.data_received(GET % b"/a" + GET % b"/b")
        assert wire.written.count(b"HTTP/1.1 503 ") == 2
        house.free.set()
        await house.settle()
        assert [wire.status for _, wire in held] == [200, 200] and house.load.now == 0

    run(work)


def test_who_writes_or_goes_away_holds_no_place():
    async def work() -> None:
        house = House(1)
        house.ask(b"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        assert house.load.now == 1  # until it begins
        await house.settle()
        assert house.load.now == 0
        connection, _ = house.ask()
        await house.settle()
        assert house.load.now == 1
        connection.connection_lost(None)
        house.free.set()
        await house.settle()
        assert house.load.now == 0

    run(work)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"2")],
        [],
        [(b"content-length", b"2"), (b"connection", b"close")],
        [(b"content-length", b"2"), (b"a", b"b\r\nevil: yes")],
        [(b"content-length", b"2"), (b"a", b"b\x00c")],
        [(b"content-length", b"3")],
    ],
    ids=["usual", "no length", "close", "two lines", "nul", "short"],
)
def test_an_answer_as_a_whole_is_what_uvicorn_sends_in_parts(headers):
    async def sent(whole: bool) -> tuple[bytes, bool]:
        house = House(0)
        house.headers = headers
        house.free.set()
        with pytest.MonkeyPatch.context() as patch:
            if not whole:
                patch.setattr("app.server.Cycle._sent_whole", lambda *_: False)
            _, wire = house.ask()
            await house.settle()
        return wire.written, wire.closed

    async def both() -> None:
        assert await sent(True) == await sent(False)

    asyncio.run(both())


def test_many_connections_at_once(public_record_in):
    """Whoever is taken gets the answer, whoever is not gets 503 and when to come again; then all is as before."""

    async def one(host: str, port: int, number: int) -> tuple[int, bool]:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            path = b"/healthz" if number % 10 == 0 else b"/v1/incidents?limit=%d" % (number + 1)
            writer.write(b"GET %b HTTP/1.1\r\nHost: evidence.test\r\nConnection: close\r\n\r\n" % path)
            head, _, body = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
            status = int(head.split()[1])
            assert (b"\r\nretry-after: 1" in head) == (status == 503)
            assert json.loads(body)
            return status, number % 10 == 0
        finally:
            writer.close()

    async def rush(address: str, n: int) -> Counter[tuple[int, bool]]:
        host, _, port = address.removeprefix("http://").rpartition(":")
        return Counter(await asyncio.gather(*[one(host, int(port), i) for i in range(n)]))

    more = {"EVIDENCE_QUEUE": "4", "EVIDENCE_RATE_PUBLIC": "0", "EVIDENCE_LOG_LEVEL": "error"}
    with serving(public_record_in("sqlite"), "rush", **more) as address:
        found = asyncio.run(rush(address, 200))
        assert found[200, True] == 20 and found[200, False] >= 4
        assert set(found) <= {(200, True), (200, False), (503, False)}
        assert found[200, False] + found[503, False] == 180
        assert asyncio.run(rush(address, 3)) == {(200, True): 1, (200, False): 2}
