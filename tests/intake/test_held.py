"""The vault against its log: whatever was changed behind the service's back is found, and named."""

import pytest
from sqlalchemy import Connection, delete, select, update
from typer.testing import CliRunner

from app.cli import app
from app.core import crypto
from app.custody import held, merkle
from app.custody.checkpoints import HOUR, roots
from app.custody.tables import CHECKPOINT, LEAF, TILE
from app.intake.checkpointing import Checkpointing, signer_of
from app.intake.erase import erase
from app.vault.append import commit, place_of
from app.vault.tables import DISCLOSED, REVISION
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
    return held.check(vault, signer_of(vault.keys.master).key)


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
    "all of it": (rewrite, "the checkpoint of 512 leaves was signed of another log"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_was_changed_is_named(vault, name):
    change, told = CHANGED[name]
    vault.database.write(lambda connection: change(connection, vault))
    found = check(vault)
    assert any(told in fault for fault in found.faults), found.faults
    assert found.wrong >= len(found.faults) > 0


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
    assert "1 things do not hold." in done.output
