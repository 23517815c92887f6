"""Fixtures of the tests of the core."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import MetaData

from app.core.db import Database


@pytest.fixture(scope="session")
def used(engine: str, new_database: Callable[[str], str]) -> str:
    """The address of a database that one test after another uses: making one takes longer than most tests."""
    return new_database(engine)


@pytest.fixture
def url(used: str, engine: str) -> str:
    """The address of an empty database."""
    database = Database(used)

    def empty(connection) -> None:
        if engine == "postgresql":
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
            return
        there = MetaData()
        there.reflect(connection)
        there.drop_all(connection)

    database.write(empty)
    asyncio.run(database.close())
    return used
