"""The key store: one key per record, wrapped by the master key, in a database of its own; erasing destroys a key."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, delete, exists, inspect, select

from app.core import crypto
from app.core.db import Database, Limits
from app.core.settings import SettingError, Settings

RECORD_KEY = Table(
    "record_key",
    MetaData(),
    Column("record", String, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
_LIMITS = Limits(cache=4, shred=True)
_MARK = "*"  # no record has this id
_ANOTHER = (
    "the key store is not that of the main database: it has none of the keys of its records. "
    "Put the key store back, or let EVIDENCE_KEYS_URL lead to it"
)
_THE_MAIN_ONE = (
    "EVIDENCE_KEYS_URL leads to a main database: keys belong in a database of their own, which is backed up apart. "
    "Make one, move the table record_key there if it is here, and let EVIDENCE_KEYS_URL lead to it"
)
T = TypeVar("T")


def chunks(items: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """Yield lists of at most `size`: engines bound the number of values in a statement."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


class KeyStore:
    """Keys by record. A key once destroyed is gone: whatever it sealed cannot be read again."""

    def __init__(self, database: Database, master: bytes) -> None:
        """Use a database made ready for keys, and wrap under a key derived from the master key.

        Raises:
            SettingError: the keys that are there were wrapped under another master key.
        """
        self._database = database
        self._wrapping = crypto.derive(master, "record-keys")
        self.master = master
        self._check()

    @classmethod
    def open(cls, settings: Settings, held: Sequence[str] = ()) -> "KeyStore":
        """Open the key store of the settings; a new one gets a new master key, unless the settings state one.

        Args:
            settings: where it is, and the master key.
            held: some of the records that have keys, if there are any: the store that belongs to them knows one.

        Raises:
            SettingError: the master key is missing, malformed or another one; or it is the store of other records, or
                a main database, however that is called in its address.
        """
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database(settings.keys_url, _LIMITS)
        try:
            database.write(_prepare)
            known = exists().where(RECORD_KEY.c.record.in_(held)) if held else None
            if known is not None and not database.look(lambda connection: connection.scalar(select(known))):
                raise SettingError(_ANOTHER)
            has_keys = database.look(lambda connection: connection.scalar(select(exists().select_from(RECORD_KEY))))
            return cls(database, crypto.master_key(settings.master_key, settings.home, make=not has_keys))
        except BaseException:
            with ThreadPoolExecutor(1) as thread:  # whoever opens may be on an event loop, where nothing may wait
                thread.submit(asyncio.run, database.close()).result()
            raise

    def _check(self) -> None:
        """Hold the master key against a value wrapped when the store was new."""
        database = self._database
        mark = database.look(
            lambda connection: connection.scalar(select(RECORD_KEY.c.wrapped).where(RECORD_KEY.c.record == _MARK))
        )
        if mark is None:
            self.keep([(_MARK, self.wrap(_MARK, _MARK.encode()))])
            return
        try:
            crypto.unseal(self._wrapping, mark, _MARK.encode())
        except crypto.SealError:
            raise SettingError("the master key is not the one that the keys of this store are wrapped under") from None

    def make(self, records: Sequence[str]) -> dict[str, bytes]:
        """Make and keep a key for each record; one that has a key keeps it."""
        found = self.get(records)
        fresh = {one: self.wrap(one, crypto.new_key()) for one in dict.fromkeys(records) if one not in found}
        kept = self.keep([*fresh.items()]) if fresh else {}
        return found | {one: crypto.unseal(self._wrapping, kept[one], one.encode()) for one in fresh}

    def wrap(self, record: str, key: bytes) -> bytes:
        """Return a record's key as it is kept."""
        return crypto.seal(self._wrapping, key, record.encode())

    def keep(self, wrapped: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
        """Keep wrapped keys of records; one that has a key keeps it.

        Returns:
            What is kept of these records now: another writer may have been first, and its key is the one.
        """

        def _keep(connection: Connection) -> dict[str, bytes]:
            kept = _kept(connection, [record for record, _ in wrapped])
            fresh = {record: key for record, key in wrapped if record not in kept}
            self._database.insert(connection, RECORD_KEY, fresh.items())
            return kept | fresh

        return self._database.write(_keep)

    def get(self, records: Iterable[str]) -> dict[str, bytes]:
        """Return the keys that there are."""
        wanted = list(records)
        kept = self._database.look(lambda connection: _kept(connection, wanted)) if wanted else {}
        return {record: crypto.unseal(self._wrapping, key, record.encode()) for record, key in kept.items()}

    def destroy(self, records: Iterable[str]) -> None:
        """Destroy keys."""
        gone = list(records)

        def _delete(connection: Connection) -> None:
            for chunk in chunks(gone):
                connection.execute(delete(RECORD_KEY).where(RECORD_KEY.c.record.in_(chunk)))

        self._database.write(_delete)

    def sweep(self) -> list[str]:
        """Write the keys that there are anew, so that no file keeps one that was destroyed.

        Returns:
            What may still keep one, each in words for the operator.
        """
        return self._database.sweep()

    async def close(self) -> None:
        """Give back every connection."""
        await self._database.close()


def _prepare(connection: Connection) -> None:
    if inspect(connection).has_table("alembic_version"):
        raise SettingError(_THE_MAIN_ONE)
    RECORD_KEY.metadata.create_all(connection)


def _kept(connection: Connection, records: Sequence[str]) -> dict[str, bytes]:
    kept: dict[str, bytes] = {}
    for chunk in chunks(records):
        for record, wrapped in connection.execute(select(RECORD_KEY).where(RECORD_KEY.c.record.in_(chunk))).all():
            kept[record] = bytes(wrapped)
    return kept
