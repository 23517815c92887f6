"""The verb `evidence export`: a list as one file, by the code that answers the API, never half there under its name."""

import asyncio
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode
from weakref import WeakValueDictionary

import orjson
import typer

from app.access.audit import Reading, Spool, Trails
from app.access.caller import PUBLIC, Caller, operator
from app.access.shipping import Shipper
from app.catalogue.answer import Answer, Request
from app.catalogue.cursor import Cursors
from app.catalogue.listing import FOUND, PLANS, Listing, Reader
from app.catalogue.memo import Large, Memo
from app.catalogue.negotiate import WHOLE
from app.catalogue.query import Queries
from app.catalogue.shelf import Shelf
from app.core import crypto
from app.core.db import Database
from app.core.problems import Problem
from app.intake import retract
from app.records import BY_NAME, BY_PATH, Kind
from app.session import Bar, Session, errors, fail, view_of

NOT_FILTERS = ("format", "limit")


def export(
    kind: Annotated[str, typer.Argument(help="The list: incidents, testimonies, …")],
    out: Annotated[Path, typer.Option(help="The file; what is there is replaced when the new one is whole.")],
    format: Annotated[str, typer.Option(help=f"One of {', '.join(WHOLE)}.")] = "ndjson",
    view: Annotated[str, typer.Option(help="Whose view: its number, or as partner/research.")] = "0",
    filter: Annotated[
        list[str] | None, typer.Option(help="A parameter of the API, as period=post-2011-12; may be repeated.")
    ] = None,
) -> None:
    """Write a list, whole, into a file. In another view than that of everybody the account says what was read."""
    found = BY_PATH.get(kind) or BY_NAME.get(kind)
    if found is None:
        raise typer.BadParameter(f"must be one of {', '.join(BY_PATH)}", param_hint="kind")
    if format not in WHOLE:
        raise typer.BadParameter(f"must be one of {', '.join(WHOLE)}", param_hint="--format")
    if not out.parent.is_dir():
        raise typer.BadParameter("its folder is not there", param_hint="--out")
    with Session() as session, Bar() as bar:
        caller = operator(view_of(session, view))
        try:
            rows, digest = asyncio.run(_Export(session, found, caller, bar).into(out, format, _given(filter or [])))
        except Problem as problem:
            said = [f"{fault.name}: {fault.detail}" for fault in problem.errors] or [problem.detail]
            fail("; ".join(said))
    typer.echo(f"{rows:,} records in {out}, {digest}")


def _given(filters: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [(name, value) for name, _, value in (one.partition("=") for one in filters)]
    for name, value in pairs:
        if not value or name in NOT_FILTERS:
            raise typer.BadParameter(
                f"'{name}' is not as in period=post-2011-12, or is no filter", param_hint="--filter"
            )
    return pairs


class _Counting:
    """The account of what is exported, and how far it is."""

    def __init__(self, account: Reading | None) -> None:
        self.account, self.rows = account, 0
        self.tell: Callable[[int], None] = lambda _: None

    async def shown(self, keys: Sequence[int]) -> None:
        self.rows += len(keys)
        self.tell(self.rows)
        if self.account is not None:
            await self.account.shown(keys)

    async def answered(self, status: int) -> None:
        if self.account is not None:
            await self.account.answered(status)


class _Export:
    """One export."""

    def __init__(self, session: Session, kind: Kind, caller: Caller, bar: Callable[[str, int, int], None]) -> None:
        self._session, self._kind, self._caller, self._bar = session, kind, caller, bar
        settings = session.settings
        self._database = database = Database.main(settings)  # its connections belong to one event loop
        queries = Queries(database)
        master = crypto.master_key(settings.master_key, settings.home)
        self._spool = Spool(settings.home / "audit", settings.audit_fsync)
        self._reader = Reader(
            database=database,
            queries=queries,
            cursors=Cursors(crypto.Tokens(master, "cursor")),
            plans=Memo(PLANS),
            found=Large(FOUND),
            shelf=Shelf(database, queries, 0, lambda *_, **__: None),
            turns=WeakValueDictionary(),
            expire=self._expire,
            public_url=settings.public_url or f"http://localhost:{settings.port}",
        )

    async def _expire(self, _: int) -> None:
        await asyncio.to_thread(lambda: retract.expire(self._session.writer))

    async def into(self, out: Path, format: str, given: list[tuple[str, str]]) -> tuple[int, str]:
        """Write the file; return how many records it has, and its digest."""
        trail = _Counting(None)
        try:
            total = await self._total(given)
            trail.tell = lambda rows: self._bar(self._kind.path, rows, total)
            if self._caller.view != PUBLIC:
                scope = {"method": "EXPORT", "template": f"/v1/{self._kind.path}"}
                trail.account = Trails(self._spool).begin(scope, self._caller, "")
            answer = await self._ask([*given, ("format", format)], trail)
            await trail.answered(answer.status)
            await _written(answer, out)
            return trail.rows, answer.trailers[b"repr-digest"]().decode()
        finally:
            self._spool.close()
            shipper = Shipper(self._database, self._spool, lambda error: errors.print(f"audit: {error}"))
            await shipper.once()
            await self._reader.shelf.close()
            await self._database.close()

    async def _total(self, given: list[tuple[str, str]]) -> int:
        counted = [pair for pair in given if pair[0] not in ("cursor", "cursors", "bom", "fields")]
        answer = await self._ask([*counted, ("limit", "1"), ("fields", "id")], None)
        assert isinstance(answer.body, bytes)  # noqa: S101 - a page is
        return int(orjson.loads(answer.body)["total"])

    async def _ask(self, given: list[tuple[str, str]], trail: _Counting | None) -> Answer:
        request = Request({"query_string": urlencode(given).encode(), "headers": [], "scheme": "http"}, trail=trail)
        return await Listing(self._reader, self._kind).answer(request, self._caller)


async def _written(answer: Answer, out: Path) -> None:
    """Write a body beside the file that it is to be, have it on the disk, and give it its name."""
    assert not isinstance(answer.body, bytes)  # noqa: S101 - without a limit it is streamed
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            async for piece in answer.body:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
        folder = os.open(out.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
        await answer.body.aclose()
