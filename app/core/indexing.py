"""SQLite's indexes, made by a process of its own: that of a library that sorts on the disk.

The library that comes as a package sorts in memory (it is built with `SQLITE_TEMP_STORE=3`): with 3,000,000 rows that
was most of what a rebuild held. The one that Python brings mostly sorts on the disk, however many rows there are. It
may be older, which does not matter to an index; and two libraries in one process would undo each other's locks, so it
has its own.
"""

import signal
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
    process = get_context("spawn").Process(target=_begin, args=(path, statements), daemon=True)
    process.start()
    try:
        process.join()
    finally:  # whoever is interrupted leaves nobody at work
        process.kill()
        process.join()
    return process.exitcode == 0


def _begin(path: Path, statements: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is the other process that says what was interrupted
    follow_parent()
    make_here(path, statements)


def make_here(path: Path, statements: Sequence[str]) -> None:
    """Make them in this process, which uses no other library.

    Raises:
        SystemExit: the library sorts in memory alone, or could not make one.
    """
    try:
        with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
            _sort_beside(connection, path.parent)
            for pragma in (f"cache_size=-{_CACHE}", "synchronous=NORMAL", "wal_autocheckpoint=0"):
                connection.execute(f"PRAGMA {pragma}")
            for statement in statements:
                connection.execute(statement)
    except sqlite3.Error:
        sys.exit(1)


def _sort_beside(connection: sqlite3.Connection, folder: Path) -> None:
    """Have what is sorted go to files in a folder, where the rest is: not to where everybody's go.

    Raises:
        SystemExit: the library cannot.
    """
    place = "PRAGMA temp_store_directory"  # the variable SQLITE_TMPDIR is read when the library is loaded, too early
    quoted = str(folder).replace("'", "''")
    connection.execute("PRAGMA temp_store=FILE")
    connection.execute(f"{place} = '{quoted}'")
    options = connection.execute("PRAGMA compile_options").fetchall()
    if (_ONLY_IN_MEMORY,) in options or connection.execute(place).fetchone() != (str(folder),):
        sys.exit(1)
