"""Deny first: what may say too much goes at once, nothing wider is shown in between, and all is right in the end."""

import signal
import subprocess
import sys

import pytest

from app.core.ids import fixed
from app.intake import rebuild as module
from app.intake.erase import erase
from app.intake.rebuild import rebuild
from app.intake.restore import restore
from app.intake.retract import expire, retract, withdraw
from app.vault.tables import RESTORING
from tests.intake import house, inline
from tests.intake.house import (
    ACT,
    I1,
    I2,
    MECHANISM,
    OWNER,
    PARTNER,
    PER,
    PUBLIC,
    T1,
    T2,
    T3,
    WORLD,
    a_person,
    a_place,
    a_source,
    a_testimony,
    an_incident,
    at_once,
    catalogue,
    check_log,
    consent,
    history,
    rows_of,
    seen_by,
    shown,
    step,
    submit,
)

ALL = [PUBLIC, PARTNER, MECHANISM]
MANY = [fixed("inc", f"many-{number}") for number in range(5)]
RESTS = {"disclosure_basis": "consent", "citations": []}
LINK = {"kind": "link", "id": "link-a", "type": "seen-with", "to": "camp", "confidence": "low", "source": "src-a"}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Three are many."""
    at_once(monkeypatch, 3)
    monkeypatch.setattr(module, "workers", inline.workers)


def waiting(database) -> dict[str, int]:
    return {id: withheld for id, _, withheld in rows_of(database, RESTORING)}


@pytest.fixture
def resting(intake):
    """Five incidents that rest on one testimony, four of them on another too; a link to one of them."""
    open_to_all = consent(public={}, partner={}, mechanism={})
    submit(intake, *WORLD, *[a_testimony(id, consent=open_to_all, citations=[]) for id in (T1, T2)])
    submit(intake, an_incident(MANY[0], testimonies=[T1], places=["camp"], **RESTS))
    submit(intake, *[an_incident(id, testimonies=[T1, T2], places=["camp"], **RESTS) for id in MANY[1:]])
    submit(intake, LINK | {"from": MANY[1]})


def test_narrowed_for_one_view_all_of_it_goes_there_and_what_has_support_comes_back(resting, intake, database, writer):
    narrowed = consent(public={"place": "province", "date": "year"}, partner={}, mechanism={})
    submit(intake, a_testimony(T1, consent=narrowed, citations=[]))
    assert [seen_by(database, id) for id in (T1, *MANY, "link-a")] == [ALL] + [[PARTNER, MECHANISM]] * 6
    assert waiting(database) == dict.fromkeys([*MANY, "link-a"], 1 << PUBLIC)
    while step(writer):
        for id in MANY:
            if PUBLIC in seen_by(database, id):
                left = shown(database, PUBLIC, id)
                assert (left["date"]["edtf"], left["places"]) == ("2012", ["north"])
    assert waiting(database) == {}
    assert [seen_by(database, id) for id in (T1, *MANY, "link-a")] == [ALL] * 7
    assert history(database, PUBLIC, MANY[1]) == [("created", 1), ("removed", 1), ("created", 2)]
    assert history(database, PARTNER, MANY[1]) == [("created", 1)]
    check_log(writer)


@pytest.mark.parametrize("verb", [retract, withdraw, erase])
def test_what_rested_on_it_alone_stays_away(resting, database, writer, verb):
    assert verb(writer, T1, OWNER, "asked for")
    assert [seen_by(database, id) for id in (T1, *MANY, "link-a")] == [[]] * 7
    assert T1 not in str(catalogue(database))
    assert restore(writer) == 6
    assert [seen_by(database, id) for id in (T1, *MANY, "link-a")] == [[], [], *[ALL] * 5]
    assert all(shown(database, view, id)["testimonies"] == [T2] for view in ALL for id in MANY[1:])
    assert waiting(database) == {} and restore(writer) == 0
    check_log(writer)


def test_expiry_denies_first_too(intake, database, writer, clock):
    submit(intake, a_source(), a_testimony(T1, consent=consent("2024-01-31", public={}), citations=[]))
    submit(intake, *[an_incident(id, testimonies=[T1], **RESTS) for id in MANY])
    clock.now += 400 * 86_400_000
    assert expire(writer) == 1
    assert [seen_by(database, id) for id in MANY] == [[]] * 5
    assert restore(writer) == 5 and [seen_by(database, id) for id in MANY] == [[]] * 5


def test_widened_nothing_goes_and_more_is_shown_later(resting, intake, database, writer):
    coarse = consent(public={"place": "province", "date": "year"}, partner={}, mechanism={})
    submit(intake, *[a_testimony(id, consent=coarse, citations=[]) for id in (T1, T2)])
    restore(writer)
    before = [history(database, PUBLIC, id) for id in MANY]
    wide = consent(public={}, partner={}, mechanism={})
    submit(intake, *[a_testimony(id, consent=wide, citations=[]) for id in (T1, T2)])
    assert [history(database, PUBLIC, id) for id in MANY] == before
    assert set(waiting(database)) >= set(MANY) and not any(waiting(database).values())
    assert restore(writer) > 0
    assert [shown(database, PUBLIC, id)["date"]["edtf"] for id in MANY] == ["2012-03-04"] * 5
    assert [history(database, PUBLIC, id)[-1][0] for id in MANY] == ["updated"] * 5


def test_a_word_that_nothing_rests_on_takes_nothing_away(resting, intake, database, writer):
    told = consent(public={}, partner={}, mechanism={})
    before = catalogue(database)["row"]
    submit(intake, a_testimony(T1, consent=told, citations=[], note={"en": "a slip of the pen, mended"}))
    assert not any(waiting(database).values())
    restore(writer)
    assert len(catalogue(database)["row"]) == len(before)
    assert [history(database, PUBLIC, id) for id in MANY] == [[("created", 1)]] * 5


def test_a_view_cannot_tell_how_much_others_are_shown(intake, database, writer):
    """Of the testimony the public sees three incidents and the mechanism five: the public's are shown anew at once."""
    submit(intake, *WORLD, a_testimony(T1, consent=consent(public={}, mechanism={}), citations=[]), a_testimony(T2))
    hidden = a_testimony(T3, consent=consent(mechanism={}), citations=[])
    submit(intake, hidden)
    submit(intake, *[an_incident(id, testimonies=[T1], **RESTS) for id in MANY[:3]])
    actor = {"kind": "actor", "id": ACT, "name": {"en": "N"}, "type": "natural-person", "named_in": []}
    submit(intake, actor)
    submit(intake, *[an_incident(id, testimonies=[T1], contradicted_by=[T3], **RESTS) for id in MANY[3:]])
    submit(intake, *[an_incident(fixed("inc", f"more-{n}"), testimonies=[T3], **RESTS) for n in range(5)])
    submit(intake, a_testimony(T3, consent=consent(mechanism={"date": "year"}), citations=[]))
    assert {id for id, mask in waiting(database).items() if mask} == {
        fixed("inc", f"more-{n}") for n in range(5)
    } | set(MANY[3:])
    assert all(history(database, PUBLIC, id) == [("created", 1)] for id in MANY)
    restore(writer)
    assert all(history(database, PUBLIC, id) == [("created", 1)] for id in MANY)
    check_log(writer)


def test_what_names_a_withheld_record_waits_with_it(resting, intake, database, writer):
    """A new link to a withheld incident, and a revised one: neither is shown before the incident is."""
    withdraw(writer, T1, OWNER, "asked for")
    submit(intake, LINK | {"id": "link-b", "from": MANY[2]}, LINK | {"note": {"en": "revised"}, "from": MANY[1]})
    assert [seen_by(database, id) for id in ("link-a", "link-b")] == [[], []]
    restore(writer)
    assert [seen_by(database, id) for id in ("link-a", "link-b")] == [ALL, ALL]
    check_log(writer)


def test_an_incident_is_never_finer_while_one_of_its_accounts_is_withheld(intake, database, writer):
    """Accounts are withheld while their source is looked at anew; what is written meanwhile must not forget them."""
    coarse = {"reasons": ["child"], "assessed_by": "A", "assessed_on": "2020", "limits": {"public": {"date": "year"}}}
    accounts = [a_testimony(fixed("tst", f"many-{n}"), protection=coarse) for n in range(4)]
    free = a_testimony(T1, citations=[{"symbol": "TEST/2"}])
    submit(intake, *WORLD, a_source("src-b"), free, *accounts)
    testimonies = [T1, accounts[0]["id"]]
    submit(intake, an_incident(I1, testimonies=testimonies, **RESTS))
    assert shown(database, PUBLIC, I1)["date"]["edtf"] == "2012"
    submit(intake, a_source(restricted=True))
    assert seen_by(database, I1) == [MECHANISM]
    submit(intake, an_incident(I2, testimonies=testimonies, **RESTS))
    assert PUBLIC not in seen_by(database, I2)
    submit(intake, a_source())
    restore(writer)
    assert [shown(database, PUBLIC, id)["date"]["edtf"] for id in (I1, I2)] == ["2012", "2012"]


COARSE = consent(public={"place": "province", "date": "year"}, partner={}, mechanism={})
ACTS = [{"violation": "torture", "people": [PER], "places": ["camp"]}]
HELD = LINK | {"id": "link-held", "from": PER}


def naming(database, view: int) -> set[str]:
    return house.filed(database, view, "person", PER)


@pytest.mark.parametrize("many", [1, 5])  # within the transaction, and more than is shown anew in it
@pytest.mark.parametrize("how", ["narrowed", "withdrawn", "erased", "expired"])
def test_a_person_who_allows_less_is_named_no_more_from_that_moment(intake, database, writer, clock, many, how):
    wide = consent("2024-01-31", public={}, partner={}, mechanism={})
    submit(intake, *WORLD, a_person(consent=wide), *[an_incident(id, acts=ACTS) for id in MANY[:many]])
    submit(intake, HELD)
    assert naming(database, PUBLIC) == set(MANY[:many]) and seen_by(database, "link-held") == ALL
    if how == "narrowed":
        submit(intake, a_person(consent=COARSE))
        assert seen_by(database, PER) == ALL
    elif how == "expired":
        clock.now += 400 * 86_400_000
        assert expire(writer) == 1
    else:
        assert {"withdrawn": withdraw, "erased": erase}[how](writer, PER, OWNER, "asked for")
    left = [MECHANISM, PARTNER] if how == "narrowed" else []
    assert naming(database, PUBLIC) == set() and PUBLIC not in seen_by(database, "link-held")
    assert all(PER not in str(shown(database, view, id)) for id in MANY for view in seen_by(database, id) if view == 0)
    restore(writer)
    assert [seen_by(database, id) for id in MANY[:many]] == [ALL] * many
    assert [shown(database, PUBLIC, id)["acts"][0]["people"] for id in MANY[:many]] == [[]] * many
    assert naming(database, MECHANISM) == (set(MANY[:many]) if left else set())
    assert seen_by(database, "link-held") == sorted(left)
    check_log(writer)


def test_a_person_who_allows_more_is_named_again_and_a_rebuild_says_the_same(intake, database, writer, settings):
    submit(intake, *WORLD, a_person(consent=COARSE), *[an_incident(id, acts=ACTS) for id in MANY], HELD)
    assert naming(database, PUBLIC) == set() and naming(database, PARTNER) == set(MANY)
    before = catalogue(database)
    assert rebuild(writer, settings).changed == 0 and catalogue(database) == before
    submit(intake, a_person(consent=consent(public={}, partner={}, mechanism={})))
    restore(writer)
    assert naming(database, PUBLIC) == set(MANY) and seen_by(database, "link-held") == ALL
    assert all(change != "removed" for id in MANY for change, _ in history(database, PUBLIC, id))


def test_a_rebuild_while_the_journal_is_unfinished(resting, database, writer, settings):
    withdraw(writer, T1, OWNER, "asked for")
    step(writer, 2)
    assert rebuild(writer, settings).changed == 0
    assert waiting(database) == {}
    before = catalogue(database)
    assert seen_by(database, MANY[1]) == ALL
    assert rebuild(writer, settings).changed == 0 and catalogue(database) == before
    check_log(writer)


def test_a_place_with_much_in_it(intake, database, writer):
    submit(intake, *WORLD, *[an_incident(id, places=["camp"]) for id in MANY])
    submit(intake, a_place("camp", parent="north"))  # its coordinates are taken out
    assert [seen_by(database, id) for id in MANY] == [[]] * 5
    restore(writer)
    assert [shown(database, PUBLIC, id)["geometry"] for id in MANY] == [None] * 5


def test_killed_amid_the_journal_it_is_gone_on_with(resting, database, writer, settings):
    withdraw(writer, T1, OWNER, "asked for")
    place = [settings.database_url, str(settings.home)]
    for number, left in ((4, 3), (2, 2)):
        command = [sys.executable, "-m", "tests.intake.killed_restoring", *place, str(number)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
        assert len(waiting(database)) == left
    writer.world.forget()
    assert restore(writer) == 2
    assert [seen_by(database, id) for id in (T1, *MANY, "link-a")] == [[], [], *[ALL] * 5]
    check_log(writer)


def test_who_is_named_by_what_went_does_not_go_on_naming_it(intake, database, writer):
    """Two accounts name one another: what may be shown less because of one takes the other away, and so the one too."""
    told = consent(public={}, partner={}, mechanism={})
    one, other = (
        a_testimony(id, same_witness=[to], consent=told, citations=[], places=["camp"])
        for id, to in ((T1, T2), (T2, T1))
    )
    submit(intake, *WORLD, one, other, *[an_incident(id, testimonies=[T1], **RESTS) for id in MANY])
    narrowed = consent(public={"place": "province"}, partner={}, mechanism={})
    submit(intake, one | {"consent": narrowed})
    assert seen_by(database, T1) == seen_by(database, T2) == [PARTNER, MECHANISM]
    withdraw(writer, T2, OWNER, "asked for")
    assert all(T2 not in str(shown(database, view, id)) for id in (T1, *MANY) for view in seen_by(database, id))
    restore(writer)
    assert [seen_by(database, id) for id in (T1, T2, *MANY)] == [ALL, [], *[ALL] * 5]
    assert shown(database, PUBLIC, T1)["same_witness"] == []
    check_log(writer)


def test_sources_that_derive_from_one_another_come_back(intake, database, writer):
    """Shown anew, one has the other looked at, and by way of that itself once more: nothing waits for ever."""
    first, second = a_source("src-a", derived_from=["src-b", "src-c"]), a_source("src-b", derived_from=["src-a"])
    submit(intake, *WORLD, a_source("src-b"), a_source("src-c"))
    submit(intake, first, second, *[an_incident(id) for id in MANY])
    submit(intake, first | {"derived_from": ["src-b"]})
    assert [seen_by(database, id) for id in ("src-b", *MANY)] == [[]] * 6
    submit(intake, *[an_incident(fixed("inc", f"more-{number}")) for number in range(4)])
    while step(writer):
        pass
    assert waiting(database) == {}
    assert [seen_by(database, id) for id in ("src-a", "src-b", *MANY)] == [ALL] * 7
    check_log(writer)
