"""A deployment with webhooks that may be sent to this machine, and a courier whose looks a test makes."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.access.keys import Keys, Wanted
from app.catalogue.cursor import Cursors
from app.core import crypto, moments
from app.core.db import Database
from app.core.settings import Settings
from app.exchange.hooks.addresses import Rules
from app.exchange.hooks.courier import Courier
from app.exchange.hooks.messages import Messages
from app.exchange.hooks.posting import Post
from app.intake.submit import Intake
from app.main import create_app
from tests.conftest import MASTER
from tests.exchange.hooks.receiver import Receiver, receiving

PARTNER = "partner/research"


@dataclass
class Moving:
    """A clock that goes on from the real time when a test moves it: receivers look at the age of a message."""

    ahead: int = 0

    def __call__(self) -> int:
        return moments.now() + self.ahead


@dataclass
class House:
    """One deployment, its client, and what sends its messages."""

    settings: Settings
    database: Database
    intake: Intake
    client: TestClient
    receiver: Receiver
    moving: Moving
    keys: Keys
    counted: list[str] = field(default_factory=list)
    organisations: int = 0

    def key(self, *views: str, roles: Any = ("read",), organisation: str | None = None) -> tuple[str, str, str]:
        """Return an organisation, the id of a fresh credential of it, and its key."""
        if organisation is None:
            self.organisations += 1
            organisation = f"ngo-{self.organisations}"
            self.keys.create_organisation(organisation, "A made-up organisation", views)
        row, text = self.keys.create(Wanted(organisation, "made up", roles=roles, views=views))
        return organisation, row["id"], str(text)

    def operator(self) -> str:
        """Return the organisation that runs the service."""
        self.keys.create_organisation("the-operator", "A made-up operator", operator=True)
        return "the-operator"

    def ask(self, key: str | None, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """Return the answer to a request."""
        given = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self.client.request(method, address, json=body, headers=given | headers)

    def hook(self, key: str, **more: Any) -> Any:
        """Return a fresh webhook that sends to the receiver, with its secret."""
        answer = self.ask(key, "POST", "/v1/webhooks", {"name": "made up", "url": self.receiver.url, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def courier(self, seconds: float | None = None) -> Courier:
        """Return what another process would send with; each attempt may take so many seconds."""
        messages = Messages(bytes.fromhex(MASTER), Cursors(crypto.Tokens(bytes.fromhex(MASTER), "cursor")))

        async def expire(_: int) -> None:
            raise AssertionError("nothing has expired")

        class Log:
            def warning(self, event: str, **more: Any) -> None:
                raise AssertionError((event, more))

        post = Post(Rules.of(self.settings), seconds or self.settings.hook_seconds)
        return Courier(self.settings, self.database, messages, post, expire, self.counted.append, Log(), self.moving)

    def send(self, courier: Courier | None = None) -> None:
        """Look once, and have everything sent that is due."""

        async def once() -> None:
            sender = courier or self.courier()
            await sender.look()
            await sender.idle()
            await sender.end()

        asyncio.run(once())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    with receiving() as one:
        yield one


@pytest.fixture
def house(
    settings: Settings, database: Database, intake: Intake, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """A deployment that may send to the receiver; nothing is sent before a test says so."""

    async def nothing(_: Courier) -> None:
        pass

    monkeypatch.setattr(Courier, "run", nothing)
    settings = replace(
        settings,
        hook_seconds=10,  # a busy machine is no slow receiver
        hook_ports=(443, receiver.port),
        hook_http_hosts=("127.0.0.1",),
        hook_networks=(ip_network("127.0.0.0/8"),),
        log_level="error",
    )
    with TestClient(create_app(settings)) as client:
        yield House(settings, database, intake, client, receiver, Moving(), Keys(database))
