"""One transaction of the vault: revisions appended, logged, and shown to every view, with all that rests on them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from app.core import crypto, moments
from app.core.collector import collected_later
from app.core.db import Database
from app.core.settings import Settings
from app.custody import log
from app.disclosure.view import View
from app.intake import journal
from app.intake.deny import AT_ONCE, EVERY_VIEW, OBJECTED, Causes, lessened, numerous, reach, take_away
from app.intake.items import item_of
from app.intake.order import AMONG_THEMSELVES, PASSED_ON, RANK
from app.intake.publish import Batch, Changes, Item, Known, Publisher, Rendered, foresee, is_closed, render, views_of
from app.intake.world import PEOPLE, Node, World
from app.vault.append import Addition, Resting, Vault, commit, salts, some_with_keys
from app.vault.keys import KeyStore, chunks

T = TypeVar("T")


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
        self._waits = False  # something is to be shown anew: `intake/journal.py`
        self.closed_by_us = False  # the views are closed, and it is this writer that will open them again

    @classmethod
    def open(cls, settings: Settings, database: Database, clock: Callable[[], int] = moments.now) -> "Writer":
        """Open the writer of the settings.

        Raises:
            SettingError: the master key or the key store is not the one of what is on record.
        """
        return cls(database, KeyStore.open(settings, database.look(some_with_keys)), clock)

    def twin(self) -> "Writer":
        """Return one that knows nothing yet, on the same connections: to read beside this one."""
        return Writer(self.database, self.vault.keys, self.clock)

    def is_empty(self) -> bool:
        """Tell whether nothing was ever put on record."""
        return self.database.look(log.size) == 0

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
            self._waits = not journal.is_empty(connection)
            with collected_later():
                return work(connection, self.clock(), size)

        try:
            return self.database.write(_work)
        except BaseException:
            self.world.forget()
            self.publisher.forget()
            raise

    def append(
        self, connection: Connection, at: int, size: int, additions: Sequence[Addition], also: Sequence[str] = ()
    ) -> None:
        """Append revisions, and show what follows to every view; `also` leads elsewhere with no revision of its own."""
        if additions:
            # What they were. Of what is erased it is enough who was shown it: its key may be gone already.
            erased = [one.id for one in additions if one.state == "erased"]
            self.world.learn(connection, erased, closed=True)
            self.world.learn(connection, [one.id for one in additions if one.revision > 1])
            keys = self.vault.make_keys(additions)
            fresh = salts(len(additions))
            self.vault.append(connection, additions, keys, fresh, size, at)
            commitments = [commit(salt, one.plain) for salt, one in zip(fresh, additions, strict=True)]
            size = log.append(self.database, connection, commitments, size)
            size = self._publish(connection, at, size, additions, also)
        self.world.end(size)

    def restore(self, connection: Connection, at: int, size: int, count: int) -> int:
        """Show anew what comes first in the journal; return how many records that were.

        With a record goes what it names of its own kind and is to be shown anew too, so that none waits for another.
        """
        waiting: dict[str, Item] = {}
        following = journal.first(connection, count)
        while following:
            items = self._items(connection, following)
            waiting.update((item.id, item) for item in items)
            named = self.world.reached(items)
            following = sorted(journal.waiting(connection, named - waiting.keys()))
        before = journal.waiting(connection, waiting)
        self.world.end(self._show_all(connection, at, size, dict(waiting), set(), {}))
        # What stands above itself, by way of others, may have to be looked at once more, but is withheld no longer.
        if before and journal.holds(connection, before):
            raise RuntimeError("records wait for one another to be shown")
        return len(waiting)

    def _publish(
        self, connection: Connection, at: int, size: int, additions: Sequence[Addition], also: Sequence[str]
    ) -> int:
        waiting = {
            one.id: Item(
                one.id, one.kind, one.k, one.owner, one.state, one.content, one.targets, one.expires, one.revision == 1
            )
            for one in additions
        }
        forced, less = self._meet(connection, additions)
        if also:
            waiting |= {item.id: item for item in self._items(connection, also)}
            self.world.learn(connection, also)
            forced.update(also)
            less |= dict.fromkeys(also, less[additions[0].id])
        return self._show_all(connection, at, size, waiting, forced, less)

    def prepare(self, view: int, ids: Sequence[str]) -> bool:
        """Show records to a view that is being prepared; what rests on them of other kinds comes later by itself.

        Returns:
            False, with nothing shown, if the view was retired meanwhile.
        """

        def _prepare(connection: Connection, at: int, size: int) -> bool:
            views = [one for one in views_of(connection) if one.id == view]
            if not views:
                return False
            waiting = {item.id: item for item in self._items(connection, ids)}
            self.world.learn(connection, waiting)
            self.world.end(self._show_all(connection, at, size, waiting, set(), {}, views, own_kind=True))
            return True

        return self.transact(_prepare)

    def _show_all(
        self,
        connection: Connection,
        at: int,
        size: int,
        waiting: dict[str, Item],
        forced: set[str],
        less: dict[str, int],
        only: Sequence[View] = (),
        own_kind: bool = False,
    ) -> int:
        """Show records, and then what rests on those whose audience or facts changed, until nothing changes.

        Args:
            connection: in a transaction.
            at: the moment of it.
            size: of the log.
            waiting: the records, by id.
            forced: those of which others must be looked at again in any case.
            less: the views (one bit each) that may have to be shown less of what rests on one, going by its facts.
            only: views, if not all.
            own_kind: only what is of the kind of what it rests on has to follow.
        """
        views, told, taken = only or views_of(connection), set(forced), 0
        while waiting:
            rank = min(RANK[item.kind] for item in waiting.values())
            wave = [item for item in waiting.values() if RANK[item.kind] == rank]
            for item in wave:
                del waiting[item.id]
            size, moved = self._show(connection, at, size, wave, views, settles=not only)
            spread = forced.intersection(item.id for item in wave)
            forced -= spread
            causes = self._causes(wave, moved, spread, less)
            kind = wave[0].kind if own_kind else None
            pairs = [one for one in self.vault.resting_on(connection, sorted(causes.less)) if kind in (None, one.kind)]
            resting = self._following(connection, causes, pairs)
            new = resting.keys() - waiting.keys()
            many = not own_kind and taken + len(new) > AT_ONCE
            if not many:
                taken += len(new)
                waiting.update((item.id, item) for item in self._items(connection, sorted(new)))
            # Of those that wait anyway too, for what is passed on by way of them.
            for item in [waiting[id] for id in sorted(resting.keys() & waiting.keys())]:
                if (wave[0].kind, item.kind) in PASSED_ON:
                    less[item.id] = less.get(item.id, 0) | resting[item.id]
                    if item.id not in told:
                        told.add(item.id)  # once is enough, and records may stand above one another in a circle
                        forced.add(item.id)
            if many:
                pairs = [one for one in pairs if one.id not in waiting]
                size = self._deny(connection, at, size, causes, pairs, waiting, views)
        return size

    def _causes(
        self, wave: Sequence[Item], moved: Mapping[str, int], spread: set[str], less: Mapping[str, int]
    ) -> Causes:
        """Return the records of a wave, all of one kind, that others must follow."""
        causes = Causes(wave[0].kind, {}, {})
        for item in wave:
            if item.id in moved or item.id in spread:
                after = self.world.views_of(item.id)
                before = moved.get(item.id, after)
                may = less.get(item.id, 0)
                told = EVERY_VIEW if may & OBJECTED else before | after
                lost = before & ~after | may & told
                # An account that is told of for the first time may make what rests on it coarser.
                gained = after & ~before & ~lost if item.kind in PEOPLE else 0
                causes.less[item.id] = lost | gained
                causes.new[item.id] = gained
        return causes

    def _following(self, connection: Connection, causes: Causes, pairs: Sequence[Resting]) -> dict[str, int]:
        """Return the records that rest on others, each with the views that may have to be shown less of it."""
        resting: dict[str, int] = {}
        for one in pairs:
            resting[one.id] = resting.get(one.id, 0) | causes.of(one)
        if self._waits:  # what is to be shown anew anyway need not be now, if no view may be shown less of it
            for id in journal.waiting(connection, resting):
                if not resting[id]:
                    del resting[id]
        return resting

    def _deny(
        self,
        connection: Connection,
        at: int,
        size: int,
        causes: Causes,
        pairs: Sequence[Resting],
        but: Mapping[str, Item],
        views: Sequence[View],
    ) -> int:
        """Have more follow than can at once: what may say too much goes first, and the journal says what is to come."""
        reached = reach(connection, self.vault, causes, pairs, but)
        many = numerous(reached)
        gone = {id: one.of(many) for id, one in reached.items() if one.less & many}
        withheld = {id: (RANK[one.kind], one.less & many) for id, one in reached.items()}
        journal.note(self.database, connection, withheld)
        self._waits = True
        with self.database.roomy(connection):
            changes = take_away(connection, self.vault, self.publisher, self.world, gone)
            size = self.publisher.disclose(connection, changes, at, size)
        few = [view for view in views if any(one.less & ~many & 1 << view.id for one in reached.values())]
        if few:
            at_once = sorted(id for id, one in reached.items() if one.less & ~many)
            waiting = {item.id: item for item in self._items(connection, at_once)}
            size = self._show_all(connection, at, size, waiting, set(), {}, few)
        return size

    def _meet(self, connection: Connection, additions: Sequence[Addition]) -> tuple[set[str], dict[str, int]]:
        """Tell the world of new contents.

        Returns:
            The records of which others must be looked at again in any case, and the views that may have to be shown
            less of those.
        """
        self.world.learn(connection, [to for one in additions for to in one.targets])
        views = views_of(connection)
        forced: set[str] = set()
        less: dict[str, int] = {}
        for one in additions:
            node = Node.of(one.kind, one.state, one.owner, one.content)
            before = self.world.put(one.id, node)
            if one.revision == 1:
                self.world.show(one.id, 0)
            elif before != node:
                forced.add(one.id)
                less[one.id] = lessened(before, node, views, self.world)
            if one.change in ("merged", "unmerged"):  # what names it is led elsewhere
                forced.add(one.id)
                # It is shown less only where it was shown; an objection of the survivor counts everywhere.
                objects = one.kind == "person" and self.world.objects(one.id)
                less[one.id] = EVERY_VIEW | OBJECTED if objects else EVERY_VIEW
        return forced, less

    def _show(
        self, connection: Connection, at: int, size: int, wave: Sequence[Item], views: Sequence[View], settles: bool
    ) -> tuple[int, dict[str, int]]:
        """Show a wave of records to views; `settles` says that these are all.

        Returns:
            The log's size, and the records whose audience changed, each with the views that were shown it before.
        """
        accounts = [to for item in wave if item.kind in ("incident", "link") for to in item.named]
        self.world.learn(connection, [to for to in accounts if to.startswith(("tst-", "per-"))])
        shown, known = self.publisher.known(connection, self.vault, wave)
        batch, changes, moved = Batch(), Changes(connection), dict[str, int]()
        before = {item.id: self.world.views_of(item.id) for item in wave}
        others = ~sum(1 << view.id for view in views)
        held = self._held(connection, wave) if self._waits else {}
        if wave[0].kind in AMONG_THEMSELVES:
            # They may name one another, in any order: who is shown what is settled before any of them is rendered.
            for item in wave:
                foreseen = foresee(item, views, self.world, self.secret) & ~held.get(item.id, 0)
                self.world.show(item.id, before[item.id] & others | foreseen)
        withheld: dict[str, tuple[int, int]] = {}
        compared: list[tuple[int, Item, Rendered | None]] = []
        for item in wave:
            rendered = render(item, views, self.world, self.secret)
            mask = before[item.id] & others
            for view, one in zip(views, rendered, strict=True):
                holds = one is not None and held.get(item.id, 0) >> view.id & 1 == 1
                mask |= (one is not None and not holds) << view.id
                if holds:
                    _, bits = withheld.get(item.id, (0, 0))
                    withheld[item.id] = RANK[item.kind], bits | 1 << view.id
                    one = one if item.target is not None else None  # what has no row anyway is told of all the same
                compared.append((view.id, item, one))
            self.world.show(item.id, mask)
            if before[item.id] != mask:
                moved[item.id] = mask
        # By their ids: the order in which a view is told of them must not say what else was looked at.
        for number, item, one in sorted(compared, key=lambda one: one[1].id):
            self._compare(batch, changes, number, item, one, known.get((number, item.id)), at)
        self.publisher.flush(connection, batch)
        self.vault.set_shown(connection, moved, changes.newest(shown))
        if self._waits:
            journal.note(self.database, connection, withheld)
            if settles:
                journal.strike(connection, [item.id for item in wave if item.id not in withheld])
        return self.publisher.disclose(connection, changes, at, size), {id: before[id] for id in moved}

    def _held(self, connection: Connection, wave: Sequence[Item]) -> dict[str, int]:
        """Return the views in which records name one that is withheld there: they cannot be shown there either."""
        here = {item.id for item in wave}
        waiting = journal.waiting(connection, self.world.reached(wave) - here)
        held: dict[str, int] = {}
        for item in wave:
            for to in waiting.keys() & self.world.reached([item]):
                held[item.id] = held.get(item.id, 0) | waiting[to]
        return held

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
        if item.target is not None and rendered is not None:
            if before is not None and before.is_shown:
                batch.gone.setdefault(view, []).append(item.k)
                told = "merged" if self.world.visible(view, item.target) else "removed"
                changes.add(view, item, before.revision, told, before.digest, before)
            return
        shown_before = before if before is not None and before.is_shown else None
        if shown_before is not None:
            batch.gone.setdefault(view, []).append(item.k)
        if rendered is None:
            if shown_before is not None:
                # Of an erased record no digest is left either, by which somebody could tell what it was.
                digest = b"" if item.state == "erased" else shown_before.digest
                changes.add(view, item, shown_before.revision, "removed", digest, shown_before)
            elif before is not None and before.change == "merged":  # the id leads nowhere any more
                changes.add(view, item, before.revision, "removed", b"", before)
        elif shown_before is not None and shown_before.digest == rendered.digest:
            # The same bytes, but what they are filed under may have changed with a record above.
            self.publisher.add(batch, view, item, rendered, shown_before)
        else:
            change = "updated" if shown_before is not None else "created"
            revision = before.revision + 1 if before is not None else 1
            seq = changes.add(view, item, revision, change, rendered.digest, before)
            self.publisher.add(batch, view, item, rendered, Known(revision, at, change, rendered.digest, seq))

    def _items(self, connection: Connection, ids: Sequence[str]) -> list[Item]:
        """Return records as something to be shown, and learn who is shown them, and what they name."""
        read = (self.vault.read(connection, chunk, keyless=True) for chunk in chunks(ids))
        items = [item_of(stored) for some in read for stored in some.values()]
        self.world.learn(connection, [to for item in items for to in (item.id, *item.named)])
        return items
