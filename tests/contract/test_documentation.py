"""Documentation: every parameter, problem, verb and setting is in it; what it says to type works, and answers so."""

import ast
import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.main import get_command

import app
from app import server
from app.catalogue.negotiate import bare
from app.catalogue.parameters import all_names, sorts_of
from app.catalogue.relations import relations
from app.catalogue.when import ATS, MATCHES, SIDES
from app.cli import app as command
from app.core.problems import TYPES
from app.core.settings import Settings
from app.disclosure.reasons import RULES
from app.records import KINDS
from tests.contract.asking import Service

ROOT = Path(app.__file__).parents[1]
TALKING = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "openapi/README.md"]
TALKING += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
CURL = re.compile(r"^\s*curl ((?:-\w+ )*)'?([^' \n]*localhost:8000[^' \n]*)'?(.*)$", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def coded(name: str) -> set[str]:
    """Return every text that stands in a document as code."""
    return set(re.findall(r"`([^`\n]+)`", text(name)))


def test_every_parameter_is_documented():
    assert sorted(all_names() - coded("docs/api.md")) == []


def test_every_word_that_a_parameter_of_time_or_order_takes_is_documented():
    orders = {order for kind in KINDS for order in sorts_of(kind)}
    assert sorted({*MATCHES, *ATS, *SIDES, *orders} - coded("docs/api.md")) == []


def test_every_kind_and_every_relation_is_documented():
    assert sorted({kind.path for kind in KINDS} - coded("docs/api.md")) == []
    rows = {line.split("`")[1]: line for line in text("docs/api.md").splitlines() if line.startswith("| `/v1/")}
    for kind in KINDS[:-1]:
        stated = rows[f"/v1/{kind.path}/{{id}}/…"].split("`")[3::2]
        assert sorted(stated) == sorted(name for path, name in relations() if path == kind.path)


def test_every_field_that_is_submitted_or_shown_is_documented():
    known = {word for one in coded("docs/records.md") for word in re.findall(r"[a-z_]+", one)}
    for kind in KINDS:
        names = {info.alias or name for model in (kind.model, kind.shown) for name, info in model.model_fields.items()}
        assert sorted(names - known) == [], kind.name


def test_every_problem_is_documented_with_its_status():
    rows = [line.split("|") for line in text("docs/problems.md").splitlines() if line.startswith("| `")]
    stated = {row[1].strip(" `"): int(row[2]) for row in rows if row[2].strip().isdigit()}
    assert stated == {slug: status for slug, (status, _) in TYPES.items()}


def test_every_verb_of_the_command_is_documented_with_its_options():
    group: Any = get_command(command)
    verbs = {name: group.get_command(None, name) for name in group.list_commands(None)}
    stated = re.findall(r"^## `([a-z-]+)`$", text("docs/cli.md"), re.MULTILINE)
    assert sorted(stated) == sorted(verbs)
    for name, verb in verbs.items():
        part = text("docs/cli.md").partition(f"## `{name}`")[2].partition("\n## ")[0]
        below = getattr(verb, "commands", {})
        assert [one for one in below if f"evidence {name} {one}" not in part] == [], name
        options = [
            one
            for each in (verb, *below.values())
            for parameter in each.params
            for one in parameter.opts
            if one.startswith("--")
        ]
        assert [one for one in options if one not in part and one != "--help"] == [], name


def test_every_rule_of_disclosure_is_documented():
    rows = [line.split("|")[1] for line in text("docs/consent.md").splitlines() if line.startswith("| `")]
    stated = {rule for row in rows for rule in re.findall(r"`([a-z-]+)`", row)}
    assert sorted(set(RULES) - stated) == []


def test_every_setting_is_documented():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    read = set(re.findall(r"\"(EVIDENCE_[A-Z_]+)\"", source))
    rows = re.findall(r"^\| `(EVIDENCE_[A-Z_]+)` \|", text("docs/settings.md"), re.MULTILINE)
    assert sorted(rows) == sorted(read)


def test_every_test_that_the_threat_model_names_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text("docs/threat-model.md"))
    assert len(named) > 40
    for file, test in named:
        tree = ast.parse(text(file)) if (ROOT / file).exists() else ast.Module([], [])
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{test}"
    assert text("docs/threat-model.md").count("::") == len(named)


def test_the_threat_model_holds_a_test_against_each_of_the_ten_risks():
    rows = re.findall(r"^\| (API\d+) .*$", text("docs/threat-model.md"), re.MULTILINE)
    assert rows == [f"API{number}" for number in range(1, 11)]
    for line in text("docs/threat-model.md").splitlines():
        if line.startswith("| API"):
            assert "::test_" in line.split("|")[3], line


def test_the_proxies_of_the_examples_fit_the_settings():
    """The service is the one that refuses, and a proxy keeps no connection that is about to be closed."""
    examples, settings = text("docs/operations.md"), Settings.from_env({})
    megabytes = [int(one) for one in re.findall(r"(?:client_max_body_size|max_size) (\d+)(?:m|MB)\b", examples)]
    assert len(megabytes) == 2 and min(megabytes) * 1_000_000 > settings.body_bytes
    idle = [int(one) for one in re.findall(r"keepalive(?:_timeout)? (\d+)s", examples)]
    assert len(idle) == 2 and max(idle) < server.IDLE_SECONDS
    times = re.findall(r"(?:client_header_timeout|read_header) (\d+)s", examples)
    assert [int(one) for one in times] == [settings.head_seconds] * 2
    times = re.findall(r"(?:client_body_timeout|read_body) (\d+)s", examples)
    assert [int(one) for one in times] == [settings.body_seconds] * 2
    assert f"large_client_header_buffers 4 {server.MOST_TARGET_BYTES // 1024}k" in examples
    assert f"max_header_size {server.MOST_HEAD_BYTES // 1024}KB" in examples


@pytest.mark.parametrize("name", TALKING)
def test_what_make_is_told_to_do_is_in_the_makefile(name):
    targets = set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))
    told = {
        *re.findall(r"`make ([a-z-]+)[^`]*`", text(name)),
        *re.findall(r"^make ([a-z-]+)", text(name), re.MULTILINE),
    }
    assert sorted(told - targets) == []
    if name == "README.md":
        assert {"run", "test"} <= told


@pytest.mark.parametrize("name", TALKING)
def test_every_link_leads_somewhere(name):
    here = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", text(name)):
        path, _, anchor = target.partition("#")
        if path.startswith(("http://", "https://", "mailto:")):
            continue
        file = here / path if path else ROOT / name
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, target


def told_to_type() -> list[tuple[str, str]]:
    return [(name, match[2]) for name in TALKING for match in CURL.finditer(text(name))]


def test_readme_has_its_questions():
    assert [name for name, _ in told_to_type()].count("README.md") == 5


@pytest.fixture(scope="module")
def signing(live_server):
    """The address of a server that has made its first checkpoint, which it does a moment after its start."""
    for _ in range(600):
        with urllib.request.urlopen(f"{live_server}/v1/log", timeout=20) as answer:
            if json.load(answer)["checkpoint"] is not None:
                return live_server
        time.sleep(0.1)
    raise AssertionError("no checkpoint was made")


@pytest.mark.parametrize(("name", "address"), told_to_type())
def test_what_curl_is_told_to_ask_is_answered(signing, name, address):
    path = address.partition("localhost:8000")[2]
    with urllib.request.urlopen(signing + path, timeout=20) as answer:
        assert answer.status == 200
        media_type = answer.headers["Content-Type"].partition(";")[0]
        named = dict(parse_qsl(urlsplit(path).query)).get("format", "json")
        assert media_type == bare(named)


def test_readme_answers_as_the_service_does(built_in_of):
    """The answers in the README are cut short, and true: every total, count and id in them is that of the service."""
    service: Service = built_in_of("sqlite")
    parts = CURL.split(text("README.md"))[1:]
    for path, said in zip(parts[1::4], parts[3::4], strict=True):
        heard = service.ask(path.partition("localhost:8000")[2])
        shown = said.partition("```text")[2].partition("```")[0]
        assert re.findall(r'"total": (\d+)', shown) == [str(heard.json["total"])]
        ids = re.findall(r'"id": "([a-z0-9-]+)"', shown)
        assert ids[0] == heard.ids[0]
        assert [id for id in heard.ids if id in ids] == ids  # in their order, whatever was cut out between them
        for name in ("matched", "boundary"):
            for counts in re.findall(rf'"{name}": (\{{[^}}]*\}})', shown):
                assert counts.replace(" ", "") == _compact(heard.json["meta"][name])


def _compact(counts: dict[str, int]) -> str:
    return "{" + ",".join(f'"{name}":{n}' for name, n in counts.items()) + "}"
