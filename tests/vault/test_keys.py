"""The key store: a key a record for ever, wrapped under the master key, gone for good when destroyed."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.core.settings import SettingError, Settings
from app.vault.keys import RECORD_KEY, KeyStore, chunks
from tests.conftest import MASTER


@pytest.fixture
def keys(tmp_path) -> Iterator[KeyStore]:
    store = KeyStore.open(Settings(home=tmp_path, master_key=MASTER))
    yield store
    asyncio.run(store.close())


def test_a_record_keeps_its_key(keys):
    made = keys.make(["a", "b", "a"])
    assert {len(key) for key in made.values()} == {32} and made["a"] != made["b"]
    assert keys.make(["b", "c"])["b"] == made["b"]
    assert keys.get(["a", "b", "nothing"]) == made
    keys.keep([("a", keys.wrap("a", bytes(32)))])
    assert keys.get(["a"]) == {"a": made["a"]}


def test_a_destroyed_key_is_gone_and_a_new_one_is_another(keys):
    before = keys.make(["a", "b"])
    keys.destroy(["a"])
    assert keys.get(["a", "b"]) == {"b": before["b"]}
    assert keys.make(["a"])["a"] != before["a"]


def test_what_is_kept_is_not_the_key(keys, tmp_path):
    key = keys.make(["a"])["a"]
    asyncio.run(keys.close())
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("keys.db*"))
    assert len(kept) > 4096 and key not in kept and bytes.fromhex(MASTER) not in kept


def test_another_master_key_is_refused_in_words(keys, tmp_path):
    keys.make(["a"])
    with pytest.raises(SettingError, match="the master key is not the one that the keys of this store"):
        KeyStore.open(Settings(home=tmp_path, master_key="22" * 32))


def test_a_wrapped_key_belongs_to_its_record(keys, tmp_path):
    keys.make(["a"])
    database = Database(Settings(home=tmp_path).keys_url)
    where = select(RECORD_KEY.c.wrapped).where(RECORD_KEY.c.record == "a")
    wrapped = database.look(lambda connection: connection.scalar(where))
    asyncio.run(database.close())
    keys.keep([("b", wrapped)])
    with pytest.raises(Exception, match="does not open"):
        keys.get(["b"])


def test_many_are_asked_for_in_pieces(keys):
    names = [f"record-{n}" for n in range(1_203)]
    assert len(keys.make(names)) == len(keys.get(names)) == 1_203
    assert [len(chunk) for chunk in chunks(names)] == [500, 500, 203] and list(chunks([])) == []
