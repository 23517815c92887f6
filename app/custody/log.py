"""The log: an append-only list of leaves, each the hash of a salted commitment and of nothing else."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from app.core.db import Database
from app.custody.merkle import leaf_hash
from app.custody.tables import LEAF


def size(connection: Connection) -> int:
    """Return the number of leaves."""
    last: int | None = connection.scalar(select(func.max(LEAF.c.index)))
    return 0 if last is None else last + 1


def append(database: Database, connection: Connection, commitments: Sequence[bytes], start: int) -> int:
    """Append a leaf for each commitment from index `start` on; return the size of the log after it.

    The caller holds the write lock and has read `start` from `size` in this transaction.
    """
    database.insert(connection, LEAF, [(start + i, leaf_hash(one)) for i, one in enumerate(commitments)])
    return start + len(commitments)
