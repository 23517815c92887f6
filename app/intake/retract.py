"""Taking records out of sight: retracted, withdrawn, or their consent has run out. The vault keeps them sealed."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from app.catalogue.tables import VIEW
from app.intake.publish import views_of
from app.intake.write import Writer
from app.records import BY_NAME, references
from app.records.consent import expiry
from app.vault.append import Addition, Stored
from app.vault.tables import GONE, RECORD

Work = Callable[[Connection, int, int], bool]


def retract(writer: Writer, record: str, owner: str, reason: str) -> bool:
    """Take a record back: every view loses it, and what rests on it alone; the vault keeps it, and the reason.

    Returns:
        False if there is no such record of this owner, or it was taken out of sight before.
    """
    return writer.transact(_taking(writer, record, owner, "retracted", {"retraction": {"reason": reason}}, GONE))


def withdraw(writer: Writer, record: str, owner: str, reason: str) -> bool:
    """End all use of a record, as a witness may ask: as `retract`, and it comes back with a new consent only.

    Returns:
        False if there is no such record of this owner, or it was withdrawn or erased before.
    """
    return writer.transact(withdrawing(writer, record, owner, reason))


def withdrawing(writer: Writer, record: str, owner: str, reason: str) -> Work:
    """Return the work of `withdraw`, for a transaction that does more."""
    final = GONE - {"retracted"}
    return _taking(writer, record, owner, "withdrawn", {"withdrawal": {"reason": reason}}, final)


def _taking(
    writer: Writer, record: str, owner: str, change: str, more: Mapping[str, Any], final: frozenset[str]
) -> Work:
    def _take(connection: Connection, at: int, size: int) -> bool:
        stored = writer.vault.read(connection, [record]).get(record)
        if stored is None or stored.owner != owner or stored.state in final:
            return False
        writer.append(connection, at, size, [changed(stored, change, more)])
        return True

    return _take


def expire(writer: Writer) -> int:
    """Carry out every consent that has run out; return how many there were."""

    def _expire(connection: Connection, at: int, size: int) -> int:
        over = select(RECORD.c.id).where(RECORD.c.expires <= at, RECORD.c.state == "live")
        stored = writer.vault.read(connection, list(connection.scalars(over)))
        changes = [changed(one, "expired", {}) for one in stored.values()]
        writer.append(connection, at, size, changes)
        set_next_expiry(connection, at)
        return len(changes)

    return writer.transact(_expire)


def set_next_expiry(connection: Connection, at: int) -> None:
    """Say for every view when the next consent runs out that shows it something."""
    for view in views_of(connection):
        shown = RECORD.c.views.bitwise_and(1 << view.id) != 0
        waiting = select(RECORD.c.expires).where(RECORD.c.expires > at, RECORD.c.state == "live", shown)
        soonest = connection.scalar(waiting.order_by(RECORD.c.expires).limit(1))
        connection.execute(update(VIEW).where(VIEW.c.id == view.id).values(next_expiry=soonest))


def changed(stored: Stored, change: str, more: Mapping[str, Any]) -> Addition:
    """Return the revision by which a record goes out of sight; `replace` its state where it stays."""
    content = {**stored.content, **more}
    return Addition(
        id=stored.id,
        kind=stored.kind,
        k=stored.k,
        owner=stored.owner,
        revision=stored.revision + 1,
        previous=stored.leaf,
        change=change,
        state=change,
        expires=expiry(stored.content),
        content=content,
        plain=BY_NAME[stored.kind].canonical(content),
        targets=tuple(dict.fromkeys(to for _, to, _ in references(BY_NAME[stored.kind], content))),
    )
