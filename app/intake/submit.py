"""The one way in: validated records become revisions, leaves, and what each view is shown, in one transaction."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from app.catalogue.tables import ROW, VIEW
from app.core import crypto, ids, moments
from app.core.db import Database
from app.core.settings import Settings
from app.custody import log
from app.intake.order import RANK
from app.intake.publish import Batch, Item, Publisher, Rendered, render, views_of
from app.intake.world import Node, World
from app.records import BY_NAME, references
from app.records.base import Content
from app.vault.append import Addition, Head, Stored, Vault, commit, plain_of, salts
from app.vault.keys import KeyStore, chunks
from app.vault.tables import RECORD

PUBLIC_RECORD = "public-record"


@dataclass(frozen=True)
class Refusal:
    """One record that cannot be taken: its position in what was submitted, the field, and why."""

    position: int
    field: str
    reason: str


class Refused(Exception):
    """Nothing was taken; the reasons say why."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Keep the reasons."""
        super().__init__(f"{len(refusals)} reasons")
        self.refusals = tuple(refusals)


@dataclass
class Outcome:
    """What became of a submission: ids by what happened to them."""

    created: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Draft:
    """A record on its way in, with its id."""

    id: str
    kind: str
    content: Mapping[str, Any]
    plain: bytes
    links: tuple[tuple[str, str, tuple[str, ...]], ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """The ids of the records that it names, each once."""
        return tuple(dict.fromkeys(target for _, target, _ in self.links))


class Intake:
    """The writer. One is enough for a process; its transactions take turns with those of every other process."""

    def __init__(
        self, database: Database, keys: KeyStore, master: bytes, clock: Callable[[], int] = moments.now
    ) -> None:
        """Write to a database whose records have their keys in a key store."""
        self.database = database
        self.vault = Vault(database, keys)
        self.clock = clock
        self.world = World(self.vault)
        self.publisher = Publisher(database, self.world)
        self.secret = crypto.derive(master, "pseudonyms")
        self._naming = crypto.derive(master, "ids")

    @classmethod
    def open(cls, settings: Settings, database: Database) -> "Intake":
        """Open the writer of the settings; the folder of the data must be there."""
        settings.home.mkdir(parents=True, exist_ok=True)
        master = crypto.master_key(settings.master_key, settings.home)
        return cls(database, KeyStore.open(settings, master), master)

    # --- in ---

    def draft(self, content: Content, owner: str) -> Draft:
        """Give a validated record its id and its canonical bytes.

        A record that states no id gets one that depends on its owner and slug, or on its owner and whole content, by
        a secret function: the same file loaded twice makes the same records, and the id tells nobody anything.
        """
        value = content.content()
        kind = BY_NAME[value["kind"]]
        if value["id"] is None:
            if not kind.draws_id(value):
                raise Refused([Refusal(0, "id", "is required: records of this kind have readable ids")])
            name = value["slug"].encode() if value["slug"] else plain_of(value)
            digest = hmac.digest(self._naming, b"\0".join((owner.encode(), kind.name.encode(), name)), hashlib.sha256)
            value["id"] = ids.fixed(str(kind.prefix), digest.hex())
        return Draft(value["id"], kind.name, value, plain_of(value), tuple(references(kind, value)))

    def submit(
        self, drafts: Sequence[Draft], owner: str, promised: Callable[[str], str | None] = lambda _: None
    ) -> Outcome:
        """Take records: all of them, or none.

        Args:
            drafts: records with distinct ids.
            owner: the organisation that holds them.
            promised: tells the kind of a record that a later submission of the same load will bring, by its id.

        Raises:
            Refused: a reference leads nowhere, or an id belongs to another kind or owner. Nothing was written.
        """
        return self._transact(lambda connection, at: self._submit(connection, at, drafts, owner, promised))

    def _transact(self, work: Callable[[Connection, int], Any]) -> Any:
        try:
            return self.database.write(lambda connection: work(connection, self.clock()))
        except BaseException:
            self.world.forget()
            self.publisher.forget()
            raise

    def _submit(
        self,
        connection: Connection,
        at: int,
        drafts: Sequence[Draft],
        owner: str,
        promised: Callable[[str], str | None],
    ) -> Outcome:
        size = log.size(connection)
        self.world.begin(size)
        heads = self.vault.heads(connection, [draft.id for draft in drafts])
        self._check(connection, drafts, heads, owner, promised)
        outcome = Outcome()
        additions: list[Addition] = []
        for draft in drafts:
            head = heads.get(draft.id)
            if head is not None and head.state != "retracted" and commit(head.salt, draft.plain) == head.commitment:
                outcome.unchanged.append(draft.id)
                continue
            (outcome.revised if head else outcome.created).append(draft.id)
            additions.append(self._addition(draft, owner, head.revision + 1 if head else 1))
        self._append(connection, at, size, additions)
        return outcome

    def _check(
        self,
        connection: Connection,
        drafts: Sequence[Draft],
        heads: Mapping[str, Head],
        owner: str,
        promised: Callable[[str], str | None],
    ) -> None:
        refusals: list[Refusal] = []
        here = {draft.id: draft.kind for draft in drafts}
        self.world.learn(connection, [to for draft in drafts for to in draft.targets if to not in here])
        for position, draft in enumerate(drafts):
            head = heads.get(draft.id)
            if head is not None and (head.kind, head.owner) != (draft.kind, owner):
                refusals.append(Refusal(position, "id", "belongs to a record of another kind or owner"))
            for path, target, allowed in draft.links:
                kind = here.get(target) or self._kind_of(target) or promised(target)
                if kind not in allowed:
                    refusals.append(Refusal(position, path, f"names no {' or '.join(allowed)} that is on record"))
        if len(here) < len(drafts):
            refusals.append(Refusal(len(here), "id", "stands twice in one submission"))
        if refusals:
            raise Refused(refusals)

    def _kind_of(self, id: str) -> str | None:
        node = self.world.node(id)
        return node.kind if node is not None and node.state != "retracted" else None

    def _addition(self, draft: Draft, owner: str, revision: int) -> Addition:
        expires = self._expiry(draft.content)
        state = "expired" if expires is not None and expires <= self.clock() else "live"
        return Addition(
            draft.id,
            draft.kind,
            ids.k_of(draft.id),
            owner,
            revision,
            "submitted",
            state,
            expires,
            draft.content,
            draft.plain,
            draft.targets,
        )

    @staticmethod
    def _expiry(content: Mapping[str, Any]) -> int | None:
        day = (content.get("consent") or {}).get("expires")
        return moments.end_of(day) if day else None

    # --- out of sight ---

    def retract(self, record: str, owner: str, reason: str) -> bool:
        """Take a record back: every view loses it and what rests on it alone; the vault keeps it, and the reason.

        Returns:
            False if there is no such record of this owner, or it was retracted before.
        """

        def _retract(connection: Connection, at: int) -> bool:
            size = log.size(connection)
            self.world.begin(size)
            stored = self.vault.read(connection, [record]).get(record)
            if stored is None or stored.owner != owner or stored.state == "retracted":
                return False
            self._append(connection, at, size, [self._change(stored, "retracted", {"retraction": {"reason": reason}})])
            return True

        done: bool = self._transact(_retract)
        return done

    def expire(self) -> int:
        """Carry out every consent that has run out; return how many there were."""

        def _expire(connection: Connection, at: int) -> int:
            size = log.size(connection)
            self.world.begin(size)
            over = select(RECORD.c.id).where(RECORD.c.expires <= at, RECORD.c.state == "live")
            stored = self.vault.read(connection, list(connection.scalars(over)))
            changes = [self._change(one, "expired", {}) for one in stored.values()]
            self._append(connection, at, size, changes)
            self._next_expiry(connection, at)
            return len(changes)

        done: int = self._transact(_expire)
        return done

    def _next_expiry(self, connection: Connection, at: int) -> None:
        for view in views_of(connection):
            shown = select(ROW.c.id).where(ROW.c.view == view.id, ROW.c.kind == RECORD.c.kind, ROW.c.id == RECORD.c.id)
            waiting = select(RECORD.c.expires).where(RECORD.c.expires > at, RECORD.c.state == "live", shown.exists())
            soonest = connection.scalar(waiting.order_by(RECORD.c.expires).limit(1))
            connection.execute(update(VIEW).where(VIEW.c.id == view.id).values(next_expiry=soonest))

    def _change(self, stored: Stored, change: str, more: Mapping[str, Any]) -> Addition:
        content = {**stored.content, **more}
        targets = tuple(dict.fromkeys(to for _, to, _ in references(BY_NAME[stored.kind], content)))
        return Addition(
            stored.id,
            stored.kind,
            stored.k,
            stored.owner,
            stored.revision + 1,
            change,
            change,
            self._expiry(stored.content),
            content,
            plain_of(content),
            targets,
        )

    # --- the transaction ---

    def _append(self, connection: Connection, at: int, size: int, additions: Sequence[Addition]) -> None:
        if additions:
            self.world.learn(connection, [one.id for one in additions if one.revision > 1])
            keys = self.vault.keys.make([one.id for one in additions])
            fresh = salts(len(additions))
            self.vault.append(connection, additions, keys, fresh, size, at)
            commitments = [commit(salt, one.plain) for salt, one in zip(fresh, additions, strict=True)]
            size = log.append(self.database, connection, commitments, size)
            size = self._publish(connection, at, size, additions)
        self.world.end(size)

    def _publish(self, connection: Connection, at: int, size: int, additions: Sequence[Addition]) -> int:
        views = views_of(connection)
        waiting = {
            one.id: Item(
                one.id, one.kind, one.k, one.owner, one.state, one.content, one.targets, one.expires, one.revision == 1
            )
            for one in additions
        }
        forced = self._meet(connection, additions)
        while waiting:
            rank = min(RANK[item.kind] for item in waiting.values())
            wave = [item for item in waiting.values() if RANK[item.kind] == rank]
            for item in wave:
                del waiting[item.id]
            size, changed = self._show(connection, at, size, wave, views)
            changed |= forced.intersection(item.id for item in wave)
            for item in self._resting_on(connection, changed, waiting):
                waiting[item.id] = item
                if item.kind == wave[0].kind and BY_NAME[item.kind].hierarchical:
                    forced.add(item.id)
        return size

    def _meet(self, connection: Connection, additions: Sequence[Addition]) -> set[str]:
        """Tell the world of new contents; return the records of which others must be looked at again in any case."""
        self.world.learn(connection, [to for one in additions for to in one.targets])
        forced: set[str] = set()
        for one in additions:
            node = Node.of(one.kind, one.state, one.content)
            before = self.world.put(one.id, node)
            if one.revision == 1:
                self.world.show(one.id, 0)
            elif before != node:
                forced.add(one.id)
        return forced

    def _show(
        self, connection: Connection, at: int, size: int, wave: Sequence[Item], views: Sequence[Any]
    ) -> tuple[int, set[str]]:
        """Show a wave of records to every view; return the log's size, and the records whose audience changed."""
        testimonies = [to for item in wave if item.kind == "incident" for to in item.named if to.startswith("tst-")]
        self.world.learn(connection, testimonies)
        known = self.publisher.known(connection, wave)
        batch, changes, moved = Batch(), [], set()
        for item in wave:
            rendered = render(item, views, self.world, self.secret)
            mask = 0
            for view, one in zip(views, rendered, strict=True):
                mask |= (one is not None) << view.id
                change = self._compare(batch, view.id, item, one, known, at)
                if change is not None:
                    changes.append(change)
                    if change[3] != "updated":
                        moved.add(item.id)
            self.world.show(item.id, mask)
        self.publisher.flush(connection, batch)
        return self.publisher.disclose(connection, changes, at, size), moved

    def _compare(
        self, batch: Batch, view: int, item: Item, rendered: Rendered | None, known: Mapping[Any, Any], at: int
    ) -> tuple[int, Item, int, str, bytes] | None:
        """Put what changed for one view into the batch; return the change, or None."""
        before = known.get((view, item.id))
        was_shown = before is not None and before.change != "removed"
        if rendered is None:
            if not was_shown:
                return None
            batch.gone.setdefault(view, []).append(item.k)
            return view, item, before.revision, "removed", before.digest
        if was_shown and before.digest == rendered.digest:
            # The same bytes, but what it is filed under may have changed with a record above.
            batch.gone.setdefault(view, []).append(item.k)
            self.publisher.add(batch, view, item, rendered, before.revision, before.at)
            return None
        if was_shown:
            batch.gone.setdefault(view, []).append(item.k)
        revision = before.revision + 1 if before is not None else 1
        self.publisher.add(batch, view, item, rendered, revision, at)
        return view, item, revision, "updated" if was_shown else "created", rendered.digest

    def _resting_on(self, connection: Connection, changed: Iterable[str], waiting: Mapping[str, Item]) -> list[Item]:
        dependents = self.vault.dependents(connection, sorted(changed)) - waiting.keys()
        items: list[Item] = []
        for chunk in chunks(sorted(dependents)):
            for stored in self.vault.read(connection, chunk).values():
                items.append(item_of(stored))
        self.world.learn(connection, [to for item in items for to in item.named])
        return items


def item_of(stored: Stored) -> Item:
    """Return a record of the vault as something to be shown."""
    named = tuple(dict.fromkeys(to for _, to, _ in references(BY_NAME[stored.kind], stored.content)))
    expires = Intake._expiry(stored.content)
    return Item(stored.id, stored.kind, stored.k, stored.owner, stored.state, stored.content, named, expires, new=False)
