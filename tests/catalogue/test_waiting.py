"""Waiting for changes: by a long question and by a stream of events; who is let go, and when."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import update

from app.access.caller import mint, unauthenticated
from app.catalogue.tables import VIEW
from app.core import scopes
from app.core.db import Database
from app.intake.submit import Intake
from app.intake.write import Writer
from app.main import create_app
from tests.conftest import serving
from tests.contract.asking import BASE, HOST
from tests.intake.house import T1, a_place, a_source, a_testimony, consent, submit


class Wire:
    """One request in the running loop; what was sent so far, and how it ended."""

    def __init__(self, app: Any, address: str, view: int = 0, method: str = "GET", **headers: str) -> None:
        path, _, query = address.removeprefix(BASE).partition("?")
        pairs = {"host": HOST, **headers}.items()
        self.scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in pairs],
            "client": ("127.0.0.1", 1),
            "test.view": view,
        }
        self.sent: list[Any] = []
        self.gone = asyncio.Event()
        self.task = asyncio.create_task(app(self.scope, self._receive, self._send))

    async def _receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    async def until(self, reached: Callable[[], bool], seconds: float = 5) -> None:
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, self.sent
            await asyncio.sleep(0.02)

    async def has(self, part: bytes) -> None:
        await self.until(lambda: part in self.body)


@pytest.fixture
def service(settings, database, monkeypatch):
    """A function that runs a test with an app, whose callers are in the view that they name, as long as `holds`."""
    monkeypatch.setattr("app.catalogue.stream.CHECK", 0.3)
    holds = {"view": True}

    def identify(scope):
        if not holds["view"]:
            raise unauthenticated("This credential was revoked.", given=True)
        return mint(scope["test.view"])

    def run(test: Any, **more: Any) -> None:
        async def go() -> None:
            own = Database.main(settings)
            await test(create_app(replace(settings, log_level="error", **more), db=own, identify=identify), holds)
            await own.close()

        asyncio.run(go())

    return run


def write(settings, *values: Any) -> None:
    """Submit from another thread, as another process would."""

    def work() -> None:
        with closing_of(Database.main(settings)) as database:
            writer = Writer.open(settings, database)
            submit(Intake(writer), *values)
            asyncio.run(writer.vault.keys.close())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def closing_of(database: Database) -> Any:
    class Close:
        def close(self) -> None:
            asyncio.run(database.close())

        def __getattr__(self, name: str) -> Any:
            return getattr(database, name)

    return closing(Close())


def test_a_long_question_is_answered_when_there_is_something(service, settings, intake):
    async def test(app, _):
        wire = Wire(app, "/v1/changes?after=now&wait=20")
        await asyncio.sleep(0.5)
        assert wire.sent == []
        await asyncio.to_thread(write, settings, a_source())
        await asyncio.wait_for(wire.task, 5)
        page = orjson.loads(wire.body)
        assert [one["id"] for one in page["items"]] == ["src-a"]
        assert "wait=20&after=" in page["next"]
        assert dict(wire.sent[0]["headers"])[b"cache-control"] == b"no-store"

    service(test)


def test_it_is_answered_at_once_where_there_is_something_already(service, intake):
    submit(intake, a_source())

    async def test(app, _):
        wire = Wire(app, "/v1/changes?wait=60")
        await asyncio.wait_for(wire.task, 2)
        assert len(orjson.loads(wire.body)["items"]) == 1

    service(test)


def test_it_is_answered_with_nothing_when_the_time_is_over(service, settings, intake):
    """Also where something else changed: what a filter leaves out, and what another view alone is shown."""

    async def test(app, _):
        before = time.monotonic()
        some = [Wire(app, "/v1/changes?after=now&wait=2&kind=place"), Wire(app, "/v1/changes?after=start&wait=2")]
        await asyncio.sleep(0.4)
        told = a_testimony(T1, consent=consent(mechanism={}), citations=[])
        await asyncio.to_thread(write, settings, told)
        for wire in some:
            await asyncio.wait_for(wire.task, 5)
            page = orjson.loads(wire.body)
            assert (page["items"], page["more"]) == ([], False)
        assert 1.9 < time.monotonic() - before < 4

    service(test)


def test_a_stream_tells_of_each_change_as_it_is_done_and_goes_on_after_the_last(service, settings, intake):
    submit(intake, a_source("src-a"))

    async def test(app, _):
        wire = Wire(app, "/v1/changes/stream", accept="text/event-stream")
        await wire.has(b'"id":"src-a"')
        assert wire.status == 200
        headers = dict(wire.sent[0]["headers"])
        assert (headers[b"content-type"], headers[b"cache-control"]) == (b"text/event-stream", b"no-store")
        await wire.has(b":\n\n")
        await asyncio.to_thread(write, settings, a_source("src-b"), a_place("camp"))
        await wire.has(b'"id":"camp"')
        events = [one for one in wire.body.split(b"\n\n") if b"data: " in one]
        assert wire.body.startswith(b"retry: 5000\n\n")
        data = [orjson.loads(one.partition(b"data: ")[2])["id"] for one in events]
        assert data == ["src-a", "src-b", "camp"]
        first = events[0].partition(b"\n")[0].removeprefix(b"id: ").decode()
        wire.gone.set()
        await asyncio.wait_for(wire.task, 5)
        again = Wire(app, "/v1/changes/stream?after=start", last_event_id=first)
        await again.has(b'"id":"camp"')
        assert b'"id":"src-a"' not in again.body
        page = Wire(app, f"/v1/changes?after={first}")
        await page.task
        assert [one["id"] for one in orjson.loads(page.body)["items"]] == ["src-b", "camp"]
        again.gone.set()
        await asyncio.wait_for(again.task, 5)

    service(test)


def test_what_a_filter_leaves_out_moves_the_place_and_tells_nothing(service, settings, intake):
    async def test(app, _):
        wire = Wire(app, "/v1/changes/stream?kind=place&after=now")
        await wire.has(b"retry")
        await asyncio.to_thread(write, settings, a_source("src-a"))
        await wire.until(lambda: wire.body.count(b"id: ") >= 2)
        assert b"data" not in wire.body
        wire.gone.set()
        await asyncio.wait_for(wire.task, 5)

    service(test)


def test_whose_credential_is_revoked_is_told_nothing_more(service, settings, intake):
    async def test(app, holds):
        wire, long = Wire(app, "/v1/changes/stream", view=2), Wire(app, "/v1/changes?after=now&wait=30", view=2)
        await wire.has(b"retry")
        holds["view"] = False
        await asyncio.to_thread(write, settings, a_source())
        await asyncio.wait_for(wire.task, 5)
        await asyncio.wait_for(long.task, 5)
        assert b"src-a" not in wire.body + long.body
        assert wire.sent[-1] == {"type": "http.response.body", "body": b""}
        assert long.status == 401

    service(test)


def test_a_stream_ends_with_its_view(service, settings, intake, database):
    async def test(app, _):
        wire = Wire(app, "/v1/changes/stream", view=2)
        await wire.has(b"retry")
        await asyncio.to_thread(
            database.write, lambda connection: connection.execute(update(VIEW).values(state="building"))
        )
        await asyncio.wait_for(wire.task, 5)
        refused = Wire(app, "/v1/changes/stream", view=2)
        await refused.task
        assert refused.status == 503

    service(test)


def test_a_server_that_ends_lets_all_go(service, intake):
    async def test(app, _):
        some = [Wire(app, "/v1/changes/stream"), Wire(app, "/v1/changes?after=now&wait=30")]
        await asyncio.sleep(0.4)
        for wire in some:
            scopes.end(wire.scope)
        for wire in some:
            await asyncio.wait_for(wire.task, 2)
            assert wire.status == 200

    service(test)


def test_so_many_may_wait_and_no_more(service, intake):
    async def test(app, _):
        some = [Wire(app, "/v1/changes/stream") for _ in range(2)]
        await some[1].has(b"retry")
        third = Wire(app, "/v1/changes/stream")
        await third.task
        assert third.status == 429
        other = Wire(app, "/v1/changes?after=now&wait=9")
        other.scope["client"] = ("192.0.2.1", 1)
        await asyncio.sleep(0.1)
        late = Wire(app, "/v1/changes?after=now&wait=9")
        late.scope["client"] = ("192.0.2.2", 1)
        await late.task
        assert late.status == 503
        plain = Wire(app, "/v1/changes")
        await plain.task
        assert plain.status == 200
        some[0].gone.set()
        await asyncio.wait_for(some[0].task, 5)
        again = Wire(app, "/v1/changes/stream")
        await again.has(b"retry")
        for wire in (some[1], again, other):
            scopes.end(wire.scope)
            await asyncio.wait_for(wire.task, 5)

    service(test, waiters=3, waiters_each=2)


def test_all_who_wait_share_one_look(service, intake, monkeypatch):
    async def test(app, _):
        looks = 0
        read = Database.read

        async def counted(self, reading, heavy=False):
            nonlocal looks
            looks += 1
            return await read(self, reading, heavy)

        some = [Wire(app, "/v1/changes?after=now&wait=2") for _ in range(200)]
        await asyncio.sleep(0.3)
        monkeypatch.setattr(Database, "read", counted)
        await asyncio.sleep(1)
        assert looks <= 6
        monkeypatch.setattr(Database, "read", read)
        for wire in some:
            await asyncio.wait_for(wire.task, 5)

    service(test, waiters_each=500)


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("/v1/changes/stream?wait=3", {}, 422),
        ("/v1/changes/stream?limit=3", {}, 422),
        ("/v1/changes/stream", {"last_event_id": "nonsense"}, 422),
        ("/v1/changes/stream", {"accept": "text/html"}, 406),
        ("/v1/changes?wait=61", {}, 422),
        ("/v1/changes?wait=0", {}, 422),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(service, intake, address, headers, status):
    async def test(app, _):
        wire = Wire(app, address, **headers)
        await wire.task
        assert wire.status == status

    service(test)


def test_head_has_the_headers_and_ends(service, intake):
    async def test(app, _):
        wire = Wire(app, "/v1/changes/stream", method="HEAD")
        await asyncio.wait_for(wire.task, 2)
        assert (wire.status, wire.body) == (200, b"")

    service(test)


def test_a_real_server_ends_with_streams_open(settings, database, intake):
    submit(intake, a_source())
    lines: list[str] = []

    def follow(address: str) -> None:
        with httpx.stream("GET", f"{address}/v1/changes/stream", timeout=20) as answer:
            lines.extend(answer.iter_lines())
        lines.append("ended whole")

    with serving(settings, "waiting") as address:
        thread = threading.Thread(target=follow, args=(address,))
        thread.start()
        end = time.monotonic() + 10
        while not any("src-a" in line for line in lines):
            assert time.monotonic() < end
            time.sleep(0.05)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    thread.join(5)
    assert lines[-1] == "ended whole"
