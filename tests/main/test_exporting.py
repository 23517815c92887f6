"""The verb `evidence export`: the bytes of the API in a file, whole or not there, and who read it in the account."""

import asyncio
import base64
import hashlib
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app import exporting
from app.cli import app
from app.core.db import Database
from tests.conftest import environment
from tests.contract.asking import HOST, Service
from tests.intake.house import T1, T2, a_source, a_testimony, an_incident, consent, submit


@pytest.fixture
def world(settings, intake, monkeypatch):
    """An empty vault with two testimonies, the second for everybody but partners; settings in the environment."""
    for name, value in environment(settings, 0).items():
        if name.startswith("EVIDENCE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("EVIDENCE_PUBLIC_URL", f"http://{HOST}")
    narrow = consent(public={})
    submit(intake, a_source(), a_testimony(T1), a_testimony(T2, consent=narrow), an_incident(testimonies=[T1]))
    return settings


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["export", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize("format", ["ndjson", "csv", "xlsx", "parquet"])
@pytest.mark.parametrize("view", [0, 1])
def test_it_is_the_file_that_the_api_gives(world, tmp_path, format, view):
    out = tmp_path / f"found.{format}"
    out.write_bytes(b"old")
    status, said = run("testimonies", "--out", str(out), "--format", format, "--view", str(view), "--filter", "sort=id")
    assert status == 0, said
    service = Service(world)
    heard = service.ask(f"/v1/testimonies?sort=id&format={format}", view)
    count = len(service.ask("/v1/testimonies?format=ndjson", view).body.splitlines())
    service.close()
    assert count == (1 if view else 2)
    assert out.read_bytes() == heard.body
    ((_, digest),) = heard.trailers
    assert said.splitlines()[-1] == f"{count} records in {out}, {digest.decode()}"
    assert out.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.glob("*.part")] == []


def test_what_is_read_in_another_view_stands_in_the_account(world, tmp_path):
    assert run("testimonies", "--out", str(tmp_path / "public"))[0] == 0
    assert lines(world) == []
    assert run("testimonies", "--out", str(tmp_path / "partner"), "--view", "partner/research")[0] == 0
    (first, more, *rest) = lines(world)
    assert (first["organisation"], first["method"], first["route"]) == ("operator", "EXPORT", "/v1/testimonies")
    assert (more["more"], bool(more["ids"]), rest) == (True, True, [])


def lines(settings) -> list[dict[str, Any]]:
    database = Database(settings.database_url)
    query = text("SELECT line FROM audit_entry ORDER BY entry")
    found = database.look(lambda connection: connection.execute(query).all())
    asyncio.run(database.close())
    return [orjson.loads(bytes(line)) for (line,) in found]


def test_what_fails_half_way_leaves_what_was_there(world, tmp_path, monkeypatch):
    out = tmp_path / "found"
    out.write_bytes(b"old")

    async def failing(body):
        try:
            yield await anext(body)
            raise OSError("the disk is full")
        finally:
            await body.aclose()

    original = exporting._written

    async def half(answer, path):
        answer.body = failing(answer.body)
        await original(answer, path)

    monkeypatch.setattr(exporting, "_written", half)
    assert run("testimonies", "--out", str(out))[0] != 0
    assert out.read_bytes() == b"old"
    assert sorted(one.name for one in tmp_path.iterdir() if "found" in one.name) == ["found"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing", "--out", "x"], "must be one of"),
        (["testimonies", "--out", "nowhere/x"], "its folder is not there"),
        (["testimonies", "--out", "x", "--format", "json"], "must be one of"),
        (["testimonies", "--out", "x", "--view", "9"], "is not one of the views"),
        (["testimonies", "--out", "x", "--filter", "limit=3"], "is no filter"),
        (["testimonies", "--out", "x", "--filter", "peroid=famine"], "Did you mean 'period'?"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(world, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, printed = run(*arguments)
    assert status == 2
    assert said in " ".join(printed.replace("│", " ").split())
    assert not (tmp_path / "x").exists()


def test_the_digest_is_that_of_the_file(world, tmp_path):
    out = tmp_path / "found"
    _, said = run("testimonies", "--out", str(out))
    assert base64.b64encode(hashlib.sha256(out.read_bytes()).digest()).decode() in said
