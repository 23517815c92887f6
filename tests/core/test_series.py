"""Many transactions in a row: the write-ahead log is copied beside them and begins anew, and nothing is lost."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from app.core.db import PASSING, Database

TRANSACTIONS, BYTES = 40, 400_000


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/one.db")
    database.write(lambda connection: connection.execute(text("CREATE TABLE filled (i INTEGER PRIMARY KEY, x BLOB)")))
    yield database
    asyncio.run(database.close())


def _fill(database: Database, i: int) -> None:
    database.write(lambda connection: connection.execute(text(f"INSERT INTO filled VALUES ({i}, zeroblob({BYTES}))")))


def _pragma(database: Database, name: str) -> int:
    value: int = database.write(lambda connection: connection.scalar(text(f"PRAGMA {name}")))
    return value


@pytest.mark.parametrize("unread", [False, True])
def test_the_log_begins_anew_and_all_is_there(database, tmp_path, unread):
    with database.series(unread) as series:
        for i in range(TRANSACTIONS):
            _fill(database, i)
            if i % 10 == 9:
                series.rest()
    assert (tmp_path / "one.db-wal").stat().st_size < TRANSACTIONS * BYTES / 2
    with closing(sqlite3.connect(tmp_path / "one.db")) as other:
        assert other.execute("SELECT count(*), sum(length(x)) FROM filled").fetchone() == (40, TRANSACTIONS * BYTES)


def test_what_is_unread_may_be_late_on_disk_and_what_follows_may_not(database):
    usual = _pragma(database, "synchronous"), _pragma(database, "wal_autocheckpoint")
    with database.series(unread=True) as series:
        assert _pragma(database, "synchronous") == 1
        series.durable()
        assert _pragma(database, "synchronous") == 2
    with database.series() as series:
        assert _pragma(database, "synchronous") == 2
    with pytest.raises(ZeroDivisionError), database.series(unread=True):
        _ = 1 / 0
    assert (_pragma(database, "synchronous"), _pragma(database, "wal_autocheckpoint")) == usual == (2, 65_536)


def test_a_file_that_goes_away_is_not_waited_for(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/one.db", PASSING)
    with database.series(unread=True) as series:
        assert _pragma(database, "synchronous") == 0
        series.durable()
    assert _pragma(database, "synchronous") == 0
    asyncio.run(database.close())
