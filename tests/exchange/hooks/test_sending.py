"""Webhooks tell of every change by id and word, once it is done, in order, until it is taken; and of nothing else."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.exchange.hooks import outbox
from app.exchange.hooks.posting import seconds_asked
from app.intake.retract import retract
from tests.exchange.hooks.conftest import PARTNER
from tests.intake.house import ONE_ENGINE, OWNER, T1, T2, a_place, a_source, a_testimony, consent, submit


def moment(text: str) -> int:
    """Return a moment of an answer in milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_receiver_is_told_of_each_change_in_order_by_id_and_word_alone(house):
    _, credential, key = house.key(PARTNER)
    submit(house.intake, a_source("before"))
    hook = house.hook(key)
    submit(house.intake, a_source(), a_testimony(consent=consent(partner={"content": "summary"})))
    retract(house.intake.writer, T1, OWNER, "by the test")
    house.send()
    assert house.receiver.told == [("src-a", "created"), (T1, "created"), (T1, "removed")]
    (came,) = house.receiver.came
    came.verify(hook["secret"])
    assert {*came.message} == {"type", "timestamp", "data"}
    assert came.message["type"] == "records.changed"
    assert {*came.message["data"]} == {"webhook", "position", "changes"}
    assert all({*one} == {"id", "kind", "change"} for one in came.message["data"]["changes"])
    after = house.ask(key, "GET", f"/v1/changes?after={came.message['data']['position']}").json()
    assert (after["items"], after["more"]) == ([], False)
    after = house.ask(key, "GET", f"/v1/changes?after={hook['position']}").json()
    assert [(one["id"], one["change"]) for one in after["items"]] == house.receiver.told
    house.send()
    assert len(house.receiver.came) == 1
    assert house.counted == ["delivered"]


def test_only_changes_of_its_view_and_of_its_kinds_are_told(house):
    _, _, key = house.key(PARTNER)
    house.hook(key, kinds=["testimony"])
    submit(
        house.intake,
        a_source(),
        a_testimony(T1, consent=consent(mechanism={})),
        a_testimony(T2, consent=consent(partner={})),
    )
    house.send()
    assert house.receiver.told == [(T2, "created")]
    submit(house.intake, a_source("other"))
    house.send()
    assert len(house.receiver.came) == 1


def test_many_changes_are_few_messages_in_their_order(house, monkeypatch):
    monkeypatch.setattr(outbox, "MOST", 10)
    _, _, key = house.key(PARTNER)
    house.hook(key)
    names = [f"src-{n:02}" for n in range(25)]
    submit(house.intake, *[a_source(name) for name in names])
    house.send()
    assert [len(came.told) for came in house.receiver.came] == [10, 10, 5]
    assert house.receiver.told == [(name, "created") for name in names]
    assert len({came.id for came in house.receiver.came}) == 3


@ONE_ENGINE
def test_changes_of_other_kinds_are_passed_over_however_many(house, monkeypatch):
    monkeypatch.setattr(outbox, "WINDOW", 10)
    _, _, key = house.key(PARTNER)
    house.hook(key, kinds=["place"])
    submit(house.intake, *[a_source(f"src-{n}") for n in range(25)], a_place("here"))
    for _ in range(3):
        house.send()
    assert house.receiver.told == [("here", "created")]


def test_what_is_not_taken_is_sent_again_as_it_was_and_later_each_time(house):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    house.receiver.answer = lambda receiver, _: (500, {}) if len(receiver.came) < 4 else (200, {})
    submit(house.intake, a_source("one"))
    house.send()
    submit(house.intake, a_source("two"))
    waits = []
    for _ in range(3):
        shown = house.ask(key, "GET", f"/v1/webhooks/{hook['id']}").json()
        assert (shown["state"], shown["waiting"], shown["failing_since"] is None) == ("active", 1, False)
        waits.append(moment(shown["next_try"]) - house.moving())
        house.send()
        assert len(house.receiver.came) == len(waits)  # not before it is time
        house.moving.ahead += waits[-1] + 1000
        house.send()
    assert [2_000 < waits[0] < 5_100, 4_000 < waits[1] < 10_100, 9_000 < waits[2] < 20_100] == [True] * 3
    came = house.receiver.came
    assert [one.told for one in came] == [[("one", "created")]] * 4 + [[("two", "created")]]
    assert len({one.id for one in came[:4]}) == len({one.body for one in came[:4]}) == 1
    assert came[4].id != came[0].id
    for one in (came[0], came[4]):
        one.verify(hook["secret"])
    shown = house.ask(key, "GET", f"/v1/webhooks/{hook['id']}").json()
    assert (shown["waiting"], shown["failing_since"], shown["next_try"]) == (0, None, None)


@ONE_ENGINE
def test_a_receiver_is_left_alone_for_as_long_as_it_asks(house):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    house.receiver.answer = lambda *_: (429, {"Retry-After": "900"})
    submit(house.intake, a_source())
    house.send()
    shown = house.ask(key, "GET", f"/v1/webhooks/{hook['id']}").json()
    assert 898_000 < moment(shown["next_try"]) - house.moving() < 901_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("120", 120), (" 7 ", 7), ("9" * 30, 999_999_999), ("-1", None), ("soon", None), ("1.5", None)],
)
def test_how_long_it_asks_is_read_in_seconds(text, expected):
    assert seconds_asked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT",
        f"Mon, 01 Jan 2024 {'9' * 20}:00:00 GMT",
        f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}",
        "Mon, 32 Jan 2024 00:00:00 GMT",
    ],
)
def test_a_date_that_no_clock_can_tell_is_none(text):
    assert seconds_asked(text) is None


@ONE_ENGINE
def test_whatever_a_receiver_asks_the_attempt_counts(house):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    house.receiver.answer = lambda *_: (503, {"Retry-After": f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"})
    submit(house.intake, a_source())
    house.send()
    shown = house.ask(key, "GET", f"/v1/webhooks/{hook['id']}").json()
    assert shown["failing_since"] is not None
    assert moment(shown["next_try"]) > house.moving() - 60_000  # and not at once, again and again


def test_how_long_it_asks_is_read_as_a_date():
    assert 3590 < (seconds_asked(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)) or 0) <= 3600
    assert seconds_asked("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@ONE_ENGINE
def test_gone_disables_at_once_and_whoever_begins_again_misses_nothing(house):
    _, _, key = house.key(PARTNER)
    address = f"/v1/webhooks/{house.hook(key)['id']}"
    house.receiver.answer = lambda *_: (410, {})
    submit(house.intake, a_source("one"))
    house.send()
    submit(house.intake, a_source("two"))
    house.moving.ahead += 86_400_000
    house.send()
    assert len(house.receiver.came) == 1
    shown = house.ask(key, "GET", address).json()
    assert (shown["state"], shown["reason"], shown["next_try"]) == ("disabled", "gone", None)
    house.receiver.answer = lambda *_: (200, {})
    shown = house.ask(key, "PATCH", address, {"state": "active"}).json()
    assert (shown["state"], shown["reason"], shown["failing_since"]) == ("active", None, None)
    house.send()
    assert [one.told for one in house.receiver.came[1:]] == [[("one", "created")], [("two", "created")]]
    assert house.receiver.came[1].id == house.receiver.came[0].id


@ONE_ENGINE
def test_days_of_failure_disable_it(house):
    _, _, key = house.key(PARTNER)
    address = f"/v1/webhooks/{house.hook(key)['id']}"
    house.receiver.answer = lambda *_: (500, {})
    submit(house.intake, a_source())
    house.send()
    house.moving.ahead += 5 * 86_400_000 - 60_000
    house.send()
    assert house.ask(key, "GET", address).json()["state"] == "active"
    house.moving.ahead += 3_700_000
    house.send()
    shown = house.ask(key, "GET", address).json()
    assert (shown["state"], shown["reason"]) == ("disabled", "failing")
    assert len(house.receiver.came) == 3


def test_what_is_never_taken_is_put_aside_told_of_and_sent_again_on_request(house, monkeypatch):
    monkeypatch.setattr(outbox, "TRIES", 3)
    monkeypatch.setattr(outbox, "MOST", 1)
    _, _, key = house.key(PARTNER)
    address = f"/v1/webhooks/{house.hook(key)['id']}"
    house.receiver.answer = lambda _, came: (400 if came.told[0][0] == "poison" else 204, {})
    submit(house.intake, a_source("poison"), a_source("sound"))
    for _ in range(4):
        house.send()
        house.moving.ahead += 3_600_000
    assert house.receiver.told == [("poison", "created")] * 3 + [("sound", "created")]
    shown = house.ask(key, "GET", address).json()
    assert (shown["state"], shown["dead"], shown["waiting"]) == ("active", 1, 0)
    listed = house.ask(key, "GET", f"{address}/deliveries").json()["items"]
    found = [(one["state"], one["changes"], one["tries"], one["outcome"], one["status"]) for one in listed]
    assert found == [("delivered", 1, 1, "delivered", 204), ("dead", 1, 3, "refused", 400)]
    assert [one["id"] for one in listed] == [house.receiver.came[3].id, house.receiver.came[0].id]
    dead = house.ask(key, "GET", f"{address}/deliveries?state=dead").json()["items"]
    assert dead == listed[1:]
    wrong = house.ask(key, "POST", f"{address}/replay", {"messages": [listed[0]["id"]]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/messages/0")
    house.receiver.answer = lambda *_: (204, {})
    assert house.ask(key, "POST", f"{address}/replay", {"messages": [dead[0]["id"]]}).json() == {"replayed": 1}
    house.send()
    assert (house.receiver.came[-1].id, house.receiver.came[-1].told) == (dead[0]["id"], [("poison", "created")])
    assert house.ask(key, "POST", f"{address}/replay", {}).json() == {"replayed": 0}


@ONE_ENGINE
@pytest.mark.parametrize("answer", [None, (302, {"Location": "/elsewhere"}), (404, {})])
def test_a_cut_connection_a_redirect_and_an_error_are_failures(house, answer):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    house.receiver.answer = lambda *_: answer
    submit(house.intake, a_source())
    house.send()
    assert [one.path for one in house.receiver.came] == ["/hooks"]
    (one,) = house.ask(key, "GET", f"/v1/webhooks/{hook['id']}/deliveries").json()["items"]
    expected = ("protocol", None) if answer is None else ("refused", answer[0])
    assert (one["state"], one["outcome"], one["status"]) == ("waiting", *expected)


@ONE_ENGINE
def test_a_receiver_that_is_down_or_slow_is_a_failure(house):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    submit(house.intake, a_source())

    def outcome(seconds: float | None = None) -> str:
        house.send(house.courier(seconds))
        house.moving.ahead += 3_700_000
        (one,) = house.ask(key, "GET", f"/v1/webhooks/{hook['id']}/deliveries").json()["items"]
        return str(one["outcome"])

    house.receiver.answer = lambda *_: time.sleep(1)
    assert outcome(0.3) == "timeout"
    house.ask(key, "PATCH", f"/v1/webhooks/{hook['id']}", {"url": "http://127.0.0.1:443/"})  # nobody listens
    assert outcome() == "connection"


@ONE_ENGINE
def test_pausing_and_taking_away(house):
    _, _, key = house.key(PARTNER)
    address = f"/v1/webhooks/{house.hook(key)['id']}"
    assert house.ask(key, "PATCH", address, {"state": "paused"}).json()["state"] == "paused"
    submit(house.intake, a_source())
    house.send()
    assert house.receiver.came == []
    house.ask(key, "PATCH", address, {"state": "active"})
    house.send()
    assert house.receiver.told == [("src-a", "created")]
    assert house.ask(key, "DELETE", address).status_code == 204
    submit(house.intake, a_source("other"))
    house.send()
    assert len(house.receiver.came) == 1
    for method, more in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test")):
        assert house.ask(key, method, address + more).status_code == 404
    assert seconds_asked("Wed, 21 Oct 2015 07:28:00 +99999999999999") is None
    assert seconds_asked("Wed, 21 Oct 99999999999999999999 07:28:00 GMT") is None
