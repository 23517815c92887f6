"""The change feed: all that a view was shown and is no longer shown, in the order in which it was done."""

import hashlib
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import orjson
from sqlalchemy import BigInteger, Integer, Select, SmallInteger, String, and_, bindparam, case, or_, select

from app.access.caller import PUBLIC, Caller, Identify
from app.catalogue import negotiate, state
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.changes_asked import NOW, PAGE, START, Form, Question, read
from app.catalogue.cursor import Place
from app.catalogue.listing import Reader
from app.catalogue.parameter import Wrong
from app.catalogue.record import ABOUT_PEOPLE
from app.catalogue.state import State
from app.catalogue.tables import ROW
from app.catalogue.waiting import Waiting, recheck
from app.core.db import Database, Prepared, Rows, Snapshot
from app.core.moments import iso
from app.core.problems import Fault, invalid
from app.records import BY_NAME
from app.vault.tables import DISCLOSED, LED

PATH = "/v1/changes"
INLINE = 4000  # changes that may be looked at on the event loop
WINDOW = 100_000  # changes that are looked at for one page, where a filter leaves some out
TRIES = 5
SORT = "changes"
GONE = ("removed", "merged")  # changes after which a record is not under its id any more


def _statement(database: Database, form: Form) -> Prepared:
    """Changes after one number up to another, with what is shown of the record now: see `line`."""
    c, row = DISCLOSED.c, ROW.alias("r")
    view = bindparam("view", type_=SmallInteger)
    where = [
        c.view == view,
        c.seq > bindparam("after", type_=BigInteger),
        c.seq <= bindparam("top", type_=BigInteger),
    ]
    if form.kinds:
        where.append(c.kind.in_([bindparam(f"kind{i}", type_=String) for i in range(form.kinds)]))
    if form.since:
        where.append(c.at >= bindparam("since", type_=BigInteger))
    now = DISCLOSED.outerjoin(row, and_(row.c.view == view, row.c.kind == c.kind, row.c.id == c.id))
    led = select(LED.c.target).where(LED.c.view == c.view, LED.c.seq == c.seq).scalar_subquery()
    target = case((c.change == "merged", led))
    digest = case((or_(and_(*(c.kind != kind for kind in ABOUT_PEOPLE)), c.seq == row.c.seq), c.digest))
    columns: list[Any] = [c.seq, c.id, c.kind, c.change, c.revision, c.at, digest, row.c.k, target]
    statement: Select[Any] = select(*columns, *([row.c.body] if form.bodies else [])).select_from(now)
    statement = statement.where(*where).order_by(c.seq)
    return database.prepare(statement.limit(bindparam("limit", type_=Integer)) if form.limited else statement)


def _when(database: Database) -> Prepared:
    """The moment of one change."""
    c = DISCLOSED.c
    where = (c.view == bindparam("view", type_=SmallInteger), c.seq == bindparam("seq", type_=BigInteger))
    return database.prepare(select(c.at).where(*where))


class Found(NamedTuple):
    """What one snapshot gave: changes up to a number, whose moment is told; without rows the caller has it already."""

    state: State
    rows: Rows | None
    until: tuple[int, int]
    more: bool


class Changes:
    """The feed of all views."""

    def __init__(self, reader: Reader, identify: Identify, waiting: Waiting) -> None:
        """Make the feed; who waits long for it is identified once more."""
        self._reader, self._identify, self._waiting = reader, identify, waiting
        self.public_url = reader.public_url
        self._statement = lru_cache(64)(partial(_statement, reader.database))
        self._when = _when(reader.database)

    async def answer(self, request: Request, caller: Caller, _: str = "") -> Answer:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        question, base = read(request), request.base(self.public_url)
        if question.wait:
            return await self._waited(request, caller, question, base)
        if question.format == negotiate.NDJSON and question.limit is None:
            return await self._everything(request, caller.view, question, base)
        page = await self.page(caller.view, question, base, request)
        etag = self._etag(caller.view, page.state.generation, question, base)
        if page.rows is None:
            return unchanged(caller.view, page.state.fresh, request.had(etag))
        return await self._found(request, caller.view, question, base, page, etag)

    async def _waited(self, request: Request, caller: Caller, question: Question, base: str) -> Answer:
        """Answer as soon as there is something, or the time is over; no cache may keep it."""
        end, view = time.monotonic() + question.wait, caller.view
        page = await self.page(view, question, base)
        if not (page.rows or page.more):
            with self._waiting.place(request, caller):
                while not (page.rows or page.more):
                    question = replace(question, after=self.cursor(view, question, page.until))
                    if not await self._waiting.wait(request, view, page.state.generation, end - time.monotonic()):
                        break
                    await recheck(self._identify, request, caller)
                    page = await self.page(view, question, base)
        answer = await self._found(request, view, question, base, page, None)
        if view == PUBLIC:
            answer.headers = [one for one in answer.headers if one[0] != b"cache-control"]
            answer.headers.append((b"cache-control", b"no-store"))
        return answer

    async def _found(
        self, request: Request, view: int, question: Question, base: str, page: Found, etag: str | None
    ) -> Answer:
        assert page.rows is not None  # noqa: S101 - it is only where the caller has the page already
        await self.shown(request, page.rows)
        following = self._address(view, question, base, page.until)
        lines = [line(base, row) for row in page.rows]
        if question.format == negotiate.JSON:
            more = b"true" if page.more else b"false"
            body = b'{"items":[%s],"more":%s,"next":%s}' % (b",".join(lines), more, orjson.dumps(following))
        else:
            body = b"".join([one + b"\n" for one in lines])
        links = f'<{following}>; rel="next"'
        return found(view, page.state.fresh, question.format, etag, body, links)

    async def page(self, view: int, question: Question, base: str, request: Request | None = None) -> Found:
        """Read one page; nothing, if it is known to be the one that a request has already.

        Raises:
            Problem: whatever is wrong with the question.
        """
        reader, limit = self._reader, question.limit or PAGE

        async def reading(inline: bool, snapshot: Snapshot) -> Found | None:
            now = await state.read(snapshot, reader.queries, view)
            newest = now.generation
            if request and request.knows and request.has(self._etag(view, newest, question, base)):
                return Found(now, None, (0, 0), False)
            after = await self._place(snapshot, view, newest, question)
            top = min(newest, after + WINDOW) if question.filters else newest
            if inline and question.filters and top - after > INLINE:
                return None
            values = question.values | {"view": view, "after": after, "top": top, "limit": limit + 1}
            rows = await snapshot.all(self._statement(question.form(limited=True)), values) if after < top else []
            if len(rows) > limit:
                rows = rows[:limit]
                return Found(now, rows, (rows[-1][0], rows[-1][5]), True)
            return Found(now, rows, (top, await self._moment(snapshot, view, top)), top < newest)

        async def reads() -> Found:
            page = await reader.database.read(partial(reading, True))
            return page or cast(Found, await reader.database.read(partial(reading, False), heavy=True))

        return await state.unexpired(reads, reader.expire, view)

    async def _place(self, snapshot: Snapshot, view: int, newest: int, question: Question) -> int:
        """Return the number of the change after which a question begins.

        Raises:
            Problem: invalid-request, if its cursor is none, or is from a state that is no longer there.
        """
        if question.after in (START, NOW):
            return newest if question.after == NOW else 0
        try:
            seq, at = self._reader.cursors.read(view, question.digest, SORT, question.after)
        except Wrong as wrong:
            raise invalid([Fault("query", "after", str(wrong))]) from None
        if int(seq) > newest or await self._moment(snapshot, view, int(seq)) != at:
            # As when a backup was restored: what was told since is no longer there, and may come otherwise.
            why = f"What this names is no longer there: an older state was restored. Begin anew with '{START}'."
            raise invalid([Fault("query", "after", why)])
        return int(seq)

    async def _moment(self, snapshot: Snapshot, view: int, seq: int) -> int:
        row = await snapshot.one(self._when, {"view": view, "seq": seq}) if seq else None
        return row[0] if row is not None else 0

    def cursor(self, view: int, question: Question, until: tuple[int, int]) -> str:
        """Return the cursor after a change."""
        return self._reader.cursors.make(view, question.digest, SORT, Place(*until))

    def _address(self, view: int, question: Question, base: str, until: tuple[int, int]) -> str:
        kept = f"{question.kept}&" if question.kept else ""
        return f"{base}{PATH}?{kept}after={self.cursor(view, question, until)}"

    @staticmethod
    def _etag(view: int, generation: int, question: Question, base: str) -> str:
        whole = repr((PATH, view, generation, question, base)).encode()
        return f'"{hashlib.blake2b(whole, digest_size=12).hexdigest()}"'

    async def _everything(self, request: Request, view: int, question: Question, base: str) -> Answer:
        """Answer with all changes up to now, streamed from one snapshot."""
        reader = self._reader

        async def reading(snapshot: Snapshot) -> tuple[State, int, int]:
            now = await state.read(snapshot, reader.queries, view)
            if request.knows and request.has(self._etag(view, now.generation, question, base)):
                return now, 0, -1
            after = await self._place(snapshot, view, now.generation, question)
            return now, after, await self._moment(snapshot, view, now.generation)

        for _ in range(TRIES):
            read = partial(reader.database.read, reading)
            now, after, at = await state.unexpired(read, reader.expire, view)
            etag = self._etag(view, now.generation, question, base)
            if at < 0 or request.has_any:
                return unchanged(view, now.fresh, request.had(etag))
            values = question.values | {"view": view, "after": after, "top": now.generation}
            every = (self._statement(question.form(limited=False)), values)
            rows: AsyncGenerator[tuple[int, Rows], None] = reader.database.stream(
                [(reader.queries.state, {"view": view}), every]
            )
            _, first = await anext(rows, (0, []))
            if first and first[0][:2] == (now.generation, "live"):
                links = f'<{self._address(view, question, base, (now.generation, at))}>; rel="next"'
                return found(view, now.fresh, negotiate.NDJSON, etag, self._pieces(request, base, rows), links)
            await rows.aclose()  # something changed in between
        raise state.unavailable("The records change too fast to read all of them. Try again.")

    async def _pieces(
        self, request: Request, base: str, rows: AsyncGenerator[tuple[int, Rows], None]
    ) -> AsyncGenerator[bytes, None]:
        try:
            async for _, batch in rows:
                await self.shown(request, batch)
                yield b"".join([line(base, row) + b"\n" for row in batch])
        finally:
            await rows.aclose()

    @staticmethod
    async def shown(request: Request, rows: Rows) -> None:
        """Tell who keeps an account of which records bytes or a digest are about to be sent."""
        if request.trail is not None:
            told = (row for row in rows if row[7] is not None and row[3] not in GONE)
            await request.shown([row[7] for row in told if row[6] is not None or len(row) > 9])


def line(base: str, row: Sequence[Any]) -> bytes:
    """Return one change as JSON.

    The digest is that of the form which was shown then. It is told as long as the record is shown in any form: of one
    that is gone none is told, whether the vault still has it or not, for that would say how it went. Of records about
    people it is told of the form alone that is shown now (`ABOUT_PEOPLE`).
    """
    _, id, kind, change, revision, at, digest, k, target, *body = row
    shown = change not in GONE
    content = {
        "id": id,
        "kind": kind,
        "change": change,
        "revision": revision,
        "at": iso(at),
        "digest": f"sha256:{bytes(digest).hex()}" if shown and k is not None and digest is not None else None,
        "url": f"{base}/v1/{BY_NAME[kind].path}/{id}",
    }
    if change == "merged":
        content["into"] = target
    text = orjson.dumps(content)
    if not (body and shown):
        return text
    return b'%s,"record":%s}' % (text[:-1], b"null" if body[0] is None else bytes(body[0]))
