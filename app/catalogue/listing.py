"""Lists: one question in one view, from its query string to the bytes of a page or of everything."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast
from weakref import WeakValueDictionary

import orjson

from app.access.caller import Caller
from app.catalogue import asked, breakdown, counts, exports, formats, hits, marks, negotiate, spelling, state
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.asked import Asked
from app.catalogue.columns import Columns
from app.catalogue.cursor import Cursors, Place
from app.catalogue.hits import Hits
from app.catalogue.memo import Large, Memo
from app.catalogue.parameter import Wrong
from app.catalogue.parameters import formats_of, vocabulary
from app.catalogue.plan import LONG, Plan
from app.catalogue.query import Queries
from app.catalogue.relations import Relation
from app.catalogue.resolve import Question, Resolved, Resolver
from app.catalogue.run import Run
from app.catalogue.shelf import Shelf
from app.catalogue.state import State
from app.core.answer import Header
from app.core.db import Database, Prepared, Rows, Snapshot
from app.core.moments import iso
from app.core.problems import Fault, invalid
from app.records import BY_NAME, Kind
from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, UNDATED

PAGE = 50  # records of a page that states no limit
INLINE = 4000  # rows that may be looked at on the event loop: some 2 ms
PLANS = 4096  # questions whose counts are remembered
FOUND = 64 * 1_048_576  # bytes of such plans, and of what questions with `q` found
SMALL = 100  # values of a question that is remembered
TRIES = 5
BATCH = 500  # rows of a stream that are rendered and sent together


class Page(NamedTuple):
    """What one snapshot gave: without a plan the caller has it already, without rows they are much work to read."""

    state: State
    plan: Plan | None
    rows: Rows | None
    of: Sequence[Any] | None = None  # what the view is, for a file that says so


@dataclass(frozen=True)
class Reader:
    """What reading needs, once for a service."""

    database: Database
    queries: Queries
    cursors: Cursors
    plans: Memo[Plan]
    shelf: Shelf
    found: Large
    turns: "WeakValueDictionary[tuple[int, bytes], asyncio.Lock]"
    expire: state.Expire
    public_url: str | None


class Listing:
    """One list of the API: a kind, or what belongs to one record."""

    def __init__(self, reader: Reader, kind: Kind, relation: Relation | None = None) -> None:
        """Make the list."""
        self._reader = reader
        self._kind = kind
        self._relation = relation
        self._offered = formats_of(kind)
        self._path = f"/v1/{kind.path}"

    async def answer(self, request: Request, caller: Caller, one: str = "") -> Answer:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        question = self._asked(request)
        format = negotiate.chosen(question.format, request.accept, self._offered)
        if question.facets and format in negotiate.WHOLE:
            raise invalid([Fault("query", "facets", "A file of records has no place for counts: ask for JSON.")])
        if question.highlights and (why := self._unmarked(question, format)):
            raise invalid([Fault("query", "highlights", why)])
        base, digest, path = request.base(self._reader.public_url), question.digest, self._path
        if self._relation is not None:
            of = BY_NAME[self._relation.of]
            path = f"/v1/{of.path}/{one}/{self._relation.name}"
            digest = hashlib.blake2b(digest + path.encode(), digest_size=16).digest()
        run = Run(request, caller.view, one, question, digest, format, base, path)
        if question.limit is None and format in negotiate.WHOLE:
            if question.sort == "relevance":
                raise invalid([Fault("query", "sort", "All at once is not given in this order: add a limit.")])
            return await self._everything(run)
        return await self._page(run)

    @staticmethod
    def _unmarked(question: Asked, format: str) -> str | None:
        """Return why a list has no highlights, if it has none."""
        return "Only JSON has them." if format != negotiate.JSON else marks.refused(question.limit or PAGE)

    async def _page(self, run: Run) -> Answer:
        limit = run.asked.limit or PAGE
        place = self._place(run)
        page = await self._read(run, limit, place)
        fresh, etag = page.state.fresh, run.etag(page.state.generation)
        if page.plan is None:
            return unchanged(run.view, fresh, run.request.had(etag))
        following, rows = None, page.rows or []
        if len(rows) > limit:
            rows = rows[:limit]
            last = Place(rows[-1][1], rows[-1][2])
            following = run.address(self._reader.cursors.make(run.view, run.digest, run.asked.sort, last))
        await run.shown(rows)
        addresses = {"self": run.address(run.asked.cursor), "next": following}
        links = self._links(run, addresses)
        if run.format in negotiate.WHOLE:
            file = await self._file(run, page.state, page.plan.words, page.of)
            if run.format in negotiate.LARGE:
                body = await asyncio.to_thread(file.whole, rows)
            else:
                body = file.whole(rows)
            answer = self._found_file(run, page.state, body, links)
            answer.headers += [self._named(run, etag), (b"repr-digest", file.digest())]
            return answer
        items, tail = self._items(run, [row[0] for row in rows]), page.plan.tail
        if run.asked.highlights and run.asked.query is not None:
            bodies = [row[0] for row in rows]
            told = (run.asked.query, self._kind.name, bodies, run.asked.fields)
            tail = tail[:-1] + await asyncio.to_thread(marks.of_list, *told)
        body = self._envelope(run, page, items, addresses, tail)
        return found(run.view, fresh, run.format, etag, body, links, page.state.generation)

    def _found_file(self, run: Run, now: State, body: bytes | AsyncGenerator[bytes, None], links: str) -> Answer:
        answer = found(run.view, now.fresh, run.format, run.etag(now.generation), body, links)
        if run.coding is not None:
            answer.in_coding(run.coding)
        return answer

    def _asked(self, request: Request) -> Asked:
        """Return what a request asks."""
        return asked.read(self._kind, request.scope["query_string"])

    def _items(self, run: Run, bodies: list[bytes]) -> bytes:
        """Return the part of a page that is made of records."""
        return formats.page(run.format, run.asked.fields, bodies)

    def _envelope(self, run: Run, page: Page, items: bytes, addresses: dict[str, str | None], tail: bytes) -> bytes:
        """Return a page around its records."""
        return formats.envelope(run.format, items, addresses, tail)

    def _named(self, run: Run, etag: str) -> Header:
        """Return the header that names a file: two different answers do not have the same name."""
        name = f"{self._kind.path}-{etag[1:9]}.{run.format}"
        return b"content-disposition", f'attachment; filename="{name}"'.encode()

    async def _file(self, run: Run, now: State, words: str, of: Sequence[Any] | None) -> exports.File:
        """Return the file that an answer is."""
        audience, purpose, owner, at = of or ("", "", None, None)
        view = f"{audience}/{purpose}" + (f" of {owner}" if owner else "")
        told = exports.Told(words, view, now.generation, iso(at or 0), run.address(run.asked.cursor))

        def mark(value: int | str, k: int) -> str:
            return self._reader.cursors.make(run.view, run.digest, run.asked.sort, Place(value, k))

        asks = run.asked
        wanted = exports.Wanted(self._kind, asks.fields, run.base, told, asks.bom, mark if asks.cursors else None)
        if run.format in negotiate.LARGE:  # the library may have to be loaded
            return exports.File(await asyncio.to_thread(exports.encoder, run.format, wanted))
        return exports.File(exports.encoder(run.format, wanted), run.coding)

    async def _of(self, snapshot: Snapshot, run: Run) -> Sequence[Any] | None:
        if run.format not in negotiate.LARGE:
            return None
        return await snapshot.one(self._reader.queries.about, {"view": run.view})

    def _links(self, run: Run, addresses: dict[str, str | None]) -> str:
        links = [f'<{address}>; rel="{rel}"' for rel, address in addresses.items() if address]
        links.append(f'<{run.base}/v1/{self._kind.path}/queryables>; rel="describedby"')
        return ", ".join(links)

    def _place(self, run: Run) -> Place | None:
        if run.asked.cursor is None:
            return None
        try:
            return self._reader.cursors.read(run.view, run.digest, run.asked.sort, run.asked.cursor)
        except Wrong as wrong:
            raise invalid([Fault("query", "cursor", str(wrong))]) from None

    async def _read(self, run: Run, limit: int, place: Place | None) -> Page:
        """Read a page: on the event loop if it is known to be little work, else away from it."""
        reader = self._reader

        async def reading(inline: bool, snapshot: Snapshot) -> Page | None:
            now = await state.read(snapshot, reader.queries, run.view)
            if run.request.knows and run.request.has(run.etag(now.generation)):
                return Page(now, None, [])
            question = run.asked
            told = (question.facets, question.facet_limit, question.sort == "relevance")
            key = (run.view, now.generation, run.digest, *told)
            plan: Plan | None = reader.plans.get(key) or reader.found.get(key)
            if plan is None:
                if inline:
                    return None
                plan = await self._plan(snapshot, run, now.generation)
                if len(plan.question.values) <= SMALL:
                    (reader.plans if len(plan.tail) <= LONG else reader.found).put(key, plan)
            if plan.total == 0:
                return Page(now, plan, [], await self._of(snapshot, run))
            if run.asked.query is not None and run.asked.sort in hits.SORTS:
                ordered = reader.found.get((*key[:3], run.asked.sort))
                if ordered is None and inline:
                    return Page(now, plan, None)
                if ordered is None:
                    ordered = await self._ordered(snapshot, run, now.generation)
                rows = await hits.bodies(snapshot, reader.queries, run.view, ordered.after(place, limit + 1))
                return Page(now, plan, rows, await self._of(snapshot, run))
            if inline and plan.looks_at(run.asked.sort, limit) > INLINE:
                return Page(now, plan, None)
            rows = await self._rows(snapshot, plan, run.asked, place, limit + 1)
            return Page(now, plan, rows, await self._of(snapshot, run))

        async def inline() -> Page | None:
            return await reader.database.read(partial(reading, True))

        async def heavy() -> Page:
            found = await reader.database.read(partial(reading, False), heavy=True)
            reader.shelf.load()
            return cast(Page, found)

        async def page() -> Page:
            found = await inline()
            if found is None:
                # Who asks the same at the same time waits for the one who counts first.
                async with reader.turns.setdefault((run.view, run.digest), asyncio.Lock()):
                    found = await inline() or await heavy()
            return await heavy() if found.plan is not None and found.rows is None else found

        return await state.unexpired(page, reader.expire, run.view)

    async def _resolved(self, snapshot: Snapshot, run: Run) -> tuple[Resolver, Resolved]:
        resolver = Resolver(snapshot, self._reader.queries, run.view)
        return resolver, await resolver.resolve(run.asked, self._relation, run.one)

    async def _found(self, snapshot: Snapshot, run: Run, generation: int, resolved: Resolved) -> Columns:
        """Return all that a question with `q` finds, time aside."""
        key = (run.view, generation, run.digest)
        columns: Columns | None = self._reader.found.get(key)
        if columns is None:
            columns = await hits.columns(snapshot, self._reader.queries, self._reader.shelf, generation, resolved)
            self._reader.found.put(key, columns)
        return columns

    async def _ordered(self, snapshot: Snapshot, run: Run, generation: int) -> Hits:
        """Return what a list with `q` has, in its order."""
        _, resolved = await self._resolved(snapshot, run)
        columns = await self._found(snapshot, run, generation, resolved)
        ordered = await snapshot.work(partial(hits.in_order, columns, run.asked, resolved.days))
        if run.asked.sort == "relevance" and run.asked.query is not None:
            ordered = await hits.scored(snapshot, self._reader.queries, run.view, ordered, run.asked.query)
        self._reader.found.put((run.view, generation, run.digest, run.asked.sort), ordered)
        return ordered

    async def _plan(self, snapshot: Snapshot, run: Run, generation: int) -> Plan:
        resolver, resolved = await self._resolved(snapshot, run)
        if run.asked.query is None:
            columns = await self._reader.shelf.columns(snapshot, generation, resolved)
        else:
            columns = await self._found(snapshot, run, generation, resolved)
        counted = await counts.count(snapshot, self._reader.queries, resolver, resolved, columns)
        if run.asked.facets:
            queries, shelf = self._reader.queries, self._reader.shelf
            of_facets = await breakdown.facets_of(snapshot, queries, shelf, generation, resolved)
            counted = counted._replace(facets=of_facets)
        words = counts.describes(resolved, self._belongs(run.one))
        meta = counts.meta(counted, words)
        if run.asked.sort == "relevance":
            meta["scored"] = min(counted.total, hits.MOST_SCORED)
        if run.asked.query is not None and not counted.total:
            view, queries = resolved.view, self._reader.queries
            if nearest := await spelling.suggestions(snapshot, queries, view, run.asked.query):
                meta["suggestions"] = nearest
        tail = b',"total":%d,"meta":%s}' % (counted.total, orjson.dumps(meta))
        return Plan(resolved.question(pages=True), resolved.rows, counted.total, tail, words)

    def _belongs(self, one: str) -> str:
        if self._relation is None:
            return ""
        if len(self._relation.facets) == 1:
            return vocabulary(self._kind)[self._relation.facets[0]].said((one,))
        label = self._relation.of.replace("-", " ")
        return f"naming the {label} {one}" if self._relation.path is None else f"named by the {label} {one}"

    async def _rows(self, snapshot: Snapshot, plan: Plan, asked: Asked, place: Place | None, limit: int) -> Rows:
        rows: Rows = []
        for statement, values in self._statements(plan.question, asked, place, True):
            rows += await snapshot.all(statement, values | {"limit": limit - len(rows)})
            if len(rows) >= limit:
                break
        return rows

    def _statements(
        self, question: Question, asked: Asked, place: Place | None, limited: bool
    ) -> Iterator[tuple[Prepared, dict[str, Any]]]:
        """Yield the statements whose rows, one after another, are the list from a place on."""
        for part, behind in _parts(asked, place):
            values = question.values | part
            if behind is not None:
                values |= {"after": behind.value, "after_k": behind.k}
            yield self._reader.queries.page(question.form, asked.sort, behind is not None, limited), values

    async def _everything(self, run: Run) -> Answer:
        """Answer with the whole list, streamed from one snapshot."""
        place, reader = self._place(run), self._reader

        async def reading(snapshot: Snapshot) -> tuple[State, Resolved | None, Sequence[Any] | None]:
            now = await state.read(snapshot, reader.queries, run.view)
            if run.request.knows and run.request.has(run.etag(now.generation)):
                return now, None, None
            return now, (await self._resolved(snapshot, run))[1], await self._of(snapshot, run)

        for _ in range(TRIES):
            read = partial(reader.database.read, reading, heavy=True)
            now, resolved, of = await state.unexpired(read, reader.expire, run.view)
            etag = run.etag(now.generation)
            if resolved is None or run.request.has_any:
                return unchanged(run.view, now.fresh, run.request.had(etag, run.coding))
            statements = (
                [] if resolved.nothing else [*self._statements(resolved.question(pages=True), run.asked, place, False)]
            )
            file = await self._file(run, now, counts.describes(resolved, self._belongs(run.one)), of)
            work = partial(_part, file)
            parts = reader.database.stream([(reader.queries.state, {"view": run.view}), *statements], BATCH, work)
            first, _ = await anext(parts, ([], b""))
            if first and first[0][:2] == (now.generation, "live"):
                links = self._links(run, {"self": run.address(run.asked.cursor)})
                answer = self._found_file(run, now, self._pieces(run, file, parts), links)
                answer.headers.append(self._named(run, etag))
                answer.trailers = {b"repr-digest": file.digest}
                return answer
            await parts.aclose()  # something changed in between
        raise state.unavailable("The records change too fast to read all of them. Try again.")

    async def _pieces(
        self, run: Run, file: exports.File, parts: AsyncGenerator[tuple[Rows, bytes], None]
    ) -> AsyncGenerator[bytes, None]:
        """Yield the file part by part: what is rendered ahead is not accounted for before it is sent."""
        shown: Rows = []
        try:
            async for rows, part in parts:
                shown += rows
                if part:  # else it waits to be written with others
                    await run.shown(shown)
                    yield part
                    shown = []
            last = await asyncio.to_thread(file.end) if run.format in negotiate.LARGE else file.end()
            await run.shown(shown)
            if last:
                yield last
        finally:
            await parts.aclose()


def _part(file: exports.File, position: int, rows: Rows) -> tuple[Rows, bytes]:
    """Render one batch; the first is the state of the view. Of its rows only the tie-breaks are looked at again."""
    if position == 0:
        return rows, b""
    return [(None, None, row[2]) for row in rows], file.rows(rows)


def _parts(asked: Asked, place: Place | None) -> list[tuple[dict[str, int], Place | None]]:
    """Return the parts of a list in their order: limits of the first day (none: the question's), where it begins.

    Undated records come last in both orders: in the ascending one they are a part of their own.
    """
    if asked.sort != "date" or asked.when.bounded:
        return [({}, place)]
    dated, undated = {"low": BEFORE_ALL, "top": AFTER_ALL}, {"low": UNDATED, "top": UNDATED}
    if place is not None and place.value == UNDATED:
        return [(undated, place)]
    return [(dated, place), (undated, None)]
