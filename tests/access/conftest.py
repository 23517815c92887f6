"""A small vault with a record for each audience, on both engines, and what tests of access make in it."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from app.access import chain
from app.access.audit import Spool
from app.access.keys import Keys, Wanted
from app.access.shipping import Shipper
from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from app.intake.submit import Intake
from app.intake.write import Writer
from app.main import create_app
from tests.conftest import Clock, settings_for
from tests.intake.house import T1, T2, T3, a_source, a_testimony, consent, submit

OPEN, PARTNERS, MECHANISMS = T1, T2, T3  # who is shown each testimony: everybody; partners too; mechanisms alone
PARTNER, MECHANISM = "partner/research", "mechanism/un-reporting"
_NUMBERS = itertools.count(1)


@dataclass
class House:
    """One deployment: its settings, its database, and ways to make what a test needs."""

    settings: Settings
    database: Database
    keys: Keys
    client: TestClient
    operator: str = field(default="operator", init=False)

    def organisation(self, *views: str, operator: bool = False) -> str:
        """Return a fresh organisation that may have these views."""
        id = f"ngo-{next(_NUMBERS)}"
        self.keys.create_organisation(id, "A made-up organisation", views, operator)
        return id

    def key(self, *views: str, organisation: str | None = None, roles: Any = ("read",), **more: Any) -> str:
        """Return the text of a fresh API key."""
        text: str = self.make(*views, organisation=organisation, roles=roles, **more)[1]
        return text

    def make(self, *views: str, organisation: str | None = None, roles: Any = ("read",), **more: Any) -> Any:
        """Return a fresh credential, and its secret."""
        wanted = Wanted(organisation or self.organisation(*views), "made up", roles=roles, views=views, **more)
        return self.keys.create(wanted)

    def ask(self, address: str, key: str | None = None, method: str = "GET", **headers: str) -> Any:
        """Return the answer to a request, with a key or a token where there is one."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            given["Authorization"] = f"Bearer {key}"
        return self.client.request(method, address, headers=given)

    def sees(self, key: str | None = None, **headers: str) -> list[str]:
        """Return the ids of the testimonies that a caller is shown."""
        answer = self.ask("/v1/testimonies", key, **headers)
        assert answer.status_code == 200, answer.text
        return sorted(item["id"] for item in answer.json()["items"])


def fill(settings: Settings) -> None:
    """Put the three testimonies in."""
    database = Database.main(settings)
    migrations.upgrade(database)
    writer = Writer.open(settings, database, Clock())
    submit(
        Intake(writer),
        a_source(),
        a_testimony(OPEN),
        a_testimony(PARTNERS, consent=consent(partner={}, mechanism={})),
        a_testimony(MECHANISMS, consent=consent(mechanism={})),
    )
    asyncio.run(writer.vault.keys.close())
    asyncio.run(database.close())


@pytest.fixture(scope="session")
def house(engine: str, new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One deployment for all tests; each makes its own organisations in it."""
    settings = settings_for(new_database(engine), tmp_path_factory.mktemp("house"))
    fill(settings)
    database = Database.main(settings)
    with TestClient(create_app(settings)) as client:
        yield House(settings, database, Keys(database), client)
    asyncio.run(database.close())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder."""
    return tmp_path


@pytest.fixture
def own(settings, monkeypatch):
    """A deployment of its own, with the shipping done by hand."""

    async def nothing(_):
        pass

    monkeypatch.setattr(Shipper, "once", nothing)
    fill(settings)
    database = Database.main(settings)
    with TestClient(create_app(settings)) as client:
        yield House(settings, database, Keys(database), client)
    asyncio.run(database.close())


def lines_in(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of all spools, each chain checked."""
    found = []
    for path in sorted(folder.glob("*.spool")):
        previous = chain.START
        for raw in path.read_bytes().splitlines():
            text, _, stated = raw.rpartition(b"\t")
            previous = chain.link(previous, text)
            assert previous.hex().encode() == stated
            found.append(orjson.loads(text))
    return found


def ship(house: House) -> list[str]:
    """Ship as another process would, once the one that wrote is gone; return what failed."""
    failed: list[str] = []
    Shipper(house.database, Spool(house.settings.home / "audit"), failed.append).ship()
    return failed


def close(house: House) -> None:
    """Let the process that writes go, with nothing shipped."""
    house.client.app.router.routes[0]._trails._spool.close()  # type: ignore[attr-defined]
