"""Shape of the code: who may import whom, how long a file may be, what each begins with, and which routes there are."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import app
from app.core.problems import TYPES
from app.records import BY_PATH, KINDS

ROOT = Path(app.__file__).parents[1]
FOLDERS = ("app", "migrations", "tests", "benchmarks")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
LONGEST = 400
# What stands apart from the kinds: a route that is not here and not made from the registry is a mistake.
ADDRESSES = {"/v1", "/openapi.json", "/healthz", "/readyz", "/problems", "/docs", "/docs/assets/{name}"}
ADDRESSES |= {f"/problems/{slug}" for slug in TYPES}
ADDRESSES |= {"/v1/token", "/.well-known/jwks.json", "/v1/me", "/v1/keys", "/v1/keys/{id}", "/v1/keys/{id}/rotate"}
ADDRESSES |= {"/v1/imports", "/v1/imports/{id}"}
ADDRESSES |= {f"/v1/imports/{{id}}/{one}" for one in ("file", "confirm", "report", "sheet", "events")}
ADDRESSES |= {"/v1/organisations", "/v1/organisations/{id}", "/v1/audit", "/v1/audit/seals"}
ADDRESSES |= {"/v1/statistics/counts"}
ADDRESSES |= {"/v1/changes", "/v1/changes/stream", "/v1/search"}
ADDRESSES |= {"/v1/webhooks", "/v1/webhooks/{id}", "/v1/acknowledgements"}
ADDRESSES |= {f"/v1/webhooks/{{id}}/{one}" for one in ("rotate", "test", "deliveries", "replay")}
ADDRESSES |= {"/v1/duplicates", "/v1/duplicates/decisions"}
ADDRESSES |= {"/v1/conformance", "/v1/collections"}
ADDRESSES |= {"/v1/log", "/v1/log/checkpoints", "/v1/log/consistency"}
ADDRESSES |= {
    f"/v1/collections/{kind.path}{more}" for kind in KINDS if kind.geometry for more in ("", "/items", "/items/{id}")
}
# Who may know the framework of the server, or of the command.
FRAMED = (
    *(
        "app/main.py",
        "app/cli.py",
        "app/session.py",
        "app/viewing.py",
        "app/exporting.py",
        "app/importing.py",
        "app/reviewing.py",
        "app/verifying.py",
        "app/server.py",
        "app/explorer/",
    ),
    *("app/catalogue/routes.py", "app/access/routes.py", "app/writing/routes.py", "app/access/command.py"),
)
PURE = (
    *("app/disclosure/", "app/custody/merkle.py", "app/custody/tree.py", "app/custody/note.py"),
    *("app/vocabulary/", "app/records/", "app/catalogue/flat.py"),
)
DRIVERS = {"sqlite3", "pysqlite3", "asyncpg", "psycopg"}
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "service", "services", "schemas", "repository", "common", "misc"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """Return the names of the modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found


def test_a_line_imports_the_lines_below_it_only():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert "Contracts: 1 kept, 0 broken." in done.stdout


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_is_short_and_begins_with_its_promise(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
    promise = ast.get_docstring(tree(path))
    assert promise, "the first line of a file says its one promise"
    assert tree(path).body[0].lineno == 1
    assert promise.splitlines()[0].rstrip().endswith((".", "?", '"'))
    assert path.stem not in EMPTY_WORDS


@pytest.mark.parametrize("path", [path for path in FILES if "app" in path.parts], ids=str)
def test_what_is_pure_knows_no_database_and_nobody_but_the_core_knows_a_driver(path):
    name = path.relative_to(ROOT).as_posix()
    tops = {one.partition(".")[0] for one in imported(path)}
    if name.startswith(PURE):
        assert not {"sqlalchemy", "sqlmodel", "starlette", "fastapi"} & tops
        assert not {"app.core.db", "app.core.settings"} & imported(path)
    if not name.startswith("app/core/"):
        assert not DRIVERS & tops
    if not name.startswith(FRAMED):
        assert not {"starlette", "fastapi", "uvicorn", "typer"} & tops


def test_the_command_begins_with_a_file_that_imports_nothing():
    # Every worker process imports it.
    begins = tree(ROOT / "app" / "__main__.py")
    assert [type(node) for node in begins.body] == [ast.Expr, ast.FunctionDef, ast.If]
    assert 'evidence = "app.__main__:main"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_no_route_is_outside_the_registry_and_the_list(built_in_of):
    routes = built_in_of("sqlite").app.routes
    templates = [one for route in routes for one in getattr(route, "templates", None) or [getattr(route, "path", "")]]
    assert len(templates) == len(set(templates))
    kinds = [one for one in templates if one not in ADDRESSES]
    assert set(templates) - set(kinds) == ADDRESSES
    pieces = [one.split("/") for one in kinds]
    assert {(one[0], one[1]) for one in pieces} == {("", "v1")}
    assert {one[2] for one in pieces} == set(BY_PATH)
    for kind in KINDS:
        own = {"/".join(one[3:]) for one in pieces if one[2] == kind.path}
        assert {"", "queryables", "{id}", "{id}/history", "{id}/proof"} < own
        assert all(one.startswith("{id}/") for one in own - {"", "queryables", "{id}"})


def test_nobody_makes_a_connection_but_the_database():
    makers = {"create_engine", "create_async_engine", "connect", "create_pool", "sessionmaker"}
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and (getattr(node.func, "id", None) or getattr(node.func, "attr", None)) in makers
    }
    assert found and all(one.startswith("app/core/") for one in found)
