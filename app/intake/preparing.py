"""Preparing new records for a bulk load, in a process of its own: checked, sealed, projected, ready to be inserted."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from app.core import crypto
from app.custody import leaves, log
from app.custody.merkle import leaf_hash
from app.intake import journal, postings
from app.intake.bulk import Prepared
from app.intake.checking import Faults, Good, Lines, check, opened
from app.intake.publish import Item, Rendered, render, views_of
from app.intake.submit import Asker, Draft, Intake
from app.intake.write import Writer
from app.vault.append import Addition, commit, record_row, revision_row, salts


class Task(NamedTuple):
    """Records of a load, as they were sealed when they were checked."""

    owner: str
    at: int
    key: bytes
    ids: list[str]
    sealed: list[bytes]
    alone_since: int  # the size of the log after the last time that somebody else wrote
    asker: Asker | None = None  # whoever submits, where it must learn of no hidden record of others


class Preparer:
    """Prepares records that are new and name only what is on record already; the others are left."""

    def __init__(self, writer: Writer) -> None:
        """Read the vault of a writer that nobody else uses."""
        self._writer = writer
        self._intake = Intake(self._writer)
        self._since = -2  # the size of the log when the first of what is known of other records was learnt

    def __call__(self, task: Task | Lines) -> "Prepared | list[Good | Faults]":
        """Prepare a list of records, or check lines."""
        return check(self._intake, task) if isinstance(task, Lines) else self.prepare(task)

    def prepare(self, task: Task) -> Prepared:
        """Prepare a list of records."""
        drafts = opened(task.key, task.ids, task.sealed)
        return self._writer.database.look(lambda connection: self._prepare(connection, task, drafts))

    def _prepare(self, connection: Connection, task: Task, drafts: Sequence[Draft]) -> Prepared:
        world = self._writer.world
        if task.alone_since > self._since:
            world.forget()
            self._since = log.size(connection)
        done = Prepared(log_size=self._since)
        world.begin(-2)  # this load writes all the while, but nothing that these records name; others: see Bulk.write
        met = self._writer.vault.heads(connection, [draft.id for draft in drafts])
        world.learn(connection, [to for draft in drafts for to in draft.targets])
        waiting = journal.waiting(connection, {to for draft in drafts for to in draft.targets})
        withheld = {id for id, views in waiting.items() if views}
        ready = []
        for position, draft in enumerate(drafts):
            unknown = any(world.node(target) is None for target in draft.targets)
            if draft.id in met or unknown or not withheld.isdisjoint(draft.targets):
                done.left.append(position)
            else:
                ready.append(draft)
        additions = self._seal(done, task, ready)
        done.doubts = self._intake.doubts(additions, task.asker)
        self._show(connection, done, task, additions)
        world.end(-2)
        return done

    def _seal(self, done: Prepared, task: Task, drafts: Sequence[Draft]) -> list[Addition]:
        additions = [self._intake.addition(draft, task.owner) for draft in drafts]
        # A load that was cut short may have kept keys for records that never came: a record has one key for ever.
        kept = self._writer.vault.keys.get([one.id for one in additions])
        for position, (one, salt) in enumerate(zip(additions, salts(len(drafts)), strict=True)):
            key = kept.get(one.id)
            if key is None:
                key = crypto.new_key()
                done.keys.append((one.id, self._writer.vault.keys.wrap(one.id, key)))
            done.revisions.append(revision_row(one, key, salt, 0, task.at))
            done.references += [(target, position) for target in one.targets]
            done.leaves.append(leaf_hash(commit(salt, one.plain)))
        done.references.sort()
        return additions

    def _show(self, connection: Connection, done: Prepared, task: Task, additions: Sequence[Addition]) -> None:
        views, packed = views_of(connection), postings.Packed()
        changes: list[tuple[int, str, str, bytes]] = []
        for one in additions:
            item = Item(one.id, one.kind, one.k, one.owner, one.state, one.content, one.targets, one.expires, new=True)
            masks: dict[tuple[bytes, tuple[int, ...]], tuple[int, Rendered]] = {}
            for view, rendered in zip(views, render(item, views, self._writer.world, self._writer.secret), strict=True):
                if rendered is not None:
                    alike = (rendered.digest, rendered.terms)  # the same bytes may be filed under other terms
                    masks[alike] = (masks.get(alike, (0, rendered))[0] | 1 << view.id, rendered)
                    changes.append((view.id, one.id, one.kind, rendered.digest))
            for mask, rendered in masks.values():
                done.add(packed, mask, item, rendered, 1, task.at)
            done.records.append(record_row(one, 0, sum(mask for mask, _ in masks.values())))
        for (number, id, kind, digest), salt in zip(changes, salts(len(changes)), strict=True):
            done.disclosed.append((number, id, kind, 1, task.at, "created", digest, salt))
            leaf = leaves.disclosed(number, id, 1, task.at, "created", digest)
            done.disclosed_leaves.append(leaf_hash(leaves.commitment(leaf, salt)))
        done.finish(packed)
