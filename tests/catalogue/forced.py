"""Shelves for tests: one that has every column at once, however few the rows, and one that never has any."""

from collections.abc import Sequence

from app.catalogue.columns import Columns
from app.catalogue.gather import Key
from app.catalogue.resolve import Resolved
from app.catalogue.shelf import SPANS, Shelf
from app.core.db import Snapshot


class Always(Shelf):
    """Loads what is not there while the request waits."""

    def _is_worth_it(self, n: int) -> bool:
        return True

    def _is_worth_several(self, rarest: int) -> bool:
        return True

    async def _absent(self, snapshot: Snapshot, generation: int, key: Key, n: int) -> Columns | None:
        return await self._unordered(snapshot, key, await self._gather.whole(snapshot, key, generation, n))

    async def _unordered(self, snapshot: Snapshot, key: Key, columns: Columns) -> Columns | None:
        return await self._absent_facets(snapshot, key, columns, [SPANS])

    async def _absent_facets(
        self, snapshot: Snapshot, key: Key, whole: Columns, facets: Sequence[str]
    ) -> Columns | None:
        columns: Columns | None = whole
        for facet in facets:
            columns = None if columns is None else await self.load_facet(snapshot, key._replace(facet=facet), columns)
        self._put(key, columns)
        return columns


class Never(Shelf):
    """Leaves all counting to statements."""

    async def columns(self, snapshot: Snapshot, generation: int, found: Resolved) -> Columns | None:
        return None

    async def whole(
        self, snapshot: Snapshot, generation: int, found: Resolved, facets: Sequence[str]
    ) -> Columns | None:
        return None
