"""Much at once: rows prepared by worker processes, indexes made after the rows, postings sorted before they go in.

While it lasts every view is `building`, and readers are told to wait. If it is cut short the vault is whole, for each
of its transactions is, and the catalogue is made anew from it at the next start.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select, update

from app.catalogue.tables import POSTING, ROW, SPOT, TERM, TERM_COUNT, VIEW
from app.core.settings import Settings
from app.custody.tables import LEAF
from app.intake import postings
from app.intake.publish import Batch
from app.intake.write import Writer
from app.vault.tables import DISCLOSED, RECORD, REFERENCE, REVISION

WORKERS = 2
AHEAD = 6  # batches prepared and not yet written
T = TypeVar("T")


@dataclass
class Prepared:
    """What a worker made of a list of records: rows for every table, but for the numbers that the log gives."""

    records: list[tuple[Any, ...]] = field(default_factory=list)
    revisions: list[tuple[Any, ...]] = field(default_factory=list)  # without leaf
    references: list[tuple[str, str]] = field(default_factory=list)
    keys: list[tuple[str, bytes]] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    disclosed: list[tuple[Any, ...]] = field(default_factory=list)  # without seq and leaf
    disclosed_leaves: list[bytes] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    spots: list[tuple[Any, ...]] = field(default_factory=list)
    postings: dict[int, bytes] = field(default_factory=dict)
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    terms: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)  # positions of records that have to go the ordinary way
    changed: list[str] = field(default_factory=list)  # of a rebuild: shown differently from what history says

    def take(self, batch: Batch) -> None:
        """Take over what a publisher put into a batch."""
        self.rows, self.spots = batch.rows, batch.spots
        self.counts, self.terms = batch.counts, batch.terms
        self.postings = postings.pack(batch.postings)


class Bulk:
    """One bulk operation: begin, write what workers prepared, finish."""

    def __init__(self, writer: Writer, folder: Path) -> None:
        """Pile postings up in a folder."""
        self._writer = writer
        self._pile = postings.Pile(folder)
        self._counts: dict[tuple[int, int], int] = {}
        self._terms: dict[int, tuple[str, str, str]] = {}
        self._indexes: list[Table] = []

    def begin(self, anew: bool, tables: Sequence[Table]) -> None:
        """Close the views to readers, empty the catalogue if it is made anew, and take the tables' indexes away."""

        def _begin(connection: Connection) -> None:
            connection.execute(update(VIEW).where(VIEW.c.state == "live").values(state="building"))
            if anew:
                self._writer.database.empty(connection, (ROW, POSTING, SPOT, TERM, TERM_COUNT))
            for table in tables:
                for index in table.indexes:
                    index.drop(connection, checkfirst=True)

        self._indexes = list(tables)
        self._writer.database.write(_begin)

    def write(self, prepared: Prepared) -> None:
        """Write what a worker prepared, in one transaction."""
        if prepared.keys:
            self._writer.vault.keys.keep(prepared.keys)
        self._writer.transact(lambda connection, at, size: self._write(connection, size, prepared))
        self._pile.add(prepared.postings)
        for key, n in prepared.counts.items():
            self._counts[key] = self._counts.get(key, 0) + n
        self._terms.update(prepared.terms)

    def _write(self, connection: Connection, size: int, prepared: Prepared) -> None:
        insert = self._writer.database.insert
        insert(connection, RECORD, prepared.records)
        insert(connection, REVISION, ((*one[:6], size + i, one[6]) for i, one in enumerate(prepared.revisions)))
        insert(connection, REFERENCE, prepared.references)
        leaf = size + len(prepared.revisions)
        if prepared.disclosed:
            generations: dict[int, int] = dict(connection.execute(select(VIEW.c.id, VIEW.c.generation)).tuples().all())
            insert(connection, DISCLOSED, _numbered(prepared.disclosed, generations, leaf))
            for view, generation in generations.items():
                connection.execute(update(VIEW).where(VIEW.c.id == view).values(generation=generation))
        insert(connection, LEAF, ((size + i, one) for i, one in enumerate(prepared.leaves + prepared.disclosed_leaves)))
        insert(connection, ROW, prepared.rows)
        insert(connection, SPOT, prepared.spots)

    def finish(self, pool: ProcessPoolExecutor) -> None:
        """Insert the postings in order, count the terms, make the indexes, and open the views."""
        sorting = [pool.submit(postings.sort_file, path) for path in self._pile.finish()]
        for one in sorting:
            self._insert(one.result())

        def _finish(connection: Connection) -> None:
            self._writer.publisher.flush(connection, Batch(counts=self._counts, terms=self._terms))
            for table in self._indexes:
                for index in table.indexes:
                    index.create(connection, checkfirst=True)
            connection.execute(update(VIEW).where(VIEW.c.state == "building").values(state="live"))

        self._writer.database.write(_finish)
        self._writer.world.forget()

    def _insert(self, runs: list[Path]) -> None:
        database = self._writer.database
        database.write(lambda connection: database.insert(connection, POSTING, postings.merged(runs)))


def _numbered(
    disclosed: Iterable[tuple[Any, ...]], generations: dict[int, int], leaf: int
) -> Iterator[tuple[Any, ...]]:
    for index, (view, *rest) in enumerate(disclosed):
        generations[view] += 1
        yield view, generations[view], *rest, leaf + index


_worker: Any = None


def _start(settings: Settings, make: Callable[[Settings], Any]) -> None:
    global _worker
    _worker = make(settings)


def _work(task: Any) -> Prepared:
    prepared: Prepared = _worker(task)
    return prepared


@contextmanager
def workers(settings: Settings, make: Callable[[Settings], Any]) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes, each with its own worker made by `make`."""
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), _start, (settings, make)) as pool:
        yield pool


def prepared(pool: ProcessPoolExecutor, tasks: Iterable[tuple[T, Any]]) -> Iterator[tuple[T, Prepared]]:
    """Yield the name of each task with what a worker prepared of it, in order, never far ahead."""
    waiting: deque[tuple[T, Future[Prepared]]] = deque()
    for name, task in tasks:
        waiting.append((name, pool.submit(_work, task)))
        if len(waiting) > AHEAD:
            done, future = waiting.popleft()
            yield done, future.result()
    for done, future in waiting:
        yield done, future.result()


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """Give a folder that goes away."""
    with TemporaryDirectory(prefix="bulk-", dir=home) as folder:
        yield Path(folder)
