"""Datasette as a peer: installed from PyPI into a virtual environment of its own, serving the peers' database."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from benchmarks.applications import ids_of_csv
from benchmarks.questions import COUNTED, GROUPED, LIMIT
from benchmarks.system import FACTS, Asking, Command, File, Group, Known, Page, Place, Request, Table

VERSION = "0.65.5"
_NO_EXTRAS = {"_shape": "objects", "_nocount": "1", "_nofacet": "1", "_nosuggest": "1"}
# The SQLite library that the service uses, so that both have the same; no limit that would cut an answer short.
_PACKAGES = (f"datasette=={VERSION}", "pysqlite3")
_SETTINGS = {
    "facet_time_limit_ms": "60000",
    "sql_time_limit_ms": "60000",
    "max_returned_rows": "2000",
    "default_cache_ttl": "0",
    "max_csv_mb": "0",
}


class Datasette:
    """Datasette on the peers' database."""

    name = f"Datasette {VERSION}"

    def __init__(self, home: Path, database: Path) -> None:
        """Serve a database by an installation in a folder."""
        self._bin = (home / "datasette" / "bin").absolute()
        self._database = database.absolute()
        self._inspected = database.with_suffix(".inspect.json").absolute()

    def prepare(self) -> None:
        """Install it and let it count the tables, unless that has been done."""
        if not (self._bin / "datasette").exists():
            subprocess.run((sys.executable, "-m", "venv", str(self._bin.parent)), check=True)
            pip = (str(self._bin / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input")
            subprocess.run((*pip, "install", "--quiet", *_PACKAGES), check=True)
        if not self._inspected.exists():
            inspect = (str(self._bin / "datasette"), "inspect", str(self._database))
            subprocess.run((*inspect, "--inspect-file", str(self._inspected)), check=True, capture_output=True)

    def command(self, port: int) -> Command:
        """Return `datasette serve`, immutable and counted beforehand: its fastest."""
        settings = (word for name, value in _SETTINGS.items() for word in ("--setting", name, value))
        argv = (
            *(str(self._bin / "datasette"), "serve", "-i", str(self._database)),
            *("--inspect-file", str(self._inspected), "-h", "127.0.0.1", "-p", str(port)),
        )
        return Command((*argv, *settings))

    def ready(self) -> Request:
        """Return its own versions."""
        return Request("/-/versions.json")

    def page(self, page: Page) -> Request:
        """Return R1."""
        return self._table(_NO_EXTRAS | _asked(page))

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2: its cursors are open."""
        return self._table(_NO_EXTRAS | _ORDER | {"_next": f"{place.start_date},{place.id}"})

    def one(self, known: Known) -> Request:
        """Return R3."""
        return Request(f"{self._path()}/{known.id}.json?_shape=objects")

    def count(self, page: Page) -> Request:
        """Return R1 with the count that R1 goes without."""
        return self._table({name: value for name, value in _NO_EXTRAS.items() if name != "_nocount"} | _asked(page))

    def grouped(self, group: Group) -> Request:
        """Return R4, as a query of its SQL page."""
        asked = {"_shape": "array", "_size": "max", "sql": GROUPED, **group._asdict()}
        return Request(f"/{quote(self._database.stem)}.json?{urlencode(asked)}")

    def groups(self, body: bytes) -> Table:
        """Return the counts by violation and year."""
        return {(row["violation_type"], f"{row['y']}"): row["n"] for row in orjson.loads(body)}

    def faceted(self, page: Page) -> Request:
        """Return R1 with three facets of its own."""
        counted = {"_facet": [*COUNTED, "violation_type"], "_facet_size": 100, "_nosuggest": "1"}
        asked = {"_shape": "objects", "_nocount": "1"} | counted | _asked(page)
        return Request(f"{self._path()}.json?{urlencode(asked, doseq=True)}")

    def facets(self, body: bytes) -> Table:
        """Return the counts by verification and province."""
        found = orjson.loads(body)["facet_results"]
        return {(name, one["value"]): one["count"] for name in COUNTED for one in found[name]["results"]}

    def files(self, province: str) -> list[File]:
        """Return R6: CSV, streamed."""
        asked = {"province": province, "_stream": "on", "_size": "max", "_nofacet": "1", "_nocount": "1"}
        return [File("csv", Request(f"{self._path()}.csv?{urlencode(asked)}"), ids_of_csv)]

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a page."""
        return [row["uid"] for row in orjson.loads(body)["rows"]]

    def total(self, body: bytes) -> int:
        """Return the count of a page."""
        return int(orjson.loads(body)["filtered_table_rows_count"])

    def facts(self, body: bytes) -> dict[str, Any]:
        """Return the facts of a row."""
        (row,) = orjson.loads(body)["rows"]
        return {name: row[name] for name in FACTS}

    def _path(self) -> str:
        return f"/{quote(self._database.stem)}/incident"

    def _table(self, asked: dict[str, Any]) -> Request:
        return Request(f"{self._path()}.json?{urlencode(asked)}")


_ORDER = {"_sort_desc": "start_date", "_size": LIMIT}


def _asked(page: Page) -> dict[str, Any]:
    return page.facets() | {"end_date__gte": page.first, "start_date__lte": page.last} | _ORDER
