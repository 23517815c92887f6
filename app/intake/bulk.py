"""Much at once: worker processes prepare rows, one transaction after another takes them in.

Open, the catalogue is whole after every transaction. Closed, indexes are made after the rows and postings are sorted
before they go in, which is faster; every view is `building` meanwhile, and readers are told to wait. If that is cut
short the vault is whole, for each of its transactions is, and the catalogue is made anew from it at the next start.
"""

import fcntl
import gc
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing import get_context
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select, update

from app.catalogue.tables import PARTITIONED, POSTING, ROW, SEARCHED, SPOT, TERM, TERM_COUNT, VIEW, WORD
from app.core.collector import collect_rarely
from app.core.db import SMALL, Database, Series
from app.core.following import follow_parent
from app.core.settings import Settings
from app.custody.tables import LEAF
from app.disclosure.fitness import Doubt
from app.intake import wording
from app.intake.postings import Packed, Pile, Place, merged, rows_of, sort_file, table_of, views_in
from app.intake.publish import Item, Rendered
from app.intake.write import Writer
from app.vault.chains import pack
from app.vault.tables import DISCLOSED, RECORD, REFERENCE, REVISION

WORKERS = 1  # the process that writes is as busy as one that prepares
REST = 64  # batches, after which the log is copied whole
AHEAD = 3  # batches prepared and not yet written
TOGETHER = 2  # batches that a closed operation writes in one transaction
T = TypeVar("T")
Kept = Future[dict[str, bytes]] | None


@dataclass
class Prepared:
    """What a worker made of a list of records: rows for every table, but for the numbers that the log gives."""

    records: list[tuple[Any, ...]] = field(default_factory=list)  # their leaf is not known yet
    revisions: list[tuple[Any, ...]] = field(default_factory=list)  # the same
    references: list[tuple[str, int]] = field(default_factory=list)  # by the position of the record
    keys: list[tuple[str, bytes]] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    disclosed: list[tuple[Any, ...]] = field(default_factory=list)  # each the first of its record: seq, leaf missing
    disclosed_leaves: list[bytes] = field(default_factory=list)
    # The views (one bit each), k, seq for each view (none where the change is new, too), and the rest.
    rows: list[tuple[int, int, tuple[int, ...], tuple[Any, ...]]] = field(default_factory=list)
    searched: list[tuple[int, int, str]] = field(default_factory=list)  # views, k, terms of the texts
    words: dict[int, Counter[str]] = field(default_factory=dict)  # by views
    packed: dict[Place, bytes] = field(default_factory=dict)  # postings and spots
    counts: dict[int, Counter[int]] = field(default_factory=dict)  # of terms, by views
    terms: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)  # positions of records that have to go the ordinary way
    changed: list[str] = field(default_factory=list)  # of a rebuild: shown differently from what history says
    keyless: list[str] = field(default_factory=list)  # of a rebuild: not erased, and without a key
    doubts: list[tuple[str, Doubt]] = field(default_factory=list)  # by id: what a person should look at again
    log_size: int = 0  # of the log when the worker learnt the first of what it knows of other records

    def add(
        self,
        packed: Packed,
        mask: int,
        item: Item,
        rendered: Rendered,
        revision: int,
        at: int,
        seqs: tuple[int, ...] = (),
    ) -> None:
        """Add what some views are shown of a record."""
        self.rows.append((mask, item.k, seqs, rendered.row_since(item, revision, at)))
        shown = rendered.shown
        self.searched.append((mask, item.k, rendered.searched))
        packed.add(mask, rendered.terms, item.k, shown.bounds, shown.boxes)
        counts = self.counts.get(mask)
        if counts is None:
            counts = self.counts[mask] = Counter()
        counts.update(rendered.terms)
        if not self.terms.keys() >= {*rendered.terms}:
            self.terms.update(zip(rendered.terms, ((item.kind, *term) for term in shown.terms), strict=True))

    def finish(self, packed: Packed) -> None:
        """Add what is known when all is there."""
        self.packed = packed.sorted()
        self.words = wording.counted(self.searched)


class _Keyed(Exception):
    """A record has another key by now."""


class Bulk:
    """One bulk operation: write what workers prepared; closed, begin before and finish afterwards."""

    def __init__(self, writer: Writer, series: Series, folder: Path | None = None) -> None:
        """Start with a series of transactions; a folder, to pile postings and spots up in, makes it a closed one."""
        self._writer = writer
        self._series = series
        self._pile = Pile(folder) if folder is not None else None
        self._counts: dict[int, Counter[int]] = {}
        self._words: dict[int, Counter[str]] = {}
        self._terms: dict[int, tuple[str, str, str]] = {}
        self._met: set[int] = set()  # terms that are there
        self._indexes: list[Table] = []
        self.alone_since = -1  # the size of the log after the last time that somebody else wrote
        self._log_size = -1
        self._writer.closed_by_us = folder is not None

    def begin(self, anew: bool, tables: Sequence[Table]) -> None:
        """Close the views to readers, empty the catalogue if it is made anew, and take the tables' indexes away."""

        def _begin(connection: Connection) -> None:
            connection.execute(update(VIEW).where(VIEW.c.state == "live").values(state="building"))
            if anew:
                self._writer.database.empty(connection, (ROW, POSTING, SPOT, TERM, TERM_COUNT, SEARCHED, WORD))
            for table in tables:
                for index in table.indexes:
                    index.drop(connection, checkfirst=True)

        self._indexes = list(tables)
        self._writer.database.write(_begin)

    def write(self, some: Sequence[Prepared]) -> bool:
        """Write what workers prepared, in one transaction.

        Returns:
            False, with nothing written, if somebody else wrote since one of them looked: what it saw may be so no more;
            or if somebody else kept a key for one of the records first: nothing sealed under ours could be opened.
        """
        keys = [key for prepared in some for key in prepared.keys]
        with ThreadPoolExecutor(1) as beside:
            # On disk before what they seal is, and meanwhile that is put in.
            kept = beside.submit(self._writer.vault.keys.keep, keys) if keys else None
            try:
                if not self._writer.transact(lambda connection, _, size: self._write(connection, size, some, kept)):
                    return False
            except _Keyed:
                return False
        if self._pile is not None:
            for prepared in some:
                self._pile.add(prepared.packed)
                for mask, counts in prepared.counts.items():
                    self._counts.setdefault(mask, Counter()).update(counts)
                for mask, words in prepared.words.items():
                    self._words.setdefault(mask, Counter()).update(words)
                self._terms.update(prepared.terms)
        return True

    def _is_stale(self, size: int, some: Sequence[Prepared]) -> bool:
        if size != self._log_size:
            self.alone_since = self._log_size = size
            self._met.clear()
        return any(prepared.log_size < self.alone_since for prepared in some)

    def _write(self, connection: Connection, size: int, some: Sequence[Prepared], kept: Kept) -> bool:
        if self._is_stale(size, some):
            return False
        for prepared in some:
            self._log_size = size = self._put(connection, size, prepared)
        if kept is not None and any(kept.result()[record] != key for one in some for record, key in one.keys):
            raise _Keyed
        return True

    def _put(self, connection: Connection, size: int, prepared: Prepared) -> int:
        """Put in what was prepared; return the log's new size."""
        insert = self._writer.database.insert
        numbers = {id: number for id, number in connection.execute(select(VIEW.c.id, VIEW.c.generation))}
        insert(connection, ROW, _rows(prepared.rows, dict(numbers)))
        insert(connection, RECORD, _records(prepared.records, dict(numbers), size))
        insert(connection, REVISION, ((size + i, *one[1:]) for i, one in enumerate(prepared.revisions)))
        insert(connection, REFERENCE, ((to, size + i) for to, i in prepared.references))
        if prepared.disclosed:
            leaf = size + len(prepared.revisions)
            insert(connection, DISCLOSED, _disclosed(prepared.disclosed, numbers, leaf))
            for view, generation in numbers.items():
                connection.execute(update(VIEW).where(VIEW.c.id == view).values(generation=generation))
        leaves = prepared.leaves + prepared.disclosed_leaves
        insert(connection, LEAF, ((size + i, one) for i, one in enumerate(leaves)))
        for mask, texts in groupby(sorted(prepared.searched), key=itemgetter(0)):
            self._writer.database.insert_alike(connection, SEARCHED, views_in(mask), [row for _, *row in texts])
        if self._pile is None:
            wording.count(self._writer.database, connection, wording.by_view(prepared.words))
            for mask, table, rows in rows_of(prepared.packed):
                self._writer.database.insert_alike(connection, table, views_in(mask), rows)
            new = {id: term for id, term in prepared.terms.items() if id not in self._met}
            self._writer.publisher.count(connection, by_view(prepared.counts), new)
            self._met.update(new)
        return size + len(leaves)

    def finish(self, pool: ProcessPoolExecutor) -> None:
        """Insert postings and spots in order, make the indexes, count the terms, and open the views."""
        files = self._pile.finish() if self._pile is not None else {}
        sorting = {place: pool.submit(sort_file, path, place[1]) for place, path in sorted(files.items())}
        pool.shutdown(wait=False)  # workers end when all is sorted: their memory is worth more afterwards
        for (mask, bucket), runs in sorting.items():
            self._insert(views_in(mask), bucket, runs.result())
        self._series.durable()
        self._writer.database.index(self._indexes)

        def _finish(connection: Connection) -> None:
            self._writer.publisher.count(connection, by_view(self._counts), self._terms)
            wording.count(self._writer.database, connection, wording.by_view(self._words))
            self._writer.database.learn(connection, [*PARTITIONED, TERM, TERM_COUNT, WORD])
            connection.execute(update(VIEW).where(VIEW.c.state == "building").values(state="live"))

        self._writer.database.write(_finish)
        self._writer.closed_by_us = False
        self._writer.world.forget()

    def _insert(self, views: Sequence[int], bucket: int, runs: list[Path]) -> None:
        database, table = self._writer.database, table_of(bucket)
        database.write(lambda connection: database.insert_alike(connection, table, views, merged(runs, bucket)))


def by_view(counts: Mapping[int, Mapping[int, int]]) -> dict[tuple[int, int], int]:
    """Return counts by view and term from counts of terms by views."""
    each: dict[tuple[int, int], int] = {}
    for mask, terms in counts.items():
        for view in views_in(mask):
            for term, n in terms.items():
                each[view, term] = each.get((view, term), 0) + n
    return each


# The first change of the n-th record that a view is shown is the n-th after its generation: all three count alike.


def _rows(rows: Iterable[tuple[int, int, tuple[int, ...], tuple[Any, ...]]], numbers: dict[int, int]) -> Iterator[Any]:
    for mask, k, seqs, rest in rows:
        for view, seq in zip(views_in(mask), seqs or _next(mask, numbers), strict=True):
            yield view, k, seq, *rest


def _records(records: Iterable[tuple[Any, ...]], numbers: dict[int, int], leaf: int) -> Iterator[tuple[Any, ...]]:
    for index, one in enumerate(records):
        mask = one[8]
        yield *one[:7], leaf + index, mask, pack(dict(zip(views_in(mask), _next(mask, numbers), strict=True)))


def _disclosed(disclosed: Iterable[tuple[Any, ...]], numbers: dict[int, int], leaf: int) -> Iterator[tuple[Any, ...]]:
    for index, (view, *rest) in enumerate(disclosed):
        numbers[view] = seq = numbers[view] + 1
        yield view, seq, *rest, leaf + index, 0


def _next(mask: int, numbers: dict[int, int]) -> list[int]:
    for view in views_in(mask):
        numbers[view] += 1
    return [numbers[view] for view in views_in(mask)]


_worker: Any = None
_done = 0  # tasks


def _start(settings: Settings, make: Callable[[Writer], Any]) -> None:
    global _worker
    follow_parent()
    collect_rarely()
    _worker = make(Writer.open(settings, Database(settings.database_url, SMALL)))


def _work(task: Any) -> Any:
    global _done
    _done += 1
    if _done % REST == 0:
        gc.collect()  # it runs rarely by itself, and what little there is adds up
    return _worker(task)


@contextmanager
def workers(settings: Settings, make: Callable[[Writer], Any]) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes, each with its own worker made by `make` of a writer of its own."""
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), _start, (settings, make)) as pool:
        pool.submit(int)  # a process starts when there is something to do
        yield pool


def done_by(
    pool: ProcessPoolExecutor,
    tasks: Iterable[tuple[T, Any]],
    rest: Callable[[], None] = lambda: None,
    here: Callable[[Any], Any] | None = None,
) -> Iterator[tuple[T, Any]]:
    """Yield the name of each task with what a worker made of it, in order, never far ahead.

    Args:
        pool: the workers.
        tasks: names and tasks.
        rest: what to do while the workers rest.
        here: does a task in this process, which would only wait otherwise.
    """
    waiting: deque[tuple[T, Future[Any]]] = deque()
    for number, (name, task) in enumerate(tasks, 1):
        if here is not None and sum(not future.done() for _, future in waiting) >= AHEAD:
            made: Future[Any] = Future()
            made.set_result(here(task))
            waiting.append((name, made))
        else:
            waiting.append((name, pool.submit(_work, task)))
        ahead = AHEAD if here is None else AHEAD + 1
        if number % REST == 0:
            ahead = 0
        while len(waiting) > ahead:
            yield _done_first(waiting)
        if number % REST == 0:
            # SQLite's log is begun anew only when nobody reads from it.
            gc.collect()
            rest()
    while waiting:
        yield _done_first(waiting)


def in_lists(done: Iterable[T], most: int) -> Iterator[list[T]]:
    """Yield what is done in lists; nobody here holds one any longer."""
    some: list[T] = []
    for one in done:
        some.append(one)
        del one
        if len(some) == most:
            yield some
            some = []
    if some:
        yield some


def _done_first(waiting: deque[tuple[T, Future[Any]]]) -> tuple[T, Any]:
    """Return what was made of the first task; nobody here holds it any longer."""
    name, future = waiting.popleft()
    return name, future.result()


class Busy(Exception):
    """Another bulk operation is under way."""


@contextmanager
def alone(home: Path, what: str = "bulk") -> Iterator[None]:
    """Keep others out of an operation (`bulk`: any closed one), by a lock that goes with the process.

    Raises:
        Busy: there is one under way.
    """
    with (home / f"{what}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"another process is at it ({what}.lock in the data folder)") from None
        yield
