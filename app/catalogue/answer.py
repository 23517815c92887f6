"""Answers: status, headers and bytes, sent straight to the server."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from app.catalogue.negotiate import MEDIA_TYPES
from app.core.problems import MEDIA_TYPE, Fault, Problem, invalid

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

PUBLIC = 0
_HOST = re.compile(rb"([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")

# What every answer carries beside these is added at the gate: see app/core/dressing.py.
_VARY: Header = (b"vary", b"Accept, Authorization")
_OPEN = [_VARY]
_CLOSED = [_VARY, (b"cache-control", b"private, no-store")]
_TYPES: dict[str, Header] = {name: (b"content-type", value.encode()) for name, value in MEDIA_TYPES.items()}


@dataclass(slots=True)
class Answer:
    """One answer. A body is bytes, or is made while it is sent."""

    status: int
    headers: list[Header]
    body: bytes | AsyncGenerator[bytes, None] = b""

    async def send(self, receive: Receive, send: Send, head: bool = False) -> None:
        """Send it; to HEAD everything but the body."""
        body, headers = self.body, self.headers
        if isinstance(body, bytes):
            if self.status != 304 and self.status != 204:
                headers.append((b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if head else body})
            return
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            first = await anext(body, b"")  # what goes wrong before it is an answer of its own
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            if not head:
                await send({"type": "http.response.body", "body": first, "more_body": True})
                async for piece in body:
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            await body.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(slots=True)
class Request:
    """What of a request matters here: its address, and a few of its headers."""

    scope: Scope
    headers: dict[bytes, bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Look at the headers once."""
        self.headers = dict(self.scope["headers"])

    @property
    def accept(self) -> bytes:
        """The header Accept, or nothing."""
        return self.headers.get(b"accept", b"")

    @property
    def knows(self) -> bool:
        """Tell whether the caller states which form it has."""
        return b"if-none-match" in self.headers

    def has(self, etag: str) -> bool:
        """Tell whether the caller has this form already (If-None-Match, RFC 9110 section 13.1.2)."""
        known = self.headers.get(b"if-none-match")
        if known is None:
            return False
        return etag.encode() in [tag.strip().removeprefix(b"W/") for tag in known.split(b",")]

    @property
    def has_any(self) -> bool:
        """Tell whether the caller wants an answer only if there is nothing (`If-None-Match: *`)."""
        return self.headers.get(b"if-none-match") == b"*"

    def base(self, public_url: str | None) -> str:
        """Return the address that this service is known by.

        Raises:
            Problem: invalid-request, if the header Host is not one.
        """
        if public_url is not None:
            return public_url
        host = self.headers.get(b"host", b"")
        if _HOST.fullmatch(host) is None:
            raise invalid([Fault("header", "Host", "This is no host name with an optional port.")])
        return f"{self.scope['scheme']}://{host.decode('ascii')}"


def found(
    view: int, fresh: int, format: str, etag: str | None, body: bytes | AsyncGenerator[bytes, None], links: str = ""
) -> Answer:
    """Return an answer of status 200 from a view."""
    headers = _shared(view, fresh, etag)
    headers.append(_TYPES[format])
    if links:
        headers.append((b"link", links.encode()))
    return Answer(200, headers, body)


def unchanged(view: int, fresh: int, etag: str) -> Answer:
    """Return the answer to a caller who has this form already."""
    return Answer(304, _shared(view, fresh, etag))


def _shared(view: int, fresh: int, etag: str | None) -> list[Header]:
    if view == PUBLIC:
        headers = [*_OPEN, (b"cache-control", b"public, max-age=0, s-maxage=%d, must-revalidate" % fresh)]
    else:
        headers = [*_CLOSED]
    if etag is not None:
        headers.append((b"etag", etag.encode()))
    return headers


def of_problem(problem: Problem) -> Answer:
    """Return the answer that a problem is."""
    headers = [*_OPEN, (b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    return Answer(problem.status, headers, problem.body())


def options(allow: str) -> Answer:
    """Return the answer to OPTIONS, a browser's question before the question included."""
    headers = [
        *_OPEN,
        (b"allow", allow.encode()),
        (b"access-control-allow-methods", allow.encode()),
        (b"access-control-allow-headers", b"Accept, Authorization, If-None-Match, X-Request-ID"),
        (b"access-control-max-age", b"86400"),
    ]
    return Answer(204, headers)
