"""Indexes made after the rows: by another library in a process of its own, or here where that one is no better."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, Table, inspect

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


def test_a_library_that_sorts_in_memory_makes_none(tmp_path, monkeypatch):
    path = tmp_path / "some.db"
    indexing.make_here(path, ["CREATE TABLE point (x)"])
    monkeypatch.setattr(indexing, "_ONLY_IN_MEMORY", "THREADSAFE=1")
    with pytest.raises(SystemExit):
        indexing.make_here(path, ["CREATE TABLE other (x)"])


def test_what_the_other_process_cannot_make_is_told(tmp_path):
    assert not indexing.make(tmp_path / "some.db", ["CREATE INDEX one ON nothing (x)"])
