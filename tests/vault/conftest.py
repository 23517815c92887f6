"""Fixtures of the tests of the vault: the database of intake's, and a key store on the same engine."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.db import Database
from app.core.settings import Settings
from app.vault import keys as module
from app.vault.append import Vault
from app.vault.keys import RECORD_KEY, KeyStore
from tests.conftest import settings_for
from tests.intake.conftest import database, settings, used

__all__ = ["database", "settings", "used"]


@pytest.fixture(scope="session")
def used_for_keys(engine: str, new_database: Callable[[str], str]) -> str:
    """The address of a database that one key store after another uses."""
    return new_database(engine)


@pytest.fixture
def key_settings(used_for_keys: str, tmp_path: Path) -> Settings:
    """Settings of an empty database for keys."""
    store = Database(used_for_keys)
    store.write(lambda connection: RECORD_KEY.metadata.drop_all(connection))
    asyncio.run(store.close())
    return replace(settings_for("", tmp_path), keys_url=used_for_keys)


@pytest.fixture
def open_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Settings], KeyStore]]:
    """A function that opens key stores; what it opened is closed afterwards, also where opening was refused."""
    opened: list[Database] = []

    def note(*values) -> Database:
        opened.append(Database(*values))
        return opened[-1]

    monkeypatch.setattr(module, "Database", note)
    yield KeyStore.open
    for one in opened:
        asyncio.run(one.close())


@pytest.fixture
def keys(open_keys: Callable[[Settings], KeyStore], key_settings: Settings) -> KeyStore:
    """An empty key store."""
    return open_keys(key_settings)


@pytest.fixture
def vault(database: Database, keys: KeyStore) -> Vault:
    """An empty vault."""
    return Vault(database, keys)
