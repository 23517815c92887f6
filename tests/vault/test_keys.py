"""One key a record, wrapped by the master key: kept while it is there, gone when it is destroyed."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import inspect, select

from app.core import crypto
from app.core.db import Database
from app.core.settings import SettingError, Settings
from app.vault.keys import RECORD_KEY, chunks
from tests.conftest import MASTER


def kept(settings: Settings) -> dict[str, bytes]:
    """Return what is in the database of keys."""
    database = Database(settings.keys_url)
    rows = database.look(
        lambda connection: {record: wrapped for record, wrapped in connection.execute(select(RECORD_KEY))}
    )
    asyncio.run(database.close())
    return rows


def test_chunks():
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks(range(1000))) == [list(range(500)), list(range(500, 1000))]
    assert list(chunks([])) == []


def test_a_record_that_has_a_key_keeps_it(keys):
    first = keys.make(["a", "b", "a"])
    assert list(first) == ["a", "b"]
    assert len({*first.values()}) == 2
    assert {len(key) for key in first.values()} == {32}
    second = keys.make(["b", "c"])
    assert second["b"] == first["b"]
    assert keys.get(["a", "b", "c", "d"]) == {**first, **second}
    keys.keep([("a", keys.wrap("a", bytes(32))), ("d", keys.wrap("d", bytes(32)))])
    assert keys.get(["a", "d"]) == {"a": first["a"], "d": bytes(32)}
    assert keys.get([]) == keys.make([]) == {}


def test_whoever_comes_second_seals_under_the_key_of_the_first(keys, monkeypatch):
    mine, theirs = ("a", keys.wrap("a", bytes(32))), ("a", keys.wrap("a", bytes([1]) * 32))
    get = keys.get

    def overtaken(records):
        found = get(records)
        assert keys.keep([theirs]) == {"a": theirs[1]}
        return found

    monkeypatch.setattr(keys, "get", overtaken)
    made = keys.make(["a", "b"])
    assert made["a"] == bytes([1]) * 32
    assert get(["a", "b"]) == made
    assert keys.keep([mine]) == {"a": theirs[1]}


def test_keys_of_more_records_than_a_statement_may_name(keys):
    names = [f"r{number}" for number in range(1203)]
    made = keys.make(names)
    assert len({*made.values()}) == 1203
    assert keys.get(names) == made
    keys.destroy(names[1:])
    assert keys.get(names) == {"r0": made["r0"]}


def test_keys_are_there_after_opening_again(keys, key_settings, open_keys):
    made = keys.make(["a"])
    again = open_keys(key_settings)
    assert again.get(["a"]) == again.make(["a"]) == made


def test_a_destroyed_key_opens_nothing_again(keys):
    key = keys.make(["a", "b"])["a"]
    sealed = crypto.seal(key, b"content", b"place")
    before = keys.get(["b"])
    keys.destroy(["a", "never-there"])
    assert keys.get(["a", "b"]) == before
    fresh = keys.make(["a"])["a"]
    assert fresh != key
    with pytest.raises(crypto.SealError):
        crypto.unseal(fresh, sealed, b"place")
    keys.destroy([])
    assert keys.get(["b"]) == before


def test_the_database_of_keys_holds_no_plain_key(keys, key_settings):
    made = keys.make([f"r{number}" for number in range(20)])
    rows = kept(key_settings)
    assert set(rows) == {*made, "*"}
    secrets = [*made.values(), bytes.fromhex(MASTER), crypto.derive(bytes.fromhex(MASTER), "record-keys")]
    for wrapped in rows.values():
        assert not any(secret in wrapped or secret.hex().encode() in wrapped for secret in secrets)
    assert len({*rows.values()}) == 21
    wrapping = crypto.derive(bytes.fromhex(MASTER), "record-keys")
    assert crypto.unseal(wrapping, rows["r0"], b"r0") == made["r0"]
    keys.keep([("other", rows["r0"])])
    with pytest.raises(crypto.SealError):  # a key put in the place of another's is found out
        keys.get(["other"])


@pytest.mark.parametrize("records", [[], ["a"]])
def test_another_master_key_is_refused_and_changes_nothing(keys, key_settings, open_keys, records):
    made = keys.make(records)
    before = kept(key_settings)
    with pytest.raises(SettingError, match="the master key is not the one"):
        open_keys(replace(key_settings, master_key="22" * 32))
    assert kept(key_settings) == before
    again = open_keys(key_settings)
    assert again.get(records) == made


def test_a_new_store_makes_its_master_key_and_an_old_one_wants_it_back(key_settings, open_keys):
    settings = replace(key_settings, master_key=None)
    store = open_keys(settings)
    made = store.make(["a"])
    file = settings.home / "master.key"
    text = file.read_text()
    assert store.master.hex() == text
    before = kept(settings)
    file.unlink()
    with pytest.raises(SettingError, match="there is no master key"):
        open_keys(settings)
    assert not file.exists()
    file.write_text("22" * 32)
    with pytest.raises(SettingError, match="the master key is not the one"):
        open_keys(settings)
    assert kept(settings) == before
    file.write_text(text)
    again = open_keys(settings)
    assert again.get(["a"]) == made


def test_a_malformed_master_key_is_refused_and_leaves_no_key(key_settings, open_keys):
    with pytest.raises(SettingError, match="64 hexadecimal digits"):
        open_keys(replace(key_settings, master_key="1234"))
    assert kept(key_settings) == {}


def test_a_main_database_is_no_key_store_whatever_its_address_is(settings, database, open_keys):
    """As through a pooler, or by another name of the server: `settings.py` can compare addresses alone."""
    with pytest.raises(SettingError, match="^EVIDENCE_KEYS_URL leads to a main database: keys belong in a database of"):
        open_keys(replace(settings, database_url="sqlite:////elsewhere.db", keys_url=settings.database_url))
    assert not database.look(lambda connection: inspect(connection).has_table(RECORD_KEY.name))
