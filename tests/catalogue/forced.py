"""Shelves for tests: one that has every column at once, however few the rows, and one that never has any."""

from app.catalogue.columns import Columns
from app.catalogue.gather import Key
from app.catalogue.resolve import Resolved
from app.catalogue.shelf import Shelf
from app.core.db import Snapshot


class Always(Shelf):
    """Loads what is not there while the request waits."""

    def _is_worth_it(self, n: int) -> bool:
        return True

    async def _absent(self, snapshot: Snapshot, generation: int, key: Key, n: int) -> Columns | None:
        columns = await self._gather.whole(snapshot, key, generation, n)
        self._put(key, columns)
        return columns


class Never(Shelf):
    """Leaves all counting to statements."""

    async def columns(self, snapshot: Snapshot, generation: int, found: Resolved) -> Columns | None:
        return None
