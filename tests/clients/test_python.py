"""The Python client: generated with no warning, type-checked, and a whole story told with it on both engines."""

import json
import sys
from pathlib import Path

import pytest

from app.registry import openapi_text
from tests.clients.conftest import HERE, ROOT, TOLD, TOOLS, run

# The generator's own file for connections, which is the same whatever it is made from, is not strict in its types.
SETTINGS = """[mypy]
strict = true
warn_unreachable = true
[mypy-evidence_client.client]
ignore_errors = true
"""


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the client, generated from the description (which is the committed one: tests/contract)."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "openapi.json").write_text(openapi_text())
    options = [
        "--meta",
        "none",
        "--fail-on-warning",
        "--config",
        str(ROOT / "openapi" / "python-client.yaml"),
        "--output-path",
        "evidence_client",
    ]
    said = run(str(TOOLS / "openapi-python-client"), "generate", "--path", "openapi.json", *options, folder=folder)
    assert said.split() == ["Generating", "evidence_client"]
    return folder


def test_the_client_and_the_story_have_the_right_types(generated):
    (generated / "mypy.ini").write_text(SETTINGS)
    cache = str(generated / "cache")
    said = run(str(TOOLS / "mypy"), "--cache-dir", cache, str(HERE / "story.py"), "evidence_client", folder=generated)
    assert said.startswith("Success: no issues found in ")


def test_no_name_is_made_up_by_a_number(generated):
    """A type or a value for which the description has no name would be called by a number."""
    names = {path.stem for path in (generated / "evidence_client" / "models").glob("*.py")}
    assert sorted(name for name in names if name.endswith("_item") or "response_200" in name) == []
    values = [
        path.name for path in (generated / "evidence_client" / "models").glob("*.py") if "VALUE_" in path.read_text()
    ]
    assert values == []


def test_a_partner_does_all_of_it_with_the_client(generated, partner):
    command = (sys.executable, "-W", "error", str(HERE / "story.py"))
    told = json.loads(run(*command, folder=generated, **partner.environment, PYTHONPATH=str(generated)))
    assert told == TOLD
