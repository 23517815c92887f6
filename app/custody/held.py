"""Whether the vault is what its log says: every leaf from what it stands for, every checkpoint from the leaves."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Select, Table, func, select

from app.core import crypto
from app.custody import leaves, log, marks
from app.custody.checkpoints import WIDE, tiles
from app.custody.filling import Filling
from app.custody.marks import Marks, Opened
from app.custody.merkle import leaf_hash, root
from app.custody.note import NotSigned, checkpoint_of
from app.custody.tables import CHECKPOINT, LEAF, TILE
from app.custody.tree import Tree
from app.vault.append import Vault, commit, place_of
from app.vault.tables import DISCLOSED, REVISION

PAGE = 2_000  # rows read at once
MOST = 100  # faults that are told
Progress = Callable[[str, int, int], None]


@dataclass
class Held:
    """What was looked at, and what does not hold: the first of it in words."""

    leaves: int = 0
    revisions: int = 0
    forms: int = 0  # that views were shown
    filled: int = 0
    checkpoints: int = 0
    rows: int = 0  # of the catalogue: `catalogue/served.py`
    faults: list[str] = field(default_factory=list)
    wrong: int = 0  # faults, those too that are not in words

    def fault(self, words: str) -> None:
        """Take down what does not hold."""
        self.wrong += 1
        if len(self.faults) < MOST:
            self.faults.append(words)


class _Reason(NamedTuple):
    """What a leaf stands for, and its hash as it follows from that; none where that was erased, or never was."""

    leaf: int
    what: str
    hash: bytes | None


def check(vault: Vault, key: str, progress: Progress = lambda *_: None) -> Held:
    """Work the log out anew, in one snapshot: contents are opened, and nothing is written.

    Args:
        vault: whose log it is.
        key: by which its checkpoints are verified.
        progress: is told how far it is.
    """
    found, keyless = vault.database.look(lambda connection: _Checking(vault, connection).run(key, progress))
    for leaf, what in keyless:
        if vault.database.look(lambda connection, leaf=leaf: _is_kept(connection, leaf)):  # type: ignore[misc]
            found.fault(f"{what} has no key")
    return found


def _is_kept(connection: Connection, leaf: int) -> bool:
    """Tell whether a revision is still to be opened: it may have been erased since it was looked at."""
    salt = connection.scalar(select(REVISION.c.salt).where(REVISION.c.leaf == leaf))
    return bool(salt)


class _Checking:
    """One look at all of it."""

    def __init__(self, vault: Vault, connection: Connection) -> None:
        self._vault, self._connection, self.found = vault, connection, Held()
        self._keyless: list[tuple[int, str]] = []
        self._marks = Marks(connection, self.found.fault)

    def run(self, key: str, progress: Progress) -> tuple[Held, list[tuple[int, str]]]:
        """Return what was found, and the leaves of revisions that have no key, with their names."""
        found, total = self.found, log.size(self._connection)
        views = self._connection.scalars(select(DISCLOSED.c.view).distinct().order_by(DISCLOSED.c.view)).all()
        told = [self._forms(view) for view in views]
        reasons = heapq.merge(self._revisions(), *told, self._filled(total))
        signed, kept, tree, tile = self._signed(key), tiles(self._connection, 0), Tree(), list[bytes]()
        reason = next(reasons, None)
        for index, hash in self._pages(LEAF, LEAF.c.index):
            while found.leaves < index:
                found.fault(f"leaf {found.leaves} is missing")
                found.leaves += 1
            found.leaves += 1
            reason = self._compare(index, hash, reason, reasons)
            tile.append(hash)
            if len(tile) == WIDE:
                self._tile(tree, root(tile), kept)
                self._sign(signed, tree)
                tile.clear()
            if found.leaves % PAGE == 0:
                progress("leaves", found.leaves, total)
        while reason is not None:
            found.fault(f"{reason.what} has no leaf {reason.leaf} in the log")
            reason = next(reasons, None)
        for size in sorted(signed):
            found.fault(f"the checkpoint of {size} leaves has more of them than the log")
        if (last := self._connection.scalar(select(func.max(TILE.c.index)))) is not None and last + 1 != len(kept):
            found.fault(f"there are roots of {len(kept)} tiles, and the last is said to be number {last}")
        if len(kept) > len(tree):
            found.fault(f"there are roots of {len(kept)} tiles, and leaves for {len(tree)}")
        self._marks.whole()
        return found, self._keyless

    def _compare(self, index: int, hash: bytes, reason: _Reason | None, more: Iterator[_Reason]) -> _Reason | None:
        """Hold one leaf against what it stands for; return what the next one does."""
        count = 0
        while reason is not None and reason.leaf <= index:
            if reason.leaf < index:
                self.found.fault(f"{reason.what} has no leaf of its own: {reason.leaf} is another's")
            else:
                count += 1
                if reason.hash is not None and reason.hash != hash:
                    self.found.fault(f"leaf {index} is not that of {reason.what}")
            reason = next(more, None)
        if count != 1:
            self.found.fault(f"leaf {index} stands for {'nothing' if count == 0 else 'more than one thing'} on record")
        return reason

    def _tile(self, tree: Tree, top: bytes, kept: list[bytes]) -> None:
        place = len(tree)
        tree.extend([top])
        if place < len(kept) and kept[place] != top:
            self.found.fault(f"the root that is kept of tile {place} is not that of its leaves")

    def _sign(self, signed: dict[int, bytes], tree: Tree) -> None:
        top = signed.pop(len(tree) * WIDE, None)
        if top is not None and top != tree.root(len(tree)):
            self.found.fault(f"the checkpoint of {len(tree) * WIDE} leaves was signed of another log")

    def _signed(self, key: str) -> dict[int, bytes]:
        """Return the root that each checkpoint states, by its size."""
        roots: dict[int, bytes] = {}
        for size, note in self._connection.execute(select(CHECKPOINT.c.size, CHECKPOINT.c.note)):
            self.found.checkpoints += 1
            try:
                point = checkpoint_of(note, key)
            except NotSigned as reason:
                self.found.fault(f"the checkpoint of {size} leaves: {reason}")
                continue
            if point.size != size:
                self.found.fault(f"the checkpoint of {size} leaves states {point.size}")
            roots[size] = point.root
        return roots

    def _filled(self, total: int) -> Iterator[_Reason]:
        """Yield what fills up, as far as there are leaves: a size that is too large is told of its checkpoint.

        It was random, of checkpoints that were made before it could be known again; never after one of the others.
        """
        filling, is_known = Filling(self._vault.keys.master), False
        rows = select(CHECKPOINT.c.before, CHECKPOINT.c.size, CHECKPOINT.c.at).order_by(CHECKPOINT.c.size)
        for before, size, at in self._connection.execute(rows).all():
            here = range(before, min(size, total))
            self.found.filled += len(here)
            if not 0 < size - before <= WIDE:
                self.found.fault(f"the checkpoint of {size} leaves is said to fill up {size - before}")
                yield from (_Reason(index, "what fills up", None) for index in here)
                continue
            hashes = filling.leaves(before, size, at)
            kept = select(LEAF.c.hash).where(LEAF.c.index >= before, LEAF.c.index < size)
            is_known = is_known or not {*map(bytes, self._connection.scalars(kept))}.isdisjoint(hashes)
            what = f"what fills up to {size}"
            yield from (_Reason(index, what, hashes[index - before] if is_known else None) for index in here)

    def _revisions(self) -> Iterator[_Reason]:
        rows = self._read(marks.revisions(), REVISION.c.leaf, lambda row: int(row.leaf))
        while page := list(islice(rows, PAGE)):
            keys = self._vault.keys.get({one.record for one in page})
            newest: list[Opened] = []
            for one in page:
                self.found.revisions += 1
                what = f"revision {one.revision} of {one.record}"
                self._marks.revision(one, what)
                # What is left of an erased record is sealed otherwise, and says why.
                key = self._vault.tombstones if one.change == "erased" else keys.get(one.record)
                plain = self._open(one, key, what) if one.salt else None
                if plain is not None and one.leaf == one.head and one.change != "erased":
                    newest.append((one, orjson.loads(plain)))
                yield _Reason(one.leaf, what, leaf_hash(one.commitment))
            self._marks.contents(newest)

    def _open(self, one: Any, key: bytes | None, what: str) -> bytes | None:
        """Hold what is sealed against the commitment to it; return it if it is that."""
        if key is None:
            self._keyless.append((one.leaf, what))
            return None
        try:
            plain = crypto.unseal(key, one.sealed, place_of(one.record, one.revision))
        except crypto.SealError:
            self.found.fault(f"{what} does not open: what is sealed was changed")
            return None
        if commit(one.salt, plain) != one.commitment:
            self.found.fault(f"{what} is not what was committed to")
            return None
        return plain

    def _forms(self, view: int) -> Iterator[_Reason]:
        """Yield what a view was shown; of one view leaves rise as its changes do."""
        for one in self._read(marks.forms(view), DISCLOSED.c.seq, lambda row: int(row.seq)):
            self.found.forms += 1
            what = f"form {one.revision} of {one.id} in view {view} ({one.change})"
            self._marks.form(one, what)
            leaf = leaves.disclosed(view, one.id, one.revision, one.at, one.change, one.digest, one.target or "")
            yield _Reason(one.leaf, what, leaf_hash(leaves.commitment(leaf, one.salt)) if one.salt else None)

    def _pages(self, table: Table, key: Any) -> Iterator[tuple[int, bytes]]:
        rows = self._read(select(table), key, lambda row: int(getattr(row, key.name)))
        return ((int(index), bytes(hash)) for index, hash in rows)

    def _read(self, every: "Select[Any]", key: Any, place: Callable[[Any], int]) -> Iterator[Any]:
        """Yield rows in the order of a key, a page at a time."""
        after = -1
        while page := self._connection.execute(every.where(key > after).order_by(key).limit(PAGE)).all():
            yield from page
            after = place(page[-1])
