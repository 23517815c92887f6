"""Merging over HTTP: who may, what is answered, where the old id leads, and what it tells nobody else."""

import pytest

from tests.access.conftest import MECHANISM, PARTNER
from tests.intake.house import consent
from tests.writing.conftest import a_place, a_witness, another, held


def a_person(**more):
    basis = "consent" if "consent" in more else "published"
    return {"disclosure_basis": basis, "citations": [{"symbol": "TEST/1"}], **more}


def a_pair(hand, **more):
    """Two places of a hand's, as addresses."""
    return tuple(f"/v1/places/{hand.post('/v1/places', a_place(**more))['id']}" for _ in range(2))


def merge(hand, one, into, reason="Entered twice.", **headers):
    headers.setdefault("if_match", hand.tag(one))
    return hand.ask("POST", f"{one}/merge", {"into": into.rpartition("/")[2], "reason": reason}, **headers)


def test_the_old_id_leads_to_the_survivor(hand, house):
    one, into = a_pair(hand)
    done = merge(hand, one, into)
    assert (done.status_code, done.json()["outcome"]) == (200, "merged")
    assert done.json()["merged_into"] == into.rpartition("/")[2]
    for method in ("GET", "HEAD"):
        led = house.client.request(method, f"{one}?format=json", follow_redirects=False)
        assert (led.status_code, led.headers["cache-control"]) == (308, "no-store")
        assert led.headers["location"].endswith(f"{into}?format=json")
    assert house.client.get(f"{one}/history", follow_redirects=False).headers["location"].endswith(f"{into}/history")
    assert house.client.get(f"{one}/incidents", follow_redirects=False).status_code == 308
    assert house.client.get(one).json()["id"] == into.rpartition("/")[2]
    change = house.client.get("/v1/changes?kind=place&format=ndjson").text.splitlines()[-1]
    assert '"change":"merged"' in change
    assert f'"into":"{into.rpartition("/")[2]}"' in change
    # What is there is not changed under an id that nobody is shown.
    for method, body in (("PUT", a_place(id=one.rpartition("/")[2])), ("PATCH", {}), ("DELETE", {"reason": "x"})):
        answer = hand.ask(method, one, body, if_match=hand.tag(one))
        assert "merged into" in held(answer, 409)
        assert answer.headers["location"] == into
    undone = hand.ask("DELETE", f"{one}/merge", {"reason": "They are two."}, if_match=hand.tag(one))
    assert (undone.status_code, undone.json()["outcome"], undone.json()["merged_into"]) == (200, "unmerged", None)
    assert house.client.get(one, follow_redirects=False).status_code == 200
    history = house.client.get(f"{one}/history").json()["items"]
    assert [item["change"] for item in history] == ["created", "merged", "created"]
    held(hand.ask("DELETE", f"{one}/merge", {"reason": "again"}, if_match=hand.tag(one)), 409)


def test_what_is_asked_first_is_told_and_what_comes_again_is_done_once(hand, house):
    one, into = a_pair(hand)
    told = hand.ask(
        "POST", f"{one}/merge?dry_run=true", {"into": into.rpartition("/")[2], "reason": "x"}, if_match=hand.tag(one)
    )
    assert (told.status_code, told.json()["outcome"]) == (200, "merged")
    assert {reason["rule"] for view in told.json()["views"] for reason in view["reasons"]} == {"merged"}
    assert house.client.get(one, follow_redirects=False).status_code == 200
    tag = hand.tag(one)
    answers = [merge(hand, one, into, if_match=tag, idempotency_key="a-key") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    held(merge(hand, one, into, if_match=tag), 412)
    held(hand.ask("POST", f"{one}/merge", {"into": into.rpartition("/")[2], "reason": "x"}), 428)


def test_two_at_once_are_one_that_is_done_and_one_that_is_refused(hand):
    one, into = a_pair(hand)
    tag = hand.tag(one)
    answers = [merge(hand, one, into, if_match=tag), merge(hand, into, one), merge(hand, one, into, if_match=tag)]
    assert [answer.status_code for answer in answers] == [200, 409, 412]


def test_accounts_are_never_merged(hand):
    one, other = (f"/v1/testimonies/{hand.post('/v1/testimonies', a_witness())['id']}" for _ in range(2))
    assert "never merged" in held(merge(hand, one, other), 422, "/into")


def test_only_records_of_ones_own_are_merged(hand, house):
    one, into = a_pair(hand)
    theirs = another(house)
    held(theirs.ask("POST", f"{one}/merge", {"into": into.rpartition("/")[2], "reason": "x"}, if_match="*"), 403)
    (mine, _) = a_pair(theirs)
    held(merge(theirs, mine, into), 403)
    (secret, _) = a_pair(hand, restricted=True)
    held(merge(theirs, mine, secret), 404)
    held(merge(theirs, mine, "/v1/places/there-is-none"), 404)
    reader = another(house, roles=("read",))
    held(reader.ask("POST", f"{one}/merge", {"into": "x", "reason": "x"}, if_match="*"), 403)
    held(hand.ask("POST", f"{one}/merge", {"into": 3, "reason": "x"}, if_match=hand.tag(one)), 422, "/into")
    held(hand.ask("POST", f"{one}/merge", {"in": "x", "reason": "x"}, if_match=hand.tag(one)), 422)
    held(hand.ask("POST", f"{one}/merge?dryrun=true", {}, if_match=hand.tag(one)), 422, "dryrun")


@pytest.mark.parametrize("hidden", ["one", "survivor"])
def test_who_is_not_shown_both_is_told_nothing(house, hidden):
    """To whoever is not shown the one, or not the survivor, the old id is one that there never was."""
    hand = another(house, PARTNER, MECHANISM)
    kept, open_ = a_person(consent=consent(mechanism={})), a_person()
    contents = (kept, open_) if hidden == "one" else (open_, kept)
    one, into = (f"/v1/people/{hand.post('/v1/people', content)['id']}" for content in contents)
    before = house.client.get("/v1/changes?kind=person&format=ndjson").text
    assert merge(hand, one, into).status_code == 200
    gone = house.client.get(one, follow_redirects=False)
    never = house.client.get("/v1/people/per-0000000000000000000000000a", follow_redirects=False)
    alike = ("content-type", "content-length", "cache-control", "vary")
    assert (gone.status_code, gone.content) == (never.status_code, never.content) == (404, never.content)
    assert [gone.headers[name] for name in alike] == [never.headers[name] for name in alike]
    after = house.client.get("/v1/changes?kind=person&format=ndjson").text
    assert "merged" not in after.removeprefix(before)
    assert (after == before) is (hidden == "one")
    led = hand.ask("GET", one, purpose=MECHANISM)
    assert led.json()["id"] == into.rpartition("/")[2]
