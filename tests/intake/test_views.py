"""Views made after the fact: filled to what they would have been, from whatever was there, and taken away whole."""

import itertools

import orjson
import pytest
from sqlalchemy import insert, select

from app.catalogue.tables import MOST_EVER, ROW, VIEW
from app.core.ids import fixed
from app.intake import deny, views, write
from app.intake import rebuild as module
from app.intake.rebuild import rebuild
from app.intake.retract import retract
from app.intake.views import NoView, create, prepare, retire
from app.vault.tables import RECORD
from tests.intake import inline
from tests.intake.chance import History
from tests.intake.house import (
    I1,
    OWNER,
    T1,
    T2,
    WORLD,
    Value,
    a_testimony,
    an_incident,
    catalogue,
    check_log,
    consent,
    rows_of,
    shown,
    submit,
)

OHCHR = ("mechanism:ohchr", "criminal-proceedings", ("fair-trial",))
SINCE = ("revision", "updated")
FIRST = {"audience": "partner", "purpose": "advocacy", "recipient": "[]", "state": "retired", "generation": 0}


def held(database, view):
    """Return what a view is shown, but since when, and what it finds that by."""
    of_view = select(ROW.c.id, ROW.c.s0, ROW.c.terms, ROW.c.body).where(ROW.c.view == view)
    rows = database.look(lambda connection: list(connection.execute(of_view)))
    bodies = {id: {k: v for k, v in orjson.loads(body).items() if k not in SINCE} for id, _, _, body in rows}
    tables = catalogue(database)
    found = {name: [row[1:] for row in tables[name] if row[0] == view] for name in ("posting", "term_count")}
    return bodies, sorted((id, s0, bytes(terms)) for id, s0, terms, _ in rows), found


def state_of(database, view):
    return database.look(lambda connection: connection.scalar(select(VIEW.c.state).where(VIEW.c.id == view)))


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    monkeypatch.setattr(module, "workers", inline.workers)


@pytest.mark.parametrize(("engine", "seed"), [("sqlite", 1), ("sqlite", 2), ("postgresql", 3)], indirect=["engine"])
def test_it_is_shown_what_it_would_be_had_it_always_been_there(deploy, seed):
    early, late = deploy(), deploy()
    made = [create(early.writer, *OHCHR), create(early.writer, *views.OWN, owner=OWNER)]
    assert made == [3, 4] and prepare(early.writer, early.settings.home) == made
    for one in (early, late):
        History(one.intake, one.writer.clock, seed, rich=True).run(25)
    before = [held(late.database, view) for view in range(3)]
    assert [create(late.writer, *OHCHR), create(late.writer, *views.OWN, owner=OWNER)] == made
    assert state_of(late.database, 3) == "preparing"
    assert prepare(late.writer, late.settings.home) == made and prepare(late.writer, late.settings.home) == []
    assert [held(late.database, view) for view in range(3)] == before
    for view in range(5):
        assert held(late.database, view) == held(early.database, view), view
    assert len(held(late.database, 4)[0]) > 0
    check_log(late.writer)
    whole = catalogue(late.database)
    assert rebuild(late.writer, late.settings).changed == 0
    assert catalogue(late.database) == whole


def test_cut_short_and_written_to_meanwhile(deploy, monkeypatch):
    whole, cut = deploy(), deploy()
    for one in (whole, cut):
        submit(one.intake, *WORLD, a_testimony(T1, same_witness=[T2]), a_testimony(T2, same_witness=[T1]))
        create(one.writer, *OHCHR)
    late = an_incident(testimonies=[T1], places=["camp"], violations=["torture"])
    submit(whole.intake, late)
    assert prepare(whole.writer, whole.settings.home) == [3]
    real, calls = cut.writer.prepare, 0

    def interrupted(view, ids):
        nonlocal calls
        calls += 1
        if calls == 4:
            submit(cut.intake, late)
            raise KeyboardInterrupt
        real(view, ids)

    monkeypatch.setattr(cut.writer, "prepare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(cut.writer, cut.settings.home)
    assert state_of(cut.database, 3) == "preparing"
    assert rebuild(cut.writer, cut.settings).changed == 0  # what is missing yet is no change of the rules
    assert state_of(cut.database, 3) == "preparing"
    monkeypatch.setattr(cut.writer, "prepare", real)
    assert prepare(cut.writer, cut.settings.home) == [3] and state_of(cut.database, 3) == "live"
    assert held(cut.database, 3) == held(whole.database, 3)
    assert shown(cut.database, 3, I1)["places"] == ["camp"]
    check_log(cut.writer)


def test_an_organisation_sees_its_own_records_whole_and_of_others_what_is_public(deploy):
    one = deploy()
    text = {"title": {"partner": {"en": "For partners"}}, "full_text": {"en": "All of it"}}
    submit(one.intake, *WORLD)
    submit(one.intake, a_testimony(T1, consent=consent(), places=["camp"], date="2003-04-05", **text), owner="ngo-a")
    submit(one.intake, an_incident(disclosure_basis="consent", citations=[], testimonies=[T1]), owner="ngo-a")
    submit(one.intake, a_testimony(T2, consent=consent(partner={}, public={})), owner="ngo-b")
    for owner in ("ngo-a", "ngo-b"):
        create(one.writer, *views.OWN, owner=owner)
    assert prepare(one.writer, one.settings.home) == [3, 4]
    seen = shown(one.database, 3, T1)
    assert (seen["title"], seen["full_text"], seen["date"]["edtf"]) == (
        {"en": "For partners"},
        {"en": "All of it"},
        "2003-04-05",
    )
    assert shown(one.database, 3, I1)["testimonies"] == [T1]
    own = [sorted(id for id in held(one.database, view)[0] if id in (T1, T2, I1)) for view in (0, 3, 4)]
    assert own == [[T2], sorted([T1, I1]), [T2]]
    assert shown(one.database, 4, "camp")["id"] == "camp"


def test_retired_it_is_gone_and_its_number_is_not_given_again(deploy, monkeypatch):
    monkeypatch.setattr(views, "AT_ONCE", 2)
    one = deploy()
    submit(one.intake, *WORLD, an_incident(places=["camp"], violations=["torture"]))
    before = catalogue(one.database)
    create(one.writer, *OHCHR)
    prepare(one.writer, one.settings.home)
    retire(one.writer, 3)
    assert catalogue(one.database) == before
    assert create(one.writer, *OHCHR) == 4
    assert prepare(one.writer, one.settings.home) == [4]
    known = one.database.look(views.known)
    assert [(view.id, view.state, view.records) for view in known if view.id > 2] == [(3, "retired", 0), (4, "live", 8)]
    check_log(one.writer)


def test_a_view_that_is_retired_while_it_is_filled_stays_retired(deploy, monkeypatch):
    one = deploy()
    submit(one.intake, *WORLD, an_incident(places=["camp"], violations=["torture"]))
    before = catalogue(one.database)
    create(one.writer, *OHCHR)
    real, calls = one.writer.prepare, itertools.count()

    def retired_meanwhile(view, ids):
        if next(calls) == 2:
            retire(one.writer, view)
        return real(view, ids)

    monkeypatch.setattr(one.writer, "prepare", retired_meanwhile)
    assert prepare(one.writer, one.settings.home) == []
    assert state_of(one.database, 3) == "retired" and catalogue(one.database) == before


def test_what_a_kill_left_of_a_retired_view_is_taken_away_later(deploy, monkeypatch):
    one = deploy()
    submit(one.intake, *WORLD, an_incident(places=["camp"], violations=["torture"]))
    before, masks = catalogue(one.database), rows_of(one.database, RECORD)
    create(one.writer, *OHCHR)
    prepare(one.writer, one.settings.home)
    with monkeypatch.context() as context:
        context.setattr(views, "clear", lambda _: None)  # killed before it was done
        retire(one.writer, 3)
    assert one.database.look(views.is_unsettled) and catalogue(one.database) != before
    assert prepare(one.writer, one.settings.home) == []
    assert not one.database.look(views.is_unsettled) and catalogue(one.database) == before
    places = [one.database.look(lambda c: c.scalar(select(RECORD.c.views).where(RECORD.c.id == "camp")))]
    assert places == [row[8] for row in masks if row[0] == "camp"]


def test_the_highest_number_that_a_view_may_have_counts_when_rows_are_taken_away(deploy, monkeypatch):
    one = deploy()
    one.database.write(lambda connection: connection.execute(insert(VIEW).values(**FIRST, id=MOST_EVER - 2)))
    assert create(one.writer, *OHCHR) == MOST_EVER - 1
    with pytest.raises(NoView, match="62 views have been made"):
        create(one.writer, "partner", "advocacy")
    monkeypatch.setattr(write, "AT_ONCE", 2)
    monkeypatch.setattr(deny, "AT_ONCE", 2)
    ids = [fixed("inc", f"rests-{n}") for n in range(5)]
    allowed: Value = {OHCHR[0]: {"purposes": [OHCHR[1]], "place": "province"}}
    everybody = consent(**allowed)
    submit(one.intake, *WORLD, a_testimony(T1, consent=everybody, places=["camp"]))
    rests = {"disclosure_basis": "consent", "citations": [], "testimonies": [T1]}
    submit(one.intake, *(an_incident(id, **rests) for id in ids))
    prepare(one.writer, one.settings.home)
    assert set(ids) <= set(held(one.database, MOST_EVER - 1)[0])
    assert retract(one.writer, T1, OWNER, "a test")
    assert set(ids).isdisjoint(held(one.database, MOST_EVER - 1)[0])
    check_log(one.writer)


def test_what_cannot_be_made_or_retired(deploy):
    one = deploy()
    with pytest.raises(NoView, match="already"):
        create(one.writer, "partner", "research")
    with pytest.raises(NoView, match="3 views are in use"):
        create(one.writer, *OHCHR, most=3)
    for view, words in ((0, "of everybody"), (9, "no view 9")):
        with pytest.raises(NoView, match=words):
            retire(one.writer, view)
    retire(one.writer, 2)
    with pytest.raises(NoView, match="no view 2"):
        retire(one.writer, 2)
