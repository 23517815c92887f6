"""An import that is killed again and again, at any moment of it, ends with exactly what one has that was not."""

import asyncio
import http.client
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from app.access.keys import Keys, Wanted
from app.catalogue.tables import ROW
from app.core.db import Database
from app.core.settings import Settings
from app.imports import turns
from app.intake.write import Writer
from app.vault.tables import DISCLOSED, RECORD, REVISION
from tests.access.conftest import PARTNER
from tests.exchange.hooks.mirror import PATIENCE, Server
from tests.exchange.house import MAPPING, sheet
from tests.imports.conftest import PARTIAL, Hand, Inline, filled, opened
from tests.intake.house import check_log, count
from tests.often import TIMES

OWNER = "a-partner"
ROLES = ("contribute", "steward", "read")
ROWS, KILLS = (2_000, 1) if TIMES == 1 else (6_000, 4)  # kills of each: the upload, the check, the application


def rows(number: int) -> bytes:
    """Events of which some name a witness who comes two rows later, and places that are made from their names."""
    made = []
    for one in range(number):
        told = f"w{one + 2}" if one % 5 == 3 and one + 2 < number else ""
        account = f"w{one},2020-01-02,written,summary,publication," if one % 5 == 0 else ",,,,,"
        made.append(f"{one},{1990 + one % 30},Event {one},Torture,Village {one % 97},{told},{one % 9},TEST/1,{account}")
    return str(sheet(*made)).encode()


class Partner:
    """Asks a service that is killed now and then, until there is an answer."""

    def __init__(self, server: Server, key: str) -> None:
        self.server, self._key = server, key

    def ask(self, method: str, address: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Return status, headers and content."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.once(method, address, body, False, **headers)
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < end
                time.sleep(0.05)

    def once(
        self, method: str, address: str, body: Any = None, dies: bool = False, **headers: str
    ) -> tuple[int, Any, Any]:
        """Ask once; where it `dies`, half of the body was sent by then."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"} | given
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.putrequest(method, address)
            for name, value in (given | {"Content-Length": str(len(content))}).items():
                connection.putheader(name, value)
            connection.endheaders(content[: len(content) // 2] if dies else content)
            if dies:
                time.sleep(0.02)
                self.server.kill()
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, answer.headers, orjson.loads(raw) if raw else None
        finally:
            connection.close()

    def until(self, one: str, *states: str) -> Any:
        """Return the import when it is in one of some states."""
        end = time.monotonic() + PATIENCE
        while (found := self.ask("GET", one)[2])["state"] not in states:
            assert found["state"] != "failed" and time.monotonic() < end, found
            time.sleep(0.02)
        return found


class Death:
    """Kills the service, or the process that works for it, and keeps what they were at."""

    def __init__(self, server: Server, database: Database, chance: random.Random) -> None:
        self._server, self._database, self.chance = server, database, chance
        self._workers = 0
        self.amid: list[int] = []  # how many records there were then

    def comes(self) -> None:
        """Kill one of the two; the worker at most twice: what ends three times by itself is given up."""
        self.amid.append(count(self._database, RECORD))
        worker = self._worker() if self._workers < 2 and self.chance.random() < 0.5 else None
        if worker is None:
            self._server.kill()
            self._server.wait()
        else:
            self._workers += 1
            os.kill(worker, signal.SIGKILL)

    def _worker(self) -> int | None:
        of = Path(f"/proc/{self._server.process.pid}/task")
        found = [int(one) for file in of.glob("*/children") for one in file.read_text().split()]
        workers = [one for one in found if b"app.imports.working" in Path(f"/proc/{one}/cmdline").read_bytes()]
        return workers[0] if workers else None


@contextmanager
def deployed(url: str, home: Path) -> Iterator[tuple[Settings, Database, str]]:
    """Give a deployment with the world of the sheets, and a key of the organisation that imports."""
    home.mkdir()
    settings, database = filled(url, home)
    keys = Keys(database)
    keys.create_organisation(OWNER, "A made-up partner", [PARTNER])
    try:
        yield settings, database, str(keys.create(Wanted(OWNER, "made up", roles=ROLES, views=(PARTNER,)))[1])
    finally:
        asyncio.run(database.close())


def handed_in(partner: Partner, one: str, content: bytes, chance: random.Random) -> None:
    """Hand the file in by parts, while the service dies amid some of them; go on from where it says."""
    deaths, size = KILLS, len(content) // 12
    while True:
        at = int(partner.ask("HEAD", f"{one}/file")[1]["Upload-Offset"])
        part = content[at : at + size]
        last = at + size >= len(content)
        dies = deaths > 0 and (last or chance.random() < 0.3)
        headers = {"content_type": PARTIAL, "upload_offset": str(at), "upload_complete": f"?{last:d}"}
        if dies:
            deaths -= 1
            with pytest.raises((OSError, http.client.HTTPException)):
                partner.once("PATCH", f"{one}/file", part, dies=True, **headers)
            partner.server.wait()
        elif partner.ask("PATCH", f"{one}/file", part, **headers)[0] == 200:
            return


def told(settings: Settings, database: Database) -> dict[str, Any]:
    """Return all that the vault, the log, the views and their histories hold, but for moments and what is random."""
    writer = Writer.open(settings, database)
    plain = [RECORD.c[name] for name in ("id", "kind", "owner", "state", "revision")]

    def looked(connection) -> dict[str, Any]:
        bodies = {}
        for view, id, body in connection.execute(select(ROW.c.view, ROW.c.id, ROW.c.body)):
            bodies[view, id] = {name: value for name, value in orjson.loads(body).items() if name != "updated"}
        c = DISCLOSED.c
        return {
            "records": set(map(tuple, connection.execute(select(*plain)))),
            "bodies": bodies,
            "changes": Counter(map(tuple, connection.execute(select(c.view, c.id, c.change)))),
        }

    found = database.look(looked) | {"log": check_log(writer), "revisions": count(database, REVISION)}
    asyncio.run(writer.vault.keys.close())
    return found


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(1 if TIMES == 1 else 3))
def test_nothing_is_lost_and_nothing_comes_in_twice(engine, new_database, tmp_path, monkeypatch, seed):
    content, chance = rows(ROWS), random.Random(seed)
    monkeypatch.setattr(turns, "Beside", Inline)
    with deployed(new_database(engine), tmp_path / "whole") as (settings, database, key):
        before = count(database, RECORD)
        with opened(settings, database) as house:
            done = Hand(house, OWNER, key).brought(content)
        assert done["state"] == "done"
        total = count(database, RECORD) - before
        whole = told(settings, database)
    assert total == done["result"]["created"] == ROWS + ROWS // 5 + 97
    with deployed(new_database(engine), tmp_path / "killed") as (settings, database, key):
        server = Server(settings, EVIDENCE_LOG_LEVEL="warning", EVIDENCE_RATE_CREDENTIAL="0")
        try:
            server.wait()
            partner, death = Partner(server, key), Death(server, database, chance)
            asked = {"file": {"name": "cases.csv"}, "mapping": MAPPING}
            one = partner.ask("POST", "/v1/imports", asked, idempotency_key="once")[2]["links"]["self"]
            handed_in(partner, one, content, chance)
            for _ in range(KILLS):
                partner.until(one, "checking")
                time.sleep(chance.uniform(0, 0.4))
                death.comes()
            found = partner.until(one, "ready", "refused")
            assert found["foreseen"]["created"] == total
            assert partner.ask("POST", f"{one}/confirm", {"gains": found["to_confirm"]})[0] == 202
            for nth in range(KILLS):
                wanted = before + total * (nth + chance.random()) / KILLS * 0.9
                end = time.monotonic() + PATIENCE
                while count(database, RECORD) < wanted:
                    assert time.monotonic() < end
                    time.sleep(0.005)
                time.sleep(chance.uniform(0, 0.05))
                death.comes()
            assert partner.until(one, "done")["result"] == done["result"]
        finally:
            server.stop()
        assert told(settings, database) == whole
        assert not list(settings.home.glob("imports/*/file"))
    assert death.amid[:KILLS] == [before] * KILLS  # while it was checked nothing came in
    assert all(before < there < before + total for there in death.amid[KILLS:])
    print(death.amid, server.kills)
