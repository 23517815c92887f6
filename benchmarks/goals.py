"""What is to be reached, as data, and how far it is: one worker each, in the same run, equal content."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.exporting import Export
from benchmarks.figures import Rates, times
from benchmarks.loading import Loading
from benchmarks.searching import FREQUENT, NOWHERE, PAIR, RARE, RELEVANT, Searching
from benchmarks.serving import FACETS, R1, R1_HOT, R2, R3, R4, UNCHANGED, Figure
from benchmarks.totals import Cold

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
MORE = 100_000  # incidents that are loaded into an empty database, and into one of a million
# Seconds that R6 may take (100,000 rows), by engine and format.
EXPORTS = (("SQLite", "ndjson", 0.6), ("SQLite", "csv", 1.0), ("PostgreSQL", "ndjson", 0.6))
PRIVATE = 80e6  # bytes that an export may take for itself


# R5: of one engine and question at most one share of another system's time, or so many milliseconds at the 99th of 100.
SOUGHT = (
    ("SQLite", FREQUENT, "Datasette", 20),
    ("SQLite", RARE, "Datasette", 3),
    ("PostgreSQL", FREQUENT, "PostGraphile", 2),
    ("PostgreSQL", RARE, "PostGraphile", 2),
)
WITHIN = (
    ("SQLite", RELEVANT, 60),
    ("PostgreSQL", RELEVANT, 60),
    ("SQLite", PAIR, 5),
    ("SQLite", NOWHERE, 5),
    ("PostgreSQL", PAIR, 10),
    ("PostgreSQL", NOWHERE, 10),
)
TOTAL, START = 50.0, 2.0  # milliseconds of a total never asked before; seconds from the command to the first list
INTO_EMPTY, INTO_MUCH, A_SECOND, HELD = 45.0, 90.0, 10_000.0, 300e6  # seconds for 100,000 incidents; a second; bytes


def read(figures: Sequence[Figure], exports: Sequence[Export]) -> Iterator[Reached]:
    """Yield how far each goal of reading is that was measured."""
    rates = Rates(figures)
    for goal in GOALS:
        ours = f"evidence, {goal.engine}"
        other = _named(rates.systems, goal.over)
        found = rates.over((ours, goal.run), (ours, R1) if goal.over == OWN else (other or "", goal.run))
        if found is not None:
            words = f"at least {goal.least:.3g} times {other or goal.over}"
            measured = f"{found.least:.2f} – **{found.median:.2f}** – {found.most:.2f}"
            yield Reached(goal.engine, goal.run, words, measured, found.median >= goal.least)
    for engine in ("SQLite", "PostgreSQL"):
        waits = sorted(one.p99 for one in figures if (one.system, one.run) == (f"evidence, {engine}", R1))
        if waits:
            yield _most(engine, R1, f"p99 at most {WAIT:.0f} ms", waits[len(waits) // 2], WAIT, "ms")
    for engine, format, seconds in EXPORTS:
        for one in exports:
            if one.what == f"evidence, {engine}, {format}":
                yield _most(engine, "R6", f"{format} in {seconds} s", one.whole, seconds, "s")
                words = f"{format} with at most {PRIVATE / 1e6:.0f} private MB"
                yield _most(engine, "R6", words, one.private / 1e6, PRIVATE / 1e6, "MB")


def sought(words: Sequence[Searching]) -> Iterator[Reached]:
    """Yield how far each goal of looking for words is that was measured."""
    taken = {(one.system, one.question): one for one in words}
    systems = list(dict.fromkeys(one.system for one in words))
    for engine, question, over, least in SOUGHT:
        ours, other = taken.get((f"evidence, {engine}", question)), taken.get((_named(systems, over) or "", question))
        if ours is not None and other is not None:
            wanted = f"at least {least} times as fast as {other.system}"
            pairs = {"never asked before": (other.first, ours.first), "its total known": (other.again, ours.again)}
            for what, pair in pairs.items():
                reached = times(*pair)
                yield Reached(engine, f"R5, {question}, {what}", wanted, f"**{reached:.2f}**", reached >= least)
    for engine, question, most in WITHIN:
        if (one := taken.get((f"evidence, {engine}", question))) is not None:
            yield _most(engine, f"R5, {question}", f"p99 at most {most} ms", one.p99, most, "ms")


def begun(totals: Sequence[Cold], start: float, engine: str) -> Iterator[Reached]:
    """Yield whether totals never asked before, and the start of the server, are as fast as they are to be."""
    if totals:
        slowest = max(one.p99 for one in totals)
        yield _most(engine, "a total never asked before", f"p99 at most {TOTAL:.0f} ms", slowest, TOTAL, "ms")
    yield _most(engine, "start on a loaded database", f"at most {START:.0f} s", start, START, "s")


def loaded(loads: Sequence[Loading]) -> Iterator[Reached]:
    """Yield how far each goal of loading is that was measured; what SQLite does alone has none."""
    for one in loads:
        if not one.name.startswith("`evidence "):
            continue
        rate, many = one.incidents / one.seconds, one.incidents == MORE
        if many and one.name.startswith("`evidence load` into an empty"):
            yield _most("SQLite", one.name, f"100,000 in {INTO_EMPTY:.0f} s", one.seconds, INTO_EMPTY, "s")
        elif many and one.name == f"`evidence load` into {10 * MORE:,}":
            yield _most("SQLite", one.name, f"100,000 in {INTO_MUCH:.0f} s", one.seconds, INTO_MUCH, "s")
        elif "--bulk" in one.name or "rebuild" in one.name:
            is_met = rate >= A_SECOND
            yield Reached("SQLite", one.name, f"at least {A_SECOND:,.0f} a second", f"{rate:,.0f}", is_met)
        yield _most("SQLite", one.name, f"at most {HELD / 1e6:.0f} private MB", one.private / 1e6, HELD / 1e6, "MB")


def _most(engine: str, run: str, wanted: str, measured: float, most: float, unit: str) -> Reached:
    places = 0 if unit == "MB" else 2 if unit == "s" else 1
    return Reached(engine, run, wanted, f"{measured:.{places}f} {unit}", measured <= most)


def _named(systems: Sequence[str], beginning: str) -> str | None:
    return next((name for name in systems if name.startswith(beginning)), None)
