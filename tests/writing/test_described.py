"""The description: what writing is sent and answers is as it says, errors too, and every example is right by it."""

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from app.core.ids import new
from app.records import BY_NAME, KINDS
from app.registry import openapi_document
from app.writing.described import paths, sample
from tests.access.conftest import OPEN
from tests.intake.house import ONE_ENGINE, consent
from tests.writing.conftest import a_place, a_witness, another

DOCUMENT = openapi_document()


def wrong_in(schema, value) -> list[str]:
    """Return what a schema of the description has against a value."""
    found = Draft202012Validator(schema | {"components": DOCUMENT["components"]}).iter_errors(value)
    return [f"{one.json_path}: {one.message[:200]}" for one in found]


def hold(answer, template: str, method: str) -> None:
    """Hold an answer to the description of its operation: status, headers, body."""
    described = DOCUMENT["paths"][template][method]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
    if answer.status_code < 300 and "dry_run" not in str(answer.url) and answer.status_code != 204:
        assert {name.lower() for name in described["headers"]} <= {*answer.headers}
    if answer.content:
        schema = described["content"][answer.headers["content-type"]]["schema"]
        assert wrong_in(schema, answer.json()) == []


@ONE_ENGINE
def test_every_answer_is_as_described(house):
    hand, base = another(house), "/v1/testimonies"

    def ask(method: str, template: str, body=None, id: str = "", **headers):
        address, _, query = template.partition("?")
        asked = address.replace("{id}", id) + (f"?{query}" if query else "")
        answer = hand.ask(method, asked, body, **headers)
        hold(answer, address, method.lower())
        return answer

    content = a_witness(consent=consent(partner={}))
    ask("POST", f"{base}?dry_run=true", content)
    made = ask("POST", base, content)
    ask("POST", base, content)
    ask("POST", base, content, prefer="return=minimal")
    ask("POST", base, {"nothing": 1})
    ask("POST", base, content, content_type="text/plain")
    one, id = f"{base}/{{id}}", made.json()["id"]
    ask("GET", f"{one}/submitted", id=id)
    ask("GET", f"{one}/submitted", id=id, if_none_match=made.headers["etag"])
    ask("GET", f"{one}/disclosure", id=id)
    for method, body in (("PUT", content), ("PATCH", {"medium": "tape"}), ("DELETE", {"reason": "x"})):
        ask(method, one, body, id)
        ask(method, one, body, new("tst"), if_match="*")
        ask(method, one, body, OPEN, if_match="*")
        ask(method, one, body, id, if_match='"other"')
        ask(method, f"{one}?dry_run=true", body, id, if_match="*")
        ask(method, one, body, id, if_match="*")
    ask("DELETE", one, {"reason": "x"}, id, if_match="*")
    ask("POST", f"{one}/withdrawal", {"reason": "x"}, id)
    ask("POST", f"{one}/objection", {"to": "name", "reason": "x"}, id)
    published = hand.post(base, a_witness())["id"]
    ask("POST", f"{one}/objection", {"to": "name", "reason": "x"}, published)
    ask("POST", f"{one}/withdrawal", {"reason": "x"}, published, prefer="return=minimal")
    place = a_place()
    ask("PUT", "/v1/places/{id}", place, place["id"], if_none_match="*")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_example_is_a_real_record_and_right_by_its_schema(kind):
    record = sample(kind.name)
    assert (record is None) == (kind.name == "link")
    for operations in (operations for path, operations in paths().items() if path.startswith(f"/v1/{kind.path}")):
        for operation in operations.values():
            contents = [*operation.get("requestBody", {}).get("content", {}).values()]
            for answer in operation["responses"].values():
                contents += answer.get("content", {}).values()
            for content in contents:
                if "example" in content:
                    assert wrong_in(content["schema"], content["example"]) == []
    if record is not None:
        BY_NAME[kind.name].model.model_validate(record)
