"""Lists: exact ids, order, totals and what is said of them, for every filter."""

import itertools

import pytest

from app.vocabulary.edtf import UNDATED_BOUNDS, bounds
from app.vocabulary.periods import matches, side
from tests.catalogue.conftest import INCIDENTS, names
from tests.catalogue.seed import account, incident

ORDERED = {
    "-date": "g f j b c a d e",
    "date": "e d a c b j f g",
}


def test_newest_first_and_undated_last(client):
    answer = client.get("/v1/incidents")
    assert names(answer).startswith("g f j b c a d e ")
    assert set(names(answer)[-3:].split()) == {"h", "i"}
    assert answer.json()["total"] == 10
    assert answer.json()["next"] is None
    assert answer.json()["meta"] == {"describes": "All incidents", "undated": 2}


def test_oldest_first_and_undated_last(client):
    assert names(client.get("/v1/incidents?sort=date"))[:-4] == ORDERED["date"]
    assert set(names(client.get("/v1/incidents?sort=date"))[-3:].split()) == {"h", "i"}


@pytest.mark.parametrize("sort", ["id", "-id", "updated", "-updated"])
def test_other_orders(client, sort):
    items = client.get(f"/v1/incidents?sort={sort}").json()["items"]
    keys = [one["id"] if sort.endswith("id") else one["updated"] for one in items]
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    assert len(keys) == 10


SPANS = {"pre-2011-12": bounds("../2011-12-16"), "post-2011-12": bounds("2011-12-17/.."), "famine": bounds("1994/1998")}


def _expected(periods: tuple[str, ...], match: str, at: str) -> set[str]:
    spans = [(SPANS[period].s0, SPANS[period].e1) for period in periods]
    return {
        name
        for name, one in INCIDENTS.items()
        if any(matches(bounds(one.date) if one.date else UNDATED_BOUNDS, *span, match, at) for span in spans)  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("periods", [("pre-2011-12",), ("post-2011-12",), ("famine",), ("famine", "post-2011-12")])
@pytest.mark.parametrize("match", ["possible", "certain", "within"])
@pytest.mark.parametrize("at", ["span", "start"])
@pytest.mark.parametrize("sort", ["-date", "date", "id"])
def test_periods_are_what_the_vocabulary_says(client, periods, match, at, sort):
    asked = "&".join(f"period={period}" for period in periods)
    answer = client.get(f"/v1/incidents?{asked}&match={match}&at={at}&sort={sort}")
    expected = _expected(periods, match, at)
    assert set(names(answer).split()) == expected
    assert answer.json()["total"] == len(expected)
    counted = {one: len(_expected(periods, one, at)) for one in ("possible", "certain", "within")}
    assert answer.json()["meta"]["matched"] == counted
    assert answer.json()["meta"]["undated"] == 2


@pytest.mark.parametrize("at", ["span", "start"])
def test_sides_add_up_to_the_total(client, at):
    sides = {
        name: side(bounds(one.date) if one.date else UNDATED_BOUNDS, bounds("2011-12-17").s0, at)
        for name, one in INCIDENTS.items()
    }
    whole = client.get(f"/v1/incidents?boundary=2011-12-17&at={at}").json()
    assert whole["total"] == 10 == sum(whole["meta"]["boundary"].values())
    for one in ("before", "after", "straddling", "undetermined", "undated"):
        answer = client.get(f"/v1/incidents?boundary=2011-12-17&side={one}&at={at}")
        expected = {name for name, found in sides.items() if found == one}
        assert set(names(answer).split()) == expected
        assert answer.json()["total"] == len(expected) == answer.json()["meta"]["boundary"][one]
        assert answer.json()["meta"]["boundary"] == whole["meta"]["boundary"]


def test_the_five_sides_of_the_seed(client):
    meta = client.get("/v1/incidents?boundary=2011-12-17").json()["meta"]
    assert meta["boundary"] == {"before": 1, "after": 3, "straddling": 1, "undetermined": 3, "undated": 2}


def test_a_side_within_a_period(client):
    answer = client.get("/v1/incidents?period=post-2011-12&boundary=2011-12-17&side=undetermined").json()
    assert answer["total"] == 3
    assert answer["meta"]["matched"] == {"possible": 3, "certain": 0, "within": 0}
    assert answer["meta"]["boundary"] == {"before": 0, "after": 3, "straddling": 1, "undetermined": 3, "undated": 0}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("from=2012-05-06", "g f d e"),
        ("from=2012-05-06&match=certain", "g f d"),
        ("to=2003", "a d e"),
        ("from=2003&to=2003&match=within", "a"),
        ("period=post-2011-12&to=2011-12", "j b c d e"),
        ("violation=torture", "f b a e h"),
        ("violation=detention", "g f b c a e h"),
        ("violation=abduction&violation=torture", "f b a d e h"),
        ("violation=torture&place=camp-1", "f a h"),
        ("crime=crime-f&scope=event", "b a e h"),
        ("place=prov-a", "f b a h"),
        ("actor=mss", "c"),
        ("source=src-1", "j"),
        ("victim_group=returnee&victim_group=believer", "g e"),
        ("verification=corroborated", ""),
        ("standard_of_proof=not-stated&scope=pattern", "f"),
        ("corroboration_min=2", "j a"),
        (f"testimony={account('t1')}", "j"),
        ("bbox=126,40,127,41", "f a"),
        ("bbox=126.08,40.5,126.08,40.5", "f a"),
        ("bbox=0,0,1,1", ""),
        ("bbox=126,40,127,41&violation=torture&period=post-2011-12", "f"),
        (f"ids={incident('a')},{incident('g')}", "g a"),
        (f"ids={incident('a')}&ids={incident('h')}&sort=date", "a h"),
        ("owner=us&scope=pattern", "f"),
    ],
)
def test_filters(client, asked, found):
    answer = client.get(f"/v1/incidents?{asked}")
    assert names(answer) == found
    assert answer.json()["total"] == len(found.split())


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("given_from=2014", ["t2"]),
        ("given_until=2013", ["t1"]),
        ("left_from=2005-03", ["t1"]),
        ("left_until=2004", []),
        ("left_until=2010", ["t1"]),
        ("recorded_by=coi", ["t1"]),
        ("account_type=interview", ["t2"]),
        ("knowledge=experienced&violation=detention", ["t1"]),
        ("account_type=interview&account_type=hearing&given_from=2014", ["t2"]),
        ("account_type=interview&account_type=hearing&given_until=2013&left_from=2005-03", ["t1"]),
        ("bbox=-180,-90,180,90&given_from=2014", []),
        (f"of_incident={incident('j')}&sort=date", ["t2", "t1"]),
        (f"of_incident={incident('a')}", []),
    ],
)
def test_filters_of_testimonies(client, asked, found):
    items = client.get(f"/v1/testimonies?{asked}").json()["items"]
    assert [one["id"] for one in items] == [account(name) for name in found]


def test_updated_since(client):
    assert names(client.get("/v1/incidents?updated_since=2023-11-14T22:13:20.001Z&sort=updated")) == "a f"


@pytest.mark.parametrize(
    ("asked", "unlocated"),
    [
        ("place=camp-1", 6),
        ("place=camp-1&violation=torture", 1),
        ("bbox=126,40,127,41", 8),
        ("bbox=126,40,127,41&violation=torture", 3),
        ("bbox=126,40,127,41&place=prov-a", 8),
        ("place=camp-1&period=post-2011-12&match=within", 2),
    ],
)
def test_what_has_no_place_is_counted(client, asked, unlocated):
    assert client.get(f"/v1/incidents?{asked}").json()["meta"]["unlocated"] == unlocated


def test_undated_are_counted_among_what_fits_all_else(client):
    meta = client.get("/v1/incidents?violation=torture&period=post-2011-12").json()["meta"]
    assert meta["undated"] == 1
    assert meta["matched"] == {"possible": 3, "certain": 1, "within": 1}


def test_the_question_in_words(client):
    asked = "violation=torture&place=camp-1&period=post-2011-12&period=famine&match=within&from=2010&bbox=126,40,127,41"
    assert client.get(f"/v1/incidents?{asked}").json()["meta"]["describes"] == (
        "Incidents whose date surely lies inside the period famine or post-2011-12, whose date surely lies inside the "
        "time from 2010 on, with the violation torture or a part of it, at or in camp-1, meeting the box 126,40,127,41"
    )


def test_relations_both_ways(client):
    one = client.get(f"/v1/incidents/{incident('j')}/testimonies?sort=id").json()
    assert sorted(item["id"] for item in one["items"]) == sorted([account("t1"), account("t2")])
    assert one["meta"]["describes"] == f"Testimonies named by the incident {incident('j')}"
    assert names(client.get(f"/v1/testimonies/{account('t1')}/incidents")) == "j"
    assert names(client.get("/v1/places/prov-a/incidents?violation=torture&period=post-2011-12")) == "f b"
    assert names(client.get("/v1/places/prov-a/incidents?place=camp-1")) == "f a h"
    assert [one["id"] for one in client.get("/v1/places/prov-a/places").json()["items"]] == ["camp-1"]
    assert [one["id"] for one in client.get("/v1/places/camp-1/parent").json()["items"]] == ["prov-a"]
    assert [one["id"] for one in client.get("/v1/violations/torture/crimes").json()["items"]] == ["crime-f"]
    assert client.get(f"/v1/incidents/{incident('a')}/testimonies").json()["total"] == 0


def test_a_view_sees_its_own_rows_only(client, partner):
    assert partner.get("/v1/incidents").json()["total"] == 11
    assert names(partner.get("/v1/incidents?violation=secret")) == "hidden"
    for address in (
        f"/v1/incidents/{incident('hidden')}",
        f"/v1/incidents/{incident('hidden')}/history",
        f"/v1/incidents/{incident('hidden')}/testimonies",
    ):
        hidden, nonsense = client.get(address), client.get(address.replace(incident("hidden"), incident("nonsense")))
        assert hidden.status_code == nonsense.status_code == 404
        assert hidden.content == nonsense.content
    for name in ("violation=secret", "period=secret-period", f"ids={incident('hidden')}"):
        hidden, nonsense = (
            client.get(f"/v1/incidents?{name}"),
            client.get(f"/v1/incidents?{name}".replace("sec", "sek")),
        )
        assert hidden.status_code == nonsense.status_code == 422
        assert b"Did you mean 'sec" not in hidden.content


def test_every_combination_has_counts_that_agree(client):
    filters = ("violation=torture", "place=prov-a", "bbox=126,40,127,41", "period=post-2011-12", "boundary=2011-12-17")
    for size in range(len(filters) + 1):
        for some in itertools.combinations(filters, size):
            answer = client.get("/v1/incidents?" + "&".join(some)).json()
            assert answer["total"] == len(answer["items"]), some
            if "boundary" in answer["meta"]:
                assert sum(answer["meta"]["boundary"].values()) == answer["total"]
