"""Whether a view was told that a record is removed, and when."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from app.vault.chains import unpack
from app.vault.tables import DISCLOSED


class Removal(NamedTuple):
    """One change of a view, by which it lost sight of a record: its number, and when (milliseconds)."""

    seq: int
    at: int


def removal(connection: Connection, shown: bytes, view: int, upto: int | None = None) -> Removal | None:
    """Return how a view lost sight of a record, as things stood after a change; None where it was shown it then.

    Args:
        connection: to read by.
        shown: of the record's row: each view's newest change of it.
        view: the view.
        upto: the number of that change; None: as things stand now.
    """
    c, seq = DISCLOSED.c, unpack(bytes(shown)).get(view, 0)
    while seq:
        row = connection.execute(select(c.at, c.change, c.previous).where(c.view == view, c.seq == seq)).one()
        if upto is None or seq <= upto:
            return Removal(seq, row.at) if row.change == "removed" else None
        seq = row.previous
    return None
