"""Who has a record is known to its owner; whoever read it is asked to let go of it, and says so."""

from typing import Any

import pytest

from app.access.audit import Spool
from app.access.shipping import Shipper
from app.intake import erase
from app.intake import views as views_of
from app.intake.retract import retract, withdraw
from tests.exchange.hooks.conftest import PARTNER
from tests.intake.house import ONE_ENGINE, OWNER, T1, T2, T3, a_source, a_testimony, consent, submit

MECHANISM = "mechanism/un-reporting"
EVERY: dict[str, Any] = {"partner": {}, "mechanism": {}}


@pytest.fixture
def owner(house):
    """The steward of the organisation that holds the records."""
    house.keys.create_organisation(OWNER, "A made-up organisation", [PARTNER])
    return house.key(PARTNER, organisation=OWNER, roles=("steward", "read"))[2]


@pytest.fixture
def told(house, monkeypatch):
    """A function that ships the account of what was read."""

    async def nothing(_):
        pass

    monkeypatch.setattr(Shipper, "once", nothing)

    def ship():
        house.client.app.router.routes[0]._trails._spool.close()
        Shipper(house.database, Spool(house.settings.home / "audit"), pytest.fail).ship()

    return ship


def who_has(house, owner, record=T1):
    answer = house.ask(owner, "GET", f"/v1/testimonies/{record}/recipients")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["next"], body["total"]) == (None, len(body["items"]))
    return body["items"]


def acknowledge(house, key, *records, **more):
    return house.ask(key, "POST", "/v1/acknowledgements", {"records": list(records), **more})


def test_a_recipient_is_asked_says_so_and_the_owner_sees_it(house, owner, told):
    first, _, key = house.key(PARTNER)
    second, _, other = house.key(PARTNER)
    submit(house.intake, a_source(), a_testimony(consent=consent(**EVERY)), a_testimony(T2, consent=consent(**EVERY)))
    house.ask(key, "GET", f"/v1/testimonies/{T1}")
    house.ask(other, "GET", "/v1/testimonies?format=ndjson")
    house.ask(owner, "GET", "/v1/testimonies")  # one's own organisation is none of them
    told()
    found = who_has(house, owner)
    assert [(one["recipient"], one["view"], one["state"]) for one in found] == [
        (first, PARTNER, "shown"),
        (second, PARTNER, "shown"),
    ]
    assert all(one["since"] == one["last"] and one["removed"] is one["acknowledged"] is None for one in found)
    assert [one["recipient"] for one in who_has(house, owner, T2)] == [second]
    assert house.ask(key, "GET", "/v1/acknowledgements").json() == {"items": [], "next": None}
    early = acknowledge(house, key, T1)
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/records/0")

    assert withdraw(house.intake.writer, T1, OWNER, "by the test")
    asked = house.ask(key, "GET", "/v1/acknowledgements").json()["items"]
    assert [(one["record"], one["kind"], one["state"]) for one in asked] == [(T1, "testimony", "asked")]
    assert {one["state"] for one in who_has(house, owner)} == {"asked"}
    said = acknowledge(house, key, T1).json()["items"]
    assert [(one["record"], one["state"], one["removed"]) for one in said] == [
        (T1, "acknowledged", asked[0]["removed"])
    ]
    assert acknowledge(house, key, T1).json()["items"] == said  # again: as it was
    assert [(one["recipient"], one["state"]) for one in who_has(house, owner)] == [
        (first, "acknowledged"),
        (second, "asked"),
    ]
    assert who_has(house, owner)[0]["acknowledged"] == said[0]["acknowledged"]
    for state, records in (("asked", []), ("acknowledged", [T1])):
        listed = house.ask(key, "GET", f"/v1/acknowledgements?state={state}").json()["items"]
        assert [one["record"] for one in listed] == records

    # What is erased afterwards is still told of.
    assert erase.erase(house.intake.writer, T1, OWNER, "by the test")
    assert [one["state"] for one in who_has(house, owner)] == ["acknowledged", "asked"]
    assert acknowledge(house, other, T1).status_code == 200
    assert [one["state"] for one in who_has(house, owner)] == ["acknowledged", "acknowledged"]


def test_what_is_shown_again_and_removed_again_is_asked_again(house, owner, told):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    testimony = a_testimony(consent=consent(**EVERY))
    submit(house.intake, a_source(), testimony)
    house.ask(key, "GET", f"/v1/testimonies/{T1}")
    told()
    assert retract(house.intake.writer, T1, OWNER, "by the test")
    house.send()
    position = house.receiver.came[-1].message["data"]["position"]
    submit(house.intake, testimony)
    assert acknowledge(house, key, T1).status_code == 422  # it is shown again
    assert acknowledge(house, key, T1, position=hook["position"]).status_code == 422  # before it was removed
    # True of what it had seen by then; and nothing that the owner need know, for it may hold it again.
    assert acknowledge(house, key, T1, position=position).status_code == 200
    assert [one["state"] for one in who_has(house, owner)] == ["shown"]
    assert house.ask(key, "GET", "/v1/acknowledgements").json()["items"] == []
    assert retract(house.intake.writer, T1, OWNER, "by the test")
    assert [one["state"] for one in who_has(house, owner)] == ["asked"]
    assert [one["state"] for one in house.ask(key, "GET", "/v1/acknowledgements").json()["items"]] == ["asked"]
    assert acknowledge(house, key, T1).status_code == 200
    assert [one["state"] for one in who_has(house, owner)] == ["acknowledged"]


def test_all_or_none_are_acknowledged_and_pages_go_on(house, told):
    _, _, key = house.key(PARTNER)
    sources = [f"src-{n}" for n in range(5)]
    submit(house.intake, *map(a_source, sources))
    house.ask(key, "GET", "/v1/sources")
    told()
    for one in sources[:4]:
        assert retract(house.intake.writer, one, OWNER, "by the test")
    refused = acknowledge(house, key, *sources)
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/records/4"]
    assert {one["state"] for one in house.ask(key, "GET", "/v1/acknowledgements").json()["items"]} == {"asked"}
    assert acknowledge(house, key, *sources[1:3]).json()["total"] == 2
    following, found = "/v1/acknowledgements?limit=2", []
    while following:
        page = house.ask(key, "GET", following.removeprefix("http://testserver")).json()
        found += [(one["record"], one["state"]) for one in page["items"]]
        following = page["next"]
    says = {False: "asked", True: "acknowledged"}
    assert found == [(one, says[one in sources[1:3]]) for one in sources[:4]]
    (one,) = house.ask(key, "GET", "/v1/acknowledgements?limit=1&state=acknowledged").json()["items"]
    assert one["record"] == "src-1"


def test_of_mechanisms_an_owner_learns_the_month_and_that_all_have_let_go(house, owner, told):
    first, _, key = house.key(MECHANISM)
    _, _, other = house.key(MECHANISM)
    submit(house.intake, a_source(), a_testimony(consent=consent(**EVERY)))
    for one in (key, other):
        house.ask(one, "GET", f"/v1/testimonies/{T1}")
    told()
    (found,) = who_has(house, owner)
    assert (found["recipient"], found["view"], found["state"]) == ("a mechanism", None, "shown")
    assert {len(found["since"]), len(found["last"])} == {7}
    assert first not in str(found)
    assert withdraw(house.intake.writer, T1, OWNER, "by the test")
    assert who_has(house, owner)[0]["state"] == "asked"
    assert acknowledge(house, key, T1).status_code == 200
    assert who_has(house, owner)[0]["state"] == "asked"  # not yet all of them
    assert acknowledge(house, other, T1).status_code == 200
    (found,) = who_has(house, owner)
    assert (found["state"], len(found["acknowledged"])) == ("acknowledged", 7)


@ONE_ENGINE
def test_what_a_seal_covers_an_owner_does_not_learn(house, owner, told):
    organisation, _, key = house.key(MECHANISM)
    steward = house.key(MECHANISM, organisation=organisation, roles=("steward",))[2]
    until = {"until": "2027-11-01T00:00:00Z"}
    assert house.ask(steward, "POST", "/v1/audit/seals", until).status_code == 201
    submit(house.intake, a_source(), a_testimony(consent=consent(**EVERY)))
    house.ask(key, "GET", f"/v1/testimonies/{T1}")
    told()
    before = who_has(house, owner)
    assert withdraw(house.intake.writer, T1, OWNER, "by the test")
    assert [one["record"] for one in house.ask(key, "GET", "/v1/acknowledgements").json()["items"]] == [T1]
    assert acknowledge(house, key, T1).status_code == 200
    assert before == who_has(house, owner) == []


@ONE_ENGINE
def test_of_a_view_that_is_retired_nobody_is_asked(house, owner, told):
    _, _, key = house.key(PARTNER)
    submit(house.intake, a_source(), a_testimony(consent=consent(**EVERY)))
    house.ask(key, "GET", f"/v1/testimonies/{T1}")
    told()
    views_of.retire(house.intake.writer, 1)
    assert [one["state"] for one in who_has(house, owner)] == ["not-asked"]


def test_whoever_is_no_owner_learns_nothing_of_recipients(house, owner, told):
    other = house.key(PARTNER, roles=("steward", "read"))[2]
    reader = house.key(PARTNER)[2]
    operator = house.key(roles=("steward",), organisation=house.operator())[2]
    submit(
        house.intake,
        a_source(),
        a_testimony(consent=consent(**EVERY)),
        a_testimony(T3, consent=consent(mechanism={})),
    )
    for who, hidden in ((None, 401), (reader, 403), (other, 404), (operator, 404), (owner, 200)):
        assert house.ask(who, "GET", f"/v1/testimonies/{T3}/recipients").status_code == hidden
        unknown = house.ask(who, "GET", f"/v1/testimonies/{T2}/recipients")
        assert unknown.status_code == (404 if hidden == 200 else hidden)
        if hidden == 404:
            assert unknown.json() == house.ask(who, "GET", f"/v1/testimonies/{T3}/recipients").json()
    contributor = house.key(PARTNER, organisation=OWNER, roles=("contribute",))[2]
    assert house.ask(contributor, "GET", f"/v1/testimonies/{T1}/recipients").status_code == 403
    assert house.ask(owner, "GET", f"/v1/incidents/{T1}/recipients").status_code == 404


@ONE_ENGINE
def test_what_one_may_not_see_is_as_what_never_was_to_whoever_acknowledges(house):
    _, _, key = house.key(PARTNER)
    submit(house.intake, a_source(), a_testimony(T3, consent=consent(mechanism={})))
    assert retract(house.intake.writer, T3, OWNER, "by the test")
    hidden, unknown = acknowledge(house, key, T3), acknowledge(house, key, T2)
    assert (hidden.status_code, hidden.json()) == (422, unknown.json())


@ONE_ENGINE
def test_what_is_no_acknowledgement_is_refused(house):
    _, _, key = house.key(PARTNER)
    mechanism = house.key(MECHANISM)[2]
    hook = house.hook(mechanism)
    submit(house.intake, a_source())
    assert retract(house.intake.writer, "src-a", OWNER, "by the test")
    for body, pointer in (
        ({}, "/records"),
        ({"records": []}, "/records"),
        ({"records": [1]}, "/records/0"),
        ({"records": ["a"] * 501}, "/records"),
        ({"records": ["src-a"], "more": 1}, "/more"),
        ({"records": ["src-a"], "position": "here"}, "/position"),
        ({"records": ["src-a"], "position": hook["position"]}, "/position"),  # of another view
    ):
        answer = house.ask(key, "POST", "/v1/acknowledgements", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    for method in ("GET", "POST"):
        assert house.ask(None, method, "/v1/acknowledgements", {"records": ["a"]}).status_code == 401
    for asked in ("state=aske", "limit=0", "stat=asked", "cursor=00", "state=asked&state=asked"):
        assert house.ask(key, "GET", f"/v1/acknowledgements?{asked}").status_code == 422
    wrong = house.ask(key, "GET", "/v1/acknowledgements?state=aske").json()["detail"]
    assert "'asked'" in wrong
