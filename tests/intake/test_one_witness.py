"""Two accounts of one person: counted as one witness only while the view is shown that person by name."""

import pytest

from app.intake import rebuild
from app.intake.retract import expire, retract
from tests.intake import inline
from tests.intake.house import (
    I1,
    MECHANISM,
    OWNER,
    PARTNER,
    PER,
    PUBLIC,
    T1,
    T2,
    T3,
    a_person,
    a_source,
    a_testimony,
    an_incident,
    catalogue,
    consent,
    history,
    seen_by,
    shown,
    submit,
)

ALL = (PUBLIC, PARTNER, MECHANISM)
NAMED = {"form": "named", "designation": {"en": "N"}, "person": PER}


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    monkeypatch.setattr(rebuild, "workers", inline.workers)


def counted(database):
    return [shown(database, view, I1)["corroboration"] for view in ALL]


def accounts(**more):
    """Return two published accounts that name one person, and an incident that rests on them alone."""
    told = [a_testimony(id, witness=NAMED, **more) for id in (T1, T2)]
    return [*told, an_incident(disclosure_basis="consent", testimonies=[T1, T2], citations=[])]


def check_made_anew(writer, database, settings):
    before = catalogue(database)
    assert rebuild.rebuild(writer, settings).changed == 0
    assert catalogue(database) == before


def test_a_person_who_is_not_shown_by_name_ties_nothing(intake, database, writer, settings):
    person = consent(public={}, partner={"identity": "withheld"})
    submit(intake, a_source(), a_person(consent=person), *accounts())
    assert seen_by(database, PER) == [PUBLIC, PARTNER]
    assert counted(database) == [1, 2, 2]
    check_made_anew(writer, database, settings)


def test_two_accounts_that_withhold_who_tells_are_two(intake, database, writer, settings):
    allowed = consent(public={"identity": "withheld"}, partner={"identity": "pseudonym"}, mechanism={})
    submit(intake, a_source(), a_person(), *accounts(consent=allowed))
    assert counted(database) == [2, 1, 1]
    check_made_anew(writer, database, settings)


def test_an_incident_follows_what_becomes_of_the_person_of_its_accounts(intake, database, writer, settings, clock):
    submit(intake, a_source(), a_person(consent=consent(public={}, partner={}, mechanism={})), *accounts())
    assert counted(database) == [1, 1, 1]
    submit(intake, a_person(consent=consent("2024-01-31", public={"identity": "withheld"}, mechanism={})))
    assert counted(database) == [2, 2, 1]
    assert [history(database, view, I1)[-1] for view in ALL] == [("updated", 2), ("updated", 2), ("created", 1)]
    check_made_anew(writer, database, settings)
    clock.now += 100 * 86_400_000
    assert expire(writer) == 1
    assert counted(database) == [2, 2, 2]
    submit(intake, a_person(consent=consent(public={}, partner={}, mechanism={})))
    assert counted(database) == [1, 1, 1]
    retract(writer, PER, OWNER, "a test")
    assert counted(database) == [2, 2, 2]
    check_made_anew(writer, database, settings)


def test_so_it_does_where_the_accounts_are_looked_at_again_for_another_reason_too(intake, database, writer, settings):
    """The person's only source goes, and with it one of the two sources of each account."""
    cited = [{"symbol": "TEST/1", "source": "src-a"}, {"symbol": "TEST/2", "source": "src-b"}]
    person = a_person(citations=cited[:1])
    submit(intake, a_source(), a_source("src-b"), person, *accounts(citations=cited))
    assert counted(database) == [1, 1, 1]
    submit(intake, a_source(restricted=True))
    assert seen_by(database, PER) == [MECHANISM] and seen_by(database, T1) == list(ALL)
    assert counted(database) == [2, 2, 1]
    check_made_anew(writer, database, settings)


def test_who_names_a_person_of_others_does_not_learn_which_of_their_accounts_are_that_persons(
    intake, database, writer, settings
):
    """An account that is made up for it has neither the pseudonym of the others, nor does it lower a number."""
    allowed = consent(public={"identity": "withheld"}, partner={"identity": "pseudonym"}, mechanism={})
    theirs, guess = a_testimony(T1, witness=NAMED, consent=allowed), a_testimony(T2, witness=NAMED, consent=allowed)
    again = a_testimony(T3, witness=NAMED, consent=allowed)
    submit(intake, a_source(), a_person(consent=allowed), theirs, owner="other-body")
    submit(intake, guess, again, an_incident(disclosure_basis="consent", testimonies=[T1, T2, T3], citations=[]))

    def called(id):
        return shown(database, PARTNER, id)["witness"]["designation"]["en"]

    assert called(T1) != called(T2) == called(T3)
    assert counted(database) == [3, 2, 1]  # mechanisms are shown the person by name, and each account names them
    assert all(shown(database, MECHANISM, id)["witness"]["person"] == PER for id in (T1, T2))
    check_made_anew(writer, database, settings)
