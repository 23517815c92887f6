"""The gate: what every request has to pass before a route sees it."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from app.access.limits import Count, Rates
from app.core.bodies import Body, stated, too_large
from app.core.dressing import MORE
from app.core.load import UNCOUNTED
from app.core.observe import App, Receive, Scope, Send
from app.core.problems import Problem

READS = frozenset(("GET", "HEAD", "OPTIONS"))
PACE = 10_000  # bytes a second of a file that is handed in: slower than that it may not come for long

Credential = Callable[[Scope], str | Awaitable[str]]
Refuse = Callable[[Problem, Scope, Receive, Send], Awaitable[None]]


def nobody(_: Scope) -> str:
    """Return the id of the credential that a request was proved to hold: there are none."""
    return ""


def none(_: Scope) -> int:
    """Return how large a file may be that a request hands in: it hands in none."""
    return 0


@dataclass(frozen=True)
class Rules:
    """What the gate holds requests to.

    Attributes:
        rates: how many requests.
        body_bytes, body_seconds: how large a body may be, and how long it may take to come.
        refuse: sends a problem.
        hint: tells the operator that readers behind a proxy are counted as one; none where proxies are listed.
        credential: a request -> the id of the credential that it was proved to hold, or nothing.
        uploads: a request -> how many bytes its body may have where it hands in a file; 0 where it hands in none. It
            has more time, by `PACE`.
    """

    rates: Rates
    body_bytes: int
    body_seconds: float
    refuse: Refuse
    hint: Callable[[], None] | None = None
    credential: Credential = nobody
    uploads: Callable[[Scope], int] = none


class Gate:
    """The middleware that lets requests through by these rules."""

    def __init__(self, app: App, rules: Rules) -> None:
        """Guard an app."""
        self._app = app
        self._rules = rules
        self._counts = not rules.rates.off
        self._hint = rules.hint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        body: Body | None = None
        try:
            if b"content-length" in headers or b"transfer-encoding" in headers:
                body = self._body(headers, receive, scope)
            if self._counts and scope["path"] not in UNCOUNTED:
                await self._count(scope)
        except Problem as problem:
            if problem.type == "too-many-requests" and b"x-forwarded-for" in headers and self._hint is not None:
                self._hint()
                self._hint = None  # once is enough
            await self._rules.refuse(problem, scope, receive, send)
            return
        if body is None:
            await self._app(scope, receive, send)
        else:
            await self._with_body(body, scope, receive, send)

    async def _count(self, scope: Scope) -> None:
        credential = self._rules.credential(scope)
        if not isinstance(credential, str):
            credential = await credential
        counted = self._rules.rates.count(scope, credential)
        if not isinstance(counted, Count):
            counted = await counted
        if counted.headers:
            scope[MORE] = [*scope.get(MORE, ()), *counted.headers]
        if counted.refusal is not None:
            raise counted.refusal

    def _body(self, headers: dict[bytes, bytes], receive: Receive, scope: Scope) -> Body | None:
        upload = self._rules.uploads(scope)
        size, most = stated(headers), upload or self._rules.body_bytes
        if size == 0:
            return None
        if size is not None and size > most:
            raise too_large(most)
        if scope["method"] in READS:
            scope[MORE] = [(b"connection", b"close")]  # nobody reads it, so nobody waits for its end
            return None
        return Body(receive, most, self._rules.body_seconds, PACE if upload else 0)

    async def _with_body(self, body: Body, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request with a body through; one that is stopped is answered here, whatever the route makes of it."""
        began = False

        async def unless_stopped(message: MutableMapping[str, Any]) -> None:
            nonlocal began
            if began or body.problem is None:
                began = True
                await send(message)

        try:
            await self._app(scope, body, unless_stopped)
        except Exception:
            if body.problem is None:
                raise
        if body.problem is not None and not began:
            await self._rules.refuse(body.problem, scope, receive, send)
