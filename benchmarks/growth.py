"""How the cost of each question grows with the records: processor time and latency, one request after the other."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from random import Random
from urllib.parse import urlencode

from app.core.ids import fixed
from benchmarks import corpus
from benchmarks.ours import Ours
from benchmarks.questions import LIMIT, groups, pages
from benchmarks.server import Server
from benchmarks.serving import serving
from benchmarks.system import Place, Request
from benchmarks.workspace import Workspace

SIZES = (10_000, 100_000, 1_000_000)
SETTLING = 8  # seconds, until what was asked for is in memory
SECONDS = 3.0  # of asking each question
LEAST, FIRST = 50, 20  # requests: at least, and before anything is timed
TWICE = 2.0  # from the smallest size to the largest
SLOPE = 3.0  # milliseconds that a million records more may cost
# The questions, and whether they may cost at most TWICE as much at the largest size; the others at most SLOPE.
QUESTIONS = {
    "first page": True,
    "half of all records deep": True,
    "one record": True,
    "first page and total: a period": True,
    "first page and total: a period and a facet": True,
    "first page and total: a period and two facets": False,
    "first page with three facets counted": False,
    "counts by year and violation (R4)": False,
}


@dataclass(frozen=True)
class Cost:
    """One question at one size: milliseconds of processor time of a request, and of waiting for it."""

    engine: str
    n: int
    views: int
    question: str
    asked: int
    processor: float
    p50: float
    p99: float


def measure(workspace: Workspace, ours: Ours, tell: Callable[[str], None], seconds: float = SECONDS) -> list[Cost]:
    """Measure each question on what is loaded; no total was asked for before.

    Args:
        workspace: where the records are.
        ours: the service on them.
        tell: what is told of each.
        seconds: how long each is asked.
    """
    with serving(ours, workspace.logs) as server:
        asked = _questions(ours, server, workspace.n)
        for requests in asked.values():
            for request in islice(requests, FIRST):
                server.ask(request)
        time.sleep(SETTLING if seconds >= 1 else 0)
        costs = []
        for question, requests in asked.items():
            costs.append(_measure(workspace, ours, server, question, requests, seconds))
            one = costs[-1]
            tell(f"{one.engine}, {one.n:,}, {question}: {one.processor:.2f} ms of work, p50 {one.p50:.2f} ms")
        return costs


def _questions(ours: Ours, server: Server, n: int) -> dict[str, Iterator[Request]]:
    """Return requests without end for each question."""
    random = Random(corpus.SEED + 5)
    one, two, counted, bare = (pages(Random(corpus.SEED + 5 + i), facets=1 + i % 2) for i in range(4))
    period = ({"from": page.first, "to": page.last, "limit": LIMIT} for page in bare)
    deep = ours.deep(Place(n // 2, "", 0, ""), server.ask)  # the service finds it by paging
    asked: tuple[Iterator[Request], ...] = (
        (Request(f"/v1/incidents?limit={LIMIT}") for _ in count()),
        (deep for _ in count()),
        (Request(f"/v1/incidents/{fixed('inc', f'bench-{random.randrange(n)}')}") for _ in count()),
        (Request(f"/v1/incidents?{urlencode(given)}") for given in period),
        (ours.page(page) for page in one),
        (ours.page(page) for page in two),
        (ours.faceted(page) for page in counted),
        (ours.grouped(group) for group in groups(Random(corpus.SEED + 9))),
    )
    return dict(zip(QUESTIONS, asked, strict=True))


def _measure(
    workspace: Workspace, ours: Ours, server: Server, question: str, requests: Iterator[Request], seconds: float
) -> Cost:
    taken: list[float] = []
    worked, begun = server.processor_seconds(), time.perf_counter()
    while len(taken) < LEAST or time.perf_counter() - begun < seconds:
        request = next(requests)
        asked = time.perf_counter()
        server.ask(request)
        taken.append((time.perf_counter() - asked) * 1e3)
    processor = (server.processor_seconds() - worked) * 1e3 / len(taken)
    taken.sort()
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    return Cost(ours.store.engine, workspace.n, workspace.views, question, len(taken), processor, p50, p99)


def comparable(costs: Sequence[Cost], engine: str, question: str) -> list[tuple[int, float]]:
    """Return sizes and processor time of a question, of those sizes whose records are in three views."""
    return [(one.n, one.processor) for one in costs if (one.engine, one.question, one.views) == (engine, question, 3)]
