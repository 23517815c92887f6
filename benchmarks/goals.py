"""What is to be reached, as data, and how far it is: one worker each, in the same run, equal content."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.exporting import Export
from benchmarks.figures import Rates
from benchmarks.serving import FACETS, R1, R1_HOT, R2, R3, R4, UNCHANGED, Figure

OWN = "own R1"


class Goal(NamedTuple):
    """At least so many times as many requests a second as another system; its name begins so."""

    engine: str
    run: str
    over: str
    least: float


class Reached(NamedTuple):
    """A goal in words, what was measured, and whether it is met."""

    engine: str
    run: str
    wanted: str
    measured: str
    is_met: bool


_SQLITE = (
    (R1, "Datasette", 12),
    (R1, "PostGraphile", 3.5),
    (R1, "JSON built in SQL", 1.0),
    (R2, "Datasette", 60),
    (R2, "PostGraphile", 3),
    (R3, "Datasette", 13),
    (R3, "PostGraphile", 2.5),
    (R3, "JSON built in SQL", 0.7),
)
_POSTGRESQL = ((R1, "asyncpg", 1.0), (R3, "asyncpg", 1.0))
_BOTH = (
    (R1_HOT, "constant body", 0.35),
    (UNCHANGED, "constant body", 0.35),
    (R2, OWN, 0.9),
    (R4, "Datasette", 50),
    (R4, "PostGraphile", 40),
    (FACETS, OWN, 1 / 1.5),
)
GOALS = (
    *(Goal("SQLite", *one) for one in (*_SQLITE, *_BOTH)),
    *(Goal("PostgreSQL", *one) for one in (*_POSTGRESQL, *_BOTH)),
)
WAIT = 25.0  # milliseconds: R1's p99 at 32 connections
# Seconds that R6 may take (100,000 rows), by engine and format.
EXPORTS = (("SQLite", "ndjson", 0.6), ("SQLite", "csv", 1.0), ("PostgreSQL", "ndjson", 0.6))
PRIVATE = 80e6  # bytes that an export may take for itself


def judged(figures: Sequence[Figure], exports: Sequence[Export]) -> Iterator[Reached]:
    """Yield how far each goal is that was measured."""
    rates = Rates(figures)
    for goal in GOALS:
        ours = f"evidence, {goal.engine}"
        other = _named(rates.systems, goal.over)
        found = rates.over((ours, goal.run), (ours, R1) if goal.over == OWN else (other or "", goal.run))
        if found is not None:
            words = f"{goal.least:.3g} times {other or goal.over}"
            measured = f"{found.least:.2f} – **{found.median:.2f}** – {found.most:.2f}"
            yield Reached(goal.engine, goal.run, words, measured, found.median >= goal.least)
    for engine in ("SQLite", "PostgreSQL"):
        waits = sorted(one.p99 for one in figures if (one.system, one.run) == (f"evidence, {engine}", R1))
        if waits:
            middle = waits[len(waits) // 2]
            yield Reached(engine, R1, f"p99 of at most {WAIT:.0f} ms", f"{middle:.1f} ms", middle <= WAIT)
    for engine, format, seconds in EXPORTS:
        for one in exports:
            if one.what == f"evidence, {engine}, {format}":
                yield Reached(engine, "R6", f"{format} in {seconds} s", f"{one.whole:.2f} s", one.whole <= seconds)
                private = f"{format} with at most {PRIVATE / 1e6:.0f} private MB"
                yield Reached(engine, "R6", private, f"{one.private / 1e6:.0f} MB", one.private <= PRIVATE)


def _named(systems: Sequence[str], beginning: str) -> str | None:
    return next((name for name in systems if name.startswith(beginning)), None)
