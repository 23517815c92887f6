"""The account of reads in other views than that of everybody: one line in a chained spool before the first byte."""

import asyncio
import base64
import contextlib
import fcntl
import os
import secrets
import struct
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from app.access import chain
from app.access.caller import Caller
from app.core import moments
from app.core.problems import Problem

ENDING = ".spool"
MOST = 1 << 24  # bytes after which a new file is begun


def not_kept() -> Problem:
    """Return the problem of a read of which no account can be kept: it is not answered."""
    detail = "What you read has to be accounted for, and the account cannot be written now. Try again later."
    return Problem("unavailable", detail, headers={"Retry-After": "10"})


class Spool:
    """An append-only file of this process. Each line ends with its hash, which chains it to the line before."""

    def __init__(self, folder: Path, fsync: bool = False, most: int = MOST) -> None:
        """Write into a folder; the file is made when the first line comes.

        Args:
            folder: where all processes of this machine have theirs.
            fsync: wait for the disk, so that a line outlives a power failure too.
            most: bytes after which a new file is begun.
        """
        self.folder = folder
        self._fsync = fsync
        self._most = most
        self._file: int | None = None
        self._size = self._seq = 0
        self._hash = chain.START
        self.name: str | None = None  # of the file that is open

    async def keep(self, line: dict[str, Any]) -> None:
        """Write one line with one `write`, whole or not at all.

        Raises:
            Problem: unavailable, where it cannot be written.
        """
        try:
            file = self._write(line)
            if self._fsync:
                await asyncio.to_thread(os.fsync, file)
        except OSError:
            raise not_kept() from None

    def _write(self, line: dict[str, Any]) -> int:
        if self._file is None or self._size >= self._most:
            self.close()
            self._open()
        assert self._file is not None  # noqa: S101 - it was just opened
        whole, hash = sealed({"seq": self._seq, **line}, self._hash)
        try:
            written = os.write(self._file, whole)
            if written != len(whole):
                raise OSError("the line was cut short")
        except OSError:
            self.close()  # what was cut short is no line; the next one begins another file
            raise
        self._seq, self._hash, self._size = self._seq + 1, hash, self._size + written
        return self._file

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            name = f"{moments.now():013d}-{secrets.token_hex(6)}"
            path = self.folder / (name + ENDING)
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                # Held for as long as this process lives: so another one knows whose files it may ship.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            if os.fstat(file).st_nlink:
                break
            os.close(file)
        self._file, self.name, self._size, self._seq, self._hash = file, name, 0, 0, chain.START

    def close(self) -> None:
        """Close the file, on the disk; whoever ships takes it over."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._file)
            os.close(self._file)
            self._file = self.name = None


def sealed(line: dict[str, Any], previous: bytes) -> tuple[bytes, bytes]:
    """Return a line as it stands in a file, and its hash."""
    text = orjson.dumps(line)
    hash = chain.link(previous, text)
    return text + b"\t" + hash.hex().encode() + b"\n", hash


def packed(keys: Sequence[int]) -> str:
    """Return the tie-breaks of records in eight bytes each, as text."""
    return base64.b64encode(struct.pack(f">{len(keys)}q", *keys)).decode()


def unpacked(text: str) -> list[int]:
    """Return the tie-breaks that `packed` put together."""
    raw = base64.b64decode(text)
    return list(struct.unpack(f">{len(raw) // 8}q", raw))


class Trails:
    """What takes down each read, for all routes."""

    def __init__(self, spool: Spool, clock: Callable[[], int] = moments.now) -> None:
        """Write to a spool."""
        self._spool = spool
        self._clock = clock

    def begin(self, scope: MutableMapping[str, Any], caller: Caller, one: str) -> "Reading":
        """Begin the account of one request; nothing is written before it is answered."""
        line = {
            "at": self._clock(),
            "organisation": caller.organisation,
            "credential": caller.credential,
            "view": caller.view,
            "method": scope["method"],
            "route": scope["template"],
        }
        if one:
            line["one"] = one[:200]
        return Reading(self._spool, line)


class Reading:
    """The account of one request: a line before its first byte, and one before each further part of a stream."""

    def __init__(self, spool: Spool, line: dict[str, Any]) -> None:
        """Begin with what is known of the request."""
        self._spool = spool
        self._line = line
        self._keys: Sequence[int] = ()
        self._begun = False

    async def shown(self, keys: Sequence[int]) -> None:
        """Take down records whose bytes are about to be sent."""
        if not self._begun:
            self._keys = [*self._keys, *keys] if self._keys else keys
        elif keys:
            await self._spool.keep({**self._line, "status": 200, "more": True, "ids": packed(keys)})

    async def answered(self, status: int) -> None:
        """Take down the answer."""
        self._begun = True
        await self._spool.keep({**self._line, "status": status, "ids": packed(self._keys)})
