"""R5: what looking for words never asked before costs, beside the indexes of peers, and whether it is right."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from benchmarks import corpus
from benchmarks.equality import Unequal
from benchmarks.postgraphile import PostGraphile
from benchmarks.questions import LIMIT
from benchmarks.server import Server
from benchmarks.system import Request

SETTLING = 5  # seconds, until the columns are in memory
FEW = 5  # questions of each form after which that is waited for
# What is looked for -> the word, and the order.
FREQUENT, RARE = "a Korean word in half of the rows, newest 50", "a word in one row of 2,000, newest 50"
RELEVANT, PAIR = "a word in 5 % of the rows, by relevance", "a Korean word of two syllables in 1 % of the rows"
NOWHERE = "a word that is nowhere"
FORMS = {
    FREQUENT: (corpus.FREQUENT, "-date"),
    RARE: (corpus.RARE, "-date"),
    RELEVANT: (corpus.IN_FIVE_PERCENT, "relevance"),
    PAIR: (corpus.KOREAN[:2], "-date"),
    NOWHERE: (corpus.NOWHERE, "-date"),
}
# The index of the peers: as `datasette` suggests, an external one that its page of a table then searches.
_INDEX = (
    "CREATE VIRTUAL TABLE incident_fts USING fts5 (title, summary, content='incident', content_rowid='id')",
    "INSERT INTO incident_fts (incident_fts) VALUES ('rebuild')",
)


class Seeker(NamedTuple):
    """One system that looks for words: its name, its server, what it is asked for, and the ids of its answer."""

    name: str
    server: Server
    request: Callable[[str, str, int], Request | None]  # a word, the order, a number; None: it has no such order
    ids: Callable[[Any], list[str]]


@dataclass(frozen=True)
class Searching:
    """One form of question to one system: milliseconds of a whole answer, one request after the other."""

    system: str
    question: str
    found: int
    first: float  # the median of what was never asked before
    p99: float
    again: float  # the median of the same, asked again


def index(path: Path) -> None:
    """Give the peers' database an index of texts, unless it has one."""
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'incident_fts'").fetchone():
            for statement in _INDEX:
                database.execute(statement)
            database.commit()


class Truth:
    """The peers' table, looked through row by row."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def newest(self, word: str) -> tuple[int, list[str]]:
        """Return how many incidents have a word or what begins so in their texts, and the newest of them."""
        where = "' ' || lower(title || ' ' || summary) LIKE ?"
        like = f"% {word}%"
        (n,) = self._database.execute(f"SELECT count(*) FROM incident WHERE {where}", (like,)).fetchone()  # ours
        rows = self._database.execute(
            f"SELECT uid FROM incident WHERE {where} ORDER BY start_date DESC, id LIMIT ?",  # the same
            (like, LIMIT),
        )
        return int(n), [uid for (uid,) in rows]


def ours(name: str, server: Server) -> Seeker:
    """Return the service: what a question leaves out is nowhere, and another word each time, so that each is new."""

    def request(word: str, sort: str, number: int) -> Request:
        asked = {"q": f"{word} -{corpus.NOWHERE}{number}", "sort": sort, "limit": LIMIT}
        return Request(f"/v1/incidents?{urlencode(asked)}")

    return Seeker(name, server, request, lambda answer: [row["id"] for row in answer["items"]])


def datasette(name: str, server: Server, database: str) -> Seeker:
    """Return Datasette: its page of a table with `_search`; it keeps no answers."""

    def request(word: str, sort: str, number: int) -> Request:
        asked = {"_shape": "objects", "_nocount": "1", "_nofacet": "1", "_nosuggest": "1", "_size": LIMIT}
        order = {} if sort == "relevance" else {"_sort_desc": "start_date"}
        search = {"_search": f"{word}*", "_searchmode": "raw", "_fts_table": "incident_fts", "_fts_pk": "id"}
        return Request(f"/{quote(database)}/incident.json?{urlencode(asked | order | search)}")

    return Seeker(name, server, request, lambda answer: [row["uid"] for row in answer["rows"]])


def postgraphile(peer: PostGraphile, server: Server) -> Seeker:
    """Return PostGraphile: a function of its schema on a GIN index, newest first."""
    return Seeker(peer.name, server, lambda word, sort, _: peer.sought(word) if sort == "-date" else None, peer.found)


def measure(seekers: Sequence[Seeker], path: Path, each: int) -> list[Searching]:
    """Ask every form of the service, which comes first, and of its peers.

    Raises:
        Unequal: a page or a total is not what looking through all rows gives.
    """
    truth, found = Truth(path), []
    numbers = iter(range(1_000_000))
    service, *_ = seekers
    for word, sort in FORMS.values():
        for _ in range(min(each, FEW)):
            if (asked := service.request(word, sort, next(numbers))) is not None:
                service.server.ask(asked)
    time.sleep(SETTLING if each > FEW else 0)
    for form, (word, sort) in FORMS.items():
        total, newest = truth.newest(word)
        for one in seekers:
            first: list[float] = []
            again: list[float] = []
            for _ in range(each):
                if (asked := one.request(word, sort, next(numbers))) is None:
                    break
                for body in (_timed(one.server, asked, first), _timed(one.server, asked, again)):
                    _check(f"{one.name}, {form}", one, body, total, newest if sort == "-date" else None)
            if first:
                first.sort()
                p99 = first[min(each - 1, each * 99 // 100)]
                found.append(Searching(one.name, form, total, median(first), p99, median(again)))
    return found


def _timed(server: Server, request: Request, taken: list[float]) -> bytes:
    begun = time.perf_counter()
    body = server.ask(request)
    taken.append((time.perf_counter() - begun) * 1e3)
    return body


def _check(what: str, seeker: Seeker, body: bytes, total: int, newest: list[str] | None) -> None:
    answer = orjson.loads(body)
    if "total" in answer and answer["total"] != total:
        raise Unequal(f"{what}: total {answer['total']}, not {total}")
    ids = seeker.ids(answer)
    if newest is not None and ids != newest:
        raise Unequal(f"{what}: other records than the newest {len(newest)}")
    if len(ids) != min(total, LIMIT):
        raise Unequal(f"{what}: {len(ids)} records, of {total}")
