"""A partner's copies equal the source byte for byte, whatever fails: connections, the server, the receiver."""

import asyncio
import random
import time
import urllib.request
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from app.access.keys import Keys, Wanted
from app.catalogue.tables import ROW
from app.core import moments
from app.core.db import Database
from app.core.settings import Settings
from app.exchange.hooks.tables import WEBHOOK, WEBHOOK_MESSAGE
from app.intake.restore import restore
from app.intake.submit import Intake
from app.intake.write import Writer
from app.vault.tables import DISCLOSED
from tests.exchange.hooks.conftest import PARTNER
from tests.exchange.hooks.mirror import ByFeed, ByHooks, ByPage, Client, Server
from tests.exchange.hooks.receiver import Receiver, receiving
from tests.intake import chance as drawn
from tests.intake.chance import History
from tests.often import TIMES

VIEW = 1


class Now:
    """The clock of a history beside a server, which goes by the real time: a step of days means nothing."""

    @property
    def now(self) -> int:
        return moments.now()

    @now.setter
    def now(self, _: int) -> None:
        """Let the time go as it does."""

    def __call__(self) -> int:
        return moments.now()


def run(settings: Settings, database: Database, writer: Writer, writes: int, kills: int) -> dict[str, Any]:
    """Write by chance while two copies are kept and things fail; hold both to the source; return what went wrong."""
    keys, seed = Keys(database), random.Random(5)
    keys.create_organisation("a-partner", "A made-up partner", [PARTNER])
    key = str(keys.create(Wanted("a-partner", "their mirror", views=(PARTNER,)))[1])
    with receiving() as receiver:
        more = {
            "EVIDENCE_HOOK_PORTS": str(receiver.port),
            "EVIDENCE_HOOK_HTTP_HOSTS": "127.0.0.1",
            "EVIDENCE_HOOK_NETWORKS": "127.0.0.0/8",
            "EVIDENCE_HOOK_SECONDS": "2",
            "EVIDENCE_HOOK_RETRY_SECONDS": "1",
            "EVIDENCE_RATE_CREDENTIAL": "0",
            "EVIDENCE_LOG_LEVEL": "warning",
        }
        server = Server(settings, **more)
        try:
            return _run(database, Intake(writer), writes, kills, server, key, receiver, seed)
        finally:
            server.stop()


def _run(
    database: Database,
    intake: Intake,
    writes: int,
    kills: int,
    server: Server,
    key: str,
    receiver: Receiver,
    seed: random.Random,
) -> dict[str, Any]:
    server.wait()
    clients = [Client(server, key, random.Random(n)) for n in range(3)]
    feed, hooks, page = ByFeed(clients[0]), ByHooks(clients[1]), ByPage(clients[2])
    hooks.secret = _hook(server, key, receiver)
    receiver.answer = hooks.answer
    deaths = set(seed.sample(range(20, writes), kills))
    done = 0

    def after() -> None:
        nonlocal done
        done += 1
        if done in deaths:
            server.kill()
        elif seed.random() < 0.1:
            feed.follow(2)
        elif seed.random() < 0.1:
            hooks.work()
        elif seed.random() < 0.1:
            page.follow()

    past = History(intake, Now(), 11, after=after, rich=True)  # type: ignore[arg-type]
    past.begin()
    past.go_on(writes)
    past.ends = True  # some are withdrawn, some erased, and do not come back
    past.go_on(20)
    restore(intake.writer)
    server.wait()
    for client in clients:
        client.sound = True
    feed.follow()
    assert page.follow()
    end = time.monotonic() + 120
    while not _is_told(database) or hooks.held_back:
        assert time.monotonic() < end, "not everything is told of"
        hooks.work()
        time.sleep(0.1)
    rows = database.look(lambda connection: connection.execute(select(ROW.c.id, ROW.c.body).where(ROW.c.view == VIEW)))
    source = {id: bytes(body) for id, body in rows}
    assert len(source) > 5
    assert feed.bodies == source
    assert {id: orjson.dumps(record) for id, record in page.copy.items()} == source
    assert hooks.bodies == source
    _all_was_told_once(database, receiver)
    assert server.kills == kills
    lost = [client.faults for client in clients]
    return {"records": len(source), "messages": len(hooks.known), "lost": lost, "answers": hooks.answers}


def _hook(server: Server, key: str, receiver: Receiver) -> str:
    body = orjson.dumps({"name": "mirror", "url": receiver.url})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/v1/webhooks", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(orjson.loads(answer.read())["secret"])


def _is_told(database: Database) -> bool:
    """Tell whether every change of the view was told of and taken."""
    newest = select(DISCLOSED.c.seq).where(DISCLOSED.c.view == VIEW).order_by(DISCLOSED.c.seq.desc()).limit(1)
    left = select(WEBHOOK_MESSAGE.c.last).where(WEBHOOK_MESSAGE.c.state != "delivered").limit(1)

    def looked(connection) -> bool:
        position = connection.scalar(select(WEBHOOK.c.position))
        return bool(position == connection.scalar(newest) and connection.scalar(left) is None)

    return database.look(looked)


def _all_was_told_once(database: Database, receiver: Receiver) -> None:
    """Hold the messages, doubles dropped by their ids, to the history of the view: nothing lost, nothing twice."""
    told: list[tuple[str, str]] = []
    met: dict[str, bytes] = {}
    for came in receiver.came:
        if came.id not in met:
            met[came.id] = came.body
            told += came.told
        assert met[came.id] == came.body
    c = DISCLOSED.c
    rows = database.look(
        lambda connection: connection.execute(select(c.id, c.change).where(c.view == VIEW).order_by(c.seq)).all()
    )
    assert told == [(id, change) for id, change in rows]


@pytest.fixture
def never_expires(monkeypatch):
    """A server goes by the real time: no consent of a history that was drawn may run out in 2023."""
    monkeypatch.setattr(drawn, "EXPIRIES", [None])


@pytest.fixture
def now_writer(settings, database):
    """A writer that goes by the real time, as the server does."""
    writer = Writer.open(settings, database)
    yield writer
    asyncio.run(writer.vault.keys.close())


@pytest.mark.prove
def test_copies_equal_the_source_after_writes_and_faults(settings, database, now_writer, never_expires):
    writes, kills = (10_000, 20) if TIMES > 1 else (160, 2)
    found = run(settings, database, now_writer, writes, kills)
    assert found["records"]
    print(found)
