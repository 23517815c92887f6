"""The shelf: which columns are in memory, true of which generation; what is not there is loaded beside the requests."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from app.catalogue import state
from app.catalogue.columns import BYTES, Columns
from app.catalogue.gather import Gather, Key
from app.catalogue.query import Queries
from app.catalogue.resolve import Resolved, Resolver
from app.catalogue.spans import BYTES as SPANS_BYTES
from app.catalogue.state import Expired
from app.core.db import Database, Snapshot
from app.core.problems import Problem

LEAST = 20_000  # rows: fewer are counted by a statement in some 3 ms
LEAST_OF_SEVERAL = 2_000  # rows of the rarest of several filters: fewer are counted by a statement in some 3 ms
TRIES = 3
FACET_BYTES = 4  # that a row takes, at most, while it is loaded
YEAR, SPANS = "year", "spans"
MADE = {YEAR: Columns.with_years, SPANS: Columns.with_spans}  # what is worked out from the dates
SOON = 1_000  # changes that a request itself takes in: some 15 ms
LATER = 5_000  # changes that are taken in beside the requests; with more, columns are read anew

Said = Callable[[str], None]


class Shelf:
    """The columns of one process, for the event loop and the threads of heavy readings alike."""

    def __init__(self, database: Database, queries: Queries, megabytes: int, warn: Said) -> None:
        """Keep at most so many MiB of columns; `warn` is told why something could not be loaded."""
        self._database = database
        self._queries = queries
        self._gather = Gather(database, queries)
        self._most = megabytes * 1_048_576
        self._warn = warn
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Columns] = OrderedDict()  # what was not asked for longest comes first
        self._wanted: dict[Key, None] = {}
        self._never: set[Key] = set()
        self._loading: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        """How many bytes the columns take."""
        with self._lock:
            return sum(columns.size for columns in self._kept.values())

    async def columns(self, snapshot: Snapshot, generation: int, found: Resolved) -> Columns | None:
        """Return the columns that a question is about, as they are in a snapshot of that generation.

        Returns:
            None where a statement has to count: the question is about other rows than all of a kind or of one term,
            they are few, or they are not here. Then they are loaded for whoever asks later (`load`).
        """
        if not found.asked.kind.date or found.nothing:
            return None
        if found.plain is not None:
            key = Key(found.view, found.asked.kind.name, found.plain.term)
            return await self._true_of(snapshot, generation, key, found.plain.n)
        terms = found.terms()
        if terms is None or not self._is_worth_several(min(one.n or 0 for one in found.filters)):
            return None
        whole = await self.whole(snapshot, generation, found, [facet for facet, _ in terms])
        return None if whole is None else await snapshot.work(partial(whole.narrowed, terms))

    async def whole(
        self, snapshot: Snapshot, generation: int, found: Resolved, facets: Sequence[str]
    ) -> Columns | None:
        """Return the columns of all rows of a question's kind, with facets of them ("year" for their dates).

        Returns:
            None where a statement has to count, as for `columns`.
        """
        if not found.asked.kind.date:
            return None
        key = Key(found.view, found.asked.kind.name)
        whole = await self._true_of(snapshot, generation, key, found.rows)
        if whole is None:
            return None
        lacking = [facet for facet in dict.fromkeys(facets) if not _has(whole, facet)]
        return whole if not lacking else await self._absent_facets(snapshot, key, whole, lacking)

    async def _absent_facets(self, _: Snapshot, key: Key, __: Columns, facets: Sequence[str]) -> Columns | None:
        with self._lock:
            self._wanted.update(dict.fromkeys(key._replace(facet=facet) for facet in facets))
        return None

    async def _true_of(self, snapshot: Snapshot, generation: int, key: Key, n: int) -> Columns | None:
        if not self._is_worth_it(n):
            return None
        kept = self._get(key)
        if kept is not None and kept.generation > generation:
            return None  # this snapshot is an old one
        if kept is not None and kept.generation < generation:
            kept = await self._gather.since(snapshot, key, kept, generation, SOON)
            self._put(key, kept)
        if kept is None or len(kept) != n:
            return await self._absent(snapshot, generation, key, n)
        if kept.spans is None and self._has_room(kept, SPANS):
            return await self._unordered(snapshot, key, kept)
        return kept

    async def _absent(self, _: Snapshot, __: int, key: Key, ___: int) -> Columns | None:
        with self._lock:
            self._wanted[key._replace(facet=SPANS)] = None
        return None

    async def _unordered(self, _: Snapshot, key: Key, columns: Columns) -> Columns | None:
        with self._lock:
            self._wanted[key._replace(facet=SPANS)] = None
        return columns

    def _is_worth_it(self, n: int) -> bool:
        return n >= LEAST and n * BYTES <= self._most

    def _has_room(self, columns: Columns, facet: str | None) -> bool:
        return columns.size + (SPANS_BYTES if facet == SPANS else FACET_BYTES) * len(columns) <= self._most

    def _is_worth_several(self, rarest: int) -> bool:
        return rarest >= LEAST_OF_SEVERAL

    def _get(self, key: Key) -> Columns | None:
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return kept

    def _put(self, key: Key, columns: Columns | None) -> bool:
        """Keep columns, unless there are some of a later generation; let others go where there is no room."""
        with self._lock:
            kept = self._kept.get(key)
            if columns is None or (kept is not None and kept.generation > columns.generation):
                return False
            if kept is not None and kept.generation == columns.generation:
                facets, years = {**kept.facets, **columns.facets}, columns.years or kept.years
                columns = replace(columns, facets=facets, years=years, spans=columns.spans or kept.spans)
            self._kept[key] = columns
            self._kept.move_to_end(key)
            size = sum(one.size for one in self._kept.values())
            while size > self._most:
                size -= self._kept.popitem(last=False)[1].size
            return True

    def begin(self, view: int, kinds: Iterable[str]) -> None:
        """Begin to load the columns of kinds in a view before anybody asks; on the event loop."""
        if self._most:
            with self._lock:
                self._wanted.update(dict.fromkeys(Key(view, kind, facet=SPANS) for kind in kinds))
            self.load()

    def load(self) -> None:
        """Begin to load what was asked for and was not there, one after another; on the event loop."""
        if self._wanted and (self._loading is None or self._loading.done()):
            self._loading = asyncio.create_task(self._load_all())

    async def _load_all(self) -> None:
        while (key := self._first_wanted()) is not None:
            try:
                await self._load_one(key)
            except (Problem, Expired):
                pass  # the view does not answer now, or this took too long: who asks next wants it again
            except Exception as error:
                self._warn(f"columns could not be loaded: {type(error).__name__}")
            finally:
                with self._lock:
                    del self._wanted[key]

    async def _load_one(self, key: Key) -> None:
        """Load one thing; what a request took in meanwhile is taken in after it."""
        if key in self._never:
            return
        loaded = await self._database.read(partial(self._load, key), heavy=True)
        for _ in range(TRIES):
            if loaded is None or self._put(key.whose, loaded):
                return
            loaded = await self._database.read(partial(self._later, key.whose, loaded), heavy=True)

    async def _later(self, key: Key, columns: Columns, snapshot: Snapshot) -> Columns | None:
        now = await state.read(snapshot, self._queries, key.view)
        return await self._gather.since(snapshot, key, columns, now.generation, LATER)

    def _first_wanted(self) -> Key | None:
        with self._lock:
            return next(iter(self._wanted), None)

    async def _load(self, key: Key, snapshot: Snapshot) -> Columns | None:
        now = await state.read(snapshot, self._queries, key.view)
        columns = await self._load_rows(key.whose, snapshot, now.generation)
        if columns is None or key.facet is None or _has(columns, key.facet):
            return columns
        return await self.load_facet(snapshot, key, columns)

    async def load_facet(self, snapshot: Snapshot, key: Key, columns: Columns) -> Columns | None:
        """Return columns with a facet besides; None: it is not one to keep."""
        if not self._has_room(columns, key.facet):
            return columns if key.facet == SPANS else None
        if key.facet in MADE:
            return await snapshot.work(partial(MADE[key.facet], columns))
        classes = await self._gather.classes(snapshot, key, columns)
        if classes is None:
            self._never.add(key)  # it has too many values: it is not tried again
            return None
        return replace(columns, facets={**columns.facets, str(key.facet): classes})

    async def _load_rows(self, key: Key, snapshot: Snapshot, generation: int) -> Columns | None:
        resolver = Resolver(snapshot, self._queries, key.view)
        n = await resolver.rows_of(key.kind) if key.term is None else await resolver.rows_with(key.term)
        if not self._is_worth_it(n):
            return None
        kept = self._get(key)
        if kept is not None and kept.generation <= generation:
            most = min(LATER, len(kept) // 4)
            kept = await self._gather.since(snapshot, key, kept, generation, most)
            if kept is not None and len(kept) == n:
                return kept
        return await self._gather.whole(snapshot, key, generation, n)

    async def close(self) -> None:
        """Stop loading."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)


def _has(columns: Columns, facet: str) -> bool:
    if facet in MADE:
        return (columns.years if facet == YEAR else columns.spans) is not None
    return facet in columns.facets
