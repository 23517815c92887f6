"""The index of texts follows what is written: it finds what is there, and forgets what is not, on both engines."""

from typing import Any

import pytest
from sqlalchemy import bindparam, select

from app.catalogue.tables import ROW, SEARCHED, VIEW, WORD
from app.core import fts5
from app.core.db import Wanted
from app.intake import rebuild as module
from app.intake.erase import erase
from app.intake.rebuild import rebuild
from app.intake.restore import restore
from app.intake.views import create, prepare, retire
from tests.intake import inline
from tests.intake.chance import History
from tests.intake.house import I1, I2, OWNER, WORLD, an_incident, submit


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    monkeypatch.setattr(module, "workers", inline.workers)


def check(database) -> int:
    """Check that rows, texts, indexes and counts say the same in every view; return how many words there are."""

    def look(connection):
        said: Any = bindparam("q")
        words = 0
        retired = set(connection.scalars(select(VIEW.c.id).where(VIEW.c.state == "retired")))
        for view in connection.scalars(select(VIEW.c.id)).all():
            if view in retired:
                continue
            ks = set(connection.scalars(select(ROW.c.k).where(ROW.c.view == view)))
            texts = dict(
                connection.execute(select(SEARCHED.c.k, SEARCHED.c.terms).where(SEARCHED.c.view == view)).all()
            )
            assert set(texts) == ks
            counted = dict(connection.execute(select(WORD.c.word, WORD.c.n).where(WORD.c.view == view)).all())
            assert counted.pop("", 0) == len(ks)
            assert counted.pop(" ", 0) == sum(len(text.split()) for text in texts.values())
            assert set(counted) == {w for text in texts.values() for w in text.split() if not w.startswith("zq")}
            for word, n in counted.items():
                asked = database.wanted(Wanted(((((word,), False),),)))
                found = connection.execute(database.found(SEARCHED, view, said), {"q": asked}).scalars().all()
                assert sorted(found) == sorted(k for k, text in texts.items() if word in text.split())
                assert len(found) == n
            words += len(counted)
        return words

    words: int = database.look(look)
    return words


def words(database) -> set[str]:
    found: set[str] = database.look(lambda connection: set(connection.scalars(select(WORD.c.word))))
    return found


@pytest.mark.parametrize(("engine", "seed"), [("sqlite", 0), ("sqlite", 1), ("postgresql", 2)], indirect=["engine"])
def test_after_a_history_drawn_by_chance_and_a_rebuild(intake, database, writer, clock, settings, seed):
    History(intake, clock, seed, rich=True).run(20)
    some = check(database)
    assert some > 50
    rebuild(writer, settings)
    assert check(database) == some


def test_what_was_erased_is_found_by_no_word(intake, database, writer):
    submit(intake, *WORLD, an_incident(title={"public": {"en": "Marshfeather"}}))
    check(database)
    assert "marshfeath" in words(database)
    assert erase(writer, I1, OWNER, "a test")
    assert "marshfeath" not in words(database)
    check(database)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_deleted_by_the_many_is_found_no_more_and_soon_not_even_kept(intake, database, writer, monkeypatch):
    def kept(connection) -> bool:
        blocks = connection.exec_driver_sql("SELECT block FROM searched_0_data").scalars().all()
        return any(b"marshfeath" in block for block in blocks)

    submit(intake, *WORLD, an_incident(title={"public": {"en": "Marshfeather"}}))
    monkeypatch.setattr(fts5, "MANY", 1)
    assert erase(writer, I1, OWNER, "a test")
    assert "marshfeath" not in words(database)
    check(database)
    assert database.look(kept)
    submit(intake, an_incident(I2))
    check(database)
    restore(writer)
    assert not database.look(fts5.keeps_marks) and not database.look(kept)
    check(database)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_transaction_that_fails_amid_it_leaves_the_index_forgetting_at_once(intake, database, writer):
    def fail(connection) -> None:
        with fts5.marked(connection, SEARCHED, 0):
            raise RuntimeError("a test")

    submit(intake, *WORLD, an_incident(title={"public": {"en": "Marshfeather"}}))
    with pytest.raises(RuntimeError):
        database.write(fail)
    assert erase(writer, I1, OWNER, "a test")
    blocks = database.look(lambda c: c.exec_driver_sql("SELECT block FROM searched_0_data").scalars().all())
    assert not any(b"marshfeath" in block for block in blocks)
    assert not database.look(fts5.keeps_marks)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_after_a_history_in_which_all_that_goes_is_only_marked(intake, database, writer, clock, monkeypatch):
    monkeypatch.setattr(fts5, "MANY", 1)
    History(intake, clock, 3).run(20)
    some = check(database)
    database.tidy()
    assert check(database) == some > 50


def test_a_view_has_its_own_index_from_its_first_day_to_its_last(intake, database, writer, settings):
    submit(intake, *WORLD, an_incident())
    before = check(database)
    view = create(writer, "partner", "advocacy")
    prepare(writer, settings.home)
    assert check(database) > before
    retire(writer, view)
    assert check(database) == before
