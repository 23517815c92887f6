"""Counts: how many listed records of a kind there are by one or two facets, in the view that asks."""

import asyncio
import hashlib
from functools import partial
from typing import Any, NamedTuple, cast
from weakref import WeakValueDictionary

import orjson

from app.access.caller import Caller
from app.catalogue import asked, facets, negotiate, separated, state
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.asked import Asked
from app.catalogue.breakdown import cells_of
from app.catalogue.counts import count, describes
from app.catalogue.facets import YEARS
from app.catalogue.listing import Reader
from app.catalogue.memo import Large, Text
from app.catalogue.parameter import Parameter, identifier, one_of
from app.catalogue.parameters import format_of, vocabulary
from app.catalogue.resolve import Resolved, Resolver
from app.catalogue.state import State
from app.core.db import Snapshot
from app.core.problems import Fault, invalid
from app.records import BY_NAME, Kind

KINDS = ("incident", "testimony")
FORMATS = (negotiate.JSON, negotiate.CSV)
MOST = 20_000  # groups of one answer
ANSWERS = 16 * 1_048_576  # bytes of answers that are remembered
_LAST = "\uffff"  # what has no value comes behind all that have one
PATTERN = "pattern"  # a scope: many events told as one, so it is no event more


def facets_of(kind: Kind) -> tuple[str, ...]:
    """Return the facets that records of a kind are counted by."""
    return facets.of(kind, vocabulary(kind).values())


def parameters(kind: Kind) -> dict[str, Parameter]:
    """Return the parameters, those of the kind's own vocabulary that filter included."""
    names = facets_of(kind)
    own = (
        Parameter(
            "kind",
            "What is counted: incidents (without it), or testimonies.",
            "testimony",
            one_of(KINDS),
            {"type": "string", "enum": list(KINDS)},
            "page",
        ),
        Parameter(
            "group_by",
            "By which facets, one or two separated by a comma; year (without it) or decade may be one of them.",
            "violation,year",
            identifier,
            {"type": "array", "items": {"type": "string", "enum": list(names)}, "minItems": 1, "maxItems": 2},
            "page",
            commas=True,
        ),
    )
    filters = {one.name: one for one in vocabulary(kind).values() if one.role != "page"}
    return {one.name: one for one in own} | filters | {"format": format_of(FORMATS)}


class Grouped(NamedTuple):
    """What is asked: of which kind, by which facets, with which filters."""

    by: tuple[str, ...]
    asked: Asked
    format: str | None
    patterns: bool  # those of scope pattern are left out, for nobody asked for them


def read(raw: bytes) -> Grouped:
    """Read a query string.

    Raises:
        Problem: invalid-request, each fault with its own explanation.
    """
    texts = asked.texts(raw)
    kind = BY_NAME[texts["kind"][0]] if texts.get("kind", [""])[0] in KINDS else BY_NAME[KINDS[0]]
    known = parameters(kind)
    given = asked.checked(known, raw)
    (by,) = given.get("group_by", (("year",),))
    faults = list(_faults(by))
    if faults:
        raise invalid([Fault("query", "group_by", why) for why in faults])
    filters = {name: values for name, values in given.items() if name in vocabulary(kind) and name != "format"}
    patterns = "scope" in vocabulary(kind) and "scope" not in filters
    if patterns:
        scopes = vocabulary(kind)["scope"].schema["enum"]
        filters["scope"] = tuple(sorted(one for one in scopes if one != PATTERN))
        filters = {name: filters[name] for name in vocabulary(kind) if name in filters}
    return Grouped(by, asked.of(kind, filters), given.get("format", (None,))[0], patterns)


def _faults(by: tuple[str, ...]) -> list[str]:
    if len(by) > 2:
        return ["These are more than two facets."]
    if len(by) == 2 and set(by) <= set(YEARS):
        return ["A year lies in one decade: ask for one of the two."]
    return []


class _Counted(NamedTuple):
    state: State
    answer: bytes | None  # the JSON; None: the caller has it already


class Counts:
    """The address of counts."""

    def __init__(self, reader: Reader) -> None:
        """Make it."""
        self._reader = reader
        self._answers = Large(ANSWERS)
        self._turns: WeakValueDictionary[tuple[int, bytes], asyncio.Lock] = WeakValueDictionary()

    async def answer(self, request: Request, caller: Caller, _: str) -> Answer:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        grouped = read(request.scope["query_string"])
        format = negotiate.chosen(grouped.format, request.accept, FORMATS)
        reader, view = self._reader, caller.view
        whole = repr((grouped.by, grouped.patterns)).encode() + grouped.asked.digest

        def etag(generation: int) -> str:
            text = b"%d|%d|%s|" % (view, generation, format.encode()) + whole
            return f'"{hashlib.blake2b(b"counts|" + text, digest_size=12).hexdigest()}"'

        async def reading(inline: bool, snapshot: Snapshot) -> _Counted | None:
            now = await state.read(snapshot, reader.queries, view)
            if request.knows and request.has(etag(now.generation)):
                return _Counted(now, None)
            key = (view, now.generation, whole)
            answer: Text | None = self._answers.get(key)
            if answer is None and inline:
                return None
            if answer is None:
                answer = Text(orjson.dumps(await self._count(snapshot, now, grouped)))
                self._answers.put(key, answer)
            return _Counted(now, answer.text)

        async def counted() -> _Counted:
            done = await reader.database.read(partial(reading, True))
            if done is not None:
                return done
            # Who asks the same at the same time waits for the one who counts first.
            async with self._turns.setdefault((view, whole), asyncio.Lock()):
                done = await reader.database.read(partial(reading, True))
                done = done or await reader.database.read(partial(reading, False), heavy=True)
            reader.shelf.load()
            return cast(_Counted, done)

        done = await state.unexpired(counted, reader.expire, view)
        tag = etag(done.state.generation)
        if done.answer is None:
            return unchanged(view, done.state.fresh, request.had(tag))
        body = done.answer if format == negotiate.JSON else _csv(grouped, orjson.loads(done.answer))
        links = f'<{request.base(reader.public_url)}/v1/{grouped.asked.kind.path}/queryables>; rel="describedby"'
        return found(view, done.state.fresh, format, tag, body, links, done.state.generation)

    async def _count(self, snapshot: Snapshot, now: State, grouped: Grouped) -> dict[str, Any]:
        queries, shelf = self._reader.queries, self._reader.shelf
        resolver = Resolver(snapshot, queries, now.view)
        resolved = await resolver.resolve(grouped.asked, None, "")
        cells = await cells_of(snapshot, queries, shelf, now.generation, resolved, grouped.by)
        if len(cells) > MOST:
            why = f"These facets have more than {MOST} combinations: narrow the filters, or ask for one of them."
            raise invalid([Fault("query", "group_by", why)])
        names = (*grouped.by, grouped.asked.kind.path)
        rows = sorted((*[_LAST if value is None else value for value in key], n) for key, n in cells.items())
        items = [
            {key: None if value == _LAST else value for key, value in zip(names, row, strict=True)} for row in rows
        ]
        columns = await shelf.columns(snapshot, now.generation, resolved)
        counted = await count(snapshot, queries, resolver, resolved, columns)
        meta: dict[str, Any] = {"describes": describes(resolved, ""), "undated": counted.undated}
        if grouped.patterns:
            meta["left_out"] = {PATTERN: await self._patterns(snapshot, now, resolver, resolved)}
        return {"items": items, "total": counted.total, "meta": meta}

    async def _patterns(self, snapshot: Snapshot, now: State, resolver: Resolver, resolved: Resolved) -> int:
        """Return how many of scope pattern fit all else."""
        filters = dict(resolved.asked.given) | {"scope": (PATTERN,)}
        other = await resolver.resolve(asked.of(resolved.asked.kind, filters), None, "")
        columns = await self._reader.shelf.columns(snapshot, now.generation, other)
        return (await count(snapshot, self._reader.queries, resolver, other, columns)).total


def _csv(grouped: Grouped, answer: dict[str, Any]) -> bytes:
    """Return the groups as rows; of the rest of the answer there is nothing."""
    names = [*grouped.by, grouped.asked.kind.path]
    return separated.rows([names, *[[item[name] for name in names] for item in answer["items"]]])
