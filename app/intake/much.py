"""Loading much at once: the kinds that nothing else rests on, prepared by worker processes and inserted in bulk."""

from collections.abc import Iterator

from sqlalchemy import func, select

from app.catalogue.tables import ROW
from app.core.settings import Settings
from app.intake.bulk import Bulk, prepared, scratch, workers
from app.intake.loading import Load
from app.intake.order import unnamed
from app.intake.preparing import Preparer, Task
from app.intake.staging import Staged
from app.vault.tables import RECORD, REFERENCE

AT_ONCE = 1_000


class AtOnce:
    """Applies much at once. Readers get 503 meanwhile."""

    kinds = unnamed()

    def __init__(self, settings: Settings) -> None:
        """Use the settings for worker processes too."""
        self._settings = settings

    def apply(self, load: Load) -> int:
        """Apply the records of these kinds; those that are not new go the ordinary way afterwards."""
        total = load.staging.count(self.kinds)
        if not total:
            return 0
        writer = load.intake.writer
        there = writer.database.look(lambda c: c.scalar(select(func.count()).select_from(RECORD))) or 0
        left: list[Staged] = []
        done = 0
        with scratch(self._settings.home) as folder, workers(self._settings, Preparer) as pool:
            bulk = Bulk(writer, folder)
            # Indexes over what is there already are worth keeping if little is added to it.
            bulk.begin(anew=False, tables=(ROW, REFERENCE) if total * 2 > there else ())
            for staged, made in prepared(pool, self._tasks(load)):
                bulk.write(made)
                left += [staged[position] for position in made.left]
                load.report.created += len(made.records)
                done += len(staged)
                load.progress("loading", done, total)
            bulk.finish(pool)
        load.apply(left)
        return total

    def _tasks(self, load: Load) -> "Iterator[tuple[list[Staged], Task]]":
        for page in load.staging.in_order(self.kinds):
            for start in range(0, len(page), AT_ONCE):
                staged = page[start : start + AT_ONCE]
                yield staged, Task(load.owner, load.intake.writer.clock(), [load.text(one) for one in staged])
