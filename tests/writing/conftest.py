"""A deployment, and organisations that write in it."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.access.keys import Keys
from app.core.db import Database
from app.core.settings import Settings
from app.main import create_app
from app.records import Kind
from app.vault.tables import REVISION
from tests.access.conftest import PARTNER, House, fill
from tests.conftest import settings_for
from tests.data.record import records
from tests.intake.house import a_testimony

NUMBERS = itertools.count()
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
            given.setdefault("content-type", "application/merge-patch+json")
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


@pytest.fixture(scope="session")
def builtin(house: House) -> Callable[[Kind], tuple[Hand, dict[str, Any]]]:
    """A function from a kind to a record of it in the built-in data, and to an organisation that may submit it.

    It goes in under another id, without what it names, but for what it cannot do without. There is no link in that
    data: one is made up.
    """
    hand = another(house)

    def one(kind: Kind) -> tuple[Hand, dict[str, Any]]:
        return hand, a_link(hand) if kind.name == "link" else unnamed(kind, next(iter(records(kind.name))))

    return one


def a_link(hand: Hand) -> dict[str, Any]:
    """An invented link, of two places by a source, which are submitted for it."""
    source = {"id": f"lnk-source-{next(NUMBERS)}", "title": {"en": "An invented report"}, "type": "report"}
    ends = [hand.post("/v1/places", a_place())["id"] for _ in range(2)]
    ties = {"from": ends[0], "to": ends[1], "source": hand.post("/v1/sources", source)["id"]}
    return {"id": f"lnk-{next(NUMBERS)}", "type": "seen-with", "confidence": "low", **ties}


def unnamed(kind: Kind, content: dict[str, Any]) -> dict[str, Any]:
    """Return a content without the records that it names."""
    alone = {name: value for name, value in content.items() if value is not None}
    for path, _ in kind.references:
        name, _, inner = path.partition(".")
        if name == "witness":
            alone[name] = {**content[name], inner: None}
        elif name != "citations[]":
            alone.pop(name.removesuffix("[]"), None)
    alone["citations"] = [{**one, "source": None} for one in content.get("citations", ())]
    if kind.draws_id(content):
        del alone["id"]
    else:
        alone["id"] = f"again-{alone['id']}"[:100]
    return alone


def another(house: House, *views: str, roles: Any = BOTH, owner: str | None = None) -> Hand:
    """Return a further organisation, or a further credential of one."""
    views = views or (PARTNER,)
    owner = owner or house.organisation(*views)
    return Hand(house, owner, house.key(*views, organisation=owner, roles=roles))


def a_witness(**more):
    """A testimony with no id: the service draws it. Each has a text of its own."""
    content = a_testimony(**more)
    del content["id"]
    return content | {"note": {"en": f"Made up {next(NUMBERS)}"}}


def a_place(**more):
    return {"id": f"plc-{next(NUMBERS)}", "name": {"en": "A made-up place"}, "type": "other", **more}


def count(house, table=REVISION) -> int:
    """Return how many rows a table has: what was written, if anything."""
    found: int = house.database.look(lambda connection: connection.scalar(select(func.count()).select_from(table)))
    return found


def held(answer, status: int, pointer: str | None = None) -> Any:
    """Hold an error to its status, and to the place that it points at; return what it says."""
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if pointer is not None:
        assert pointer in [one.get("pointer", one.get("name")) for one in body["errors"]], body
        return next(one["detail"] for one in body["errors"] if one.get("pointer", one.get("name")) == pointer)
    return body["detail"]
