"""Before anything is timed: every system gives the same records, in the same order, in the same number."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from benchmarks.ours import Ours
from benchmarks.questions import EXPORTED, LIMIT, Questions, Truth
from benchmarks.serving import Running
from benchmarks.system import Exports, Facets, Groups, System

SAMPLE = 100  # of the incidents of R3
FEW = 20  # of the questions that are asked once


class Unequal(Exception):
    """A system's answer differs; the message says which and how."""


class Compared(NamedTuple):
    """How much was compared."""

    pages: int
    totals: int
    records: int
    counts: int
    files: int


def compare(running: Sequence[Running], truth: Truth, questions: Questions, tell: Callable[[str], None]) -> Compared:
    """Compare each system's answers with what plain SQL gives: ids in order, counts, files, and facts of records.

    Raises:
        Unequal: one differs.
    """
    pages = [*questions.pages, *questions.new[:FEW]]
    wanted = [(page, truth.page(page), truth.count(page)) for page in pages]
    deep = truth.newest(LIMIT, questions.half.position)
    sample = questions.known[:SAMPLE]
    files = 0
    for one in running:
        system, server = cast(System, one.system), one.server
        for page, ids, count in wanted:
            where = f"{system.name}, R1 {page}"
            equal(where, system.ids(server.ask(system.page(page))), ids)
            equal(f"{where}, count", system.total(server.ask(system.count(page))), count)
        request = system.deep(questions.half, server.ask)
        equal(f"{system.name}, R2", system.ids(server.ask(request)), deep)
        if isinstance(system, Ours):
            equal(f"{system.name}, all pages before R2", system.passed, truth.newest(questions.half.position))
        for known in sample:
            facts = system.facts(server.ask(system.one(known)))
            equal(f"{system.name}, R3 {known.uid}", facts, truth.facts(known))
        if isinstance(system, Groups):
            for group in questions.groups[:FEW]:
                found = system.groups(server.ask(system.grouped(group)))
                equal(f"{system.name}, R4 {group}", found, truth.grouped(group))
        if isinstance(system, Facets):
            for page in questions.faceted[:FEW]:
                found = system.facets(server.ask(system.faceted(page)))
                equal(f"{system.name}, facets of {page}", found, truth.faceted(page))
        if isinstance(system, Exports):
            files += _files(one, system, truth)
        tell(f"{system.name}: equal to plain SQL")
    return Compared(len(pages) + 1, len(pages), len(sample), FEW, files)


def _files(one: Running, system: Exports, truth: Truth) -> int:
    """Compare the ids in each file; return how many were compared."""
    compared = 0
    for file in system.files(EXPORTED):
        if file.ids is not None:
            found, wanted = file.ids(one.server.ask(file.request)), truth.exported(EXPORTED)
            equal(f"{system.name}, R6 as {file.format}", sorted(found), sorted(wanted))
            compared += 1
    return compared


def equal(where: str, found: Any, wanted: Any) -> None:
    """See that two answers are the same.

    Raises:
        Unequal: they are not.
    """
    if found == wanted:
        return
    if isinstance(found, list):
        differing = [pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]]
        found, wanted = f"{len(found)} ids, {differing[:3]}", f"{len(wanted)} ids"
    elif isinstance(found, dict):
        apart = [
            (key, found.get(key), wanted.get(key)) for key in {**wanted, **found} if found.get(key) != wanted.get(key)
        ]
        found, wanted = f"{len(found)} values, {apart[:3]}", f"{len(wanted)} values"
    raise Unequal(f"{where}: {found}, not {wanted}")
