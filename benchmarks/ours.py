"""The service itself, through its command and its API, as anybody runs it."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

from benchmarks.questions import LIMIT
from benchmarks.system import Asking, Command, Known, Page, Place, Request

MOST = 1_000  # records in one page


def evidence(*words: str) -> tuple[str, ...]:
    """Return the command line of the service's own command."""
    return (str(Path(sys.executable).with_name("evidence")), *words)


def environment(home: Path) -> Mapping[str, str]:
    """Return its settings: SQLite in a folder, without the built-in record."""
    taken = {"EVIDENCE_HOME": str(home.absolute()), "EVIDENCE_BUILTIN": "0", "EVIDENCE_LOG_LEVEL": "warning"}
    return taken | {"EVIDENCE_DATABASE_URL": "", "EVIDENCE_KEYS_URL": ""}


class Ours:
    """The service on a loaded data folder."""

    name = "evidence"

    def __init__(self, home: Path) -> None:
        """Serve a data folder."""
        self.home = home
        self.passed: list[str] = []  # ids of everything before the place of R2, as paging gave them
        self._deep: Request | None = None

    def command(self, port: int) -> Command:
        """Return `evidence serve`."""
        ports = {"EVIDENCE_PORT": str(port), "EVIDENCE_METRICS_PORT": "0", "EVIDENCE_RATE_PUBLIC": "0"}
        return Command(evidence("serve"), {**environment(self.home), **ports})

    def ready(self) -> Request:
        """Return the shortest list."""
        return Request("/v1/incidents?limit=1")

    def page(self, page: Page) -> Request:
        """Return R1."""
        asked = {"from": page.first, "to": page.last, "violation": page.violation, "limit": LIMIT}
        return Request(f"/v1/incidents?{urlencode(asked)}")

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


def _with(address: str, **changed: int) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{urlencode(dict(parse_qsl(parts.query)) | changed)}"
