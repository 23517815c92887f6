"""Folders that go away: with the process that made them or, if that was killed, when the next one is made."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TextIO

PREFIX = "scratch-"
_LOCK = "lock"


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """Give an empty folder below `home`, locked while it is in use."""
    sweep(home)
    folder, lock = _make(home)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _make(home: Path) -> tuple[Path, TextIO]:
    """Make a folder and lock it; again, if another process swept it before it was locked."""
    while True:
        folder = Path(mkdtemp(prefix=PREFIX, dir=home))
        lock = (folder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / _LOCK).exists():
            return folder, lock
        lock.close()


def sweep(home: Path) -> None:
    """Remove the folders of processes that were killed."""
    for folder in home.glob(PREFIX + "*"):
        try:
            with (folder / _LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # in use, or being made
