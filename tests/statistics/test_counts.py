"""Counts by facets: exact, of listed records, in the view that asks, on both engines."""

import csv
import io

import pytest

ASK = "/v1/statistics/counts"


def groups(answer, name="incidents"):
    """Return the groups as rows: their values, and how many there are."""
    assert answer.status_code == 200, answer.text
    return [(*[value for key, value in item.items() if key != name], item[name]) for item in answer.json()["items"]]


def test_without_more_it_counts_incidents_by_year(client):
    answer = client.get(f"{ASK}?from=2010&match=within").json()
    assert answer == {
        "items": [{"year": str(year), "incidents": n} for year, n in ((2011, 2), (2014, 1), (2015, 1), (2016, 1))],
        "total": 3,
        "meta": {
            "describes": "Incidents whose date surely lies inside the time from 2010 on, "
            "of the scope event or situation",
            "undated": 2,
            "left_out": {"pattern": 1},
        },
    }


def test_a_pattern_is_counted_where_it_is_asked_for(client):
    assert groups(client.get(f"{ASK}?group_by=scope")) == [("event", 9)]
    asked = client.get(f"{ASK}?group_by=scope&scope=pattern&scope=event")
    assert groups(asked) == [("event", 9), ("pattern", 1)]
    assert "left_out" not in asked.json()["meta"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("group_by=violation", [("abduction", 1), ("detention", 6), ("torture", 4)]),
        ("group_by=violation&violation=torture", [("detention", 4), ("torture", 4)]),
        (
            "group_by=violation,place",
            [
                ("detention", "camp-1", 2),
                ("detention", "prov-a", 3),
                ("torture", "camp-1", 2),
                ("torture", "prov-a", 3),
            ],
        ),
        (
            "group_by=violation,decade&place=prov-a",
            [
                *[("detention", "200X", 1), ("detention", "201X", 1), ("detention", None, 1)],
                *[("torture", "200X", 1), ("torture", "201X", 1), ("torture", None, 1)],
            ],
        ),
        (
            "group_by=year,violation&place=camp-1",
            [("detention", "2003", 1), ("detention", None, 1), ("torture", "2003", 1), ("torture", None, 1)],
        ),
        ("group_by=actor,victim_group", []),
        ("group_by=violation&corroboration_min=3", [("detention", 1), ("torture", 1)]),
    ],
)
def test_one_or_two_facets_make_groups(client, asked, expected):
    assert groups(client.get(f"{ASK}?{asked}")) == expected


def test_testimonies_are_counted_apart(client):
    assert groups(client.get(f"{ASK}?kind=testimony&group_by=recorded_by"), "testimonies") == [("coi", 1), ("ohchr", 1)]
    assert groups(client.get(f"{ASK}?kind=testimony&group_by=knowledge&violation=torture"), "testimonies") == [
        ("experienced", 1)
    ]


def test_the_groups_are_rows_of_csv_too(client):
    answer = client.get(f"{ASK}?group_by=violation,decade&place=prov-a", headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows[:3] == [["violation", "decade", "incidents"], ["detention", "200X", "1"], ["detention", "201X", "1"]]
    assert ["torture", "", "1"] in rows


def test_each_view_counts_what_it_is_shown(client, partner):
    asked = f"{ASK}?group_by=violation"
    assert ("secret", 1) in groups(partner.get(asked))
    assert "secret" not in client.get(asked).text
    assert partner.get(asked).headers["cache-control"] == "private, no-store"
    assert partner.get(asked, headers={"x-view": "2"}).status_code == 503


def test_what_is_known_already_is_not_sent_again(client):
    answer = client.get(f"{ASK}?group_by=violation")
    again = client.get(f"{ASK}?group_by=violation", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{ASK}?group_by=place").headers["etag"] != answer.headers["etag"]
    assert client.get(f"{ASK}?group_by=violation&format=csv").headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize(
    ("asked", "name", "why"),
    [
        (
            "group_by=violations",
            "group_by",
            "'violations' is no facet that can be counted here. Did you mean 'violation'?",
        ),
        ("group_by=person", "group_by", "'person' is no facet that can be counted here."),
        ("group_by=violation,place,scope", "group_by", "These are more than two facets."),
        ("group_by=year,decade", "group_by", "A year lies in one decade: ask for one of the two."),
        ("group_by=scope&kind=testimony", "group_by", "'scope' is no facet that can be counted here."),
        ("kind=place", "kind", "'place' is no value of it"),
        ("facets=place", "facets", "There is no parameter 'facets'."),
        ("limit=5", "limit", "There is no parameter 'limit'."),
        ("violation=secret", "violation", "'secret' is no violation that you may see."),
    ],
)
def test_what_cannot_be_counted_is_refused(client, asked, name, why):
    answer = client.get(f"{ASK}?{asked}")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["name"] == name and error["detail"].startswith(why), error


def test_more_groups_than_an_answer_has_are_refused(client, monkeypatch):
    monkeypatch.setattr("app.statistics.counts.MOST", 1)
    answer = client.get(f"{ASK}?group_by=violation&bbox=126,40,127,41")
    assert answer.status_code == 422
    assert "more than 1 combinations" in answer.json()["errors"][0]["detail"]
