"""A vault of a test: empty at first, on either engine, with a clock that stands still."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, delete, update

from app.catalogue.tables import POSTING, ROW, SEARCHED, SPOT, TERM, TERM_COUNT, VIEW, WORD
from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from app.custody.tables import LEAF
from app.intake.submit import Intake
from app.intake.write import Writer
from app.vault.tables import DISCLOSED, ERASING, LED, MERGER, RECORD, REFERENCE, RESTORING, REVISION
from tests.conftest import Clock


@dataclass
class OpenVault:
    """What a test writes with."""

    settings: Settings
    database: Database
    clock: Clock
    writer: Writer
    intake: Intake


@contextmanager
def open_vault(settings: Settings) -> Iterator[OpenVault]:
    """Make the database of the settings ready, and open it to write."""
    database, clock = Database.main(settings), Clock()
    migrations.upgrade(database)
    writer = Writer.open(settings, database, clock)
    yield OpenVault(settings, database, clock, writer, Intake(writer))
    asyncio.run(writer.vault.keys.close())
    asyncio.run(database.close())


def empty(vault: OpenVault) -> None:
    """Take everything out of a vault: quicker than to make a new one."""

    def _empty(connection: Connection) -> None:
        vault = (REFERENCE, REVISION, RECORD, DISCLOSED, LED, LEAF, MERGER, RESTORING, ERASING)
        for table in (*vault, POSTING, SPOT, ROW, TERM_COUNT, TERM, SEARCHED, WORD):
            connection.execute(delete(table))
        connection.execute(update(VIEW).values(generation=0, next_expiry=None))

    vault.database.write(_empty)
