"""The limit of loading: the rows of a loaded database, put into an empty one by SQLite alone.

Nothing is checked, sealed, projected or analysed, nothing waits for the disk, and a crash would lose all of it.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from app.catalogue.tables import POSTING, ROW, SEARCHED, SPOT, TERM, TERM_COUNT, WORD
from benchmarks.loading import Loading
from benchmarks.server import Failed

try:
    import pysqlite3 as sqlite
except ImportError:
    import sqlite3 as sqlite

CATALOGUE = tuple(table.name for table in (ROW, POSTING, SPOT, SEARCHED, TERM, TERM_COUNT, WORD))
_FAST = ("page_size=4096", "journal_mode=OFF", "synchronous=OFF", "cache_size=-65536", "temp_store=MEMORY")
_SCHEMA = "SELECT type, name, tbl_name, sql FROM old.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"


def copy(name: str, home: Path, to: Path, incidents: int, only: Sequence[str] | None = None) -> Loading:
    """Copy all tables of a data folder, or some: rows in their order, their texts indexed, then the other indexes.

    Raises:
        Failed: not all rows have come.
    """
    to.unlink(missing_ok=True)
    database: Any = sqlite.connect(to, isolation_level=None)
    with closing(database):
        for pragma in _FAST:
            database.execute(f"PRAGMA {pragma}")
        database.execute("ATTACH ? AS old", (str(home / "evidence.db"),))
        database.execute(f"PRAGMA old.mmap_size={1 << 36}")
        begun, worked = time.monotonic(), time.process_time()
        _fill(database, only)
        taken, processor = time.monotonic() - begun, time.process_time() - worked
        for table in only or CATALOGUE:
            both = [database.execute(f"SELECT count(*) FROM {one}.{table}").fetchone() for one in ("main", "old")]
            if both[0] != both[1]:
                raise Failed(f"{name}: {table} has {both[0][0]} rows, not {both[1][0]}")
    size = to.stat().st_size
    to.unlink()
    return Loading(name, incidents, taken, 0, size, processor)


def _fill(database: Any, only: Sequence[str] | None) -> None:
    schema = [one for one in database.execute(_SCHEMA) if only is None or one[2].startswith(tuple(only))]
    texts = [name for _, name, _, sql in schema if sql.startswith("CREATE VIRTUAL")]
    of_texts = tuple(f"{name}_" for name in texts)
    made = [one for one in schema if one[0] == "table" and not one[1].startswith(of_texts)]
    for sort in (made, [one for one in schema if one[0] == "trigger"]):
        for *_, sql in sort:
            database.execute(sql)
    for _, name, _, _ in made:
        if name not in texts:
            database.execute(f'INSERT INTO main."{name}" SELECT * FROM old."{name}"')  # noqa: S608 - names of ours
    for kind, _, _, sql in schema:
        if kind == "index":
            database.execute(sql)
