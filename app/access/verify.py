"""Verifying the account: every line, in the database and in spools, follows from the one before it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from app.access import chain
from app.access.audit import ENDING
from app.access.shipping import BROKEN, Broken, Place, numbered, read
from app.access.tables import AUDIT_ENTRY
from app.core.db import Database

MOST = 10_000  # entries read at a time


class Verified(NamedTuple):
    """What was found: how many entries and chains, the head over all of them, and what is wrong."""

    entries: int
    chains: int
    waiting: int  # lines that are still in a spool alone
    head: str
    faults: list[str]


def verify(database: Database, folder: Path, expected: tuple[int, str] | None = None) -> Verified:
    """Verify the account.

    Args:
        database: where lines are shipped to.
        folder: where the spools are.
        expected: a number of entries and their head, as an earlier verification stated them.
    """
    return database.look(lambda connection: _Verification(connection, expected).of(folder))


class _Verification:
    def __init__(self, connection: Connection, expected: tuple[int, str] | None) -> None:
        self._connection = connection
        self._expected = expected
        self._ends: dict[str, tuple[int, bytes]] = {}  # chain -> the number of its next line, and the hash before it
        self._faults: list[str] = []

    def of(self, folder: Path) -> Verified:
        head, n = hashlib.sha256(), 0
        met = self._expected is None or self._expected == (0, head.hexdigest())
        for entry, spool, seq, text, hash in self._entries():
            if entry != n:
                self._faults.append(f"entry {n} is missing")
                n = entry
            self._follow(f"entry {entry}", spool, seq, text, hash)
            head.update(hash)
            n += 1
            met = met or (n, head.hexdigest()) == self._expected
        if not met:
            self._faults.append("the entries are not those that were expected")
        return Verified(n, len(self._ends), self._spools(folder), head.hexdigest(), self._faults)

    def _entries(self) -> Iterator[tuple[Any, ...]]:
        c, last = AUDIT_ENTRY.c, -1
        statement = select(c.entry, c.spool, c.seq, c.line, c.hash).order_by(c.entry).limit(MOST)
        while rows := self._connection.execute(statement.where(c.entry > last)).all():
            yield from ((entry, spool, seq, bytes(text), bytes(hash)) for entry, spool, seq, text, hash in rows)
            last = rows[-1][0]

    def _follow(self, where: str, spool: str, seq: int, text: bytes, hash: bytes) -> None:
        expected, previous = self._ends.get(spool, (0, chain.START))
        if seq != expected or numbered(text, seq) is None:
            self._faults.append(f"{where}: line {expected} of the chain {spool} is missing")
        elif chain.link(previous, text) != hash:
            self._faults.append(f"{where}: line {seq} of the chain {spool} was changed")
        self._ends[spool] = seq + 1, hash

    def _spools(self, folder: Path) -> int:
        """Verify the spools that are there; return how many of their lines are not in the database yet."""
        waiting = 0
        for path in sorted([*folder.glob(f"*{ENDING}"), *folder.glob(f"*{BROKEN}")]):
            shipped, end = self._ends.get(path.stem, (0, chain.START))
            try:
                with path.open("rb") as file:
                    for kept, _ in read(file, Place(0, 0, chain.START)):
                        waiting += kept.seq >= shipped
                        if kept.seq == shipped - 1 and kept.hash != end:
                            self._faults.append(f"{path.name}: line {kept.seq} is not the one in the database")
            except Broken:
                self._faults.append(f"{path.name}: a line was changed, or is missing")
            except FileNotFoundError:
                continue  # shipped meanwhile
        return waiting
