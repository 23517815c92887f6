"""A deployment, and organisations that write in it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.access.keys import Keys
from app.core.db import Database
from app.core.settings import Settings
from app.main import create_app
from tests.access.conftest import PARTNER, House, fill
from tests.conftest import settings_for

BOTH = ("contribute", "steward", "read")


@dataclass
class Hand:
    """One credential that writes."""

    house: House
    owner: str
    key: str | None

    def ask(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """Return the answer to a request; `if_match` is the header If-Match."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            given["Authorization"] = f"Bearer {self.key}"
        if method == "PATCH":
            given.setdefault("Content-Type", "application/merge-patch+json")
        return self.house.client.request(method, address, json=body, headers=given)

    def tag(self, address: str) -> str:
        """Return the tag of a record as submitted."""
        answer = self.ask("GET", f"{address}/submitted")
        assert answer.status_code == 200, answer.text
        return str(answer.headers["etag"])

    def post(self, address: str, body: Any, **headers: str) -> Any:
        """Submit a record; return what was answered."""
        answer = self.ask("POST", address, body, **headers)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def house(engine: str, new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One deployment for all tests; each has its own organisations in it."""
    settings: Settings = settings_for(new_database(engine), tmp_path_factory.mktemp("house"))
    fill(settings)
    database = Database.main(settings)
    with TestClient(create_app(settings)) as client:
        yield House(settings, database, Keys(database), client)
    asyncio.run(database.close())


@pytest.fixture
def hand(house: House) -> Hand:
    """An organisation of its own, with every right to write, and a view of partners."""
    return another(house)


def another(house: House, *views: str, roles: Any = BOTH, owner: str | None = None) -> Hand:
    """Return a further organisation, or a further credential of one."""
    views = views or (PARTNER,)
    owner = owner or house.organisation(*views)
    return Hand(house, owner, house.key(*views, organisation=owner, roles=roles))
