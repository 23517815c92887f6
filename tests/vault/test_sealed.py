"""The vault: nothing in it can be read without a record's own key, or in another place, or once changed."""

import dataclasses

import pytest
from sqlalchemy import select, text, update

from app.core import crypto
from app.core.crypto import SealError
from app.vault.append import commit, place_of, salts
from app.vault.tables import RECORD, REVISION
from tests.intake.house import OWNER, PUBLIC, T1, T2, a_source, a_testimony, consent, shown, submit

SECRET = "SECRET-WORDS"
HIDDEN = "비밀스러운 말"


def stored(database):
    return database.look(lambda connection: connection.execute(select(REVISION).order_by(REVISION.c.leaf)).all())


def test_the_sealed_bytes_say_nothing(intake, database, settings):
    witness = {"form": "named", "designation": {"en": SECRET}}
    submit(intake, a_source())
    submit(intake, a_testimony(T1, consent=consent(mechanism={}), witness=witness, full_text={"ko": HIDDEN}))
    submit(intake, a_testimony(T1, consent=consent(), witness=witness, full_text={"ko": HIDDEN}))  # seen by nobody
    columns = "leaf, record, revision, previous, at, change, salt, commitment, sealed"
    rows = database.look(lambda connection: connection.execute(text(f"SELECT {columns} FROM revision")).all())
    assert len(rows) == 3
    for plain in (SECRET.encode(), HIDDEN.encode(), b"witness", b"test-body"):
        assert not any(plain in bytes(value) for row in rows for value in row if isinstance(value, bytes))
    files = [path for path in settings.home.iterdir() if path.is_file()]
    assert not any(SECRET.encode() in path.read_bytes() for path in files)


def test_a_revision_opens_with_its_key_and_in_its_place_only(intake, database, writer):
    submit(intake, a_source(), a_testimony(T1), a_testimony(T2))
    rows = {row.record: row for row in stored(database)}
    keys = writer.vault.keys.get([T1, T2])
    assert crypto.unseal(keys[T1], rows[T1].sealed, place_of(T1, 1)).startswith(b'{"account_type":"unknown"')
    for key, sealed, place in [
        (keys[T2], rows[T1].sealed, place_of(T1, 1)),
        (keys[T1], rows[T1].sealed, place_of(T1, 2)),
        (keys[T1], rows[T1].sealed, place_of(T2, 1)),
        (keys[T1], rows[T2].sealed, place_of(T1, 1)),
    ]:
        with pytest.raises(SealError):
            crypto.unseal(key, sealed, place)


def test_what_was_tampered_with_does_not_open(intake, database, writer):
    submit(intake, a_source())
    row = stored(database)[0]
    sealed = bytes([*row.sealed[:-1], row.sealed[-1] ^ 1])
    database.write(lambda connection: connection.execute(update(REVISION).values(sealed=sealed)))
    with pytest.raises(SealError):
        database.look(lambda connection: writer.vault.read(connection, ["src-a"]))


def test_the_same_content_twice_has_two_salts_two_commitments_and_two_ciphertexts(intake, database):
    submit(intake, a_source(note={"en": "one"}))
    submit(intake, a_source(note={"en": "two"}))
    submit(intake, a_source(note={"en": "one"}))
    rows = stored(database)
    for column in ("salt", "commitment", "sealed", "leaf"):
        assert len({getattr(row, column) for row in rows}) == 3
    assert {(row.revision, row.previous) for row in rows} == {(1, None), (2, rows[0].leaf), (3, rows[1].leaf)}


def test_a_commitment_is_over_the_salt_and_then_the_content():
    salt, other = salts(2)
    assert len(salt) == len(other) == 32 and salt != other
    assert commit(salt, b"{}") == commit(salt, b"{}")
    assert len({commit(salt, b"{}"), commit(other, b"{}"), commit(salt, b"[]"), commit(salt + b"{", b"}")}) == 3
    assert salts(0) == []


def test_what_is_read_back_is_what_was_submitted(intake, database, writer):
    submit(intake, a_source(), a_testimony(T1, note={"ko": HIDDEN}))
    found = database.look(lambda connection: writer.vault.read(connection, [T1, "nothing"]))
    assert list(found) == [T1]
    one = found[T1]
    assert one.content["note"] == {"ko": HIDDEN}
    facts = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    assert {name: facts[name] for name in ("id", "kind", "owner", "revision", "state")} == {
        "id": T1,
        "kind": "testimony",
        "owner": OWNER,
        "revision": 1,
        "state": "live",
    }
    assert shown(database, PUBLIC, T1)["note"] == {"ko": HIDDEN}


def test_heads_and_dependents_need_no_key(intake, database, writer):
    def resting_on(*targets):
        return database.look(lambda connection: {one.id for one in writer.vault.resting_on(connection, targets)})

    submit(intake, a_source(), a_testimony(T1), a_testimony(T2, same_witness=[T1]))
    heads = database.look(lambda connection: writer.vault.heads(connection, [T1, "nothing"]))
    assert {id: (head.kind, head.owner, head.revision, head.state) for id, head in heads.items()} == {
        T1: ("testimony", OWNER, 1, "live")
    }
    assert resting_on("src-a") == {T1, T2}
    assert resting_on(T1, T2) == {T2}
    assert database.look(lambda connection: len(connection.execute(select(RECORD)).all())) == 3
