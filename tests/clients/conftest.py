"""A partner organisation at a real server, in a process of its own; what its generated client is asked to do."""

import asyncio
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import app
from app.access.keys import Keys, Wanted
from app.core import migrations
from app.core.db import Database
from tests.conftest import serving, settings_for

ROOT = Path(app.__file__).parents[1]
HERE = Path(__file__).parent
TOOLS = Path(sys.executable).parent
_NUMBERS = itertools.count()


def run(*command: str, folder: Path, **more: str) -> str:
    """Run a command with further variables; return all that it says."""
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "PYTHONPATH": "", **more}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


@dataclass
class Partner:
    """An organisation with a client of OAuth at a running service."""

    service: str
    organisation: str
    client_id: str
    client_secret: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a story is told by."""
        names = {"SERVICE": self.service, "CLIENT_ID": self.client_id, "CLIENT_SECRET": self.client_secret}
        return names | {"PLACE": f"made-up-{next(_NUMBERS)}"}


@pytest.fixture(scope="session")
def partner(engine, new_database, tmp_path_factory) -> Iterator[Partner]:
    settings = settings_for(new_database(engine), tmp_path_factory.mktemp("partner"))
    database = Database.main(settings)
    migrations.upgrade(database)
    keys = Keys(database)
    keys.create_organisation("example-ngo", "A made-up organisation", ("partner/research",))
    roles = ("read", "contribute", "steward")
    wanted = Wanted("example-ngo", "made up", kind="client", roles=roles, views=("partner/research",))
    client, secret = keys.create(wanted)
    asyncio.run(database.close())
    assert secret is not None
    with serving(settings) as address:
        yield Partner(address, "example-ngo", client["id"], secret)


# What comes of the story, whichever client tells it. A month has its bounds; a year is what partners are shown of one.
TOLD = {
    "me": "example-ngo",
    "once": True,
    "pages": [[2, 3, 4], [5, 6]],
    "revision": 2,
    "stale": "/problems/precondition-failed",
    "wrong": 422,
    "faults": [
        [
            "/date",
            "'2007-13' has a month that does not exist; write a month from 01 to 12, or a season from 21 to 24.",
        ]
    ],
    "state": "withdrawn",
    "retracted": 204,
    "changes": [["created"] * 7, ["created", "updated"], ["removed", "created", "removed"]],
    "left": [3, 3, 1],
    "copy": 7,
}
