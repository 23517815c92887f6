"""HTTP: entity tags, methods, who asks, caches, hosts, what is logged, and how failures are answered."""

import asyncio
import base64
import hashlib
import socket
import time
from pathlib import Path

import orjson
import pytest
from starlette.testclient import TestClient

from app.core import observe
from app.core.db import Database
from app.main import create_app
from tests.catalogue.conftest import client, partner, seed, seeded, settings_of
from tests.catalogue.seed import incident, set_view

__all__ = ["client", "partner", "seeded"]
ADDRESSES = [
    "/v1",
    "/v1/incidents?violation=torture",
    "/v1/incidents?format=csv",
    "/v1/incidents/queryables",
    f"/v1/incidents/{incident('a')}",
    f"/v1/incidents/{incident('a')}?format=geojson",
    f"/v1/incidents/{incident('a')}/history",
    "/v1/places/prov-a/incidents",
    "/openapi.json",
    "/problems",
    "/problems/not-found",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_etag_saves_the_body(client, address):
    first = client.get(address)
    assert first.status_code == 200
    etag = first.headers["etag"]
    assert etag.startswith('"')
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = client.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in again.headers
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_etag_stands_for_the_question_the_format_and_the_address(client):
    tags = {
        client.get(address, headers=headers).headers["etag"]
        for address, headers in (
            ("/v1/incidents", {}),
            ("/v1/incidents?limit=3", {}),
            ("/v1/incidents?limit=3&format=csv", {}),
            ("/v1/incidents?violation=torture", {}),
            ("/v1/violations/torture/incidents", {}),
            ("/v1/violations/detention/incidents", {}),
            ("/v1/incidents", {"Host": "elsewhere.example"}),
        )
    }
    assert len(tags) == 7


@pytest.mark.parametrize("address", ADDRESSES)
def test_head_is_get_without_its_body(client, address):
    get, head = client.get(address), client.head(address)
    assert head.content == b""
    assert {**get.headers, "x-request-id": ""} == {**head.headers, "x-request-id": ""}
    assert ("content-length" in head.headers) == ("format=csv" not in address)


@pytest.mark.parametrize("address", ["/v1", "/v1/incidents", f"/v1/incidents/{incident('a')}", "/healthz"])
def test_options_and_other_methods(client, address):
    answer = client.options(address, headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"})
    assert answer.status_code == 204
    written = {"/v1/incidents": "POST, "}.get(address, "PUT, PATCH, DELETE, " if "inc-" in address else "")
    assert answer.headers["allow"] == answer.headers["access-control-allow-methods"] == f"GET, HEAD, {written}OPTIONS"
    assert answer.headers["access-control-allow-origin"] == "*"
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
        answer = client.request(method, address)
        if method in written.split(", "):
            assert answer.status_code == 401
            continue
        assert answer.status_code == 405
        assert answer.headers["allow"] == f"GET, HEAD, {written}OPTIONS"
        assert answer.json()["type"] == "/problems/method-not-allowed"


def test_everybody_may_read_it_from_anywhere_and_a_cache_may_keep_it_a_minute(client):
    headers = client.get("/v1/incidents").headers
    assert headers["cache-control"] == "public, max-age=0, s-maxage=60, must-revalidate"
    assert headers["vary"] == "Accept, Accept-Encoding, Authorization"
    assert headers["access-control-allow-origin"] == "*"
    assert "ETag" in headers["access-control-expose-headers"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_no_cache_keeps_what_another_view_is_shown(partner):
    headers = partner.get("/v1/incidents").headers
    assert headers["cache-control"] == "private, no-store"
    assert "access-control-allow-origin" not in headers


def test_credentials_are_never_ignored(client):
    answer = client.get("/v1/incidents", headers={"Authorization": "Bearer abc"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="evidence", error="invalid_token"'
    assert answer.json()["type"] == "/problems/unauthenticated"


def test_a_view_that_is_not_complete_does_not_answer(partner):
    for address in ("/v1/incidents", f"/v1/incidents/{incident('a')}", "/v1/incidents?format=ndjson"):
        answer = partner.get(address, headers={"X-View": "2"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "10"
        assert answer.headers["content-type"] == "application/problem+json"
    assert partner.get("/v1/incidents", headers={"X-View": "7"}).status_code == 503


@pytest.mark.parametrize(
    "path", ["/", "/v1/", "/v1/incident", "/v2/incidents", f"/v1/incidents/{incident('a')}/nothing", "/openapi.yaml"]
)
def test_unknown_addresses(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("host", ["evil.example/path", "a b", "x@y", "<script>", "", "a_" + "0" * 39])
def test_a_host_that_is_none_is_refused(client, host):
    answer = client.get("/v1/incidents", headers={"Host": host})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"in": "header", "name": "Host", "detail": "This is no host name with an optional port."}
    ]


@pytest.mark.parametrize("host", ["evidence_api:8000", "evidence.example.", "[::1]:8000", "a_" + "0" * 38])
def test_a_host_is_what_addresses_begin_with(client, host):
    answer = client.get("/v1/incidents?limit=1", headers={"Host": host})
    assert answer.json()["next"].startswith(f"http://{host}/v1/incidents?limit=1&cursor=")


def test_a_list_in_several_lines_is_one_list(client):
    address = "/v1/incidents?limit=1"
    tag = client.get(address).headers["etag"]
    for tags in ([tag, '"x"'], ['"x"', tag], ['"x"', '"y"', f"W/{tag}"]):
        assert client.get(address, headers=[("If-None-Match", one) for one in tags]).status_code == 304
    for types in (["text/csv", "application/xml"], ["application/xml", "text/csv"]):
        answer = client.get(address, headers=[("Accept", one) for one in types])
        assert answer.headers["content-type"].startswith("text/csv")


def test_the_public_address_goes_before_the_host(seeded, tmp_path):
    settings = settings_of(seeded, tmp_path)
    object.__setattr__(settings, "public_url", "https://evidence.example")
    with TestClient(create_app(settings)) as client:
        page = client.get("/v1/incidents?limit=1", headers={"Host": "inside:8000"})
    assert page.json()["next"].startswith("https://evidence.example/v1/incidents?limit=1&cursor=")


def test_landing_links_to_what_is_there(client):
    start = client.get("/v1").json()
    for kind in start["kinds"]:
        assert client.get(kind["list"]).status_code == 200
        assert client.get(kind["queryables"]).status_code == 200
    for link in [*start["links"], *start["examples"]]:
        asked = {"q": "camp"} if link.get("rel") == "search" else None
        assert client.get(link["href"], params=asked).status_code == 200, link


def test_readiness(client, new_database, engine, tmp_path):
    assert client.get("/readyz").json() == client.get("/healthz").json() == {"status": "ok"}
    with TestClient(create_app(settings_of(new_database(engine), tmp_path))) as bare:
        assert bare.get("/healthz").status_code == 200
        answer = bare.get("/readyz")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")


def test_what_has_expired_is_taken_away_before_the_answer(engine, new_database, tmp_path):
    url = new_database(engine)
    seed(url)
    database = Database(url)
    set_view(database, next_expiry=int(time.time() * 1000) - 1)
    with TestClient(create_app(settings_of(url, tmp_path))) as client:
        assert client.get("/v1/incidents").status_code == 503
        assert client.get(f"/v1/incidents/{incident('a')}").status_code == 503
    taken = []

    async def expire(view: int) -> None:
        taken.append(view)
        set_view(database, next_expiry=int(time.time() * 1000) + 30_500)

    with TestClient(create_app(settings_of(url, tmp_path), expire=expire)) as client:
        answer = client.get("/v1/incidents")
    asyncio.run(database.close())
    assert taken == [0]
    assert answer.status_code == 200
    assert answer.headers["cache-control"] in (
        "public, max-age=0, s-maxage=28, must-revalidate",
        "public, max-age=0, s-maxage=29, must-revalidate",
    )


def logged(capsysbinary):
    """Return the lines of the log."""
    return [orjson.loads(line) for line in capsysbinary.readouterr().err.splitlines()]


def test_the_log_says_nothing_of_who_asked_for_what(seeded, tmp_path, capsysbinary):
    settings = settings_of(seeded, tmp_path)
    object.__setattr__(settings, "log_level", "info")
    with TestClient(create_app(settings)) as client:
        client.get(
            f"/v1/places/camp-1/incidents?violation=torture&ids={incident('a')}",
            headers={"X-Request-ID": "abcdefgh-12", "User-Agent": "secret-agent", "X-Forwarded-For": "203.0.113.7"},
        )
    (line,) = logged(capsysbinary)
    assert line.pop("ms") > 0
    assert line.pop("bytes") > 100
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "route": "/v1/places/{id}/incidents",
        "method": "GET",
        "status": 200,
        "request_id": "abcdefgh-12",
        "event": "request",
        "level": "info",
    }


def test_request_ids_are_echoed_only_if_harmless(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abc.DEF_12-3"}).headers["x-request-id"] == "abc.DEF_12-3"
    for bad in ("short", "x" * 65, 'a"b"c"d"e"f', "line; break here"):
        made = client.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert made != bad
        assert len(made) == 16


def test_a_failure_says_nothing_and_is_logged_with_the_request_id(seeded, tmp_path, capsysbinary):
    def broken(_):
        raise RuntimeError("secret detail")

    with TestClient(create_app(settings_of(seeded, tmp_path), identify=broken)) as client:
        answer = client.get("/v1/incidents", headers={"X-Request-ID": "abcdefgh-12"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/internal-error"
    assert b"secret detail" not in answer.content
    (line,) = logged(capsysbinary)
    assert line["event"] == "failed"
    assert line["request_id"] == "abcdefgh-12"
    assert line["error"] == "RuntimeError"
    assert line["frames"][-1].endswith(" in broken")
    assert "secret detail" not in str(line)


def test_metrics_are_counted_by_route(tmp_path: Path):
    metrics = observe.Metrics()
    metrics.count("/v1/incidents", "GET", 200, 0.001, 36000)
    metrics.count("/v1/incidents", "GET", 200, 0.002, 1000)
    value = metrics.registry.get_sample_value
    labels = {"route": "/v1/incidents", "method": "GET", "status": "200"}
    assert value("evidence_requests_total", labels) == 2
    assert value("evidence_response_bytes_total", labels) == 37000
    assert value("evidence_request_seconds_count", {"route": "/v1/incidents"}) == 2


@pytest.mark.parametrize("format", ["ndjson", "csv", "xlsx", "parquet"])
def test_a_stream_ends_with_the_digest_of_its_bytes(live_server, format):
    """Read as it comes: the standard library's client throws trailer fields away."""
    host, _, port = live_server.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        for closing in (b"", b"Connection: close\r\n"):
            connection.sendall(
                b"GET /v1/incidents?format=%b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (format.encode(), closing)
            )
        raw = b"".join(iter(lambda: connection.recv(65536), b""))
    for _ in range(2):
        head, _, raw = raw.partition(b"\r\n\r\n")
        assert b"\r\ntrailer: repr-digest\r\n" in head
        body = b""
        while size := int(raw[: raw.index(b"\r\n")], 16):
            _, _, raw = raw.partition(b"\r\n")
            body, raw = body + raw[:size], raw[size + 2 :]
        field, _, raw = raw.removeprefix(b"0\r\n").partition(b"\r\n\r\n")
        digest = base64.b64encode(hashlib.sha256(body).digest())
        assert field == b"repr-digest: sha-256=:" + digest + b":"
    assert raw == b""
