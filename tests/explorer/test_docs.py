"""The documentation page shows every operation in a real browser, and asks nobody but this service."""

import gzip
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.core.problems import Problem
from app.explorer import docs

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SCHEMA = {"type": "object", "properties": {"said": {"type": "string", "examples": ["hello"]}}}
JSON = {"application/json": {"schema": SCHEMA}, "application/problem+json": {"schema": SCHEMA}}
HEADERS = {"Content-Disposition": {"description": "What it is called.", "schema": {"type": "string"}}}
SAID = {status: {"description": "Said", "content": JSON, "headers": HEADERS} for status in ("200", "422")}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Two operations", "version": "1"},
    "paths": {
        "/hello": {
            "get": {
                "operationId": "hello",
                "parameters": [
                    {
                        "name": "tone",
                        "in": "query",
                        "example": "warm",
                        "schema": {"type": "string", "examples": ["cool"]},
                    },
                    {"$ref": "#/components/parameters/loud"},
                ],
                "responses": SAID,
            }
        },
        "/hello/{name}": {
            "get": {
                "operationId": "helloName",
                "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": SAID,
            }
        },
    },
    "components": {
        "parameters": {
            "loud": {
                "name": "loud",
                "in": "query",
                "description": "How loud.",
                "examples": {"quiet": {"value": 1}},
                "schema": {"type": "integer"},
            }
        }
    },
}


def application() -> Starlette:
    def openapi(request: Request) -> Response:
        return JSONResponse(DOCUMENT)

    def hello(request: Request) -> Response:
        return JSONResponse({"said": "hello"})

    def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return JSONResponse(error.as_json(), error.status)

    routes = [*docs.routes(), Route("/openapi.json", openapi), Route("/hello", hello)]
    return Starlette(routes=routes, exception_handlers={Problem: problem})


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(application()) as client:
        yield client


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(application(), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def operations(document: dict[str, Any]) -> list[str]:
    """Return the operations of a description as the page names them."""
    return sorted(f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item)


def visit(base_url: str) -> dict[str, Any]:
    """Return what a browser sees on the page of the service at `base_url`."""
    assert os.access(CHROMIUM, os.X_OK), f"no browser at {CHROMIUM}: run `make browser`, or set CHROMIUM"
    assert Path("node_modules/playwright-core").is_dir(), "no playwright-core: run `npm ci`"
    command = ["node", str(HERE / "visit.mjs"), base_url, CHROMIUM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_a_browser_shows_every_operation_and_asks_nobody_else(base_url):
    seen = visit(base_url)
    assert sorted(seen["operations"]) == operations(DOCUMENT)
    assert {urlsplit(url).netloc for url in seen["requests"]} == {urlsplit(base_url).netloc}
    assert (seen["failed"], seen["console"], seen["errors"], seen["violations"]) == ([], [], [], [])
    assert (seen["tried"], seen["requests"][-1]) == ("200", f"{base_url}/hello")
    assert seen["beyond"] <= 0
    assert seen["parameters"] == ["Example: warm, cool", "How loud. Example: 1"]


def test_the_page_loads_only_own_files_and_may_load_no_others(client):
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r"(?:src|href)=\"([^\"]+)\"", answer.text) == [
        *(f"docs/assets/{docs.assets()[file].name}" for file in ("favicon-32x32.png", "swagger-ui.css", "docs.css")),
        "openapi.json",
        *(f"docs/assets/{docs.assets()[file].name}" for file in ("swagger-ui-bundle.js", "docs.js")),
    ]
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert re.search(r"<script>|<style|style=|\son\w+=", answer.text) is None


@pytest.mark.parametrize("file", sorted(docs.assets()))
def test_an_asset_is_kept_for_ever_under_a_name_made_from_its_bytes(client, file):
    known = docs.assets()[file]
    address = f"/docs/assets/{known.name}"
    answer = client.get(address, headers={"Accept-Encoding": "identity"})
    assert answer.content == (Path(docs.__file__).parent / "static" / file).read_bytes()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == known.media_type
    assert "content-encoding" not in answer.headers
    head = client.head(address, headers={"Accept-Encoding": "identity"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(answer.content)))
    assert b"sourceMappingURL" not in answer.content


def test_text_is_packed_for_whoever_accepts_that(client):
    address = f"/docs/assets/{docs.assets()['docs.js'].name}"
    with client.stream("GET", address, headers={"Accept-Encoding": "br, gzip;q=0.5"}) as answer:
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
        assert gzip.decompress(b"".join(answer.iter_raw())) == docs.assets()["docs.js"].body
    assert "content-encoding" not in client.get(address, headers={"Accept-Encoding": "gzip;q=0"}).headers


@pytest.mark.parametrize("name", ["docs.js", "docs.0000000000000000.js", "LICENSE", "..%2fdocs.py", "%2e%2e"])
def test_any_other_name_is_not_found(client, name):
    assert client.get(f"/docs/assets/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/docs/assets/docs.js"])
def test_the_page_is_only_read(client, path):
    assert client.post(path).status_code == 405


def test_the_vendored_files_are_those_of_the_locked_package():
    done = subprocess.run(
        ["node", str(HERE / "vendor.mjs"), "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
