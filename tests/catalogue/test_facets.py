"""Facets of lists: which values what is found has, exact in the view that asks, on both engines."""

import pytest

from app.catalogue.breakdown import _spread
from app.catalogue.facets import of
from app.catalogue.parameters import vocabulary
from app.records import KINDS
from app.vocabulary.edtf import bounds


def facet(answer, name):
    """Return what is told of a facet: its values with their counts, how many more, how many have no date."""
    told = answer.json()["meta"]["facets"][name]
    return {one["value"]: one["count"] for one in told["values"]}, told["rest"], told.get("undated")


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ("facets=violation", {"detention": 7, "torture": 5, "abduction": 1}),
        ("facets=violation&place=camp-1", {"detention": 3, "torture": 3}),
        ("facets=violation&place=camp-1&from=2012", {"detention": 1, "torture": 1}),
        ("facets=violation&to=1990", {"detention": 1, "torture": 1, "abduction": 1}),
        ("facets=violation&corroboration_min=1", {"detention": 2, "torture": 2}),
        ("facets=violation&bbox=126,40,127,41", {"detention": 2, "torture": 2}),
        ("facets=violation&boundary=2011-12-17&side=before", {"detention": 1, "torture": 1}),
        ("facets=violation&boundary=2011-12-17&side=undated", {"detention": 1, "torture": 1}),
        ("facets=violation&updated_since=2030-01-01", {}),
        ("facets=crime", {"crime-f": 5}),
        ("facets=place", {"prov-a": 4, "camp-1": 3}),
        ("facets=victim_group&violation=detention", {"believer": 1, "returnee": 1}),
        ("facets=scope&violation=torture&place=camp-1", {"event": 2, "pattern": 1}),
    ],
)
def test_the_values_of_what_is_found_are_counted(client, asked, values):
    assert facet(client.get(f"/v1/incidents?{asked}"), asked.split("&")[0].removeprefix("facets=")) == (values, 0, None)


def test_a_facet_leaves_out_the_filter_of_its_own_name_and_no_other(client):
    answer = client.get("/v1/incidents?violation=torture&place=prov-a&facets=violation,place,scope")
    assert answer.json()["total"] == 4
    assert facet(answer, "violation")[0] == {"detention": 4, "torture": 4}
    assert facet(answer, "place")[0] == {"prov-a": 4, "camp-1": 3}
    assert facet(answer, "scope")[0] == {"event": 3, "pattern": 1}
    several = client.get("/v1/incidents?violation=torture&violation=abduction&facets=violation")
    assert facet(several, "violation")[0] == {"detention": 7, "torture": 5, "abduction": 1}


def test_the_list_that_belongs_to_one_record_stays_that(client):
    answer = client.get("/v1/violations/torture/incidents?facets=violation,actor")
    assert answer.json()["total"] == 5
    assert facet(answer, "violation")[0] == {"detention": 5, "torture": 5}
    assert facet(answer, "actor")[0] == {}


def test_an_uncertain_date_counts_in_each_year_that_it_may_touch(client):
    years, rest, undated = facet(client.get("/v1/incidents?facets=year&facet_limit=100"), "year")
    assert (min(years), max(years), rest, undated) == ("1977", "2016", 0, 2)
    # Of d (1977-11/..) and e ([..2013]) every year may be one; c lasted from 2004 to 2011; a 2003; b, j 2011; f 2012.
    assert [years[year] for year in ("1977", "1990", "2003", "2004", "2011", "2012", "2013", "2014", "2016")] == [
        *[2, 2, 3, 3, 5, 3, 2, 2, 2]
    ]
    decades, rest, undated = facet(client.get("/v1/incidents?facets=decade"), "decade")
    assert (decades, rest, undated) == ({"197X": 2, "198X": 2, "199X": 2, "200X": 4, "201X": 7}, 0, 2)


def test_years_count_what_the_list_has(client):
    answer = client.get("/v1/incidents?facets=year,decade&violation=torture&from=2010&match=within")
    assert facet(answer, "year") == ({"2011": 1, "2012": 1}, 0, 0)
    assert facet(answer, "decade") == ({"201X": 2}, 0, 0)
    undated = client.get("/v1/incidents?facets=year&boundary=2011-12-17&side=undated")
    assert facet(undated, "year") == ({}, 0, 2)


def test_the_values_that_most_have_come_first_and_equals_by_name(client):
    answer = client.get("/v1/incidents?facets=violation,year&place=camp-1&facet_limit=1").json()["meta"]["facets"]
    assert answer == {
        "violation": {"values": [{"value": "detention", "count": 3}], "rest": 1},
        "year": {"values": [{"value": "2003", "count": 1}], "rest": 1, "undated": 1},
    }


def test_each_view_counts_what_it_is_shown(client, partner):
    asked = "/v1/incidents?facets=violation"
    assert "secret" not in client.get(asked).text
    assert facet(partner.get(asked), "violation")[0] == {"detention": 7, "torture": 5, "abduction": 1, "secret": 1}


def test_the_next_page_tells_the_same(client):
    first = client.get("/v1/incidents?facets=scope&facet_limit=5&limit=3").json()
    second = client.get(first["next"]).json()
    assert first["meta"]["facets"] == second["meta"]["facets"]
    plain = client.get("/v1/incidents?limit=3")
    assert "facets" not in plain.json()["meta"]
    assert plain.headers["etag"] != client.get("/v1/incidents?facets=scope&limit=3").headers["etag"]


@pytest.mark.parametrize(
    ("asked", "name", "why"),
    [
        ("facets=violations", "facets", "'violations' is no facet that can be counted here. Did you mean 'violation'?"),
        ("facets=person", "facets", "'person' is no facet that can be counted here. "),
        ("facets=", "facets", "It has no value."),
        ("facets=year&facets=place", "facets", "It is given more than once"),
        ("facets=year&facet_limit=0", "facet_limit", "'0' is not a whole number from 1 to 1000."),
        ("facets=year&format=csv", "facets", "A file of records has no place for counts: ask for JSON."),
        ("facets=year&format=ndjson&limit=3", "facets", "A file of records has no place for counts: ask for JSON."),
        ("facets=year&format=xlsx", "facets", "A file of records has no place for counts: ask for JSON."),
        ("facets=year&format=parquet&limit=3", "facets", "A file of records has no place for counts: ask for JSON."),
    ],
)
def test_what_cannot_be_counted_is_refused(client, asked, name, why):
    answer = client.get(f"/v1/incidents?{asked}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["name"] == name and error["detail"].startswith(why.rstrip())


def test_geojson_tells_them_too(client):
    answer = client.get("/v1/incidents?facets=scope&format=geojson")
    assert facet(answer, "scope")[0] == {"event": 9, "pattern": 1}


def test_no_facet_identifies_a_person_or_an_account():
    for kind in KINDS:
        facets = of(kind, vocabulary(kind).values())
        assert not {"person", "testimony", "incident", "ids"} & {*facets}
        assert ("year" in facets, "decade" in facets) == (bool(kind.date),) * 2
        assert "owner" in facets


def test_dates_without_a_limit_count_up_to_the_last_one_that_is_known():
    def years(*texts, name="year"):
        found = [bounds(text) for text in texts]
        cells = _spread([(one.s0, one.e1, 1) for one in found], (name,))
        return {key[0]: n for key, n in cells.items()}

    assert years("1977-11/..", "1979") == {"1977": 1, "1978": 1, "1979": 2}
    assert years("../1978", "1977") == {"1977": 2, "1978": 1}
    assert years("1977-11/..") == {"1977": 1}
    assert years("../..") == {}
    assert years() == {}
    assert years("0000", name="decade") == {"000X": 1}
