"""The service on a primary with replicas, and through a pooler: the same bytes as on one server, and as fresh."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from app.core import observe
from app.core.db import Database
from app.core.ids import fixed
from app.core.settings import Settings
from app.main import create_app
from app.records import KINDS
from tests.catalogue.conftest import INCIDENTS, seed, settings_of
from tests.catalogue.seed import set_view
from tests.cluster import Cluster, pooler, run
from tests.conftest import environment, serving, settings_for
from tests.intake.house import I1, I2, OWNER, T1, T2, WORLD, a_testimony, an_incident

ADDRESSES = (
    *(f"/v1/{kind.path}?format={name}" for kind in KINDS for name in ("json", "ndjson", "csv")),
    *(f"/v1/incidents/{INCIDENTS[name].id}{more}" for name in "abj" for more in ("", "/history")),
    *("/v1/incidents?period=post-2011-12&facets=violation,year&limit=2", "/v1/incidents?violation=torture&sort=date"),
    *(
        "/v1/incidents?sort=-updated&limit=3",
        "/v1/places/prov-a/incidents",
        "/v1/changes?limit=5",
        "/v1/incidents/inc-x",
    ),
    *("/v1/statistics/counts?group_by=violation,year", "/v1/incidents/queryables", "/v1/incidents?violation=tortur"),
)


def made_in(servers: Cluster, name: str) -> str:
    run(servers.primary.address("postgres"), f"CREATE DATABASE {name}", "SELECT 1")
    return servers.primary.address(name)


@pytest.fixture(scope="module")
def seeded_in(servers) -> str:
    """The address, on the primary, of a small catalogue."""
    url = made_in(servers, "seeded")
    seed(url)
    return url


def used(client: TestClient) -> dict[str, str]:
    """Ask until every replica is used; return what the readiness says."""
    patience = time.monotonic() + 30  # a replica asks for its primary every few seconds
    while time.monotonic() < patience:
        client.get("/v1/incidents?limit=1")
        ready = client.get("/readyz").json()
        if {*ready["servers"].values()} == {"used"}:
            return dict(ready["servers"])
        time.sleep(0.01)
    raise AssertionError(ready)


def test_a_replica_answers_with_the_bytes_of_the_primary(servers, seeded_in, tmp_path, monkeypatch):
    registries: list[CollectorRegistry] = []

    class Metrics(observe.Metrics):
        def __init__(self, *about: Any) -> None:
            super().__init__(*about)
            registries.append(self.registry)

    monkeypatch.setattr(observe, "Metrics", Metrics)
    settings = settings_of(seeded_in, tmp_path / "one")
    spread = replace(settings, read_urls=(servers.replicas[0].address("seeded"),), read_wait_ms=2000)
    with TestClient(create_app(settings)) as one, TestClient(create_app(spread)) as other:
        assert used(other) == {"primary": "used", "replica-1": "used"}
        value = registries[1].get_sample_value

        def reads(server: str) -> float:
            return value("evidence_server_reads_total", {"server": server}) or 0

        before = reads("primary"), reads("replica-1")
        for address in ADDRESSES:
            mine, theirs = one.get(address), other.get(address)
            ours, others = ({**got.headers, "x-request-id": ""} for got in (mine, theirs))
            assert (mine.status_code, ours, mine.content) == (theirs.status_code, others, theirs.content), address
        assert reads("primary") == before[0]
        assert reads("replica-1") - before[1] >= len(ADDRESSES)
        assert value("evidence_server_used", {"server": "replica-1"}) == 1
        assert one.get("/readyz").json() == {"status": "ok"}
    assert registries[0].get_sample_value("evidence_server_used", {"server": "primary"}) is None


def test_a_change_is_seen_at_once_whatever_the_replica_shows(servers, seeded_in, tmp_path):
    slow = servers.replicas[1].address("seeded")
    settings = replace(settings_of(seeded_in, tmp_path), read_urls=(slow,), read_wait_ms=50)
    database = Database(seeded_in)
    with TestClient(create_app(settings)) as client:
        used(client)
        tag = client.get("/v1/incidents").headers["etag"]
        run(slow, "SELECT pg_wal_replay_pause()", "SELECT 1")
        try:
            set_view(database, generation=77)
            assert client.get("/v1/incidents", headers={"If-None-Match": tag}).status_code == 200
            assert client.get("/readyz").json()["servers"] == {"primary": "used", "replica-1": "behind"}
            set_view(database, state="building")  # as a narrowing does that takes everything away at once
            assert client.get("/v1/incidents").status_code == 503
        finally:
            run(slow, "SELECT pg_wal_replay_resume()", "SELECT 1")
        set_view(database, state="live")
        used(client)
        again = client.get("/v1/incidents")
        assert (again.status_code, again.headers["etag"] != tag) == (200, True)
    asyncio.run(database.close())


def test_without_the_primary_reading_is_503_and_the_service_is_not_ready(servers, seeded_in, tmp_path):
    settings = replace(settings_of(seeded_in, tmp_path), read_urls=(servers.replicas[0].address("seeded"),))
    with TestClient(create_app(settings)) as client:
        used(client)
        servers.primary.stop()
        try:
            answers = [client.get(address) for address in ("/v1/incidents", "/v1/incidents?format=csv", "/readyz")]
            assert [(one.status_code, one.json()["type"]) for one in answers] == [(503, "/problems/unavailable")] * 3
            assert [one.headers["retry-after"] for one in answers] == ["10"] * 3
            assert client.get("/healthz").status_code == 200
        finally:
            servers.primary.start()
        used(client)


@pytest.fixture
def through(servers) -> Iterator[tuple[str, str]]:
    """The addresses of one database through pgbouncer: on the primary, and on a replica."""
    made_in(servers, "pooled")
    made_in(servers, "pooled_keys")
    nodes = (servers.primary, servers.replicas[0])
    with pooler(*(f"{node.folder.parent}:{node.number}" for node in nodes)) as (primary, replica):
        yield f"{primary}pooled?pooled=true", f"{replica}pooled?pooled=true"


@pytest.fixture
def pooled(through, tmp_path) -> Settings:
    """Settings that reach everything through it."""
    keys = through[0].replace("pooled?", "pooled_keys?")
    return replace(settings_for(through[0], tmp_path), keys_url=keys, read_urls=(through[1],))


@pytest.fixture
def command(pooled) -> Callable[..., str]:
    """A function that runs the command, and returns what it printed."""

    def invoke(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), env=environment(pooled, 0))
        assert done.exit_code == 0, (words, done.output)
        return done.output

    return invoke


def test_all_of_it_works_through_a_pooler_in_transaction_mode(pooled, command, tmp_path):
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    known = an_incident(I1, testimonies=[T1], violations=["torture"])
    first.write_bytes(b"\n".join(map(orjson.dumps, [*WORLD, a_testimony(T1), known])))
    more = [an_incident(fixed("inc", f"more-{n}"), violations=["torture"], places=["camp"]) for n in range(100)]
    second.write_bytes(b"\n".join(map(orjson.dumps, [a_testimony(T2), *more])))
    command("load", str(first), "--owner", OWNER)
    key = key_of(command)
    with serving(pooled, EVIDENCE_READ_URLS=pooled.read_urls[0]) as at:
        totals: list[int] = []
        done = threading.Event()

        def ask(sort: str) -> None:
            while not done.is_set():
                answer = httpx.get(f"{at}/v1/incidents?limit=3&violation=torture&sort={sort}")
                assert answer.status_code == 200, answer.text
                totals.append(answer.json()["total"])

        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask, sort) for sort in ("date", "-date", "id", "updated")]
            try:
                command("load", str(second), "--owner", OWNER)
                write(at, key)
            finally:
                done.set()
            for one in asking:
                one.result()
        assert (min(totals), max(totals)) == (1, 102)
        assert httpx.get(f"{at}/readyz").json()["servers"] == {"primary": "used", "replica-1": "used"}
        assert len(httpx.get(f"{at}/v1/incidents?format=ndjson").content.splitlines()) == 102
    command("load", str(first), "--owner", OWNER, "--bulk")
    command("retract", I1, "--owner", OWNER, "--reason", "a test")
    command("audit", "verify")


def key_of(command: Callable[..., str]) -> str:
    """Return a key of the owner of the records."""
    command("keys", "create-organisation", OWNER, "--name", "A test", "--view", "partner")
    roles = [word for role in ("contribute", "steward", "read") for word in ("--role", role)]
    said = command("keys", "create", OWNER, "--name", "a", "--view", "partner", *roles)
    return next(word for word in said.split() if word.startswith("evk_"))


def write(at: str, key: str) -> None:
    """Write a record, change it again and again, and read it after each change."""
    with httpx.Client(base_url=at, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        content = an_incident(I2, violations=["torture"])
        written = client.post(
            "/v1/incidents", json={name: content[name] for name in content if name not in ("id", "kind")}
        )
        assert written.status_code == 201, written.text
        place, tag = f"/v1/incidents/{written.json()['id']}", written.headers["etag"]
        for number in range(10):
            headers = {"If-Match": tag, "Content-Type": "application/merge-patch+json"}
            answer = client.patch(place, json={"scope": ("situation", "event")[number % 2]}, headers=headers)
            assert answer.status_code == 200, answer.text
            tag = answer.headers["etag"]
            read = client.get(place).json()
            assert (read["revision"], read["scope"]) == (number + 2, ("situation", "event")[number % 2])
