"""One record as a view is shown it, and the history of what it was shown."""

import hashlib
from typing import Any

import orjson
from sqlalchemy import Select, SmallInteger, bindparam, select

from app.access.caller import PUBLIC, Caller
from app.catalogue import asked, formats, negotiate, state
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.listing import Reader
from app.catalogue.parameters import format_of
from app.catalogue.query import this_record
from app.catalogue.state import State
from app.catalogue.tables import ROW
from app.core.db import Rows, Snapshot
from app.core.ids import k_of
from app.core.moments import iso
from app.core.problems import not_found
from app.records import KINDS, Kind
from app.vault.tables import DISCLOSED

# Of these a former form may have told what is withheld now. What is still shown of one lets its few unknown words be
# guessed, and a digest says which guess is right: so only that of the form shown now is told.
ABOUT_PEOPLE = tuple(kind.name for kind in KINDS if kind.people)


def _past() -> "Select[Any]":
    """The changes of a record that a view is shown, oldest first: revision, moment, what changed, digest."""
    c, view = DISCLOSED.c, bindparam("view", type_=SmallInteger)
    columns = (c.seq, c.previous, c.revision, c.at, c.change, c.digest)
    past = (
        select(*columns)
        .where(c.view == view, c.seq == select(ROW.c.seq).where(*this_record()).scalar_subquery())
        .cte("past", recursive=True)
    )
    past = past.union_all(select(*columns).where(c.view == view, c.seq == past.c.previous))
    return select(past.c.revision, past.c.at, past.c.change, past.c.digest).order_by(past.c.seq)


class Record:
    """The records of one kind, one by one."""

    def __init__(self, reader: Reader, kind: Kind) -> None:
        """Make the address of a kind's records."""
        self._reader = reader
        self._kind = kind
        self.offered = (negotiate.JSON, negotiate.GEOJSON) if kind.geometry else (negotiate.JSON,)
        self._known = {"format": format_of(self.offered)}
        self._history = reader.database.prepare(_past())

    def _format(self, request: Request) -> str:
        raw = request.scope["query_string"]
        named = asked.checked(self._known, raw).get("format", (None,))[0] if raw else None
        return negotiate.chosen(named, request.accept, self.offered)

    async def read(self, request: Request, caller: Caller, one: str) -> tuple[State, str, bytes]:
        """Return the state of the view, the tag of a record in it, and its bytes; it is accounted for.

        Raises:
            Problem: not-found for what is hidden and for what is not there alike.
        """
        reader, view, k = self._reader, caller.view, k_of(one)
        values = {"view": view, "kind": self._kind.name, "id": one, "k": k}

        async def reading() -> tuple[State, str, bytes]:
            row = await reader.database.one(reader.queries.one, values)
            now = state.of(view, row and row[:3])
            if row is None or row[3] is None:
                raise not_found()
            return now, row[3], row[4]

        now, tag, body = await state.unexpired(reading, reader.expire, view)
        await request.shown((k,))
        # Two views may be shown the same bytes: their tags differ all the same, so that none is good in another.
        tag = tag if view == PUBLIC else hashlib.blake2b(b"%d|" % view + tag.encode(), digest_size=12).hexdigest()
        return now, tag, body

    async def answer(self, request: Request, caller: Caller, one: str) -> Answer:
        """Answer with one record.

        Raises:
            Problem: not-found for what is hidden and for what is not there alike.
        """
        format, view = self._format(request), caller.view
        now, tag, body = await self.read(request, caller, one)
        etag = f'"{tag}"' if format == negotiate.JSON else f'"{tag}-{format}"'
        if request.has(etag):
            return unchanged(view, now.fresh, request.had(etag))
        base = request.base(self._reader.public_url)
        here = f"{base}/v1/{self._kind.path}/{one}"
        links = f'<{here}>; rel="canonical", <{here}/history>; rel="version-history"'
        links += f', <{base}/v1/{self._kind.path}>; rel="collection"'
        if format == negotiate.GEOJSON:
            body = formats.feature(body)
        return found(view, now.fresh, format, etag, body, links, now.generation)

    async def history(self, request: Request, caller: Caller, one: str) -> Answer:
        """Answer with every form of a record that the view was shown: when, and the digest of what was shown.

        Of records about people the digest is told of the form alone that is shown now.

        Raises:
            Problem: not-found, as for the record itself.
        """
        asked.checked({}, request.scope["query_string"])
        negotiate.chosen(None, request.accept, (negotiate.JSON,))
        reader, view = self._reader, caller.view

        async def reading(snapshot: Snapshot) -> tuple[State, Rows]:
            now = await state.read(snapshot, reader.queries, view)
            past = await snapshot.all(self._history, {"view": view, "kind": self._kind.name, "id": one, "k": k_of(one)})
            if not past:
                raise not_found()
            return now, past

        now, rows = await state.unexpired(lambda: reader.database.read(reading), reader.expire, view)
        await request.shown((k_of(one),))
        whole = b"history|%d|%d|" % (view, now.generation) + one.encode()
        etag = f'"{hashlib.blake2b(whole, digest_size=12).hexdigest()}"'
        if request.has(etag):
            return unchanged(view, now.fresh, request.had(etag))
        items: list[dict[str, Any]] = [
            {"revision": revision, "at": iso(at), "change": change, "digest": f"sha256:{bytes(digest).hex()}"}
            for revision, at, change, digest in rows
        ]
        if self._kind.name in ABOUT_PEOPLE:
            for former in items[:-1]:
                former["digest"] = None
        base = request.base(reader.public_url)
        links = f'<{base}/v1/{self._kind.path}/{one}>; rel="latest-version"'
        body = orjson.dumps({"items": items, "next": None, "total": len(items)})
        return found(view, now.fresh, negotiate.JSON, etag, body, links, now.generation)
