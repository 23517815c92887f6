"""What a projection asks about other records: read from the vault in batches, and kept for the next batch."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from app.catalogue.tables import ROW
from app.disclosure.project import Account
from app.vault.append import Stored, Vault
from app.vault.keys import chunks
from app.vault.tables import DISCLOSED, RECORD

OPENED = frozenset({"place", "violation", "source", "testimony", "actor"})  # kinds of which more than existence matters
MOST_NODES = 200_000


class Node(NamedTuple):
    """What others need to know of one record."""

    kind: str
    state: str
    parent: str | None = None
    type: str | None = None
    geometry: Mapping[str, Any] | None = None
    crimes: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    content: Mapping[str, Any] | None = None  # of a testimony: what incidents rest on

    @classmethod
    def of(cls, kind: str, state: str, content: Mapping[str, Any] | None) -> "Node":
        """Make the node of a record from its content."""
        if content is None or kind not in OPENED:
            return cls(kind, state)
        return cls(
            kind,
            state,
            parent=content.get("parent"),
            type=content.get("type"),
            geometry=content.get("geometry"),
            crimes=tuple(one["crime"] for one in content.get("may_amount_to", ())),
            derived_from=tuple(content.get("derived_from", ())),
            content=content if kind == "testimony" else None,
        )


class World:
    """The facts of `disclosure.view.Facts`, for one writer at a time."""

    def __init__(self, vault: Vault, by_history: bool = False) -> None:
        """Start knowing nothing.

        Args:
            vault: where records are read.
            by_history: what a view is shown is read from the vault's history, not from the catalogue, which is being
                made anew.
        """
        self._vault = vault
        self._by_history = by_history
        self._nodes: dict[str, Node | None] = {}
        self._visible: dict[str, int] = {}
        self._lineages: dict[str, tuple[str, ...]] = {}
        self._log_size = -1

    def begin(self, log_size: int) -> None:
        """Start a transaction: what was known holds only if nobody has written since."""
        if log_size != self._log_size or len(self._nodes) > MOST_NODES:
            self._nodes.clear()
            self._visible.clear()
            self._lineages.clear()

    def end(self, log_size: int) -> None:
        """End a transaction that will be committed; testimonies are not kept in memory."""
        self._log_size = log_size
        for id in [id for id, node in self._nodes.items() if node is not None and node.content is not None]:
            del self._nodes[id]

    def forget(self) -> None:
        """Forget everything: the transaction failed."""
        self._log_size = -1

    def put(self, id: str, node: Node) -> Node | None:
        """Say what a record is from now on; return what it was, if that was known."""
        before = self._nodes.get(id)
        self._nodes[id] = node
        self._lineages.clear()
        return before

    def show(self, id: str, views: int) -> None:
        """Say which views (one bit each) are shown a record from now on."""
        self._visible[id] = views

    def learn(self, connection: Connection, ids: Iterable[str]) -> None:
        """Read what is not known yet of these records, and of what stands above them."""
        unknown = [id for id in dict.fromkeys(ids) if id not in self._nodes]
        while unknown:
            found: dict[str, tuple[str, str]] = {}
            for chunk in chunks(unknown):
                statement = select(RECORD.c.id, RECORD.c.kind, RECORD.c.state).where(RECORD.c.id.in_(chunk))
                found.update((id, (kind, state)) for id, kind, state in connection.execute(statement))
            opened = self._vault.read(connection, [id for id, (kind, _) in found.items() if kind in OPENED])
            for id in unknown:
                self._nodes[id] = self._node(id, found.get(id), opened.get(id))
            self._learn_views(connection, found)
            nodes = [self._nodes[id] for id in unknown]
            above = [up for node in nodes if node for up in (node.parent, *node.derived_from) if up]
            unknown = [id for id in dict.fromkeys(above) if id not in self._nodes]

    @staticmethod
    def _node(id: str, known: tuple[str, str] | None, stored: Stored | None) -> Node | None:
        return None if known is None else Node.of(*known, stored.content if stored else None)

    def _learn_views(self, connection: Connection, found: Mapping[str, tuple[str, str]]) -> None:
        new = [id for id in found if id not in self._visible]
        self._visible.update(dict.fromkeys(new, 0))
        if self._by_history:
            self._learn_from_history(connection, new)
            return
        by_kind: dict[str, list[str]] = {}
        for id in new:
            by_kind.setdefault(found[id][0], []).append(id)
        for kind, ids in by_kind.items():
            for chunk in chunks(ids):
                where = (ROW.c.view.in_(range(16)), ROW.c.kind == kind, ROW.c.id.in_(chunk))
                for view, id in connection.execute(select(ROW.c.view, ROW.c.id).where(*where)):
                    self._visible[id] |= 1 << view

    def _learn_from_history(self, connection: Connection, ids: Iterable[str]) -> None:
        columns = (DISCLOSED.c.view, DISCLOSED.c.id, DISCLOSED.c.change)
        for chunk in chunks(ids):
            where = (DISCLOSED.c.view.in_(range(16)), DISCLOSED.c.id.in_(chunk))
            for view, id, change in connection.execute(select(*columns).where(*where).order_by(DISCLOSED.c.seq)):
                bit = 1 << view
                self._visible[id] = self._visible[id] & ~bit if change == "removed" else self._visible[id] | bit

    def node(self, id: str) -> Node | None:
        """Return a record's node; it must have been learnt."""
        return self._nodes.get(id)

    # --- the facts ---

    def visible(self, view: int, record: str) -> bool:
        """Tell whether a view is shown this record."""
        return self._visible.get(record, 0) >> view & 1 == 1

    def lineage(self, record: str) -> tuple[str, ...]:
        """Return a place or violation and everything above it, itself first."""
        known = self._lineages.get(record)
        if known is None:
            found = [record]
            while (node := self._nodes.get(found[-1])) and node.parent and node.parent not in found:
                found.append(node.parent)
            known = self._lineages[record] = tuple(found)
        return known

    def type_of(self, record: str) -> str | None:
        """Return the type of a place or actor."""
        node = self._nodes.get(record)
        return node.type if node else None

    def geometry(self, place: str) -> Mapping[str, Any] | None:
        """Return the GeoJSON geometry of a place."""
        node = self._nodes.get(place)
        return node.geometry if node else None

    def crimes(self, violation: str) -> tuple[str, ...]:
        """Return the crimes that a violation may amount to."""
        node = self._nodes.get(violation)
        return node.crimes if node else ()

    def derived_from(self, source: str) -> tuple[str, ...]:
        """Return the sources that a source draws on."""
        node = self._nodes.get(source)
        return node.derived_from if node else ()

    def testimony(self, record: str) -> Account | None:
        """Return a testimony as submitted; None when there is none, or it was retracted."""
        node = self._nodes.get(record)
        if node is None or node.content is None or node.state == "retracted":
            return None
        return Account(node.content, node.state == "expired")
