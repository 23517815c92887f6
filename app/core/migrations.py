"""The schema of the main database: brought up to date, or down again, on either engine."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, select, table

from app.core.db import Database, Snapshot

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_VERSION = select(table("alembic_version", column("version_num")).c.version_num)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def head() -> str | None:
    """Return the newest revision of the schema that this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema up, in one transaction; where nothing is to be done, without waiting for other writers."""
    if database.look(revision_of) == (head() if to == "head" else to):
        return
    database.write(lambda connection: command.upgrade(_config(connection), to))


def downgrade(database: Database, to: str) -> None:
    """Bring the schema down, in one transaction; `base` takes everything away."""
    database.write(lambda connection: command.downgrade(_config(connection), to))


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database has."""
    return MigrationContext.configure(connection).get_current_revision()


async def is_current(database: Database) -> bool:
    """Tell whether the database answers and has the newest schema; by a reader, so it cannot change anything."""
    statement = database.prepare(_VERSION)

    async def _read(snapshot: Snapshot) -> bool:
        row = await snapshot.one(statement, {})
        return row is not None and row[0] == head()

    return await database.read(_read)
