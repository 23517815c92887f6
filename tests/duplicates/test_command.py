"""The verbs `evidence duplicates …`: the same proposals and decisions, and the account of what was shown."""

import asyncio

import orjson
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app.access.audit import unpacked
from app.cli import app
from app.core.db import Database
from tests.conftest import environment
from tests.intake.house import OWNER, PER, a_person, submit

OTHER = "per-0r4qz8tcmm1rv5s6h3zkdw9x2y"


@pytest.fixture
def world(settings, intake, monkeypatch):
    """A vault with one made-up person twice, and its settings in the environment."""
    for name, value in environment(settings, 0).items():
        if name.startswith("EVIDENCE_"):
            monkeypatch.setenv(name, value)
    same = {"sex": "female", "name": {"ko": "단두리"}}
    submit(intake, a_person(PER, **same), a_person(OTHER, **same))
    return settings


def run(*arguments: str):
    done = CliRunner().invoke(app, ["duplicates", *arguments])
    return done.exit_code, [orjson.loads(line) for line in done.output.splitlines() if line.startswith("{")]


def test_proposed_decided_and_told(world):
    def where(view="1"):
        return "--owner", OWNER, "--view", view

    status, (found,) = run("list", "people", *where())
    assert (status, {found["record"], found["other"]}, found["ask"]) == (0, {PER, OTHER}, None)
    assert run("list", "people", *where("public/publication"))[1][0]["record"] == found["record"]
    status, (done,) = run("decide", PER, OTHER, "refuse", *where(), "--reason", "Two people.")
    assert (status, done["outcome"], done["reason"]) == (0, "kept", "Two people.")
    assert run("list", "people", *where()) == (0, [])
    status, (done,) = run("decide", PER, OTHER, "accept", *where(), "--reason", "One after all.")
    assert (status, done["outcome"]) == (0, "merged")
    assert [one["decision"] for one in run("decisions", "--owner", OWNER)[1]] == ["accept", "refuse"]
    assert run("decide", PER, OTHER, "accept", *where(), "--reason", "Again.") == (2, [])
    assert run("list", "places", *where())[0] == 2


def test_what_is_shown_stands_in_the_account(world):
    run("list", "people", "--owner", OWNER, "--view", "1")
    database = Database(world.database_url)
    query = text("SELECT line FROM audit_entry ORDER BY entry")
    kept = database.look(lambda connection: list(connection.scalars(query)))
    asyncio.run(database.close())
    (line,) = (orjson.loads(bytes(one)) for one in kept)
    assert (line["organisation"], line["method"], line["view"]) == ("operator", "REVIEW", 1)
    assert len(unpacked(line["ids"])) == 2
