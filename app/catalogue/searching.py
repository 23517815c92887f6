"""Search over all kinds: the records of a view that have some words, each with its kind and its address."""

import asyncio
import hashlib
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Integer, SmallInteger, String, bindparam, case, select

from app.access.caller import Caller
from app.catalogue import asked, hits, marks, negotiate, spelling, state
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.cursor import Place
from app.catalogue.hits import Hits
from app.catalogue.listing import Reader
from app.catalogue.parameter import Wrong
from app.catalogue.resolve import Resolved, Resolver
from app.catalogue.searching_asked import NAMES, Question, read
from app.catalogue.state import State
from app.catalogue.tables import ROW, SEARCHED
from app.core.db import Database, Prepared, Rows, Snapshot
from app.core.problems import Fault, invalid
from app.records import BY_NAME, KINDS

PATH = "/v1/search"
FEW = 2_000  # matches: so many rows are read in some 4 ms
PACKED = np.dtype([("k", ">i8"), ("s0", ">i4"), ("kind", ">i4"), ("updated", ">i8")])
_NUMBERS = {name: number for number, name in enumerate(NAMES)}


def _statement(database: Database, view: int) -> Prepared:
    """All records of a view that have what is wanted, as one value (`PACKED`)."""
    c = ROW.alias("r").c
    kind = case(_NUMBERS, value=c.kind, else_=-1)
    wanted = bindparam("wanted", type_=String)
    where = (c.view == bindparam("view", type_=SmallInteger), c.k.in_(database.found(SEARCHED, view, wanted)))
    every = select(c.k, c.s0, kind.cast(Integer).label("kind"), c.updated).where(*where).subquery()
    return database.prepare(select(database.packed(list(every.c))))


@dataclass(frozen=True)
class Matches:
    """All that some words find in a view, in any order.

    Attributes:
        rows: `PACKED`.
        counts: how many there are of each kind.
        suggestions: for each word that is nowhere in the view, those that are nearest.
    """

    rows: NDArray[Any]
    counts: dict[str, int]
    suggestions: list[dict[str, Any]]

    @property
    def size(self) -> int:
        """How many bytes they take."""
        return self.rows.nbytes + 1_024

    def of(self, kinds: tuple[str, ...]) -> NDArray[Any]:
        """Return those of some kinds; of all, if none is named."""
        return self.rows if not kinds else self.rows[np.isin(self.rows["kind"], [_NUMBERS[one] for one in kinds])]


class _Page(NamedTuple):
    """What one snapshot gave: without matches the caller has it already."""

    state: State
    matches: Matches | None
    rows: Rows  # body, kind, id, what it is sorted by, k


class Searching:
    """The address of search."""

    def __init__(self, reader: Reader) -> None:
        """Make it."""
        self._reader = reader
        self._statement = lru_cache(64)(partial(_statement, reader.database))

    async def answer(self, request: Request, caller: Caller, _: str = "") -> Answer:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        question, base, view = read(request), request.base(self._reader.public_url), caller.view
        page = await self._page(request, view, question, base)
        etag = _etag(view, page.state.generation, question, base)
        if page.matches is None:
            return unchanged(view, page.state.fresh, request.had(etag))
        following, rows = None, page.rows
        if len(rows) > question.limit:
            rows = rows[: question.limit]
            last = Place(rows[-1][3], rows[-1][4])
            cursor = self._reader.cursors.make(view, question.digest, question.sort, last)
            following = f"{base}{PATH}?{question.kept}&cursor={cursor}"
        if request.trail is not None:
            await request.trail.shown([row[4] for row in rows])
        lines = [_line(base, row) for row in rows]
        if question.highlights:
            found_in = await asyncio.to_thread(marks.of, question.query, [(row[1], row[0]) for row in rows])
            lines = [b'%s,"highlights":%s}' % (line[:-1], one) for line, one in zip(lines, found_in, strict=True)]
        here = f"{base}{PATH}?{question.kept}" + (f"&cursor={question.cursor}" if question.cursor else "")
        addresses = {"self": here, "next": following}
        links = ", ".join(f'<{address}>; rel="{rel}"' for rel, address in addresses.items() if address)
        if question.format == negotiate.NDJSON:
            body = b"".join([line + b"\n" for line in lines])
        else:
            total, meta = _meta(question, page.matches)
            told = b",".join(lines), orjson.dumps(following), total, orjson.dumps(meta)
            body = b'{"items":[%s],"next":%s,"total":%d,"meta":%s}' % told
        return found(view, page.state.fresh, question.format, etag, body, links)

    async def _page(self, request: Request, view: int, question: Question, base: str) -> _Page:
        """Read a page: on the event loop if all that is found is remembered, else away from it."""
        reader, place = self._reader, self._place(view, question)

        async def reading(inline: bool, snapshot: Snapshot) -> _Page | None:
            now = await state.read(snapshot, reader.queries, view)
            if request.knows and request.has(_etag(view, now.generation, question, base)):
                return _Page(now, None, [])
            key = (view, now.generation, question.words, question.by == "updated")
            matches: Matches | None = reader.found.get(key)
            ordered: Hits | None = reader.found.get((view, now.generation, question.digest, question.sort))
            if inline and (matches is None or ordered is None):
                return None
            if matches is None:
                matches = await self._matches(snapshot, now, question)
                reader.found.put(key, matches)
            if ordered is None:
                ordered = await self._ordered(snapshot, view, matches, question)
                reader.found.put((view, now.generation, question.digest, question.sort), ordered)
            page = ordered.after(place, question.limit + 1)
            listed = await hits.read(snapshot, reader.queries.listed, view, [k for _, k in page]) if page else []
            rows = {row[3]: row for row in listed}
            return _Page(now, matches, [(*rows[k][:3], value, k) for value, k in page])

        async def reads() -> _Page:
            page = await reader.database.read(partial(reading, True))
            if page is None:
                # Who asks the same at the same time waits for the one who looks first.
                async with reader.turns.setdefault((view, question.words), asyncio.Lock()):
                    page = await reader.database.read(partial(reading, True))
                    page = page or await reader.database.read(partial(reading, False), heavy=True)
            return cast(_Page, page)

        return await state.unexpired(reads, reader.expire, view)

    def _place(self, view: int, question: Question) -> Place | None:
        if question.cursor is None:
            return None
        try:
            return self._reader.cursors.read(view, question.digest, question.sort, question.cursor)
        except Wrong as wrong:
            raise invalid([Fault("query", "cursor", str(wrong))]) from None

    async def _matches(self, snapshot: Snapshot, now: State, question: Question) -> Matches:
        view = now.view
        rows = None if question.by == "updated" else await self._in_columns(snapshot, now, question)
        if rows is None:
            wanted = self._reader.queries.wanted(question.query.wanted)
            row = await snapshot.one(self._statement(view), {"view": view, "wanted": wanted})
            rows = np.frombuffer((row[0] if row is not None else None) or b"", PACKED)
        counts = dict(enumerate(np.bincount(rows["kind"], minlength=len(NAMES)).tolist()))
        suggestions = (
            [] if len(rows) else await spelling.suggestions(snapshot, self._reader.queries, view, question.query)
        )
        return Matches(rows, {name: counts[number] for number, name in enumerate(NAMES) if counts[number]}, suggestions)

    async def _in_columns(self, snapshot: Snapshot, now: State, question: Question) -> NDArray[Any] | None:
        """Return all that is found, from the index of texts and the columns that are in memory; None: read it.

        Of what has no columns the rows are read by their keys. When a record was updated is not known then.
        """
        queries, resolver = self._reader.queries, Resolver(snapshot, self._reader.queries, now.view)
        ks = await hits.keys(snapshot, queries, now.view, question.query)
        if len(ks) < FEW:
            return None
        found: list[NDArray[Any]] = []
        for kind in (one for one in KINDS if one.date):
            every = Resolved(asked.of(kind, {}), now.view, [], {}, await resolver.rows_of(kind.name))
            if (columns := await self._reader.shelf.whole(snapshot, now.generation, every, ())) is not None:
                here = await snapshot.work(partial(columns.among, ks))
                ks = await snapshot.work(partial(np.setdiff1d, ks, here.k, assume_unique=True))
                found.append(_packed(here.k, here.dates.s0, _NUMBERS[kind.name]))
        if not found:
            return None
        for start in range(0, len(ks), hits.AT_ONCE):
            rows = await hits.read(snapshot, queries.placed, now.view, ks[start : start + hits.AT_ONCE].tolist())
            found.append(np.array([(k, s0, _NUMBERS[kind], 0) for s0, kind, k in rows], PACKED))
        return np.concatenate(found)

    async def _ordered(self, snapshot: Snapshot, view: int, matches: Matches, question: Question) -> Hits:
        rows = matches.of(question.kinds)
        by, ks, rising = question.by, rows["k"].astype(np.int64), not question.sort.startswith("-")
        if by == "updated":
            return await snapshot.work(lambda: hits.by(rows["updated"].astype(np.int64), ks, rising))
        ordered = await snapshot.work(lambda: hits.by_date(rows["s0"], ks, rising and by == "date"))
        if by == "relevance":
            ordered = await hits.scored(snapshot, self._reader.queries, view, ordered, question.query)
        return ordered


def _packed(ks: NDArray[np.int64], s0: NDArray[np.int32], kind: int) -> NDArray[Any]:
    rows = np.zeros(len(ks), PACKED)
    rows["k"], rows["s0"], rows["kind"] = ks, s0, kind
    return rows


def _meta(question: Question, matches: Matches) -> tuple[int, dict[str, Any]]:
    """Return how many there are, and what is said of all of them; kinds that have the most come first."""
    total = sum(n for name, n in matches.counts.items() if not question.kinds or name in question.kinds)
    kinds = sorted(matches.counts.items(), key=lambda pair: (-pair[1], pair[0]))
    meta: dict[str, Any] = {"describes": question.describes}
    meta["kinds"] = [{"kind": name, "count": n} for name, n in kinds]
    if question.sort == "relevance":
        meta["scored"] = min(total, hits.MOST_SCORED)
    return total, meta | ({"suggestions": matches.suggestions} if matches.suggestions else {})


def _line(base: str, row: tuple[Any, ...]) -> bytes:
    """Return one record as search gives it: its kind, id, address, and the record as lists have it."""
    body, kind, id, *_ = row
    head = orjson.dumps({"kind": kind, "id": id, "url": f"{base}/v1/{BY_NAME[kind].path}/{id}"})
    return b'%s,"record":%s}' % (head[:-1], bytes(body))


def _etag(view: int, generation: int, question: Question, base: str) -> str:
    whole = b"search|%d|%d|%s|%s" % (view, generation, question.canonical, base.encode())
    return f'"{hashlib.blake2b(whole, digest_size=12).hexdigest()}"'
