"""Features: the answers of the standard are those of our own lists, record for record; errors are as it has them."""

import itertools
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from app.ogc.asking import COLLECTIONS, items_of
from app.records import BY_NAME
from app.registry import openapi_document
from tests.contract.asking import BASE, Heard, Service

INCIDENTS = "/v1/collections/incidents/items"
KINDS = pytest.mark.parametrize("kind", COLLECTIONS, ids=lambda kind: kind.name)


@pytest.fixture(scope="module")
def service(public_record) -> Iterator[Service]:
    """The service over the built-in record."""
    service = Service(public_record)
    yield service
    service.close()


def hold(heard: Heard, schema: str, media_type: str = "application/json") -> Any:
    """Hold an answer to the description; return its body."""
    assert (heard.status, heard["content-type"]) == (200, media_type), heard.body
    document = openapi_document()
    validator = Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": document["components"]})
    assert [error.message[:200] for error in validator.iter_errors(heard.json)] == []
    return heard.json


def ids(body: Any) -> list[str]:
    return [one["id"] for one in body["features"]]


def test_the_landing_page_leads_to_all_of_it(service):
    links = {one["rel"]: one["href"] for one in service.ask("/v1").json["links"]}
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= {*links}
    assert hold(service.ask(links["conformance"]), "Conformance") == {
        "conformsTo": [
            "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
            "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
        ]
    }
    every = hold(service.ask(links["data"]), "CollectionList")["collections"]
    assert [one["id"] for one in every] == ["testimonies", "incidents", "places", "weapons-events"]
    for one in every:
        found = {link["rel"]: link for link in one["links"]}
        assert hold(service.ask(found["self"]["href"]), "Collection") == one
        for link in found.values():
            heard = service.ask(link["href"])
            assert heard.status == 200
            expected = heard["content-type"].replace("application/json", link["type"])
            assert link["type"] == expected, link


@KINDS
def test_the_features_of_a_kind_are_its_records(service, kind):
    body = hold(service.ask(f"{items_of(kind)}?limit=1000"), "CollectionItems", "application/geo+json")
    items = service.ask(f"/v1/{kind.path}?limit=1000").json["items"]
    assert body["numberMatched"] == body["numberReturned"] == body["total"] == len(items) > 10
    for feature, item in zip(body["features"], items, strict=True):
        properties = {**feature["properties"]}
        date = item["date"] or {"start": [None], "end": [None]}
        assert (properties.pop("first_day"), properties.pop("last_day")) == (date["start"][0], date["end"][-1])
        assert properties | {"geometry": feature["geometry"], "updated": item["updated"]} == item
        assert feature["id"] == item["id"]


@KINDS
def test_page_after_page_gives_each_feature_once(service, kind):
    following, found, sizes = f"{items_of(kind)}?limit=7", [], []
    while following:
        body = hold(service.ask(following), "CollectionItems", "application/geo+json")
        links = {one["rel"]: one["href"] for one in body["links"]}
        assert (links["self"], links["collection"]) == (
            BASE + following.removeprefix(BASE),
            f"{BASE}/v1/collections/{kind.path}",
        )
        found += ids(body)
        sizes.append(body["numberReturned"])
        following = links.get("next", "")
    assert found == service.ask(f"/v1/{kind.path}?limit=1000").ids
    assert sizes == [7] * (len(found) // 7) + ([len(found) % 7] if len(found) % 7 else [])


@pytest.mark.parametrize(
    ("datetime", "same"),
    [
        ("2011-12-17", "from=2011-12-17&to=2011-12-17"),
        ("2011-12-17T23:30:00Z", "from=2011-12-17&to=2011-12-17"),
        ("2011-12-17T23:30:00-02:00", "from=2011-12-18&to=2011-12-18"),
        ("2011-12-17/..", "from=2011-12-17"),
        ("2011-12-17/", "from=2011-12-17"),
        ("2011-12-17T/..", "from=2011-12-17"),
        ("../2011-12-16", "to=2011-12-16"),
        ("/2011-12-16T00:00:00Z", "to=2011-12-16"),
        ("1995-01-01/..&datetime=../1998-12-31", "from=1995-01-01&to=1998-12-31"),
        ("1995-01-01/1998-12-31", "from=1995-01-01&to=1998-12-31"),
    ],
)
def test_datetime_asks_what_from_and_to_ask(service, datetime, same):
    for kind in COLLECTIONS:
        body = service.ask(f"{items_of(kind)}?limit=1000&datetime={datetime.replace('+', '%2B')}").json
        expected = service.ask(f"/v1/{kind.path}?limit=1000&{same}")
        assert (ids(body), body["meta"]) == (expected.ids, expected.json["meta"])


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("bbox=126.5,40.5,130.7,43.1", ["bbox=126.5,40.5,130.7,43.1"]),
        ("bbox=126.5,40.5,0,130.699999999999989,43.1000000000000014,9e2", ["bbox=126.5,40.5,130.7,43.1"]),
        ("bbox=128,-90,127,90", ["bbox=128,-90,180,90", "bbox=-180,-90,127,90"]),
        ("violation=torture&datetime=2011-12-17/..&match=within", ["violation=torture&from=2011-12-17&match=within"]),
        ("place=prov-north-hamgyong&scope=event", ["place=prov-north-hamgyong&scope=event"]),
        ("q=market", ["q=market"]),
    ],
)
def test_a_question_finds_what_the_list_finds(service, asked, same):
    body = service.ask(f"{INCIDENTS}?limit=1000&{asked}").json
    expected = {one for question in same for one in service.ask(f"/v1/incidents?limit=1000&{question}").ids}
    assert set(ids(body)) == expected
    assert 0 < body["numberMatched"] == len(expected) < 202
    alternate = [one["href"] for one in body["links"] if one["rel"] == "alternate"]
    if len(same) == 1:
        assert set(service.ask(f"{alternate[0]}&limit=1000").ids) == expected
    else:  # the list of the kind cannot be asked for a box across 180
        assert alternate == []


def test_more_than_the_most_is_the_most(service):
    for many in ("1001", "100000", "9" * 50):
        body = service.ask(f"{INCIDENTS}?limit={many}").json
        assert body["numberReturned"] == body["numberMatched"] == 202
    assert service.ask(INCIDENTS).json["numberReturned"] == 50


BAD = {
    "bbbox=1": "bbbox",
    "bbox=1,2,3": "bbox",
    "bbox=1,2,3,4,5": "bbox",
    "bbox=124,91,130,95": "bbox",
    "bbox=a,b,c,d": "bbox",
    "bbox=1,1,2,2&bbox=1,1,2,2": "bbox",
    "datetime=": "datetime",
    "datetime=2011": "datetime",
    "datetime=yesterday": "datetime",
    "datetime=../..": "datetime",
    "datetime=/": "datetime",
    "datetime=2011-12-17/2010-12-17": "datetime",
    "datetime=2011-12-17/2012-12-17/..": "datetime",
    "datetime=2011-13-01": "datetime",
    "datetime=2011-12-17&from=2011": "datetime",
    "limit=0": "limit",
    "limit=-1": "limit",
    "limit=ten": "limit",
    "format=csv": "format",
    "fields=id": "fields",
    "sort=id": "sort",
    "place=nowhere": "place",
    "cursor=AAAA": "cursor",
    "match=within": "match",
    "scope=evnt": "scope",
    "q=%FF": "q",
}


@pytest.mark.parametrize("asked", BAD)
def test_what_is_wrong_is_400_and_says_where(service, asked):
    heard = service.ask(f"{INCIDENTS}?{asked}")
    assert (heard.status, heard["content-type"]) == (400, "application/problem+json"), heard.body
    assert heard.json["type"] == "/problems/invalid-parameter"
    assert BAD[asked] in [one["name"] for one in heard.json["errors"]]


def test_who_takes_json_takes_geojson(service):
    """Clients that ask for JSON alone, whatever they read, are common; GeoJSON is JSON (RFC 7946)."""
    for address in (f"{INCIDENTS}?limit=1", "/v1/collections/places/items/kwanliso-15"):
        usual = service.ask(address)
        for accept in (
            "application/json",
            "application/json,application/schema+json",
            "text/html;q=0.9, application/json;q=0.1",
        ):
            heard = service.ask(address, accept=accept)
            assert (heard.status, heard["content-type"], heard.body) == (200, "application/geo+json", usual.body)
            assert heard["etag"] == usual["etag"]


def test_other_refusals_are_as_everywhere(service):
    assert service.ask(f"{INCIDENTS}?ids={'x' * 9000}").status == 414
    assert service.ask(INCIDENTS, accept="text/html").status == 406
    assert service.ask("/v1/conformance", accept="text/csv").status == 406
    assert service.ask("/v1/conformance?f=html").status == 400
    assert service.ask("/v1/collections/incidents?limit=1").status == 400
    for address in ("/v1/collections/periods", "/v1/collections/periods/items", f"{INCIDENTS}/", f"{INCIDENTS}/a/b"):
        assert service.ask(address).status == 404
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert service.ask(INCIDENTS, method=method).status == 405
        assert service.ask(f"{INCIDENTS}/inc-none", method=method).status == 405
    assert service.ask(INCIDENTS, method="OPTIONS")["allow"] == "GET, HEAD, OPTIONS"


@KINDS
def test_one_feature_is_the_one_of_the_list(service, kind):
    for feature in service.ask(f"{items_of(kind)}?limit=1000").json["features"][::25]:
        here = f"{items_of(kind)}/{feature['id']}"
        body = hold(service.ask(here), "CollectionFeature", "application/geo+json")
        links = {one["rel"]: one["href"] for one in body.pop("links")}
        assert body == feature
        assert links["self"] == BASE + here
        assert service.ask(links["alternate"]).json["id"] == feature["id"]
        assert service.ask(links["collection"]).json["id"] == kind.path
        assert service.ask(f"{here}?x=1").status == 400
    hidden = service.ask(f"{items_of(kind)}/nothing")
    assert (hidden.status, hidden.json) == (404, service.ask(f"/v1/{kind.path}/nothing").json)


def test_what_is_known_is_not_sent_again_and_no_tag_is_good_elsewhere(service):
    one = service.ask("/v1/incidents?limit=1").ids[0]
    pairs = [(INCIDENTS, "/v1/incidents?format=geojson"), (f"{INCIDENTS}/{one}", f"/v1/incidents/{one}?format=geojson")]
    tags = set()
    for address in itertools.chain(*pairs):
        heard = service.ask(address)
        tags.add(heard["etag"])
        assert service.ask(address, if_none_match=heard["etag"]).status == 304
        assert sorted(service.ask(address, method="HEAD").headers) == sorted(service.ask(address).headers)
    assert len(tags) == 4
    assert service.ask(INCIDENTS, 1)["etag"] not in tags


def test_a_cursor_of_the_list_is_none_of_the_features(service):
    following = service.ask("/v1/incidents?limit=5").json["next"]
    assert service.ask(f"{INCIDENTS}?{following.partition('?')[2]}").status == 400


def test_the_time_of_an_answer_is_that_of_what_it_is_made_of(service):
    """Two answers with one strong tag have the same bytes: a clock would make them differ."""
    assert service.ask(INCIDENTS).body == service.ask(INCIDENTS).body
    changes = service.ask("/v1/changes?format=ndjson").body.splitlines()
    assert service.ask(INCIDENTS).json["timeStamp"] == orjson.loads(changes[-1])["at"]


def test_only_kinds_with_a_geometry_are_collections():
    assert [kind.name for kind in COLLECTIONS] == [name for name, kind in BY_NAME.items() if kind.geometry]
