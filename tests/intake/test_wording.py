"""The index of texts follows what is written: it finds what is there, and forgets what is not, on both engines."""

from typing import Any

import pytest
from sqlalchemy import bindparam, select

from app.catalogue.tables import ROW, SEARCHED, VIEW, WORD
from app.core.db import Wanted
from app.intake import rebuild as module
from app.intake.erase import erase
from app.intake.rebuild import rebuild
from app.intake.views import create, prepare, retire
from tests.intake import inline
from tests.intake.chance import History
from tests.intake.house import I1, OWNER, WORLD, an_incident, submit


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


@pytest.mark.parametrize(("engine", "seed"), [("sqlite", 0), ("sqlite", 1), ("postgresql", 2)], indirect=["engine"])
def test_after_a_history_drawn_by_chance_and_a_rebuild(intake, database, writer, clock, settings, seed):
    History(intake, clock, seed).run(20)
    words = check(database)
    assert words > 50
    rebuild(writer, settings)
    assert check(database) == words


def test_what_was_erased_is_found_by_no_word(intake, database, writer):
    submit(intake, *WORLD, an_incident(title={"public": {"en": "Quillfeather"}}))
    check(database)

    def words() -> set[str]:
        found: set[str] = database.look(lambda connection: set(connection.scalars(select(WORD.c.word))))
        return found

    assert "quillfeath" in words()
    assert erase(writer, I1, OWNER, "a test")
    assert "quillfeath" not in words()
    check(database)


def test_a_view_has_its_own_index_from_its_first_day_to_its_last(intake, database, writer, settings):
    submit(intake, *WORLD, an_incident())
    before = check(database)
    view = create(writer, "partner", "advocacy")
    prepare(writer, settings.home)
    assert check(database) > before
    retire(writer, view)
    assert check(database) == before
