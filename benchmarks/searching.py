"""R5: what looking for words costs when it was never asked before, beside Datasette's FTS5, and whether it is right."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import orjson

from benchmarks import corpus
from benchmarks.equality import Unequal
from benchmarks.questions import LIMIT
from benchmarks.server import Server
from benchmarks.system import Request

SETTLING = 5  # seconds, until the columns are in memory
FEW = 5  # questions of each form after which that is waited for
# What is looked for -> the word, and the order.
FORMS = {
    "a Korean word in half of the rows, newest 50": (corpus.FREQUENT, "-date"),
    "a word in one row of 2,000, newest 50": (corpus.RARE, "-date"),
    "a word in 5 % of the rows, by relevance": (corpus.IN_FIVE_PERCENT, "relevance"),
    "a Korean word of two syllables in 1 % of the rows": (corpus.KOREAN[:2], "-date"),
    "a word that is nowhere": (corpus.NOWHERE, "-date"),
}
# The index of the peers: as `datasette` suggests, an external one that its page of a table then searches.
_INDEX = (
    "CREATE VIRTUAL TABLE incident_fts USING fts5 (title, summary, content='incident', content_rowid='id')",
    "INSERT INTO incident_fts (incident_fts) VALUES ('rebuild')",
)
Peer = tuple[str, Server, str]  # its name, its server, the name of its database


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


def ours(word: str, sort: str, number: int) -> Request:
    """Return a question that was never asked before: what it leaves out is nowhere, and another word each time."""
    asked = {"q": f"{word} -{corpus.NOWHERE}{number}", "sort": sort, "limit": LIMIT}
    return Request(f"/v1/incidents?{urlencode(asked)}")


def datasettes(database: str) -> Callable[[str, str, int], Request]:
    """Return the same for Datasette: its page of a table with `_search`; it keeps no answers."""

    def request(word: str, sort: str, number: int) -> Request:
        asked = {"_shape": "objects", "_nocount": "1", "_nofacet": "1", "_nosuggest": "1", "_size": LIMIT}
        order = {} if sort == "relevance" else {"_sort_desc": "start_date"}
        search = {"_search": f"{word}*", "_searchmode": "raw"}
        return Request(f"/{quote(database)}/incident.json?{urlencode(asked | order | search)}")

    return request


def measure(name: str, server: Server, peer: Peer | None, path: Path, each: int) -> list[Searching]:
    """Ask every form of the service and of a peer.

    Raises:
        Unequal: a page or a total is not what looking through all rows gives.
    """
    truth, found = Truth(path), []
    numbers = iter(range(1_000_000))
    for word, sort in FORMS.values():
        for _ in range(min(each, FEW)):
            server.ask(ours(word, sort, next(numbers)))
    time.sleep(SETTLING if each > FEW else 0)
    for form, (word, sort) in FORMS.items():
        total, newest = truth.newest(word)
        asking: list[tuple[str, Server, Callable[[str, str, int], Request]]] = [(name, server, ours)]
        if peer is not None:
            asking.append((peer[0], peer[1], datasettes(peer[2])))
        for system, one, request in asking:
            first, again = [], []
            for _ in range(each):
                asked = request(word, sort, next(numbers))
                bodies = [_timed(one, asked, first), _timed(one, asked, again)]
                for body in bodies:
                    _check(f"{system}, {form}", body, total, newest if sort == "-date" else None)
            first.sort()
            p99 = first[min(each - 1, each * 99 // 100)]
            found.append(Searching(system, form, total, first[each // 2], p99, sorted(again)[each // 2]))
    return found


def _timed(server: Server, request: Request, taken: list[float]) -> bytes:
    begun = time.perf_counter()
    body = server.ask(request)
    taken.append((time.perf_counter() - begun) * 1e3)
    return body


def _check(what: str, body: bytes, total: int, newest: list[str] | None) -> None:
    answer = orjson.loads(body)
    if "total" in answer and answer["total"] != total:
        raise Unequal(f"{what}: total {answer['total']}, not {total}")
    ids = [row["id"] for row in answer["items"]] if "items" in answer else [row["uid"] for row in answer["rows"]]
    if newest is not None and ids != newest:
        raise Unequal(f"{what}: other records than the newest {len(newest)}")
    if len(ids) != min(total, LIMIT):
        raise Unequal(f"{what}: {len(ids)} records, of {total}")
