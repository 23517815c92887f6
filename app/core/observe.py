"""What an operator sees of a request: an id, one line of the log, three metrics; nothing about who asked for what."""

import re
import secrets
import sys
import time
import traceback
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.core.engine import ServerState
from app.core.load import Load

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Failed = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]
Dress = Callable[[list[Header], Scope], list[Header]]

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def logger(level: str) -> Any:
    """Return a logger of JSON lines to standard error."""
    processors = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str)),
    ]
    bound = structlog.make_filtering_bound_logger(LEVELS[level])
    # Bound once, here: a lazy proxy would be bound again for every line.
    log: Any = bound(structlog.BytesLogger(sys.stderr.buffer), processors, {})  # type: ignore[call-arg]
    return log


class Metrics(Collector):
    """Requests by route template, method and status; in a registry of their own, for the operator's port alone.

    They are plain numbers of the event loop, put into the words of Prometheus when somebody asks: the library's own
    counters take a lock for each number, and 6 µs a request.
    """

    def __init__(self, load: Load | None = None) -> None:
        """Begin at nothing; `load` says how many requests there are."""
        self.registry = CollectorRegistry()
        self._load = load or Load(0)
        self._answers: dict[tuple[str, str, int], list[int]] = {}
        self._times: dict[str, list[float]] = {}
        self._attempts: dict[str, int] = {}
        self.registry.register(self)

    def count(self, route: str, method: str, status: int, seconds: float, size: int) -> None:
        """Count one answer."""
        answers = self._answers.get((route, method, status))
        if answers is None:
            answers = self._answers[route, method, status] = [0, 0]
        answers[0] += 1
        answers[1] += size
        times = self._times.get(route)
        if times is None:
            times = self._times[route] = [0.0] * (len(_SECONDS) + 2)
        times[bisect_left(_SECONDS, seconds)] += 1
        times[-1] += seconds

    def attempted(self, outcome: str) -> None:
        """Count one attempt to deliver a message of a webhook."""
        self._attempts[outcome] = self._attempts.get(outcome, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """Yield them all; in the thread of whoever asks."""
        names = ("route", "method", "status")
        requests = CounterMetricFamily("evidence_requests", "Requests answered.", labels=names)
        sizes = CounterMetricFamily("evidence_response_bytes", "Bytes of bodies sent.", labels=names)
        for (route, method, status), (n, size) in list(self._answers.items()):
            requests.add_metric((route, method, str(status)), n)
            sizes.add_metric((route, method, str(status)), size)
        seconds = HistogramMetricFamily("evidence_request_seconds", "Time to the last byte.", labels=("route",))
        for route, (*found, total) in list(self._times.items()):
            ends = [*map(str, map(float, _SECONDS)), "+Inf"]
            seconds.add_metric((route,), list(zip(ends, accumulate(found), strict=True)), total)
        help = "Attempts to deliver a message."
        attempts = CounterMetricFamily("evidence_webhook_attempts", help, labels=("outcome",))
        for outcome, n in list(self._attempts.items()):
            attempts.add_metric((outcome,), n)
        yield from (requests, sizes, seconds, attempts)
        yield CounterMetricFamily("evidence_refused", "Requests refused, as too many came at once.", self._load.refused)
        yield GaugeMetricFamily("evidence_taken", "Requests taken and not yet answered.", self._load.now)

    def watch(self, states: Callable[[], list[ServerState]]) -> None:
        """Tell of the servers of a database too, where there are several."""
        if states():
            self.registry.register(_Servers(states))


class _Servers(Collector):
    """The servers that are read from, as they are when somebody looks."""

    def __init__(self, states: Callable[[], list[ServerState]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        used = GaugeMetricFamily("evidence_server_used", "Whether a server is read from.", labels=["server"])
        behind = GaugeMetricFamily("evidence_server_behind_bytes", "Log it did not show yet.", labels=["server"])
        reads = CounterMetricFamily("evidence_server_reads", "Readings that it did.", labels=["server"])
        failures = CounterMetricFamily("evidence_server_failures", "Times it was given up.", labels=["server"])
        for one in self._states():
            used.add_metric([one.name], one.state == "used")
            behind.add_metric([one.name], one.behind)
            reads.add_metric([one.name], one.reads)
            failures.add_metric([one.name], one.failures)
        yield from (used, behind, reads, failures)


class Observe:
    """The outermost middleware: gives a request its id, and what fails an answer that says nothing of why.

    Every answer passes through here, those to failures too; so what every answer carries is added here.

    A route states its template in `scope["template"]` (a route of the framework has it as its path); an address that no
    route answers has the template `-`.
    """

    def __init__(self, app: App, metrics: Metrics, log: Any, failed: Failed, dress: Dress) -> None:
        """Watch an app; `failed` answers what it failed of, `dress` gives the headers of an answer what is missing."""
        self._app = app
        self._dress = dress
        self._metrics = metrics
        self._log = log
        self._says = log.is_enabled_for(LEVELS["info"])
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        identifier = _identifier(scope)
        header = (b"x-request-id", identifier)
        status = size = 0

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = self._dress(message["headers"], scope)
                headers.append(header)
                message["headers"] = headers
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            self._log.error("failed", request_id=identifier.decode(), route=_route(scope), **_where(error))
            if status:
                raise  # too late for another answer: the server cuts the connection, so that nobody takes it for whole
            await self._failed(scope, receive, noting)
        finally:
            seconds = time.perf_counter() - began
            route, method = _route(scope), scope["method"]
            method = method if method in _METHODS else "-"
            self._metrics.count(route, method, status, seconds, size)
            if self._says:
                ms, name = round(seconds * 1000, 3), identifier.decode()
                self._log.info("request", route=route, method=method, status=status, ms=ms, bytes=size, request_id=name)


def _route(scope: Scope) -> str:
    return str(scope.get("template") or getattr(scope.get("route"), "path", "-"))


def _where(error: Exception) -> dict[str, Any]:
    """Return what failed and where; never its message, which may hold what was asked for."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "frames": [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames],
    }


def _identifier(scope: Scope) -> bytes:
    """Return the caller's own id of the request if it is a harmless one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return bytes(value)
    return next(_NEW)


def _drawn() -> Iterator[bytes]:
    """Yield ids, many of them from one reading of the system's lot."""
    while True:
        some = secrets.token_hex(2048).encode()
        yield from (some[start : start + 16] for start in range(0, len(some), 16))


_NEW = _drawn()
