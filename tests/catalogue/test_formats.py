"""Formats: what each looks like, which one a request gets, and that a list can be had whole."""

import csv
import io

import orjson
import pytest

from tests.catalogue.conftest import INCIDENTS, NAMES
from tests.catalogue.seed import account, incident


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("application/*", "application/json"),
        ("application/geo+json", "application/geo+json"),
        ("text/csv", "text/csv; charset=utf-8; header=present"),
        ("text/*", "text/csv; charset=utf-8; header=present"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/jsonl", "application/x-ndjson"),
        ("text/csv;q=0.5, application/geo+json;q=0.9, */*;q=0.1", "application/geo+json"),
        ("application/json;q=0, */*", "application/x-ndjson"),
        ("APPLICATION/JSON", "application/json"),
    ],
)
def test_accept(client, accept, media_type):
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get("/v1/incidents?limit=1", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type


@pytest.mark.parametrize("accept", ["application/xml", "image/png, text/html", "application/json;q=0", "nonsense"])
def test_nothing_that_is_offered(client, accept):
    answer = client.get("/v1/incidents", headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.json()["detail"] == (
        "This is offered as application/json, application/x-ndjson, text/csv, "
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, application/vnd.apache.parquet, "
        "application/geo+json; the header Accept takes none of them."
    )


def test_format_goes_before_accept(client):
    answer = client.get("/v1/incidents?limit=1&format=ndjson", headers={"Accept": "application/xml"})
    assert answer.headers["content-type"] == "application/x-ndjson"


def test_a_kind_without_geometry_has_no_geojson(client):
    assert client.get("/v1/violations?format=geojson").status_code == 422
    assert client.get("/v1/violations", headers={"Accept": "application/geo+json"}).status_code == 406
    assert client.get("/v1/violations/torture?format=geojson").status_code == 422


def test_bodies_are_the_stored_bytes(client):
    one = INCIDENTS["a"].shown()
    assert client.get(f"/v1/incidents/{incident('a')}").content == one
    page = client.get(f"/v1/incidents?ids={incident('a')}").content
    assert page.startswith(b'{"items":[' + one + b'],"next":null,"total":1,"meta":{')


def test_ndjson_gives_everything_at_once(client):
    answer = client.get("/v1/incidents?format=ndjson&sort=date")
    lines = answer.content.splitlines()
    order = [NAMES[orjson.loads(line)["id"]] for line in lines]
    assert " ".join(order[:8]) == "e d a c b j f g"
    assert set(order[8:]) == {"h", "i"}
    assert lines[2] == INCIDENTS["a"].shown()
    assert answer.content.endswith(b"\n")
    assert "content-length" not in answer.headers
    assert 'rel="next"' not in answer.headers["link"]


@pytest.mark.parametrize("format", ["ndjson", "csv"])
def test_with_a_limit_it_is_a_page(client, format):
    answer = client.get(f"/v1/incidents?format={format}&limit=4")
    assert len(answer.content.splitlines()) == 4 + (format == "csv")
    assert answer.links["next"]["url"].startswith(f"http://testserver/v1/incidents?limit=4&format={format}&cursor=")
    rest = client.get(answer.links["next"]["url"].replace("limit=4", "limit=6"))
    assert len(rest.content.splitlines()) == 6 + (format == "csv")
    assert "next" not in rest.links


def test_from_a_cursor_on_everything(client):
    following = client.get("/v1/incidents?limit=4").json()["next"].replace("limit=4&", "")
    assert len(client.get(f"{following}&format=ndjson").content.splitlines()) == 6


def test_nothing_is_streamed_too(client):
    assert client.get("/v1/incidents?format=ndjson&verification=contradicted").content == b""
    header = client.get("/v1/incidents?format=csv&verification=contradicted").content
    assert header.startswith(b"url,id,kind,scope,title_en,title_ko,title_other,")
    assert header.count(b"\r\n") == 1


def test_csv(client):
    answer = client.get(f"/v1/incidents?format=csv&ids={incident('a')},{incident('j')}&sort=date")
    first, second = csv.DictReader(io.StringIO(answer.text))
    assert first["url"] == f"http://testserver/v1/incidents/{incident('a')}"
    assert (first["date"], first["date_start_earliest"], first["date_end_latest"]) == (
        "2003",
        "2003-01-01",
        "2003-12-31",
    )
    assert (first["longitude"], first["latitude"]) == ("126.08", "40.5")
    assert first["title_en"] == "Incident a"
    assert second["title_en"] == "'=1+1"
    assert second["testimonies"] == account("t1")
    assert answer.content.count(b"\r\n") == 3


def test_csv_carries_reliability_notes(client):
    rows = list(csv.DictReader(io.StringIO(client.get("/v1/testimonies?format=csv&sort=date").text)))
    assert sorted(row["reliability_note_en"] for row in rows) == ["", "withdrew parts"]


def test_geojson_list(client):
    answer = client.get("/v1/incidents?format=geojson&limit=2&sort=date&from=2003&to=2003&match=within")
    collection = answer.json()
    assert list(collection) == ["type", "features", "links", "total", "meta"]
    (feature,) = collection["features"]
    assert list(feature) == ["type", "id", "geometry", "properties"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [126.08, 40.5]}
    assert "geometry" not in feature["properties"]
    assert feature["properties"]["id"] == feature["id"] == incident("a")
    assert [link["rel"] for link in collection["links"]] == ["self"]


def test_geojson_pages_and_null_geometry(client):
    collection = client.get("/v1/incidents?format=geojson&limit=2&violation=abduction&violation=detention").json()
    assert [feature["geometry"] for feature in collection["features"]] == [
        None,
        {"type": "Point", "coordinates": [126.08, 40.5]},
    ]
    following = next(link["href"] for link in collection["links"] if link["rel"] == "next")
    assert len(client.get(following).json()["features"]) == 2


def test_geojson_of_one(client):
    answer = client.get(f"/v1/incidents/{incident('a')}?format=geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json()["geometry"] == {"type": "Point", "coordinates": [126.08, 40.5]}
    assert answer.headers["etag"] != client.get(f"/v1/incidents/{incident('a')}").headers["etag"]


@pytest.mark.parametrize("format", ["json", "ndjson", "csv", "geojson"])
def test_fields(client, format):
    content = client.get(f"/v1/incidents?fields=updated,date&format={format}&limit=1&ids={incident('a')}")
    if format == "json":
        assert list(content.json()["items"][0]) == ["id", "kind", "date", "updated"]
    elif format == "ndjson":
        assert list(orjson.loads(content.content)) == ["id", "kind", "date", "updated"]
    elif format == "geojson":
        (feature,) = content.json()["features"]
        assert list(feature["properties"]) == ["id", "kind", "date", "updated"]
    else:
        assert content.text.splitlines()[0].startswith("url,id,kind,date,date_start_earliest,")
        assert content.text.splitlines()[0].endswith(",updated")


def test_history(client):
    answer = client.get(f"/v1/incidents/{incident('a')}/history").json()
    assert answer == {
        "items": [
            {"revision": 1, "at": "2023-11-14T22:13:20.000Z", "change": "created", "digest": None},
            {"revision": 2, "at": "2023-11-15T22:13:20.000Z", "change": "updated", "digest": "sha256:" + "01" * 32},
        ],
        "next": None,
        "total": 2,
    }


def test_queryables(client):
    answer = client.get("/v1/incidents/queryables").json()
    assert answer["additionalProperties"] is False
    assert answer["properties"]["violation"]["items"]["enum"] == ["abduction", "detention", "torture"]
    assert answer["properties"]["period"]["items"]["enum"] == ["famine", "post-2011-12", "pre-2011-12"]
    assert answer["properties"]["victim_group"]["items"]["enum"] == ["believer", "returnee"]
    assert answer["properties"]["scope"]["items"]["enum"] == ["event", "situation", "pattern"]
    assert "enum" not in answer["properties"]["testimony"]["items"]
    assert answer["properties"]["limit"] == {
        "title": "limit",
        "description": "How many records a page has at most (50); without it all formats but JSON and "
        "GeoJSON give all of them at once.",
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "x-role": "page",
    }
