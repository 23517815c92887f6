"""The description: what the routes of access answer is as it says, errors too; and no secret is in any log or error."""

import base64

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from app.access.described import SCHEMAS
from app.core import moments
from app.registry import openapi_document
from tests.access.conftest import MECHANISM, PARTNER

DOCUMENT = openapi_document()
LISTS = ("/v1/me", "/v1/keys", "/v1/organisations", "/v1/audit", "/v1/audit/seals")


def hold(answer, template: str, method: str = "get") -> None:
    """Hold an answer to the description of its operation."""
    described = DOCUMENT["paths"][template][method]["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
    schema = described["content"][answer.headers["content-type"]]["schema"]
    validator = Draft202012Validator(schema | {"components": DOCUMENT["components"]})
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json())] == []


def test_anonymous_answers_are_as_described(house):
    for template in (
        "/v1/me",
        "/v1/keys",
        "/v1/organisations",
        "/v1/audit",
        "/v1/audit/seals",
        "/.well-known/jwks.json",
    ):
        hold(house.client.get(template), template)
    hold(house.client.post("/v1/token", data={"grant_type": "client_credentials"}), "/v1/token", "post")


def test_what_credentials_are_answered_is_as_described(house):
    organisation = house.organisation(operator=True)
    key = house.key(organisation=organisation, roles=("admin", "steward"))
    headers = {"Authorization": f"Bearer {key}"}

    def ask(method: str, template: str, id: str = "", body=None):
        answer = house.client.request(method, template.replace("{id}", id), json=body, headers=headers)
        hold(answer, template, method.lower())
        return answer.json()

    new = ask("POST", "/v1/organisations", body={"id": f"{organisation}-new", "name": "New", "views": [PARTNER]})
    made = ask("POST", "/v1/keys", body={"name": "x", "organisation": new["id"], "views": [PARTNER]})
    ask("POST", "/v1/keys", body={"name": "x", "organisation": "nobody"})
    ask("POST", "/v1/keys", body={"nam": 1})
    ask("POST", "/v1/keys/{id}/rotate", made["id"], {"overlap_hours": 1})
    for template in LISTS:
        ask("GET", template)
    ask("GET", "/v1/keys/{id}", made["id"])
    ask("GET", "/v1/keys/{id}", "crd-none")
    ask("DELETE", "/v1/keys/{id}", made["id"])
    ask("GET", "/v1/organisations/{id}", new["id"])
    ask("PATCH", "/v1/organisations/{id}", new["id"], {"views": [MECHANISM]})
    ask("DELETE", "/v1/organisations/{id}", new["id"])
    sealing = house.key(MECHANISM, roles=("steward",))
    headers["Authorization"] = f"Bearer {sealing}"
    ask("POST", "/v1/audit/seals", body={"until": moments.iso(moments.now() + 86_400_000)})
    ask("GET", "/v1/audit/seals")
    ask("GET", "/v1/keys")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name):
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_no_secret_is_in_a_log_or_an_error(house, capfd):
    row, key = house.make(PARTNER)
    id, secret = house.make(PARTNER, kind="client")
    basic = base64.b64encode(f"{id['id']}:{secret}".encode()).decode()
    answers = []
    for text in (key, secret, key[:-1] + "z", key.upper(), key[4:], f"{key}.{key}.{key}"):
        for address in ("/v1/testimonies", "/v1/me", "/v1/keys", f"/v1/testimonies?owner={text}", f"/v1/keys/{text}"):
            answers.append(house.ask(address, text))
        for name in ("Purpose", "X-Request-ID", "Accept", "If-None-Match", "Host"):
            answers.append(house.client.get("/v1/testimonies", headers={"Authorization": f"Bearer {key}", name: text}))
        answers.append(house.client.post(f"/v1/token?client_secret={text}", data={"client_secret": text}))
        answers.append(house.client.post("/v1/token", data={"client_id": text, "client_secret": text, "scope": text}))
        answers.append(house.client.post("/v1/keys", json={"name": text, text: text}))
    form = {"grant_type": "password"}
    answers.append(house.client.post("/v1/token", data=form, headers={"Authorization": f"Basic {basic}"}))
    assert row and len(answers) == 6 * 13 + 1
    logged = capfd.readouterr()
    for text in (key[15:], secret[15:], basic):
        assert text not in logged.err + logged.out
        for answer in answers:
            given = "X-Request-ID" in answer.request.headers
            assert text not in answer.text and (given or text not in str(answer.headers)), answer.text
