"""Schemathesis: made-up requests of every sort against the running server; every check of it, and no failure."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import app
from app.registry import openapi_document

ROOT = Path(app.__file__).parents[1]
RELATIONS = r"^/v1/[a-z-]+/\{id\}/(?!(history|rotate|proof)$)"

# What writes is 401 to a client without a credential: tests/writing holds it to the description. A body of bytes
# (`append`) it cannot make: tests/imports do.
WRITING = r"^(create|put|change|retract|withdraw|objectTo|append)(?!Key|Org|Seal|Token)|^get.*(Submitted|Disclosure)$"


def without(operations: str, paths: str = "^$") -> list[str]:
    """Return the options that leave operations out, by their names or by their paths: two options would be "and"."""
    described = openapi_document()["paths"].items()
    names = [(path, one["operationId"]) for path, these in described for one in these.values()]
    left = [name for path, name in names if re.search(operations, name) or re.search(paths, path)]
    return ["--exclude-operation-id-regex", f"^({'|'.join(left)})$"]


def run(server: str, folder: Path, *options: str) -> str:
    """Run it; return what it says."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "--no-color"]
    command += ["--config-file", str(ROOT / "schemathesis.toml")]
    command += ["run", f"{server}/openapi.json", "--checks", "all", "--seed", "1", "--workers", "1", "--no-shrink"]
    command += ["--suppress-health-check", "all", "--continue-on-failure", "--generation-database", "none", *options]
    command += [
        "--exclude-path",
        "/v1/changes/stream",
    ]  # it would not end: see tests/catalogue/test_waiting.py
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def passed(said: str) -> tuple[int, int]:
    """Return how many operations were tested, and how many requests passed."""
    generated, passed = re.findall(r"([0-9]+) generated, ([0-9]+) passed", said)[0]
    assert generated == passed
    return int(re.findall(r"Tested: ([0-9]+)", said)[0]), int(passed)


def test_no_check_of_any_operation_fails(live_server, tmp_path):
    said = run(live_server, tmp_path, "--phases", "examples,fuzzing,stateful", "--max-examples", "2", *without(WRITING))
    operations, requests = passed(said)
    assert operations == 277
    assert requests > 500


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session")
def test_no_edge_of_any_schema_fails(live_server, tmp_path):
    """Every bound and every kind of wrong value of every parameter; a relation has the parameters of a kind's list."""
    said = run(live_server, tmp_path, "--phases", "coverage", *without(WRITING, RELATIONS))
    operations, requests = passed(said)
    assert operations == 277 - 149
    assert requests > 5_000
