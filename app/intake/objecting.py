"""Objecting: a person whose account was published has it hidden, or their name, at once and in every view."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from app.intake.retract import changed
from app.intake.world import PEOPLE
from app.intake.write import Writer
from app.records.consent import Objection

To = Literal["nothing", "name", "record"]


class Unobjectable(Exception):
    """An objection does not apply to this record; the message says why, and what does."""


class Objected(NamedTuple):
    """What came of it: whether anything changed, and the records that rest on this one, with texts of their own."""

    changed: bool
    resting: tuple[str, ...]


def object_to(writer: Writer, record: str, owner: str, to: To, reason: str) -> Objected | None:
    """Record what a person objects to from now on; nothing: the objection that stood is lifted.

    The objection is a part of the revision, sealed in the vault with its reason, and of every revision after it: no
    later submission undoes it.

    Args:
        writer: the vault.
        record: the id of a testimony or person.
        owner: the organisation that holds it.
        to: `record`, `name` or `nothing`.
        reason: why; kept sealed, and shown to nobody.

    Returns:
        None if there is no such record of this owner.

    Raises:
        Unobjectable: the record is of another kind, or shown by consent.
        ValidationError: the reason is no text.
    """
    return writer.transact(objecting(writer, record, owner, to, reason))


def objecting(
    writer: Writer, record: str, owner: str, to: To, reason: str
) -> Callable[[Connection, int, int], Objected | None]:
    """Return the work of `object_to`, for a transaction that does more; it raises the same."""
    objection = Objection(to=to, reason=reason).model_dump()

    def _object(connection: Connection, at: int, size: int) -> Objected | None:
        stored = writer.vault.read(connection, [record]).get(record)
        if stored is None or stored.owner != owner or stored.state == "erased":
            return None
        if stored.kind not in PEOPLE:
            raise Unobjectable("only a testimony or a person can be objected to: object to those that it rests on")
        if to != "nothing" and stored.content["disclosure_basis"] != "published":
            raise Unobjectable("it is shown by consent and not by publication: change the consent, or take it back")
        resting = tuple(sorted({one.id for one in writer.vault.resting_on(connection, [record])}))
        stands = stored.content.get("objection") or {"to": "nothing"}
        if stands["to"] == to:
            return Objected(False, resting)
        addition = replace(changed(stored, "objected", {"objection": objection}), state=stored.state)
        writer.append(connection, at, size, [addition])
        return Objected(True, resting)

    return _object
