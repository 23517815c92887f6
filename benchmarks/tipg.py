"""tipg as a peer: from PyPI into a virtual environment of its own, over a PostgreSQL with PostGIS."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from benchmarks.applications import ids_of_csv
from benchmarks.postgresql import PEERS, Cluster
from benchmarks.questions import LIMIT
from benchmarks.system import FACTS, Asking, Command, File, Known, Page, Place, Request

VERSION = "1.6.1"
_PACKAGES = (f"tipg=={VERSION}", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0")
_ITEMS = "/collections/public.incident/items"
_ORDER = "-start_date,id"
_MOST = 10_000_000  # rows of one answer


class Tipg:
    """tipg on a PostgreSQL database of the same rows; every list of its states an exact total."""

    name = f"tipg {VERSION}"

    def __init__(self, home: Path, cluster: Cluster) -> None:
        """Serve the peers' database by an installation in a folder."""
        self._bin = (home / "tipg" / "bin").absolute()
        self._cluster = cluster

    def prepare(self) -> None:
        """Install it, unless that has been done."""
        if not (self._bin / "uvicorn").exists():
            subprocess.run((sys.executable, "-m", "venv", str(self._bin.parent)), check=True)
            pip = (str(self._bin / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input")
            subprocess.run((*pip, "install", "--quiet", *_PACKAGES), check=True)

    def command(self, port: int) -> Command:
        """Return uvicorn, as the service uses it, with a pool as large as the service's."""
        argv = (
            *(str(self._bin / "uvicorn"), "tipg.main:app", "--port", str(port), "--no-access-log"),
            *("--log-level", "warning", "--loop", "uvloop", "--http", "httptools"),
        )
        env = {
            "DATABASE_URL": self._cluster.database(PEERS),
            "TIPG_DB_SCHEMAS": '["public"]',
            "TIPG_MAX_FEATURES_PER_QUERY": str(_MOST),
            "TIPG_DEFAULT_FEATURES_LIMIT": str(LIMIT),
            "DB_MIN_CONN_SIZE": "4",
            "DB_MAX_CONN_SIZE": "8",
        }
        return Command(argv, env, behind=(self._cluster.pid,))

    def ready(self) -> Request:
        """Return one record."""
        return Request(f"{_ITEMS}/1?f=geojson")

    def page(self, page: Page) -> Request:
        """Return R1."""
        facets = [f"{name}='{value}'" for name, value in page.facets().items()]
        touches = f"end_date>=DATE('{page.first}') AND start_date<=DATE('{page.last}')"
        return _items(**{"filter-lang": "cql2-text", "filter": " AND ".join([*facets, touches])})

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2: it has no cursors."""
        return _items(offset=place.position)

    def one(self, known: Known) -> Request:
        """Return R3."""
        return Request(f"{_ITEMS}/{known.id}?f=geojson")

    def count(self, page: Page) -> Request:
        """Return R1: every list states its total."""
        return self.page(page)

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a page."""
        return [feature["properties"]["uid"] for feature in orjson.loads(body)["features"]]

    def total(self, body: bytes) -> int:
        """Return the total of a page."""
        return int(orjson.loads(body)["numberMatched"])

    def facts(self, body: bytes) -> dict[str, Any]:
        """Return the facts of a row."""
        row = orjson.loads(body)["properties"]
        return {name: row[name] for name in FACTS}

    def files(self, province: str) -> list[File]:
        """Return R6."""
        asked = urlencode({"f": "csv", "limit": _MOST, "province": province})
        return [File("csv", Request(f"{_ITEMS}?{asked}"), ids_of_csv)]


def _items(**asked: Any) -> Request:
    return Request(f"{_ITEMS}?{urlencode({'f': 'geojson', 'limit': LIMIT, 'sortby': _ORDER} | asked)}")
