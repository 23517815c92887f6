"""The applications of this folder as systems to measure: the limits of the machine, and what most would write."""

import csv
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from benchmarks.postgresql import PEERS, Cluster
from benchmarks.system import FACTS, Asking, Command, File, Group, Known, Page, Place, Request, Table

ROOT = Path(__file__).resolve().parents[1]


class Limit:
    """An application that answers as `raw.py` does."""

    def __init__(self, name: str, application: str, env: Mapping[str, str], behind: tuple[int, ...] = ()) -> None:
        """Serve an application, with what it reads from the environment."""
        self.name = name
        self._application = application
        self._env = env
        self._behind = behind

    def command(self, port: int) -> Command:
        """Return uvicorn, as the service uses it."""
        argv = (
            *(sys.executable, "-m", "uvicorn", self._application, "--port", str(port), "--no-access-log"),
            *("--log-level", "warning", "--loop", "uvloop", "--http", "httptools"),
        )
        return Command(argv, self._env, ROOT, self._behind)

    def ready(self) -> Request:
        """Return one record."""
        return Request("/incident/1")

    def page(self, page: Page) -> Request:
        """Return R1."""
        return Request(f"/page?{asked(page)}")

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2."""
        return Request(f"/deep?{urlencode({'date': place.start_date, 'id': place.id})}")

    def one(self, known: Known) -> Request:
        """Return R3."""
        return Request(f"/incident/{known.id}")

    def count(self, page: Page) -> Request:
        """Return a count of its own: pages state none."""
        return Request(f"/count?{asked(page)}")

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a page."""
        return [row["uid"] for row in orjson.loads(body)]

    def total(self, body: bytes) -> int:
        """Return the count."""
        return int(body)

    def facts(self, body: bytes) -> dict[str, Any]:
        """Return the facts of a row."""
        row = orjson.loads(body)
        return {name: row[name] for name in FACTS}


class Counting(Limit):
    """One that answers R4 and R6 too."""

    format = "ndjson"

    def grouped(self, group: Group) -> Request:
        """Return R4."""
        return Request(f"/counts?{urlencode({'verification': group.verification, 'from': group.first})}")

    def groups(self, body: bytes) -> Table:
        """Return the counts by violation and year."""
        return {(violation, f"{year}"): n for violation, year, n in orjson.loads(body)}

    def files(self, province: str) -> list[File]:
        """Return R6."""
        request = Request(f"/everything?{urlencode({'province': province})}")
        return [File(self.format, request, ids_of_lines if self.format == "ndjson" else ids_of_csv)]


class Copying(Counting):
    """One whose R6 is CSV as PostgreSQL copies it out."""

    format = "csv"


class Naive(Counting):
    """`naive.py`."""

    format = "csv"

    def ready(self) -> Request:
        """Return one record."""
        return Request("/incidents/1")

    def page(self, page: Page) -> Request:
        """Return R1."""
        return Request(f"/incidents?{asked(page)}")

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2: it has no cursors."""
        return Request(f"/incidents?offset={place.position}")

    def one(self, known: Known) -> Request:
        """Return R3."""
        return Request(f"/incidents/{known.id}")

    def count(self, page: Page) -> Request:
        """Return a count of its own."""
        return Request(f"/incidents/count?{asked(page)}")

    def total(self, body: bytes) -> int:
        """Return the count."""
        return int(orjson.loads(body)["total"])

    def groups(self, body: bytes) -> Table:
        """Return the counts by violation and year."""
        return {(one["violation_type"], f"{one['year']}"): one["incidents"] for one in orjson.loads(body)}

    def files(self, province: str) -> list[File]:
        """Return R6."""
        return [File(self.format, Request(f"/incidents.csv?{urlencode({'province': province})}"), ids_of_csv)]


class Constant:
    """A body that is always the same: what hot answers are measured against."""

    name = "constant body, bare ASGI"

    def __init__(self) -> None:
        """Answer with as many bytes as will be said."""
        self.size = 1_000
        self._limit = Limit(self.name, "benchmarks.raw:constant", {})

    def command(self, port: int) -> Command:
        """Return uvicorn, as the service uses it."""
        return self._limit.command(port)

    def ready(self) -> Request:
        """Return a small body."""
        return Request("/100")

    def page(self, page: Page) -> Request:
        """Return a body of as many bytes as R1 has."""
        return Request(f"/{self.size}")


def limits(database: Path) -> list[Limit]:
    """Return the limits of SQLite."""
    env = {"BENCH_DATABASE": str(database.absolute())}
    return [
        Counting("JSON built in SQL, Starlette", "benchmarks.raw:sql", env),
        Limit("stored JSON, bare ASGI", "benchmarks.raw:stored", env),
    ]


def copying(cluster: Cluster) -> Limit:
    """Return the limit of PostgreSQL."""
    env = {"BENCH_POSTGRESQL": cluster.database(PEERS)}
    return Copying("asyncpg, json_agg", "benchmarks.raw_postgresql:application", env, (cluster.pid,))


def naive(database: Path) -> Limit:
    """Return what most would write."""
    env = {"BENCH_DATABASE": str(database.absolute())}
    return Naive("FastAPI, SQLModel, response_model", "benchmarks.naive:app", env)


def asked(page: Page) -> str:
    """Return the query string of R1."""
    facets = {"violation": page.violation, "province": page.province, "verification": page.verification}
    given = {name: value for name, value in facets.items() if value}
    return urlencode(given | {"from": page.first, "to": page.last})


def ids_of_lines(body: bytes) -> set[str]:
    """Return the ids of the peers' rows, a JSON object a line."""
    return {orjson.loads(line)["uid"] for line in body.splitlines()}


def ids_of_csv(body: bytes) -> set[str]:
    """Return the ids of the peers' rows as CSV."""
    return {row["uid"] for row in csv.DictReader(StringIO(body.decode(), newline=""))}
