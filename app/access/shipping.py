"""Shipping: lines of spools into the database within seconds, those of processes that died too, and to their owners."""

import asyncio
import contextlib
import fcntl
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson
from sqlalchemy import Connection, func, select, text

from app.access import chain
from app.access.acts import next_entry
from app.access.audit import ENDING, Spool, unpacked
from app.access.tables import AUDIT_ENTRY, AUDIT_SEAL, VIEW
from app.core.db import Database
from app.vault.keys import chunks
from app.vault.tables import RECORD

SECONDS = 2.0  # between two rounds: with its transaction a line is in the database within 5
BATCH = 500  # lines of one transaction
BROKEN = ".broken"
DAY = 86_400_000  # milliseconds

Line = dict[str, Any]
Failed = Callable[[str], None]


class Place(NamedTuple):
    """How far a file was shipped: the byte, the number of the next line, and the hash before it."""

    offset: int
    seq: int
    hash: bytes


class Kept(NamedTuple):
    """One line of a spool, whose hash holds."""

    seq: int
    text: bytes
    hash: bytes
    line: Line


class Broken(Exception):
    """A line does not follow from the one before it."""


class Shipper:
    """Ships for one process: its own file as it grows, and whole files that nobody holds any more."""

    def __init__(self, database: Database, spool: Spool, failed: Failed) -> None:
        """Ship from the folder of a spool; `failed` is told in one word what went wrong."""
        self._database = database
        self._spool = spool
        self._failed = failed
        self._places: dict[str, Place] = {}

    async def run(self) -> None:
        """Ship until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(SECONDS)

    async def once(self) -> None:
        """Ship what there is. Whatever fails, the lines are safe where they are, and the next round comes."""
        try:
            await asyncio.to_thread(self.ship)
        except Exception as error:
            self._failed(type(error).__name__)

    def ship(self) -> int:
        """Ship what there is; return how many lines."""
        if not self._spool.folder.is_dir():
            return 0
        return sum([self._file(path) for path in sorted(self._spool.folder.glob(f"*{ENDING}"))])

    def _file(self, path: Path) -> int:
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            if path.stem == self._spool.name:
                return self._lines(path, file)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0  # its process lives, and ships it itself
            n = self._lines(path, file)
            if path.exists():  # not set aside as broken
                path.unlink()
            self._places.pop(path.stem, None)
            return n
        return 0

    def _lines(self, path: Path, file: BinaryIO) -> int:
        name, n = path.stem, 0
        place = self._places.get(name) or Place(0, 0, chain.START)
        file.seek(place.offset)
        lines, is_broken, is_done = read(file, place), False, False
        while not is_done:
            batch: list[tuple[Kept, int]] = []
            try:
                batch.extend(islice(lines, BATCH))
            except Broken:
                is_broken = True
            is_done = is_broken or len(batch) < BATCH
            if batch:
                self._database.write(partial(take_in, self._database, spool=name, batch=batch))
                last, offset = batch[-1]
                self._places[name] = Place(offset, last.seq + 1, last.hash)
                n += len(batch)
        if is_broken:
            self._failed("broken spool")
            if name != self._spool.name:
                path.rename(path.with_suffix(BROKEN))
        return n


def read(file: BinaryIO, place: Place) -> Iterator[tuple[Kept, int]]:
    """Yield the whole lines of a file from a place on, each with the byte after it; a last one cut short is none.

    Raises:
        Broken: a line was changed, or one is missing.
    """
    offset, seq, hash = place
    for raw in file:
        if not raw.endswith(b"\n"):
            return
        text, _, stated = raw[:-1].rpartition(b"\t")
        hash = chain.link(hash, text)
        if hash.hex().encode() != stated or (line := numbered(text, seq)) is None:
            raise Broken
        offset += len(raw)
        yield Kept(seq, text, hash, line), offset
        seq += 1


def numbered(text: bytes, seq: int) -> Line | None:
    """Return a line, if it is one and states this number."""
    try:
        line = orjson.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and line.get("seq") == seq else None


def take_in(database: Database, connection: Connection, spool: str, batch: Sequence[tuple[Kept, int]]) -> None:
    """Put lines of a spool into the database, those that are not there; the caller holds the write lock."""
    c = AUDIT_ENTRY.c
    last = connection.scalar(select(func.max(c.seq)).where(c.spool == spool))
    fresh = [kept for kept, _ in batch if last is None or kept.seq > last]
    lines = [kept.line for kept in fresh]
    entry = next_entry(connection)
    rows = [
        (entry + i, spool, kept.seq, line["organisation"], kept.text, kept.hash)
        for i, (kept, line) in enumerate(zip(fresh, lines, strict=True))
    ]
    database.insert(connection, AUDIT_ENTRY, rows)
    database.many(connection, _READ, _reads(connection, lines))


_READ = text(
    "INSERT INTO audit_read "
    "(owner, day, record, credential, view, organisation, first_at, last_at, times, shown_from) VALUES "
    "(:owner, :day, :record, :credential, :view, :organisation, :first_at, :last_at, :times, :shown_from) "
    "ON CONFLICT (owner, day, record, credential, view) DO UPDATE SET times = audit_read.times + excluded.times, "
    "first_at = CASE WHEN excluded.first_at < audit_read.first_at THEN excluded.first_at ELSE audit_read.first_at END, "
    "last_at = CASE WHEN excluded.last_at > audit_read.last_at THEN excluded.last_at ELSE audit_read.last_at END"
)


class Reader(NamedTuple):
    """Who reads, in which view, when: to the second, and of a mechanism the month alone."""

    organisation: str
    credential: str
    view: int
    at: int
    day: int
    shown_from: int


def _reads(connection: Connection, lines: Sequence[Line]) -> list[tuple[Any, ...]]:
    """Return what owners are told of lines: which of their records, by whom, on which day, how often."""
    mechanisms, read = _mechanisms(connection), defaultdict[Reader, Counter[int]](Counter)
    for line in lines:
        if line["ids"]:
            read[_reader(connection, line, mechanisms)].update(unpacked(line["ids"]))
    held = _held(connection, {k for keys in read.values() for k in keys})
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for reader, keys in sorted(read.items(), key=lambda one: one[0].at):
        for k, times in keys.items():
            if k in held:
                record, owner = held[k]
                key = (owner, reader.day, record, reader.credential, reader.view)
                first, before = (rows[key][6], rows[key][8]) if key in rows else (reader.at, 0)
                rows[key] = (*key, reader.organisation, first, reader.at, before + times, reader.shown_from)
    return [rows[key] for key in sorted(rows)]


def _reader(connection: Connection, line: Line, mechanisms: set[int]) -> Reader:
    organisation, at = line["organisation"] or "", line["at"]
    place = organisation, line["credential"] or "", line["view"]
    if line["view"] in mechanisms:
        month = month_of(at)
        return Reader(*place, month, month, _sealed_until(connection, organisation, at))
    return Reader(*place, at - at % 1000, at - at % DAY, at - at % 1000)


def _held(connection: Connection, keys: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the id and the owner of each record."""
    c, held = RECORD.c, {}
    for chunk in chunks(sorted(keys)):
        for k, id, owner in connection.execute(select(c.k, c.id, c.owner).where(c.k.in_(chunk))):
            held[k] = id, owner
    return held


def _mechanisms(connection: Connection) -> set[int]:
    rows = connection.execute(select(VIEW.c.id, VIEW.c.audience))
    return {view for view, audience in rows if is_mechanism(audience)}


def is_mechanism(audience: str) -> bool:
    """Tell whether an audience is an accountability mechanism, or a named body below one."""
    return audience.partition(":")[0] == "mechanism"


def _sealed_until(connection: Connection, organisation: str, at: int) -> int:
    """Return from when on an owner is told of a read: at once, or from the end of the seal that covers it."""
    c = AUDIT_SEAL.c
    where = c.organisation == organisation, c.since <= at, c.until > at
    until = connection.scalar(select(func.max(c.until)).where(*where))
    return month_of(at) if until is None else int(until)


def month_of(at: int) -> int:
    """Return the moment at which the month of a moment began (UTC)."""
    day = datetime.fromtimestamp(at / 1000, UTC)
    return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp() * 1000)
