"""Bad input: each fault is refused with its own explanation, under the name of its parameter."""

import pytest

from tests.catalogue.seed import account, incident

CASES = [
    ("peroid=post-2011-12", "peroid", "There is no parameter 'peroid'. Did you mean 'period'?"),
    ("search=torture", "search", "There is no parameter 'search'. Did you mean 'q'?"),
    ("page=2", "page", "There is no parameter 'page'. Did you mean 'cursor'?"),
    ("per_page=2", "per_page", "There is no parameter 'per_page'. Did you mean 'limit'?"),
    ("perpetrator=mss", "perpetrator", "There is no parameter 'perpetrator'. Did you mean 'actor'?"),
    ("place=Kaechon%20camp", "place", "An id is asked for: /v1/places?q=… finds it by the name."),
    ("violation=xyz", "violation", "that you may see. An id is asked for: /v1/violations?q=… finds it by the name."),
    ("period=since%202011", "period", "An id is asked for: /v1/periods?q=… finds it by the name."),
    ("facets=person", "facets", "It can be violation, crime, place,"),
    ("%00=1", "", "There is a character NUL in it."),
    ("period=post-2011-21", "period", "'post-2011-21' is no period that you may see. Did you mean 'post-2011-12'?"),
    ("period=2011", "period", "'2011' is a date, not the id of a period: use 'from' and 'to' for dates."),
    ("period=", "period", "It has no value. Leave it out, or give it one."),
    ("period", "period", "It has no value. Leave it out, or give it one."),
    ("violation=tortur", "violation", "'tortur' is no violation that you may see. Did you mean 'torture'?"),
    ("place=camp1", "place", "Did you mean 'camp-1'?"),
    ("actor=msss", "actor", "Did you mean 'mss'?"),
    ("source=src1", "source", "Did you mean 'src-1'?"),
    ("crime=crime-e", "crime", "Did you mean 'crime-f'?"),
    (f"testimony={incident('a')}", "testimony", "is no testimony that you may see."),
    (
        "victim_group=returnees",
        "victim_group",
        "'returnees' is no value that any record here has. Did you mean 'returnee'?",
    ),
    ("owner=usa", "owner", "Did you mean 'us'?"),
    ("scope=evnt", "scope", "'evnt' is no value of it: it is event, situation or pattern. Did you mean 'event'?"),
    ("verification=yes", "verification", "it is as-reported, partly-corroborated, corroborated or contradicted."),
    ("standard_of_proof=beyond", "standard_of_proof", "is no value of it"),
    ("match=surely&from=2011", "match", "it is possible, certain or within."),
    ("match=within", "match", "give 'period', 'from' or 'to' with it."),
    ("at=start", "at", "give 'period', 'from', 'to' or 'boundary'."),
    ("side=before", "side", "give boundary=2011-12-17 with it."),
    ("boundary=2011-12", "boundary", "'2011-12' is not a day: write 2011-12-17."),
    ("boundary=2011-12-17&side=left", "side", "it is before, after, straddling, undetermined or undated."),
    ("from=2011-02-30", "from", "'2011-02-30' is no date"),
    ("from=2011-13", "from", "'2011-13' is no date"),
    ("from=20111217", "from", "is not a year, a month or a day: write 2011, 2011-12 or 2011-12-17."),
    ("to=2011?", "to", "is not a year, a month or a day"),
    ("from=2012&to=2011", "from", "2012 lies after 2011: 'from' must not be later than 'to'."),
    ("limit=0", "limit", "'0' is not a whole number from 1 to 1000."),
    ("limit=5000", "limit", "'5000' is not a whole number from 1 to 1000."),
    ("limit=1.5", "limit", "'1.5' is not a whole number from 1 to 1000."),
    ("limit=-1", "limit", "'-1' is not a whole number from 1 to 1000."),
    ("limit=%D9%A3", "limit", "is not a whole number"),
    ("limit=10&limit=10", "limit", "It is given more than once, and can have one value only."),
    ("corroboration_min=x", "corroboration_min", "is not a whole number from 0 to 1000000."),
    ("bbox=126,40,127", "bbox", "is not four numbers west,south,east,north"),
    ("bbox=nan,40,127,41", "bbox", "is not four numbers west,south,east,north"),
    ("bbox=126,41,127,40", "bbox", "The southern latitude is greater than the northern one"),
    ("bbox=170,40,-170,41", "bbox", "A box across longitude 180 has to be asked as two boxes"),
    ("bbox=126,40,190,41", "bbox", "Longitudes go from -180 to 180, latitudes from -90 to 90"),
    ("bbox=126,-91,127,41", "bbox", "Longitudes go from -180 to 180, latitudes from -90 to 90"),
    ("updated_since=yesterday", "updated_since", "is not a moment"),
    ("updated_since=2026-11-24T10:00:00", "updated_since", "with the zone"),
    ("updated_since=2026-02-30", "updated_since", "is not a moment"),
    ("ids=x,,y", "ids", "There is an empty id in it"),
    ("ids=nothing", "ids", "'nothing' is no incident that you may see."),
    ("ids=" + ",".join(["a"] * 1001), "ids", "There are 1001 ids; 1000 are the most."),
    ("sort=newest", "sort", "it is -date, date, id, -id, updated, -updated or relevance."),
    ("fields=titel", "fields", "'titel' is no member of a record of this kind. Did you mean 'title'?"),
    ("format=xml", "format", "it is json, ndjson, csv, xlsx, parquet or geojson."),
    ("violation=%FF", "violation", "This is not UTF-8, percent-encoded."),
    ("violation=%ED%A0%80", "violation", "This is not UTF-8, percent-encoded."),
    ("violation=a%00b", "violation", "There is a character NUL in it."),
    ("recorded_by=coi", "recorded_by", "Incidents have nothing that this asks about"),
]


@pytest.mark.parametrize(("asked", "name", "said"), CASES)
def test_each_fault_is_explained(client, asked, name, said):
    answer = client.get(f"/v1/incidents?{asked}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "/problems/invalid-request"
    (error,) = problem["errors"]
    assert error["in"] == "query"
    assert error["name"] == name or not name
    assert said in error["detail"]


@pytest.mark.parametrize(
    ("asked", "name", "said"),
    [
        ("given_from=2015&given_until=2014", "given_from", "2015 lies after 2014"),
        ("left_from=2015&left_until=2014", "left_from", "2015 lies after 2014"),
        ("recorded_by=cio", "recorded_by", "Did you mean 'coi'?"),
        (f"of_incident={account('t1')}", "of_incident", "is no incident that you may see."),
        ("account_type=hearin", "account_type", "Did you mean 'hearing'?"),
    ],
)
def test_faults_of_testimonies(client, asked, name, said):
    (error,) = client.get(f"/v1/testimonies?{asked}").json()["errors"]
    assert error["name"] == name
    assert said in error["detail"]


def test_a_kind_without_a_date_cannot_be_asked_for_one(client):
    (error,) = client.get("/v1/violations?period=post-2011-12").json()["errors"]
    assert error["detail"] == "Violations have no date, so this cannot be asked of them."


def test_all_faults_are_named_at_once(client):
    answer = client.get("/v1/incidents?peroid=x&limit=0&sort=newest&from=2011-02-30").json()
    assert [error["name"] for error in answer["errors"]] == ["from", "sort", "limit", "peroid"]
    assert answer["detail"] == "The request has several errors."


def test_faults_of_one_view_are_named_at_once(client):
    errors = client.get("/v1/incidents?violation=tortur&place=camp1&period=post").json()["errors"]
    assert [error["name"] for error in errors] == ["period", "violation", "place"]


@pytest.mark.parametrize("asked", ["period=" + "x" * 9000, "&".join(["period=x"] * 101)])
def test_what_is_too_long_is_not_read(client, asked):
    answer = client.get(f"/v1/incidents?{asked}")
    assert answer.status_code == 414
    assert answer.json()["type"] == "/problems/too-long"


@pytest.mark.parametrize("path", ["/v1/incidents/%00", "/v1/incidents/a%2Fb", "/v1/incidents/%FF", "/v1/incidents/"])
def test_an_address_that_cannot_be_is_not_found(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_one_record_takes_no_other_parameter(client):
    answer = client.get(f"/v1/incidents/{incident('a')}?fromat=json")
    assert answer.status_code == 422
    assert "Did you mean 'format'?" in answer.json()["errors"][0]["detail"]
