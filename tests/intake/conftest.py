"""Fixtures of the tests of intake."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from app.catalogue.tables import POSTING, ROW, SEARCHED, SPOT, TERM, TERM_COUNT, VIEW, WORD
from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from app.custody.tables import CHECKPOINT, LEAF, TILE
from app.vault.tables import ANSWERED, DISCLOSED, ERASING, LED, MERGER, RECORD, REFERENCE, RESTORING, REVISION
from tests.conftest import settings_for
from tests.intake.deployment import Deployment


@pytest.fixture(scope="session")
def used(engine: str, new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a migrated database that one test after another uses: making one takes longer than most tests."""
    url = new_database(engine)
    database = Database.main(settings_for(url, tmp_path_factory.mktemp("used")))
    migrations.upgrade(database)
    asyncio.run(database.close())
    return url


@pytest.fixture
def settings(used: str, tmp_path: Path) -> Settings:
    """Settings of that database, with a folder and keys of their own."""
    return settings_for(used, tmp_path)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """That database, as empty as on its first day."""
    database = Database.main(settings)

    def empty(connection) -> None:
        catalogue = (ROW, POSTING, SPOT, TERM, TERM_COUNT, SEARCHED, WORD)
        vault = (DISCLOSED, LED, LEAF, REFERENCE, REVISION, RECORD, MERGER, RESTORING, ERASING, ANSWERED)
        for table in (*catalogue, *vault, TILE, CHECKPOINT):
            connection.execute(delete(table))
        connection.execute(update(VIEW).values(state="live", generation=0, next_expiry=None))
        connection.execute(delete(VIEW).where(VIEW.c.id > 2))  # what a test made

    database.write(empty)
    yield database
    asyncio.run(database.close())


@pytest.fixture
def deploy(engine: str, new_database: Callable[[str], str], tmp_path):
    """A function that makes deployments, which are closed afterwards."""
    made: list[Deployment] = []

    def make() -> Deployment:
        made.append(Deployment(new_database(engine), tmp_path / f"home-{len(made)}"))
        return made[-1]

    yield make
    for one in made:
        one.close()
