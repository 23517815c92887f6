"""What counts by facets cost when they were never asked for before, beside peers, and whether they are right."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import orjson

from benchmarks import corpus
from benchmarks.equality import Unequal
from benchmarks.questions import LIMIT
from benchmarks.server import Server
from benchmarks.system import Request

SETTLING = 8  # seconds, until what was asked for is in memory
FACETS = ("verification", "province")  # whose values the peers have as the service does
Asked = dict[str, str]
Table = dict[tuple[str, ...], int]

# Every year that an incident touches; the peers' table has the main violation of each alone.
GROUPED = (
    "WITH RECURSIVE years(y) AS (SELECT 1990 UNION ALL SELECT y + 1 FROM years WHERE y < 2025) "
    "SELECT violation_type, y, count(*) AS n FROM incident JOIN years "
    "ON start_date <= y || '-12-31' AND end_date >= y || '-01-01' "
    "WHERE verification = :verification AND end_date >= :first GROUP BY 1, 2"
)


@dataclass(frozen=True)
class Counting:
    """One question to one system: milliseconds of a whole answer, one request after the other."""

    system: str
    question: str
    asked: int
    p50: float
    p99: float


def draw(random: Random) -> Asked:
    """Return filters that were never asked for."""
    first = date.fromordinal(random.randint(corpus.FIRST, corpus.LAST - 30))
    violation = corpus.violation_id(random.randrange(corpus.MAIN))
    last = first + timedelta(random.randint(1_000, 9_000))
    verification = random.choice(corpus.VERIFICATION)
    return {"first": f"{first}", "last": f"{last}", "verification": verification, "violation": violation}


class Truth:
    """Plain SQL over the peers' table."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self._database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)

    def grouped(self, asked: Asked) -> Table:
        """Return the counts of R4."""
        return {(row[0], f"{row[1]}"): row[2] for row in self._database.execute(GROUPED, asked)}

    def faceted(self, asked: Asked) -> Table:
        """Return the counts of the facets of R1."""
        where = "violation_type = :violation AND end_date >= :first AND start_date <= :last"
        rows = [
            (name, *row)
            for name in FACETS
            for row in self._database.execute(
                f"SELECT {name}, count(*) FROM incident WHERE {where} GROUP BY 1",  # one of FACETS
                asked,
            )
        ]
        return {(name, value): n for name, value, n in rows}


def ours_grouped(asked: Asked) -> Request:
    """Return R4 for the service."""
    given = {"group_by": "violation,year", "verification": asked["verification"], "from": asked["first"]}
    return Request(f"/v1/statistics/counts?{urlencode(given)}")


def ours_faceted(asked: Asked, facets: str = "verification,place,violation") -> Request:
    """Return R1 with three facets, or with none."""
    given = {"violation": asked["violation"], "from": asked["first"], "to": asked["last"], "limit": str(LIMIT)}
    return Request(f"/v1/incidents?{urlencode(given | ({'facets': facets, 'facet_limit': '250'} if facets else {}))}")


def _ours_table(body: bytes) -> Table:
    answer = orjson.loads(body)
    if "facets" in answer["meta"]:
        told = answer["meta"]["facets"]
        places = {("province", one["value"]): one["count"] for one in told["place"]["values"]}
        provinces = {key: n for key, n in places.items() if key[1].startswith("bench-province")}
        return provinces | {("verification", one["value"]): one["count"] for one in told["verification"]["values"]}
    return {
        (one["violation"], one["year"]): one["incidents"]
        for one in answer["items"]
        if one["violation"].startswith("bench-main")
    }


def datasette_grouped(path: str) -> Callable[[Asked], Request]:
    """Return R4 for Datasette, as a query of its SQL page."""
    return lambda asked: Request(
        f"/{path}.json?_shape=array&_size=max&sql={quote(GROUPED)}&verification={asked['verification']}&first={asked['first']}"
    )


def datasette_faceted(path: str) -> Callable[[Asked], Request]:
    """Return R1 with three facets for Datasette."""

    def request(asked: Asked) -> Request:
        given: dict[str, Any] = {
            "violation_type": asked["violation"],
            "end_date__gte": asked["first"],
            "start_date__lte": asked["last"],
            "_sort_desc": "start_date",
            "_size": LIMIT,
            "_facet": [*FACETS, "violation_type"],
            "_facet_size": 100,
            "_shape": "objects",
        }
        return Request(f"/{path}/incident.json?{urlencode(given, doseq=True)}")

    return request


def _datasette_table(body: bytes) -> Table:
    answer = orjson.loads(body)
    if isinstance(answer, list):
        return {(row["violation_type"], f"{row['y']}"): row["n"] for row in answer}
    results = answer["facet_results"]
    return {(name, one["value"]): one["count"] for name in FACETS for one in results[name]["results"]}


def measure(ours: Server, peer: tuple[str, Server, str] | None, path: Path, each: int, seed: int) -> list[Counting]:
    """Ask each question so many times with filters drawn by lot, and compare every answer with plain SQL.

    Raises:
        Unequal: a count is not what plain SQL counts.
    """
    random, truth = Random(seed), Truth(path)
    for _ in range(3):  # what these want comes into memory
        for request in (ours_grouped, ours_faceted):
            ours.ask(request(draw(random)))
        time.sleep(SETTLING if each > 3 else 0)
    drawn = [draw(random) for _ in range(each)]
    asking: list[tuple[str, str, Server, Callable[[Asked], Request], Callable[[bytes], Table] | None]] = [
        ("evidence", "R4: year and violation", ours, ours_grouped, _ours_table),
        ("evidence", "R1, never asked before", ours, lambda asked: ours_faceted(asked, ""), None),
        ("evidence", "R1 with three facets", ours, ours_faceted, _ours_table),
    ]
    if peer is not None:
        name, server, base = peer
        asking.append((name, "R4: year and violation", server, datasette_grouped(base), _datasette_table))
        asking.append((name, "R1 with three facets", server, datasette_faceted(base), _datasette_table))
    found = []
    for system, question, server, request, table in asking:
        # Facets are asked for with other dates than R1 alone: nothing of an answer was asked for before.
        some = drawn if table is not None else [draw(random) for _ in range(each)]
        found.append(_measure(system, question, server, request, table, some, truth))
    return [*found, limit(path, drawn)]


def _measure(
    system: str,
    question: str,
    server: Server,
    request: Callable[[Asked], Request],
    table: Callable[[bytes], Table] | None,
    drawn: list[Asked],
    truth: Truth,
) -> Counting:
    taken = []
    for asked in drawn:
        begun = time.perf_counter()
        body = server.ask(request(asked))
        taken.append((time.perf_counter() - begun) * 1e3)
        if table is not None:
            wanted = truth.grouped(asked) if question.startswith("R4") else truth.faceted(asked)
            if (told := table(body)) != wanted:
                different = Counter(wanted) - Counter(told)
                raise Unequal(f"{system}, {question}, {asked}: {len(told)} counts, not {len(wanted)}; {different}")
    return _figures(system, question, taken)


def limit(path: Path, drawn: list[Asked]) -> Counting:
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
        day = date.fromisoformat(asked["first"]).toordinal()
        at = np.flatnonzero((kind == kinds.tolist().index(asked["verification"])) & (until >= day))
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
