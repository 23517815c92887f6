"""R1, R2 and R3 on the records at hand, with the answers that a plain SQL query gives."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import corpus
from benchmarks.system import FACTS, Known, Page, Place

FIRST, LAST = "2011-12-17", "2024-12-31"
LIMIT = 50
KNOWN = 2_000
_NEWEST = "ORDER BY start_date DESC, id LIMIT ?"
_FITS = "violation_type = ? AND end_date >= ? AND start_date <= ?"


@dataclass(frozen=True)
class Questions:
    """What every system is asked."""

    pages: list[Page]
    half: Place
    known: list[Known]


class Truth:
    """The database of the peers, asked by SQL."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self._database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)

    def questions(self) -> Questions:
        """Return the questions: 24 violations, half of all records deep, and incidents drawn by lot."""
        (count,) = self._one("SELECT count(*) FROM incident")
        half = count // 2
        place = self._one(f"SELECT start_date, id, uid FROM incident {_NEWEST} OFFSET ?", 1, half - 1)
        drawn = Random(corpus.SEED).choices(range(1, count + 1), k=KNOWN)
        known = [Known(id, *self._one("SELECT uid FROM incident WHERE id = ?", id)) for id in drawn]
        pages = [Page(corpus.violation_id(number), FIRST, LAST) for number in range(corpus.MAIN)]
        return Questions(pages, Place(half, *place), known)

    def page(self, page: Page) -> list[str]:
        """Return the ids of R1."""
        return self._ids(f"SELECT uid FROM incident WHERE {_FITS} {_NEWEST}", *page, LIMIT)

    def count(self, page: Page) -> int:
        """Return how many fit R1."""
        (count,) = self._one(f"SELECT count(*) FROM incident WHERE {_FITS}", *page)
        return int(count)

    def counted(self, conditions: dict[str, str]) -> int:
        """Return how many incidents fit conditions: `from`, `to`, and values of columns."""
        terms = {"from": "end_date >= ?", "to": "start_date <= ?"}
        where = " AND ".join(terms.get(name, f"{name} = ?") for name in conditions)
        (count,) = self._one(f"SELECT count(*) FROM incident WHERE {where}", *conditions.values())
        return int(count)

    def newest(self, count: int, skipped: int = 0) -> list[str]:
        """Return ids in the order of R2."""
        return self._ids(f"SELECT uid FROM incident {_NEWEST} OFFSET ?", count, skipped)

    def facts(self, known: Known) -> dict[str, Any]:
        """Return the facts of R3."""
        row = self._one(f"SELECT {', '.join(FACTS)} FROM incident WHERE id = ?", known.id)
        return dict(zip(FACTS, row, strict=True))

    def _one(self, sql: str, *values: Any) -> Any:
        return self._database.execute(sql, values).fetchone()

    def _ids(self, sql: str, *values: Any) -> list[str]:
        return [uid for (uid,) in self._database.execute(sql, values)]
