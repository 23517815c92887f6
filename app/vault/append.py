"""Appending to the vault, and reading back what is there; nothing in it is ever changed but a record's state."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, select, update

from app.core import crypto
from app.core.db import Database
from app.vault.chains import pack, unpack
from app.vault.keys import KeyStore, chunks
from app.vault.tables import MERGER, RECORD, REFERENCE, REVISION

SALT_BYTES = 32
_NEWEST = RECORD.join(REVISION, REVISION.c.leaf == RECORD.c.leaf)


@dataclass(frozen=True, slots=True)
class Stored:
    """One record as the vault has it: its newest revision, opened."""

    id: str
    kind: str
    k: int
    owner: str
    revision: int
    state: str
    leaf: int
    views: int  # that are shown it, one bit each
    content: Mapping[str, Any]
    keyless: bool = False  # it was not erased, as the main database has it, but its key was destroyed


@dataclass(frozen=True, slots=True)
class Head:
    """What the vault says of a record without opening it."""

    kind: str
    owner: str
    revision: int
    state: str
    leaf: int
    salt: bytes
    commitment: bytes
    at: int  # milliseconds since 1970, UTC


class Resting(NamedTuple):
    """A record that rests on another."""

    target: str
    id: str
    kind: str
    k: int
    owner: str
    views: int  # that are shown it, one bit each


@dataclass(frozen=True, slots=True)
class Addition:
    """One revision about to be appended."""

    id: str
    kind: str
    k: int
    owner: str
    revision: int
    previous: int | None  # the leaf of the revision before
    change: str
    state: str
    expires: int | None
    content: Mapping[str, Any]
    plain: bytes
    targets: tuple[str, ...]


def commit(salt: bytes, plain: bytes) -> bytes:
    """Return the commitment to a content: SHA-256 over the salt, then the RFC 8785 bytes."""
    return hashlib.sha256(salt + plain).digest()


def place_of(record: str, revision: int) -> bytes:
    """Return the name of the place where a revision is sealed: it opens nowhere else."""
    return f"{record}\0{revision}".encode()


def some_with_keys(connection: Connection) -> list[str]:
    """Return some of the records whose content is there: the key store that belongs to them has their keys."""
    return [*connection.scalars(select(RECORD.c.id).where(RECORD.c.state != "erased").limit(100))]


class Vault:
    """The only truth: what was submitted, revision by revision, sealed."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        """Use the main database, and the keys of its records."""
        self.database = database
        self.keys = keys
        self.tombstones = crypto.derive(keys.master, "tombstones")

    def survivors(self, connection: Connection, ids: Iterable[str]) -> dict[str, str]:
        """Return those of some records that were merged into others, each with the record that it leads to."""
        found: dict[str, str] = {}
        for chunk in chunks(ids):
            pairs = select(MERGER.c.record, MERGER.c.survivor).where(self.database.among(MERGER.c.record, chunk))
            found.update((record, survivor) for record, survivor in connection.execute(pairs))
        return found

    def heads(self, connection: Connection, ids: Iterable[str]) -> dict[str, Head]:
        """Return what is known of records without opening them."""
        columns = (RECORD.c.id, RECORD.c.kind, RECORD.c.owner, RECORD.c.revision, RECORD.c.state, RECORD.c.leaf)
        more = (REVISION.c.salt, REVISION.c.commitment, REVISION.c.at)
        found: dict[str, Head] = {}
        for chunk in chunks(ids):
            statement = select(*columns, *more).select_from(_NEWEST).where(self.database.among(RECORD.c.id, chunk))
            for id, *rest in connection.execute(statement).all():
                found[id] = Head(*rest)
        return found

    def read(self, connection: Connection, ids: Iterable[str], keyless: bool = False) -> dict[str, Stored]:
        """Return records with their newest content, opened, in the order asked for.

        Of an erased record that is its tombstone: its id and kind, and why it was erased.

        Args:
            connection: to the main database.
            ids: of the records.
            keyless: take one whose key is gone for erased, as it was, if an older copy of the main database was
                restored; its content is its id and kind.

        Raises:
            SealError: a key does not open its record, or is gone.
        """
        wanted = list(ids)
        keys = self.keys.get(wanted)
        columns = (RECORD.c.id, RECORD.c.kind, RECORD.c.k, RECORD.c.owner, RECORD.c.revision)
        more = (RECORD.c.state, RECORD.c.leaf, RECORD.c.views, REVISION.c.sealed)
        found: dict[str, Stored] = {}
        for chunk in chunks(wanted):
            statement = select(*columns, *more).select_from(_NEWEST).where(self.database.among(RECORD.c.id, chunk))
            for id, kind, k, owner, revision, state, leaf, views, sealed in connection.execute(statement).all():
                if keyless and state != "erased" and id not in keys:
                    left = {"id": id, "kind": kind}
                    found[id] = Stored(id, kind, k, owner, revision, "erased", leaf, views, left, keyless=True)
                    continue
                # A key that was destroyed opens nothing; what is left of an erased record never had that key.
                key = self.tombstones if state == "erased" else keys.get(id, b"")
                plain = crypto.unseal(key, sealed, place_of(id, revision))
                found[id] = Stored(id, kind, k, owner, revision, state, leaf, views, orjson.loads(plain))
        return {id: found[id] for id in wanted if id in found}

    def former(self, connection: Connection, leaves: Mapping[str, int]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the contents of records before their newest revisions, each by its id, step by step back in time.

        Args:
            connection: a look.
            leaves: the newest revision of each record; none of them erased.
        """
        keys, newer = self.keys.get(leaves), {leaf: id for id, leaf in leaves.items()}
        c = REVISION.c
        while newer:
            older: dict[int, str] = {}
            for chunk in chunks(newer):
                before = select(c.previous, c.leaf).where(self.database.among(c.leaf, chunk), c.previous.is_not(None))
                older.update((previous, newer[leaf]) for previous, leaf in connection.execute(before))
            for chunk in chunks(older):
                statement = select(c.record, c.revision, c.sealed).where(self.database.among(c.leaf, chunk))
                for id, revision, sealed in connection.execute(statement).all():
                    yield id, orjson.loads(crypto.unseal(keys[id], sealed, place_of(id, revision)))
            newer = older

    def make_keys(self, additions: Iterable[Addition]) -> dict[str, bytes]:
        """Return the keys to seal revisions under; a tombstone's is not its record's, which will be gone.

        Raises:
            SealError: the key of a record that has revisions is gone: it gets no other one.
        """
        ids = {one.id: one.state for one in additions}
        later = [one.id for one in additions if one.revision > 1 and one.state != "erased"]
        keys = self.keys.get(later)
        for id in later:
            if id not in keys:
                raise crypto.SealError(f"the key of {id} is gone")
        keys |= self.keys.make([id for id, state in ids.items() if state != "erased" and id not in keys])
        return keys | {id: self.tombstones for id, state in ids.items() if state == "erased"}

    def resting_on(self, connection: Connection, targets: Iterable[str]) -> Iterator[Resting]:
        """Yield every record that rests on one of these, or on one merged into it: a pair of both for each."""
        # Step by step, each by a key: no planner can take it for something else.
        among = self.database.among
        for chunk in chunks(targets):
            merged = select(MERGER.c.record, MERGER.c.survivor).where(among(MERGER.c.survivor, chunk))
            leads: dict[str, str] = {record: survivor for record, survivor in connection.execute(merged)}
            wanted, named = set(chunk), dict[int, list[str]]()
            for some in chunks([*wanted, *(leads.keys() - wanted)]):
                pairs = select(REFERENCE.c.leaf, REFERENCE.c.target).where(among(REFERENCE.c.target, some))
                for leaf, target in connection.execute(pairs).all():
                    whose = named.setdefault(leaf, [])
                    if target in wanted:
                        whose.append(target)
                    if leads and leads.get(target) in wanted:
                        whose.append(leads[target])
            for leaves in map(set, chunks(named)):
                owned = select(REVISION.c.record).where(among(REVISION.c.leaf, leaves))
                ids = dict.fromkeys(connection.scalars(owned).all())
                for some in chunks(ids):
                    columns = (RECORD.c.leaf, RECORD.c.id, RECORD.c.kind, RECORD.c.k, RECORD.c.owner, RECORD.c.views)
                    newest = select(*columns).where(among(RECORD.c.id, some))
                    for leaf, *rest in connection.execute(newest).all():
                        # An older revision may have named it too: that of another chunk is met there.
                        if leaf in leaves:
                            for target in named[leaf]:
                                yield Resting(target, *rest)

    def append(
        self,
        connection: Connection,
        additions: Sequence[Addition],
        keys: Mapping[str, bytes],
        salts: Sequence[bytes],
        leaf: int,
        at: int,
    ) -> None:
        """Append revisions, each sealed under its record's key; `leaf` is the log's index of the first."""
        pairs = zip(additions, salts, strict=True)
        revisions = [revision_row(one, keys[one.id], salt, leaf + i, at) for i, (one, salt) in enumerate(pairs)]
        new = [record_row(one, leaf + i) for i, one in enumerate(additions) if one.revision == 1]
        self.database.insert(connection, RECORD, new)
        later = [(leaf + i, one) for i, one in enumerate(additions) if one.revision > 1]
        if later:
            change = update(RECORD).where(RECORD.c.id == bindparam("record"))
            values = [
                {"record": one.id, "revision": one.revision, "state": one.state, "expires": one.expires, "leaf": index}
                for index, one in later
            ]
            connection.execute(change, values)
        self.database.insert(connection, REVISION, revisions)
        rests = sorted((to, leaf + i) for i, one in enumerate(additions) for to in one.targets)
        self.database.insert(connection, REFERENCE, rests)

    def set_views(self, connection: Connection, views: Mapping[str, int]) -> None:
        """Say which views (one bit each) are shown records from now on."""
        self.database.change(connection, RECORD, ("id", "views"), views.items())

    def shown(self, connection: Connection, ids: Iterable[str]) -> dict[str, dict[int, int]]:
        """Return the newest change of each record that each view was shown (`seq` of `disclosed`)."""
        found: dict[str, dict[int, int]] = {}
        for chunk in chunks(ids):
            rows = connection.execute(
                select(RECORD.c.id, RECORD.c.shown).where(self.database.among(RECORD.c.id, chunk))
            ).all()
            found.update((id, unpack(value)) for id, value in rows)
        return found

    def set_shown(
        self, connection: Connection, views: Mapping[str, int], newest: Mapping[str, Mapping[int, int]]
    ) -> None:
        """Say which views are shown records from now on, and what the newest change is that each view was shown."""
        both = [(id, views[id], pack(seqs)) for id, seqs in newest.items() if id in views]
        self.database.change(connection, RECORD, ("id", "views", "shown"), both)
        self.set_views(connection, {id: views[id] for id in views.keys() - newest.keys()})
        rows = [(id, pack(seqs)) for id, seqs in newest.items() if id not in views]
        self.database.change(connection, RECORD, ("id", "shown"), rows)


def record_row(one: Addition, leaf: int, views: int = 0, shown: bytes = b"") -> tuple[Any, ...]:
    """Return the row of a new record."""
    return one.id, one.kind, one.k, one.owner, one.revision, one.state, one.expires, leaf, views, shown


def revision_row(one: Addition, key: bytes, salt: bytes, leaf: int, at: int) -> tuple[Any, ...]:
    """Return the row of a revision, sealed under its record's key."""
    sealed = crypto.seal(key, one.plain, place_of(one.id, one.revision))
    return leaf, one.id, one.revision, one.previous, at, one.change, salt, commit(salt, one.plain), sealed


def salts(count: int) -> list[bytes]:
    """Return fresh salts."""
    block = secrets.token_bytes(SALT_BYTES * count)
    return [block[start : start + SALT_BYTES] for start in range(0, len(block), SALT_BYTES)]
