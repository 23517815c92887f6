"""The migrations make what the tables of the program say, on both engines, and take all of it away again."""

import asyncio
import shutil

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlmodel import SQLModel

from app.access import tables as _  # noqa: F401 - the tables of rooms that nothing here imports
from app.catalogue.tables import PARTITIONED
from app.core import migrations
from app.core.db import Database, DatabaseError
from app.exchange.hooks import tables as __  # noqa: F401

TABLES = SQLModel.metadata.tables
PARTITIONS = {f"{table.name}_{view}" for table in PARTITIONED for view in range(3)}
TEXTS = {f"searched_{view}{part}" for view in range(3) for part in ("", "_config", "_data", "_idx")}  # of FTS5


@pytest.fixture
def bare(url):
    """An empty database."""
    database = Database(url)
    yield database
    asyncio.run(database.close())


@pytest.fixture(scope="module")
def migrated(engine, new_database):
    """A migrated database; tests only look at it."""
    database = Database(new_database(engine))
    migrations.upgrade(database)
    yield database
    asyncio.run(database.close())


def tables(database: Database) -> set[str]:
    return database.look(lambda connection: set(inspect(connection).get_table_names()))


def is_current(database: Database) -> bool:
    async def work() -> bool:
        try:
            return await migrations.is_current(database)
        finally:
            await database.close()

    return asyncio.run(work())


def test_there_is_one_newest_revision():
    assert ScriptDirectory(str(migrations.FOLDER)).get_heads() == [migrations.head()]


def test_an_empty_database_is_not_current(bare):
    with pytest.raises(Exception, match="alembic_version|unable to open database file"):
        is_current(bare)
    assert tables(bare) == set()
    assert bare.look(migrations.revision_of) is None


def test_up_down_and_up_again(bare, engine):
    database = bare
    migrations.upgrade(database)
    made = tables(database)
    assert made == {*TABLES, "alembic_version"} | (PARTITIONS if engine == "postgresql" else TEXTS)
    assert database.look(migrations.revision_of) == migrations.head()
    assert is_current(database)
    migrations.upgrade(database)  # nothing to do
    assert tables(database) == made
    migrations.downgrade(database, "base")
    assert tables(database) == {"alembic_version"}
    assert database.look(migrations.revision_of) is None
    assert not is_current(database)
    migrations.upgrade(database)
    assert tables(database) == made
    assert is_current(database)


def test_what_a_newer_program_made_is_refused_in_words(bare):
    migrations.upgrade(bare)
    bare.write(lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        DatabaseError, match=f"is at revision 9999, and this program knows none after {migrations.head()}:"
    ):
        migrations.upgrade(bare)
    assert not is_current(bare)


def test_the_program_may_lie_in_any_folder(bare, monkeypatch, tmp_path):
    folder = tmp_path / "50% of 가나"
    shutil.copytree(migrations.FOLDER, folder)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    migrations.upgrade(bare)
    assert is_current(bare)


def test_a_migration_that_fails_leaves_nothing(bare, monkeypatch):
    def upgrade(config, to):
        whole(config, to)
        raise RuntimeError("failed")

    whole = command.upgrade
    monkeypatch.setattr(command, "upgrade", upgrade)
    with pytest.raises(RuntimeError, match="failed"):
        migrations.upgrade(bare)
    assert tables(bare) == set()


def test_the_schema_is_that_of_the_program(migrated):
    def not_a_partition(object_, name, type_, reflected, compare_to):
        return not (type_ == "table" and reflected and name in PARTITIONS | TEXTS) and name not in (
            "found",
            "searched_found",
        )

    def drift(connection):
        context = MigrationContext.configure(connection, opts={"include_object": not_a_partition})
        return compare_metadata(context, SQLModel.metadata)

    assert migrated.look(drift) == []


def test_keys_are_those_of_the_program(migrated):
    def keys(connection):
        inspector = inspect(connection)
        return {name: inspector.get_pk_constraint(name)["constrained_columns"] for name in TABLES}

    expected = {name: [column.name for column in table.primary_key.columns] for name, table in TABLES.items()}
    assert expected["row"] == ["view", "k"]  # by a unique index, which a bulk load can make after the rows
    assert migrated.look(keys) == {**expected, "row": [], "searched": []}


def test_columns_stand_in_the_order_of_the_program(migrated):
    """Whole rows are inserted in that order."""

    def columns(connection):
        inspector = inspect(connection)
        return {
            # What PostgreSQL generates itself is inserted by nobody.
            name: [column["name"] for column in inspector.get_columns(name) if "computed" not in column]
            for name in TABLES
        }

    assert migrated.look(columns) == {name: [column.name for column in table.columns] for name, table in TABLES.items()}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_tables_without_rowid_are_those_of_the_program(migrated):
    def without(connection):
        statements = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        return {name for name, sql in statements if "WITHOUT ROWID" in sql}

    expected = {name for name, table in TABLES.items() if not table.dialect_options["sqlite"]["with_rowid"]}
    assert len(expected) == 19
    assert migrated.look(without) - TEXTS == expected
