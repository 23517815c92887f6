"""The spool of a load: records between being checked and being applied, sealed under a key that nobody keeps.

A load takes what its files said when it checked them, whatever becomes of the files; killed, it leaves nothing to read.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from app.core import crypto


class Spool:
    """A file of sealed records."""

    def __init__(self, folder: Path) -> None:
        """Make an empty spool in a folder that goes away."""
        self.key = crypto.new_key()
        self._file = os.open(folder / "spool", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._end = 0

    def add(self, sealed: Sequence[bytes]) -> list[int]:
        """Append records; return where each begins."""
        begins = []
        for one in sealed:
            begins.append(self._end)
            self._end += len(one)
        rest = memoryview(b"".join(sealed))
        while rest:
            rest = rest[os.write(self._file, rest) :]
        return begins

    def read(self, at: int, size: int) -> bytes:
        """Return a record."""
        return os.pread(self._file, size, at)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
