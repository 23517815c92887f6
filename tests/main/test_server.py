"""The server on the wire: what is no request, too large or too slow is answered as a problem, and cut off in time."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from app import server as server_module
from app.core.settings import Settings
from app.server import MOST_HEAD_BYTES, MOST_HEADERS, MOST_TARGET_BYTES
from tests.conftest import serving

HEAD_SECONDS = 1
LINE = b"GET /v1/periods?limit=1 HTTP/1.1\r\nHost: evidence.test\r\n"


@pytest.fixture(scope="module")
def server(public_record_in) -> Iterator[tuple[str, int]]:
    """Host and port of a server that is quick to lose patience, behind a proxy on this machine."""
    more = {
        "EVIDENCE_HEAD_SECONDS": str(HEAD_SECONDS),
        "EVIDENCE_BODY_BYTES": "2048",
        "EVIDENCE_PUBLIC_URL": "https://evidence.example",
        "EVIDENCE_RATE_PUBLIC": "5",
        "EVIDENCE_PROXIES": "127.0.0.1",
        "EVIDENCE_LOG_LEVEL": "info",
    }
    with serving(public_record_in("sqlite"), "guarded", **more) as address:
        parts = urlsplit(address)
        yield str(parts.hostname), int(parts.port or 0)


class Line:
    """One connection, spoken to in bytes."""

    def __init__(self, server) -> None:
        self.socket = socket.create_connection(server, timeout=10)
        self.began = time.monotonic()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, data: bytes) -> "Line":
        self.socket.sendall(data)
        return self

    def hear(self) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the next answer."""
        heard = b""
        while b"\r\n\r\n" not in heard:
            piece = self.socket.recv(65536)
            assert piece, heard
            heard += piece
        head, _, body = heard.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert len(headers) == len(lines), lines  # none came twice
        while len(body) < int(headers["content-length"]):
            body += self.socket.recv(65536)
        return int(first.split()[1]), headers, body

    def everything(self) -> tuple[dict[str, str], bytes]:
        """Return the headers of an answer, and all bytes that follow until the connection ends."""
        heard = b""
        while piece := self.socket.recv(65536):
            heard += piece
        head, _, rest = heard.partition(b"\r\n\r\n")
        fields = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        return {name.lower(): value for name, value in fields}, rest

    def is_cut_off(self) -> bool:
        """Wait for the end of the connection; tell whether nothing came before it."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def refused(line: Line, status: int, type: str) -> str:
    """Hold an answer to what a refusal is, and the connection to its end; return the detail."""
    found, headers, body = line.hear()
    problem = json.loads(body)
    assert (found, problem["status"], problem["type"]) == (status, status, f"/problems/{type}")
    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["connection"] == "close"
    assert "server" not in headers
    assert line.is_cut_off()
    detail: str = problem["detail"]
    return detail


def from_(host: str) -> bytes:
    return b"X-Forwarded-For: " + host.encode() + b"\r\n"


# --- what is no request ---


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET /v1 HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "GET /v1/é HTTP/1.1\r\n\r\n".encode(),
        # Two ways to tell the end of a body: a proxy and a server that disagree can be made to mix up two requests.
        b"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /v1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ],
    ids=range(8),
)
def test_what_is_no_request_is_refused(server, data):
    with Line(server) as line:
        assert refused(line.say(data), 400, "malformed") == "This cannot be read as a request of HTTP/1.1."


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nX-Other: b\r\nHost: b\r\n"])
def test_a_request_has_one_host(server, hosts):
    with Line(server) as line:
        detail = refused(line.say(b"GET /healthz HTTP/1.1\r\n" + hosts + b"\r\n"), 400, "malformed")
        assert detail == "A request of HTTP/1.1 has one header Host (RFC 9112, section 3.2)."
    with Line(server) as line:
        assert line.say(b"GET /healthz HTTP/1.0\r\n\r\n").hear()[0] == 200


def test_who_knows_no_chunks_is_sent_none(server):
    asked = b" /v1/periods?format=csv HTTP/1.%d\r\nHost: a\r\nConnection: close\r\n" + from_("192.0.2.77") + b"\r\n"
    with Line(server) as old, Line(server) as new, Line(server) as head:
        plain, chunked = (line.say(b"GET" + asked % n).everything() for n, line in enumerate((old, new)))
        bare = head.say(b"HEAD" + asked % 0).everything()
    assert "transfer-encoding" not in plain[0] and "content-length" not in plain[0] and "trailer" not in plain[0]
    assert chunked[0]["transfer-encoding"] == "chunked"
    assert plain[0]["connection"] == "close"
    size, _, rest = chunked[1].partition(b"\r\n")
    assert plain[1] == rest[: int(size, 16)] and plain[1].startswith(b"url,id,kind,label_en,")
    assert bare[1] == b"" and bare[0]["etag"] == plain[0]["etag"]


# --- too large ---


def test_an_address_has_a_limit(server):
    with Line(server) as line:
        line.say(b"GET /" + b"x" * MOST_TARGET_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        refused(line, 414, "too-long")
    with Line(server) as line:
        line.say(b"GET /" + b"x" * (MOST_TARGET_BYTES - 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert line.hear()[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(MOST_HEADERS)),
        b"X-Large: " + b"y" * MOST_HEAD_BYTES + b"\r\n",
        b"".join(b"X-%d: " % number + b"y" * 1000 + b"\r\n" for number in range(40)),
    ],
)
def test_headers_have_a_limit(server, headers):
    with Line(server) as line:
        detail = refused(line.say(LINE + headers + b"\r\n"), 431, "headers-too-large")
    assert detail == f"{MOST_HEADERS} headers and {MOST_HEAD_BYTES} bytes of them are the most that is read."


@pytest.mark.parametrize("begin", [LINE + b"X-Endless: ", b"GET /", b"GET / HTTP/1.1\r\nX", b"\r\n"])
def test_headers_that_do_not_end_are_cut_off_before_they_fill_the_memory(server, begin):
    with Line(server) as line:
        line.say(begin)
        sent = 0
        piece = b"\r\n" * 4096 if begin == b"\r\n" else b"y" * 8192
        try:
            while sent < 100 * MOST_HEAD_BYTES:
                line.say(piece)
                sent += len(piece)
                time.sleep(0.005)
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert sent < 20 * MOST_HEAD_BYTES


def test_many_small_headers_are_well_within_the_limit(server):
    with Line(server) as line:
        line.say(LINE + from_("192.0.2.50") + b"".join(b"X-%d: y\r\n" % number for number in range(90)) + b"\r\n")
        assert line.hear()[0] == 200


def test_a_body_has_a_limit_told_or_not(server):
    with Line(server) as line:
        line.say(b"POST /v1/periods HTTP/1.1\r\nHost: a\r\nContent-Length: 2049\r\n\r\n")
        status, headers, body = line.hear()
        assert (status, headers["connection"], json.loads(body)["type"]) == (413, "close", "/problems/too-large")
        assert line.is_cut_off()
    with Line(server) as line:
        line.say(LINE + from_("192.0.2.51") + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n" + b"x" * 1000)
        status, headers, _ = line.hear()
        assert (status, headers["connection"]) == (200, "close")  # nobody reads it, and nobody waits for it
        assert line.is_cut_off()


# --- too slow ---


@pytest.mark.parametrize("begin", [b"", b"GET /v1", LINE, LINE + b"X-Slow: "])
def test_headers_have_to_come_in_time_even_if_something_always_comes(server, begin):
    with Line(server) as line:
        line.say(begin)
        line.socket.settimeout(0.1)
        while line.seconds < 10:
            try:
                heard = line.socket.recv(65536)
            except TimeoutError:
                if begin:
                    line.say(b"x")
                continue
            break
        assert HEAD_SECONDS * 0.9 < line.seconds < HEAD_SECONDS + 2
        assert heard.startswith(b"HTTP/1.1 408 Request Timeout\r\n" if begin else b"")
        assert (b'"type":"/problems/too-slow"' in heard) is bool(begin)
        assert begin or heard == b""  # a connection that was only opened ends in silence


def test_a_second_request_of_a_connection_has_to_come_in_time_too(server):
    with Line(server) as line:
        assert line.say(LINE + from_("192.0.2.52") + b"\r\n").hear()[0] == 200
        time.sleep(HEAD_SECONDS * 1.5)  # between requests there is more time
        line.began = time.monotonic()
        refused(line.say(b"GET /"), 408, "too-slow")
        assert HEAD_SECONDS * 0.9 < line.seconds < HEAD_SECONDS + 2


def test_a_connection_serves_many_requests(server):
    with Line(server) as line:
        for number in range(4):
            status, headers, _ = line.say(LINE + from_("192.0.2.53") + b"\r\n").hear()
            assert status == 200
            assert headers["ratelimit"].startswith(f'"public";r={4 - number};t=')
            time.sleep(HEAD_SECONDS * 0.4)


# --- who is counted ---


def test_readers_behind_a_listed_proxy_are_told_apart_and_cannot_pretend(server):
    def status(forwarded: str) -> int:
        with Line(server) as line:
            return line.say(LINE + from_(forwarded) + b"\r\n").hear()[0]

    assert [status("192.0.2.60") for _ in range(6)] == [200] * 5 + [429]
    assert status("192.0.2.61") == 200
    # What a reader adds itself stands before what the proxy adds, and is not believed.
    assert status("192.0.2.99, 192.0.2.60") == 429
    assert status("2001:db8:0:1::1") == 200
    assert [status(f"2001:db8:0:2::{number}") for number in range(1, 7)] == [200] * 5 + [429]


def test_behind_no_listed_proxy_what_is_forwarded_is_not_believed(public_record_in):
    public_record = public_record_in("sqlite")
    with serving(public_record, "plain", EVIDENCE_RATE_PUBLIC="3", EVIDENCE_LOG_LEVEL="warning") as address:
        parts = urlsplit(address)
        there, statuses = (str(parts.hostname), int(parts.port or 0)), []
        for number in range(5):
            with Line(there) as line:
                line.say(LINE + from_(f"192.0.2.{number}") + b"X-Forwarded-Proto: https\r\n\r\n")
                status, headers, body = line.hear()
                statuses.append(status)
                assert b"https://evidence.test" not in body
                assert "strict-transport-security" not in headers
    assert statuses == [200] * 3 + [429] * 2
    log = (public_record.home / "plain.log").read_text()
    assert log.count("set EVIDENCE_PROXIES") == 1
    assert "192.0.2" not in log


def test_neither_the_log_nor_an_answer_holds_the_address_of_a_reader(server, public_record_in):
    with Line(server) as line:
        line.say(LINE + from_("192.0.2.77") + b"\r\n")
        _, headers, body = line.hear()
    assert "192.0.2" not in str(headers) and b"192.0.2" not in body
    log = (public_record_in("sqlite").home / "guarded.log").read_text()
    assert '"event":"request"' in log
    assert "192.0.2" not in log and "127.0.0.1:" not in log.partition("documentation:")[2].partition("\n")[2]


# --- in the same process ---


async def endless(scope, receive, send):
    """Answer without end, until nobody is there any more."""
    gone = asyncio.ensure_future(until_gone(receive))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not gone.done():
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await asyncio.sleep(0)
    ENDED.release()


async def until_gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


ENDED = threading.Semaphore(0)


def test_who_does_not_read_the_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr(server_module, "STALL_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(endless, http=server_module.Connection, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with Line(listener.getsockname()) as reading, Line(listener.getsockname()) as line:
            reading.say(LINE + b"\r\n")
            line.say(LINE + b"\r\n")
            while line.seconds < 1.5:  # whoever reads is answered on and on
                assert reading.socket.recv(65536)
            assert ENDED.acquire(timeout=10)  # of the one that does not
            assert reading.socket.recv(65536)
            reading.socket.close()
            assert ENDED.acquire(timeout=10)
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_a_reader_who_is_slow_does_not_keep_the_server_from_ending(monkeypatch):
    """As `run` has it, with less patience."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda *_, **how: told.update(how))
    server_module.run(Settings())
    assert told["timeout_graceful_shutdown"] == server_module.GRACE_SECONDS < server_module.STALL_SECONDS
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(endless, http=told["http"], log_level="critical", lifespan="off")
        config.timeout_graceful_shutdown = 1
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with Line(listener.getsockname()) as reading:
            reading.say(LINE + b"\r\n")
            assert reading.socket.recv(65536)
            server.should_exit = True
            while thread.is_alive() and reading.seconds < 8:
                reading.socket.recv(65536)
            assert not thread.is_alive()


@pytest.mark.parametrize("name", ["PORT", "METRICS_PORT"])
def test_a_port_that_is_taken_is_told_before_anything_is_made(name, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"EVIDENCE_PORT": "0", "EVIDENCE_METRICS_PORT": "0", f"EVIDENCE_{name}": str(port)}
        env = {**os.environ, **ports, "EVIDENCE_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, "-m", "app", "serve"], env=env, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    prefix = name.removesuffix("PORT")
    mend = f"set EVIDENCE_{prefix}PORT or EVIDENCE_{prefix}HOST to another"
    assert done.stderr == f"evidence: cannot listen on 127.0.0.1, port {port} (Address already in use): {mend}\n"
    assert not (tmp_path / "home").exists()
