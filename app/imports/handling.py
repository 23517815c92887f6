"""Imports over HTTP: made, handed in, looked at, confirmed and abandoned, by the organisation whose they are alone."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

import orjson

from app.access import asked as query
from app.access import bodies
from app.access.audit import Trails
from app.access.bodies import Body
from app.access.caller import Identity
from app.catalogue.negotiate import CSV, JSON, XLSX, bare
from app.core.answer import CLOSED, Answer, Request, private
from app.core.bodies import stated as length_stated
from app.core.problems import Problem, not_found
from app.core.settings import Settings
from app.imports.asked import Confirmation, NewImport, form_of, mapping_of
from app.imports.keeping import AT_WORK, OVER, UNDECIDED, Full, Keeping, Row, Stated, folder_of, found_of
from app.imports.sealed import FRAME, Sealed, size_of
from app.imports.shown import shown, to_confirm
from app.imports.uploading import BASE, MB, Locks, Uploading, digest_text, part_of
from app.imports.working import FILE, REPORT, SHEET
from app.vault.keys import KeyStore
from app.writing.asked import key_of
from app.writing.desk import Desk
from app.writing.handling import Repeating

T = TypeVar("T")
WHO = ("contribute", "steward")
MOST_STATED = 600_000  # bytes of what makes an import, with a mapping in it


class Imports:
    """The handlers of every address of imports."""

    def __init__(self, settings: Settings, desk: Desk, trails: Trails, keeping: Keeping, wake: Callable[[], None]):
        """Keep imports as the settings say; `wake` is called when there is something to be worked on."""
        self._home, self._most = settings.home, settings.import_mb * MB
        self._public_url = settings.public_url
        self._desk, self._trails, self._keeping, self._wake = desk, trails, keeping, wake
        self._pages = query.Pages(desk.master, "imports-cursor")
        self._locks, self._repeating = Locks(), Repeating(desk)

    @property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The routes of imports, but for the events."""
        one = f"{BASE}/{{id}}"
        return {
            BASE: {"GET": self.many, "POST": self.create},
            one: {"GET": self.get, "DELETE": self.abandon},
            f"{one}/file": {"GET": self.offset, "PATCH": self.append},
            f"{one}/confirm": {"POST": self.confirm},
            f"{one}/report": {"GET": self.report},
            f"{one}/sheet": {"GET": self.sheet},
        }

    # --- what others use ---

    def of(self, who: Identity, id: str) -> Row:
        """Return an import of the caller's organisation. Not on the event loop.

        Raises:
            Problem: not-found for one of others, as if there were none.
        """
        row = self._keeping.find(id, str(who.organisation))
        if row is None:
            raise not_found()
        return row

    def shown(self, row: Row) -> dict[str, Any]:
        """Return an import as JSON. Not on the event loop."""
        return shown(row, self._key(row), size_of(self._file(row["id"], FILE)))

    def _keys(self) -> KeyStore:
        return self._desk.writer().vault.keys

    def _key(self, row: Row) -> bytes | None:
        return self._keys().get([row["id"]]).get(row["id"]) if row["kept"] else None

    def _file(self, id: str, name: str) -> Any:
        return folder_of(self._home, id) / name

    # --- making and looking ---

    async def create(self, request: Request, who: Identity, body: Body, _: str) -> Answer:
        """Make an import that waits for its file; once for each key of a request."""
        who.require("contribute")
        query.asked(request.scope["query_string"], ())
        key, raw = key_of(request), await body.read(bodies.JSON, MOST_STATED)
        asked = bodies.parsed(raw, NewImport)
        form_of(asked.file.name)
        if asked.file.size is not None and asked.file.size > self._most:
            raise Problem("too-large", f"A file has at most {self._most} bytes here.")
        mapping = mapping_of(asked.mapping)
        stated = Stated(asked.file.name, mapping.model_dump(mode="json", by_alias=True), asked.keep_good)
        asker = await self._desk.asker(who)
        again = None if key is None else self._repeating.asked(request, asker.organisation, key, raw)

        def made() -> dict[str, Any]:
            of = asker.organisation, str(who.credential), asker.views
            return self._keeping.make(self._keys(), *of, stated, asked.file.size, self.shown, again)

        async def making() -> dict[str, Any]:
            return await asyncio.to_thread(made)

        try:
            found = await (making() if again is None else self._repeating.once(again, making))
        except Full:
            detail = "Your organisation has as many imports under way as it may. Confirm or abandon one of them first."
            raise Problem("conflict", detail) from None
        return private(201, found, [(b"location", f"{BASE}/{found['id']}".encode()), *self._limit()])

    def _limit(self) -> list[tuple[bytes, bytes]]:
        return [(b"upload-limit", f"max-size={self._most}".encode())]

    async def many(self, request: Request, who: Identity, _: Body, __: str) -> Answer:
        """Answer with the imports of the caller's organisation, newest first."""
        who.require(*WHO)
        asked = query.asked(request.scope["query_string"], ("limit", "cursor"))
        limit, owner = query.page_of(asked), str(who.organisation)
        before = self._pages.after(who, asked)

        def found() -> tuple[list[dict[str, Any]], Row | None]:
            rows = self._keeping.page(owner, limit + 1, before)
            return [self.shown(row) for row in rows[:limit]], rows[limit - 1] if len(rows) > limit else None

        items, last = await asyncio.to_thread(found)
        here = f"{request.base(self._public_url)}{BASE}"
        following = last and self._pages.next(who, asked, here, [last["made"], last["id"]])
        return private(200, {"items": items, "next": following})

    async def get(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Answer with one import."""
        who.require(*WHO)
        query.asked(request.scope["query_string"], ())
        return private(200, await asyncio.to_thread(lambda: self.shown(self.of(who, id))))

    # --- its file ---

    async def offset(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Answer with how many bytes of the file are there; it is never given back."""
        who.require("contribute")
        query.asked(request.scope["query_string"], ())
        row = await asyncio.to_thread(self.of, who, id)
        size = await asyncio.to_thread(size_of, self._file(id, FILE)) if row["state"] == "waiting" else row["size"] or 0
        complete = row["state"] != "waiting"
        told = {"received": size, "complete": complete, "most": self._most}
        return private(200, told, [*self._at(size, complete), *self._limit()])

    def _at(self, size: int, complete: bool) -> list[tuple[bytes, bytes]]:
        return [(b"upload-offset", b"%d" % size), (b"upload-complete", b"?1" if complete else b"?0")]

    async def append(self, request: Request, who: Identity, body: Body, id: str) -> Answer:
        """Take a part of the file; after the last one the import is checked."""
        who.require("contribute")
        query.asked(request.scope["query_string"], ())
        row = await asyncio.to_thread(self.of, who, id)
        part = part_of(request.headers)
        if row["state"] != "waiting":
            raise Problem("conflict", "This import does not wait for its file, or any more of it.")
        if part.offset + (length_stated(request.headers) or 0) > self._most:
            raise Problem("too-large", f"A file has at most {self._most} bytes here.", headers={"Connection": "close"})
        key = await asyncio.to_thread(self._key, row)
        upload = Uploading(self._file(id, FILE), key or b"", f"{id}/{FILE}", self._most)
        size, digest = await self._locks.alone(id, lambda: upload.take(part, body, row["size"]))
        if digest is None:
            return Answer(204, [*CLOSED, *self._at(size, complete=False), *self._limit()])

        def received() -> dict[str, Any]:
            if not self._keeping.move(id, ("waiting",), state="received", size=size, digest=digest):
                raise Problem("conflict", "This import was abandoned meanwhile.")
            return self.shown(self.of(who, id))

        found = await asyncio.to_thread(received)
        self._wake()
        return private(200, found, [*self._at(size, complete=True), (b"repr-digest", digest_text(digest).encode())])

    # --- its end ---

    async def confirm(self, request: Request, who: Identity, body: Body, id: str) -> Answer:
        """Have it applied, if what views gain is what the steward says."""
        who.require("steward")
        query.asked(request.scope["query_string"], ())
        row = await asyncio.to_thread(self.of, who, id)
        asked = await body.json(Confirmation)

        def confirmed() -> dict[str, Any]:
            key = self._key(row)
            if row["state"] != "ready" or key is None:
                raise Problem("conflict", f"It is not ready to be confirmed: its state is {row['state']}.")
            wanted = to_confirm(found_of(key, row))
            if wanted != {view: n for view, n in asked.gains.items() if n}:
                stated = ", ".join(f"{view}={n}" for view, n in wanted.items()) or "none gains anything"
                raise Problem("conflict", f"These are not the numbers that views would gain: {stated}.")
            more = {"confirmed": orjson.dumps(wanted).decode(), "confirmed_by": str(who.credential), "reason": None}
            # What was foreseen may have been told anew meanwhile: then it is another `changed`.
            if not self._keeping.move(id, ("ready",), seen=row["changed"], state="confirmed", **more):
                raise Problem("conflict", "It was confirmed or abandoned meanwhile.")
            return self.shown(self.of(who, id))

        found = await asyncio.to_thread(confirmed)
        self._wake()
        return private(202, found)

    async def abandon(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """End an import before it is applied, or let go of what is kept of one that is at an end."""
        who.require(*WHO)
        query.asked(request.scope["query_string"], ())

        def abandoned() -> None:
            self.of(who, id)
            self._keeping.move(id, UNDECIDED, state="abandoned", reason="It was abandoned.")
            if self.of(who, id)["state"] not in OVER:
                raise Problem("conflict", "It is being applied. What it brings can be taken back record by record.")
            self._keeping.forget(self._keys(), [id])

        await asyncio.to_thread(abandoned)
        return Answer(204, [*CLOSED])

    # --- what came of it ---

    async def report(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Answer with every problem and its row."""
        return await self._kept(request, who, id, REPORT, lambda _: (bare(JSON), "json"))

    async def sheet(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Answer with a copy of the sheet, with what is wrong with each row."""
        return await self._kept(
            request, who, id, SHEET, lambda found: (bare(XLSX if found["copy"] == "xlsx" else CSV), found["copy"])
        )

    async def _kept(
        self, request: Request, who: Identity, id: str, name: str, form: Callable[[Row], tuple[str, str]]
    ) -> Answer:
        who.require(*WHO)
        query.asked(request.scope["query_string"], ())

        def opened() -> tuple[Sealed, str, str]:
            row = self.of(who, id)
            key = self._key(row)
            found = found_of(key, row) if key else {}
            if key is None or not found or (name == SHEET and not found["copy"]):
                why = "being worked on" if row["state"] in AT_WORK else row["state"]
                raise Problem("not-found", f"There is no {name} of this import: it is {why}.")
            return Sealed(self._file(id, name), key, f"{id}/{name}"), *form(found)

        file, media_type, ending = await asyncio.to_thread(opened)
        trail = self._trails.begin(request.scope, who.as_owner(), id)
        await trail.answered(200)
        headers = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % file.size)]
        headers.append((b"content-disposition", f'attachment; filename="{id}-{name}.{ending}"'.encode()))
        return Answer(200, [*CLOSED, *headers], _pieces(file))


async def _pieces(file: Sealed) -> AsyncGenerator[bytes, None]:
    piece = bytearray(FRAME)
    try:
        while count := await asyncio.to_thread(file.readinto, piece):
            yield bytes(piece[:count])
    finally:
        file.close()
