"""What is proposed to a reviewer: pairs of the reviewer's view, the surest first, and never a merger by itself."""

import pytest

from app.duplicates import matching
from tests.duplicates.conftest import a_person, an_incident, proposed
from tests.writing.conftest import another, held


def test_a_person_in_two_scripts_is_proposed_once_and_not_merged(hand, places):
    same = {"home_province": places["north"], "left": "2009-03"}
    one = hand.post("/v1/people", a_person({"ko": "한가상"}, **same))["id"]
    other = hand.post("/v1/people", a_person({"en": "Han Ka-sang"}, **same))["id"]
    hand.post("/v1/people", a_person({"en": "Pak Tarun"}, **same))
    found = proposed(hand)
    assert (found["total"], found["next"]) == (1, None)
    pair = found["items"][0]
    assert (pair["kind"], pair["record"], pair["other"], pair["ask"]) == ("person", other, one, None)
    assert pair["score"] > 0.98
    assert [(why["on"], why["says"]) for why in pair["reasons"]] == [
        ("name", "same"),
        ("left", "same-month"),
        ("place", "same"),
        ("sex", "same"),
    ]
    assert hand.ask("GET", f"/v1/people/{other}").status_code == 200
    assert proposed(hand, record=one)["items"] == [pair]
    assert proposed(hand, record="per-none")["total"] == 0


def test_an_incident_by_days_place_and_violation(hand, places, violation):
    def post(title, date, place):
        content = an_incident(title, date=date, places=[places[place]], violations=[violation])
        return hand.post("/v1/incidents", content)["id"]

    one = post("Beaten by guards", "2016-05-12", "camp")
    post("A trial", "2003", "south")
    other = post("Guards who were beating prisoners", "2016-05-12", "north")
    found = proposed(hand, "incidents")
    assert [(pair["record"], pair["other"]) for pair in found["items"]] == [(other, one)]
    assert {(why["on"], why["says"]) for why in found["items"][0]["reasons"]} >= {
        ("date", "same-days"),
        ("place", "within"),
        ("violation", "same"),
    }


def test_pages_go_on_where_the_last_one_ended(hand):
    names = ("Jin Harang", "Pyo Miso", "Kal Tubong", "Tak Yeson", "So Nuri")
    for name in names * 2:
        hand.post("/v1/people", a_person({"en": name}))
    whole, following, found = proposed(hand), "/v1/duplicates?kind=people&limit=2", []
    while following:
        page = hand.ask("GET", following.removeprefix("http://testserver")).json()
        assert page["total"] == len(names)
        found += page["items"]
        following = page["next"]
    assert found == whole["items"]
    assert hand.ask("GET", "/v1/duplicates?kind=people&cursor=00").status_code == 422


def test_who_may_not_write_reviews_nothing(hand, house):
    reader = another(house, owner=hand.owner, roles=("read",))
    writer = another(house, owner=hand.owner, roles=("steward",))
    for way in ("/v1/duplicates?kind=people", "/v1/duplicates/decisions"):
        assert house.client.get(way).status_code == 401
        assert reader.ask("GET", way).status_code == 403
        assert writer.ask("GET", way).status_code == 403  # no right to read


@pytest.mark.parametrize(
    ("query", "name"),
    [("", "kind"), ("?kind=places", "kind"), ("?kind=people&knd=x", "knd"), ("?kind=people&limit=0", "limit")],
)
def test_what_cannot_be_asked_is_refused(hand, query, name):
    held(hand.ask("GET", f"/v1/duplicates{query}"), 422, name)


def test_without_what_compares_the_answer_says_so(hand, monkeypatch):
    monkeypatch.setattr(matching, "is_there", lambda: False)
    hand.post("/v1/people", a_person({"ko": "윤없음"}))
    assert "duplicates" in held(hand.ask("GET", "/v1/duplicates?kind=people"), 503)
