"""Proofs: the signed checkpoints of the log, and what leads from a record as it is shown to one of them."""

import hashlib
import threading
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import BigInteger, Integer, Select, SmallInteger, bindparam, select

from app.access.caller import PUBLIC, Caller
from app.catalogue import asked, negotiate, state
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.landing import Handler
from app.catalogue.listing import Reader
from app.catalogue.parameter import Parameter, whole
from app.catalogue.query import this_record
from app.catalogue.state import FRESH, State
from app.catalogue.tables import ROW
from app.core.db import Rows, Snapshot
from app.core.ids import k_of
from app.core.moments import iso
from app.core.problems import Fault, invalid, not_found
from app.custody import leaves, merkle
from app.custody.checkpoints import HOUR, WIDE, next_after
from app.custody.tables import CHECKPOINT, LEAF, TILE
from app.custody.tree import Tree
from app.records import KINDS, Kind
from app.vault.tables import DISCLOSED

PATH = "/v1/log"
PAGE = 50  # checkpoints of a page that states no limit
_LARGEST = (1 << 39) - 1
Json = dict[str, Any]


def _parameters(*all_of_them: Parameter) -> Mapping[str, Parameter]:
    return {one.name: one for one in all_of_them}


_SIZE: Json = {"type": "integer", "minimum": 1, "maximum": _LARGEST}
LISTED = _parameters(
    Parameter("before", "Only checkpoints of fewer leaves.", "512", whole(1, _LARGEST), _SIZE, "page"),
    Parameter(
        "limit",
        f"How many a page has at most ({PAGE}).",
        "10",
        whole(1, 1000),
        {"type": "integer", "minimum": 1, "maximum": 1000},
        "page",
    ),
)
COMPARED = _parameters(
    Parameter("old", "The `size` of the earlier checkpoint.", "256", whole(1, _LARGEST), _SIZE, "page"),
    Parameter("new", "The `size` of the later one; without it the newest.", "512", whole(1, _LARGEST), _SIZE, "page"),
)


def _checkpoints() -> "Select[Any]":
    c = CHECKPOINT.c
    few = c.size < bindparam("before", type_=BigInteger)
    return select(c.size, c.at, c.note).where(few).order_by(c.size.desc()).limit(bindparam("limit", type_=Integer))


def _between(column: Any, of: Any) -> "Select[Any]":
    first, end = (bindparam(name, type_=BigInteger) for name in ("first", "end"))
    return select(of).where(column >= first, column < end).order_by(column)


def _shown_now() -> "Select[Any]":
    """The change after which a view is shown a record as it is now, with what a proof of it needs."""
    c, view = DISCLOSED.c, bindparam("view", type_=SmallInteger)
    newest = select(ROW.c.seq).where(*this_record()).scalar_subquery()
    return select(c.revision, c.at, c.change, c.digest, c.salt, c.leaf).where(c.view == view, c.seq == newest)


class Log:
    """The log as everybody may read it: what was signed of it, and that nothing signed was changed since."""

    def __init__(self, reader: Reader, origin: str, key: str, hours: int) -> None:
        """Read a log by its name and the key by which its checkpoints are checked.

        Args:
            reader: reads the database.
            origin: the first line of every checkpoint.
            key: as C2SP signed-note writes it.
            hours: from one checkpoint to the next.
        """
        self.reader = reader
        self._origin, self._key, self._hours = origin, key, hours
        self._checkpoints = reader.database.prepare(_checkpoints())
        self._tiles = reader.database.prepare(_between(TILE.c.index, TILE.c.hash))
        self._leaves = reader.database.prepare(_between(LEAF.c.index, LEAF.c.hash))
        self._tree, self._turn = Tree(), threading.Lock()
        self.fixed: dict[str, Handler] = {
            PATH: self._about,
            f"{PATH}/checkpoints": self._list,
            f"{PATH}/consistency": self._consistency,
        }

    async def newest(self, snapshot: Snapshot) -> tuple[Any, ...] | None:
        """Return the newest checkpoint: size, moment, note."""
        return await snapshot.one(self._checkpoints, {"before": _LARGEST + 1, "limit": 1})

    async def path(self, snapshot: Snapshot, index: int, size: int) -> list[str]:
        """Return the path from a leaf to the root of the first `size`, which are whole tiles, as hexadecimal digits."""
        tile, place = divmod(index, WIDE)
        rows = await snapshot.all(self._leaves, {"first": tile * WIDE, "end": (tile + 1) * WIDE})
        beside = [bytes(one) for (one,) in rows]
        tree = await self._grown(snapshot, size)

        def _lead() -> list[bytes]:
            return [*merkle.inclusion_path(merkle.over(beside), WIDE, place), *tree.path(tile, size // WIDE)]

        return [one.hex() for one in await snapshot.work(_lead)]

    async def _grown(self, snapshot: Snapshot, size: int) -> Tree:
        """Return the tree with the tiles of the first `size` leaves at least: it is kept, and only grows."""
        known, count = len(self._tree), size // WIDE
        if known < count:
            rows = await snapshot.all(self._tiles, {"first": known, "end": count})
            with self._turn:  # readings are in several threads
                self._tree.extend(bytes(one) for (one,) in rows[len(self._tree) - known :])
        return self._tree

    async def _about(self, request: Request, _: Caller, __: str) -> Answer:
        asked.checked({}, request.scope["query_string"])
        negotiate.chosen(None, request.accept, (negotiate.JSON,))
        newest = await self.reader.database.read(self.newest)
        after = iso(next_after(newest[1], self._hours * HOUR)) if newest is not None else None
        about = {"origin": self._origin, "key": self._key, "every_hours": self._hours, "next": after}
        links = f'<{request.base(self.reader.public_url)}{PATH}/checkpoints>; rel="collection"'
        return _told(request, about | {"checkpoint": None if newest is None else _shown(newest)}, links)

    async def _list(self, request: Request, _: Caller, __: str) -> Answer:
        given = asked.checked(LISTED, request.scope["query_string"])
        negotiate.chosen(None, request.accept, (negotiate.JSON,))
        limit = given.get("limit", (PAGE,))[0]
        values = {"before": given.get("before", (_LARGEST + 1,))[0], "limit": limit + 1}

        async def reading(snapshot: Snapshot) -> Rows:
            return await snapshot.all(self._checkpoints, values)

        rows = await self.reader.database.read(reading)
        after = None
        if len(rows) > limit:
            kept = f"limit={limit}&" if "limit" in given else ""
            base = request.base(self.reader.public_url)
            after = f"{base}{PATH}/checkpoints?{kept}before={rows[limit - 1][0]}"
        links = f'<{after}>; rel="next"' if after else ""
        return _told(request, {"items": [_shown(row) for row in rows[:limit]], "next": after}, links)

    async def _consistency(self, request: Request, _: Caller, __: str) -> Answer:
        given = asked.checked(COMPARED, request.scope["query_string"])
        negotiate.chosen(None, request.accept, (negotiate.JSON,))
        if "old" not in given:
            raise invalid([Fault("query", "old", "State the size of the checkpoint that you have: old=256.")])

        async def reading(snapshot: Snapshot) -> Json:
            new = await self._one(snapshot, "new", given["new"][0]) if "new" in given else await self.newest(snapshot)
            old = await self._one(snapshot, "old", given["old"][0])
            if new is None or old[0] > new[0]:
                raise invalid([Fault("query", "old", "The old checkpoint has more leaves than the new one.")])
            tree = await self._grown(snapshot, new[0])
            path = await snapshot.work(lambda: tree.consistency(old[0] // WIDE, new[0] // WIDE))
            return {"old": old[2], "new": new[2], "path": [one.hex() for one in path]}

        return _told(request, await self.reader.database.read(reading, heavy=True))

    async def _one(self, snapshot: Snapshot, name: str, size: int) -> tuple[Any, ...]:
        row = await snapshot.one(self._checkpoints, {"before": size + 1, "limit": 1})
        if row is None or row[0] != size:
            raise invalid(
                [Fault("query", name, f"There is no checkpoint of {size} leaves: {PATH}/checkpoints has all.")]
            )
        return row


def _shown(row: tuple[Any, ...]) -> Json:
    return {"size": row[0], "at": iso(row[1]), "note": row[2]}


def _told(request: Request, content: Json, links: str = "") -> Answer:
    """Return an answer that is alike for everybody."""
    body = orjson.dumps(content)
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if request.has(etag):
        return unchanged(PUBLIC, FRESH, request.had(etag))
    return found(PUBLIC, FRESH, negotiate.JSON, etag, body, links)


class Proofs:
    """The proofs of one kind's records.

    Of a record as the view is shown it now, and of no earlier form: a digest and a salt are enough to find out by
    trying what little was taken away since.
    """

    def __init__(self, log: Log, kind: Kind) -> None:
        """Prove what a log has."""
        self._log, self._reader, self._kind = log, log.reader, kind
        self._now = log.reader.database.prepare(_shown_now())

    async def answer(self, request: Request, caller: Caller, one: str) -> Answer:
        """Answer with what proves by the newest checkpoint that the view is shown a record as it is.

        Raises:
            Problem: not-found, as for the record itself.
        """
        asked.checked({}, request.scope["query_string"])
        negotiate.chosen(None, request.accept, (negotiate.JSON,))
        view = caller.view

        async def reading(snapshot: Snapshot) -> tuple[State, Json]:
            now = await state.read(snapshot, self._reader.queries, view)
            values = {"view": view, "kind": self._kind.name, "id": one, "k": k_of(one)}
            row = await snapshot.one(self._now, values)
            if row is None:
                raise not_found()
            return now, await self._proved(snapshot, view, one, row)

        read = self._reader.database.read
        now, content = await state.unexpired(lambda: read(reading, heavy=True), self._reader.expire, view)
        await request.shown((k_of(one),))
        body = orjson.dumps(content)
        etag = f'"{hashlib.blake2b(b"%d|" % view + body, digest_size=12).hexdigest()}"'
        if request.has(etag):
            return unchanged(view, now.fresh, request.had(etag))
        here = f"{request.base(self._reader.public_url)}/v1/{self._kind.path}/{one}"
        return found(view, now.fresh, negotiate.JSON, etag, body, f'<{here}>; rel="describes"')

    async def _proved(self, snapshot: Snapshot, view: int, one: str, row: tuple[Any, ...]) -> Json:
        revision, at, change, digest, salt, index = row
        newest = await self._log.newest(snapshot)
        if newest is None or index >= newest[0]:
            return {"checkpoint": None if newest is None else newest[2], "form": None}
        leaf = leaves.disclosed(view, one, revision, at, change, bytes(digest))
        path = await self._log.path(snapshot, index, newest[0])
        form = {"leaf": leaf, "salt": bytes(salt).hex(), "index": index, "path": path}
        return {"checkpoint": newest[2], "form": form}


def of_kinds(log: Log) -> dict[tuple[str, str], Handler]:
    """Return the handlers of the proofs of every kind, by its path and their name."""
    return {(kind.path, "proof"): Proofs(log, kind).answer for kind in KINDS}
