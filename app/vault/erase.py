"""Erasing a record from the vault: contents, salts and what names what are gone; commitments and leaves stay."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, delete, or_, select, tuple_, update

from app.core import crypto
from app.records import BY_NAME, references
from app.vault.append import Vault, place_of
from app.vault.chains import unpack
from app.vault.keys import chunks
from app.vault.tables import ANSWERED, DISCLOSED, ERASING, JUDGEMENT, LED, RECORD, REFERENCE, REVISION


def erase(vault: Vault, connection: Connection, record: str) -> None:
    """Take out all that the vault holds of a record but its tombstone, which is its newest revision by now.

    What stays is the commitments of its revisions, which nothing can be held against without their salts, and the
    leaves of the log, so that the log verifies. The record's key has to be destroyed afterwards: until then the record
    is noted in `erasing`.
    """
    key = vault.keys.get([record]).get(record)
    row = connection.execute(select(RECORD.c.leaf, RECORD.c.kind, RECORD.c.shown).where(RECORD.c.id == record)).one()
    tombstone, kind, shown = row
    leaf = connection.scalar(select(REVISION.c.previous).where(REVISION.c.leaf == tombstone))
    leaves: list[int] = []
    named: list[tuple[str, int]] = []
    while leaf is not None:
        columns = (REVISION.c.revision, REVISION.c.previous, REVISION.c.sealed)
        revision, previous, sealed = connection.execute(select(*columns).where(REVISION.c.leaf == leaf)).one()
        if key is not None:
            content: Mapping[str, Any] = orjson.loads(crypto.unseal(key, sealed, place_of(record, revision)))
            named += [(to, leaf) for _, to, _ in references(BY_NAME[kind], content)]
        leaves.append(leaf)
        leaf = previous
    for some in chunks(leaves):
        connection.execute(update(REVISION).where(REVISION.c.leaf.in_(some)).values(salt=b"", sealed=b""))
    for pairs in chunks(named):
        connection.execute(delete(REFERENCE).where(tuple_(REFERENCE.c.target, REFERENCE.c.leaf).in_(pairs)))
    if key is None:  # as in an old copy that was restored: nobody can tell what it named, so all is looked through
        for some in chunks(leaves):
            connection.execute(delete(REFERENCE).where(REFERENCE.c.leaf.in_(some)))
    connection.execute(delete(REFERENCE).where(REFERENCE.c.target == record))
    _forget_forms(connection, shown)
    connection.execute(delete(ANSWERED).where(ANSWERED.c.record == record))
    decided = or_(JUDGEMENT.c.one == record, JUDGEMENT.c.other == record)
    connection.execute(update(JUDGEMENT).where(decided).values(tag=""))  # made of digests, as those of forms are
    connection.execute(ERASING.insert().values(id=record))


def _forget_forms(connection: Connection, shown: bytes) -> None:
    """Take out the digests of the forms that views were shown: whoever guesses a form could hold it to them."""
    c = DISCLOSED.c
    for view, newest in unpack(shown).items():
        seq = newest
        while seq:
            change = (c.view == view) & (c.seq == seq)
            connection.execute(delete(LED).where(LED.c.view == view, LED.c.seq == seq))
            seq, digest = connection.execute(select(c.previous, c.digest).where(change)).one()
            if digest:
                connection.execute(update(DISCLOSED).where(change).values(digest=b"", salt=b""))
