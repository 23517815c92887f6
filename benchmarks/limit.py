"""The limits of the machine (`raw.py`) as systems to measure."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from benchmarks.system import FACTS, Asking, Command, Known, Page, Place, Request

ROOT = Path(__file__).resolve().parents[1]


class Limit:
    """One of the two applications of `raw.py`."""

    def __init__(self, name: str, application: str, database: Path) -> None:
        """Serve a database by an application."""
        self.name = name
        self._application = application
        self._database = database

    def command(self, port: int) -> Command:
        """Return uvicorn, as the service uses it."""
        argv = (
            *(sys.executable, "-m", "uvicorn", self._application, "--port", str(port), "--no-access-log"),
            *("--log-level", "warning", "--loop", "uvloop", "--http", "httptools"),
        )
        return Command(argv, {"BENCH_DATABASE": str(self._database.absolute())}, ROOT)

    def ready(self) -> Request:
        """Return one record."""
        return Request("/incident/1")

    def page(self, page: Page) -> Request:
        """Return R1."""
        return Request(f"/page?{_asked(page)}")

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2."""
        return Request(f"/deep?{urlencode({'date': place.start_date, 'id': place.id})}")

    def one(self, known: Known) -> Request:
        """Return R3."""
        return Request(f"/incident/{known.id}")

    def count(self, page: Page) -> Request:
        """Return a count of its own: pages state none."""
        return Request(f"/count?{_asked(page)}")

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


def limits(database: Path) -> list[Limit]:
    """Return both."""
    return [
        Limit("JSON built in SQL, Starlette", "benchmarks.raw:sql", database),
        Limit("stored JSON, bare ASGI", "benchmarks.raw:stored", database),
    ]


def _asked(page: Page) -> str:
    return urlencode({"violation": page.violation, "from": page.first, "to": page.last})
