"""Shape of the API: the description is the committed one, and every answer of every route and format is as it says."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import validate
from pydantic import TypeAdapter

import app
from app.catalogue.relations import relations
from app.core.problems import TYPES
from app.records import BY_PATH, KINDS
from app.registry import openapi_document, openapi_text
from tests.conftest import settings_for
from tests.contract.asking import BASE, Heard, Service
from tests.contract.families import settle
from tests.contract.vault import open_vault
from tests.data.record import records

COMMITTED = Path(app.__file__).parents[1] / "openapi" / "openapi.json"
DOCUMENT = orjson.loads(COMMITTED.read_bytes())
PATHS: dict[str, Any] = DOCUMENT["paths"]
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
JSONS = {"application/json", "application/jwk-set+json"}
GEO = [kind for kind in KINDS if kind.geometry]


def validator(schema: Any) -> Draft202012Validator:
    """Return what holds a body to a schema of the description."""
    return Draft202012Validator(schema | {"components": DOCUMENT["components"]})


def described(template: str, status: int, media_type: str) -> Draft202012Validator:
    """Return what holds the body of an answer of a route to what the description says of it."""
    answer = PATHS[template]["get"]["responses"][str(status)]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return validator(answer["content"][media_type]["schema"])


def media_type(heard: Heard) -> str:
    return heard["content-type"].partition(";")[0]


def hold(template: str, heard: Heard, expected: str, status: int = 200) -> Any:
    """Hold an answer to the description of its route; return its body."""
    assert (heard.status, media_type(heard)) == (status, expected), heard.body
    body = heard.json
    errors = [
        f"{error.json_path}: {error.message[:200]}" for error in described(template, status, expected).iter_errors(body)
    ]
    assert errors == []
    return body


def test_the_description_is_the_committed_one_and_the_one_that_is_served(built_in_of):
    assert COMMITTED.read_text(encoding="utf-8") == openapi_text()
    heard = built_in_of("sqlite").ask("/openapi.json")
    assert heard.json == DOCUMENT == openapi_document()
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate(DOCUMENT)


def test_every_route_is_described_and_every_description_has_a_route(built_in_of):
    routes = built_in_of("sqlite").app.routes
    templates = {one for route in routes for one in getattr(route, "templates", ())}
    problems = {one for one in templates if one.startswith("/problems/")}
    assert templates - problems | {"/problems/{slug}"} == set(PATHS) | {"/problems/{slug}"}
    names = [operation["operationId"] for path in PATHS.values() for operation in path.values()]
    assert len(names) == len(set(names)) == len(PATHS) + 14 + 5 * len(KINDS)  # addresses with more methods than one
    (writes,) = (route for route in built_in_of("sqlite").app.routes if hasattr(route, "beside"))
    for template, beside in writes.beside.items():
        assert {*PATHS[template]} == {"get", *map(str.lower, beside)}
    methods = {
        template: {method.lower() for method in route.methods(template)}
        for route in built_in_of("sqlite").app.routes
        for template in getattr(route, "templates", ())
        if hasattr(route, "methods") and template in PATHS
    }
    assert methods and {template: {*PATHS[template]} for template in methods} == methods


# --- every record of every kind, in every format ---


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_record_is_as_described_in_the_list_and_alone(built_in, kind):
    base, shown = f"/v1/{kind.path}", TypeAdapter(kind.shown)
    body = hold(base, built_in.ask(f"{base}?limit=1000"), "application/json")
    assert body["total"] == len(body["items"]) == len(records(kind.name))
    for item in body["items"]:
        shown.validate_json(orjson.dumps(item), strict=True)
    for item in body["items"][::25]:
        one = built_in.ask(f"{base}/{item['id']}")
        assert hold(base + "/{id}", one, "application/json") == item
        past = hold(base + "/{id}/history", built_in.ask(f"{base}/{item['id']}/history"), "application/json")
        assert past["total"] == len(past["items"]) == item["revision"]
    hold(f"{base}/queryables", built_in.ask(f"{base}/queryables"), "application/json")
    Draft202012Validator.check_schema(built_in.ask(f"{base}/queryables").json)


@pytest.mark.parametrize("kind", GEO, ids=lambda kind: kind.name)
def test_every_feature_is_the_record_with_its_geometry_apart(built_in, kind):
    base = f"/v1/{kind.path}"
    items = built_in.ask(f"{base}?limit=1000").json["items"]
    body = hold(base, built_in.ask(f"{base}?limit=1000&format=geojson"), "application/geo+json")
    assert body["type"] == "FeatureCollection"
    assert [one["properties"] | {"geometry": one["geometry"]} for one in body["features"]] == items
    assert [(one["type"], one["id"]) for one in body["features"]] == [("Feature", item["id"]) for item in items]
    one = built_in.ask(f"{base}/{items[0]['id']}?format=geojson")
    assert hold(base + "/{id}", one, "application/geo+json") == body["features"][0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_lines_and_rows_hold_the_same_records_as_the_list(built_in, kind):
    base = f"/v1/{kind.path}"
    items = built_in.ask(f"{base}?limit=1000").json["items"]
    lines = built_in.ask(f"{base}?format=ndjson")
    assert media_type(lines) == "application/x-ndjson"
    assert [orjson.loads(line) for line in lines.body.splitlines()] == items
    assert lines.body.count(b"\n") == len(items)
    head, rows = table(built_in.ask(f"{base}?format=csv"))
    assert [row["url"] for row in rows] == [f"{BASE}{base}/{item['id']}" for item in items]
    assert head[:3] == ["url", "id", "kind"] and len(head) == len(set(head))
    for row, item in zip(rows, items, strict=True):
        assert (row["id"], row["owner"], row["updated"]) == (item["id"], item["owner"], item["updated"])
        assert orjson.loads(row["citations"]) == item["citations"]
        if kind.date:
            assert row["date"] == (item["date"] or {"edtf": ""})["edtf"]


def table(heard: Heard) -> tuple[list[str], list[dict[str, str]]]:
    """Read a CSV answer as a spreadsheet would (RFC 4180)."""
    assert heard["content-type"] == "text/csv; charset=utf-8; header=present"
    text = heard.body.decode()
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}
    return rows[0], [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_cell_is_a_formula(formulas, kind):
    """Every text of these records begins with `=`: a spreadsheet would run it."""
    body = formulas.ask(f"/v1/{kind.path}?format=csv")
    _, rows = table(body)
    assert b"=Text" in body.body and rows
    for row in rows:
        for cell in row.values():
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r") or NUMBER.fullmatch(cell), cell


@pytest.fixture(scope="module")
def formulas(new_database, tmp_path_factory):
    settings = settings_for(new_database("sqlite"), tmp_path_factory.mktemp("formulas"))
    with open_vault(settings) as vault:
        settle(vault)
    service = Service(settings)
    yield service
    service.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_records_with_everything_filled_in_are_as_described(formulas, kind):
    base, shown = f"/v1/{kind.path}", TypeAdapter(kind.shown)
    for item in hold(base, formulas.ask(f"{base}?limit=1000"), "application/json")["items"]:
        shown.validate_json(orjson.dumps(item), strict=True)
    if kind.geometry:
        hold(base, formulas.ask(f"{base}?limit=1000&format=geojson"), "application/geo+json")
    asked = [f"fields={name}" for name in kind.shown.model_fields if name.isidentifier() and name != "from_id"]
    for one in asked:
        hold(base, formulas.ask(f"{base}?limit=1&{one}"), "application/json")


@pytest.mark.parametrize(("path", "name"), list(relations()))
def test_every_relation_is_as_described(built_in, path, name):
    template = f"/v1/{path}/{{id}}/{name}"
    kind = BY_PATH[path]
    for record in records(kind.name)[::60]:
        here = template.replace("{id}", record["id"])
        hold(template, built_in.ask(f"{here}?limit=5"), "application/json")
        if BY_PATH.get(name, kind).geometry and relations()[path, name].to in {one.name for one in GEO}:
            hold(template, built_in.ask(f"{here}?format=geojson"), "application/geo+json")


def is_closed(template: str) -> bool:
    """Tell whether an address is not for everybody: tests of access hold those to the description."""
    return "get" not in PATHS[template] or "200" not in PATHS[template]["get"]["responses"] or needs(template)


def needs(template: str) -> bool:
    security = PATHS[template]["get"].get("security", DOCUMENT["security"])
    return security != [] and {} not in security


def test_a_stream_is_as_described(built_in):
    (expected,) = PATHS["/v1/changes/stream"]["get"]["responses"]["200"]["content"]
    heard = built_in.ask("/v1/changes/stream?include=record&kind=period")
    assert heard["content-type"] == expected
    told = [one.partition(b"data: ")[2] for one in heard.body.split(b"\n\n") if b"data: " in one]
    page = orjson.dumps({"items": [orjson.loads(one) for one in told], "more": False, "next": "https://a.example"})
    assert [*described("/v1/changes", 200, "application/json").iter_errors(orjson.loads(page))] == []
    assert len(told) == len(records("period"))


UNLIKE = ("/v1/changes/stream", "/v1/search", "/v1/log/consistency")  # events; what needs a parameter
ANSWERING = [one for one in PATHS if "{" not in one and not is_closed(one) and one not in UNLIKE]


@pytest.mark.parametrize("template", ANSWERING)
def test_every_other_address_is_as_described(built_in_of, template):
    offered = PATHS[template]["get"]["responses"]["200"]["content"].keys()
    (expected,) = offered & JSONS or offered & {"application/geo+json"}
    hold(template, built_in_of("sqlite").ask(template), expected)


# --- questions about time, with all of meta ---

TIMELY = [
    "period=post-2011-12",
    "period=pre-2011-12&match=within",
    "boundary=2011-12-17&side=straddling",
    "from=1990&to=2000&boundary=1994-07-08&at=start",
    "place=prov-north-hamgyong&period=post-2011-12&bbox=124,37.5,131,43.1",
    "fields=date,title",
    "fields=updated&limit=3&period=since-coi",
    "period=post-2011-12&facets=violation,place,year,owner&facet_limit=3",
]


@pytest.mark.parametrize("asked", TIMELY)
@pytest.mark.parametrize(
    "kind", [kind for kind in GEO if "place" in kind.facets and kind.date], ids=lambda one: one.name
)
def test_every_part_of_meta_is_as_described(built_in, kind, asked):
    base = f"/v1/{kind.path}"
    one = hold(base, built_in.ask(f"{base}?{asked}"), "application/json")
    other = hold(base, built_in.ask(f"{base}?{asked}&format=geojson"), "application/geo+json")
    assert (one["total"], one["meta"]) == (other["total"], other["meta"])


@pytest.mark.parametrize(
    "asked", ["group_by=violation,decade", "kind=testimony&group_by=place", "scope=pattern&group_by=scope,year", "ids="]
)
def test_counts_are_as_described(built_in, asked):
    template = "/v1/statistics/counts"
    if asked == "ids=":
        hold(template, built_in.ask(f"{template}?{asked}"), "application/problem+json", 422)
    else:
        assert hold(template, built_in.ask(f"{template}?{asked}"), "application/json")["items"]


SEARCHES = [
    "q=camp",
    "q=Yodok&highlights=true&limit=100",
    "q=prison&sort=relevance&kind=incident&kind=place",
    "q=tortrue",
]


@pytest.mark.parametrize("asked", SEARCHES)
def test_search_is_as_described(built_in, asked):
    hold("/v1/search", built_in.ask(f"/v1/search?{asked}"), "application/json")
    hold("/v1/search", built_in.ask("/v1/search"), "application/problem+json", 422)


@pytest.mark.parametrize("asked", ["q=camp&highlights=true", "q=tortrue", "q=camp&highlights=true&fields=title"])
def test_highlights_and_suggestions_are_as_described(built_in, asked):
    page = hold("/v1/incidents", built_in.ask(f"/v1/incidents?{asked}"), "application/json")
    assert ("highlights" in page) == ("highlights" in asked)


# --- errors ---


def test_errors_are_as_described(built_in):
    held = [
        ("/v1/incidents", "/v1/incidents?peroid=1", 422, {}),
        ("/v1/incidents", f"/v1/incidents?ids={'x' * 9000}", 414, {}),
        ("/v1/incidents", "/v1/incidents", 406, {"accept": "text/html"}),
        ("/v1/incidents/{id}", "/v1/incidents/inc-00000000000000000000000000", 404, {}),
        ("/v1/places/{id}/incidents", "/v1/places/nowhere/incidents", 404, {}),
        ("/v1/places/{id}/history", "/v1/places/nowhere/history", 404, {}),
    ]
    for template, address, status, headers in held:
        hold(template, built_in.ask(address, **headers), "application/problem+json", status)


def test_every_status_that_a_route_may_answer_is_described():
    reads = {status for path in PATHS.values() for status in path.get("get", {}).get("responses", ())}
    assert reads == {"200", "304", "308", "400", "401", "403", "404", "406", "414", "422", "429", "500", "503"}
    stated = {status for path in PATHS.values() for operation in path.values() for status in operation["responses"]}
    assert stated - reads == {"201", "202", "204", "409", "412", "413", "415", "428"}
    known = {str(status) for status, _ in TYPES.values()}
    assert stated - known == {"200", "201", "202", "204", "304", "308"}


# --- HEAD, and what is known already ---


def every_address() -> list[str]:
    lists = [f"/v1/{kind.path}" for kind in KINDS]
    ones = [f"/v1/{kind.path}/{records(kind.name)[0]['id']}" for kind in KINDS if records(kind.name)]
    formats = [f"{lists[1]}?format={name}" for name in ("ndjson", "csv", "geojson")]
    more = [f"{ones[1]}/testimonies", f"{ones[1]}/history", f"{ones[1]}?format=geojson", f"{lists[0]}/queryables"]
    counts = ["/v1/statistics/counts", "/v1/statistics/counts?format=csv", f"{lists[1]}?facets=year"]
    words = ["/v1/search?q=camp", "/v1/search?q=camp&format=ndjson", "/v1/search?q=camp&highlights=true&kind=incident"]
    words += [f"{lists[1]}?q=camp", f"{lists[1]}?q=camp&highlights=true"]
    return [*lists, *ones, *formats, *more, *counts, *words, "/v1", "/openapi.json", "/problems"]


@pytest.mark.parametrize("address", every_address())
def test_head_is_get_without_its_body(built_in, address):
    get, head = built_in.ask(address), built_in.ask(address, method="HEAD")
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")


@pytest.mark.parametrize("address", every_address())
def test_what_is_known_already_is_not_sent_again(built_in, address):
    get = built_in.ask(address)
    etag = get["etag"]
    assert re.fullmatch(r'"[0-9a-z-]{24,40}"', etag)
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = built_in.ask(address, if_none_match=known)
        assert (again.status, again["etag"], again.body) == (304, etag, b"")
        assert again["cache-control"] == get["cache-control"]
        assert "content-type" not in dict(again.headers)
    assert built_in.ask(address, if_none_match='"other"') == get
    assert built_in.ask(address, method="HEAD", if_none_match=etag).status == 304


def test_no_two_answers_share_an_etag(built_in):
    answers = {address: built_in.ask(address) for address in every_address()}
    assert len({heard["etag"] for heard in answers.values()}) == len(answers)
    one, other = built_in.ask("/v1/incidents", 0), built_in.ask("/v1/incidents", 1)
    assert one["etag"] != other["etag"]
