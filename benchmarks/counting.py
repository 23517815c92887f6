"""What counts by facets cost one after the other when they were never asked for before, and whether they are right."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks import corpus
from benchmarks.equality import equal
from benchmarks.questions import Truth, groups, pages
from benchmarks.server import Server
from benchmarks.serving import Running
from benchmarks.system import Facets, Group, Groups, Request, Table

SETTLING = 8  # seconds, until what was asked for is in memory


@dataclass(frozen=True)
class Counting:
    """One question to one system: milliseconds of a whole answer, one request after the other."""

    system: str
    question: str
    asked: int
    p50: float
    p99: float


def measure(running: Sequence[Running], truth: Truth, path: Path, each: int, seed: int) -> list[Counting]:
    """Ask each question so many times with filters drawn by lot, and compare every answer with plain SQL.

    Raises:
        Unequal: a count is not what plain SQL counts.
    """
    random = Random(seed)
    grouping, paging = groups(random), pages(random, facets=1)
    _settle(running, grouping, paging, each)
    drawn = list(islice(grouping, each))
    faceted, alone = list(islice(paging, each)), list(islice(paging, each))
    found = []
    for system, server, _ in running:
        if isinstance(system, Groups):
            asked = [(system.grouped(one), truth.grouped(one)) for one in drawn]
            found.append(_measure(system.name, "R4: year and violation", server, asked, system.groups))
        if isinstance(system, Facets):
            plain: list[tuple[Request, Any]] = [(system.page(one), truth.page(one)) for one in alone]
            found.append(_measure(system.name, "R1, never asked before", server, plain, system.ids))
            asked = [(system.faceted(one), truth.faceted(one)) for one in faceted]
            found.append(_measure(system.name, "R1 with three facets", server, asked, system.facets))
    return [*found, limit(path, drawn)]


def _settle(running: Sequence[Running], grouping: Iterator[Group], paging: Iterator[Any], each: int) -> None:
    for _ in range(3):
        for system, server, _ in running:
            if isinstance(system, Groups):
                server.ask(system.grouped(next(grouping)))
            if isinstance(system, Facets):
                server.ask(system.faceted(next(paging)))
        time.sleep(SETTLING if each > 3 else 0)


def _measure(
    system: str,
    question: str,
    server: Server,
    asked: Sequence[tuple[Request, Any]],
    read: Callable[[bytes], Table] | Callable[[bytes], list[str]],
) -> Counting:
    taken = []
    for request, wanted in asked:
        begun = time.perf_counter()
        body = server.ask(request)
        taken.append((time.perf_counter() - begun) * 1e3)
        equal(f"{system}, {question}, {request.path}", read(body), wanted)
    return _figures(system, question, taken)


def limit(path: Path, drawn: list[Group]) -> Counting:
    """Return what R4 costs over bare arrays: one comparison a filter, and one count of everything."""
    rows = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True).execute(
        "SELECT violation_type, verification, start_date, end_date FROM incident"
    )
    violation, verification, first, last = zip(*rows, strict=True)
    main = np.unique(violation, return_inverse=True)[1]
    kinds, kind = np.unique(verification, return_inverse=True)
    kind = kind.astype(np.uint8)
    starts, ends = (np.array([int(day[:4]) for day in days], np.int64) - 1990 for days in (first, last))
    until = np.array([date.fromisoformat(day).toordinal() for day in last], np.int32)
    taken = []
    for asked in drawn:
        begun = time.perf_counter()
        day = date.fromisoformat(asked.first).toordinal()
        at = np.flatnonzero((kind == kinds.tolist().index(asked.verification)) & (until >= day))
        cells = main[at] * 38
        changes = np.bincount(cells + starts[at], minlength=38 * corpus.MAIN)
        changes -= np.bincount(cells + ends[at] + 1, minlength=38 * corpus.MAIN)
        changes.reshape(-1, 38).cumsum(axis=1)
        taken.append((time.perf_counter() - begun) * 1e3)
    return _figures("numpy, no request", "R4: year and violation", taken)


def _figures(system: str, question: str, taken: list[float]) -> Counting:
    taken = sorted(taken)
    return Counting(
        system, question, len(taken), taken[len(taken) // 2], taken[min(len(taken) - 1, len(taken) * 99 // 100)]
    )
