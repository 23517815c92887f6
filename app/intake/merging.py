"""Merging: two records of a kind are one. Who names the one is shown the other, and nothing that was kept is lost.

The record that was merged stays in the vault with all of its revisions, and with what was promised of it: a view that
might not be shown it is not led from it to the survivor either (`disclosure/leading.py`).
"""

from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update

from app.intake.retract import changed
from app.intake.write import Writer
from app.records import BY_NAME, references
from app.vault.append import Addition, Stored
from app.vault.keys import chunks
from app.vault.tables import GONE, MERGER

ACCOUNTS = (
    "Accounts are never merged: each is what one person said at one time. Tie two of one witness by same_witness."
)
_OBJECTIONS = ("nothing", "name", "record")


class Unmergeable(Exception):
    """Two records cannot be one as things stand; the message says why, and what to do."""


def planned(connection: Connection, writer: Writer, one: Stored, into: Stored, reason: str) -> Addition:
    """Return the revision by which a record is merged into another one; nothing is written.

    Raises:
        Unmergeable: they cannot be one.
    """
    _check(connection, writer, one, into)
    addition = changed(one, "merged", {"merger": {"into": into.id, "reason": reason}})
    return replace(addition, state=one.state)


def merge(connection: Connection, writer: Writer, at: int, size: int, addition: Addition) -> None:
    """Merge as planned: every id that led to the one leads to the survivor from now on."""
    survivor = addition.content["merger"]["into"]
    c = MERGER.c
    before = list(connection.scalars(select(c.record).where(c.survivor == addition.id).order_by(c.record)))
    connection.execute(update(MERGER).where(c.survivor == addition.id).values(survivor=survivor))
    connection.execute(insert(MERGER).values(record=addition.id, target=survivor, survivor=survivor))
    writer.world.anew()
    writer.append(connection, at, size, [addition], before)


def unmerging(one: Stored, reason: str) -> Addition:
    """Return the revision by which a record stands for itself again."""
    content = {name: value for name, value in one.content.items() if name != "merger"}
    content["unmerger"] = {"reason": reason}
    addition = changed(replace(one, content=content), "unmerged", {})
    return replace(addition, state=one.state)


def unmerge(connection: Connection, writer: Writer, at: int, size: int, addition: Addition) -> None:
    """Undo a merger as planned: what was merged into the record before leads to it again."""
    c = MERGER.c
    survivor = connection.scalar(select(c.survivor).where(c.record == addition.id))
    pairs = connection.execute(select(c.record, c.target).where(c.survivor == survivor)).all()
    targets = {record: target for record, target in pairs}
    back = sorted(one for one in targets if one != addition.id and _leads_over(one, addition.id, targets))
    connection.execute(delete(MERGER).where(c.record == addition.id))
    for chunk in chunks(back):
        connection.execute(update(MERGER).where(c.record.in_(chunk)).values(survivor=addition.id))
    writer.world.anew()
    writer.append(connection, at, size, [addition], back)


def _leads_over(one: str, by: str, targets: dict[str, str]) -> bool:
    while (following := targets.get(one)) is not None:
        if following == by:
            return True
        one = following
    return False


def _check(connection: Connection, writer: Writer, one: Stored, into: Stored) -> None:
    if one.kind == "testimony":
        raise Unmergeable(ACCOUNTS)
    if one.id == into.id:
        raise Unmergeable("A record cannot be merged into itself.")
    if one.kind != into.kind or one.owner != into.owner:
        raise Unmergeable("Both have to be of one kind, and of one organisation.")
    for gone in (one, into):
        if gone.state in GONE:
            raise Unmergeable(f"{gone.id} was taken back: submit it again first, or leave it.")
        if (merger := gone.content.get("merger")) is not None:
            raise Unmergeable(f"{gone.id} was merged into {merger['into']}: name that one.")
    if _objects(one) > _objects(into):
        raise Unmergeable(f"The person objected to {one.id}: carry the objection out for {into.id} first.")
    for mark in ("restricted", "type"):
        if _is_marked(one, mark) and not _is_marked(into, mark):
            raise Unmergeable(f"{one.id} is shown to fewer by its own mark '{mark}', which {into.id} has not.")
    world = writer.world
    world.learn(connection, [one.id, into.id])
    named = {to for _, to, _ in references(BY_NAME[into.kind], into.content)}
    if one.id in named or one.id in world.lineage(into.id):
        raise Unmergeable(f"{into.id} names {one.id}, or lies in it: it would name itself. Take that out first.")


def _objects(one: Stored) -> int:
    return _OBJECTIONS.index((one.content.get("objection") or {"to": "nothing"})["to"])


def _is_marked(one: Stored, mark: str) -> bool:
    value = one.content.get(mark)
    return value == "natural-person" if mark == "type" else bool(value)
