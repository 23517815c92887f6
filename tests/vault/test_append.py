"""The vault only grows: each revision sealed under its record's key, committed to with a salt of its own."""

import hashlib
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from app.core import crypto
from app.core.canonical import canonical
from app.core.ids import k_of
from app.vault.append import Addition, Head, Stored, commit, place_of, salts
from app.vault.tables import RECORD, REFERENCE, REVISION

MARK = "나는 보았다 canary-7f3a"
AT = 1_700_000_000_000


def addition(id, revision=1, previous=None, targets=(), **more) -> Addition:
    content = {"kind": "source", "id": id, "title": {"ko": MARK}, "revision": revision}
    values = {
        "id": id,
        "kind": "source",
        "k": k_of(id),
        "owner": "test-body",
        "revision": revision,
        "previous": previous,
        "change": "submitted",
        "state": "live",
        "expires": None,
        "content": content,
        "plain": canonical(content),
        "targets": tuple(targets),
    }
    return Addition(**{**values, **more})


def append(vault, leaf, *additions, at=AT) -> list[bytes]:
    """Append, with keys and salts; return the salts."""
    fresh = salts(len(additions))
    keys = vault.keys.make([one.id for one in additions])
    vault.database.write(lambda connection: vault.append(connection, additions, keys, fresh, leaf, at))
    return fresh


def rows(vault, table):
    return vault.database.look(lambda connection: connection.execute(select(table).order_by(*table.primary_key)).all())


def look(vault, ask, *values):
    return vault.database.look(lambda connection: ask(connection, *values))


def dependents(vault, targets):
    return look(vault, lambda connection: {one.id for one in vault.resting_on(connection, targets)})


def test_no_two_places_have_one_name():
    assert place_of("a", 11) == b"a\x0011"
    assert len({place_of(id, revision) for id in ("a", "a1", "a11") for revision in (1, 11, 111)}) == 9


def test_heads_and_contents(vault):
    a, b = addition("a", targets=["t"]), addition("b", owner="other", state="expired", expires=5)
    salt_a, salt_b = append(vault, 0, a, b)
    assert look(vault, vault.heads, ["a", "b", "absent"]) == {
        "a": Head("source", "test-body", 1, "live", 0, salt_a, commit(salt_a, a.plain), AT),
        "b": Head("source", "other", 1, "expired", 1, salt_b, commit(salt_b, b.plain), AT),
    }
    assert look(vault, vault.read, ["b", "absent", "a"]) == {
        "a": Stored("a", "source", k_of("a"), "test-body", 1, "live", 0, 0, a.content),
        "b": Stored("b", "source", k_of("b"), "other", 1, "expired", 1, 0, b.content),
    }
    assert look(vault, vault.heads, []) == look(vault, vault.read, []) == {}
    assert [tuple(row) for row in rows(vault, RECORD)] == [
        ("a", "source", k_of("a"), "test-body", 1, "live", None, 0, 0, b""),
        ("b", "source", k_of("b"), "other", 1, "expired", 5, 1, 0, b""),
    ]


def test_a_revision_adds_and_changes_nothing_that_was_there(vault):
    append(vault, 0, addition("a"), addition("b"))
    before = rows(vault, REVISION)
    untouched = rows(vault, RECORD)[1]
    later = addition("a", 2, previous=0, change="retracted", state="retracted", expires=9)
    append(vault, 2, later, addition("c"), at=AT + 1)
    after = rows(vault, REVISION)
    assert after[:2] == before
    assert [(row.leaf, row.record, row.revision, row.previous, row.at, row.change) for row in after] == [
        (0, "a", 1, None, AT, "submitted"),
        (1, "b", 1, None, AT, "submitted"),
        (2, "a", 2, 0, AT + 1, "retracted"),
        (3, "c", 1, None, AT + 1, "submitted"),
    ]
    a, b, c = rows(vault, RECORD)
    assert (a.revision, a.state, a.expires, a.leaf) == (2, "retracted", 9, 2)
    assert b == untouched
    assert (c.revision, c.leaf) == (1, 3)
    stored = look(vault, vault.read, ["a"])["a"]
    assert (stored.revision, stored.content) == (2, later.content)


def test_a_revision_is_never_written_over(vault):
    append(vault, 0, addition("a"))
    before = rows(vault, REVISION)
    for again in (addition("a"), addition("b")):  # a record that is there, a leaf that is taken
        with pytest.raises(Exception, match="(?i)unique"):
            append(vault, 0, again)
    assert rows(vault, REVISION) == before
    assert [row.id for row in rows(vault, RECORD)] == ["a"]


def test_commitments_verify_and_each_revision_opens_only_in_its_place(vault):
    append(vault, 0, addition("a"), addition("b"))
    append(vault, 2, addition("a", 2, previous=0))
    found = rows(vault, REVISION)
    keys = vault.keys.get(["a", "b"])
    for row in found:
        plain = crypto.unseal(keys[row.record], row.sealed, place_of(row.record, row.revision))
        assert orjson.loads(plain)["revision"] == row.revision
        assert row.commitment == hashlib.sha256(row.salt + plain).digest()
        for id, revision in (("a", 1), ("a", 2), ("a", 3), ("b", 1)):
            if (id, revision) != (row.record, row.revision):
                with pytest.raises(crypto.SealError):
                    crypto.unseal(keys[row.record], row.sealed, place_of(id, revision))
    assert len({row.salt for row in found}) == len({row.commitment for row in found}) == 3


def test_the_vault_holds_no_plain_content(vault, settings, engine):
    one = addition("a", targets=["t"])
    append(vault, 0, one)
    marks = [MARK.encode(), b"canary-7f3a", MARK.encode("unicode_escape"), vault.keys.get(["a"])["a"], one.plain]
    cells = [cell for table in (RECORD, REVISION, REFERENCE) for row in rows(vault, table) for cell in row]
    cells = [cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells]
    assert len(cells) == 10 + 9 + 2
    if engine == "sqlite":
        path = Path(settings.database_url.removeprefix("sqlite:///"))
        cells += [one.read_bytes() for one in (path, path.with_name(path.name + "-wal"))]
    for mark in marks:
        assert not any(mark in cell for cell in cells)


def test_without_its_key_a_record_cannot_be_read(vault):
    append(vault, 0, addition("a"), addition("b"))
    vault.keys.destroy(["a"])
    with pytest.raises(crypto.SealError):
        look(vault, vault.read, ["a"])
    vault.keys.make(["a"])
    with pytest.raises(crypto.SealError):
        look(vault, vault.read, ["a"])
    assert list(look(vault, vault.read, ["b"])) == ["b"]
    assert list(look(vault, vault.heads, ["a"])) == ["a"]  # that there was something stays


def test_what_rests_on_what(vault):
    append(vault, 0, addition("a", targets=["s", "t"]), addition("b", targets=["t"]), addition("c"))
    assert dependents(vault, ["s"]) == {"a"}
    assert dependents(vault, ["t", "s"]) == {"a", "b"}
    assert dependents(vault, ["a", "absent"]) == dependents(vault, []) == set()
    append(vault, 3, addition("a", 2, previous=0, targets=["t", "u"]))
    assert dependents(vault, ["s"]) == set()  # only the newest revision counts
    assert dependents(vault, ["u"]) == {"a"}
    assert dependents(vault, ["t"]) == {"a", "b"}
    assert [tuple(row) for row in rows(vault, REFERENCE)] == [("s", 0), ("t", 0), ("t", 1), ("t", 3), ("u", 3)]


def test_the_newest_change_of_a_record_that_each_view_was_shown(vault):
    append(vault, 0, addition("a"), addition("b"))
    newest = {"a": {0: 1, 15: 1 << 40}, "absent": {0: 1}}
    vault.database.write(lambda connection: vault.set_shown(connection, {"a": 3, "b": 2, "absent": 1}, newest))
    assert {row.id: row.views for row in rows(vault, RECORD)} == {"a": 3, "b": 2}
    vault.database.write(lambda connection: vault.set_shown(connection, {"a": 1}, {}))
    vault.database.write(lambda connection: vault.set_shown(connection, {}, {"b": {}}))
    assert {row.id: row.views for row in rows(vault, RECORD)} == {"a": 1, "b": 2}
    assert look(vault, vault.shown, ["a", "b", "absent"]) == {"a": {0: 1, 15: 1 << 40}, "b": {}}


def test_who_is_shown_a_record(vault):
    append(vault, 0, addition("a"), addition("b"))
    vault.database.write(lambda connection: vault.set_views(connection, {"a": 5, "absent": 1}))
    vault.database.write(lambda connection: vault.set_views(connection, {}))
    assert [(row.id, row.views) for row in rows(vault, RECORD)] == [("a", 5), ("b", 0)]
    append(vault, 2, addition("a", 2, previous=0))
    assert [(row.id, row.views) for row in rows(vault, RECORD)] == [("a", 5), ("b", 0)]


def test_more_records_than_a_statement_may_name(vault):
    names = [f"r{number}" for number in range(1001)]
    append(vault, 0, *(addition(name, targets=[f"t-{name}"]) for name in names))
    heads = look(vault, vault.heads, names)
    assert [heads[name].leaf for name in names] == list(range(1001))
    assert set(look(vault, vault.read, names)) == set(names)
    assert dependents(vault, [f"t-{name}" for name in names]) == set(names)
