"""A consent that has run out is carried out by the first request after it, before that request is answered."""

import time

import pytest
from starlette.testclient import TestClient

from app.core import moments
from app.intake.retract import retract
from app.main import create_app
from tests.intake.house import OWNER, T1, T2, a_source, a_testimony, consent, seen_by, submit


@pytest.fixture
def answering(settings, intake):
    ended = moments.iso(moments.now() - 3 * 86_400_000)[:10]  # the tests' clock, by which it was taken in, is behind
    submit(
        intake,
        a_source(),
        a_testimony(T1, consent=consent(ended, public={})),
        a_testimony(T2, consent=consent("9999-12-30", public={})),
    )
    with TestClient(create_app(settings)) as client:
        yield client


def test_the_first_request_after_the_end_of_a_consent_no_longer_sees_the_record(answering):
    answers = [answering.get("/v1/testimonies").json() for _ in range(2)]
    assert [[item["id"] for item in answer["items"]] for answer in answers] == [[T2], [T2]]
    assert answering.get(f"/v1/testimonies/{T1}").status_code == 404


def test_what_was_taken_away_and_left_is_shown_again_by_a_server_that_starts(settings, intake, database, monkeypatch):
    """As after a command that was killed between taking away and showing again."""
    monkeypatch.setattr("app.intake.write.AT_ONCE", 0)
    monkeypatch.setattr("app.intake.deny.AT_ONCE", 0)
    submit(intake, a_source(), a_testimony(T1), a_testimony(T2, same_witness=[T1]))
    assert retract(intake.writer, T1, OWNER, "a test")
    assert seen_by(database, T2) == []
    with TestClient(create_app(settings)) as client:
        for _ in range(200):
            answer = client.get("/v1/testimonies").json()
            if answer["total"]:
                break
            time.sleep(0.05)
        assert [item["id"] for item in answer["items"]] == [T2]
    assert seen_by(database, T2) == [0, 1, 2]
