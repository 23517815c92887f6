"""Security: what no other contract holds of the OWASP API Security Top 10 (2023); see docs/threat-model.md."""

import ast
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import app
from app.core.problems import TYPES
from app.core.settings import Settings
from app.records import KINDS
from tests.contract.asking import BASE, REQUEST_ID, Heard, Service

ROOT = Path(app.__file__).parents[1]
INCIDENT = "inc-5b677bmxvskpqkehc3ddskh6yr"
SECRET = "ev_live_0123456789abcdef"
EVIL = "https://evil.example"
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
    "access-control-allow-origin": "*",
}
EVERYTHING = [f"/v1/{kind.path}" for kind in KINDS] + [
    "/v1",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/problems",
    "/problems/not-found",
    f"/v1/incidents/{INCIDENT}",
    f"/v1/incidents/{INCIDENT}/history",
    f"/v1/incidents/{INCIDENT}/testimonies",
    "/v1/incidents/queryables",
    "/v1/incidents?format=csv",
    "/v1/incidents?format=ndjson&limit=1",
    "/v1/incidents?format=geojson&limit=1",
    "/v1/incidents?facets=violation,year&limit=1",
    "/v1/statistics/counts",
    "/v1/statistics/counts?group_by=violation&format=csv",
    "/v1/search?q=camp&highlights=true",
    "/v1/search?q=camp&format=ndjson&limit=1",
    "/v1/changes",
    "/v1/changes?format=ndjson&limit=1",
    "/v1/changes/stream",
]
WRONG = [
    ("/v1/incidents?peroid=1", "GET", 422),
    ("/v1/incidents?ids=" + "x" * 9000, "GET", 414),
    ("/v1/incidents/nobody", "GET", 404),
    ("/nowhere", "GET", 404),
    ("/v1/incidents", "DELETE", 405),
    ("/docs", "POST", 405),
    ("/docs/assets/none.js", "GET", 404),
]


@pytest.fixture(scope="module")
def record(public_record_in) -> Settings:
    settings: Settings = public_record_in("sqlite")
    return settings


@pytest.fixture(scope="module")
def service(record) -> Iterator[Service]:
    service = Service(record)
    yield service
    service.close()


@contextmanager
def served(settings: Settings, **changes: Any) -> Iterator[Service]:
    """Serve the same record by other settings."""
    service = Service(replace(settings, **changes))
    yield service
    service.close()


def without_id(heard: Heard) -> bytes:
    return heard.everything.replace(heard["x-request-id"].encode(), b"")


# --- API2: broken authentication ---


@pytest.mark.parametrize("given", [f"?access_token={SECRET}", f"?api_key={SECRET}", f"?token={SECRET}"])
def test_credentials_in_an_address_are_refused_and_never_logged(service, given):
    """What stands in an address ends in the logs of proxies and the histories of browsers."""
    heard = service.ask(f"/v1/incidents{given}")
    assert heard.status == 422
    assert SECRET.encode() not in heard.everything
    assert SECRET.encode() not in service.log


@pytest.mark.parametrize("header", ["cookie", "x_api_key", "proxy_authorization", "x_forwarded_user"])
def test_no_other_header_is_taken_for_credentials(service, header):
    plain = service.ask("/v1/incidents?limit=1")
    heard = service.ask("/v1/incidents?limit=1", **{header: SECRET})
    assert without_id(heard) == without_id(plain)
    assert "set-cookie" not in dict(heard.headers)
    assert SECRET.encode() not in service.log


def test_whoever_guesses_credentials_is_counted_and_held_back(record):
    from starlette.testclient import TestClient

    from app.main import create_app

    with TestClient(create_app(replace(record, rate_public=5))) as client:
        guesses = [
            client.get("/v1/incidents", headers={"Authorization": f"Bearer {number}"}).status_code
            for number in range(8)
        ]
    assert guesses == [401] * 5 + [429] * 3


# --- API4: unrestricted resource consumption ---


def test_whatever_is_asked_counts_one_whether_it_is_there_or_not(record):
    """What is left must not tell a hidden record from one that never was, nor a long answer from a short one."""
    with served(record, rate_public=1000) as service:
        asked = [
            "/v1/incidents?limit=1000",
            "/v1/incidents/nobody",
            f"/v1/incidents/{INCIDENT}",
            "/v1/incidents?x=1",
            "/",
        ]
        left = [service.ask(address)["ratelimit"].partition(";t=")[0] for address in asked]
        assert left == [f'"public";r={number}' for number in range(999, 994, -1)]
        assert {service.ask(address)["ratelimit-policy"] for address in asked} == {'"public";q=1000;w=60'}


def test_one_request_too_many_is_a_problem_of_its_own(record):
    with served(record, rate_public=1) as service:
        service.ask("/v1/incidents")
        heard = service.ask("/v1/incidents", origin=EVIL)
        assert (heard.status, heard["content-type"], heard.json["type"]) == (
            429,
            "application/problem+json",
            "/problems/too-many-requests",
        )
        assert heard["cache-control"] == "no-store"
        assert 1 <= int(heard["retry-after"]) <= 60
        assert heard["ratelimit"] == f'"public";r=0;t={heard["retry-after"]}'
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(
            heard["access-control-expose-headers"].split(", ")
        )
        assert service.ask("/healthz").status == service.ask("/readyz").status == 200


def test_the_number_of_records_of_a_page_is_bounded(service):
    assert service.ask("/v1/sources?limit=1000").status == 200
    assert service.ask("/v1/sources?limit=1001").status == 422


# --- API5: broken function level authorization ---


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/admin",
        "/v1/admin",
        "/debug",
        "/v1/load",
        "/redoc",
        "/docs/oauth2-redirect",
    ],
)
def test_nothing_of_the_operator_is_reached_through_the_service(service, path):
    for method in ("GET", "POST"):
        assert service.ask(path, method=method).status == 404


# --- API6: unrestricted access to sensitive business flows ---


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_changes_a_record_a_consent_or_a_view_without_a_credential(service, method):
    written = {f"/v1/{kind.path}" for kind in KINDS} if method == "POST" else {f"/v1/incidents/{INCIDENT}"}
    for path in {one.partition("?")[0] for one in EVERYTHING}:
        assert service.ask(path, method=method).status == (401 if path in written else 405), path


# --- API7 and API10: requests of our own, and trust in what others send ---


def test_nothing_asks_another_server_but_the_named_issuer_and_the_guarded_webhooks():
    """Few files import an HTTP client: an address in a record is text. Databases and rate store are the operator's."""
    clients = {
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "requests",
        "aiohttp",
        "urllib3",
        "http.client",
        "urllib.request",
        "ftplib",
        "smtplib",
    }
    found = set()
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {(path.name, one.name) for one in node.names if one.name in clients}
            elif isinstance(node, ast.ImportFrom) and node.module:
                named = {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
                found |= {(path.name, name) for name in named & clients}
    webhooks = {("addresses.py", "httpcore2"), ("posting.py", "httpcore2")}
    # Of `http.client` it has the name of what may be raised.
    assert found == {("issuer.py", "urllib.request"), ("issuer.py", "http.client")} | webhooks


def test_no_address_that_somebody_gives_is_asked(service, monkeypatch):
    met: list[object] = []

    def connect(_: socket.socket, address: object) -> None:
        met.append(address)
        raise AssertionError(f"something was asked: {address}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    for address in ("http://127.0.0.1:1/", "http://169.254.169.254/latest/", "file:///etc/passwd", "//evil.example/"):
        for given in ({"referer": address}, {"x_callback_url": address}, {"origin": address}, {}):
            service.ask(f"/v1/sources?q={address}", **given)
            service.ask(f"/v1/sources?source={address}", **given)
    assert met == []


# --- API8: security misconfiguration ---


@pytest.mark.parametrize("address", EVERYTHING)
def test_every_answer_carries_the_headers_of_safety_once(service, address):
    for method, known in (("GET", {}), ("HEAD", {}), ("OPTIONS", {"origin": EVIL}), ("GET", {"if_none_match": "*"})):
        held_safe(service.ask(address, method=method, **known))


@pytest.mark.parametrize(("address", "method", "status"), WRONG)
def test_every_error_carries_them_too(service, address, method, status):
    heard = service.ask(address, method=method)
    assert heard.status == status
    held_safe(heard)


def held_safe(heard: Heard) -> None:
    names = Counter(name for name, _ in heard.headers)
    assert set(names.values()) == {1}
    assert {name: value for name, value in heard.headers if name in SAFE} == SAFE
    assert not {"server", "x-powered-by", "set-cookie", "access-control-allow-credentials"} & set(names)
    assert heard["x-request-id"] == REQUEST_ID


def test_a_failure_carries_them_and_says_nothing(record, monkeypatch):
    from app.catalogue import landing

    with served(record, public_url="https://evidence.example") as service:

        def fail(_: object) -> None:
            raise RuntimeError(SECRET)

        monkeypatch.setattr(landing, "landing", fail)
        heard = service.ask("/v1")
        assert (heard.status, heard.json["type"]) == (500, "/problems/internal-error")
        held_safe(heard)
        assert heard["strict-transport-security"] == "max-age=31536000"
        assert SECRET.encode() not in heard.everything + service.log


@pytest.mark.parametrize("path", ["/docs", "/docs/assets/"])
def test_the_page_of_the_documentation_opens_nothing(service, path):
    from app.explorer import docs

    heard = service.ask(path if path == "/docs" else path + docs.assets()["docs.js"].name, origin=EVIL)
    assert heard.status == 200
    assert heard["x-content-type-options"] == "nosniff"
    assert heard["referrer-policy"] == "no-referrer"
    assert heard["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in heard["content-security-policy"]
    assert not [name for name, _ in heard.headers if name.startswith("access-control-")]
    assert set(Counter(name for name, _ in heard.headers).values()) == {1}


def test_what_another_view_is_shown_is_closed_to_other_origins(record):
    for origins, allowed in ((("*",), None), ((), None), ((EVIL,), EVIL)):
        with served(record, cors_origins=origins) as service:
            heard = service.ask("/v1/incidents?limit=1", view=1, origin=EVIL)
            assert heard.status == 200
            assert heard["cache-control"] == "private, no-store"
            assert heard["cross-origin-resource-policy"] == "same-origin"
            assert dict(heard.headers).get("access-control-allow-origin") == allowed


def test_a_browser_is_told_which_methods_and_headers_there_are(service):
    heard = service.ask("/v1/incidents", method="OPTIONS", origin=EVIL, access_control_request_method="GET")
    assert "If-Match" in heard["access-control-allow-headers"]
    assert heard.status == 204
    assert heard["access-control-allow-origin"] == "*"
    assert heard["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"
    assert "If-None-Match" in heard["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in dict(heard.headers)


@pytest.mark.parametrize(
    "given",
    [
        {"x_forwarded_host": "evil.example"},
        {"forwarded": "host=evil.example;proto=https"},
        {"x_forwarded_proto": "https"},
        {"x_forwarded_prefix": "/evil"},
        {"x_original_url": "/v1/sources"},
        {"x_rewrite_url": "/v1/sources"},
        {"x_http_method_override": "DELETE"},
        {"accept_language": "ko"},
        {"user_agent": EVIL},
        {"referer": EVIL},
        {"origin": EVIL},
        {"range": "bytes=0-1"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_a_cache_cannot_be_poisoned_by_a_header_that_it_does_not_look_at(service, given):
    """An answer depends on Host, Accept, Accept-Encoding and Authorization alone: a cache keys by these (`Vary`)."""
    for address in ("/v1", "/v1/incidents?limit=1", f"/v1/incidents/{INCIDENT}", "/v1/nothing"):
        plain = service.ask(address)
        assert service.ask(address, **given) == plain
    assert service.ask("/v1/incidents")["vary"] == "Accept, Accept-Encoding, Authorization"


def test_the_service_listens_to_this_machine_alone_unless_told_otherwise():
    settings = Settings.from_env({})
    assert (settings.host, settings.metrics_host) == ("127.0.0.1", "127.0.0.1")
    assert settings.rate_public > 0
    assert settings.proxies == ()


def test_no_error_names_what_it_is_made_of(service):
    words = (b"Traceback", b"sqlite", b"sqlalchemy", b"starlette", b"fastapi", b"uvicorn", b"python", b".py")
    for address, method, _ in WRONG:
        body = service.ask(address, method=method).body.lower()
        assert not [word for word in words if word.lower() in body], address
    for slug in TYPES:
        assert service.ask(f"/problems/{slug}").status == 200


def test_an_address_in_an_answer_is_that_of_the_service(service):
    heard = service.ask("/v1/incidents?limit=1")
    assert heard.json["next"].startswith(f"{BASE}/v1/incidents?")
    assert EVIL.encode() not in service.ask("/v1/incidents?limit=1", x_forwarded_host="evil.example").everything
