"""R1, R2 and R3 under load, the systems taking turns over several rounds, so that the machine's moods fall on all."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import wrk
from benchmarks.questions import Questions
from benchmarks.server import Failed, Server, free_port
from benchmarks.system import Request, System

RUNS = ("R1", "R2", "R3")
WARM_UP = 3  # seconds


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


@contextmanager
def started(systems: Sequence[System], logs: Path) -> Iterator[list[tuple[System, Server]]]:
    """Give every system with its server running."""
    with ExitStack() as stack:
        yield [(system, stack.enter_context(serving(system, logs))) for system in systems]


def serving(system: System, logs: Path) -> Server:
    """Return the server of a system, not started yet."""
    port = free_port()
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{''.join(c if c.isalnum() else '-' for c in system.name.lower())}.log"
    return Server(system.name, system.command(port), port, system.ready(), log)


def requests(system: System, server: Server, questions: Questions) -> dict[str, list[Request]]:
    """Return what a system is asked in each run."""
    return {
        "R1": [system.page(page) for page in questions.pages],
        "R2": [system.deep(questions.half, server.ask)],
        "R3": [system.one(known) for known in questions.known],
    }


def measure(
    running: Sequence[tuple[System, Server]],
    questions: Questions,
    rounds: int,
    seconds: int,
    tell: Callable[[str], None] = print,
) -> list[Figure]:
    """Measure every system on every run, round by round."""
    asked = {system.name: requests(system, server, questions) for system, server in running}
    for system, server in running:
        for run in RUNS:
            wrk.load(server.address, asked[system.name][run], min(WARM_UP, seconds))
    figures = []
    for number in range(1, rounds + 1):
        for run in RUNS:
            for system, server in running:
                time.sleep(0.5)  # what the run before left behind ends
                server.check()
                load = wrk.load(server.address, asked[system.name][run], seconds)
                if load.failed:
                    raise Failed(f"{system.name} failed {load.failed} requests of {run}")
                private = server.private_bytes()
                figures.append(Figure(system.name, run, number, *load[:4], private))
                tell(f"round {number} {run} {system.name}: {load.rate:,.0f} a second, p99 {load.p99:.1f} ms")
    return figures


def plain(system: System, server: Server, questions: Questions, each: int) -> list[Figure]:
    """Ask a few requests one after the other, without wrk: shows that all of it runs, and no more."""
    figures = []
    for run, asked in requests(system, server, questions).items():
        taken, size = [], 0
        for number in range(each):
            begun = time.perf_counter()
            size = len(server.ask(asked[number % len(asked)]))
            taken.append((time.perf_counter() - begun) * 1e3)
        rate = each / (sum(taken) / 1e3)
        p50, p99 = statistics.median(taken), max(taken)
        figures.append(Figure(system.name, run, 1, rate, p50, p99, size, server.private_bytes()))
    return figures
