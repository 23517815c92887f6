"""Screening: a load warns of texts that may say too much, by file and line; it blocks and alters nothing."""

import pytest

from app.intake import much
from app.intake.builtin import load_builtin
from app.intake.loading import Fault, Load
from app.intake.much import AtOnce
from tests.intake import inline
from tests.intake.deployment import written
from tests.intake.house import (
    I1,
    ONE_ENGINE,
    OWNER,
    PER,
    PUBLIC,
    T1,
    T2,
    Value,
    a_person,
    a_source,
    a_testimony,
    an_incident,
    consent,
    seen_by,
    shown,
    submit,
)

QUIET = consent(public={"identity": "withheld"})
NAMED = {"form": "named", "designation": {"ko": "홍길동"}, "person": PER}
NAME = "holds the name of somebody whom public may not know by name"
PHONE = "holds what looks like a telephone number, and is marked as fit for public: see whether it is meant to be there"
RESTS: Value = {"disclosure_basis": "consent", "citations": [], "testimonies": [T1]}
VALUES = [
    an_incident(I1, summary={"public": {"en": "Gildong Hong saw it"}}, **RESTS),
    a_testimony(T1, witness=NAMED, title={"public": {"ko": "홍길동의 증언"}}, consent=QUIET),
    a_testimony(T2, summary={"public": {"en": "Call 010-0000-0000"}}),
    a_person(PER, name={"en": "Hong Gil-dong"}, consent=QUIET),
    a_source(),
]


@pytest.mark.parametrize("closed", [None, False, True])
def test_a_load_says_where_to_look_again_and_takes_all(intake, database, settings, tmp_path, monkeypatch, closed):
    monkeypatch.setattr(much, "workers", inline.workers)
    monkeypatch.setattr(much, "LITTLE", 0)
    fast = None if closed is None else AtOnce(settings, closed)
    report = Load(intake, tmp_path, OWNER).run([written(tmp_path, VALUES)], much=fast)
    assert (report.faults, report.created) == ([], 5)
    assert sorted(report.warnings) == [
        Fault("records.ndjson", 1, "summary.public.en", NAME),
        Fault("records.ndjson", 2, "title.public.ko", NAME),
        Fault("records.ndjson", 3, "summary.public.en", PHONE),
    ]
    assert "홍" not in str(report.warnings) and "0000" not in str(report.warnings)
    assert shown(database, PUBLIC, T1)["title"] == {"ko": "홍길동의 증언"}
    again = Load(intake, tmp_path, OWNER).run([written(tmp_path, VALUES)])
    assert (again.unchanged, again.warnings) == (5, [])


@ONE_ENGINE
def test_what_is_on_record_already_is_known_by_name(intake, database):
    accused = {"kind": "actor", "id": "act-0000000000000000000000000a", "name": {"en": "Byeon Hakdo"}}
    submit(intake, a_source(), *VALUES[1:4], accused | {"type": "natural-person"})
    value = an_incident(**RESTS | {"actors": [accused["id"]]}, title={"public": {"en": "Hong Gildong and Byeon Hakdo"}})
    outcome = submit(intake, value)
    assert [(id, doubt.field, doubt.reason) for id, doubt in outcome.doubts] == [(I1, "title.public.en", NAME)]
    outcome = submit(intake, value | {"testimonies": [T2], "title": {"public": {"en": "BYEON, Hakdo"}}})
    assert [doubt.field for _, doubt in outcome.doubts] == ["title.public.en"]


@ONE_ENGINE
def test_a_record_that_comes_with_a_consent_that_has_run_out_is_warned_of(intake, database, tmp_path):
    path = written(tmp_path, [a_source(), a_testimony(T1, consent=consent("2023-11-13", public={}))])
    report = Load(intake, tmp_path, OWNER).run([path])
    reason = "has passed: the record is kept, and shown to nobody"
    assert report.warnings == [Fault("records.ndjson", 2, "consent.expires", reason)] and seen_by(database, T1) == []


@ONE_ENGINE
def test_the_public_record_is_warned_of_nowhere(intake, tmp_path):
    report = load_builtin(intake, tmp_path)
    assert report.created > 1_000 and report.warnings == []
