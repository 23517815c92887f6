"""Explaining: for each view what it gets of a record and which rule said so, as the vault has it now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from app.core.moments import iso
from app.disclosure.explain import DisclosureShown, Explanation, explain, shown
from app.disclosure.reasons import Reason, once
from app.intake.items import item_of
from app.intake.publish import Item, Known, views_of
from app.intake.world import Node, World
from app.intake.write import Writer
from app.records import BY_NAME
from app.vault.append import Addition


def disclosure(
    writer: Writer,
    record: str,
    views: Collection[int] | None = None,
    owner: str | None = None,
    within: Connection | None = None,
) -> DisclosureShown | None:
    """Return what views get of a record, and why.

    What is decided is worked out here from the vault, by the code that decides when a record is written; the record as
    shown has the view's own `revision` and `updated` as the catalogue has them.

    Args:
        writer: the vault; nothing is written.
        record: the id.
        views: the numbers of the views to explain; None: all.
        owner: who asks: their own records alone, nothing of the views that other organisations have of their own, and
            of testimonies that others hold not why they have their part. None: the operator, who is told everything.
        within: a snapshot to read; a fresh one if not given.

    Returns:
        None if there is no such record, or it is not the asker's.
    """
    if within is not None:
        return _disclosure(within, writer, record, views, owner)
    return writer.database.look(lambda connection: _disclosure(connection, writer, record, views, owner))


def _disclosure(
    connection: Connection, writer: Writer, record: str, views: Collection[int] | None, owner: str | None
) -> DisclosureShown | None:
    stored = writer.vault.read(connection, [record]).get(record)
    if stored is None or owner not in (None, stored.owner):
        return None
    item, world = item_of(stored), World(writer.vault)
    world.learn(connection, item.named)
    _, known = writer.publisher.known(connection, writer.vault, [item])
    return _explained(connection, writer, item, world, known, views, owner)


def foreseen(connection: Connection, writer: Writer, addition: Addition) -> DisclosureShown:
    """Return what views would get of a record, and why, if this were appended: as `disclosure` for its owner.

    The record as shown has no `revision` and no `updated`: it has neither yet.
    """
    one, world = addition, World(writer.vault)
    world.learn(connection, [one.id, *one.targets])
    world.put(one.id, Node.of(one.kind, one.state, one.owner, one.content))
    item = Item(one.id, one.kind, one.k, one.owner, one.state, one.content, one.targets, one.expires, new=False)
    return _explained(connection, writer, item, world, {}, None, one.owner)


def _explained(
    connection: Connection,
    writer: Writer,
    item: Item,
    world: World,
    known: Mapping[tuple[int, str], Known],
    views: Collection[int] | None,
    owner: str | None,
) -> DisclosureShown:
    found: list[Explanation] = []
    for view in views_of(connection):
        if (views is not None and view.id not in views) or (owner is not None and view.owner not in (None, owner)):
            continue
        one = explain(
            BY_NAME[item.kind],
            item.content,
            item.named,
            view,
            world,
            state=item.state if item.target is None else "merged",
            owner=item.owner,
            secret=writer.secret,
        )
        since = known.get((view.id, item.id))
        if one.record is not None and since is not None:
            one = replace(one, record={**one.record, "revision": since.revision, "updated": iso(since.at)})
        found.append(one)
    if owner is not None:
        heads = writer.vault.heads(connection, {reason.about for one in found for reason in one.reasons} - {""})
        others = {id for id, head in heads.items() if head.owner != owner}
        found = [replace(one, reasons=_but_for(others, one.reasons)) for one in found]
    return DisclosureShown(
        id=item.id, kind=item.kind, owner=item.owner, state=item.state, views=[shown(one) for one in found]
    )


def _but_for(others: Collection[str], reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return reasons without what was decided about records of other organisations: only that it was."""
    return once(Reason("of-another", "", "", one.about, {}) if one.about in others else one for one in reasons)
