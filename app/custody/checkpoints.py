"""Checkpoints: the log signed at fixed moments, filled up to whole tiles, so that neither tells what was written.

Whoever compares two checkpoints learns how many leaves came between them to the next 256, whatever they stand for and
whoever may see that. A leaf that only fills up looks like any other (`filling.py`).
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, select

from app.core.db import Database
from app.custody import log
from app.custody.filling import Filling
from app.custody.merkle import root
from app.custody.note import Signer
from app.custody.tables import CHECKPOINT, LEAF, TILE
from app.custody.tree import Tree

WIDE = 256  # leaves of a tile
AT_ONCE = 128  # tiles: 50 ms
HOUR = 3_600_000  # milliseconds


def is_due(connection: Connection, at: int, every: int) -> bool:
    """Tell whether a checkpoint is to be made: there are leaves, and none was made since the clock last struck.

    One that bears a moment far ahead was made by a clock that was wrong: it is not waited for.

    Args:
        connection: to the main database.
        at: now, in milliseconds since 1970; so is `every`, the time from one stroke of the clock to the next.
        every: the first was at 1970-01-01T00:00:00Z.
    """
    c = CHECKPOINT.c
    last: int | None = connection.scalar(select(c.at).order_by(c.size.desc()).limit(1))
    if last is None:
        return log.size(connection) > 0
    # Clocks of two processes may differ by some seconds about a stroke: the next one is not far ahead.
    return not at // every <= last // every <= at // every + 1


def next_after(at: int, every: int) -> int:
    """Return when the clock strikes next after a moment: the first was at 1970-01-01T00:00:00Z."""
    return (at // every + 1) * every


def catch_up(database: Database, tree: Tree, goes_on: Callable[[], bool] = lambda: True) -> bool:
    """Make the tiles of all leaves that are there, and have them in a tree; tell whether it came to its end.

    Leaves never change, so nobody has to be kept waiting meanwhile, and two who do it make the same.
    """

    def _next(connection: Connection) -> tuple[list[bytes], list[bytes]]:
        made = tiles(connection, len(tree))
        done = len(tree) + len(made)
        count = min(log.size(connection) // WIDE - done, AT_ONCE)
        return made, roots(connection, done, count) if count > 0 else []

    while goes_on():
        made, new = database.look(_next)
        tree.extend(made)
        if not new:
            return True
        rows = list(enumerate(new, len(tree)))
        database.write(lambda connection, rows=rows: database.insert(connection, TILE, rows, or_ignore=True))  # type: ignore[misc]
    return False


def make(
    database: Database, connection: Connection, at: int, size: int, tree: Tree, signer: Signer, filling: Filling
) -> int:
    """Fill the log up, sign it, and keep what was signed; return the log's new size.

    The caller holds the write lock and has read `size` in this transaction. `tree` has tiles that are kept, and nearly
    all of them; if the transaction comes to nothing it is good no more.
    """
    whole = (size // WIDE + 1) * WIDE  # if nothing was written too: how much was is nobody's business
    database.insert(connection, LEAF, enumerate(filling.leaves(size, whole, at), size))
    tree.extend(tiles(connection, len(tree)))
    new = roots(connection, len(tree), whole // WIDE - len(tree))
    database.insert(connection, TILE, list(enumerate(new, len(tree))))
    tree.extend(new)
    note = signer.checkpoint(whole, tree.root(whole // WIDE))
    database.insert(connection, CHECKPOINT, [(whole, size, at, note)])
    return whole


def tiles(connection: Connection, first: int) -> list[bytes]:
    """Return the tiles that are kept, from one on."""
    kept = select(TILE.c.hash).where(TILE.c.index >= first).order_by(TILE.c.index)
    return [bytes(one) for one in connection.scalars(kept)]


def roots(connection: Connection, first: int, count: int) -> list[bytes]:
    """Return the roots of so many tiles from one on, worked out from their leaves."""
    begin, end = first * WIDE, (first + count) * WIDE
    some = select(LEAF.c.hash).where(LEAF.c.index >= begin, LEAF.c.index < end).order_by(LEAF.c.index)
    leaves = [bytes(one) for one in connection.scalars(some)]
    return [_root(leaves[at : at + WIDE]) for at in range(0, count * WIDE, WIDE)]


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) != WIDE:
        raise ValueError("leaves of the log are missing: this has to be reported to the makers of the software")
    return root(leaves)
