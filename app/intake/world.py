"""What a projection asks about other records: read from the vault in batches, and kept for the next batch."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, exists, select

from app.disclosure.project import Account
from app.vault.append import Stored, Vault
from app.vault.keys import chunks
from app.vault.tables import GONE, MERGER, RECORD

# Kinds of which more than existence matters.
OPENED = frozenset({"place", "violation", "source", "testimony", "person", "actor"})
PEOPLE = frozenset({"testimony", "person"})  # of which all matters, consent above all
MOST_NODES = 50_000  # some 500 bytes each


class Naming(Protocol):
    """Whatever names records."""

    @property
    def named(self) -> tuple[str, ...]:
        """Their ids."""
        ...


class Node(NamedTuple):
    """What others need to know of one record."""

    kind: str
    state: str
    owner: str
    parent: str | None = None
    type: str | None = None
    geometry: Mapping[str, Any] | None = None
    crimes: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    witness: str | None = None  # the person whose account it is: who rests on the account may ask about them
    content: Mapping[str, Any] | None = None  # of a testimony or person, on which others rest; of an accused person

    @property
    def above(self) -> tuple[str | None, ...]:
        """What else has to be known with it. An incident that rests on an account need not cite what that cites."""
        account = self.content if self.kind == "testimony" and self.content is not None else {}
        cited = (one["source"] for one in account.get("citations", ()))
        return (self.parent, self.witness, *self.derived_from, *self.crimes, *cited)

    @classmethod
    def of(cls, kind: str, state: str, owner: str, content: Mapping[str, Any] | None) -> "Node":
        """Make the node of a record from its content."""
        if content is None or kind not in OPENED:
            return cls(kind, state, owner)
        return cls(
            kind,
            state,
            owner,
            parent=content.get("parent"),
            type=content.get("type"),
            geometry=content.get("geometry"),
            crimes=tuple(one["crime"] for one in content.get("may_amount_to", ())),
            derived_from=tuple(content.get("derived_from", ())),
            witness=(content.get("witness") or {}).get("person"),
            content=content if kind in PEOPLE or content.get("type") == "natural-person" else None,
        )


class World:
    """The facts of `disclosure.view.Facts`, for one writer at a time."""

    def __init__(self, vault: Vault) -> None:
        """Start knowing nothing."""
        self._vault = vault
        self._nodes: dict[str, Node | None] = {}
        self._visible: dict[str, int] = {}
        self._lineages: dict[str, tuple[str, ...]] = {}
        self._leads: dict[str, str] = {}  # of merged records that were learnt: the survivor
        self._merged: bool | None = None  # whether any record was merged into another; None: not known yet
        self._passing: set[str] = set()  # nodes that hold a content: not kept in memory after the transaction
        self._log_size = -1

    def begin(self, log_size: int) -> bool:
        """Start a transaction: what was known holds only if nobody has written since; tell whether it was forgotten."""
        if log_size != self._log_size or max(len(self._nodes), len(self._visible)) > MOST_NODES:
            self.anew()
            return True
        return False

    def anew(self) -> None:
        """Know nothing again, within a transaction: what ids lead to has changed."""
        self._nodes.clear()
        self._passing.clear()
        self._visible.clear()
        self._lineages.clear()
        self._leads.clear()
        self._merged = None

    def end(self, log_size: int) -> None:
        """End a transaction that will be committed; contents are not kept in memory."""
        self._log_size = log_size
        for id in self._passing:
            self._nodes.pop(id, None)
        self._passing.clear()

    def forget(self) -> None:
        """Forget everything: the transaction failed."""
        self._log_size = -1

    def put(self, id: str, node: Node) -> Node | None:
        """Say what a record is from now on; return what it was, if that was known."""
        before = self._nodes.get(id)
        self._nodes[id] = node
        if node.content is not None:
            self._passing.add(id)
        self._lineages.clear()
        return before

    def show(self, id: str, views: int) -> None:
        """Say which views (one bit each) are shown a record from now on."""
        self._visible[id] = views

    def views_of(self, id: str) -> int:
        """Return which views (one bit each) are shown a record."""
        return self._visible.get(id, 0)

    def learn(self, connection: Connection, ids: Iterable[str], closed: bool = False) -> None:
        """Read what is not known yet of these records, and of what stands above them: of accounts also whose they are.

        `closed`: without opening these themselves.
        """
        unknown = [id for id in dict.fromkeys(ids) if id not in self._nodes]
        while unknown:
            found: dict[str, tuple[str, str, str]] = {}
            for chunk in chunks(unknown):
                columns = (RECORD.c.id, RECORD.c.kind, RECORD.c.state, RECORD.c.owner, RECORD.c.views)
                rows = connection.execute(select(*columns).where(self._vault.database.among(RECORD.c.id, chunk))).all()
                for id, kind, state, owner, views in rows:
                    found[id] = (kind, state, owner)
                    self._visible[id] = views
            leads = self._survivors(connection, found)
            open_up = [id for id, (kind, *_) in found.items() if kind in OPENED and not closed]
            opened = self._vault.read(connection, open_up, keyless=True)
            for id in unknown:
                node = self._nodes[id] = self._node(found.get(id), opened.get(id))
                if node is not None and node.content is not None:
                    self._passing.add(id)
            nodes = [self._nodes[id] for id in unknown]
            known = [node.above for node in nodes if node]
            known.append((*leads,))
            unknown = [id for id in dict.fromkeys(up for of in known for up in of if up) if id not in self._nodes]
            closed = False

    def _survivors(self, connection: Connection, ids: Iterable[str]) -> Iterable[str]:
        """Learn what records lead to that were merged into others; return these."""
        if self._merged is None:
            self._merged = bool(connection.scalar(select(exists().select_from(MERGER))))
        found = self._vault.survivors(connection, ids) if self._merged else {}
        self._leads.update(found)
        return found.values()

    @staticmethod
    def _node(known: tuple[str, str, str] | None, stored: Stored | None) -> Node | None:
        if known is None or stored is None:
            return Node.of(*known, None) if known is not None else None
        return Node.of(stored.kind, stored.state, stored.owner, stored.content)

    def node(self, id: str) -> Node | None:
        """Return a record's node; it must have been learnt."""
        return self._nodes.get(id)

    def content(self, id: str) -> Mapping[str, Any] | None:
        """Return the content of a testimony, a person, or an actor who is one, whatever became of it."""
        node = self._nodes.get(id)
        return node.content if node is not None else None

    # --- the facts ---

    def leads_to(self, record: str) -> str:
        """Return the record that an id leads to: itself, unless it was merged into another one."""
        return self._leads.get(record, record)

    def reached(self, items: Iterable[Naming]) -> set[str]:
        """Return what records name, and what these ids lead to."""
        return {to for item in items for one in item.named for to in (one, self.leads_to(one))}

    def visible(self, view: int, record: str) -> bool:
        """Tell whether a view is shown this record."""
        return self._visible.get(record, 0) >> view & 1 == 1

    def visible_to(self, views: int, record: str) -> bool:
        """Tell whether every one of some views (one bit each) is shown this record, and what stands above it."""
        shown = views
        for one in self.lineage(record):
            shown &= self._visible.get(one, 0)
        return shown == views

    def lineage(self, record: str) -> tuple[str, ...]:
        """Return a place or violation and everything above it, itself first."""
        known = self._lineages.get(record)
        if known is None:
            found = [record]
            while (node := self._nodes.get(found[-1])) and (above := self.leads_to(node.parent or "")):
                if above in found:
                    break
                found.append(above)
            known = self._lineages[record] = tuple(found)
        return known

    def kind_of(self, record: str) -> str | None:
        """Return the kind of a record, whatever became of it."""
        node = self._nodes.get(record)
        return node.kind if node else None

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
        if node is None:
            return ()
        crimes = dict.fromkeys(self.leads_to(crime) for crime in node.crimes if self._visible.get(crime))
        return tuple(crime for crime in crimes if self._visible.get(crime))

    def derived_from(self, source: str) -> tuple[str, ...]:
        """Return the sources that a source draws on."""
        node = self._nodes.get(source)
        return tuple(self.leads_to(one) for one in node.derived_from) if node else ()

    def testimony(self, record: str) -> Account | None:
        """Return a testimony as submitted; None when there is none, or it is gone."""
        return self._account("testimony", record)

    def person(self, record: str) -> Account | None:
        """Return a person as submitted; None when there is none, or they are gone."""
        return self._account("person", record)

    def owner_of(self, record: str) -> str | None:
        """Return the organisation that holds a record, whatever became of it."""
        node = self._nodes.get(record)
        return node.owner if node is not None else None

    def objects(self, person: str) -> bool:
        """Tell whether a person objected to being shown or named, whatever became of their record since.

        Of one that was erased nobody can tell any more: it is taken to be so, for no account is to name them again. One
        that was merged into another objects with it, and by itself.
        """
        if (survivor := self.leads_to(person)) != person and self.objects(survivor):
            return True
        node = self._nodes.get(person)
        if node is not None and node.state == "erased":
            return True
        objection = (self.content(person) or {}).get("objection")
        return objection is not None and objection["to"] != "nothing"

    def linked(self, person: str) -> tuple[str, ...]:
        """Return the people of other organisations of whom whoever holds a person says that they are this one."""
        return tuple(self.leads_to(one) for one in (self.content(person) or {}).get("linked") or ())

    def _account(self, kind: str, record: str) -> Account | None:
        node = self._nodes.get(record)
        if node is None or node.kind != kind or node.content is None or node.state in GONE:
            return None
        return Account(node.content, node.state == "expired", node.owner)
