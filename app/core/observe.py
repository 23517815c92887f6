"""What an operator sees of a request: an id, one line of the log, three metrics; nothing about who asked for what."""

import re
import secrets
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

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


class Metrics:
    """Requests by route template, method and status; in a registry of their own, for the operator's port alone."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()
        names = ("route", "method", "status")
        self._requests = Counter("evidence_requests", "Requests answered.", names, registry=self.registry)
        self._bytes = Counter("evidence_response_bytes", "Bytes of bodies sent.", names, registry=self.registry)
        self._seconds = Histogram(
            "evidence_request_seconds", "Time to the last byte.", ("route",), registry=self.registry, buckets=_SECONDS
        )
        self._attempts = Counter(
            "evidence_webhook_attempts", "Attempts to deliver a message.", ("outcome",), registry=self.registry
        )
        self._children: dict[tuple[str, str, int], tuple[Any, Any, Any]] = {}

    def count(self, route: str, method: str, status: int, seconds: float, size: int) -> None:
        """Count one answer."""
        key = (route, method, status)
        children = self._children.get(key)
        if children is None:
            labels = (route, method, str(status))
            children = self._requests.labels(*labels), self._bytes.labels(*labels), self._seconds.labels(route)
            self._children[key] = children
        children[0].inc()
        children[1].inc(size)
        children[2].observe(seconds)

    def attempted(self, outcome: str) -> None:
        """Count one attempt to deliver a message of a webhook."""
        self._attempts.labels(outcome).inc()


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
            self._log.info(
                "request",
                route=route,
                method=method,
                status=status,
                ms=round(seconds * 1000, 3),
                bytes=size,
                request_id=identifier.decode(),
            )


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
    return secrets.token_hex(8).encode()
