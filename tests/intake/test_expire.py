"""Consent runs out: at its moment the record leaves every view, and each view knows which moment is next."""

from sqlalchemy import select

from app.catalogue.tables import VIEW
from app.core import moments
from app.intake.retract import expire, retract
from tests.intake.house import (
    I1,
    I2,
    MECHANISM,
    ONE_ENGINE,
    OWNER,
    PER,
    PUBLIC,
    T1,
    T2,
    T3,
    a_person,
    a_source,
    a_testimony,
    an_incident,
    check_log,
    consent,
    history,
    revisions,
    seen_by,
    shown,
    submit,
)

DAY = 86_400_000
FIRST, SECOND = moments.end_of("2024-01-31"), moments.end_of("2024-06-30")


def next_expiry(database):
    statement = select(VIEW.c.next_expiry).order_by(VIEW.c.id)
    return database.look(lambda connection: list(connection.scalars(statement)))


def test_a_testimony_leaves_with_what_rests_on_it_at_the_end_of_its_last_day(intake, database, writer, clock):
    rests = {"disclosure_basis": "consent", "citations": []}
    submit(
        intake,
        a_source(),
        a_testimony(T1, consent=consent("2024-01-31", public={}, mechanism={})),
        a_testimony(T2, consent=consent("2024-06-30", public={})),
        a_testimony(T3),
        an_incident(I1, testimonies=[T1], **rests),
        an_incident(I2, testimonies=[T1, T2, T3], **rests),
    )
    assert next_expiry(database) == [FIRST, None, FIRST]
    clock.now = FIRST - 1
    assert expire(writer) == 0
    assert seen_by(database, T1) == [PUBLIC, MECHANISM]
    clock.now = FIRST
    assert expire(writer) == 1
    assert seen_by(database, T1) == seen_by(database, I1) == []
    assert shown(database, PUBLIC, I2)["testimonies"] == [T2, T3]
    assert next_expiry(database) == [SECOND, None, None]
    assert revisions(database, T1) == [(1, "submitted"), (2, "expired")]
    assert history(database, PUBLIC, I1) == [("created", 1), ("removed", 1)]
    assert expire(writer) == 0
    clock.now = SECOND + DAY
    assert expire(writer) == 1
    assert shown(database, PUBLIC, I2)["testimonies"] == [T3]
    assert next_expiry(database) == [None, None, None]
    check_log(writer)


@ONE_ENGINE
def test_a_person_leaves_too_and_is_named_no_more(intake, database, writer, clock):
    act = {"violation": "torture", "people": [PER]}
    submit(
        intake,
        a_source(),
        {"kind": "violation", "id": "torture", "label": {"en": "Torture"}},
        a_person(PER, consent=consent("2024-01-31", public={})),
        an_incident(I1, acts=[act]),
    )
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == [PER]
    clock.now = FIRST
    assert expire(writer) == 1
    assert shown(database, PUBLIC, I1)["acts"][0]["people"] == []


@ONE_ENGINE
def test_what_has_run_out_already_is_never_shown(intake, database, clock):
    clock.now = FIRST
    submit(intake, a_source(), a_testimony(T1, consent=consent("2024-01-31", public={})))
    assert seen_by(database, T1) == [] and next_expiry(database) == [None, None, None]


def test_a_consent_given_anew_brings_it_back(intake, database, writer, clock):
    submit(intake, a_source(), a_testimony(T1, consent=consent("2024-01-31", public={})))
    clock.now = FIRST
    expire(writer)
    assert submit(intake, a_testimony(T1, consent=consent("2024-01-31", public={}))).unchanged == [T1]
    assert seen_by(database, T1) == []
    assert submit(intake, a_testimony(T1, consent=consent("2024-06-30", public={}))).revised == [T1]
    assert seen_by(database, T1) == [PUBLIC] and shown(database, PUBLIC, T1)["revision"] == 2
    assert next_expiry(database)[PUBLIC] == SECOND


@ONE_ENGINE
def test_what_was_taken_back_does_not_run_out(intake, database, writer, clock):
    submit(intake, a_source(), a_testimony(T1, consent=consent("2024-01-31", public={})))
    retract(writer, T1, OWNER, "a test")
    clock.now = FIRST
    assert expire(writer) == 0
    assert revisions(database, T1) == [(1, "submitted"), (2, "retracted")]


def test_an_end_that_is_set_or_moved_nearer_is_known_though_nothing_shown_changes(intake, database, writer, clock):
    submit(intake, a_source(), a_testimony(T1, consent=consent(public={})))
    assert next_expiry(database)[PUBLIC] is None
    submit(intake, a_testimony(T1, consent=consent("2024-06-30", public={})))
    assert next_expiry(database)[PUBLIC] == SECOND
    submit(intake, a_testimony(T1, consent=consent("2024-01-31", public={})))
    assert next_expiry(database)[PUBLIC] == FIRST
    assert history(database, PUBLIC, T1) == [("created", 1)]
    clock.now = FIRST
    assert expire(writer) == 1 and seen_by(database, T1) == []
