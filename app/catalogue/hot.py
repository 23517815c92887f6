"""Hot answers: what was answered before, given again as long as nothing that its view is shown has changed."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from app.access.caller import PUBLIC
from app.catalogue import landing
from app.catalogue.answer import Answer, Request, fresh_for, unchanged
from app.catalogue.fresh import Fresh
from app.catalogue.state import FRESH, Expired, State
from app.core.answer import Header
from app.core.problems import Problem

LONGEST = 1_024  # bytes of an address, and of each header, of a request whose answer is kept
MOST_OF_ALL = 8  # an answer that takes more than this part of the room is not kept
_BESIDE = 1_500  # bytes that an answer takes beside its body and key, about
FIXED = -1  # the place of what is alike for everybody and never changes


class Key(NamedTuple):
    """What an answer depends on, beside the generation: the view, and the request as it came."""

    view: int
    path: str
    query: bytes
    base: str | bytes
    scheme: str
    accept: bytes
    coding: str | None
    plain: bool


class _Kept(NamedTuple):
    headers: list[Header]  # all but how long it is fresh
    body: bytes
    etag: str | None
    keys: tuple[int, ...]
    size: int


@dataclass
class _Room:
    """The answers of one view in one generation."""

    generation: int
    kept: OrderedDict[Key, _Kept] = field(default_factory=OrderedDict)
    size: int = 0


class Hot:
    """The answers that one process keeps, for its event loop alone; of each view those of its newest generation."""

    def __init__(self, fresh: Fresh, megabytes: int, public_url: str | None) -> None:
        """Keep at most so many MiB; 0: nothing."""
        self._fresh = fresh
        self._most = megabytes * 1_048_576
        self._public_url = public_url
        self._rooms: dict[int, _Room] = {}
        self._size = 0

    @property
    def size(self) -> int:
        """How many bytes the answers take, about."""
        return self._size

    def key(self, request: Request, view: int | None) -> Key | None:
        """Return the key of the answer to a request in a view (None: it is alike for everybody), if it may be kept."""
        scope, headers = request.scope, request.headers
        path, query, accept = scope["path"], scope["query_string"], headers.get(b"accept", b"")
        base = self._public_url or headers.get(b"host", b"")
        if not self._most or max(len(path), len(query), len(accept), len(base)) > LONGEST:
            return None
        taken = request.accepted
        where = FIXED if view is None else view
        return Key(where, path, query, base, scope["scheme"], accept, taken.best, taken.plain)

    async def find(self, key: Key, request: Request) -> Answer | None:
        """Return the answer that was given under a key, if it is the one that would be given now."""
        room = self._rooms.get(key.view)
        if room is None or key not in room.kept:
            return None
        now = await self._now(key.view)
        if now is None:
            return None
        if now.generation != room.generation:
            self._forget(key.view)
            return None
        kept = room.kept.get(key)
        if kept is None:  # it made room for another one, while this one waited
            return None
        room.kept.move_to_end(key)
        if kept.etag is not None and request.has(kept.etag):
            return unchanged(max(key.view, PUBLIC), now.fresh, request.had(kept.etag))
        await request.shown(kept.keys)
        headers = [fresh_for(now.fresh), *kept.headers] if key.view <= PUBLIC else [*kept.headers]
        return Answer(200, headers, kept.body, etag=kept.etag)

    async def _now(self, view: int) -> State | None:
        """Return the state of a view; None, if it does not answer: then who reads it says why."""
        if view == FIXED:
            return State(view, landing.ALWAYS, FRESH)
        try:
            return self._fresh.known(view) or await self._fresh.read(view)
        except (Problem, Expired):
            return None

    def put(self, key: Key, request: Request, answer: Answer) -> None:
        """Keep an answer under its key, if it may be."""
        body, generation = answer.body, answer.generation
        if answer.status != 200 or generation is None or not isinstance(body, bytes):
            return
        size = len(body) + len(key.path) + len(key.query) + 8 * len(request.keys) + _BESIDE
        room = self._rooms.get(key.view)
        if size * MOST_OF_ALL > self._most or (room is not None and room.generation > generation):
            return
        if room is None or room.generation < generation:
            self._forget(key.view)
            room = self._rooms[key.view] = _Room(generation)
        if (before := room.kept.pop(key, None)) is not None:
            self._take(room, -before.size)
        stays = [one for one in answer.headers if key.view > PUBLIC or one[0] != b"cache-control"]
        room.kept[key] = _Kept(stays, body, answer.etag, tuple(request.keys), size)
        self._take(room, size)
        while self._size > self._most:
            largest = max(self._rooms.values(), key=lambda one: one.size)
            self._take(largest, -largest.kept.popitem(last=False)[1].size)

    def _take(self, room: _Room, size: int) -> None:
        room.size += size
        self._size += size

    def _forget(self, view: int) -> None:
        room = self._rooms.pop(view, None)
        self._size -= 0 if room is None else room.size
