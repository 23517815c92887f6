"""Hot answers: the same bytes as without them, never of an older generation, never of another view."""

import asyncio
import base64
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.access.caller import mint
from app.catalogue.answer import Answer, Request
from app.catalogue.fresh import Fresh
from app.catalogue.hot import Hot, Key
from app.catalogue.query import Queries
from app.catalogue.state import wait_for_it
from app.core import migrations
from app.core.codings import LEAST
from app.core.db import Database
from app.core.settings import Settings
from app.main import create_app
from tests.catalogue.conftest import HIDDEN, INCIDENTS, OTHERS, PUBLIC, settings_of
from tests.catalogue.seed import fill, incident, set_view
from tests.core.test_codings import unpacked
from tests.often import often

LIST, ONE = "/v1/incidents?limit=3", f"/v1/incidents/{incident('a')}"
CODINGS = ("identity", "gzip", "br", "zstd")
VOLATILE = {"x-request-id", "ratelimit", "date"}


@pytest.fixture
def database(engine: str, new_database: Callable[[str], str]) -> Iterator[tuple[str, Database]]:
    url = new_database(engine)
    database = Database(url)
    migrations.upgrade(database)
    fill(database, PUBLIC)
    fill(database, [*PUBLIC, *HIDDEN], view=1)
    yield url, database
    asyncio.run(database.close())


@contextmanager
def serving(url: str, home: Path, **more: Any) -> Iterator[TestClient]:
    settings: Settings = replace(settings_of(url, home), rate_public=0, **more)
    view = lambda scope: mint(int(dict(scope["headers"]).get(b"x-view", b"0")))  # noqa: E731
    with TestClient(create_app(settings, identify=view, expire=wait_for_it)) as client:
        yield client


def whole(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status_code, answer.content, headers


ADDRESSES = (
    LIST,
    ONE,
    f"{ONE}/history",
    "/v1/incidents?violation=torture&facets=place&limit=2",
    "/v1/incidents?format=geojson",
    "/v1/incidents?format=ndjson&limit=4",
    "/v1/incidents?format=csv",
    "/v1/violations/torture/incidents",
    "/v1/incidents/queryables",
    "/v1/statistics/counts",
    "/v1",
    "/openapi.json",
    "/problems",
    "/v1/incidents?violation=nothing",
    "/v1/incidents/inc-absent",
)


def test_the_second_answer_is_the_first_one_and_the_one_without_a_cache(database, tmp_path):
    with serving(database[0], tmp_path / "a") as cached, serving(database[0], tmp_path / "b", answers_mb=0) as plain:
        for address in ADDRESSES:
            for coding, view in product(CODINGS, "01"):
                headers = {"Accept-Encoding": coding, "X-View": view}
                first, second = (whole(cached.get(address, headers=headers)) for _ in range(2))
                assert first == second
                head = cached.head(address, headers=headers)
                assert (head.status_code, head.content) == (first[0], b"")
                other = whole(plain.get(address, headers=headers))
                if "cursor=" not in first[1].decode("latin-1") and "cursor=" not in str(first[2]):
                    assert other == first  # cursors are made with a key of each service
                tag = first[2].get("etag")
                if tag is not None:
                    again = cached.get(address, headers=headers | {"If-None-Match": f'"x", {tag}'})
                    assert (again.status_code, again.headers["etag"]) == (304, tag)
                    any_ = cached.get(address, headers=headers | {"If-None-Match": "*"})
                    assert any_.status_code == 304
                    assert cached.get(address, headers=headers | {"If-None-Match": '"x"'}).status_code == 200


def test_each_coding_has_its_bytes_and_its_tag(database, tmp_path):
    tags, address = {}, "/v1/incidents?limit=10"
    with serving(database[0], tmp_path) as client:
        for coding in CODINGS:
            with client.stream("GET", address, headers={"Accept-Encoding": coding}) as answer:
                raw = b"".join(answer.iter_raw())
                assert answer.headers["vary"] == "Accept, Accept-Encoding, Authorization"
                assert int(answer.headers["content-length"]) == len(raw)
                tags[coding] = answer.headers["etag"]
                if coding == "identity":
                    plain = raw
                    assert "content-encoding" not in answer.headers
                else:
                    assert answer.headers["content-encoding"] == coding
                    assert unpacked(coding, raw) == plain
                    assert tags[coding] == f'{tags["identity"][:-1]}-{coding}"'
        # Who has a form that it takes is told so by the tag of that form; of one that it does not take it is not.
        for have, takes, status in (
            ("gzip", "gzip, zstd", 304),
            ("identity", "zstd", 304),
            ("zstd", "gzip", 200),
            ("br", "br;q=0, gzip", 200),
        ):
            asks = {"Accept-Encoding": takes, "If-None-Match": tags[have]}
            for _ in range(2):
                answer = client.get(address, headers=asks)
                assert answer.status_code == status
                assert (answer.headers["etag"] == tags[have]) == (status == 304)


def test_what_is_short_or_not_for_everybody_is_not_packed(database, tmp_path):
    with serving(database[0], tmp_path) as client:
        assert len(client.get(ONE).content) < LEAST
        assert "content-encoding" not in client.get(ONE).headers
        assert client.get(ONE, headers={"Accept-Encoding": "gzip, identity;q=0"}).headers["content-encoding"] == "gzip"
        private = client.get("/v1/incidents", headers={"X-View": "1"})
        assert len(private.content) > LEAST
        assert "content-encoding" not in private.headers
        # A whole file says nothing of the question, and nobody else can put a word into it.
        file = client.get("/v1/incidents?format=ndjson", headers={"X-View": "1", "Accept-Encoding": "br"})
        assert file.headers["content-encoding"] == "br"
        for format in ("xlsx", "parquet"):
            assert "content-encoding" not in client.get(f"/v1/incidents?format={format}").headers


@pytest.mark.parametrize("format", ["ndjson", "csv"])
def test_a_file_is_packed_while_it_is_made(database, tmp_path, format):
    address = f"/v1/incidents?format={format}"
    with serving(database[0], tmp_path) as client:
        plain = client.get(address, headers={"Accept-Encoding": "identity"}).content
        for coding in CODINGS[1:]:
            with client.stream("GET", address, headers={"Accept-Encoding": coding}) as answer:
                assert answer.headers["content-encoding"] == coding
                assert unpacked(coding, b"".join(answer.iter_raw())) == plain
            with client.stream("GET", f"{address}&limit=5", headers={"Accept-Encoding": coding}) as answer:
                raw = b"".join(answer.iter_raw())
                digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()  # of the bytes as they are sent
                assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
                assert unpacked(coding, raw) == client.get(f"{address}&limit=5").content


def test_an_expiry_ends_what_is_kept(database, tmp_path):
    url, written = database
    with serving(url, tmp_path) as client:
        soon = int(time.time() * 1000) + 900
        set_view(written, next_expiry=soon)
        first = client.get(LIST)
        assert client.get(LIST).headers["cache-control"] == first.headers["cache-control"]
        assert first.headers["cache-control"] == "public, max-age=0, s-maxage=0, must-revalidate"
        time.sleep(max(0.0, soon / 1000 - time.time()) + 0.01)
        assert client.get(LIST).status_code == 503  # nothing here takes away what has expired


def test_a_view_that_is_made_anew_does_not_answer_from_memory(database, tmp_path):
    url, written = database
    with serving(url, tmp_path) as client:
        assert [client.get(LIST).status_code for _ in range(2)] == [200, 200]
        set_view(written, state="building")
        assert client.get(LIST).status_code == 503
        set_view(written, state="live", generation=9)
        assert client.get(LIST).status_code == 200


def test_it_is_accounted_for_each_time(database, tmp_path):
    with serving(database[0], tmp_path) as client:
        for _ in range(3):
            client.get(LIST, headers={"X-View": "1"})
        lines = b"".join(one.read_bytes() for one in (tmp_path / "audit").glob("*.spool")).splitlines()
    assert len(lines) == 3
    counted = {line.split(b'"ids":"')[1].split(b'"')[0] for line in lines}
    assert len(counted) == 1 and counted != {b""}


def scope(**more: Any) -> dict[str, Any]:
    asked = {"type": "http", "path": "/v1/incidents", "query_string": b"", "scheme": "http", "headers": []}
    return asked | more


def test_room_is_bounded_and_old_generations_leave(database):
    asyncio.run(_bounded(database[1]))


async def _bounded(written: Database) -> None:
    hot = Hot(Fresh(written, Queries(written)), 1, None)
    keys: list[Key] = []
    for number in range(40):
        request = Request(scope(query_string=b"limit=%d" % (number + 1)))
        key = hot.key(request, 0)
        assert key is not None
        keys.append(key)
        hot.put(key, request, Answer(200, [], bytes(60_000), etag='"x"', generation=1))
        assert hot.size <= 1_048_576
    request = Request(scope())
    assert await hot.find(keys[0], request) is None
    assert await hot.find(keys[-1], request) is not None
    hot.put(keys[0], request, Answer(200, [], bytes(200_000), generation=1))  # too large to be kept
    hot.put(keys[0], request, Answer(200, [], b"old", generation=0))
    hot.put(keys[0], request, Answer(404, [], b"absent", generation=1))
    hot.put(keys[0], request, Answer(200, [], b"nobody keeps it"))
    assert await hot.find(keys[0], request) is None
    hot.put(keys[0], request, Answer(200, [], b"newer", generation=2))
    assert hot.size < 2_000
    assert await hot.find(keys[0], request) is None  # the database is not there yet: nothing is known of it
    assert hot.size == 0
    assert hot.key(Request(scope(query_string=b"q=" + b"x" * 2_000)), 0) is None
    assert Hot(Fresh(written, Queries(written)), 0, None).key(request, 0) is None
    await written.close()


def test_all_who_ask_while_a_state_is_read_are_told_one_that_was_read_later(database, engine):
    url, written = database

    async def asking() -> list[int]:
        fresh = Fresh(written, Queries(written))
        told: list[int] = []

        async def one(least: int) -> None:
            found = await fresh.read(0)
            told.append(found.generation - least)

        for number in range(2, 12):
            early = [asyncio.create_task(one(number - 1)) for _ in range(3)]
            await asyncio.sleep(0)
            await asyncio.to_thread(set_view, other, 0, generation=number)
            await asyncio.gather(*early, *[one(number) for _ in range(3)])
        await written.close()
        return told

    other = Database(url)
    told = asyncio.run(asking())
    asyncio.run(other.close())
    assert len(told) == 60 and min(told) >= 0


def test_no_answer_is_older_than_what_was_committed_before_it_was_asked(database, tmp_path):
    """Another process writes all the time, and says by a file what it has committed."""
    url, _ = database
    file = tmp_path / "committed"
    file.write_bytes((1).to_bytes(8, "big"))
    told = os.open(file, os.O_RDONLY)
    command = [sys.executable, "-m", "tests.catalogue.writing_on", url, str(file)]

    def committed() -> int:
        return int.from_bytes(os.pread(told, 8, 0), "big")

    kept: list[Answer] = []
    with pytest.MonkeyPatch.context() as patch, serving(url, tmp_path / "home") as client:
        find = Hot.find

        async def finding(self: Hot, key: Key, request: Request) -> Answer | None:
            answer = await find(self, key, request)
            if answer is not None:
                kept.append(answer)
            return answer

        patch.setattr(Hot, "find", finding)
        writer = subprocess.Popen(command)  # noqa: S603 - our own program
        try:
            while committed() < 3:
                assert writer.poll() is None
                time.sleep(0.01)
            for turn in range(often(200)):
                before = committed()
                if turn % 2:
                    number = client.get(ONE).json()["number"]
                else:
                    found = client.get("/v1/incidents", headers={"Accept-Encoding": CODINGS[turn % 4]}).json()
                    number = next(one["number"] for one in found["items"] if one["id"] == incident("a"))
                assert number >= before
            last = committed()
        finally:
            writer.kill()
            writer.wait()
            os.close(told)
        assert last > 20
        # With the writer gone the last state is kept, and given again.
        some = len(kept)
        numbers = {client.get(ONE).json()["number"] for _ in range(3)}
        assert len(numbers) == 1 and numbers.pop() >= last
        assert len(kept) >= some + 2


def test_views_with_the_same_question_have_answers_of_their_own(database, tmp_path):
    with serving(database[0], tmp_path) as client:
        totals = [client.get("/v1/incidents", headers={"X-View": view}).json()["total"] for view in "010101"]
    assert totals == [len(INCIDENTS), len(INCIDENTS) + 1] * 3
    assert len(OTHERS) > 0
