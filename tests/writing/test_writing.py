"""Writing: what POST, PUT, PATCH and DELETE do to a record of one's own, and to what others are shown of it."""

import itertools

from tests.intake.house import a_testimony

NUMBERS = itertools.count()


def a_witness(**more):
    """A testimony with no id: the service draws it. Each has a text of its own."""
    content = a_testimony(**more)
    del content["id"]
    return content | {"note": {"en": f"Made up {next(NUMBERS)}"}}


def a_place(**more):
    return {"id": f"plc-{next(NUMBERS)}", "name": {"en": "A made-up place"}, "type": "other", **more}


def test_a_record_is_submitted_read_revised_and_taken_back(hand, house):
    made = hand.ask("POST", "/v1/testimonies", a_witness())
    assert made.status_code == 201
    assert made.headers["cache-control"] == "private, no-store"
    here, body = made.headers["location"], made.json()
    assert here == f"/v1/testimonies/{body['id']}"
    assert (body["owner"], body["revision"], body["state"], body["outcome"]) == (hand.owner, 1, "live", "created")
    assert house.client.get(here).status_code == 200
    read = hand.ask("GET", f"{here}/submitted")
    assert read.json() == {name: value for name, value in body.items() if name not in ("outcome", "warnings")}
    assert read.headers["etag"] == made.headers["etag"]
    assert hand.ask("GET", f"{here}/submitted", if_none_match=read.headers["etag"]).status_code == 304
    changed = hand.ask("PATCH", here, {"setting": {"en": "A room"}}, if_match=made.headers["etag"])
    assert (changed.status_code, changed.json()["revision"], changed.json()["outcome"]) == (200, 2, "revised")
    assert house.client.get(here).json()["setting"] == {"en": "A room"}
    whole = {**read.json()["record"], "setting": {"en": "Another room"}}
    put = hand.ask("PUT", here, whole, if_match=changed.headers["etag"])
    assert (put.status_code, put.json()["record"]) == (200, whole)
    again = hand.ask("PUT", here, whole, if_match=put.headers["etag"])
    assert (again.json()["outcome"], again.headers["etag"]) == ("unchanged", put.headers["etag"])
    gone = hand.ask("DELETE", here, {"reason": "a mistake"}, if_match=put.headers["etag"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert house.client.get(here).status_code == 404
    left = hand.ask("GET", f"{here}/submitted").json()
    assert (left["state"], left["reason"], left["record"]) == ("retracted", "a mistake", whole)
