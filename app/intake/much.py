"""Loading much at once: the kinds that nothing else rests on, prepared by worker processes."""

from collections.abc import Iterator
from contextlib import nullcontext

from sqlalchemy import Table, func, select

from app.catalogue.tables import ROW
from app.core.scratch import scratch
from app.core.settings import Settings
from app.intake.bulk import Bulk, alone, prepared, workers
from app.intake.loading import Load
from app.intake.order import unnamed
from app.intake.preparing import Preparer, Task
from app.intake.staging import BY_DAY, BY_ID, Staged
from app.vault.tables import RECORD

OPEN, CLOSED = 500, 1_000  # records in a transaction: readers and other writers have turns between, or are kept out
FEW = 2_000  # fewer are not worth starting processes for


class AtOnce:
    """Applies much at once; closed, readers get 503 meanwhile."""

    kinds = unnamed()

    def __init__(self, settings: Settings, closed: bool) -> None:
        """Use the settings for worker processes too."""
        self._settings = settings
        self._closed = closed

    def apply(self, load: Load) -> int:
        """Apply the records of these kinds; those that cannot go this way go the ordinary way afterwards."""
        total = load.staging.count(self.kinds)
        if total < FEW and not self._closed:
            return sum(load.apply(staged) for staged in load.staging.in_order(self.kinds))
        left: list[Staged] = []
        home = self._settings.home
        lock = alone(home) if self._closed else nullcontext()
        with lock, scratch(home) as folder, workers(self._settings, Preparer) as pool:
            bulk = Bulk(load.intake.writer, folder if self._closed else None)
            if self._closed:
                bulk.begin(anew=False, tables=self._indexed(load, total))
            for staged, made in prepared(pool, self._tasks(load, bulk)):
                if bulk.write(made):
                    left += [staged[position] for position in made.left]
                    load.report.created += len(made.records)
                else:
                    left += staged
                load.progress("loading", staged[-1].line, total)
            if self._closed:
                bulk.finish(pool)
        load.apply(left)
        return total

    def _indexed(self, load: Load, total: int) -> tuple[Table, ...]:
        """Return the tables whose indexes are made anew: not if what is there already is more than what comes."""
        count = select(func.count()).select_from(RECORD)
        there = load.intake.writer.database.look(lambda connection: connection.scalar(count)) or 0
        return (ROW,) if total > there else ()

    def _tasks(self, load: Load, bulk: Bulk) -> Iterator[tuple[list[Staged], Task]]:
        size = CLOSED if self._closed else OPEN
        for page in load.staging.in_order(self.kinds, BY_ID if self._closed else BY_DAY):
            for start in range(0, len(page), size):
                staged = page[start : start + size]
                texts = [load.text(one) for one in staged]
                yield staged, Task(load.owner, load.intake.writer.clock(), texts, bulk.alone_since)
