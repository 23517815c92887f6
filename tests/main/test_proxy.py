"""nginx, as it is in `deploy/`, before a real server: it keeps what is public, and nothing longer than it may."""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.cluster import PROGRAMS, end, free_port, wait_for
from tests.conftest import serving

CONFIG = Path(__file__).parents[2] / "deploy" / "nginx.conf"


def nginx(upstream: str) -> Generator[str, None, None]:
    """Run nginx with the file of the deployment; only its addresses and folders are others."""
    folder = Path(tempfile.mkdtemp(prefix="evidence-nginx-"))
    folder.chmod(0o755)
    port = free_port()
    text = CONFIG.read_text()
    for old, new in (
        ("server app:8000;", f"server {upstream};"),
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("/var/cache/nginx/evidence", f"{folder}/cache"),
        ("/var/log/nginx", str(folder)),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; pid {folder}/pid; error_log {folder}/start.log; events {{}} http {{ {temporary}\n{text}\n}}\n"
    (folder / "nginx.conf").write_text(whole)
    command = [str(shutil.which("nginx", path=PROGRAMS)), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with (folder / "out.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(port, running)
        yield f"http://127.0.0.1:{port}"
    finally:
        end(running)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def service(public_record_in) -> Iterator[str]:
    """A real server that believes the proxy, and lets a reader ask little."""
    more = {"EVIDENCE_PROXIES": "127.0.0.1", "EVIDENCE_RATE_PUBLIC": "40"}
    with serving(public_record_in("sqlite"), "proxied", **more) as address:
        yield address


@pytest.fixture(scope="module")
def proxy(service) -> Iterator[str]:
    yield from nginx(urlsplit(service).netloc)


def told(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that do not belong to one answer alone."""
    own = {"date", "server", "connection", "x-cache", "x-request-id", "ratelimit", "ratelimit-policy"}
    return {name: value for name, value in answer.headers.items() if name not in own | {"transfer-encoding"}}


def test_what_is_public_is_kept_with_its_headers(proxy, service):
    address = "/v1/incidents?period=post-2011-12&limit=3"
    answers = [httpx.get(proxy + address) for _ in range(3)]
    assert [one.headers["x-cache"] for one in answers] == ["MISS", "HIT", "HIT"]
    host = {"Host": urlsplit(proxy).netloc}
    direct = httpx.get(service + address, headers=host)
    for one in answers:
        assert (one.content, told(one)) == (direct.content, told(direct))
        assert not {"ratelimit", "x-request-id"} & {*one.headers}
    tag = answers[0].headers["etag"]
    unchanged = httpx.get(proxy + address, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.headers["x-cache"], unchanged.content) == (304, "HIT", b"")
    head = httpx.head(proxy + address)
    assert (head.status_code, head.headers["x-cache"], head.headers["etag"]) == (200, "HIT", tag)


def test_each_format_is_kept_for_itself(proxy):
    address = f"{proxy}/v1/incidents?limit=2"
    for accept in ("application/json", "text/csv", "application/geo+json"):
        first, second = (httpx.get(address, headers={"Accept": accept}) for _ in range(2))
        assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
        assert first.content == second.content
        assert second.headers["content-type"].startswith(accept)


@pytest.mark.parametrize("authorization", ["Bearer nobody", "Basic eDp5", "x"])
def test_nothing_is_kept_of_an_answer_to_a_credential_nor_given_for_one(proxy, authorization):
    address = f"{proxy}/v1/places?limit=4&sort=-id"
    assert httpx.get(address).headers["x-cache"] in ("MISS", "HIT")
    for _ in range(2):
        answer = httpx.get(address, headers={"Authorization": authorization})
        assert (answer.status_code, answer.headers["x-cache"]) == (401, "BYPASS")
        assert "no-store" in answer.headers["cache-control"]
    assert httpx.get(address).headers["x-cache"] == "HIT"


def test_errors_writes_files_and_waiting_pass_by(proxy):
    for method, address, status in (
        ("GET", "/v1/incidents/inc-none", 404),
        ("GET", "/v1/incidents?colour=red", 422),
        ("POST", "/v1/incidents", 401),
        ("GET", "/v1/periods?format=ndjson", 200),
        ("GET", "/v1/changes?wait=1&after=x", 422),
        ("GET", "/readyz", 200),
    ):
        states = [httpx.request(method, proxy + address) for _ in range(2)]
        assert [one.status_code for one in states] == [status] * 2, address
        assert not {"HIT", "STALE", "UPDATING"} & {one.headers["x-cache"] for one in states}


@pytest.mark.parametrize(
    "accept", ["text/csv", "application/x-ndjson", "application/jsonl", "application/vnd.apache.parquet"]
)
def test_files_of_everything_are_never_kept_however_they_are_asked_for(proxy, accept):
    """A proxy that keeps them has them on a disk, or in memory."""
    everything, page = f"{proxy}/v1/actors?sort=-id", f"{proxy}/v1/actors?limit=2&sort=-id"
    for address, state in ((everything, "BYPASS"), (page, "MISS")):
        answer = httpx.get(address, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(("text/", "application/"))
        assert answer.headers["x-cache"] == state


def test_readers_are_counted_by_their_own_address_whatever_they_claim(proxy):
    """A kept answer is not counted; what reaches the service is, for whoever asked."""

    def ask(source: str, many: int) -> list[int]:
        addresses = [f"{proxy}/v1/incidents?colour={source}-{number}" for number in range(many)]
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as client:
            return [client.get(one, headers={"X-Forwarded-For": f"10.0.0.{len(one)}"}).status_code for one in addresses]

    assert ask("127.0.0.7", 45) == [422] * 40 + [429] * 5
    assert ask("127.0.0.8", 1) == [422]


WHOLE = 2.1  # seconds after which `s-maxage=1` is over: nginx counts in whole ones


class Slow(BaseHTTPRequestHandler):
    """A service that answers slowly, with a short life of its answers, and counts who asked."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        body = str(type(self).asked).encode()
        time.sleep(0.2)
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=0, s-maxage=1, must-revalidate")
        self.send_header("Vary", "Accept, Authorization")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_many_who_ask_at_once_are_one_and_nothing_outlives_its_time():
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running = nginx(f"127.0.0.1:{server.server_port}")
        address = f"{next(running)}/v1/incidents"
        with ThreadPoolExecutor(20) as pool:
            answers = [*pool.map(lambda _: httpx.get(address), range(20))]
        assert {one.text for one in answers} == {"1"}
        time.sleep(WHOLE)
        again = httpx.get(address)
        assert (again.text, again.headers["x-cache"]) == ("2", "EXPIRED")
        server.shutdown()
    time.sleep(WHOLE)
    gone = httpx.get(address)  # rather nothing than what may not be shown any more
    assert (gone.status_code, gone.headers["x-cache"]) == (502, "EXPIRED")
    running.close()
