"""The service on a primary with replicas, and through a pooler: the same bytes as on one server, and as fresh."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import orjson
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from app.core import observe
from app.core.db import Database
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
    for _ in range(1000):
        client.get("/v1/incidents?limit=1")
        ready = client.get("/readyz").json()
        if {*ready["servers"].values()} == {"used"}:
            return dict(ready["servers"])
    raise AssertionError(ready)


def test_a_replica_answers_with_the_bytes_of_the_primary(servers, seeded_in, tmp_path, monkeypatch):
    registries: list[CollectorRegistry] = []

    class Metrics(observe.Metrics):
        def __init__(self) -> None:
            super().__init__()
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


class TestPooled:
    """pgbouncer in transaction mode, with three connections to each database, before the primary and a replica."""

    @pytest.fixture(scope="class")
    def through(self, servers: Cluster) -> Iterator[tuple[str, str]]:
        """The addresses of one database through poolers: on the primary, and on the replica."""
        made_in(servers, "pooled")
        made_in(servers, "pooled_keys")
        nodes = (servers.primary, servers.replicas[0])
        with pooler(*(f"{node.folder.parent}:{node.number}" for node in nodes)) as (primary, replica):
            yield f"{primary}pooled?pooled=true", f"{replica}pooled?pooled=true"

    @pytest.fixture(scope="class")
    def variables(self, through: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
        """The settings as variables."""
        settings = settings_for(through[0], tmp_path_factory.mktemp("pooled"))
        keys = through[0].replace("pooled?", "pooled_keys?")
        return environment(replace(settings, keys_url=keys), 0) | {"EVIDENCE_READ_URLS": through[1]}

    @pytest.fixture
    def command(self, variables: dict[str, str]) -> Callable[..., str]:
        """A function that runs the command, and returns what it printed."""

        def invoke(*words: str) -> str:
            done = CliRunner().invoke(app, list(words), env=variables)
            assert done.exit_code == 0, (words, done.output)
            return done.output

        return invoke

    def test_all_of_it_works(self, through, variables, command, tmp_path):
        first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
        lines = [*WORLD, a_testimony(T1), an_incident(I1, testimonies=[T1], violations=["torture"])]
        first.write_bytes(b"\n".join(map(orjson.dumps, lines)))
        more = [an_incident(f"inc-more-{n}", violations=["torture"], places=["camp"]) for n in range(300)]
        second.write_bytes(b"\n".join(map(orjson.dumps, [a_testimony(T2), *more])))
        command("load", str(first), "--owner", OWNER)
        command("keys", "create-organisation", OWNER, "--name", "A test", "--view", "partner")
        said = command(
            "keys", "create", OWNER, "--name", "a", "--role", "contribute", "--role", "steward", "--role", "read"
        )
        key = next(word for word in said.split() if word.startswith("evk_"))
        home = settings_for(through[0], Path(variables["EVIDENCE_HOME"]))
        with serving(
            replace(home, keys_url=variables["EVIDENCE_KEYS_URL"]), **{"EVIDENCE_READ_URLS": through[1]}
        ) as at:
            client = httpx.Client(base_url=at, headers={"Authorization": f"Bearer {key}"}, timeout=30)
            totals: list[int] = []
            failed: list[object] = []
            done = threading.Event()

            def ask(n: int) -> None:
                while not done.is_set():
                    answer = httpx.get(f"{at}/v1/incidents?limit=3&violation=torture&sort={('date', 'id')[n % 2]}")
                    (totals if answer.status_code == 200 else failed).append(answer.json().get("total"))

            with ThreadPoolExecutor(8) as pool:
                for n in range(8):
                    pool.submit(ask, n)
                try:
                    command("load", str(second), "--owner", OWNER)
                    body = an_incident(I2, violations=["torture"]) | {"id": None}
                    del body["id"], body["kind"]
                    written = client.post("/v1/incidents", json=body)
                    assert written.status_code == 201, written.text
                    place = f"/v1/incidents/{written.json()['id']}"
                    for number in range(20):  # what was written is read at once
                        tag = client.get(f"{place}/submitted").headers["etag"]
                        patch = {"title": {"en": f"Title {number}", "fit_for": ["public", "partner"]}}
                        answer = client.patch(
                            place,
                            json={"corroboration": None}
                            if not number
                            else {"scope": ("event", "situation")[number % 2]},
                            headers={"If-Match": tag, "Content-Type": "application/merge-patch+json"},
                        )
                        assert answer.status_code in (200, 422), (answer.text, patch)
                        if answer.status_code == 200:
                            assert client.get(place).json()["revision"] == answer.json()["revision"]
                finally:
                    done.set()
            assert not failed and len(totals) > 20
            assert {1, 302} <= {*totals}
            servers = httpx.get(f"{at}/readyz").json()["servers"]
            assert servers == {"primary": "used", "replica-1": "used"}
            assert len(httpx.get(f"{at}/v1/incidents?format=ndjson").content.splitlines()) == 302
        command("load", str(first), "--owner", OWNER, "--bulk")
        command("retract", I1, "--owner", OWNER, "--reason", "a test")
        command("rebuild")
        command("audit", "verify")
