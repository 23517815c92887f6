"""The desk: a write waits its turn for some seconds, and is never done afterwards; all of it is accounted for."""

import asyncio
import resource
import threading
import time

import pytest
from sqlalchemy import func, select, update

from app.access.audit import Spool
from app.catalogue.state import wait_for_it
from app.core.db import Database
from app.core.problems import Problem
from app.intake import erase
from app.intake.write import Writer
from app.vault.tables import ANSWERED
from app.writing import desk
from app.writing.kept import FOR
from tests.access.conftest import lines_in
from tests.intake.house import ONE_ENGINE, consent
from tests.writing.conftest import NUMBERS, a_witness, another, count, held

ROOM = ("disk I/O error", "database or disk is full")  # what SQLite says of it


@pytest.fixture
def busy(house, hand, monkeypatch):
    """Somebody else writes, for as long as it takes; `hand` is made before that."""
    monkeypatch.setattr(desk, "PATIENCE", 0.2)
    begun, ended = threading.Event(), threading.Event()

    def write(_) -> None:
        begun.set()
        ended.wait(20)

    other = Database.main(house.settings)
    thread = threading.Thread(target=other.write, args=(write,))
    thread.start()
    assert begun.wait(10)
    yield ended
    ended.set()
    thread.join()
    asyncio.run(other.close())


def test_a_write_whose_turn_does_not_come_is_told_so_and_never_done(house, hand, busy):
    before = count(house)
    answers = [hand.ask("POST", "/v1/testimonies", a_witness()) for _ in range(2)]
    for answer in answers:
        assert "Nothing was written" in held(answer, 503)
        assert answer.headers["retry-after"] == "5"
    assert hand.ask("POST", "/v1/testimonies?dry_run=true", a_witness()).status_code == 200
    started = time.monotonic()
    assert house.client.get("/v1/testimonies").status_code == 200
    assert time.monotonic() - started < 1
    busy.set()
    hand.post("/v1/testimonies", a_witness())
    assert count(house) == before + 1


@pytest.fixture
def full():
    """No file of this process may grow beyond what a log takes, as on a disk that is full."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, most[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, most)
    resource.setrlimit(resource.RLIMIT_FSIZE, most)


@ONE_ENGINE
def test_a_write_that_finds_no_room_is_told_so_and_the_next_one_is_done(house, hand, full):
    before = count(house)
    answer = hand.ask("POST", "/v1/testimonies", a_witness())
    assert "The database cannot be written now. Nothing was written." in held(answer, 503)
    full()
    assert count(house) == before
    hand.post("/v1/testimonies", a_witness())
    assert count(house) == before + 1


@ONE_ENGINE
def test_the_operator_is_told_why_nothing_can_be_written(house, full):
    said: list[str] = []
    database = Database.main(house.settings)
    own = desk.Desk(house.settings, database, bytes(32), wait_for_it, lambda: None, said.append)

    async def write() -> None:
        with pytest.raises(Problem, match="cannot be written"):
            await own.write(lambda _, connection, *__: connection.exec_driver_sql("CREATE TABLE a AS SELECT 1"))
        full()
        await own.close()
        await database.close()

    asyncio.run(write())
    assert said in ([f"the database cannot be used: {one}"] for one in ROOM)


class TestAccount:
    @ONE_ENGINE
    def test_what_is_read_as_submitted_is_accounted_for_and_its_steward_is_told(self, house):
        hand = another(house)
        id = hand.post("/v1/testimonies", a_witness())["id"]
        hand.ask("GET", f"/v1/testimonies/{id}/submitted")
        folder = house.settings.home / "audit"
        lines = [line for line in lines_in(folder) if line["organisation"] == hand.owner]
        assert [(line["method"], line["route"], line["status"], line["view"], bool(line["ids"])) for line in lines] == [
            ("POST", "/v1/testimonies", 201, -1, True),
            ("GET", "/v1/testimonies/{id}/submitted", 200, -1, True),
        ]
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            items = hand.ask("GET", f"/v1/audit?record={id}").json()["items"]
            if items and items[0]["times"] == 2:
                break
            time.sleep(0.3)
        assert [(one["reader"], one["view"], one["times"]) for one in items] == [(hand.owner, "owner/as-submitted", 2)]

    @ONE_ENGINE
    def test_what_cannot_be_accounted_for_is_not_shown_and_what_was_written_is_told(self, house, monkeypatch):
        hand = another(house)
        made = hand.ask("POST", "/v1/testimonies", a_witness())
        here = made.headers["location"]

        def full(self, line) -> int:
            raise OSError("no space left")

        with monkeypatch.context() as patch:
            patch.setattr(Spool, "_write", full)
            held(hand.ask("GET", f"{here}/submitted"), 503)
            done = hand.ask("PATCH", here, {"medium": "tape"}, if_match=made.headers["etag"])
            assert (done.status_code, done.content) == (204, b"")
        assert hand.tag(here) == done.headers["etag"]


def test_an_answer_is_kept_for_a_day(house):
    hand, key = another(house), f"key-{next(NUMBERS)}"
    first = hand.post("/v1/testimonies", a_witness(), idempotency_key=key)
    held(hand.ask("POST", "/v1/testimonies", a_witness(), idempotency_key=key), 422, "Idempotency-Key")
    older = update(ANSWERED).where(ANSWERED.c.record == first["id"]).values(at=ANSWERED.c.at - FOR)
    house.database.write(lambda connection: connection.execute(older))
    assert hand.post("/v1/testimonies", a_witness(), idempotency_key=key)["id"] != first["id"]
    left = select(func.count()).select_from(ANSWERED).where(ANSWERED.c.organisation == hand.owner)
    assert house.database.look(lambda connection: connection.scalar(left)) == 1


def test_an_answer_that_is_kept_goes_with_the_record_that_is_erased(house):
    hand = another(house)
    content, key = a_witness(consent=consent(public={})), f"key-{next(NUMBERS)}"
    id = hand.post("/v1/testimonies", content, idempotency_key=key)["id"]
    kept = select(func.count()).select_from(ANSWERED).where(ANSWERED.c.record == id)
    assert house.database.look(lambda connection: connection.scalar(kept)) == 1
    writer = Writer.open(house.settings, house.database)
    assert erase.erase(writer, id, hand.owner, "They asked")
    assert house.database.look(lambda connection: connection.scalar(kept)) == 0
    held(hand.ask("POST", "/v1/testimonies", content, idempotency_key=key), 422, "/id")
    held(hand.ask("GET", f"/v1/testimonies/{id}/submitted"), 404)
    held(hand.ask("PATCH", f"/v1/testimonies/{id}", {"note": None}, if_match="*"), 404)
