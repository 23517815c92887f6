"""Where an id leads that was merged: told to a view that was told of it, and is shown what it leads to."""

from typing import Any

import orjson
from sqlalchemy import BigInteger, Select, SmallInteger, String, bindparam, select

from app.access.caller import PUBLIC
from app.catalogue import state
from app.catalogue.answer import Answer, Request
from app.catalogue.listing import Reader
from app.catalogue.query import this_record
from app.catalogue.tables import ROW
from app.core.answer import CLOSED, OPEN
from app.core.db import Snapshot
from app.core.ids import k_of
from app.records import BY_PATH
from app.vault.chains import unpack
from app.vault.tables import LED, RECORD


def _shown() -> "Select[Any]":
    """The newest change of a record that each view was told."""
    c = RECORD.c
    return select(c.shown).where(c.id == bindparam("id", type_=String), c.kind == bindparam("kind", type_=String))


def _target() -> "Select[Any]":
    """What the change says that the id leads to, if it is one that does."""
    c = LED.c
    view, seq = bindparam("view", type_=SmallInteger), bindparam("seq", type_=BigInteger)
    return select(c.target).where(c.view == view, c.seq == seq)


def _row() -> "Select[Any]":
    """Whether a view is shown a record."""
    return select(ROW.c.k).where(*this_record())


class Leads:
    """Answers for ids that are no record's any more."""

    def __init__(self, reader: Reader) -> None:
        """Compile the statements."""
        prepare = reader.database.prepare
        self._reader = reader
        self._shown, self._target, self._row = prepare(_shown()), prepare(_target()), prepare(_row())

    async def answer(self, request: Request, view: int, above: str, one: str) -> Answer | None:
        """Return the answer that leads on from an id below an address (`/v1/places`), or None where it leads nowhere.

        All that it depends on was told to the view, or is shown to it: an id that was merged out of its sight, or into
        what it is not shown, is an unknown one.
        """
        reader, kind = self._reader, next(BY_PATH[part].name for part in above.split("/") if part in BY_PATH)

        async def reading(snapshot: Snapshot) -> str | None:
            await state.read(snapshot, reader.queries, view)
            return await self._end(snapshot, view, kind, one)

        end = await state.unexpired(lambda: reader.database.read(reading), reader.expire, view)
        if end is None:
            return None
        tail = request.scope["path"].removeprefix(f"{above}/{one}")
        query = request.scope["query_string"].decode("ascii", "replace")
        location = f"{request.base(reader.public_url)}{above}/{end}{tail}" + (f"?{query}" if query else "")
        headers = [*(OPEN if view == PUBLIC else CLOSED[:1]), (b"cache-control", b"no-store")]
        headers += [(b"content-type", b"application/json"), (b"location", location.encode("ascii", "replace"))]
        return Answer(308, headers, orjson.dumps({"id": one, "into": end}))

    async def _end(self, snapshot: Snapshot, view: int, kind: str, one: str) -> str | None:
        """Follow what the view was told, from one id to the next, up to one that it is shown."""
        met = {one}
        while True:
            shown = await snapshot.one(self._shown, {"id": one, "kind": kind})
            seq = unpack(shown[0]).get(view) if shown is not None else None
            told = None if seq is None else await snapshot.one(self._target, {"view": view, "seq": seq})
            if told is None or told[0] in met:
                return None
            one = told[0]
            met.add(one)
            if await snapshot.one(self._row, {"view": view, "kind": kind, "id": one, "k": k_of(one)}) is not None:
                return one
