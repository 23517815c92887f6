"""The vault against its log: whatever was changed behind the service's back is found, and named."""

import secrets

import pytest
from sqlalchemy import Connection, delete, insert, select, update
from typer.testing import CliRunner

from app.catalogue import served
from app.catalogue.tables import ROW, VIEW
from app.cli import app
from app.core import crypto
from app.custody import held, merkle
from app.custody.checkpoints import HOUR, roots
from app.custody.tables import CHECKPOINT, LEAF, TILE
from app.custody.tree import Tree
from app.intake.checkpointing import Checkpointing, signer_of
from app.intake.erase import erase
from app.vault.append import commit, place_of
from app.vault.chains import pack
from app.vault.tables import DISCLOSED, MERGER, RECORD, REFERENCE, REVISION
from tests.conftest import environment
from tests.intake.house import OWNER, T1, T2, a_person, a_place, a_source, a_testimony, apart, consent, submit, together
from tests.intake.test_merging import P1, P2


@pytest.fixture
def vault(settings, database, intake, clock):
    """A vault with two checkpoints, an erased record, one that was merged and parted, and something after them."""
    signing = Checkpointing(settings, database, None, clock)
    submit(intake, a_source(), a_place("camp"), a_testimony(T1, consent=consent(public={}, mechanism={})))
    assert signing.once()
    clock.now += 6 * HOUR
    submit(intake, a_place("camp", type="county"), a_testimony(T2), a_person(P1), a_person(P2))
    together(intake.writer, P1, P2)
    apart(intake.writer, P1)
    assert erase(intake.writer, T1, OWNER, "a test")
    assert signing.once()
    submit(intake, a_source("src-b"))
    return intake.writer.vault


def check(vault) -> held.Held:
    found = held.check(vault, signer_of(vault.keys.master).key)
    assert served.check(vault.database, found)
    return found


def test_all_of_it_holds_where_nothing_was_changed(vault):
    found = check(vault)
    assert (found.wrong, found.faults, found.checkpoints) == (0, [], 2)
    assert found.leaves == found.revisions + found.forms + found.filled == 516


def leaf_of(connection: Connection, id: str) -> int:
    """Return the leaf of a record's newest revision."""
    newest: int = max(connection.scalars(select(REVISION.c.leaf).where(REVISION.c.record == id)))
    return newest


def of_camp(connection: Connection, **values: object) -> None:
    connection.execute(update(REVISION).where(REVISION.c.leaf == leaf_of(connection, "camp")).values(**values))


def of_form(connection: Connection, **values: object) -> None:
    camp = (DISCLOSED.c.id == "camp", DISCLOSED.c.view == 0, DISCLOSED.c.revision == 2)
    connection.execute(update(DISCLOSED).where(*camp).values(**values))


def of_record(connection: Connection, id: str = "camp", **values: object) -> None:
    connection.execute(update(RECORD).where(RECORD.c.id == id).values(**values))


def roll_back(connection: Connection) -> None:
    """Have the revision before the newest be the newest."""
    before = select(REVISION.c.previous).where(REVISION.c.leaf == leaf_of(connection, "camp"))
    of_record(connection, revision=1, leaf=connection.scalar(before))


def take_for_filling(connection: Connection) -> None:
    """Take out what stands last before a checkpoint, and say that its leaf fills up."""
    before = connection.scalar(select(CHECKPOINT.c.before).where(CHECKPOINT.c.size == 512)) or 0
    assert connection.execute(delete(DISCLOSED).where(DISCLOSED.c.leaf == before - 1)).rowcount == 1
    connection.execute(update(CHECKPOINT).where(CHECKPOINT.c.size == 512).values(before=before - 1))


def of_row(connection: Connection, **values: object) -> None:
    connection.execute(update(ROW).where(ROW.c.id == "camp", ROW.c.view == 0).values(**values))


def body(connection: Connection) -> bytes:
    found = connection.scalar(select(ROW.c.body).where(ROW.c.id == "camp", ROW.c.view == 0))
    assert found is not None
    return bytes(found)


def rewrite(connection: Connection, vault) -> None:
    """Put another content in the place of one, with its commitment and its leaf, as who has all keys could."""
    leaf, salt, plain = leaf_of(connection, "camp"), bytes(32), b'{"kind":"place"}'
    sealed = crypto.seal(vault.keys.get(["camp"])["camp"], plain, place_of("camp", 2))
    of_camp(connection, salt=salt, sealed=sealed, commitment=commit(salt, plain))
    hash = merkle.leaf_hash(commit(salt, plain))
    connection.execute(update(LEAF).where(LEAF.c.index == leaf).values(hash=hash))
    (tile,) = roots(connection, 1, 1)
    connection.execute(update(TILE).where(TILE.c.index == 1).values(hash=tile))


CHANGED = {
    "content": (lambda c, _: of_camp(c, sealed=b"\x01" + bytes(60)), "revision 2 of camp does not open"),
    "commitment": (lambda c, _: of_camp(c, commitment=bytes(32)), "is not that of revision 2 of camp"),
    "salt": (lambda c, _: of_camp(c, salt=bytes(32)), "revision 2 of camp is not what was committed to"),
    "revision gone": (lambda c, _: c.execute(delete(REVISION).where(REVISION.c.record == T2)), "stands for nothing"),
    "digest": (lambda c, _: of_form(c, digest=bytes(32)), "is not that of form 2 of camp in view 0 (updated)"),
    "moment": (lambda c, _: of_form(c, at=1), "is not that of form 2 of camp in view 0"),
    "change": (lambda c, _: of_form(c, change="created"), "is not that of form 2 of camp in view 0"),
    "form gone": (lambda c, _: c.execute(delete(DISCLOSED).where(DISCLOSED.c.id == "src-a")), "stands for nothing"),
    "another's leaf": (
        lambda c, _: of_form(c, leaf=0),
        "form 2 of camp in view 0 (updated) has no leaf of its own: 0 is another's",
    ),
    "leaf": (
        lambda c, _: c.execute(update(LEAF).where(LEAF.c.index == 1).values(hash=bytes(32))),
        "leaf 1 is not that",
    ),
    "leaf gone": (lambda c, _: c.execute(delete(LEAF).where(LEAF.c.index == 7)), "leaf 7 is missing"),
    "last gone": (lambda c, _: c.execute(delete(LEAF).where(LEAF.c.index == 515)), "has no leaf 515 in the log"),
    "filling": (
        lambda c, _: c.execute(update(LEAF).where(LEAF.c.index == 511).values(hash=bytes(32))),
        "the checkpoint of 512 leaves was signed of another log",
    ),
    "tile": (
        lambda c, _: c.execute(update(TILE).where(TILE.c.index == 0).values(hash=bytes(32))),
        "the root that is kept of tile 0",
    ),
    "note": (
        lambda c, _: c.execute(update(CHECKPOINT).where(CHECKPOINT.c.size == 256).values(note="none")),
        "the checkpoint of 256 leaves: the note has no signature",
    ),
    "size": (
        lambda c, _: c.execute(update(CHECKPOINT).where(CHECKPOINT.c.size == 512).values(size=1 << 60)),
        f"the checkpoint of {1 << 60} leaves states 512",
    ),
    "checkpoint gone": (
        lambda c, _: c.execute(delete(CHECKPOINT).where(CHECKPOINT.c.size == 256)),
        "stands for nothing",
    ),
    "filling taken for": (lambda c, _: take_for_filling(c), "is not that of what fills up to 512"),
    "more than filling": (
        lambda c, _: c.execute(update(CHECKPOINT).where(CHECKPOINT.c.size == 512).values(before=200)),
        "the checkpoint of 512 leaves is said to fill up 312",
    ),
    "moment of a checkpoint": (
        lambda c, _: c.execute(update(CHECKPOINT).where(CHECKPOINT.c.size == 512).values(at=1)),
        "leaf 511 is not that of what fills up to 512",
    ),
    "number of a tile": (
        lambda c, _: c.execute(update(TILE).where(TILE.c.index == 1).values(index=2)),
        "the last is said to be number 2",
    ),
    "as if erased": (
        lambda c, _: of_camp(c, salt=b"", sealed=b""),
        "revision 2 of camp was taken out, and camp was never erased",
    ),
    "form as if erased": (
        lambda c, _: of_form(c, salt=b"", digest=b""),
        "form 2 of camp in view 0 (updated) was taken out, and its record was never erased",
    ),
    "said to be erased": (
        lambda c, _: of_record(c, state="erased"),
        "revision 1 of camp is still there, and camp is said to be erased",
    ),
    "reason of an erasure": (
        lambda c, _: c.execute(
            update(REVISION).where(REVISION.c.change == "erased").values(sealed=b"\x01" + bytes(60))
        ),
        f"revision 2 of {T1} does not open",
    ),
    "rolled back": (lambda c, _: roll_back(c), "revision 2 of camp is newer than what camp is said to be"),
    "what came before": (lambda c, _: of_camp(c, previous=None), "revision 2 of camp does not follow the one before"),
    "what was done": (
        lambda c, _: of_camp(c, change="withdrawn"),
        "camp is said to be live, and its newest revision is withdrawn",
    ),
    "state": (lambda c, _: of_record(c, state="retracted"), "camp is said to be retracted"),
    "state after a merger": (lambda c, _: of_record(c, P1, state="withdrawn"), f"{P1} is said to be withdrawn"),
    "kind": (lambda c, _: of_record(c, kind="source"), "camp is said to be of another id or kind"),
    "owner": (lambda c, _: of_record(c, owner="another"), "the row of camp in view 0 is not of what"),
    "place in orders": (lambda c, _: of_record(c, k=1), "camp has another place in orders"),
    "end of a consent": (lambda c, _: of_record(c, T2, expires=1), f"{T2} has another end of its consent"),
    "views": (lambda c, _: of_record(c, views=0), "view 0 is shown"),
    "record gone": (lambda c, _: c.execute(delete(RECORD).where(RECORD.c.id == "camp")), "revision 1 of camp is of no"),
    "newest gone": (lambda c, _: of_record(c, revision=3, leaf=0), "the newest revision of camp is not there"),
    "reference gone": (
        lambda c, _: c.execute(delete(REFERENCE).where(REFERENCE.c.leaf == leaf_of(c, T2))),
        f"{T2} names src-a, and is not said to rest on it",
    ),
    "merger made": (
        lambda c, _: c.execute(insert(MERGER).values(record=P1, target=P2, survivor=P2)),
        f"{P1} is led elsewhere than its newest revision states",
    ),
    "merger led astray": (
        lambda c, _: c.execute(insert(MERGER).values(record=P1, target=P2, survivor=P1)),
        f"{P1} leads to {P1}, and was merged into {P2}",
    ),
    "kind of a form": (lambda c, _: of_form(c, kind="source"), "is of another kind than its record"),
    "form before": (lambda c, _: of_form(c, previous=0), "form 2 of camp in view 0 (updated) does not follow"),
    "newest form": (lambda c, _: of_record(c, shown=b""), "is newer than what its record is said to be"),
    "newest form astray": (
        lambda c, _: of_record(c, shown=pack(dict.fromkeys(range(3), 999))),
        "view 0 is said to know of 7 records, and was told of 6",
    ),
    "newest forms damaged": (lambda c, _: of_record(c, shown=b"x"), "is newer than what its record is said to be"),
    "body": (
        lambda c, _: of_row(c, body=body(c).replace(b"county", b"Camp 1")),
        "the row of camp in view 0 has other bytes than what was shown",
    ),
    "body's end": (lambda c, _: of_row(c, body=body(c)[:-1] + b',"more":1}'), "the row of camp in view 0 has other"),
    "moment of a row": (lambda c, _: of_row(c, updated=1), "the row of camp in view 0 is not of what the view"),
    "row gone": (lambda c, _: c.execute(delete(ROW).where(ROW.c.id == "camp", ROW.c.view == 0)), "view 0 is shown"),
    "all of it": (rewrite, "the checkpoint of 512 leaves was signed of another log"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_was_changed_is_named(vault, name):
    change, told = CHANGED[name]
    vault.database.write(lambda connection: change(connection, vault))
    found = check(vault)
    assert any(told in fault for fault in found.faults), found.faults
    assert found.wrong >= len(found.faults) > 0


def test_what_filled_up_at_random_before_it_could_be_known_again_is_taken_until_the_first_that_can(vault, database):
    """As it is in vaults whose first checkpoints are older than that."""
    key = signer_of(vault.keys.master)

    def refill(connection: Connection, before: int, size: int) -> None:
        for index in range(before, size):
            connection.execute(update(LEAF).where(LEAF.c.index == index).values(hash=secrets.token_bytes(32)))
        connection.execute(delete(TILE))
        tree = Tree(roots(connection, 0, 2))
        for whole in (256, 512):
            note = key.checkpoint(whole, tree.root(whole // 256))
            connection.execute(update(CHECKPOINT).where(CHECKPOINT.c.size == whole).values(note=note))

    first, second = database.look(lambda c: c.execute(select(CHECKPOINT).order_by(CHECKPOINT.c.size)).all())
    database.write(lambda connection: refill(connection, first.before, first.size))
    assert check(vault).faults == []
    at_random = f"leaf {second.before} is not that of what fills up to 512"
    database.write(lambda connection: refill(connection, second.before, second.size - 1))
    assert check(vault).faults[0] == at_random


def test_a_closed_catalogue_is_not_looked_at(vault, database):
    database.write(lambda connection: connection.execute(update(VIEW).values(state="building")))
    found = held.Held()
    assert not served.check(database, found) and found.rows == 0


def test_a_key_that_is_lost_is_named(vault):
    vault.keys.destroy(["camp"])
    assert check(vault).faults == ["revision 1 of camp has no key", "revision 2 of camp has no key"]


def test_only_the_first_hundred_are_in_words(vault):
    vault.database.write(lambda connection: connection.execute(update(LEAF).values(hash=bytes(32))))
    vault.database.write(lambda connection: connection.execute(delete(CHECKPOINT)))
    found = check(vault)
    assert (len(found.faults), found.wrong > 400) == (100, True)


def test_the_verb_says_so_and_ends_with_it(settings, vault, monkeypatch):
    for name, value in environment(settings, 0).items():
        if name.startswith("EVIDENCE_"):
            monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["log", "verify"])
    assert done.exit_code == 0, done.output
    counted, holds = done.output.splitlines()[-2:]
    assert counted.startswith("516 leaves: ") and counted.endswith(" that fill up. 2 checkpoints.")
    assert holds == "All of it holds."
    vault.database.write(lambda connection: of_form(connection, at=1))
    done = CliRunner().invoke(app, ["log", "verify"])
    assert done.exit_code == 1
    assert "2 things do not hold." in done.output  # the row of it, too
