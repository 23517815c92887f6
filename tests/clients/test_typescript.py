"""The TypeScript client: types generated with no warning, and a story compiled strictly and told at a real server."""

import json
import re
from pathlib import Path

import pytest

from app.registry import openapi_text
from tests.clients.conftest import HERE, ROOT, TOLD, run
from tests.pages import page

GENERATE = ("openapi.json", "--output", "evidence.d.ts", "--default-non-nullable", "false")
STRICT = ("--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--lib", "es2022,dom,dom.iterable")
MODULES = ("--module", "nodenext", "--moduleResolution", "nodenext")
TELL = """import { story } from "./story.js";
const { SERVICE, CLIENT_ID, CLIENT_SECRET, PLACE } = process.env;
console.log(JSON.stringify(await story(SERVICE, CLIENT_ID, CLIENT_SECRET, PLACE)));
"""


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled story, with the types that were generated from the description."""
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "openapi.json").write_text(openapi_text())
    (folder / "story.ts").write_text((HERE / "story.ts").read_text())
    (folder / "tell.js").write_text(TELL)
    said = run("node_modules/.bin/openapi-typescript", *GENERATE, folder=folder)
    assert re.fullmatch(
        r"✨ openapi-typescript [0-9.]+\n🚀 openapi.json → evidence.d.ts \[[0-9.]+m?s\]\n", said.lstrip()
    )
    assert run("node_modules/.bin/tsc", *STRICT, *MODULES, "story.ts", folder=folder) == ""
    return folder


def test_the_page_compiles_as_the_story_is_compiled(compiled):
    """What docs/clients.md tells to type, on a program of a few lines with a key."""
    told = page("clients.md")
    (options,) = re.findall(r"^npx tsc (.*) mine\.ts && node mine\.js$", told, re.MULTILINE)
    (client,) = re.findall(r"`(createClient<[^`]*)`", told)
    kinds = "\n".join(line for line in told.splitlines() if line.startswith("type Json"))
    head = f'import createClient from "openapi-fetch";\nimport type {{ paths }} from "./evidence.js";\n{kinds}\n'
    body = f'const address = "http://localhost:8000";\nexport const service = {client};\nawait service.GET("/v1");\n'
    (compiled / "mine.ts").write_text(head + body)
    assert run("node_modules/.bin/tsc", *options.split(), "mine.ts", folder=compiled) == ""


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session")
def test_a_partner_does_all_of_it_with_the_types(compiled, partner):
    assert json.loads(run("node", "tell.js", folder=compiled, **partner.environment)) == TOLD
