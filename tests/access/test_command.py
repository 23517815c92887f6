"""`evidence keys …`: an NGO's first key from the command line, and its end in another process."""

import re
import subprocess
import sys

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from app.main import create_app
from tests.access.conftest import OPEN, PARTNERS, fill
from tests.conftest import environment

FIRST = (
    "keys create-organisation example-ngo --name Example --view partner",
    "keys create example-ngo --name map --view partner --expires 2099-01-01",
)


@pytest.fixture
def filled(settings):
    """Settings of a deployment of its own."""
    fill(settings)
    return settings


@pytest.fixture
def run(filled):
    """A function that runs the command in this process, and returns what it said."""

    def command(line: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, line.split(), env=environment(filled, 0), catch_exceptions=code == 0)
        assert done.exit_code == code, done.output
        return done.output

    return command


def secret_in(said: str) -> str:
    (found,) = re.findall(r"^ev[ks]_[0-9a-z]{10}_[0-9a-z]{52}$", said, re.MULTILINE)
    return str(found)


def test_anonymous_reads_the_same_whatever_keys_there_are(filled, run):
    with TestClient(create_app(filled)) as client:
        before = client.get("/v1/testimonies")
        for line in FIRST:
            run(line)
        after = client.get("/v1/testimonies")
    assert [item["id"] for item in before.json()["items"]] == [OPEN]
    assert (before.content, before.headers["etag"]) == (after.content, after.headers["etag"])


def test_the_first_key_of_an_organisation(filled, run):
    assert run(FIRST[0]) == "example-ngo  Example  partner/research  active\n"
    said = run(FIRST[1])
    first = secret_in(said)
    id = said.split()[0]
    assert re.fullmatch(r"crd-[0-9a-z]{26}", id)
    assert "until 2099-01-01T00:00:00.000Z" in said and "shown now and never again" in said
    listed = run("keys list")
    assert f"secret {first[4:14]}…" in listed and first not in listed
    second = secret_in(run(f"keys rotate {id} --overlap-hours 0"))
    with TestClient(create_app(filled)) as client:
        for key, total in ((first, None), (second, 2)):
            answer = client.get("/v1/testimonies", headers={"Authorization": f"Bearer {key}"})
            assert answer.json().get("total") == total
    assert "revoked 20" in run(f"keys revoke {id}")
    assert run("keys list another") == ""


def test_clients_subjects_and_signing_keys(filled, run):
    run(FIRST[0])
    assert secret_in(run("keys create example-ngo --name sync --kind client --role contribute")).startswith("evs_")
    subject = "keys create example-ngo --name a --kind subject --view partner --issuer https://i.example --subject a"
    assert "secret" not in run(subject)
    assert run("keys rotate-signing-key --at-once").startswith("Tokens are signed with ")
    assert run("keys change-views example-ngo --view mechanism") == (
        "example-ngo  Example  mechanism/un-reporting  active\n"
    )
    assert "revoked 20" in run("keys revoke-organisation example-ngo")
    assert "revoked 20" in run("keys organisations")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_wrong_is_said_in_one_line(filled):
    command = [sys.executable, "-c", "from app.cli import main; main()", "keys"]
    for line, said in (
        ("create nobody --name x --view partner", "evidence: organisation: There is no organisation 'nobody'.\n"),
        ("revoke crd-none", "evidence: there is no 'crd-none'\n"),
        ("create-organisation Ä --name x", None),
        ("create a --name x --expires soon", None),
    ):
        done = subprocess.run([*command, *line.split()], env=environment(filled, 0), capture_output=True, text=True)
        assert done.returncode == 2
        assert done.stderr == said or (said is None and "Invalid value" in done.stderr)


def test_a_key_revoked_by_another_process_stops_with_the_next_request(filled, run):
    run(FIRST[0])
    said = run(FIRST[1])
    id, headers = said.split()[0], {"Authorization": f"Bearer {secret_in(said)}"}
    with TestClient(create_app(filled)) as one, TestClient(create_app(filled)) as other:
        assert [client.get(f"/v1/testimonies/{PARTNERS}", headers=headers).status_code for client in (one, other)] == [
            200,
            200,
        ]
        command = [sys.executable, "-c", "from app.cli import main; main()", "keys", "revoke", id]
        subprocess.run(command, env=environment(filled, 0), check=True, capture_output=True)
        assert [client.get(f"/v1/testimonies/{PARTNERS}", headers=headers).status_code for client in (one, other)] == [
            401,
            401,
        ]
