"""Rebuilding: after whatever happened, the catalogue made anew from the vault is the same, byte for byte."""

import pytest
from sqlalchemy import delete, text, update

from app.catalogue.tables import POSTING, ROW, TERM, TERM_COUNT, VIEW
from app.intake import rebuild as module
from app.intake.rebuild import rebuild
from app.vault.tables import DISCLOSED
from tests.conftest import ENGINES, Clock
from tests.intake import inline
from tests.intake.chance import History
from tests.intake.deployment import Deployment
from tests.intake.house import (
    I1,
    ONE_ENGINE,
    PUBLIC,
    WORLD,
    an_incident,
    catalogue,
    check_log,
    history,
    rows_of,
    shown,
    submit,
)


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    """Real processes are in the tests of bulk loads; these need only their work."""
    monkeypatch.setattr(module, "workers", inline.workers)


@pytest.mark.parametrize(
    ("engine", "seed"), [("sqlite", 0), ("sqlite", 1), ("sqlite", 2), ("postgresql", 3)], indirect=["engine"]
)
def test_after_a_history_drawn_by_chance(intake, database, writer, clock, settings, seed):
    History(intake, clock, seed, rich=True).run(30)
    before, views = catalogue(database), rows_of(database, VIEW)
    done = rebuild(writer, settings)
    assert (done.changed, done.rows) == (0, len(before["row"]))
    after = catalogue(database)
    for table in before:
        assert after[table] == before[table], table
    assert rows_of(database, VIEW) == views
    check_log(writer)


def test_what_was_lost_or_damaged_is_mended(intake, database, writer, settings):
    submit(intake, *WORLD, an_incident(places=["camp"], violations=["torture"]))
    before = catalogue(database)

    def damage(connection):
        connection.execute(delete(POSTING).where(POSTING.c.view == 1))
        connection.execute(update(ROW).where(ROW.c.id == I1).values(body=b"{}", s0=1))
        connection.execute(delete(TERM_COUNT))
        connection.execute(delete(TERM))
        connection.execute(text("INSERT INTO spot VALUES (0, 1, 2, 3, 4, 5, 6, 7)"))

    database.write(damage)
    assert rebuild(writer, settings).changed == 0
    assert catalogue(database) == before


@ONE_ENGINE
def test_where_the_rules_have_changed_since_that_is_a_change_as_any_other(intake, database, writer, settings, clock):
    submit(intake, *WORLD, an_incident())
    was_shown = update(DISCLOSED).where(DISCLOSED.c.view == PUBLIC, DISCLOSED.c.id == I1).values(digest=bytes(32))
    database.write(lambda connection: connection.execute(was_shown))
    clock.now += 1000
    assert rebuild(writer, settings).changed == 1
    assert history(database, PUBLIC, I1) == [("created", 1), ("updated", 2)]
    assert shown(database, PUBLIC, I1)["updated"] == "2023-11-14T22:13:21.000Z"
    assert history(database, 1, I1) == [("created", 1)]
    assert rebuild(writer, settings).changed == 0


def test_an_empty_vault_is_made_anew_too(writer, settings):
    done = rebuild(writer, settings)
    assert (done.records, done.rows, done.changed) == (0, 0, 0)


def test_both_engines_hold_the_same_bytes(new_database, tmp_path):
    held = []
    for engine in ENGINES:
        one = Deployment(new_database(engine), tmp_path / engine)
        clock = Clock()
        one.writer.clock = clock
        History(one.intake, clock, 7).run(12)
        held.append(catalogue(one.database))
        one.close()
    assert held[0] == held[1]
    assert len(held[0]["row"]) > 60
