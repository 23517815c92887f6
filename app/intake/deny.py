"""Deny first: what may have to show less than before is taken out of the views at once, however much it is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from app.catalogue.tables import MOST_EVER
from app.disclosure.narrowing import may_show_less
from app.disclosure.view import Account, View
from app.intake.postings import views_in
from app.intake.publish import Batch, Changes, Item, Publisher
from app.intake.world import PEOPLE, Node, World
from app.vault.append import Resting, Vault
from app.vault.tables import GONE

AT_ONCE = 100  # so many records that rest on one are shown anew with it, in one transaction
EVERY_VIEW = (1 << MOST_EVER) - 1
OBJECTED = 1 << MOST_EVER  # beside views: it matters to those too that are not shown the person's record


def lessened(before: Node | None, after: Node, views: Sequence[View], world: World) -> int:
    """Return the views (one bit each) that may have to be shown less of what rests on a record, going by its facts."""
    if before is None or before == after:
        return 0
    if _objects(before) != _objects(after):
        return EVERY_VIEW | OBJECTED
    if after.kind in PEOPLE:
        was, now = _account(before), _account(after)
        return sum(1 << view.id for view in views if may_show_less(was, now, view, world))
    facts = zip(before[3:-1], after[3:-1], strict=True)  # but kind, state and owner
    return EVERY_VIEW if any(_is_less(was, now) for was, now in facts) else 0


def _objects(node: Node) -> bool:
    """Tell whether a person's record keeps the accounts that name it from naming them; what was erased always does."""
    objection = (node.content or {}).get("objection")
    return node.kind == "person" and (node.state == "erased" or (objection or {"to": "nothing"})["to"] != "nothing")


def _account(node: Node) -> Account | None:
    if node.content is None or node.state in GONE:
        return None
    return Account(node.content, node.state == "expired", node.owner)


def _is_less(was: object, now: object) -> bool:
    if isinstance(was, tuple) and isinstance(now, tuple):
        return not set(was) <= set(now)
    return was is not None and was != now


@dataclass(frozen=True, slots=True)
class Causes:
    """Records of one kind that others must follow.

    Attributes:
        kind: of all of them.
        less: by id, the views (one bit each) that may have to be shown less of what rests on the record.
        new: of these, the views that are shown the record now and were not before: to what is of its own kind that only
            adds a name, so no view is shown less of that. Otherwise records that name one another would take each other
            away, and come back, for ever.
    """

    kind: str
    less: dict[str, int]
    new: dict[str, int]

    def of(self, one: Resting) -> int:
        """Return the views that may have to be shown less of what rests on one of them."""
        less = self.less[one.target] & one.views
        return less & ~self.new.get(one.target, 0) if one.kind == self.kind else less


@dataclass(slots=True)
class Reached:
    """A record that rests on what has changed, directly or through others."""

    kind: str
    k: int
    owner: str
    views: int  # that are shown it
    less: int = 0  # of these, that may have to be shown less of it

    def of(self, views: int) -> "Reached":
        """Return the same, as far as some views go."""
        return Reached(self.kind, self.k, self.owner, self.views, self.less & views)


def reach(
    connection: Connection,
    vault: Vault,
    causes: Causes,
    pairs: Iterable[Resting],
    but: Collection[str],
) -> dict[str, Reached]:
    """Return all that rests on some records, by id.

    That a view may be shown less is passed on from one record to the next only where the view is shown both: whatever
    is hidden from it makes no difference. One of the causes is among them where it rests on what rests on it: it was
    shown already, and must not go on naming what leaves the view.

    Args:
        connection: reads the vault.
        vault: says what rests on what.
        causes: the records.
        pairs: what rests on these.
        but: records that are looked at anyway.
    """
    found: dict[str, Reached] = {}
    wave, less = dict(causes.less), causes.of
    while wave:
        following: dict[str, int] = {}
        for pair in pairs:
            id = pair.id
            met = id in found
            one = found[id] if met else Reached(pair.kind, pair.k, pair.owner, pair.views)
            more = less(pair) & ~one.less
            if id in but or (id in causes.less and not more and not met):
                continue
            found[id] = one
            one.less |= more
            if more or not met:
                following[id] = following.get(id, 0) | more
        wave, less = following, partial(_of_both, following)
        pairs = vault.resting_on(connection, following)
    return found


def _of_both(less: Mapping[str, int], one: Resting) -> int:
    return less[one.target] & one.views


def numerous(reached: Mapping[str, Reached]) -> int:
    """Return the views (one bit each) that would lose sight of more than is shown anew at once.

    It is counted for each view by what that view is shown, so that a view cannot tell what else there is.
    """
    counts = [0] * MOST_EVER
    for one in reached.values():
        for view in views_in(one.less):
            counts[view] += 1
    return sum(1 << view for view, count in enumerate(counts) if count > AT_ONCE)


def take_away(
    connection: Connection, vault: Vault, publisher: Publisher, world: World, gone: Mapping[str, Reached]
) -> Changes:
    """Take the rows of records out of the views of `less`; return the changes, which are still to be disclosed."""
    items = [Item(id, one.kind, one.k, one.owner, "", {}, (), None, new=False) for id, one in sorted(gone.items())]
    losing = 0
    for one in gone.values():
        losing |= one.less
    shown, known = publisher.known(connection, vault, items, losing)
    batch, changes = Batch(), Changes(connection)
    masks: dict[str, int] = {}
    for item in items:
        one = gone[item.id]
        for view in views_in(one.less):
            before = known.get((view, item.id))
            if before is None or not before.is_shown:  # it was merged: the view has no row of it
                continue
            batch.gone.setdefault(view, []).append(item.k)
            changes.add(view, item, before.revision, "removed", before.digest, before)
        masks[item.id] = one.views & ~one.less
        world.show(item.id, masks[item.id])
    publisher.flush(connection, batch)
    vault.set_shown(connection, masks, changes.newest(shown))
    return changes
