"""A new consent that has run out, or lies ahead, is refused; the record keeps the one that it has."""

import pytest

from app.intake.loading import Fault, Load
from app.intake.retract import expire
from app.intake.submit import ENDED, Refused
from tests.intake.deployment import written
from tests.intake.house import (
    ONE_ENGINE,
    OWNER,
    PER,
    PUBLIC,
    T1,
    T2,
    a_person,
    a_source,
    a_testimony,
    catalogue,
    consent,
    revisions,
    seen_by,
    shown,
    submit,
)

PAST, SOON = "2023-11-13", "2023-11-20"  # the clock of the tests begins on 2023-11-14
A_WEEK = 7 * 86_400_000


def refusals(intake, *values):
    with pytest.raises(Refused) as refused:
        submit(intake, *values)
    return [(one.position, one.field, one.reason) for one in refused.value.refusals]


def test_a_new_consent_that_has_run_out_is_refused_and_the_former_one_holds(intake, database):
    submit(intake, a_source(), a_testimony(T1, consent=consent(public={})), a_person(PER))
    before = catalogue(database)
    ended = a_testimony(T1, consent=consent(PAST, public={}))
    person = a_person(PER, consent=consent(PAST, public={}))
    assert refusals(intake, a_source("src-b"), ended, person) == [
        (1, "consent.expires", ENDED),
        (2, "consent.expires", ENDED),
    ]
    assert catalogue(database) == before and seen_by(database, T1) == [PUBLIC]
    assert revisions(database, T1) == [(1, "submitted")]


def test_a_load_tells_of_it_before_anything_is_applied(intake, database, tmp_path):
    submit(intake, a_source(), a_testimony(T1, consent=consent(public={})))
    path = written(tmp_path, [a_testimony(T2), a_testimony(T1, consent=consent(PAST, public={}))])
    report = Load(intake, tmp_path, OWNER).run([path])
    assert report.faults == [Fault("records.ndjson", 2, "consent.expires", ENDED)] and not report.applied
    report = Load(intake, tmp_path, OWNER).run([path], keep_good=True)
    assert (report.created, report.revised) == (1, 0) and seen_by(database, T1) == [PUBLIC]


def test_a_record_that_is_new_is_taken_and_shown_to_nobody(intake, database, tmp_path):
    path = written(tmp_path, [a_source(), a_testimony(T1, consent=consent(PAST, public={}))])
    report = Load(intake, tmp_path, OWNER).run([path])
    assert (report.faults, report.created) == ([], 2) and seen_by(database, T1) == []


def test_a_file_is_loaded_again_after_its_consent_has_run_out(intake, database, writer, clock, tmp_path):
    value = a_testimony(T1, consent=consent(SOON, public={}))
    submit(intake, a_source(), value)
    clock.now += A_WEEK
    expire(writer)
    path = written(tmp_path, [value])
    assert Load(intake, tmp_path, OWNER).run([path]).unchanged == 1
    path = written(tmp_path, [{**value, "note": {"en": "corrected"}}])
    report = Load(intake, tmp_path, OWNER).run([path])
    assert (report.faults, report.revised) == ([], 1) and seen_by(database, T1) == []
    submit(intake, a_testimony(T1, consent=consent("2024-01-31", public={})))
    assert shown(database, PUBLIC, T1)["revision"] == 2


@ONE_ENGINE
def test_a_day_ahead_is_refused_in_every_way_in(intake, tmp_path):
    ahead = a_testimony(T1, consent=consent(public={}) | {"obtained_on": "2023-11-16"})
    reason = "lies in the future: write the day on which it was done"
    assert refusals(intake, ahead) == [(0, "consent.obtained_on", reason)]
    report = Load(intake, tmp_path, OWNER).run([written(tmp_path, [a_source(), ahead])])
    assert report.faults == [Fault("records.ndjson", 2, "consent.obtained_on", reason)]
    tomorrow = a_testimony(T1, consent=consent(public={}) | {"obtained_on": "2023-11-15"})
    assert submit(intake, a_source(), tomorrow).created == ["src-a", T1]
