"""What an import will do, told before it does it: records new, revised and unchanged, and what each view would gain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from app.disclosure.view import View
from app.intake import publish
from app.intake.checking import opened
from app.intake.order import RANK, unnamed
from app.intake.publish import Item, views_of
from app.intake.staging import Staged
from app.intake.submit import Draft, is_over, stands
from app.intake.world import PEOPLE, Node, World
from app.records.consent import expiry
from app.vault.append import commit
from app.vault.keys import chunks
from app.vault.tables import GONE, RECORD

if TYPE_CHECKING:
    from app.exchange.importing import Import


@dataclass
class Foreseen:
    """What applying an import does.

    Attributes:
        created, revised, unchanged: records, by what would become of them.
        gains: a view, by the name under which it is confirmed, and how many records of the import it is not shown now
            and would be.
        own: the names of the views that show the owner's own records: what they gain needs no confirmation.
    """

    created: int = 0
    revised: int = 0
    unchanged: int = 0
    gains: dict[str, int] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    def to_confirm(self) -> dict[str, int]:
        """Return the views that gain something and are not the owner's own."""
        return {name: n for name, n in self.gains.items() if n and name not in self.own}


def names_of(views: Sequence[View]) -> dict[int, str]:
    """Return a name for each view: the shortest of audience, audience/purpose and number that no other has."""
    names: dict[int, str] = {}
    for view in views:
        alike = [one for one in views if one.audience == view.audience and one.owner is None]
        full = f"{view.audience}/{view.purpose}"
        if view.owner is None and len(alike) == 1:
            names[view.id] = view.audience
        elif view.owner is None and sum(f"{one.audience}/{one.purpose}" == full for one in alike) == 1:
            names[view.id] = full
        else:
            names[view.id] = f"view-{view.id}"
    return names


def foresee(load: "Import") -> Foreseen:
    """Return what applying an import would do now; everything in it is checked and its order is settled."""
    pass_ = _Pass(load)
    for kind in sorted(RANK, key=RANK.__getitem__):
        for some in chunks(load.knots.get(kind, ())):
            pass_.page([one for knot in some for one in knot])
        for staged in load.staging.in_order((kind,), size=1_000):
            pass_.page(staged)
    return pass_.done


class _Pass:
    """One pass over all that is staged, in the order in which it would be applied."""

    def __init__(self, load: "Import") -> None:
        self._load = load
        self._writer = load.intake.writer
        self._world = World(self._writer.vault)
        self._world.begin(-2)
        views = self._writer.database.look(views_of)
        if load.asker is not None:  # whether others have a view of their own is theirs to know: it gains what is public
            views = [one for one in views if one.owner in (None, load.owner)]
        self._views = views
        self._names = names = names_of(self._views)
        own = frozenset(names[one.id] for one in self._views if one.owns(load.owner))
        self._gains = {view.id: 0 for view in self._views}
        self.done = Foreseen(own=own)
        self._seen, self._total = 0, load.staging.count()

    def page(self, staged: Sequence[Staged]) -> None:
        """Foresee a page of records."""
        if staged:
            sealed = self._load.sealed(staged)
            drafts = opened(self._load.spool.key, [one.id for one in staged], sealed)
            masks = self._writer.database.look(lambda connection: self._page(connection, drafts))
            if staged[0].kind not in unnamed():
                self._load.staging.foresee(masks.items())
            self._world.end(-2)
            self._world.begin(-2)
            self._seen += len(staged)
            self._load.progress("foreseeing", self._seen, self._total)
            self.done.gains = {self._names[id]: n for id, n in sorted(self._gains.items())}

    def _page(self, connection: Connection, drafts: Sequence[Draft]) -> dict[str, int]:
        ids = [draft.id for draft in drafts]
        heads = self._writer.vault.heads(connection, ids)
        shown: dict[str, int] = {}
        for chunk in chunks(ids):
            shown.update(
                (id, views)
                for id, views in connection.execute(select(RECORD.c.id, RECORD.c.views).where(RECORD.c.id.in_(chunk)))
            )
        stand = self._standing(connection, [one for one in drafts if one.id in heads])
        drafts = [one.under(stand[one.id]) if stand.get(one.id) else one for one in drafts]
        self._learn(connection, [to for draft in drafts for to in draft.targets])
        now = self._writer.clock()
        masks: dict[str, int] = {}
        for draft in drafts:
            state = "expired" if is_over(draft.content, now) else "live"
            self._world.put(draft.id, Node.of(draft.kind, state, self._load.owner, draft.content))
            item = Item(
                *(draft.id, draft.kind, 0, self._load.owner, state),
                *(draft.content, draft.targets, expiry(draft.content), True),
            )
            masks[draft.id] = publish.foresee(item, self._views, self._world, self._writer.secret)
            self._world.show(draft.id, masks[draft.id])
            head = heads.get(draft.id)
            if head is None:
                self.done.created += 1
            elif head.state not in GONE and commit(head.salt, draft.plain) == head.commitment:
                self.done.unchanged += 1
            else:
                self.done.revised += 1
            more = masks[draft.id] & ~shown.get(draft.id, 0)
            for view in self._views:
                self._gains[view.id] += more >> view.id & 1
        return masks

    def _standing(self, connection: Connection, drafts: Sequence[Draft]) -> dict[str, dict[str, Any]]:
        """Return what stands on record of drafts, whatever is sent again."""
        merged = self._writer.vault.survivors(connection, [one.id for one in drafts])
        stored = self._writer.vault.read(
            connection, [one.id for one in drafts if one.kind in PEOPLE or one.id in merged]
        )
        return {id: stands(one.content) for id, one in stored.items() if one.state != "erased"}

    def _learn(self, connection: Connection, ids: Iterable[str]) -> None:
        """Learn of what records name: as the import has it, else as it is on record."""
        met: set[str] = set()
        unknown = [id for id in dict.fromkeys(ids) if self._world.node(id) is None]
        while unknown:
            met.update(unknown)
            staged = self._load.staging.find(unknown)
            drafts = opened(self._load.spool.key, [one.id for one in staged], self._load.sealed(staged))
            masks = self._load.staging.foreseen(unknown)
            further: list[str] = []
            for draft in drafts:
                self._world.put(draft.id, Node.of(draft.kind, "live", self._load.owner, draft.content))
                self._world.show(draft.id, masks.get(draft.id, 0))
                further += draft.targets
            here = {draft.id for draft in drafts}
            self._world.learn(connection, [id for id in unknown if id not in here])
            unknown = [id for id in dict.fromkeys(further) if id not in met and self._world.node(id) is None]
