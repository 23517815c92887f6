"""Problems have the members of RFC 9457, one status a type, and name the word that was meant."""

import orjson
import pytest

from app.core.problems import EXPLAINED, MEDIA_TYPE, TYPES, Fault, Problem, invalid, nearest, not_found

STATUS = {
    "invalid-parameter": 400,
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "not-acceptable": 406,
    "too-slow": 408,
    "conflict": 409,
    "precondition-failed": 412,
    "precondition-required": 428,
    "too-long": 414,
    "too-large": 413,
    "unsupported-media-type": 415,
    "invalid-request": 422,
    "too-many-requests": 429,
    "headers-too-large": 431,
    "internal-error": 500,
    "unavailable": 503,
}
QUERY = Fault("query", "period", "No period.")
BODY = Fault("body", "/date", "No date.")


def test_the_status_of_each_type():
    assert {slug: Problem(slug, "").status for slug in TYPES} == STATUS
    assert set(EXPLAINED) == set(TYPES)
    assert len({title for _, title in TYPES.values()}) == len(TYPES)
    assert MEDIA_TYPE == "application/problem+json"


def test_the_members_of_a_problem():
    problem = Problem("unavailable", "Later.", headers={"Retry-After": "60"})
    expected = {"type": "/problems/unavailable", "title": "The service is not ready", "status": 503, "detail": "Later."}
    assert problem.as_json() == expected
    assert orjson.loads(problem.body()) == expected
    assert list(problem.as_json()) == ["type", "title", "status", "detail"]
    assert problem.headers == {"Retry-After": "60"}
    assert not_found().as_json() == {
        "type": "/problems/not-found",
        "title": "There is no such thing here",
        "status": 404,
        "detail": "There is nothing here under this address that you may see.",
    }


def test_where_a_fault_stands():
    assert QUERY.as_json() == {"in": "query", "name": "period", "detail": "No period."}
    assert BODY.as_json() == {"pointer": "/date", "detail": "No date."}


def test_faults_are_told_all_at_once():
    one, two = invalid([QUERY]), invalid(iter([QUERY, BODY]))
    assert (one.type, one.status, one.detail) == ("invalid-request", 422, "No period.")
    assert one.as_json()["errors"] == [QUERY.as_json()]
    assert two.detail == "The request has several errors."
    assert two.as_json()["errors"] == [QUERY.as_json(), BODY.as_json()]


def test_a_problem_is_raised_and_is_itself():
    with pytest.raises(Problem) as raised:
        raise not_found()
    assert raised.value == not_found()
    assert raised.value != invalid([QUERY])


@pytest.mark.parametrize(
    ("word", "phrase"),
    [
        ("violatoin", "Did you mean 'violation'?"),
        ("violation", "Did you mean 'violation'?"),
        ("plcae", "Did you mean 'place'?"),
        ("PERIOD", "Did you mean 'period'?"),
        ("zzzz", ""),
        ("", ""),
        ("violation" + "x" * 100_000, ""),
    ],
)
def test_the_nearest_word(word, phrase):
    assert nearest(word, iter(["violation", "place", "period"])) == phrase
    assert nearest(word, []) == ""
