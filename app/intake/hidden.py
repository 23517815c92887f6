"""What whoever loads must not learn of: records of others that it is not shown are as if there were none."""

from collections.abc import Iterable, Mapping, Sequence

from app.intake.submit import Asker, Intake


class Hidden:
    """The ids that a load names and that its asker must not learn of; without an asker, none."""

    def __init__(self, intake: Intake, asker: Asker | None) -> None:
        """Look at nothing yet."""
        self._intake, self._asker = intake, asker
        self._looked: set[str] = set()
        self._hidden: set[str] = set()

    def __contains__(self, id: str) -> bool:
        """Tell whether an id that was looked at is one of those."""
        return id in self._hidden

    def look(self, ids: Iterable[str]) -> None:
        """Look at ids that are named."""
        asker = self._asker
        if asker is not None and (new := set(ids) - self._looked):
            self._hidden |= self._intake.writer.database.look(lambda c: self._intake.unknown(c, new, asker))
            self._looked |= new

    def named_before(self, records: Sequence[str]) -> Mapping[str, set[str]]:
        """Return what the newest revisions of records name: that they may name again, whatever became of it."""
        if not records:
            return {}
        return self._intake.writer.database.look(lambda connection: self._intake.named(connection, records))
