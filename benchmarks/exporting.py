"""R6: all incidents of a province, a tenth of the records, in each format, and the same rows with no HTTP."""

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
from benchmarks.questions import EXPORTED
from benchmarks.server import Failed, Server
from benchmarks.serving import Running
from benchmarks.system import Exports, Request

try:
    import pysqlite3 as sqlite
except ImportError:
    import sqlite3 as sqlite

BATCH = 500
SAMPLE = 50  # parts of an answer between two looks at the memory
_ROWS = "SELECT body FROM row WHERE view = 0 AND kind = 'incident' ORDER BY s0 DESC, k DESC LIMIT ?"


@dataclass(frozen=True)
class Export:
    """One export: median seconds to its first byte and to its last, bytes, and the most private memory meanwhile."""

    what: str
    first: float
    whole: float
    size: int
    private: int
    more: int = 0  # private memory that it did not have before


def measure(running: Sequence[Running], home: Path | None, rows: int, rounds: int) -> list[Export]:
    """Take each export some times, the systems in turn; from a data folder of SQLite also with no HTTP.

    Raises:
        Failed: an answer is not 200, or breaks off.
    """
    asked: dict[str, Callable[[], Export]] = {}
    for one in running:
        if isinstance(one.system, Exports):
            for file in one.system.files(EXPORTED):
                what = f"{one.system.name}, {file.format}"
                asked[what] = _asking(one.server, file.request, what)
    if home is not None:
        for name, render in _renderers().items():
            asked[f"no HTTP, {name}"] = _dumping(home / "evidence.db", rows, f"no HTTP, {name}", render)
    taken: dict[str, list[Export]] = {what: [] for what in asked}
    for _ in range(rounds):
        for what, take in asked.items():
            taken[what].append(take())
    return [_middle(found) for found in taken.values()]


def _middle(found: list[Export]) -> Export:
    first, whole = (median(getattr(one, name) for one in found) for name in ("first", "whole"))
    private, more = (max(getattr(one, name) for one in found) for name in ("private", "more"))
    return Export(found[0].what, first, whole, found[0].size, private, more)


def _asking(server: Server, request: Request, what: str) -> Callable[[], Export]:
    headers = {"Content-Type": "application/json"} if request.body else {}

    def take() -> Export:
        before = server.private_bytes()
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)) as connection:
            begun, size, private, first = time.perf_counter(), 0, before, 0.0
            method = "POST" if request.body else "GET"
            connection.request(method, request.path, request.body.encode() or None, headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise Failed(f"{what}: {answer.status}")
            for number, part in enumerate(iter(lambda: answer.read1(1 << 20), b"")):
                first = first or time.perf_counter() - begun
                size += len(part)
                if number % SAMPLE == 0:
                    private = max(private, server.private_bytes())
            whole = time.perf_counter() - begun
            private = max(private, server.private_bytes())
            return Export(what, first, whole, size, private, max(private - before, 0))

    return take


def _dumping(path: Path, rows: int, what: str, render: Callable[[Iterable[bytes]], bytes]) -> Callable[[], Export]:
    def take() -> Export:
        begun, size, first = time.perf_counter(), 0, 0.0
        for bodies in _batches(path, rows):
            size += len(render(bodies))
            first = first or time.perf_counter() - begun
        return Export(what, first, time.perf_counter() - begun, size, 0)

    return take


def _batches(path: Path, count: int) -> Iterator[list[bytes]]:
    database: Any = sqlite.connect(f"file:{path}?mode=ro", uri=True)
    with closing(database):
        cursor = database.execute(_ROWS, (count,))
        while rows := cursor.fetchmany(BATCH):
            yield [row[0] for row in rows]


def _renderers() -> dict[str, Callable[[Iterable[bytes]], bytes]]:
    lines = separated.Lines(BY_NAME["incident"], None, "http://127.0.0.1:8000")
    return {"ndjson": lambda bodies: b"\n".join(bodies) + b"\n", "csv": lines.lines}
