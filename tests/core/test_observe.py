"""What an operator sees of a request when things go wrong; what goes right is in tests/main."""

import asyncio
from contextlib import suppress

from app.core.observe import Metrics, Observe


class Cut(Exception):
    """What an app fails of."""


class Log:
    """A log that remembers."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def info(self, event: str, **more: object) -> None:
        self.lines.append({"event": event, **more})

    error = info

    def is_enabled_for(self, _: int) -> bool:
        return True


def dress(headers, scope):
    return [*headers, (b"dressed", scope["method"].encode())]


def through(app, scope):
    """Let one request through; return what was sent ("done" last, if nothing was raised), the log and the metrics."""
    sent, log, metrics = [], Log(), Metrics()

    async def send(message):
        sent.append(message)

    async def receive():
        raise AssertionError("nothing is read")

    async def failed(scope, receive, send):
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"failed"})

    with suppress(Cut):
        asyncio.run(Observe(app, metrics, log, failed, dress)(scope, receive, send))
        sent.append("done")
    return sent, log.lines, metrics


def request(method="GET", **more):
    return {"type": "http", "method": method, "headers": [(b"x-request-id", b"abcdefgh")], **more}


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    await send({"type": "http.response.body", "body": b"678"})


def requests(metrics, route, method, status):
    labels = {"route": route, "method": method, "status": status}
    return metrics.registry.get_sample_value("evidence_requests_total", labels)


def test_an_answer_gets_its_id_and_is_counted():
    sent, lines, metrics = through(answer, request(template="/v1/{id}"))
    assert sent[0]["headers"] == [(b"a", b"b"), (b"dressed", b"GET"), (b"x-request-id", b"abcdefgh")]
    (line,) = lines
    assert (line["route"], line["status"], line["bytes"], line["request_id"]) == ("/v1/{id}", 200, 8, "abcdefgh")
    assert requests(metrics, "/v1/{id}", "GET", "200") == 1


def test_an_address_and_a_method_that_are_none_make_no_metrics_of_their_own():
    _, lines, metrics = through(answer, request("BREW"))
    assert (lines[0]["route"], lines[0]["method"]) == ("-", "-")
    assert requests(metrics, "-", "-", "200") == 1


def test_what_fails_before_its_answer_has_another_one():
    async def broken(scope, receive, send):
        raise Cut("secret")

    sent, lines, metrics = through(broken, request())
    assert [message["type"] for message in sent[:-1]] == ["http.response.start", "http.response.body"]
    assert sent[-1] == "done"
    assert sent[0]["headers"] == [(b"dressed", b"GET"), (b"x-request-id", b"abcdefgh")]
    assert [(line["event"], line.get("error"), line.get("status")) for line in lines] == [
        ("failed", "Cut", None),
        ("request", None, 500),
    ]
    assert "secret" not in str(lines)
    assert requests(metrics, "-", "GET", "500") == 1


def test_what_fails_within_its_answer_is_cut_off():
    async def broken(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Cut("secret")

    sent, lines, metrics = through(broken, request())
    assert [message["type"] for message in sent] == ["http.response.start"]  # and the server sees the failure
    assert [line["event"] for line in lines] == ["failed", "request"]
    assert requests(metrics, "-", "GET", "200") == 1


def test_what_is_no_request_passes():
    met = []

    async def app(scope, receive, send):
        met.append(scope["type"])

    assert through(app, {"type": "lifespan"})[:2] == (["done"], [])
    assert met == ["lifespan"]
