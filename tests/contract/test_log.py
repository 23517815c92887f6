"""Log: no way in leaves no leaf: every revision, and every change of what a view is shown, in order."""

import hashlib
from typing import Any

import orjson
import pytest
import rfc8785
from sqlalchemy import Connection, select

from app.catalogue.tables import POSTING, ROW, SPOT, TERM, TERM_COUNT, VIEW
from app.core import crypto
from app.custody import merkle
from app.custody.tables import LEAF
from app.intake.builtin import files
from app.intake.loading import Load
from app.intake.much import AtOnce
from app.intake.rebuild import rebuild
from app.intake.retract import expire, retract
from app.records import BY_NAME
from app.vault.append import place_of
from app.vault.tables import DISCLOSED, LED, RECORD, REVISION
from tests.conftest import settings_for
from tests.contract.garden import grow, sow
from tests.contract.vault import OpenVault, open_vault

OWNER = "public-record"


def rows(vault: OpenVault, *tables: Any) -> list[list[Any]]:
    """Return every row of tables, each table in the order of its key."""

    def _read(connection: Connection) -> list[list[Any]]:
        return [list(connection.execute(select(one).order_by(*one.primary_key.columns)).mappings()) for one in tables]

    return vault.database.look(_read)


def leaves_of(vault: OpenVault) -> int:
    """Look at every leaf, revision and change; return how many leaves there are.

    Each leaf is worked out here anew: of a revision from what its record's key opens, of a change from its members.
    """
    leaves, revisions, disclosed, kept, led = rows(vault, LEAF, REVISION, DISCLOSED, RECORD, LED)
    into = {(one["view"], one["seq"]): {"into": one["target"]} for one in led}
    stated: dict[int, bytes] = {}
    keys = vault.writer.vault.keys.get([one["id"] for one in kept])
    for one in revisions:
        plain = crypto.unseal(keys[one["record"]], one["sealed"], place_of(one["record"], one["revision"]))
        assert rfc8785.dumps(orjson.loads(plain)) == plain
        assert hashlib.sha256(one["salt"] + plain).digest() == one["commitment"]
        stated[one["leaf"]] = one["commitment"]
    for one in disclosed:
        names = ("view", "id", "revision", "at", "change")
        members = {name: one[name] for name in names} | {"digest": one["digest"].hex()}
        members |= into.get((one["view"], one["seq"]), {})
        stated[one["leaf"]] = hashlib.sha256(one["salt"] + rfc8785.dumps(members)).digest()
    assert len(stated) == len(revisions) + len(disclosed)  # no leaf stands for two things
    assert [one["index"] for one in leaves] == list(range(len(leaves))) == sorted(stated)
    hashes = [merkle.leaf_hash(stated[index]) for index in range(len(leaves))]
    assert [one["hash"] for one in leaves] == hashes
    assert hashes == [hashlib.sha256(b"\0" + stated[index]).digest() for index in range(len(leaves))]
    salts = [one["salt"] for one in (*revisions, *disclosed)]
    assert len(set(salts)) == len(salts) and {len(salt) for salt in salts} <= {32}
    _in_order(revisions, disclosed, kept)
    return len(leaves)


def _in_order(revisions: list[Any], disclosed: list[Any], kept: list[Any]) -> None:
    """Hold revisions to follow one another, and the changes of each view to count up without a gap."""
    newest: dict[str, Any] = {}
    for one in revisions:
        before = newest.get(one["record"])
        expected = (1, None) if before is None else (before["revision"] + 1, before["leaf"])
        assert (one["revision"], one["previous"]) == expected
        newest[one["record"]] = one
    assert {one["id"]: (one["revision"], one["leaf"]) for one in kept} == {
        id: (one["revision"], one["leaf"]) for id, one in newest.items()
    }
    for view in {one["view"] for one in disclosed}:
        changes = [one for one in disclosed if one["view"] == view]
        assert [one["seq"] for one in changes] == list(range(1, len(changes) + 1))
        assert [one["leaf"] for one in changes] == sorted(one["leaf"] for one in changes)


@pytest.fixture
def vault(engine, new_database, tmp_path):
    with open_vault(settings_for(new_database(engine), tmp_path)) as vault:
        yield vault


def load(vault: OpenVault, paths: list[Any], **more: Any) -> Any:
    report = Load(vault.intake, vault.settings.home, OWNER).run(paths, **more)
    assert report.faults == []
    return report


def test_a_load_leaves_a_leaf_for_each_revision_and_each_change(vault):
    assert leaves_of(vault) == 0
    report = load(vault, files())
    assert (report.created, report.revised, report.unchanged) == (1307, 0, 0)
    size, (disclosed,) = leaves_of(vault), rows(vault, DISCLOSED)
    created = [(one["view"], one["id"]) for one in disclosed if one["change"] == "created"]
    assert len(set(created)) == len(created) == 3 * 1307  # it is published: all three views are shown all of it
    assert [one for one in disclosed if one["change"] != "created"] == []  # none is shown before what it names
    assert size == 1307 + len(created)
    assert load(vault, files()).unchanged == 1307
    assert leaves_of(vault) == size  # nothing new, no leaf


def test_a_load_at_once_leaves_the_same_leaves(vault, tmp_path):
    slugs = [
        {"kind": "incident", "disclosure_basis": "published", "scope": "event", "slug": f"much-{number}"}
        for number in range(700)
    ]
    path = tmp_path / "much.ndjson"
    path.write_bytes(b"".join(orjson.dumps({**one, "citations": [{"symbol": "TEST/1"}]}) + b"\n" for one in slugs))
    report = load(vault, [path], much=AtOnce(vault.settings, closed=True))
    assert report.created == 700
    assert leaves_of(vault) == 4 * 700


def test_every_other_way_in_leaves_leaves_too(vault):
    load(vault, [path for path in files() if path.stem in ("source", "place", "violation", "crime", "actor", "person")])
    before = leaves_of(vault)
    testimonies = [path for path in files() if path.stem == "testimony"]
    assert load(vault, testimonies).created == 141
    first = orjson.loads(testimonies[0].read_bytes())[0]
    size = leaves_of(vault)
    assert size - before in (4 * 141, 4 * 141 + 3)
    assert retract(vault.writer, first["id"], OWNER, "asked for")
    others = sum(first["id"] in one.get("same_witness", ()) for one in orjson.loads(testimonies[0].read_bytes()))
    assert leaves_of(vault) == size + 1 + 3 * (
        1 + others
    )  # a revision; removed from three views; what names it shown anew
    assert not retract(vault.writer, first["id"], OWNER, "asked for again")
    assert leaves_of(vault) == size + 1 + 3 * (1 + others)
    model = BY_NAME["testimony"].model.model_validate(first)
    assert vault.intake.submit([vault.intake.draft(model, OWNER)], OWNER).revised == [first["id"]]
    assert leaves_of(vault) == size + 2 + 6 * (1 + others)


def test_what_is_refused_leaves_none(vault, tmp_path):
    (tmp_path / "bad.ndjson").write_text('{"kind": "finding", "id": "f", "document": "D"}\n')
    report = Load(vault.intake, vault.settings.home, OWNER).run([tmp_path / "bad.ndjson"])
    assert (len(report.faults), report.applied) == (3, False)
    assert leaves_of(vault) == 0


def test_a_garden_and_its_rebuilding(vault):
    """Revised, taken back, expired, hidden: all of it is in the log; a rebuild adds nothing and changes no byte."""
    sow(grow(), vault.intake, vault.clock)
    size = leaves_of(vault)
    tables = (VIEW, ROW, POSTING, SPOT, TERM, TERM_COUNT)
    before = rows(vault, *tables)
    done = rebuild(vault.writer, vault.settings)
    assert (done.records, done.rows, done.changed) == (len(rows(vault, RECORD)[0]), len(before[1]), 0)
    assert rows(vault, *tables) == before
    assert leaves_of(vault) == size
    assert expire(vault.writer) == 0
    assert leaves_of(vault) == size
