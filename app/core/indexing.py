"""SQLite's indexes, made by a process of its own: that of a library that sorts on the disk.

The library that comes as a package sorts in memory (it is built with `SQLITE_TEMP_STORE=3`): 3,000,000 rows take
240 MB there. The one that Python brings mostly sorts on the disk, however many rows there are. It may be older, which
does not matter to an index; and two libraries in one process would undo each other's locks, so it has its own.
"""

import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

from app.core.following import follow_parent

_CACHE = 16_384  # KiB; as much is sorted in memory before it goes to the disk
_ONLY_IN_MEMORY = "TEMP_STORE=3"


def make(path: Path, statements: Sequence[str]) -> bool:
    """Make indexes, each in a transaction of its own; tell whether they are there: if not, nothing keeps from it."""
    process = get_context("spawn").Process(target=make_here, args=(path, statements), daemon=True)
    process.start()
    process.join()
    return process.exitcode == 0


def make_here(path: Path, statements: Sequence[str]) -> None:
    """Make them in this process, which uses no other library and ends when the one that started it has.

    Raises:
        SystemExit: the library sorts in memory alone, or could not make one.
    """
    follow_parent()
    os.putenv("SQLITE_TMPDIR", str(path.parent))  # what is sorted stays where the rest is
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        if (_ONLY_IN_MEMORY,) in connection.execute("PRAGMA compile_options").fetchall():
            sys.exit(1)
        for pragma in ("temp_store=FILE", f"cache_size=-{_CACHE}", "synchronous=NORMAL", "wal_autocheckpoint=0"):
            connection.execute(f"PRAGMA {pragma}")
        try:
            for statement in statements:
                connection.execute(statement)
        except sqlite3.Error:
            sys.exit(1)
