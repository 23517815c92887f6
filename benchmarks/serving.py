"""Every run under load, the systems taking turns over several rounds, so that the machine's moods fall on all."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from benchmarks import wrk
from benchmarks.questions import Questions
from benchmarks.server import Failed, Server, free_port
from benchmarks.system import Facets, Groups, Request, Served, System

R1, R1_NEW, R1_HOT, UNCHANGED, R2, R3, R4, FACETS = "R1", "R1 new", "R1 hot", "304", "R2", "R3", "R4", "R1 facets"
RUNS = (R1, R1_NEW, R1_HOT, UNCHANGED, R2, R3, R4, FACETS)
WARM_UP = 3  # seconds


class Running(NamedTuple):
    """A system with its server; of one that is hot only kept answers are asked for."""

    system: Served
    server: Server
    hot: bool = False

    def requests(self, questions: Questions) -> dict[str, list[Request]]:
        """Return what it is asked in each run that it takes part in."""
        if self.hot:
            pages = [self.system.page(page) for page in questions.pages]
            tagged = [page._replace(match=self.server.etag(page)) for page in pages]
            for page in tagged:
                self.server.ask(page)  # a 304, or it has failed
            return {R1_HOT: pages, UNCHANGED: tagged}
        system = cast(System, self.system)
        asked = {
            R1: [system.page(page) for page in questions.pages],
            R1_NEW: [system.page(page) for page in questions.new],
            R2: [system.deep(questions.half, self.server.ask)],
            R3: [system.one(known) for known in questions.known],
        }
        if isinstance(system, Groups):
            asked[R4] = [system.grouped(group) for group in questions.groups]
        if isinstance(system, Facets):
            asked[FACETS] = [system.faceted(page) for page in questions.faceted]
        return asked


@dataclass(frozen=True)
class Figure:
    """One run of one system in one round: requests a second, milliseconds, bytes."""

    system: str
    run: str
    round: int
    rate: float
    p50: float
    p99: float
    size: int
    private: int


def serving(system: Served, logs: Path) -> Server:
    """Return the server of a system, not started yet."""
    port = free_port()
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{''.join(c if c.isalnum() else '-' for c in system.name.lower())}-{port}.log"
    return Server(system.name, system.command(port), port, system.ready(), log)


def measure(
    running: Sequence[Running],
    questions: Questions,
    rounds: int,
    seconds: int,
    tell: Callable[[str], None] = print,
) -> list[Figure]:
    """Measure every system on every run that it takes part in, round by round."""
    asked = [(one, one.requests(questions)) for one in running]
    for one, by_run in asked:
        for requests in by_run.values():
            wrk.load(one.server.address, requests, min(WARM_UP, seconds))
        one.server.rest()
    figures = []
    for number in range(1, rounds + 1):
        for run in RUNS:
            for one, by_run in asked:
                if run in by_run:
                    figures.append(_run(one, run, number, by_run[run], seconds))
                    tell(_told(figures[-1]))
    return figures


def _run(one: Running, run: str, number: int, requests: list[Request], seconds: int) -> Figure:
    one.server.check()
    load = wrk.load(one.server.address, requests, seconds)
    if load.failed:
        raise Failed(f"{one.system.name} failed {load.failed} requests of {run}")
    private = one.server.private_bytes()
    one.server.rest()  # what nobody waits for any more would be in the way of the next
    return Figure(one.system.name, run, number, *load[:4], private)


def _told(one: Figure) -> str:
    return f"round {one.round} {one.run} {one.system}: {one.rate:,.0f} a second, p99 {one.p99:.1f} ms"


def plain(one: Running, questions: Questions, each: int) -> list[Figure]:
    """Ask a few requests one after the other, without wrk: shows that all of it runs, and no more."""
    figures = []
    for run, asked in one.requests(questions.fewer(each)).items():
        taken, size = [], 0
        for number in range(each):
            begun = time.perf_counter()
            size = len(one.server.ask(asked[number % len(asked)]))
            taken.append((time.perf_counter() - begun) * 1e3)
        rate = each / (sum(taken) / 1e3)
        p50, p99 = statistics.median(taken), max(taken)
        figures.append(Figure(one.system.name, run, 1, rate, p50, p99, size, one.server.private_bytes()))
    return figures
