"""Erasing a record for good: out of every view, out of the vault, its key destroyed, the files swept of its traces."""

from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from app.core import scratch
from app.core.ids import k_of
from app.intake.write import Writer
from app.records import BY_NAME
from app.vault import erase as vault
from app.vault.append import Addition
from app.vault.keys import chunks
from app.vault.tables import ANSWERED, ERASING, IMPORT, MERGER

WITH_A_RECORD = "A record of yours was erased, and what might hold it goes with it. Hand the file in again without it."


def erase(writer: Writer, record: str, owner: str, reason: str) -> bool:
    """Erase a record: every view loses it, nobody can read it again, and it never comes back.

    When this returns the record has no content, no salt and no key any more. Files may still hold traces of what views
    were shown, and of the key: see `sweep`. If it is cut short between the vault and the key, `destroy_keys` completes
    it.

    Args:
        writer: writes to the vault.
        record: its id.
        owner: the organisation that holds it.
        reason: why; it stays, sealed in the tombstone, so it must say nothing that is to be erased.

    Returns:
        False if there is no such record of this owner, or it was erased before.
    """

    def _erase(connection: Connection, at: int, size: int) -> bool:
        head = writer.vault.heads(connection, [record]).get(record)
        if head is None or head.owner != owner or head.state == "erased":
            return False
        content = {"id": record, "kind": head.kind, "erasure": {"reason": reason}}
        tombstone = Addition(
            id=record,
            kind=head.kind,
            k=k_of(record),
            owner=owner,
            revision=head.revision + 1,
            previous=head.leaf,
            change="erased",
            state="erased",
            expires=None,
            content=content,
            plain=BY_NAME[head.kind].canonical(content),
            targets=(),
        )
        if connection.execute(delete(MERGER).where(MERGER.c.record == record)).rowcount:
            writer.world.anew()  # it leads nowhere from now on
        writer.append(connection, at, size, [tombstone])
        vault.erase(writer.vault, connection, record)
        _end_imports(connection, owner)
        return True

    done = writer.transact(_erase)
    if done:
        destroy_keys(writer)
    return done


def _end_imports(connection: Connection, owner: str) -> None:
    """End the owner's imports, whose files may hold the record: their keys go as the record's does."""
    c = IMPORT.c
    kept = list(connection.scalars(select(c.id).where(c.owner == owner, c.kept)))
    for some in chunks(kept):
        connection.execute(insert(ERASING), [{"id": id} for id in some])
        connection.execute(update(IMPORT).where(c.id.in_(some)).values(kept=False))
        connection.execute(delete(ANSWERED).where(ANSWERED.c.record.in_(some)))
        at_an_end = ("done", "failed", "refused", "abandoned")
        ended = update(IMPORT).where(c.id.in_(some), c.state.not_in(at_an_end))
        connection.execute(ended.values(state="abandoned", reason=WITH_A_RECORD))


def destroy_keys(writer: Writer) -> int:
    """Destroy the keys of erased records of which that is not certain; return how many records are not swept yet."""
    ids = _erasing(writer)
    if ids:
        writer.vault.keys.destroy(ids)
    return len(ids)


def sweep(writer: Writer, home: Path) -> list[str]:
    """Write the files anew, so that they keep no trace of erased records: both databases, and what loads left behind.

    It takes time in proportion to the databases (`Database.sweep`). Nothing is done where nothing is left to sweep.

    Returns:
        What may still hold traces, in words for the operator; then the next sweep tries again.
    """
    ids = _erasing(writer)
    if not ids:
        return []
    writer.vault.keys.destroy(ids)
    scratch.sweep(home)
    left = writer.vault.keys.sweep() + writer.database.sweep()
    if not left:
        swept = delete(ERASING).where(ERASING.c.id.in_(ids))
        writer.database.write(lambda connection: connection.execute(swept))
    return left


def _erasing(writer: Writer) -> list[str]:
    return writer.database.look(lambda connection: list(connection.scalars(select(ERASING.c.id))))
