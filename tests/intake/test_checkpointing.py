"""Checkpoints: one for each stroke of the clock, filled up, true of the log, and the same for whoever works it out."""

import asyncio
import threading

import pytest
from sqlalchemy import select, update

from app.catalogue.tables import VIEW
from app.core.crypto import master_key
from app.custody import merkle
from app.custody.checkpoints import AT_ONCE, HOUR, WIDE, catch_up, tiles
from app.custody.note import checkpoint_of
from app.custody.tables import CHECKPOINT, LEAF, TILE
from app.custody.tree import Tree
from app.intake.checkpointing import Checkpointing, signer_of
from app.intake.retract import retract
from tests.intake.house import OWNER, a_source, check_log, rows_of, submit


class Said:
    """Takes what is logged."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, _: str, type: str) -> None:
        self.warnings.append(type)


@pytest.fixture
def checkpointing(settings, database, clock):
    return Checkpointing(settings, database, Said(), clock)


@pytest.fixture
def key(settings):
    return signer_of(master_key(settings.master_key, settings.home)).key


def leaves(database) -> list[bytes]:
    ordered = select(LEAF.c.hash).order_by(LEAF.c.index)
    found: list[bytes] = database.look(lambda connection: [bytes(one) for one in connection.scalars(ordered)])
    return found


def signed(database, key: str) -> list[tuple[int, int, int]]:
    """Return size, size before it was filled up, and moment of each checkpoint, each held to the log as it is."""
    every, found = leaves(database), []
    for size, before, at, note in rows_of(database, CHECKPOINT):
        point = checkpoint_of(note, key)
        assert (point.size, point.root) == (size, merkle.root(every[:size]))
        found.append((size, before, at))
    return sorted(found)


def test_a_clock_that_was_wrong_once_does_not_end_them(checkpointing, database, intake, clock, key):
    submit(intake, a_source())
    now, clock.now = clock.now, clock.now + 10 * 365 * 24 * HOUR
    assert checkpointing.once()
    clock.now = now
    assert checkpointing.once() and not checkpointing.once()
    clock.now = now - 6 * HOUR  # as far as clocks may differ
    assert not checkpointing.once()
    clock.now = now + 6 * HOUR
    assert checkpointing.once() and not checkpointing.once()
    assert [size for size, *_ in signed(database, key)] == [256, 512, 768]


def test_nothing_is_signed_where_nothing_is(checkpointing, database):
    assert checkpointing.once() is False
    assert rows_of(database, CHECKPOINT) == rows_of(database, LEAF) == []


def test_one_comes_with_each_stroke_of_the_clock(checkpointing, database, intake, clock, key):
    submit(intake, a_source())  # a revision, and what three views are shown
    start = clock.now
    assert checkpointing.once() is True
    assert checkpointing.once() is False
    clock.now = (start // (6 * HOUR) + 1) * 6 * HOUR - 1
    assert checkpointing.once() is False
    clock.now += 1
    assert checkpointing.once() is True
    assert signed(database, key) == [(256, 4, start), (512, 256, clock.now)]  # filled up though nothing was written
    clock.now += 100 * HOUR
    submit(intake, a_source("src-b"))
    assert checkpointing.once() is True  # those that were missed are not made up for
    assert signed(database, key)[2:] == [(768, 516, clock.now)]
    check_log(intake.writer)


def test_what_is_written_afterwards_changes_nothing_that_was_signed(checkpointing, database, intake, clock, key):
    for name in "abc":
        submit(intake, a_source(f"src-{name}"))
        checkpointing.once()
        clock.now += 6 * HOUR
    assert retract(intake.writer, "src-b", OWNER, "a test")
    checkpointing.once()
    assert [size for size, _, _ in signed(database, key)] == [256, 512, 768, 1024]
    check_log(intake.writer)


def test_tiles_are_the_roots_of_their_leaves_however_many(checkpointing, database, intake, key):
    submit(intake, a_source())
    many = WIDE * AT_ONCE + 2 * WIDE + 3  # more than are taken at once
    row = [(index, index.to_bytes(32, "big")) for index in range(4, many)]
    database.write(lambda connection: database.insert(connection, LEAF, row))
    assert checkpointing.once() is True
    every = leaves(database)
    roots = [merkle.root(every[at : at + WIDE]) for at in range(0, len(every), WIDE)]
    assert [bytes(hash) for _, hash in sorted(rows_of(database, TILE))] == roots
    assert signed(database, key)[0][:2] == (many // WIDE * WIDE + WIDE, many)


def test_two_who_make_tiles_at_once_make_the_same(database, intake):
    submit(intake, a_source())
    row = [(index, index.to_bytes(32, "big")) for index in range(4, 40 * WIDE)]
    database.write(lambda connection: database.insert(connection, LEAF, row))
    trees = [Tree() for _ in range(3)]
    threads = [threading.Thread(target=catch_up, args=(database, tree)) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {tree.root(40) for tree in trees} == {merkle.root(leaves(database))}
    assert len(database.look(lambda connection: tiles(connection, 0))) == 40


def test_two_processes_make_one(settings, database, intake, clock, key):
    submit(intake, a_source())
    both = [Checkpointing(settings, database, Said(), clock) for _ in range(2)]
    made: list[bool] = []
    threads = [threading.Thread(target=lambda one=one: made.append(one.once())) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(made) == [False, True]
    assert len(signed(database, key)) == 1
    clock.now += 6 * HOUR
    assert both[0].once() is True
    clock.now += 6 * HOUR
    assert both[1].once() is True  # it takes what the other made into account
    assert [size for size, _, _ in signed(database, key)] == [256, 512, 768]


def test_none_is_made_while_the_catalogue_is_closed(checkpointing, database, intake, key):
    submit(intake, a_source())
    for state, made in (("building", False), ("live", True)):
        database.write(lambda connection, state=state: connection.execute(update(VIEW).values(state=state)))
        assert checkpointing.once() is made
    assert len(signed(database, key)) == 1


def test_what_fails_leaves_nothing_and_the_next_is_true(checkpointing, database, intake, clock, key, monkeypatch):
    submit(intake, a_source())
    monkeypatch.setattr("app.custody.note.Signer.checkpoint", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        checkpointing.once()
    assert rows_of(database, TILE) == rows_of(database, CHECKPOINT) == []
    assert len(leaves(database)) == 4
    monkeypatch.undo()
    assert checkpointing.once() is True
    assert signed(database, key) == [(256, 4, clock.now)]


def test_a_leaf_that_is_missing_is_told_and_nothing_is_signed(checkpointing, database, intake):
    submit(intake, a_source(), a_source("src-b"))
    database.write(lambda connection: connection.execute(LEAF.delete().where(LEAF.c.index == 2)))
    with pytest.raises(ValueError, match="leaves of the log are missing"):
        checkpointing.once()
    assert rows_of(database, CHECKPOINT) == []


async def running(checkpointing) -> None:
    task = asyncio.create_task(checkpointing.run())
    await asyncio.sleep(0.5)
    await asyncio.wait_for(checkpointing.end(task), 10)


def test_it_runs_beside_the_service_and_ends_when_it_is_told(checkpointing, database, intake, key):
    submit(intake, a_source())
    asyncio.run(running(checkpointing))
    assert len(signed(database, key)) == 1


def test_a_failure_is_logged_and_the_service_goes_on(settings, database, intake, clock, monkeypatch):
    said = Said()
    submit(intake, a_source())
    monkeypatch.setattr("app.custody.checkpoints.make", lambda *_: 1 / 0)
    asyncio.run(running(Checkpointing(settings, database, said, clock)))
    assert said.warnings == ["ZeroDivisionError"]
