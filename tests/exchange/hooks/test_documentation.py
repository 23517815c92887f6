"""What docs/sync.md tells a partner to write works: the copy that follows, and the receiver that verifies."""

import urllib.request
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import validate
from standardwebhooks import WebhookVerificationError

from app.exchange.hooks import outbox
from app.exchange.hooks.described import MESSAGE
from app.intake.retract import retract
from app.registry import openapi_document
from tests.exchange.hooks.conftest import PARTNER
from tests.intake.house import ONE_ENGINE, OWNER, a_source, submit
from tests.pages import defined, page


@ONE_ENGINE
def test_the_copy_on_the_page_follows(live_server, monkeypatch):
    program = defined("sync.md")
    copy: dict[str, Any] = {}
    asked = urllib.request.urlopen

    def without_key(request, timeout):
        return asked(request.full_url, timeout=timeout)

    monkeypatch.setattr(program["urllib"].request, "urlopen", without_key)
    place = program["follow"](live_server, "evk_…", None, copy)
    assert len(copy) == 1307
    assert program["follow"](live_server, "evk_…", place, copy) == place


def test_the_receiver_on_the_page_verifies_and_drops_what_it_has(house):
    received = defined("sync.md")["received"]
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    submit(house.intake, a_source())
    house.send()
    (came,) = house.receiver.came
    seen: set[str] = set()
    assert received(hook["secret"], came.headers, came.body, seen) == [
        {"id": "src-a", "kind": "source", "change": "created"}
    ]
    assert received(hook["secret"], came.headers, came.body, seen) == []
    with pytest.raises(WebhookVerificationError):
        received(hook["secret"], came.headers, came.body.replace(b"src-a", b"src-b"), set())
    assert {*came.message} == {*MESSAGE}
    assert {*came.message["data"]} == {*MESSAGE["data"]}


def test_the_page_states_the_numbers_of_the_program():
    assert (outbox.MOST, outbox.TRIES, outbox.LONGEST_WAIT, outbox.LONGEST_ASKED) == (100, 12, 3600, 86_400)
    for words in ("up to a hundred", "After twelve tries", "up to an hour", "`Retry-After` of up to a day"):
        assert words in page("sync.md")


def test_what_is_sent_and_answered_is_as_the_description_says(house):
    description = openapi_document()

    def hold(content: Any, schema: str) -> None:
        whole = {"$ref": f"#/components/schemas/{schema}", "components": description["components"]}
        validator = Draft202012Validator(whole)
        assert [error.message for error in validator.iter_errors(content)] == []

    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    hold(hook, "WebhookWithSecret")
    submit(house.intake, a_source())
    house.send()
    assert retract(house.intake.writer, "src-a", OWNER, "by the test")
    address = f"/v1/webhooks/{hook['id']}"
    hold(house.receiver.came[0].message, "RecordsChanged")
    for asked, schema in (
        (("GET", "/v1/webhooks"), "WebhookList"),
        (("GET", address), "Webhook"),
        (("POST", f"{address}/rotate", {}), "WebhookWithSecret"),
        (("POST", f"{address}/test"), "Tried"),
        (("GET", f"{address}/deliveries"), "DeliveryList"),
        (("POST", f"{address}/replay", {}), "Replayed"),
        (("POST", "/v1/acknowledgements", {"records": ["src-a"]}), "AcknowledgementsKept"),
        (("GET", "/v1/acknowledgements"), "AcknowledgementList"),
    ):
        answer = house.ask(key, *asked)
        assert answer.status_code == 200
        hold(answer.json(), schema)
    hold(house.receiver.came[-1].message, "WebhookTest")
    owner = house.key(PARTNER, organisation=_owner(house), roles=("steward",))[2]
    hold(house.ask(owner, "GET", "/v1/sources/src-a/recipients").json(), "RecipientList")
    assert {*description["webhooks"]} == {"records-changed", "test"}
    validate(description)


def _owner(house) -> str:
    house.keys.create_organisation(OWNER, "A made-up organisation", [PARTNER])
    return OWNER
