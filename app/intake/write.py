"""One transaction of the vault: revisions appended, logged, and shown to every view, with all that rests on them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from app.core import crypto, moments
from app.core.db import Database
from app.core.settings import Settings
from app.custody import log
from app.disclosure.view import View
from app.intake.order import AMONG_THEMSELVES, RANK
from app.intake.publish import Batch, Changes, Item, Known, Publisher, Rendered, foresee, is_closed, render, views_of
from app.intake.world import Node, World
from app.records import BY_NAME, references
from app.vault.append import Addition, Stored, Vault, commit, salts
from app.vault.keys import KeyStore, chunks

T = TypeVar("T")
# What changes in the first kind changes what is known of the second, and so what rests on that.
PASSED_ON = frozenset(
    {
        ("place", "place"),
        ("violation", "violation"),
        ("crime", "violation"),
        ("source", "source"),
        ("person", "testimony"),
    }
)


def expiry(content: Mapping[str, Any]) -> int | None:
    """Return the moment at which the consent in a content runs out, if it does."""
    day = (content.get("consent") or {}).get("expires")
    return moments.end_of(day) if day else None


def item_of(stored: Stored) -> Item:
    """Return a record of the vault as something to be shown."""
    named = tuple(dict.fromkeys(to for _, to, _ in references(BY_NAME[stored.kind], stored.content)))
    place = (stored.id, stored.kind, stored.k, stored.owner, stored.state)
    return Item(*place, stored.content, named, expiry(stored.content), new=False)


class Closed(Exception):
    """The catalogue is closed: it is being made anew."""


class Writer:
    """Writes to one vault. One is enough for a process; its transactions take turns with every other process's."""

    def __init__(self, database: Database, keys: KeyStore, clock: Callable[[], int]) -> None:
        """Write to a database whose records have their keys in a key store."""
        self.database = database
        self.vault = Vault(database, keys)
        self.clock = clock
        self.world = World(self.vault)
        self.publisher = Publisher(database, self.world)
        self.master = keys.master
        self.secret = crypto.derive(keys.master, "pseudonyms")
        self.closed_by_us = False  # the views are closed, and it is this writer that will open them again

    @classmethod
    def open(cls, settings: Settings, database: Database, clock: Callable[[], int] = moments.now) -> "Writer":
        """Open the writer of the settings."""
        return cls(database, KeyStore.open(settings), clock)

    def transact(self, work: Callable[[Connection, int, int], T]) -> T:
        """Run `work(connection, moment, size of the log)` under the write lock; an exception undoes all of it.

        Raises:
            Closed: the catalogue is being made anew.
        """

        def _work(connection: Connection) -> T:
            if not self.closed_by_us and is_closed(connection):
                raise Closed("a bulk load or rebuild is under way, or was cut short: `evidence rebuild` completes it")
            size = log.size(connection)
            if self.world.begin(size):
                self.publisher.forget()
            return work(connection, self.clock(), size)

        try:
            return self.database.write(_work)
        except BaseException:
            self.world.forget()
            self.publisher.forget()
            raise

    def append(self, connection: Connection, at: int, size: int, additions: Sequence[Addition]) -> None:
        """Append revisions to the vault and the log, and show what follows from them to every view."""
        if additions:
            self.world.learn(connection, [one.id for one in additions if one.revision > 1])  # what they were
            keys = self.vault.keys.make([one.id for one in additions])
            fresh = salts(len(additions))
            self.vault.append(connection, additions, keys, fresh, size, at)
            commitments = [commit(salt, one.plain) for salt, one in zip(fresh, additions, strict=True)]
            size = log.append(self.database, connection, commitments, size)
            size = self._publish(connection, at, size, additions)
        self.world.end(size)

    def show_again(self, ids: Sequence[str]) -> int:
        """Show records anew to every view, as a change where that is one; return how many there were."""

        def _again(connection: Connection, at: int, size: int) -> None:
            waiting = {stored.id: item_of(stored) for stored in self.vault.read(connection, ids).values()}
            self.world.learn(connection, [to for item in waiting.values() for to in item.named])
            self.world.end(self._show_all(connection, at, size, waiting, set()))

        if ids:
            self.transact(_again)
        return len(ids)

    def _publish(self, connection: Connection, at: int, size: int, additions: Sequence[Addition]) -> int:
        waiting = {
            one.id: Item(
                one.id, one.kind, one.k, one.owner, one.state, one.content, one.targets, one.expires, one.revision == 1
            )
            for one in additions
        }
        return self._show_all(connection, at, size, waiting, self._meet(connection, additions))

    def prepare(self, view: int, ids: Sequence[str]) -> None:
        """Show records to a view that is being prepared; what rests on them of other kinds comes later by itself."""

        def _prepare(connection: Connection, at: int, size: int) -> None:
            waiting = {stored.id: item_of(stored) for stored in self.vault.read(connection, ids).values()}
            self.world.learn(connection, waiting)
            self.world.learn(connection, [to for item in waiting.values() for to in item.named])
            views = [one for one in views_of(connection) if one.id == view]
            self.world.end(self._show_all(connection, at, size, waiting, set(), views))

        self.transact(_prepare)

    def _show_all(
        self,
        connection: Connection,
        at: int,
        size: int,
        waiting: dict[str, Item],
        forced: set[str],
        only: Sequence[View] = (),
    ) -> int:
        """Show records, and then what rests on those whose audience changed, until nothing changes.

        To some views `only`, it is no more than what rests on them of their own kind.
        """
        views, told = only or views_of(connection), set(forced)
        while waiting:
            rank = min(RANK[item.kind] for item in waiting.values())
            wave = [item for item in waiting.values() if RANK[item.kind] == rank]
            for item in wave:
                del waiting[item.id]
            size, changed = self._show(connection, at, size, wave, views)
            spread = forced.intersection(item.id for item in wave)
            forced -= spread
            for item in self._resting_on(connection, changed | spread, waiting, wave[0].kind if only else None):
                waiting[item.id] = item
                if (wave[0].kind, item.kind) in PASSED_ON and item.id not in told:
                    told.add(item.id)  # once is enough, and records may stand above one another in a circle
                    forced.add(item.id)
        return size

    def _meet(self, connection: Connection, additions: Sequence[Addition]) -> set[str]:
        """Tell the world of new contents; return the records of which others must be looked at again in any case."""
        self.world.learn(connection, [to for one in additions for to in one.targets])
        forced: set[str] = set()
        for one in additions:
            node = Node.of(one.kind, one.state, one.owner, one.content)
            before = self.world.put(one.id, node)
            if one.revision == 1:
                self.world.show(one.id, 0)
            elif before != node:
                forced.add(one.id)
        return forced

    def _show(
        self, connection: Connection, at: int, size: int, wave: Sequence[Item], views: Sequence[View]
    ) -> tuple[int, set[str]]:
        """Show a wave of records to every view; return the log's size, and the records whose audience changed."""
        testimonies = [to for item in wave if item.kind == "incident" for to in item.named if to.startswith("tst-")]
        self.world.learn(connection, testimonies)
        shown, known = self.publisher.known(connection, self.vault, wave)
        batch, changes, moved = Batch(), Changes(connection), dict[str, int]()
        others = ~sum(1 << view.id for view in views)
        before = {item.id: self.world.views_of(item.id) for item in wave}
        if wave[0].kind in AMONG_THEMSELVES:
            # They may name one another, in any order: who is shown what is settled before any of them is rendered.
            for item in wave:
                self.world.show(item.id, before[item.id] & others | foresee(item, views, self.world, self.secret))
        for item in wave:
            rendered = render(item, views, self.world, self.secret)
            mask = before[item.id] & others
            for view, one in zip(views, rendered, strict=True):
                mask |= (one is not None) << view.id
                self._compare(batch, changes, view.id, item, one, known.get((view.id, item.id)), at)
            self.world.show(item.id, mask)
            if before[item.id] != mask:
                moved[item.id] = mask
        self.publisher.flush(connection, batch)
        self.vault.set_views(connection, moved)
        self.vault.set_shown(connection, changes.newest(shown))
        return self.publisher.disclose(connection, changes, at, size), set(moved)

    def _compare(
        self,
        batch: Batch,
        changes: Changes,
        view: int,
        item: Item,
        rendered: Rendered | None,
        before: Known | None,
        at: int,
    ) -> None:
        """Put what changed for one view into the batch, and the change with the others."""
        shown_before = before if before is not None and before.change != "removed" else None
        if shown_before is not None:
            batch.gone.setdefault(view, []).append(item.k)
        if rendered is None:
            if shown_before is not None:
                changes.add(view, item, shown_before.revision, "removed", shown_before.digest, shown_before)
        elif shown_before is not None and shown_before.digest == rendered.digest:
            # The same bytes, but what they are filed under may have changed with a record above.
            self.publisher.add(batch, view, item, rendered, shown_before)
        else:
            change = "updated" if shown_before is not None else "created"
            revision = before.revision + 1 if before is not None else 1
            seq = changes.add(view, item, revision, change, rendered.digest, before)
            self.publisher.add(batch, view, item, rendered, Known(revision, at, change, rendered.digest, seq))

    def _resting_on(
        self, connection: Connection, changed: Iterable[str], waiting: Mapping[str, Item], kind: str | None
    ) -> list[Item]:
        dependents = self.vault.dependents(connection, sorted(changed), kind)
        items = [waiting[id] for id in sorted(dependents & waiting.keys())]  # for what else is passed on by way of them
        dependents -= waiting.keys()
        for chunk in chunks(sorted(dependents)):
            for stored in self.vault.read(connection, chunk).values():
                items.append(item_of(stored))
        self.world.learn(connection, [to for item in items for to in item.named])
        return items
