"""Folders that go away: with the process that made them or, if that was killed, when the next one is made."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

PREFIX = "scratch-"
_LOCK = "lock"


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """Give an empty folder below `home`, locked while it is in use."""
    _sweep(home)
    folder = Path(mkdtemp(prefix=PREFIX, dir=home))
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(home: Path) -> None:
    """Remove the folders of processes that were killed."""
    for folder in home.glob(PREFIX + "*"):
        try:
            with (folder / _LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # in use, or being made
