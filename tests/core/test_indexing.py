"""Indexes made after the rows: by another library in a process of its own, or here where that one is no better."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, inspect

from app.core import indexing
from app.core.db import Database

POINT = Table("point", MetaData(), Column("x", Integer), Column("y", Integer))
INDEXES = {"point_x", "point_xy"}
Index("point_x", POINT.c.x)
Index("point_xy", POINT.c.x, POINT.c.y, unique=True)


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    """A database with a table of many rows and no index."""
    database = Database(url)

    def _fill(connection):
        POINT.metadata.create_all(connection)
        for index in POINT.indexes:
            index.drop(connection)
        database.insert(connection, POINT, ((n % 97, n) for n in range(20_000)))

    database.write(_fill)
    yield database
    asyncio.run(database.close())


def made(db: Database) -> set[str]:
    return db.look(lambda connection: {str(one["name"]) for one in inspect(connection).get_indexes("point")})


def test_indexes_are_made_and_made_again(db):
    db.index([POINT])
    assert made(db) == INDEXES
    db.write(lambda connection: next(iter(POINT.indexes)).drop(connection))
    assert len(made(db)) == 1
    db.index([POINT])
    assert made(db) == INDEXES


def test_where_the_other_library_is_no_better_they_are_made_here(db, monkeypatch):
    monkeypatch.setattr(indexing, "make", lambda path, statements: False)
    db.index([POINT])
    assert made(db) == INDEXES


@pytest.mark.parametrize(("option", "status"), [("TEMP_STORE=3", 0), ("THREADSAFE=1", 1)])
def test_a_library_that_sorts_in_memory_makes_none(tmp_path, option, status):
    path = tmp_path / "it's.db"
    begin = (
        f"from pathlib import Path; from app.core import indexing; indexing._ONLY_IN_MEMORY = {option!r}; "
        f"indexing.make_here(Path({str(path)!r}), ['CREATE TABLE point (x)'])"
    )
    assert subprocess.run([sys.executable, "-c", begin], check=False).returncode == status


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_sorted_lies_beside_the_database(db, tmp_path):
    long = Table("long", MetaData(), Column("x", String))
    Index("long_x", long.c.x)
    db.write(lambda connection: long.metadata.create_all(connection))
    db.write(lambda connection: next(iter(long.indexes)).drop(connection))
    db.write(lambda connection: db.insert(connection, long, ((f"{n * 7919 % 100_003:0400}",) for n in range(100_000))))
    making = threading.Thread(target=db.index, args=([long],))
    making.start()
    seen = set[Path]()
    while making.is_alive():
        for child in psutil.Process().children():
            for file in Path(f"/proc/{child.pid}/fd").glob("*"):
                with suppress(OSError):
                    seen.add(file.readlink())
    sorting = [path for path in seen if path.name.startswith("etilqs_")]
    assert sorting and {path.parent for path in sorting} == {db.engine.path.parent}


def test_what_the_other_process_cannot_make_is_told(tmp_path):
    assert not indexing.make(tmp_path / "some.db", ["CREATE INDEX one ON nothing (x)"])
