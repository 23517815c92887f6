"""R6: everything at once, as each format, beside Datasette's CSV and beside the same rows with no HTTP."""

import http.client
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from app.catalogue import separated
from app.records import BY_NAME
from benchmarks.server import Failed, Server

try:
    import pysqlite3 as sqlite
except ImportError:
    import sqlite3 as sqlite

FORMATS = ("ndjson", "csv", "xlsx", "parquet")
BATCH = 500
SAMPLE = 50  # parts of an answer between two looks at the memory
_ROWS = "SELECT body FROM row WHERE view = 0 AND kind = 'incident' ORDER BY s0 DESC, k DESC"


@dataclass(frozen=True)
class Export:
    """One export: median seconds to its first byte and to its last, bytes, and the most private memory meanwhile."""

    what: str
    first: float
    whole: float
    size: int
    private: int


def measure(
    ours: Server, home: Path, datasette: tuple[Server, str] | None, rounds: int, formats: Sequence[str] = FORMATS
) -> list[Export]:
    """Take each export some times, the systems in turn.

    Raises:
        Failed: an answer is not 200, or breaks off.
    """
    asked: dict[str, Callable[[], Export]] = {}
    for format in formats:
        asked[f"{ours.name}, {format}"] = _asking(ours, f"/v1/incidents?format={format}", f"{ours.name}, {format}")
    if datasette is not None:
        peer, path = datasette
        asked[f"{peer.name}, csv"] = _asking(peer, path, f"{peer.name}, csv")
    for name, render in _renderers().items():
        asked[f"no HTTP, {name}"] = _dumping(home / "evidence.db", f"no HTTP, {name}", render)
    taken: dict[str, list[Export]] = {what: [] for what in asked}
    for _ in range(rounds):
        for what, take in asked.items():
            taken[what].append(take())
    return [_middle(found) for found in taken.values()]


def _middle(found: list[Export]) -> Export:
    first, whole = (median(getattr(one, name) for one in found) for name in ("first", "whole"))
    return Export(found[0].what, first, whole, found[0].size, max(one.private for one in found))


def _asking(server: Server, path: str, what: str) -> Callable[[], Export]:
    def take() -> Export:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)) as connection:
            begun, size, private, first = time.perf_counter(), 0, 0, 0.0
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != 200:
                raise Failed(f"{what}: {answer.status}")
            for number, part in enumerate(iter(lambda: answer.read1(1 << 20), b"")):
                first = first or time.perf_counter() - begun
                size += len(part)
                if number % SAMPLE == 0:
                    private = max(private, server.private_bytes())
            return Export(what, first, time.perf_counter() - begun, size, private)

    return take


def _dumping(path: Path, what: str, render: Callable[[Iterable[bytes]], bytes]) -> Callable[[], Export]:
    def take() -> Export:
        begun, size, first = time.perf_counter(), 0, 0.0
        for bodies in _batches(path):
            size += len(render(bodies))
            first = first or time.perf_counter() - begun
        return Export(what, first, time.perf_counter() - begun, size, 0)

    return take


def _batches(path: Path) -> Iterator[list[bytes]]:
    database: Any = sqlite.connect(f"file:{path}?mode=ro", uri=True)
    with closing(database):
        cursor = database.execute(_ROWS)
        while rows := cursor.fetchmany(BATCH):
            yield [row[0] for row in rows]


def _renderers() -> dict[str, Callable[[Iterable[bytes]], bytes]]:
    lines = separated.Lines(BY_NAME["incident"], None, "http://127.0.0.1:8000")
    return {"ndjson": lambda bodies: b"\n".join(bodies) + b"\n", "csv": lines.lines}
