"""Files that are sealed piece by piece as they come, so that nothing on the disk can be read without their key.

A file is frames, one after another: four bytes that say how long the rest is, then up to 256 KiB, sealed under the
key for the very place at which they stand. It grows at its end alone. What a killed process left of a frame is cut off.
"""

import io
import os
from bisect import bisect_right
from pathlib import Path
from typing import Any, NamedTuple

from app.core import crypto

FRAME = 262_144  # bytes
_HEAD = 4  # bytes
_MORE = 29  # bytes that sealing adds: app/core/crypto.py


class Frame(NamedTuple):
    """Where a frame is: its first byte in the file as it was handed in, where it lies sealed, how long it is there."""

    start: int
    at: int
    size: int

    @property
    def end(self) -> int:
        """The byte behind its last one."""
        return self.start + self.size - _MORE


def _place(name: str, start: int) -> bytes:
    return f"{name}\0{start}".encode()


def _frames(file: int) -> list[Frame]:
    """Return the frames of a file that are whole by their length."""
    found: list[Frame] = []
    end, at, start = os.fstat(file).st_size, 0, 0
    while at + _HEAD <= end:
        size = int.from_bytes(os.pread(file, _HEAD, at), "big")
        at += _HEAD
        if not _MORE < size <= FRAME + _MORE or at + size > end:
            break
        found.append(Frame(start, at, size))
        start, at = found[-1].end, at + size
    return found


def size_of(path: Path) -> int:
    """Return how many bytes were put into a file; 0 where there is none."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        frames = _frames(file)
        return frames[-1].end if frames else 0
    finally:
        os.close(file)


class Sealing(io.RawIOBase):
    """A sealed file that is written, at its end."""

    def __init__(self, path: Path, key: bytes, name: str, anew: bool = False) -> None:
        """Open or make a file; `name` is what its frames are sealed for. A frame that was cut short is cut off."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if anew else 0), 0o600)
        self._key, self._name, self._held = key, name, bytearray()
        self._frames = _frames(self._file)
        if self._frames and not self._opens(self._frames[-1]):
            self._frames.pop()
        self.cut(self.size)

    @property
    def size(self) -> int:
        """How many bytes are in it; those that are held and not yet written are not."""
        return self._frames[-1].end if self._frames else 0

    def _opens(self, frame: Frame) -> bool:
        try:
            crypto.unseal(self._key, os.pread(self._file, frame.size, frame.at), _place(self._name, frame.start))
        except crypto.SealError:
            return False
        return True

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, piece: Any) -> int:
        """Put bytes behind those that are there."""
        self._held += piece
        while len(self._held) >= FRAME:
            self._put(bytes(self._held[:FRAME]))
            del self._held[:FRAME]
        return len(piece)

    def is_due(self, piece: bytes) -> bool:
        """Tell whether something goes to the disk when these bytes are put in too."""
        return len(self._held) + len(piece) >= FRAME

    def _put(self, plain: bytes) -> None:
        start = self.size
        at = self._frames[-1].at + self._frames[-1].size if self._frames else 0
        sealed = crypto.seal(self._key, plain, _place(self._name, start))
        rest = memoryview(len(sealed).to_bytes(_HEAD, "big") + sealed)
        os.lseek(self._file, at, os.SEEK_SET)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._frames.append(Frame(start, at + _HEAD, len(sealed)))

    def settle(self) -> None:
        """Write what is held, and wait until all of it is on the disk."""
        if self._held:
            self._put(bytes(self._held))
            self._held.clear()
        os.fsync(self._file)

    def cut(self, size: int) -> None:
        """Take out all that was put behind so many bytes, where a frame ended once."""
        self._held.clear()
        self._frames = [one for one in self._frames if one.end <= size]
        os.ftruncate(self._file, self._frames[-1].at + self._frames[-1].size if self._frames else 0)

    def close(self) -> None:
        """Let go of it; what is held and was not settled is lost."""
        if not self.closed:
            os.close(self._file)
        super().close()


class Sealed(io.RawIOBase):
    """A sealed file that is read, anywhere."""

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        """Open a file.

        Raises:
            FileNotFoundError: there is none.
        """
        self._file = os.open(path, os.O_RDONLY)
        self._key, self._name, self._at = key, name, 0
        self._frames = _frames(self._file)
        self._starts = [one.start for one in self._frames]
        self._open: tuple[int, bytes] = (-1, b"")
        self.size = self._frames[-1].end if self._frames else 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from anywhere."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("a file has no byte before its first one")
        self._at = base + offset
        return self._at

    def readinto(self, into: Any) -> int:
        """Read on, to the end of a frame at most.

        Raises:
            SealError: the file was changed.
        """
        if self._at >= self.size:
            return 0
        number = bisect_right(self._starts, self._at) - 1
        frame = self._frames[number]
        if self._open[0] != number:
            sealed = os.pread(self._file, frame.size, frame.at)
            self._open = number, crypto.unseal(self._key, sealed, _place(self._name, frame.start))
        within = self._at - frame.start
        piece = self._open[1][within : within + len(into)]
        into[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            os.close(self._file)
        super().close()
