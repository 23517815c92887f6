"""Restoring: what the journal says is shown anew, in short transactions that may be cut short and gone on with."""

import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from app.intake import journal
from app.intake.order import RANK
from app.intake.write import Writer

LONGEST = 0.2  # seconds that one transaction may take (DESIGN 7)
MOST = 2_000  # records in one


def restore(writer: Writer, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Work the journal off; return how many records were shown anew.

    Each transaction takes what comes first, so it does not matter who began and how far they came: another process may
    do so at the same time. `goes_on` is asked before each. Then what still keeps texts of what was taken away is
    written anew.

    Raises:
        Closed: the catalogue is being made anew.
    """
    done, size = 0, min(25, MOST)
    while goes_on() and not writer.database.look(journal.is_empty):
        began = time.monotonic()
        done += writer.transact(lambda connection, at, log: writer.restore(connection, at, log, size))  # noqa: B023
        took = time.monotonic() - began
        size = max(1, min(MOST, int(size * min(2.0, LONGEST * 0.6 / max(took, 0.001)))))
    writer.database.tidy(goes_on)
    return done


def show_again(writer: Writer, ids: Sequence[str]) -> int:
    """Show records anew to every view, as a change where that is one; return how many there were."""

    def _note(connection: Connection, _at: int, _size: int) -> None:
        heads = writer.vault.heads(connection, ids)
        journal.note(writer.database, connection, {id: (RANK[head.kind], 0) for id, head in heads.items()})

    if ids:
        writer.transact(_note)
        restore(writer)
    return len(ids)
