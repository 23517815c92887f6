"""Explaining: for each view what it gets of a record and which rule said so, as the vault has it now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from app.core.moments import iso
from app.disclosure.explain import DisclosureShown, Explanation, explain, shown
from app.disclosure.reasons import HIDES, Reason, once
from app.disclosure.view import View
from app.intake.items import item_of
from app.intake.publish import Item, Known, views_of
from app.intake.submit import Asker
from app.intake.world import PEOPLE, Node, World
from app.intake.write import Writer
from app.records import BY_NAME
from app.vault.append import Addition


def disclosure(
    writer: Writer,
    record: str,
    views: Collection[int] | None = None,
    asker: Asker | None = None,
    within: Connection | None = None,
) -> DisclosureShown | None:
    """Return what views get of a record, and why.

    What is decided is worked out here from the vault, by the code that decides when a record is written; the record as
    shown has the view's own `revision` and `updated` as the catalogue has them.

    Args:
        writer: the vault; nothing is written.
        record: the id.
        views: the numbers of the views to explain; None: all.
        asker: who asks: their own records alone, nothing of the views that other organisations have of their own, of
            testimonies that others hold not why they have their part, and of a view in which they do not read only
            whether it is shown a record that rests on those of others. None: the operator, who is told everything.
        within: a snapshot to read; a fresh one if not given.

    Returns:
        None if there is no such record, or it is not the asker's.
    """
    if within is not None:
        return _disclosure(within, writer, record, views, asker)
    return writer.database.look(lambda connection: _disclosure(connection, writer, record, views, asker))


def _disclosure(
    connection: Connection, writer: Writer, record: str, views: Collection[int] | None, asker: Asker | None
) -> DisclosureShown | None:
    stored = writer.vault.read(connection, [record]).get(record)
    if stored is None or (asker is not None and asker.organisation != stored.owner):
        return None
    item, world = item_of(stored), World(writer.vault)
    world.learn(connection, item.named)
    _, known = writer.publisher.known(connection, writer.vault, [item])
    return _explained(connection, writer, item, world, known, views, asker)


def foreseen(connection: Connection, writer: Writer, addition: Addition, asker: Asker) -> DisclosureShown:
    """Return what views would get of a record, and why, if this were appended: as `disclosure` for who asks, its owner.

    The record as shown has no `revision` and no `updated`: it has neither yet.
    """
    one, world = addition, World(writer.vault)
    world.learn(connection, [one.id, *one.targets])
    world.put(one.id, Node.of(one.kind, one.state, one.owner, one.content))
    item = Item(one.id, one.kind, one.k, one.owner, one.state, one.content, one.targets, one.expires, new=False)
    return _explained(connection, writer, item, world, {}, None, asker)


def _explained(
    connection: Connection,
    writer: Writer,
    item: Item,
    world: World,
    known: Mapping[tuple[int, str], Known],
    views: Collection[int] | None,
    asker: Asker | None,
) -> DisclosureShown:
    found: list[Explanation] = []
    for view in views_of(connection):
        if views is not None and view.id not in views:
            continue
        if asker is not None and view.owner not in (None, asker.organisation):
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
    if asker is not None:
        heads = writer.vault.heads(connection, {reason.about for one in found for reason in one.reasons} - {""})
        others = {id for id, head in heads.items() if head.owner != asker.organisation}
        found = [replace(one, reasons=_but_for(others, one.reasons)) for one in found]
        if _rests_on_others(item, world, asker):
            found = [one if _reads_in(one.view, asker) else _withheld(one) for one in found]
    return DisclosureShown(
        id=item.id, kind=item.kind, owner=item.owner, state=item.state, views=[shown(one) for one in found]
    )


def _but_for(others: Collection[str], reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Return reasons without what was decided about records of other organisations: only that it was."""
    return once(Reason("of-another", "", "", one.about, {}) if one.about in others else one for one in reasons)


def _rests_on_others(item: Item, world: World, asker: Asker) -> bool:
    """Tell whether it may follow from what an asker does not know of records of others how a record is shown.

    A testimony or a person allows each audience something of its own; anything else is known whole, or not at all.
    """
    met, wave = set[str](), world.reached([item])
    while wave:
        met |= wave
        nodes = [node for one in wave if (node := world.node(one)) is not None]
        above = {up for one in nodes for up in (one.parent, one.witness, *one.derived_from, *one.crimes) if up}
        wave = {one for up in above for one in (up, world.leads_to(up))} - met
    others = [(id, node) for id in met if (node := world.node(id)) is not None and node.owner != asker.organisation]
    return any(node.kind in PEOPLE or not world.views_of(id) & asker.views for id, node in others)


def _reads_in(view: View, asker: Asker) -> bool:
    return view.owns(asker.organisation) or asker.views >> view.id & 1 == 1


def _withheld(one: Explanation) -> Explanation:
    """Return of an explanation whether the record is shown, and what hides it: not how it is told, nor how finely.

    Of accounts it is told that they have a part, and of one's own which; of people not, for ids may lead elsewhere.
    """
    kept = [reason for reason in one.reasons if reason.rule in HIDES or _is_of_an_account(reason)]
    return replace(one, allowed=None, reasons=(*kept, Reason("elsewhere", "", "", "", {})), told=False)


def _is_of_an_account(reason: Reason) -> bool:
    """Tell whether it is said of an account, going by that alone and not by how finely the record is told."""
    return reason.about.startswith("tst-") and reason.rule != "says-more"
