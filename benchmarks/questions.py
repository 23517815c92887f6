"""What is asked of the records at hand, drawn by lot, with the answers that plain SQL gives."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import corpus
from benchmarks.system import FACTS, Group, Known, Page, Place, Table

LIMIT = 50
KNOWN = 2_000
PAGES = 500
MANY = 12_000  # more than any system remembers: whoever goes round these asks each as if it were new
EXPORTED = corpus.province_id(4)  # of the provinces the one with a tenth of all incidents
COUNTED = ("verification", "province")  # the facets whose values all systems have alike
_NEWEST = "ORDER BY start_date DESC, id LIMIT ?"
# Grouped before it is joined with the years that each group touches: the fastest that plain SQL was found to be.
GROUPED = (
    "WITH RECURSIVE years (y) AS (SELECT 1990 UNION ALL SELECT y + 1 FROM years WHERE y < 2025) "
    "SELECT violation_type, y, sum(n) AS n "
    "FROM (SELECT violation_type, CAST(substr(start_date, 1, 4) AS INTEGER) AS a, "
    "CAST(substr(end_date, 1, 4) AS INTEGER) AS b, count(*) AS n FROM incident "
    "WHERE verification = :verification AND end_date >= :first GROUP BY 1, 2, 3) "
    "JOIN years ON y BETWEEN a AND b GROUP BY 1, 2"
)


@dataclass(frozen=True)
class Questions:
    """What every system is asked."""

    pages: list[Page]  # R1: asked again and again
    new: list[Page]  # R1: too many to be remembered
    half: Place
    known: list[Known]
    groups: list[Group]  # R4: too many to be remembered
    faceted: list[Page]  # R1 with three facets: too many to be remembered

    def fewer(self, count: int) -> "Questions":
        """Return the first of each."""
        some = {name: getattr(self, name)[:count] for name in ("pages", "new", "known", "groups", "faceted")}
        return replace(self, **some)


def pages(random: Random, facets: int | None = None) -> Iterator[Page]:
    """Yield pages that were not yielded before: a violation and a period, every other with one more facet.

    Args:
        random: what draws.
        facets: 1 or 2, where all shall have so many.
    """
    drawn: set[Page] = set()
    while True:
        first = date.fromordinal(random.randint(corpus.FIRST, corpus.LAST - 365))
        last = min(first + timedelta(random.randint(1_000, 9_000)), date.fromordinal(corpus.LAST))
        page = Page(corpus.violation_id(random.randrange(corpus.MAIN)), f"{first}", f"{last}")
        if (facets or 1 + len(drawn) % 2) == 2:
            province = random.random() < 0.5
            value = corpus.province_id(random.randrange(len(corpus.PROVINCES))) if province else ""
            page = page._replace(province=value, verification="" if province else random.choice(corpus.VERIFICATION))
        if page not in drawn:
            drawn.add(page)
            yield page


def groups(random: Random) -> Iterator[Group]:
    """Yield groups that were not yielded before."""
    drawn: set[Group] = set()
    while True:
        first = date.fromordinal(random.randint(corpus.FIRST, corpus.LAST - 365))
        group = Group(random.choice(corpus.VERIFICATION), f"{first}")
        if group not in drawn:
            drawn.add(group)
            yield group


class Truth:
    """The database of the peers, asked by SQL."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self._database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)

    def questions(self) -> Questions:
        """Return the questions: filters drawn by lot, half of all records deep, and incidents drawn by lot."""
        (count,) = self._one("SELECT count(*) FROM incident")
        half = count // 2
        place = self._one(f"SELECT start_date, id, uid FROM incident {_NEWEST} OFFSET ?", 1, half - 1)
        drawn = Random(corpus.SEED).choices(range(1, count + 1), k=KNOWN)
        known = [Known(id, *self._one("SELECT uid FROM incident WHERE id = ?", id)) for id in drawn]
        drawing = pages(Random(corpus.SEED + 2))  # one, so that no page is both among the first and the new ones
        return Questions(
            list(islice(drawing, PAGES)),
            list(islice(drawing, MANY)),
            Place(half, *place),
            known,
            list(islice(groups(Random(corpus.SEED + 3)), MANY)),
            list(islice(pages(Random(corpus.SEED + 4), facets=1), MANY)),
        )

    def page(self, page: Page) -> list[str]:
        """Return the ids of R1."""
        return self._ids(f"SELECT uid FROM incident WHERE {_fits(page)} {_NEWEST}", *_values(page), LIMIT)

    def count(self, page: Page) -> int:
        """Return how many fit R1."""
        (count,) = self._one(f"SELECT count(*) FROM incident WHERE {_fits(page)}", *_values(page))
        return int(count)

    def grouped(self, group: Group) -> Table:
        """Return the counts of R4."""
        rows = self._database.execute(GROUPED, group._asdict())
        return {(violation, f"{year}"): n for violation, year, n in rows}

    def faceted(self, page: Page) -> Table:
        """Return the counts of R1's facets by verification and province."""
        counts = "SELECT ?, {0}, count(*) FROM incident WHERE {1} GROUP BY 2"
        rows = [
            row
            for name in COUNTED
            for row in self._database.execute(counts.format(name, _fits(page)), (name, *_values(page)))
        ]
        return {(name, value): n for name, value, n in rows}

    def exported(self, province: str) -> set[str]:
        """Return the ids of R6."""
        return {*self._ids("SELECT uid FROM incident WHERE province = ?", province)}

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


def _fits(page: Page) -> str:
    return " AND ".join([*(f"{name} = ?" for name in page.facets()), "end_date >= ?", "start_date <= ?"])


def _values(page: Page) -> tuple[str, ...]:
    return (*page.facets().values(), page.first, page.last)
