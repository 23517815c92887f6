"""Imports over HTTP: made, handed in, checked, confirmed by its numbers, applied; nobody else learns of any of it."""

import asyncio
import threading
from typing import Any, ClassVar

import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from sqlalchemy import select

from app.core.ids import new
from app.exchange.importing import NOT_DRAWN
from app.imports.described import paths
from app.imports.keeping import MOST_OPEN
from app.intake.erase import erase
from app.intake.views import OWN, create, prepare, retire
from app.intake.write import Writer
from app.registry import openapi_document
from app.vault.tables import IMPORT
from tests.exchange.house import HEADER, MAPPING, ROWS, sheet
from tests.imports.conftest import another, good
from tests.intake.house import consent

GAINS = {"public": 5, "partner": 4, "mechanism": 4}
DOCUMENT = openapi_document()
ACTS = ("", "/file", "/confirm", "/report", "/sheet", "/events")
WITNESS = {"disclosure_basis": "consent", "recorded_by": "body", "witness": {"form": "unnamed"}}


def test_a_file_is_checked_confirmed_by_its_numbers_and_applied(hand):
    one, found = hand.checked(good())
    assert found["state"] == "ready" and found["reason"] is None and found["problems"] == 0
    assert (found["rows"], found["to_confirm"]) == (3, GAINS)
    report = hand.ask("GET", f"{one}/report").json()
    assert (report["applied"], report["refused"]) == (
        False,
        "It is checked, and waits to be confirmed. Nothing was applied.",
    )
    told = {name: found["foreseen"][name] for name in ("created", "revised", "unchanged")}
    assert told == {"created": 5, "revised": 0, "unchanged": 0}
    before = hand.ask("GET", "/v1/incidents").json()["total"]
    for gains in ({}, {"public": 5}, GAINS | {"partner": 3}):
        answer = hand.confirm(one, gains)
        assert answer.status_code == 409 and "public=5, partner=4, mechanism=4" in answer.json()["detail"]
    assert hand.ask("GET", "/v1/incidents").json()["total"] == before
    answer = hand.confirm(one, GAINS)
    assert answer.status_code == 202 and answer.json()["state"] == "confirmed"
    done = hand.until(one, "done")
    assert done["result"] == {"created": 5, "revised": 0, "unchanged": 0}
    assert hand.ask("GET", "/v1/incidents").json()["total"] == before + 3
    assert hand.brought(good())["result"] == {"created": 0, "revised": 0, "unchanged": 4}
    # Of the file nothing is left: what is in the vault is sealed there.
    folder = hand.house.settings.home / "imports" / one.rpartition("/")[2]
    assert sorted(path.name for path in folder.iterdir()) == ["report"]


def test_nobody_is_told_of_the_view_that_another_organisation_has_of_its_own(hand, house):
    """Nor has it to be confirmed: it is shown nothing of others but what is public."""
    owners = another(house).owner, hand.owner
    one, found = hand.checked(good())
    writer = Writer.open(house.settings, house.database)
    made = [create(writer, *OWN, owner=owner) for owner in owners]
    prepare(writer, house.settings.home)
    again = hand.checked(good())[1]["foreseen"]["gains"]
    assert again[:-1] == found["foreseen"]["gains"]
    assert again[-1] == {"view": f"view-{made[-1]}", "records": found["foreseen"]["created"], "own": True}
    retire(writer, made[-1])
    assert hand.checked(good())[1]["foreseen"] == found["foreseen"]
    assert hand.confirm(one, found["to_confirm"]).status_code == 202
    assert hand.until(one, "ready", "done", "failed")["state"] == "done"
    retire(writer, made[0])
    asyncio.run(writer.vault.keys.close())


def test_numbers_that_have_changed_since_are_told_anew_and_nothing_is_applied(hand):
    first, found = hand.checked(good())
    hand.brought(sheet(ROWS[1]))  # the second row comes in by another way
    assert hand.confirm(first, found["to_confirm"]).status_code == 202
    again = hand.until(first, "ready", "done", "failed")
    assert again["state"] == "ready" and again["reason"].startswith("What views would gain is no longer")
    assert again["to_confirm"] != found["to_confirm"] and again["to_confirm"]["public"] == 3
    assert hand.confirm(first, found["to_confirm"]).status_code == 409
    assert hand.confirm(first, again["to_confirm"]).status_code == 202
    assert hand.until(first, "done", "failed")["state"] == "done"


class TestAgain:
    ASKED: ClassVar[Any] = {"file": {"name": "cases.csv"}, "mapping": MAPPING}

    def test_the_same_request_is_answered_the_same_and_makes_one_import(self, house, hand):
        key = new("key")
        first = hand.ask("POST", "/v1/imports", self.ASKED, idempotency_key=key)
        assert first.status_code == 201
        colleague = another(house, owner=hand.owner)
        hand.put(first.headers["location"], b"half", last=False)
        for one in (hand, colleague):
            again = one.ask("POST", "/v1/imports", self.ASKED, idempotency_key=f'"{key}"')
            assert (again.status_code, again.content) == (201, first.content)
            assert again.headers["location"] == first.headers["location"]
        assert len(hand.ask("GET", "/v1/imports").json()["items"]) == 1
        folders = {path.name for path in (house.settings.home / "imports").iterdir()}
        rows = house.database.look(lambda connection: connection.scalars(select(IMPORT.c.id)).all())
        assert folders <= set(rows)
        other = hand.ask("POST", "/v1/imports", self.ASKED | {"keep_good": True}, idempotency_key=key)
        assert other.status_code == 422 and other.json()["errors"][0]["name"] == "Idempotency-Key"
        elsewhere = another(house).ask("POST", "/v1/imports", self.ASKED, idempotency_key=key)
        assert (elsewhere.status_code, elsewhere.json()["id"] != first.json()["id"]) == (201, True)

    def test_a_key_that_is_none_is_refused(self, hand):
        answer = hand.ask("POST", "/v1/imports", self.ASKED, idempotency_key="k" * 256)
        assert answer.status_code == 422 and answer.json()["errors"][0]["name"] == "Idempotency-Key"

    def test_one_that_was_abandoned_or_ended_with_a_record_is_made_anew(self, house, hand):
        key, made = new("key"), set()
        record = hand.ask("POST", "/v1/testimonies", WITNESS | {"consent": consent()}).json()["id"]
        for _ in range(3):
            one = hand.ask("POST", "/v1/imports", self.ASKED, idempotency_key=key).json()["id"]
            made.add(one)
            if len(made) == 1:
                assert hand.ask("DELETE", f"/v1/imports/{one}").status_code == 204
            else:
                erase(Writer.open(house.settings, house.database), record, hand.owner, "asked for")
        assert len(made) == 3

    def test_at_once_one_is_made(self, hand):
        key, found = new("key"), []

        def ask() -> None:
            found.append(hand.ask("POST", "/v1/imports", self.ASKED, idempotency_key=key).status_code)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(found) <= {201, 409} and 201 in found
        assert len(hand.ask("GET", "/v1/imports").json()["items"]) == 1


def test_only_its_organisation_has_an_import_and_each_right_does_its_own(house, hand):
    one, found = hand.checked(good())
    other = another(house)
    assert other.ask("GET", "/v1/imports").json() == {"items": [], "next": None}
    for act in ACTS:
        body: Any = {"gains": {}} if act == "/confirm" else None
        method = "GET" if body is None else "POST"
        answer = other.ask(method, one + act, body)
        nothing = other.ask(method, f"/v1/imports/{new('imp')}{act}", body)
        assert (answer.status_code, answer.content) == (404, nothing.content)
    assert other.put(one, b"x").status_code == 404 and other.ask("DELETE", one).status_code == 404
    helper = another(house, hand.owner, roles=("contribute",))
    assert helper.confirm(one, found["to_confirm"]).status_code == 403
    assert helper.ask("GET", one).json() == found
    steward = another(house, hand.owner, roles=("steward",))
    assert steward.ask("POST", "/v1/imports", {}).status_code == 403
    assert steward.confirm(one, found["to_confirm"]).status_code == 202
    assert hand.until(one, "done")["confirmed_by"] != found["made_by"]


def test_a_hidden_record_of_others_is_as_if_there_were_none(house, hand):
    other = another(house)
    hidden = other.ask("POST", "/v1/testimonies", WITNESS | {"consent": consent()})
    assert hidden.status_code == 201, hidden.text
    mapping = MAPPING.replace('{column: Told by, split: ",", refers: testimony}', "Told by")
    said = []
    for id in (hidden.json()["id"], new("tst")):
        one, found = hand.checked(sheet(f"1,2003,An event,Torture,camp,{id},,TEST/1,,,,,,"), mapping=mapping)
        assert found["state"] == "refused"
        said.append([(row, column, reason) for row, column, reason, _ in hand.entries(one)])
        hand.ask("DELETE", one)
    assert said[0] == said[1] != []
    # Its owner may name it.
    named = sheet(f"1,2003,An event,Torture,camp,{hidden.json()['id']},,TEST/1,,,,,,")
    assert other.checked(named, mapping=mapping)[1]["state"] == "ready"


STATED = """
mapping: "1"
name: stated
version: "1"
records:
  - as: account
    kind: testimony
    fields:
      id: Id
      disclosure_basis: {constant: consent}
      recorded_by: {constant: body}
      witness.form: {constant: unnamed}
      consent.obtained_by: {constant: Invented body}
      consent.obtained_on: {date: {column: Day}}
      consent.form: Form
      consent.language: {constant: ko}
      consent.recontact: {constant: "no"}
      consent.audiences.public.content: {column: Public}
      consent.audiences.public.purposes: {column: Purposes, split: ","}
"""


def test_an_id_that_is_stated_tells_of_no_record_of_others(house, hand):
    mine, theirs = (
        one.ask("POST", "/v1/testimonies", WITNESS | {"consent": consent()}).json()["id"]
        for one in (hand, another(house))
    )
    said = []
    for id in (theirs, new("tst")):
        row = f"{id},2020-01-02,written,summary,publication"
        one, found = hand.checked(f"Id,Day,Form,Public,Purposes\n{row}\n", mapping=STATED)
        said.append((found["state"], hand.entries(one)))
    assert said == [("refused", [(2, "Id", NOT_DRAWN, None)])] * 2
    # One's own may be stated, and without one the service draws it, by all that the row says.
    rows = f"{mine},2020-01-02,written,summary,publication", ",2020-01-03,written,summary,publication"
    for created, revised in ((1, 1), (0, 0)):
        done = hand.brought("\n".join(("Id,Day,Form,Public,Purposes", *rows, "")), mapping=STATED)
        assert (done["result"]["created"], done["result"]["revised"]) == (created, revised)


def test_events_tell_of_every_state_and_end_with_the_import(hand):
    one = hand.make()
    ending = threading.Timer(0.8, lambda: hand.ask("DELETE", one))
    ending.start()
    told = hand.ask("GET", f"{one}/events", accept="text/event-stream")
    ending.join()
    assert told.status_code == 200 and told.headers["content-type"].startswith("text/event-stream")
    events = [part for part in told.text.split("\n\n") if part.startswith("event: ")]
    assert [event.partition("\n")[0] for event in events] == ["event: waiting", "event: abandoned"]
    data = orjson.loads(events[0].partition("data: ")[2])
    assert data["id"] == one.rpartition("/")[2] and data["state"] == "waiting"
    assert hand.ask("GET", f"{one}/events", accept="text/html").status_code == 406


def test_an_organisation_has_so_many_under_way_and_pages_through_all(house):
    hand = another(house)
    made = [hand.make() for _ in range(MOST_OPEN)]
    full = hand.ask("POST", "/v1/imports", {"file": {"name": "a.csv"}, "mapping": "acled"})
    assert full.status_code == 409
    assert hand.ask("DELETE", made[0]).status_code == 204
    made.append(hand.make())
    found, address = [], "/v1/imports?limit=4"
    while address:
        page = hand.ask("GET", address).json()
        found += [item["id"] for item in page["items"]]
        address = page["next"]
    assert sorted(found) == sorted(one.rpartition("/")[2] for one in made) and len(found) == MOST_OPEN + 1
    assert hand.ask("GET", "/v1/imports?cursor=00").status_code == 422
    assert hand.ask("GET", "/v1/imports?limti=4").json()["errors"][0]["detail"].endswith("Did you mean 'limit'?")


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"file": {"name": "a.pdf"}, "mapping": "acled"}, "/file/name", "It has to end with"),
        ({"file": {"name": "../a.csv"}, "mapping": "acled"}, "/file/name", "pattern"),
        ({"file": {"name": "a.csv"}, "mapping": "acledd"}, "/mapping", "Did you mean 'acled'?"),
        ({"file": {"name": "a.csv"}, "mapping": MAPPING.replace("key: No", "kee: No")}, "/mapping", "kee"),
        ({"file": {"name": "a.csv"}, "mapping": {"mapping": "1"}}, "/mapping", "name"),
        ({"file": {"name": "a.csv"}, "mapping": "acled", "keep": True}, "/keep", "mean 'keep_good'?"),
        ({"file": {"name": "a.csv"}}, "/mapping", "It is required."),
        ({"file": "a.csv", "mapping": "acled"}, "/file", "It must be an object."),
    ],
)
def test_what_cannot_be_made_is_told_with_where_and_why(hand, body, pointer, words):
    answer = hand.ask("POST", "/v1/imports", body)
    assert answer.status_code == 422
    faults = answer.json()["errors"]
    assert any(one["pointer"].startswith(pointer) and words in one["detail"] for one in faults), faults


def test_an_erasure_takes_what_is_kept_of_its_owners_imports_with_it(house, hand):
    done = hand.brought(good())
    waiting, found = hand.checked(sheet(ROWS[1], header=HEADER))
    id = next(one["id"] for one in hand.ask("GET", "/v1/incidents").json()["items"] if one["owner"] == hand.owner)
    writer = Writer.open(house.settings, house.database)
    try:
        assert erase(writer, id, hand.owner, "asked for")
        assert writer.vault.keys.get([done["id"], found["id"]]) == {}
    finally:
        asyncio.run(writer.vault.keys.close())
    assert hand.ask("GET", f"/v1/imports/{done['id']}/report").status_code == 404
    told = hand.ask("GET", waiting).json()
    assert told["state"] == "abandoned" and told["reason"].startswith("A record of yours was erased")
    assert told["file"]["name"] is None
    kept = select(IMPORT.c.kept).where(IMPORT.c.owner == hand.owner)
    assert {*house.database.look(lambda connection: connection.scalars(kept).all())} == {False}


def test_every_answer_is_as_described(hand):
    def hold(answer, template, method):
        described = DOCUMENT["paths"][template][method]["responses"][str(answer.status_code)]
        if "$ref" in described:
            described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
        else:
            assert {name.lower() for name in described["headers"]} <= {*answer.headers}
        if answer.content:
            schema = described["content"][answer.headers["content-type"].partition(";")[0]]["schema"]
            if "json" in answer.headers["content-type"]:
                validator = Draft202012Validator(schema | {"components": DOCUMENT["components"]})
                assert [f"{one.json_path}: {one.message}" for one in validator.iter_errors(answer.json())] == []

    base, one = "/v1/imports", "/v1/imports/{id}"
    hold(hand.ask("POST", base, {"file": {"name": "a.csv"}, "mapping": MAPPING}), base, "post")
    hold(hand.ask("POST", base, {"fil": 1}), base, "post")
    made = hand.make()
    hold(hand.put(made, good().encode()[:9], last=False), f"{one}/file", "patch")
    hold(hand.put(made, b"x"), f"{one}/file", "patch")
    hold(hand.ask("GET", f"{made}/file"), f"{one}/file", "get")
    hold(hand.put(made, good().encode()[9:], 9), f"{one}/file", "patch")
    hold(hand.ask("POST", f"{made}/confirm", {"gains": {"public": 9999}}), f"{one}/confirm", "post")
    found = hand.until(made)
    hold(hand.ask("GET", made), one, "get")
    hold(hand.ask("GET", base), base, "get")
    hold(hand.ask("GET", f"{made}/report"), f"{one}/report", "get")
    hold(hand.ask("GET", f"{made}/sheet"), f"{one}/sheet", "get")
    hold(hand.confirm(made, found["to_confirm"]), f"{one}/confirm", "post")
    hand.until(made, "done")
    hold(hand.ask("GET", f"{made}/report"), f"{one}/report", "get")
    hold(hand.ask("GET", made), one, "get")
    hold(hand.ask("GET", f"{made}/events"), f"{one}/events", "get")
    bad, _ = hand.checked(sheet("1,x", header=HEADER))
    hold(hand.ask("GET", f"{bad}/report"), f"{one}/report", "get")
    hold(hand.ask("GET", f"{bad}/sheet"), f"{one}/sheet", "get")


@pytest.mark.parametrize("path", paths())
def test_every_example_is_right_by_its_schema(path):
    for operation in paths()[path].values():
        described = [*operation["responses"].values(), operation.get("requestBody", {})]
        for content in (media for one in described for media in one.get("content", {}).values() if "example" in media):
            validator = Draft202012Validator(content["schema"] | {"components": DOCUMENT["components"]})
            assert [one.message for one in validator.iter_errors(content["example"])] == []
