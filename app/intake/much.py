"""Loading much at once: the kinds that nothing else rests on, prepared by worker processes."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext

from sqlalchemy import Table, func, select

from app.catalogue.tables import ROW, SEARCHED
from app.core.scratch import scratch
from app.core.settings import Settings
from app.intake.bulk import TOGETHER, Bulk, alone, done_by, in_lists, workers
from app.intake.checking import check
from app.intake.loading import Checked, Checks, Load
from app.intake.order import unnamed
from app.intake.preparing import Preparer, Task
from app.intake.staging import BY_DAY, BY_ID, Staged
from app.vault.tables import RECORD

OPEN, CLOSED = 500, 500  # records in a transaction: readers and other writers have turns between, or are kept out
LITTLE = 2_000_000  # bytes that are not worth starting processes for


class AtOnce:
    """Applies much at once; closed, readers get 503 meanwhile."""

    kinds = unnamed()

    def __init__(self, settings: Settings, closed: bool, empty: bool = False, size: int = 0) -> None:
        """Use the settings for worker processes too.

        Args:
            settings: of this process.
            closed: readers get 503 meanwhile.
            empty: nothing is on record yet, so much is loaded closed anyway.
            size: how many records a transaction takes, if not as many as is best.
        """
        self._settings = settings
        self._size = size
        self._closed = closed
        self._empty = empty
        self._pool: ProcessPoolExecutor | None = None

    @contextmanager
    def at_work(self, size: int) -> Iterator[None]:
        """Have worker processes ready for files of so many bytes, if that is worth while."""
        with ExitStack() as last:
            self._closed = self._closed or (self._empty and size > LITTLE)
            worth_while = self._closed or size > LITTLE
            self._pool = last.enter_context(workers(self._settings, Preparer)) if worth_while else None
            yield

    def check(self, load: Load, tasks: Checks) -> Checked:
        """Check lines, one list after another."""
        if self._pool is None:
            return load.check(tasks)
        return done_by(self._pool, tasks, here=lambda lines: check(load.intake, lines))

    def apply(self, load: Load) -> int:
        """Apply the records of these kinds; those that cannot go this way go the ordinary way afterwards."""
        total, pool = load.staging.count(self.kinds), self._pool
        if pool is None:
            return sum(load.apply([[one] for one in staged]) for staged in load.staging.in_order(self.kinds))
        left: list[Staged] = []
        home = self._settings.home
        lock = alone(home) if self._closed else nullcontext()
        with lock, scratch(home) as folder, load.intake.writer.database.series(self._closed) as series:
            bulk = Bulk(load.intake.writer, series, folder if self._closed else None)
            here = Preparer(load.intake.writer.twin())
            if self._closed:
                bulk.begin(anew=False, tables=self._indexed(load, total))
            done = done_by(pool, self._tasks(load, bulk), series.rest, here)
            for some in in_lists(done, TOGETHER if self._closed else 1):
                is_written = bulk.write([made for _, made in some])
                for staged, made in some:
                    if is_written:
                        left += [staged[position] for position in made.left]
                        load.report.created += len(made.records)
                        load.warn(staged, made.doubts)
                    else:
                        left += staged
                    load.progress("loading", staged[-1].line, total)
                del some, made  # before the next are made
            if self._closed:
                bulk.finish(pool)
        load.apply([[one] for one in left])
        return total

    def _indexed(self, load: Load, total: int) -> tuple[Table, ...]:
        """Return the tables whose indexes are made anew: not if what is there already is more than what comes."""
        count = select(func.count()).select_from(RECORD)
        there = load.intake.writer.database.look(lambda connection: connection.scalar(count)) or 0
        return (ROW, SEARCHED) if total > there else ()

    def _tasks(self, load: Load, bulk: Bulk) -> Iterator[tuple[list[Staged], Task]]:
        size = self._size or (CLOSED if self._closed else OPEN)
        for page in load.staging.in_order(self.kinds, BY_ID if self._closed else BY_DAY):
            for start in range(0, len(page), size):
                staged = page[start : start + size]
                sealed = (load.spool.key, [one.id for one in staged], load.sealed(staged))
                yield staged, Task(load.owner, load.intake.writer.clock(), *sealed, bulk.alone_since, load.asker)
