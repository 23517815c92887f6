"""The schema of the main database: brought up to date, or down again, on either engine.

Alembic is imported where there is something to be done: 10 MB in every process that only asks whether there is.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from app.core.db import Database, DatabaseError, Snapshot

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
_VERSION = select(table("alembic_version", column("version_num")).c.version_num)


@cache
def head() -> str:
    """Return the newest revision of the schema that this program knows: files are named after theirs."""
    return max(path.name for path in FOLDER.glob("versions/[0-9]*_*.py")).partition("_")[0]


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema up, in one transaction; where nothing is to be done, without waiting for other writers.

    Raises:
        DatabaseError: a newer program has brought it further than this one knows.
    """
    there = database.look(revision_of)
    if there == (head() if to == "head" else to):
        return
    if there is not None and not any(FOLDER.glob(f"versions/{there}_*.py")):
        raise DatabaseError(
            f"the schema of the database is at revision {there}, and this program knows none after {head()}: "
            "use the newer program, or restore the backup that was made before the upgrade"
        )
    _migrate(database, "upgrade", to)


def downgrade(database: Database, to: str) -> None:
    """Bring the schema down, in one transaction; `base` takes everything away."""
    _migrate(database, "downgrade", to)


def _migrate(database: Database, way: str, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    def _run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))  # % is of its grammar
        config.attributes["connection"] = connection
        getattr(command, way)(config, to)

    database.write(_run)


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database has; None: it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(_VERSION)
    return revision


async def is_current(database: Database) -> bool:
    """Tell whether the database answers and has the newest schema; by a reader, so it cannot change anything."""
    statement = database.prepare(_VERSION)

    async def _read(snapshot: Snapshot) -> bool:
        row = await snapshot.one(statement, {})
        return row is not None and row[0] == head()

    return await database.read(_read)
