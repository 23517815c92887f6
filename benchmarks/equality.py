"""Before anything is timed: every system gives the same records, in the same order, in the same number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.ours import Ours
from benchmarks.questions import LIMIT, Questions, Truth
from benchmarks.server import Server
from benchmarks.system import System

SAMPLE = 100  # of the incidents of R3


class Unequal(Exception):
    """A system's answer differs; the message says which and how."""


class Compared(NamedTuple):
    """How much was compared."""

    pages: int
    totals: int
    records: int


def compare(systems: Sequence[tuple[System, Server]], truth: Truth, questions: Questions) -> Compared:
    """Compare each system's answers with what plain SQL gives: ids in order, counts, and the facts of records.

    Raises:
        Unequal: one differs.
    """
    counts = [truth.count(page) for page in questions.pages]
    lists = [truth.page(page) for page in questions.pages]
    deep = truth.newest(LIMIT, questions.half.position)
    sample = questions.known[:SAMPLE]
    for system, server in systems:
        for page, ids, count in zip(questions.pages, lists, counts, strict=True):
            where = f"{system.name}, R1 {page.violation}"
            _equal(where, system.ids(server.ask(system.page(page))), ids)
            _equal(f"{where}, count", system.total(server.ask(system.count(page))), count)
        request = system.deep(questions.half, server.ask)
        _equal(f"{system.name}, R2", system.ids(server.ask(request)), deep)
        if isinstance(system, Ours):
            _equal(f"{system.name}, all pages before R2", system.passed, truth.newest(questions.half.position))
        for known in sample:
            facts = system.facts(server.ask(system.one(known)))
            _equal(f"{system.name}, R3 {known.uid}", facts, truth.facts(known))
    return Compared(len(lists) + 1, len(counts), len(sample))


def _equal(where: str, found: Any, wanted: Any) -> None:
    if found == wanted:
        return
    if isinstance(found, list):
        differing = [pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]]
        found, wanted = f"{len(found)} ids, {differing[:3]}", f"{len(wanted)} ids"
    raise Unequal(f"{where}: {found}, not {wanted}")
