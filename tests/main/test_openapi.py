"""The description of the API: committed as it is made, valid, and true of what is answered."""

from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from app.catalogue.openapi import example
from app.catalogue.parameters import vocabulary
from app.catalogue.relations import relations
from app.main import create_app
from app.registry import BY_PATH, KINDS, openapi_document, openapi_text

COMMITTED = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
WITH = {
    "match": "&period=post-2011-12",
    "at": "&period=post-2011-12",
    "side": "&boundary=2011-12-17",
    "highlights": "&q=camp",
}


@pytest.fixture(scope="module")
def record(public_record):
    """A client of the built-in record."""
    with TestClient(create_app(public_record)) as client:
        yield client


def schema(name: str) -> jsonschema.Draft202012Validator:
    document = openapi_document()
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


def test_it_is_committed_as_it_is_made():
    assert COMMITTED.read_text() == openapi_text(), "run `make openapi`"


def test_it_is_valid():
    validate(openapi_document())


def test_operations_have_names_of_their_own():
    names = [one["operationId"] for path in openapi_document()["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))
    assert {"listIncidents", "getIncident", "listIncidentHistory", "getIncidentQueryables"} <= {*names}
    assert {"listIncidentTestimonies", "listPlaceIncidents", "listWeaponsEvents"} <= {*names}


def test_every_route_is_described(public_record):
    templates = {one.replace("/problems/{slug}", "/problems/{slug}") for one in openapi_document()["paths"]}
    routes = {
        template
        for route in create_app(public_record).router.routes
        for template in getattr(route, "templates", ())
        if not template.startswith("/problems/")
    }
    assert routes == templates - {"/problems/{slug}"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_body_is_as_described(record, kind):
    name = "".join(word.capitalize() for word in kind.name.split("-"))
    page = record.get(f"/v1/{kind.path}?limit=1000")
    assert page.json()["total"] == len(page.json()["items"])
    schema(f"{name}List").validate(page.json())
    for one in page.json()["items"]:
        schema(kind.shown.__name__).validate(one)
    if kind.geometry:
        schema("FeatureCollection").validate(record.get(f"/v1/{kind.path}?limit=1000&format=geojson").json())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_parameter_has_an_example_that_is_answered(record, kind):
    without = {name for name, parameter in vocabulary(kind).items() if not parameter.example}
    # A cursor is good for one list only; the built-in record has no links, so no id of one is known.
    assert without <= {"cursor", "of_link", *(("ids", "owner") if kind.name == "link" else ())}
    for name, parameter in vocabulary(kind).items():
        if name in without:
            continue
        answer = record.get(f"/v1/{kind.path}?{name}={parameter.example}{WITH.get(name, '')}")
        assert answer.status_code == 200, (name, answer.text[:300])


@pytest.mark.parametrize(("path", "name"), relations(), ids=str)
def test_every_relation_is_answered(record, path, name):
    kind = BY_PATH[path]
    identifier = example(kind)["id"]
    answer = record.get(f"/v1/{path}/{identifier}/{name}")
    assert answer.status_code == (404 if kind.name == "link" else 200)
    if answer.status_code == 404:
        schema("Problem").validate(answer.json())


def test_problems_are_as_described(record):
    for address in ("/v1/incidents?peroid=x", "/v1/nothing", "/v1/incidents/nothing"):
        schema("Problem").validate(record.get(address).json())
