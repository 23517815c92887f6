"""The service itself, through its command and its API, as anybody runs it."""

import csv
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

from app.core.settings import Settings
from benchmarks.postgresql import KEYS, OURS, Cluster
from benchmarks.questions import LIMIT
from benchmarks.system import Asking, Command, File, Group, Known, Page, Place, Request, Table

MOST = 1_000  # records in one page
FORMATS = ("ndjson", "csv", "xlsx", "parquet")
# Whether there are hot answers to be switched off; without, an answer asked for again costs what it did.
KEEPS_ANSWERS = "answers_mb" in {field.name for field in fields(Settings)}


def evidence(*words: str) -> tuple[str, ...]:
    """Return the command line of the service's own command."""
    return (str(Path(sys.executable).with_name("evidence")), *words)


@dataclass(frozen=True)
class Store:
    """Where the service keeps its records: a data folder with SQLite, or one with a PostgreSQL server."""

    home: Path
    cluster: Cluster | None = None

    @property
    def engine(self) -> str:
        """Return the name of the engine."""
        return "SQLite" if self.cluster is None else "PostgreSQL"

    def environment(self) -> Mapping[str, str]:
        """Return the service's settings, without the built-in record."""
        taken = {"EVIDENCE_HOME": str(self.home.absolute()), "EVIDENCE_BUILTIN": "0", "EVIDENCE_LOG_LEVEL": "warning"}
        main, keys = ("", "") if self.cluster is None else map(self.cluster.database, (OURS, KEYS))
        return taken | {"EVIDENCE_DATABASE_URL": main, "EVIDENCE_KEYS_URL": keys}


class Ours:
    """The service on loaded records; where answers are kept, without any or with."""

    def __init__(self, store: Store, keeps: bool = False) -> None:
        """Serve what is stored."""
        self.store = store
        self.name = f"evidence, {store.engine}"
        self.passed: list[str] = []  # ids of everything before the place of R2, as paging gave them
        self._keeps = keeps
        self._deep: Request | None = None

    def command(self, port: int) -> Command:
        """Return `evidence serve`."""
        settings = {"EVIDENCE_PORT": str(port), "EVIDENCE_METRICS_PORT": "0", "EVIDENCE_RATE_PUBLIC": "0"}
        if KEEPS_ANSWERS and not self._keeps:
            settings["EVIDENCE_ANSWERS_MB"] = "0"
        cluster = self.store.cluster
        behind = () if cluster is None else (cluster.pid,)
        return Command(evidence("serve"), {**self.store.environment(), **settings}, behind=behind)

    def ready(self) -> Request:
        """Return the shortest list."""
        return Request("/v1/incidents?limit=1")

    def page(self, page: Page) -> Request:
        """Return R1."""
        return Request(f"/v1/incidents?{urlencode(_asked(page))}")

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2, found by paging all the way there."""
        request = Request(f"/v1/incidents?limit={min(MOST, place.position)}")
        while self._deep is None:
            answer = orjson.loads(ask(request))
            self.passed += [item["id"] for item in answer["items"]]
            left = place.position - len(self.passed)
            request = Request(_with(answer["next"], limit=min(MOST, left) or LIMIT))
            if not left:
                self._deep = request
        return self._deep

    def one(self, known: Known) -> Request:
        """Return R3."""
        return Request(f"/v1/incidents/{known.uid}")

    def count(self, page: Page) -> Request:
        """Return R1: every list states its total."""
        return self.page(page)

    def grouped(self, group: Group) -> Request:
        """Return R4."""
        given = {"group_by": "violation,year", "verification": group.verification, "from": group.first}
        return Request(f"/v1/statistics/counts?{urlencode(given)}")

    def groups(self, body: bytes) -> Table:
        """Return the counts by violation and year; the peers know of the main violations only."""
        told = orjson.loads(body)["items"]
        main = [one for one in told if one["violation"].startswith("bench-main")]
        return {(one["violation"], one["year"]): one["incidents"] for one in main}

    def faceted(self, page: Page) -> Request:
        """Return R1 with three facets."""
        counted = {"facets": "verification,place,violation", "facet_limit": 250}
        return Request(f"/v1/incidents?{urlencode(_asked(page) | counted)}")

    def facets(self, body: bytes) -> Table:
        """Return the counts by verification and province."""
        told = orjson.loads(body)["meta"]["facets"]
        places = {("province", one["value"]): one["count"] for one in told["place"]["values"]}
        provinces = {key: n for key, n in places.items() if key[1].startswith("bench-province")}
        return provinces | {("verification", one["value"]): one["count"] for one in told["verification"]["values"]}

    def files(self, province: str) -> list[File]:
        """Return R6 in each format; the ids of a workbook and of Parquet are not read."""
        asked = [Request(f"/v1/incidents?{urlencode({'place': province, 'format': one})}") for one in FORMATS]
        readers = {"ndjson": _ids_of_lines, "csv": _ids_of_csv}
        return [File(one, request, readers.get(one)) for one, request in zip(FORMATS, asked, strict=True)]

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a list."""
        return [item["id"] for item in orjson.loads(body)["items"]]

    def total(self, body: bytes) -> int:
        """Return the total of a list."""
        return int(orjson.loads(body)["total"])

    def facts(self, body: bytes) -> dict[str, Any]:
        """Return the facts of an incident."""
        it = orjson.loads(body)
        lon, lat = it["geometry"]["coordinates"]
        return {
            "uid": it["id"],
            "title": it["title"]["en"],
            "summary": it["summary"]["en"],
            "start_date": it["date"]["start"][0],
            "end_date": it["date"]["end"][1],
            "violations": " ".join(it["violations"]),
            "place": it["places"][0],
            "lat": lat,
            "lon": lon,
            "scope": it["scope"],
            "verification": it["verification"],
            "standard_of_proof": it["standard_of_proof"],
            "victims": it["victims"]["best"],
            "source": it["citations"][0]["source"],
            "symbol": it["citations"][0]["symbol"],
            "basis": it["disclosure_basis"],
            "owner": it["owner"],
        }


def _asked(page: Page) -> dict[str, Any]:
    facets = {"violation": page.violation, "place": page.province, "verification": page.verification}
    given = {name: value for name, value in facets.items() if value}
    return given | {"from": page.first, "to": page.last, "limit": LIMIT}


def _ids_of_lines(body: bytes) -> set[str]:
    return {orjson.loads(line)["id"] for line in body.splitlines()}


def _ids_of_csv(body: bytes) -> set[str]:
    return {row["id"] for row in csv.DictReader(StringIO(body.decode("utf-8-sig"), newline=""))}


def _with(address: str, **changed: int) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{urlencode(dict(parse_qsl(parts.query)) | changed)}"
