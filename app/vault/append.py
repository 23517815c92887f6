"""Appending to the vault, and reading back what is there; nothing in it is ever changed but a record's state."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, update

from app.core import crypto
from app.core.db import Database
from app.vault.chains import pack, unpack
from app.vault.keys import KeyStore, chunks
from app.vault.tables import RECORD, REFERENCE, REVISION

SALT_BYTES = 32
_NEWEST = RECORD.join(REVISION, REVISION.c.leaf == RECORD.c.leaf)
_RESTING = (
    (REVISION.c.leaf == REFERENCE.c.leaf) & (RECORD.c.id == REVISION.c.record) & (RECORD.c.leaf == REVISION.c.leaf)
)


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
    content: Mapping[str, Any]


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


class Vault:
    """The only truth: what was submitted, revision by revision, sealed."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        """Use the main database, and the keys of its records."""
        self.database = database
        self.keys = keys

    def heads(self, connection: Connection, ids: Iterable[str]) -> dict[str, Head]:
        """Return what is known of records without opening them."""
        columns = (RECORD.c.id, RECORD.c.kind, RECORD.c.owner, RECORD.c.revision, RECORD.c.state, RECORD.c.leaf)
        found: dict[str, Head] = {}
        for chunk in chunks(ids):
            statement = (
                select(*columns, REVISION.c.salt, REVISION.c.commitment)
                .select_from(_NEWEST)
                .where(RECORD.c.id.in_(chunk))
            )
            for id, *rest in connection.execute(statement).all():
                found[id] = Head(*rest)
        return found

    def read(self, connection: Connection, ids: Iterable[str]) -> dict[str, Stored]:
        """Return records with their newest content, opened, in the order asked for.

        Raises:
            SealError: a key does not open its record, or is gone.
        """
        wanted = list(ids)
        keys = self.keys.get(wanted)
        columns = (RECORD.c.id, RECORD.c.kind, RECORD.c.k, RECORD.c.owner, RECORD.c.revision)
        more = (RECORD.c.state, RECORD.c.leaf, REVISION.c.sealed)
        found: dict[str, Stored] = {}
        for chunk in chunks(wanted):
            statement = select(*columns, *more).select_from(_NEWEST).where(RECORD.c.id.in_(chunk))
            for id, kind, k, owner, revision, state, leaf, sealed in connection.execute(statement).all():
                key = keys.get(id, b"")  # a key that was destroyed opens nothing
                plain = crypto.unseal(key, sealed, place_of(id, revision))
                found[id] = Stored(id, kind, k, owner, revision, state, leaf, orjson.loads(plain))
        return {id: found[id] for id in wanted if id in found}

    def dependents(self, connection: Connection, targets: Iterable[str], kind: str | None = None) -> set[str]:
        """Return the ids of the records (of one kind, if it is given) that rest on any of these."""
        of_kind = [] if kind is None else [RECORD.c.kind == kind]
        found: set[str] = set()
        for chunk in chunks(targets):
            resting = select(RECORD.c.id).where(REFERENCE.c.target.in_(chunk), _RESTING, *of_kind)
            found.update(connection.scalars(resting))
        return found

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
        if views:
            change = update(RECORD).where(RECORD.c.id == bindparam("record"))
            connection.execute(change, [{"record": record, "views": mask} for record, mask in views.items()])

    def shown(self, connection: Connection, ids: Iterable[str]) -> dict[str, dict[int, int]]:
        """Return the newest change of each record that each view was shown (`seq` of `disclosed`)."""
        found: dict[str, dict[int, int]] = {}
        for chunk in chunks(ids):
            rows = connection.execute(select(RECORD.c.id, RECORD.c.shown).where(RECORD.c.id.in_(chunk)))
            found.update((id, unpack(value)) for id, value in rows)
        return found

    def set_shown(self, connection: Connection, newest: Mapping[str, Mapping[int, int]]) -> None:
        """Say what the newest change of records is that each view was shown."""
        if newest:
            change = update(RECORD).where(RECORD.c.id == bindparam("record"))
            connection.execute(change, [{"record": record, "shown": pack(seqs)} for record, seqs in newest.items()])


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
