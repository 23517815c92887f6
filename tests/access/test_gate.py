"""The gate: bodies that are too large or too slow, whoever reads them; what is counted; how it is answered."""

import asyncio

import pytest

from app.access.gate import Gate, Rules
from app.access.limits import Rates
from app.core.dressing import MORE


async def refuse(problem, scope, receive, send):
    headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": problem.type.encode()})


async def echo(scope, receive, send):
    """Answer with the size of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await say(send, 200, str(size))


async def say(send, status, text):
    await send({"type": "http.response.start", "status": status, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": text.encode()})


async def stubborn(scope, receive, send):
    """Answer 400 to whatever goes wrong, as a framework may."""
    try:
        await echo(scope, receive, send)
    except Exception:
        await say(send, 400, "something else")


async def silent(scope, receive, send):
    """Read nothing."""
    await say(send, 200, "unread")


def through(app, *, method="POST", path="/x", body=(), pause=0.0, rates=None, hint=None, credential=None, **headers):
    """Return status, headers and body of the answer to one request."""
    sent = []
    left = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    if left:
        left[-1]["more_body"] = False

    async def receive():
        await asyncio.sleep(pause)
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    more = {} if credential is None else {"credential": credential}
    rules = Rules(rates or Rates(0, 0), 10, 0.2, refuse, hint, **more)
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": pairs, "client": ("203.0.113.7", 1)}
    asyncio.run(Gate(app, rules)(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    found = {name.decode(): value.decode() for name, value in [*sent[0]["headers"], *scope.get(MORE, ())]}
    return sent[0]["status"], found, sent[1]["body"].decode()


# --- bodies ---


def test_a_small_body_is_read():
    assert through(echo, body=[b"12345"], content_length="5")[::2] == (200, "5")
    assert through(echo, body=[b"12345", b"67890"], transfer_encoding="chunked")[::2] == (200, "10")


def test_a_body_that_says_it_is_too_large_is_refused_unread():
    async def never(scope, receive, send):
        raise AssertionError("it is not asked")

    status, headers, text = through(never, body=[b"x"], content_length="11")
    assert (status, headers["connection"], text) == (413, "close", "too-large")


@pytest.mark.parametrize("app", [echo, stubborn])
def test_a_body_that_turns_out_to_be_too_large_is_refused_whatever_the_route_makes_of_it(app):
    status, headers, text = through(app, body=[b"12345", b"67890", b"1"], transfer_encoding="chunked")
    assert (status, headers["connection"], text) == (413, "close", "too-large")
    assert "a" not in headers


def test_a_body_that_lies_about_its_size_is_refused_too():
    assert through(echo, body=[b"12345", b"67890", b"1"], content_length="5")[::2] == (413, "too-large")


@pytest.mark.parametrize("app", [echo, stubborn])
def test_a_body_that_comes_too_slowly_is_refused(app):
    assert through(app, body=[b"1"] * 9, pause=0.05, content_length="9")[::2] == (408, "too-slow")


def test_a_failure_of_the_route_stays_one():
    async def broken(scope, receive, send):
        await receive()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        through(broken, body=[b"1"], content_length="1")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_body_of_what_only_reads_is_not_waited_for(method):
    assert through(silent, method=method, content_length="5")[1]["connection"] == "close"
    assert through(silent, method=method, transfer_encoding="chunked")[1]["connection"] == "close"
    assert "connection" not in through(silent, method=method, content_length="0")[1]
    assert through(silent, method=method, content_length="11")[0] == 413


# --- rates ---


def test_one_too_many_is_refused_before_the_route_is_asked():
    rates = Rates(1, 0)
    status, headers, _ = through(silent, rates=rates, method="GET")
    assert (status, headers["ratelimit"]) == (200, '"public";r=0;t=60') or int(headers["ratelimit"].partition("t=")[2])
    status, headers, text = through(silent, rates=rates, method="GET")
    assert (status, text) == (429, "too-many-requests")
    assert int(headers["retry-after"]) >= 1
    assert headers["ratelimit"] == f'"public";r=0;t={headers["retry-after"]}'
    assert headers["ratelimit-policy"] == '"public";q=1;w=60'


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_how_the_service_is_can_always_be_asked(path):
    rates = Rates(1, 0)
    for _ in range(3):
        status, headers, _ = through(silent, rates=rates, method="GET", path=path)
        assert (status, "ratelimit" in headers) == (200, False)


def test_without_a_rate_nothing_is_said_of_one():
    assert not {"ratelimit", "ratelimit-policy"} & set(through(silent, method="GET")[1])


def test_a_proven_credential_is_counted_for_itself_however_it_is_found_out():
    rates = Rates(1, 5)

    async def later(scope):
        return "key-1"

    def at_once(scope):
        return "key-1"

    left = [
        through(silent, rates=rates, method="GET", credential=credential)[1]["ratelimit"].partition(";t=")[0]
        for credential in (later, at_once, later)
    ]
    assert left == ['"credential";r=4', '"credential";r=3', '"credential";r=2']
    assert through(silent, rates=rates, method="GET")[0] == 200


def test_the_operator_is_told_once_that_readers_behind_a_proxy_are_one():
    told, rates = [], Rates(1, 0)

    async def work():
        async def send(message):
            pass

        async def receive():
            raise AssertionError("nothing is read")

        rules = Rules(rates, 10, 1, refuse, lambda: told.append(1))
        gate = Gate(silent, rules)
        for headers in ([], [], [(b"x-forwarded-for", b"192.0.2.1")], [(b"x-forwarded-for", b"192.0.2.2")]):
            scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "client": ("203.0.113.7", 1)}
            await gate(scope, receive, send)
            assert told == ([1] if headers else [])

    asyncio.run(work())


def test_what_is_no_request_passes():
    met: list[str] = []

    async def app(scope, receive, send):
        met.append(scope["type"])

    async def nothing(*_):
        raise AssertionError("nothing is read or sent")

    rules = Rules(Rates(1, 0), 1, 1, refuse)
    asyncio.run(Gate(app, rules)({"type": "lifespan"}, nothing, nothing))
    assert met == ["lifespan"]
