"""Objecting: hidden at once in every view, and no later load undoes it; only lifting does."""

import orjson
import pytest
from pydantic import ValidationError

from app.intake import much, rebuild
from app.intake.checking import content_of
from app.intake.erase import erase
from app.intake.loading import Load
from app.intake.much import AtOnce
from app.intake.objecting import Unobjectable, object_to
from app.intake.retract import expire, retract
from tests.intake import inline
from tests.intake.deployment import written
from tests.intake.house import (
    I1,
    I2,
    MECHANISM,
    ONE_ENGINE,
    OWNER,
    PARTNER,
    PER,
    PUBLIC,
    T1,
    T2,
    a_person,
    a_source,
    a_testimony,
    an_incident,
    catalogue,
    check_log,
    consent,
    history,
    revisions,
    seen_by,
    shown,
    submit,
)

ALL = [PUBLIC, PARTNER, MECHANISM]
NAMED = {"form": "named", "designation": {"en": "MARKER"}, "role": {"en": "MARKER"}, "person": PER}
ACCOUNT = a_testimony(T1, witness=NAMED, title={"public": {"en": "MARKER"}}, note={"en": "MARKER"})
PERSON = a_person(name={"en": "MARKER"}, description={"public": {"en": "MARKER"}})


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    monkeypatch.setattr(rebuild, "workers", inline.workers)
    monkeypatch.setattr(much, "workers", inline.workers)


def check_made_anew(writer, database, settings):
    before = catalogue(database)
    assert rebuild.rebuild(writer, settings).changed == 0
    assert catalogue(database) == before
    check_log(writer)


def test_a_record_goes_at_once_with_what_rests_on_it_alone(intake, database, writer, settings):
    rests = {"disclosure_basis": "consent", "testimonies": [T1], "citations": []}
    submit(intake, a_source(), PERSON, ACCOUNT, an_incident(I1, **rests), an_incident(I2, testimonies=[T1]))
    done = object_to(writer, T1, OWNER, "record", "THE-REASON")
    assert done is not None and done.changed and done.resting == tuple(sorted((I1, I2)))
    assert [seen_by(database, id) for id in (T1, I1, I2, PER)] == [[], [], ALL, ALL]
    assert shown(database, PUBLIC, I2)["testimonies"] == []
    assert revisions(database, T1) == [(1, "submitted"), (2, "objected")]
    for view in ALL:
        assert history(database, view, T1) == [("created", 1), ("removed", 1)]
    assert T1 not in str(catalogue(database)) and "THE-REASON" not in str(catalogue(database))
    check_made_anew(writer, database, settings)
    assert object_to(writer, T1, OWNER, "record", "again") == (False, done.resting)
    lifted = object_to(writer, T1, OWNER, "nothing", "came back")
    assert lifted is not None and lifted.changed
    assert [seen_by(database, id) for id in (T1, I1)] == [ALL, ALL]
    assert shown(database, PUBLIC, T1)["title"] == {"en": "MARKER"}
    check_made_anew(writer, database, settings)


@pytest.mark.parametrize("to", ["name", "record"])
def test_a_name_goes_from_every_account_with_the_persons(intake, database, writer, settings, to):
    submit(intake, a_source(), PERSON, ACCOUNT, a_testimony(T2, witness=NAMED), an_incident(testimonies=[T1, T2]))
    assert str(catalogue(database)).count("MARKER") == 8 * 3  # in each of three views
    assert object_to(writer, PER, OWNER, to, "a test") is not None
    assert "MARKER" not in str(catalogue(database))
    assert seen_by(database, PER) == (ALL if to == "name" else []) and seen_by(database, T1) == ALL
    assert [shown(database, view, T2)["witness"]["form"] for view in ALL] == ["withheld"] * 3
    assert [history(database, view, T2) for view in ALL] == [[("created", 1), ("updated", 2)]] * 3
    check_made_anew(writer, database, settings)
    retract(writer, PER, OWNER, "their record goes, and what they object to stays")
    assert "MARKER" not in str(catalogue(database))
    check_made_anew(writer, database, settings)


@pytest.mark.parametrize("closed", [None, False, True])
def test_no_load_of_the_same_file_or_of_a_changed_one_undoes_it(
    intake, database, writer, settings, tmp_path, monkeypatch, closed
):
    monkeypatch.setattr(much, "LITTLE", 0)
    values = [a_source(), PERSON, ACCOUNT, an_incident(testimonies=[T1])]
    submit(intake, *values)
    object_to(writer, T1, OWNER, "name", "a test")
    object_to(writer, PER, OWNER, "record", "a test")

    def load(*changed):
        fast = None if closed is None else AtOnce(settings, closed)
        return Load(intake, tmp_path, OWNER).run([written(tmp_path, [*values, *changed])], much=fast)

    report = load()
    assert (report.faults, report.created, report.revised, report.unchanged) == ([], 0, 0, 4)
    values[1:3] = [{**PERSON, "sex": "female"}, {**ACCOUNT, "summary": {"public": {"en": "MARKER"}}}]
    report = load()
    assert (report.faults, report.created, report.revised, report.unchanged) == ([], 0, 2, 2)
    assert revisions(database, T1)[-1] == (3, "submitted")
    assert seen_by(database, PER) == [] and seen_by(database, T1) == ALL and "MARKER" not in str(catalogue(database))
    retract(writer, T1, OWNER, "a test")
    assert load().revised == 1
    assert seen_by(database, T1) == ALL and "MARKER" not in str(catalogue(database))
    check_made_anew(writer, database, settings)
    object_to(writer, T1, OWNER, "nothing", "a test")
    assert load().unchanged == 4
    assert shown(database, PUBLIC, T1)["witness"]["form"] == "withheld"  # the person still objects
    object_to(writer, PER, OWNER, "nothing", "a test")
    assert shown(database, PUBLIC, T1)["summary"] == {"en": "MARKER"}


def test_what_is_retracted_may_be_objected_to_before_it_comes_back(intake, database, writer):
    submit(intake, a_source(), ACCOUNT | {"witness": {**NAMED, "person": None}})
    retract(writer, T1, OWNER, "a test")
    object_to(writer, T1, OWNER, "name", "a test")
    assert seen_by(database, T1) == []
    submit(intake, ACCOUNT | {"witness": {**NAMED, "person": None}})
    assert seen_by(database, T1) == ALL and "MARKER" not in str(catalogue(database))


def test_a_consent_given_later_does_not_lift_it_and_runs_out_as_any_other(intake, database, writer, clock):
    submit(intake, a_source(), a_testimony(T1))
    object_to(writer, T1, OWNER, "name", "a test")
    told = {"form": "named", "designation": {"en": "MARKER"}}
    submit(intake, a_testimony(T1, witness=told, consent=consent("2024-01-31", public={})))
    assert seen_by(database, T1) == [PUBLIC] and "MARKER" not in str(catalogue(database))
    clock.now += 100 * 86_400_000
    assert expire(writer) == 1 and seen_by(database, T1) == []
    assert submit(intake, a_testimony(T1, witness=told, consent=consent(public={}))).revised == [T1]
    assert seen_by(database, T1) == [PUBLIC] and "MARKER" not in str(catalogue(database))


@ONE_ENGINE
def test_only_a_published_testimony_or_person_of_the_owner_is_objected_to(intake, database, writer):
    submit(intake, a_source(), a_testimony(T1), a_testimony(T2, consent=consent(public={})), an_incident())
    before = catalogue(database)
    assert object_to(writer, T1, "other-body", "record", "a test") is None
    assert object_to(writer, "tst-nothing", OWNER, "record", "a test") is None
    for id, why in [(I1, "only a testimony or a person"), (T2, "shown by consent")]:
        with pytest.raises(Unobjectable, match=why):
            object_to(writer, id, OWNER, "name", "a test")
    with pytest.raises(ValidationError):
        object_to(writer, T1, OWNER, "name", "")
    assert catalogue(database) == before and revisions(database, T1) == [(1, "submitted")]


def test_no_submission_states_one():
    with pytest.raises(ValidationError):
        content_of(orjson.dumps(a_testimony(objection={"to": "nothing", "reason": "a test"})))


@pytest.mark.parametrize("objected", [True, False])
def test_who_was_erased_is_named_by_no_account(intake, database, writer, settings, objected):
    submit(intake, a_source(), PERSON, ACCOUNT)
    if objected:
        assert object_to(writer, PER, OWNER, "name", "a test")
    assert ("MARKER" in str(shown(database, PUBLIC, T1))) is not objected
    assert erase(writer, PER, OWNER, "a test")
    assert "MARKER" not in str([shown(database, view, T1) for view in ALL])
    assert shown(database, PUBLIC, T1)["witness"]["form"] == "withheld"
    check_made_anew(writer, database, settings)
