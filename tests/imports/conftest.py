"""A deployment with the world of the sheets in it, and organisations that import into it."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.access.keys import Keys
from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from app.imports import turns
from app.imports.keeping import OVER
from app.imports.working import work
from app.intake.submit import Intake
from app.intake.write import Writer
from app.main import create_app
from tests.access.conftest import PARTNER, House
from tests.conftest import settings_for
from tests.exchange.house import MAPPING, ROWS, sheet, world

NUMBERS = itertools.count()
STILL = (*OVER, "ready")
PARTIAL = "application/partial-upload"


class Inline:
    """The work on an import in a thread, where a test need not wait for a process to start."""

    def __init__(self, settings: Settings, id: str) -> None:
        self._given = settings, id

    def wait(self) -> int:
        """Do the work."""
        work(*self._given)
        return 0

    def kill(self) -> None:
        """Let it come to its end."""


@dataclass
class Hand:
    """One credential that imports."""

    house: House
    owner: str
    key: str | None

    def ask(self, method: str, address: str, body: Any = None, content: Any = None, **headers: str) -> Any:
        """Return the answer to a request."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            given["Authorization"] = f"Bearer {self.key}"
        return self.house.client.request(method, address, json=body, content=content, headers=given)

    def make(self, name: str = "cases.csv", mapping: Any = MAPPING, **more: Any) -> str:
        """Make an import; return its address."""
        keep_good = more.pop("keep_good", False)
        body = {"file": {"name": name, **more}, "mapping": mapping, "keep_good": keep_good}
        answer = self.ask("POST", "/v1/imports", body)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    def put(self, one: str, content: bytes, offset: int = 0, last: bool = True, **headers: str) -> Any:
        """Hand in a part of the file."""
        given = {"content-type": PARTIAL, "upload-offset": str(offset), "upload-complete": f"?{last:d}"}
        return self.ask("PATCH", f"{one}/file", content=content, **(given | headers))

    def until(self, one: str, *states: str) -> Any:
        """Return the import when it is in one of some states, or at rest."""
        for _ in range(600):
            found = self.ask("GET", one).json()
            if found["state"] in (states or STILL):
                return found
            time.sleep(0.05)
        raise AssertionError(found)

    def checked(self, content: bytes | str, name: str = "cases.csv", **more: Any) -> tuple[str, Any]:
        """Make an import, hand its file in whole, and return its address and what came of checking it."""
        one = self.make(name, **more)
        answer = self.put(one, content if isinstance(content, bytes) else content.encode())
        assert answer.status_code == 200, answer.text
        return one, self.until(one)

    def confirm(self, one: str, gains: dict[str, int]) -> Any:
        """Confirm it."""
        return self.ask("POST", f"{one}/confirm", {"gains": gains})

    def brought(self, content: bytes | str, name: str = "cases.csv", **more: Any) -> Any:
        """Import a file to its end."""
        one, found = self.checked(content, name, **more)
        assert found["state"] == "ready", found
        assert self.confirm(one, found["to_confirm"]).status_code == 202
        return self.until(one, *OVER)

    def entries(self, one: str) -> list[tuple[Any, ...]]:
        """Return what the report says: row, column, reason, nearest."""
        found = self.ask("GET", f"{one}/report").json()["entries"]
        return [(each["row"], each["column"], each["reason"], each["nearest"]) for each in found]


@contextmanager
def opened(settings: Settings, database: Database) -> Iterator[House]:
    """Serve a deployment."""
    with TestClient(create_app(settings)) as client:
        yield House(settings, database, Keys(database), client)


@pytest.fixture(scope="module")
def inline() -> Iterator[None]:
    """Have the work done in threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "Beside", Inline)
        yield


def filled(url: str, home: Path) -> tuple[Settings, Database]:
    """Return a deployment that has the world of the sheets."""
    settings = settings_for(url, home)
    database = Database.main(settings)
    migrations.upgrade(database)
    writer = Writer.open(settings, database)
    world(Intake(writer))
    asyncio.run(writer.vault.keys.close())
    return settings, database


@pytest.fixture(scope="module")
def house(
    inline: None, engine: str, new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """One deployment on each engine for the tests of a file; each has its own organisations in it."""
    settings, database = filled(new_database(engine), tmp_path_factory.mktemp("imports"))
    with opened(settings, database) as one:
        yield one
    asyncio.run(database.close())


def another(house: House, owner: str | None = None, roles: Any = ("contribute", "steward", "read")) -> Hand:
    """Return a further organisation, or a further credential of one."""
    owner = owner or house.organisation(PARTNER)
    return Hand(house, owner, house.key(PARTNER, organisation=owner, roles=roles))


@pytest.fixture
def hand(house: House) -> Hand:
    """An organisation of its own, with every right to write."""
    return another(house)


def good() -> str:
    """A sheet without a fault."""
    return str(sheet(*ROWS))
