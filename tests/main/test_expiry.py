"""A consent that has run out is carried out by the first request after it, before that request is answered."""

import pytest
from starlette.testclient import TestClient

from app.core import moments
from app.main import create_app
from tests.intake.house import T1, T2, a_source, a_testimony, consent, submit


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
