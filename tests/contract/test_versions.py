"""Versions: nothing that a client of the last version uses is taken away, and what is on its way out says so."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from app.catalogue.landing import VERSION
from app.cli import app as command
from app.core import deprecation
from app.core.comparing import as_text, compare
from app.core.deprecation import DEPRECATED, Deprecation
from app.registry import openapi_document
from tests.contract.asking import Service
from tests.contract.test_shape_of_code import ROOT

VERSIONS = ROOT / "openapi" / "versions"
# What breaks a client of the last version, and was decided all the same: each is in CHANGELOG.md, by name.
BROKEN: set[tuple[str, str]] = {
    ("History .items .digest", "may be null"),  # what a witness withheld could be guessed by it (decision 0076)
}
LINK = "https://evidence.example/docs/versions#period"
OLD = Deprecation("GET", "/v1/periods", datetime(2027, 1, 1, tzinfo=UTC), LINK, datetime(2028, 1, 1, tzinfo=UTC))
BOM = Deprecation("GET", "/v1/incidents", datetime(2026, 6, 1, 12, tzinfo=UTC), LINK, parameter="bom")


def last() -> Any:
    """Return the description of the last version."""
    newest = max(VERSIONS.glob("*.json"), key=lambda path: [int(part) for part in path.stem.split(".")])
    return orjson.loads(newest.read_bytes())


def test_nothing_that_the_last_version_has_is_broken():
    breaking = {(one.where, one.what) for one in compare(last(), openapi_document()) if one.breaks}
    assert breaking - BROKEN == set()
    assert breaking >= BROKEN


def test_the_version_is_kept_or_greater():
    assert last()["info"]["version"] <= VERSION == openapi_document()["info"]["version"]


def without(path: str) -> Callable[[Any], Any]:
    """Return a function that takes out of a document what stands at a path."""

    def change(document: Any) -> None:
        *way, end = path.split(" ")
        for step in way:
            document = document[int(step) if isinstance(document, list) else step]
        if isinstance(document, list) and not end.isdigit():
            document.remove(end)
        else:
            del document[int(end) if isinstance(document, list) else end]

    return change


def put(path: str, value: Any) -> Callable[[Any], Any]:
    """Return a function that puts a value at a path of a document."""

    def change(document: Any) -> None:
        *way, end = path.split(" ")
        for step in way:
            document = document[int(step) if isinstance(document, list) else step]
        if isinstance(document, list):
            document.append(value)
        else:
            document[end] = value

    return change


SHOWN, SENT = "components schemas PlaceShown", "components schemas PlaceSubmitted"
A_PARAMETER = {"name": "new", "in": "query", "schema": {"type": "string"}}
BREAKING = {
    "an address": (without("paths /v1/periods"), ("GET /v1/periods", "is gone")),
    "a method": (without("paths /v1/places/{id} delete"), ("DELETE /v1/places/{id}", "is gone")),
    "a parameter": (without("paths /v1/places get parameters 0"), ("GET /v1/places query period", "is gone")),
    "a needed parameter": (
        put("paths /v1/places get parameters +", A_PARAMETER | {"required": True}),
        ("GET /v1/places query new", "is new and required"),
    ),
    "a word asked": (without("components schemas Match enum 1"), ("Match sent", "`certain` is gone")),
    "a member answered": (without(f"{SHOWN} properties aliases"), ("PlaceShown .aliases", "is gone")),
    "a member always there": (without(f"{SHOWN} required aliases"), ("PlaceShown .aliases", "may be left out")),
    "a type answered": (
        put(f"{SHOWN} properties aliases", {"type": "string"}),
        ("PlaceShown .aliases", "may be string"),
    ),
    "a member sent": (without(f"{SENT} properties aliases"), ("PlaceSubmitted sent .aliases", "is gone")),
    "a member to be sent": (put(f"{SENT} required +", "aliases"), ("PlaceSubmitted sent .aliases", "is required now")),
    "a format": (
        without("paths /v1/places get responses 200 content text/csv"),
        ("GET /v1/places 200 text/csv", "is gone"),
    ),
    "a status": (without("paths /v1/places post responses 201"), ("POST /v1/places 201", "is gone")),
}
COMPATIBLE = {
    "an address": (put("paths /v1/new", {"get": {"responses": {}}}), ("GET /v1/new", "is new")),
    "a parameter": (put("paths /v1/places get parameters +", A_PARAMETER), ("GET /v1/places query new", "is new")),
    "a word answered": (put("components schemas PlaceType enum +", "new"), ("PlaceType", "`new` is new")),
    "a member answered": (put(f"{SHOWN} properties new", {"type": "string"}), ("PlaceShown .new", "is new")),
    "a member that may be sent": (
        put(f"{SENT} properties new", {"type": "string"}),
        ("PlaceSubmitted sent .new", "is new"),
    ),
    "a mark": (put("paths /v1/places get deprecated", True), ("GET /v1/places", "is deprecated")),
}


@pytest.mark.parametrize(
    ("change", "told", "breaks"),
    [(*BREAKING[name], True) for name in BREAKING] + [(*COMPATIBLE[name], False) for name in COMPATIBLE],
    ids=[f"breaks: {name}" for name in BREAKING] + [f"keeps: {name}" for name in COMPATIBLE],
)
def test_a_change_is_told_and_whether_it_breaks(change, told, breaks):
    changed = copy.deepcopy(openapi_document())
    change(changed)
    found = compare(openapi_document(), changed)
    assert (*told, breaks) in [tuple(one) for one in found]
    assert any(one.breaks for one in found) == breaks
    assert f"- `{told[0]}`: {told[1]}\n" in as_text(found)


def test_names_of_components_mean_nothing():
    text = orjson.dumps(openapi_document()).replace(b"PlaceShown", b"ShownPlace")
    assert compare(openapi_document(), orjson.loads(text)) == []


def test_the_command_says_what_has_changed_and_fails_if_it_breaks(tmp_path):
    older = copy.deepcopy(openapi_document())
    same, other = tmp_path / "same.json", tmp_path / "other.json"
    same.write_bytes(orjson.dumps(older))
    done = CliRunner().invoke(command, ["openapi", "--since", str(same)])
    assert (done.exit_code, done.output) == (0, "### Breaking\n\nNothing.\n\n### Compatible\n\nNothing.\n")
    older["paths"]["/v1/gone"] = older["paths"]["/v1/periods"]
    other.write_bytes(orjson.dumps(older))
    done = CliRunner().invoke(command, ["openapi", "--since", str(other)])
    assert (done.exit_code, done.output.splitlines()[2]) == (1, "- `GET /v1/gone`: is gone")
    for wrong in (b"[]", b"{}", b"{"):
        other.write_bytes(wrong)
        assert CliRunner().invoke(command, ["openapi", "--since", str(other)]).exit_code == 2
    assert CliRunner().invoke(command, ["openapi", "--since", str(tmp_path / "none")]).exit_code == 2


def test_the_changes_since_the_last_version_are_written_down():
    stated = (ROOT / "openapi" / "unreleased.md").read_text(encoding="utf-8")
    assert stated == as_text(compare(last(), openapi_document())), "run `make openapi`"


# --- deprecation ---


@pytest.fixture
def deprecated(monkeypatch):
    monkeypatch.setattr(deprecation, "DEPRECATED", (OLD, BOM))


def told(service: Service, address: str, method: str = "GET") -> dict[str, str]:
    headers = service.ask(address, method=method).headers
    found = {name: value for name, value in headers if name in ("deprecation", "sunset")}
    links = [value for name, value in headers if name == "link" and 'rel="deprecation"' in value]
    return found | ({"link": links[0]} if links else {})


def test_an_answer_tells_that_its_address_is_deprecated(built_in, deprecated):
    expected = {"deprecation": "@1798761600", "sunset": "Sat, 01 Jan 2028 00:00:00 GMT"}
    expected["link"] = f'<{LINK}>; rel="deprecation"; type="text/html"'
    assert told(built_in, "/v1/periods") == told(built_in, "/v1/periods?peroid=1") == expected
    assert told(built_in, "/v1/periods", "HEAD") == expected
    assert told(built_in, "/v1/periods/post-2011-12") == told(built_in, "/v1/incidents?limit=1") == {}


def test_a_parameter_is_told_of_where_it_is_used(built_in, deprecated, monkeypatch):
    used = told(built_in, "/v1/incidents?format=csv&bom=true&limit=1")
    assert (used.pop("link") != "", used) == (True, {"deprecation": "@1780315200"})
    assert told(built_in, "/v1/incidents?format=csv&limit=1&q=bom") == {}
    both = (*deprecation.DEPRECATED, Deprecation("GET", "/v1/incidents", OLD.since, LINK, OLD.sunset))
    monkeypatch.setattr(deprecation, "DEPRECATED", both)
    used = told(built_in, "/v1/incidents?format=csv&%62om=true&limit=1")
    assert (used["deprecation"], used["sunset"]) == ("@1780315200", "Sat, 01 Jan 2028 00:00:00 GMT")


def test_the_description_marks_what_is_deprecated(deprecated):
    document = deprecation.marked(copy.deepcopy(openapi_document()))
    assert document["paths"]["/v1/periods"]["get"]["deprecated"] is True
    marked = [one for one in document["paths"]["/v1/incidents"]["get"]["parameters"] if one.get("deprecated")]
    assert [one["name"] for one in marked] == ["bom"]
    assert "deprecated" not in document["paths"]["/v1/incidents"]["get"]
    told = {(one.where, one.what) for one in compare(openapi_document(), document)}
    assert told == {("GET /v1/incidents query bom", "is deprecated"), ("GET /v1/periods", "is deprecated")}


@pytest.mark.parametrize("wrong", [("/v1/none", None), ("/v1/periods", "none")])
def test_what_is_not_there_cannot_be_deprecated(monkeypatch, wrong):
    monkeypatch.setattr(deprecation, "DEPRECATED", (Deprecation("GET", wrong[0], OLD.since, LINK, parameter=wrong[1]),))
    with pytest.raises(KeyError):
        deprecation.marked(copy.deepcopy(openapi_document()))


def test_what_is_deprecated_is_given_half_a_year():
    for one in DEPRECATED:
        assert one.sunset is None or (one.sunset - one.since).days >= 180
