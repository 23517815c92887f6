"""Webhooks over HTTP: each sees its own, secrets are shown once, and what cannot be is refused with its place."""

import asyncio
import ssl
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.testclient import TestClient

from app.access.tables import AUDIT_ENTRY
from app.exchange.hooks.outbox import Rules
from app.exchange.hooks.tables import WEBHOOK, WEBHOOK_MESSAGE
from app.main import create_app
from tests.exchange.hooks.conftest import PARTNER
from tests.intake.house import ONE_ENGINE, a_source, submit


def test_a_webhook_is_shown_without_its_secret_ever_after(house):
    organisation, credential, key = house.key(PARTNER)
    made = house.ask(key, "POST", "/v1/webhooks", {"name": "ours", "url": house.receiver.url, "kinds": ["place"]})
    hook = made.json()
    secret = hook.pop("secret")
    assert made.headers["location"] == f"/v1/webhooks/{hook['id']}"
    assert made.headers["cache-control"] == "private, no-store"
    assert (secret[:6], len(secret)) == ("whsec_", 50)
    assert {name: hook[name] for name in ("organisation", "credential", "view", "name", "kinds", "state")} == {
        "organisation": organisation,
        "credential": credential,
        "view": PARTNER,
        "name": "ours",
        "kinds": ["place"],
        "state": "active",
    }
    address = f"/v1/webhooks/{hook['id']}"
    assert house.ask(key, "GET", address).json() == hook
    assert house.ask(key, "GET", "/v1/webhooks").json() == {"items": [hook], "next": None, "total": 1}
    rows = house.database.look(lambda connection: [*connection.execute(select(WEBHOOK)), *_lines(connection)])
    assert secret.removeprefix("whsec_") not in str(rows)
    assert Webhook(secret)._whsecret not in b"".join(bytes(one) for row in rows for one in row if _is_bytes(one))


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes | memoryview)


def _lines(connection):
    return [*connection.execute(select(AUDIT_ENTRY))]


def test_others_are_as_if_there_were_none(house):
    organisation, _, key = house.key(PARTNER)
    hook = house.hook(key)
    address = f"/v1/webhooks/{hook['id']}"
    beside = house.key(PARTNER, organisation=organisation)[2]
    admin = house.key(organisation=organisation, roles=("admin",))[2]
    other = house.key(PARTNER, roles=("read", "admin"))[2]
    operator = house.key(organisation=house.operator(), roles=("admin",))[2]
    for who, sees in ((key, 1), (beside, 0), (admin, 1), (other, 0), (operator, 1)):
        assert house.ask(who, "GET", "/v1/webhooks").json()["total"] == sees
        answers = {
            house.ask(who, method, address + more, body).status_code
            for method, more, body in (
                ("GET", "", None),
                ("PATCH", "", {"name": "ours"}),
                ("GET", "/deliveries", None),
                ("POST", "/replay", {}),
                ("POST", "/rotate", {}),
            )
        }
        assert answers == ({200} if sees else {404})
    assert house.ask(beside, "GET", address).json() == house.ask(beside, "GET", "/v1/webhooks/whk-none").json()


def test_who_may_make_one(house):
    body = {"name": "ours", "url": house.receiver.url}
    assert house.ask(None, "POST", "/v1/webhooks", body).status_code == 401
    assert house.ask(house.key(PARTNER, roles=("admin",))[2], "POST", "/v1/webhooks", body).status_code == 403
    several = house.key(PARTNER, "mechanism/un-reporting")[2]
    assert house.ask(several, "POST", "/v1/webhooks", body).json()["errors"][0]["name"] == "Purpose"
    made = house.ask(several, "POST", "/v1/webhooks", body, Purpose="un-reporting")
    assert made.json()["view"] == "mechanism/un-reporting"


@ONE_ENGINE
@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"name": None}, "/name", ""),
        ({"name": ""}, "/name", ""),
        ({"name": "a" * 201}, "/name", ""),
        ({"url": 1}, "/url", ""),
        ({"url": "http://hooks.example.org/"}, "/url", "https://"),
        ({"url": "https://169.254.169.254/latest"}, "/url", "not sent to"),
        ({"url": "https://user:secret-word@hooks.example.org/"}, "/url", "no user name"),
        ({"kinds": ["testimonny"]}, "/kinds/0", "'testimony'"),
        ({"kinds": "testimony"}, "/kinds", ""),
        ({"view": PARTNER}, "/view", ""),
        ({"secret": "whsec_"}, "/secret", ""),
    ],
)
def test_what_is_no_webhook_is_refused_with_its_place(house, change, pointer, says):
    _, _, key = house.key(PARTNER)
    body = {"name": "ours", "url": house.receiver.url, **change}
    answer = house.ask(key, "POST", "/v1/webhooks", body)
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["pointer"]) == (422, pointer)
    assert says in fault["detail"]
    assert "secret-word" not in answer.text
    if "name" in change or "url" in change:
        address = f"/v1/webhooks/{house.hook(key)['id']}"
        if change != {"name": None}:  # null is as if it were left out
            answer = house.ask(key, "PATCH", address, change)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


@ONE_ENGINE
def test_parameters_are_refused_where_there_are_none_and_named_where_they_are(house):
    _, _, key = house.key(PARTNER)
    address = f"/v1/webhooks/{house.hook(key)['id']}"
    for method, more in (
        ("GET", "/v1/webhooks?kind=place"),
        ("GET", f"{address}?a=1"),
        ("GET", f"{address}/deliveries?stat=dead"),
        ("GET", f"{address}/deliveries?state=died"),
        ("GET", f"{address}/deliveries?limit=201"),
        ("GET", f"{address}/deliveries?cursor=abc"),
        ("POST", f"{address}/test?a=1"),
        ("DELETE", f"{address}?a=1"),
    ):
        assert house.ask(key, method, more).status_code == 422, more
    assert "'dead'" in house.ask(key, "GET", f"{address}/deliveries?state=deaad").json()["detail"]
    assert house.ask(key, "PATCH", address, {"state": "disabled"}).status_code == 422
    assert house.ask(key, "PATCH", address, {"kinds": []}).status_code == 422
    assert house.ask(key, "PUT", address, {}).status_code == 405
    assert house.ask(key, "OPTIONS", address).headers["allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"


@ONE_ENGINE
def test_deliveries_are_listed_page_by_page_and_each_list_has_its_own_cursors(house, monkeypatch):
    monkeypatch.setattr("app.exchange.hooks.outbox.MOST", 1)
    monkeypatch.setattr("app.exchange.hooks.outbox.KEPT", 4)
    _, _, key = house.key(PARTNER)
    hook, other = house.hook(key), house.hook(key)
    submit(house.intake, *[a_source(f"src-{n}") for n in range(6)])
    house.send()
    address = f"/v1/webhooks/{hook['id']}/deliveries"
    following, pages = f"{address}?limit=3&state=delivered", 0
    found: list[dict[str, Any]] = []
    while following:
        page = house.ask(key, "GET", following.removeprefix("http://testserver")).json()
        found, pages = found + page["items"], pages + 1
        if page["next"]:
            assert house.ask(key, "GET", page["next"].replace(hook["id"], other["id"])).status_code == 422
        following = page["next"]
    assert (len(found), pages) == (4, 2)  # of those that were taken the last few are told of
    sent = [came.id for came in house.receiver.came if came.message["data"]["webhook"] == hook["id"]]
    assert [one["id"] for one in found] == sent[:1:-1]


@ONE_ENGINE
def test_there_is_a_most_of_them_for_each_organisation(house):
    organisation, _, key = house.key(PARTNER)
    beside = house.key(PARTNER, organisation=organisation)[2]
    body = {"name": "ours", "url": house.receiver.url}
    with TestClient(create_app(replace(house.settings, hooks_each=2))) as client:
        house.client = client
        hooks = [house.hook(one) for one in (key, beside)]
        refused = house.ask(key, "POST", "/v1/webhooks", body)
        assert (refused.status_code, "2 webhooks" in refused.json()["detail"]) == (409, True)
        house.hook(house.key(PARTNER)[2])  # another organisation's do not count
        house.ask(key, "DELETE", f"/v1/webhooks/{hooks[0]['id']}")
        hook = house.hook(key)
    with TestClient(create_app(replace(house.settings, hooks_each=0))) as client:
        house.client = client
        assert house.ask(key, "POST", "/v1/webhooks", body).status_code == 409
        assert house.ask(key, "POST", f"/v1/webhooks/{hook['id']}/test").status_code == 409
        assert house.ask(key, "GET", "/v1/webhooks").json()["total"] == 1


def test_while_a_secret_is_rotated_messages_are_signed_by_both(house):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    address = f"/v1/webhooks/{hook['id']}"
    assert house.ask(key, "POST", f"{address}/rotate", {"overlap_hours": 721}).status_code == 422
    rotated = house.ask(key, "POST", f"{address}/rotate", {"overlap_hours": 1}).json()
    assert rotated["former_secret_ends"] is not None
    submit(house.intake, a_source("one"))
    house.send()
    for secret in (hook["secret"], rotated["secret"]):
        house.receiver.came[-1].verify(secret)
    house.moving.ahead += 3_700_000
    submit(house.intake, a_source("two"))
    house.send()
    came = house.receiver.came[-1]
    assert came.headers["webhook-signature"].count("v1,") == 1
    # An hour ahead of the real time: the age is looked at too, so the signature is made by hand.
    again = house.ask(key, "POST", f"{address}/rotate", {"overlap_hours": 0}).json()
    assert again["former_secret_ends"] is None
    house.ask(key, "POST", f"{address}/test")
    house.receiver.came[-1].verify(again["secret"])
    for secret in (hook["secret"], rotated["secret"]):
        with pytest.raises(WebhookVerificationError):
            house.receiver.came[-1].verify(secret)


def test_a_test_message_tells_of_nothing_and_what_came_of_it(house):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    address = f"/v1/webhooks/{hook['id']}"
    answer = house.ask(key, "POST", f"{address}/test").json()
    (came,) = house.receiver.came
    came.verify(hook["secret"])
    assert answer == {"id": came.id, "outcome": "delivered", "status": 204}
    assert (came.message["type"], came.message["data"]) == ("test", {"webhook": hook["id"]})
    house.receiver.answer = lambda *_: (503, {})
    assert house.ask(key, "POST", f"{address}/test").json()["outcome"] == "refused"
    assert house.ask(key, "GET", f"{address}/deliveries").json()["items"] == []
    assert house.ask(key, "GET", address).json()["failing_since"] is None


def test_what_is_done_with_a_webhook_is_in_the_account(house):
    _, credential, key = house.key(PARTNER)
    address = f"/v1/webhooks/{house.hook(key)['id']}"
    house.ask(key, "PATCH", address, {"state": "paused"})
    house.ask(key, "POST", f"{address}/rotate", {})
    house.ask(key, "POST", f"{address}/replay", {})
    house.ask(key, "DELETE", address)
    operator = house.key(organisation=house.operator(), roles=("steward",))[2]
    lines = house.ask(operator, "GET", "/v1/audit").json()["items"]
    acts = [line["act"] for line in lines if line.get("credential") == credential and "act" in line]
    assert acts == [f"{one}-webhook" for one in ("delete", "replay", "rotate", "change", "create")]
    left = house.database.look(lambda connection: [*connection.execute(select(WEBHOOK_MESSAGE))])
    assert left == []


def test_waits_double_are_drawn_by_chance_and_have_an_end():
    rules = Rules(5, 5)
    for failures, most in ((1, 5), (2, 10), (5, 80), (12, 3600), (10_000, 3600)):
        drawn = [rules.wait(failures, None) for _ in range(50)]
        assert all(most / 2 <= one <= most for one in drawn)
        assert len(set(drawn)) > 10
    assert rules.wait(1, 7200) == 7200
    assert rules.wait(1, 1e9) == 86_400


def test_certificates_are_held_to_what_the_system_trusts(house):
    """A receiver that speaks no TLS, or has a certificate that nobody trusts, is not sent to."""
    post = house.courier()._post
    assert post._trust is None
    outcome = asyncio.run(_closing(post, f"https://127.0.0.1:{house.receiver.port}/"))
    assert outcome.word == "tls"
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED


async def _closing(post, url):
    try:
        return await post.send(url, {}, b"{}")
    finally:
        await post.close()
