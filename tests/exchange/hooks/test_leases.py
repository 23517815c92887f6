"""Who sends which webhook: one process at a time, whatever kills it; and nobody once it may no longer be told."""

import asyncio

import pytest
from sqlalchemy import update

from app.access.keys import Wanted
from app.catalogue.tables import VIEW
from app.exchange.hooks import courier, outbox
from app.intake import views
from app.intake.retract import expire as retract_expired
from tests.exchange.hooks.conftest import PARTNER
from tests.intake.house import ONE_ENGINE, T1, a_source, a_testimony, consent, submit

# --- two processes, and a kill at any moment ---


def test_two_processes_do_not_send_one_webhook_at_once(house):
    _, _, key = house.key(PARTNER)
    house.hook(key)
    submit(house.intake, a_source())
    first, second = house.courier(), house.courier()
    meanwhile = []

    def answer(*_):
        meanwhile.append(1)
        house.send(second)  # while the first one waits for this answer
        return 204, {}

    house.receiver.answer = answer
    house.send(first)
    assert (len(house.receiver.came), len(meanwhile)) == (1, 1)


@pytest.mark.parametrize("moment_of_death", ["before", "after"])
def test_a_kill_loses_nothing_and_gives_no_message_a_new_id(house, moment_of_death, monkeypatch):
    """Killed before it is sent, and after it was taken and before that was kept."""
    _, _, key = house.key(PARTNER)
    house.hook(key)
    submit(house.intake, a_source("one"))
    killed = house.courier()

    async def attempt(work):
        if moment_of_death == "after":
            await type(killed)._attempt(killed, work)
        raise asyncio.CancelledError

    async def dies():
        with monkeypatch.context() as patch:
            patch.setattr(killed, "_attempt", attempt)
            await killed.look()
            await asyncio.wait([*killed._going.values()])
        await killed._post.close()

    asyncio.run(dies())
    before = [came.id for came in house.receiver.came]
    submit(house.intake, a_source("two"))
    house.send()
    assert len(house.receiver.came) == len(before)  # the dead one's lease still holds
    house.moving.ahead += 30_000
    house.send()
    came = house.receiver.came
    assert [one.told for one in came[len(before) :]] == [[("one", "created")], [("two", "created")]]
    assert before in ([], [came[len(before)].id])


@ONE_ENGINE
def test_a_slow_receiver_keeps_no_place_from_others(house, monkeypatch):
    """Whoever has much to be sent, and takes long for each message, has turns like everybody else."""
    monkeypatch.setattr(outbox, "MOST", 1)
    monkeypatch.setattr(courier, "AT_ONCE", 1)
    monkeypatch.setattr(courier, "TURN", 0.0)  # so every attempt takes too long
    hooks = sorted(house.hook(house.key(PARTNER)[2])["id"] for _ in range(3))
    submit(house.intake, *[a_source(f"src-{n}") for n in range(3)])

    async def looking():
        sender = house.courier()
        for _ in range(9):
            await sender.look()
            await sender.idle()
        await sender.end()

    asyncio.run(looking())
    assert [one.message["data"]["webhook"] for one in house.receiver.came] == hooks * 3
    assert [name for name, _ in house.receiver.told] == [f"src-{n}" for n in range(3) for _ in hooks]


def test_a_process_that_comes_back_late_changes_nothing_that_another_one_did(house):
    _, _, key = house.key(PARTNER)
    hook = house.hook(key)
    submit(house.intake, a_source())
    late, other = house.courier(), house.courier()

    def answer(receiver, _):
        if len(receiver.came) == 1:
            house.moving.ahead += 30_000  # the late one's lease is over
            house.send(other)
            return 500, {}
        return 204, {}

    house.receiver.answer = answer
    house.send(late)
    assert len({came.id for came in house.receiver.came}) == 1
    (one,) = house.ask(key, "GET", f"/v1/webhooks/{hook['id']}/deliveries").json()["items"]
    assert (one["state"], one["tries"], len(house.receiver.came)) == ("delivered", 1, 2)


# --- who may no longer be told ---


@pytest.mark.parametrize("ends", ["credential", "organisation", "views", "view"])
def test_whoever_may_no_longer_read_is_told_of_nothing_more(house, ends):
    organisation, credential, key = house.key(PARTNER)
    admin = house.key(roles=("admin",), organisation=organisation)[2]
    operator = house.key(roles=("admin",), organisation=house.operator())[2]
    hook = house.hook(key)
    house.receiver.answer = lambda *_: (500, {})
    submit(house.intake, a_source("one"))
    house.send()  # one waits already
    if ends == "credential":
        house.keys.revoke(credential)
    elif ends == "organisation":
        house.keys.revoke_organisation(organisation)
    elif ends == "views":
        house.keys.change_views(organisation, ["mechanism/un-reporting"])
    else:
        views.retire(house.intake.writer, 1)
    submit(house.intake, a_source("two"))
    house.moving.ahead += 3_600_000
    house.receiver.answer = lambda *_: (204, {})
    house.send()
    assert len(house.receiver.came) == 1
    asking = operator if ends == "organisation" else admin
    shown = house.ask(asking, "GET", f"/v1/webhooks/{hook['id']}").json()
    why = "credential" if ends in ("credential", "organisation") else "view"
    assert (shown["state"], shown["reason"]) == ("stopped", why)


@ONE_ENGINE
def test_a_credential_that_ends_is_told_of_nothing_more(house):
    organisation = house.key(PARTNER)[0]
    ends = house.moving() + 60_000
    wanted = Wanted(organisation, "made up", views=(PARTNER,), expires=ends)
    house.hook(str(house.keys.create(wanted)[1]))
    house.moving.ahead += 61_000
    submit(house.intake, a_source())
    house.send()
    assert house.receiver.came == []


def test_nothing_is_sent_of_a_view_that_is_not_complete(house):
    _, _, key = house.key(PARTNER)
    house.hook(key)
    submit(house.intake, a_source())

    def become(state):
        change = update(VIEW).where(VIEW.c.id == 1).values(state=state)
        house.database.write(lambda connection: connection.execute(change) and None)

    become("building")
    house.send()
    assert house.receiver.came == []
    become("live")
    house.send()
    assert house.receiver.told == [("src-a", "created")]


def test_what_has_run_out_is_taken_away_before_anything_is_told(house):
    _, _, key = house.key(PARTNER)
    house.hook(key)
    courier, expired = house.courier(), []
    submit(house.intake, a_source(), a_testimony(consent=consent("2023-12-01", partner={})))

    async def expire(view):
        expired.append(view)
        house.intake.writer.clock.now += 40 * 86_400_000
        retract_expired(house.intake.writer)

    courier._expire = expire
    house.send(courier)
    assert (expired, house.receiver.came) == ([1], [])
    house.send()
    assert house.receiver.told == [("src-a", "created"), (T1, "created"), (T1, "removed")]
