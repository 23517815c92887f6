"""Answers: status, headers and bytes, sent straight to the server."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from app.core import codings
from app.core.codings import Accepted
from app.core.problems import MEDIA_TYPE, Fault, Problem, invalid

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

# Names of containers may have an underscore, and none is as long as what follows one in an API key: that would be heard
# again in every address.
_LABEL = rb"(?:[A-Za-z0-9-]+|[A-Za-z0-9_-]{1,40})"
_HOST = re.compile(rb"(%b(\.%b)*\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?" % (_LABEL, _LABEL))

# What every answer carries beside these is added where it is watched: see app/core/dressing.py.
VARY: Header = (b"vary", b"Accept, Accept-Encoding, Authorization")
# What a page of another origin may send.
HEADERS = (
    b"Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Purpose, X-Request-ID"
)
# What everybody may read, and what is for one caller alone.
OPEN = [VARY]
CLOSED: list[Header] = [
    (b"vary", b"Accept, Accept-Encoding, Authorization, Purpose"),
    (b"cache-control", b"private, no-store"),
]

_LISTS = frozenset((b"accept", b"accept-encoding", b"if-none-match"))
_OF_304 = frozenset((b"vary", b"cache-control", b"etag"))  # RFC 9110, 15.4.5


@dataclass(slots=True)
class Answer:
    """One answer. A body is bytes, or is made while it is sent; then fields may follow it that are known at its end.

    Attributes:
        etag: the entity tag of these bytes as they are.
        packs: it may be sent in a coding.
        generation: of the view that it is true of, if it may be given again as long as that stands.
    """

    status: int
    headers: list[Header]
    body: bytes | AsyncGenerator[bytes, None] = b""
    trailers: Mapping[bytes, Callable[[], bytes]] = field(default_factory=dict)
    etag: str | None = None
    packs: bool = False
    generation: int | None = None

    def pack(self, accepted: Accepted) -> None:
        """Put the body into the coding that the caller likes best, where that is worth it; on the event loop."""
        coding, body = accepted.best, self.body
        if coding is None or not self.packs or not isinstance(body, bytes):
            return
        if len(body) >= codings.LEAST or not accepted.plain:
            self.body = codings.packed(coding, body)
            self.in_coding(coding)

    def bare(self) -> "Answer":
        """Return what is told to a caller who wants it only if there is none of it, with the tag that it would have."""
        return Answer(304, [one for one in self.headers if one[0] in _OF_304])

    def in_coding(self, coding: str) -> None:
        """Say that the body is in a coding."""
        self.headers = [one for one in self.headers if one[0] != b"etag"]
        if self.etag is not None:
            self.headers.append((b"etag", codings.tag(self.etag, coding).encode()))
        self.headers.append((b"content-encoding", coding.encode()))
        self.packs = False

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
            headers += [(b"trailer", name) for name in self.trailers]
            start = {"type": "http.response.start", "status": self.status, "headers": headers}
            await send(start | {"trailers": bool(self.trailers) and not head})
            if not head:
                await send({"type": "http.response.body", "body": first, "more_body": True})
                async for piece in body:
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            if self.trailers and not head:
                fields = [(name, value()) for name, value in self.trailers.items()]
                await send({"type": "http.response.trailers", "headers": fields, "more_trailers": False})
        finally:
            gone.cancel()
            await body.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Trail(Protocol):
    """The account that is kept of one request, where one is."""

    async def shown(self, keys: Sequence[int]) -> None:
        """Take down the tie-breaks of records whose bytes are about to be sent."""
        ...

    async def answered(self, status: int) -> None:
        """Take down the answer, before its first byte is sent."""
        ...


@dataclass(slots=True)
class Request:
    """What of a request matters here: its address, and a few of its headers.

    Attributes:
        scope: as it came.
        headers: of each name the last one; of those that are lists all of them, as one (RFC 9110, 5.3).
        trail: the account that is kept of it.
        keys: the tie-breaks of the records that were shown last, where an account is kept.
    """

    scope: Scope
    headers: dict[bytes, bytes] = field(init=False)
    trail: Trail | None = None
    keys: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Look at the headers once."""
        fields = self.scope["headers"]
        self.headers = dict(fields)
        if len(self.headers) < len(fields):  # some came in several lines
            for name in _LISTS & self.headers.keys():
                self.headers[name] = b", ".join([value for one, value in fields if one == name])

    @property
    def accept(self) -> bytes:
        """The header Accept, or nothing."""
        return self.headers.get(b"accept", b"")

    @property
    def accepted(self) -> Accepted:
        """Which codings the caller takes."""
        return codings.accepted(self.headers.get(b"accept-encoding", b""))

    async def shown(self, keys: Sequence[int]) -> None:
        """Tell who keeps an account which records are about to be sent, by their tie-breaks; of a stream, each part."""
        if self.trail is not None:
            self.keys = keys
            await self.trail.shown(keys)

    @property
    def knows(self) -> bool:
        """Tell whether the caller states which form it has."""
        return b"if-none-match" in self.headers

    def has(self, etag: str) -> bool:
        """Tell whether the caller has this form already (If-None-Match, RFC 9110 section 13.1.2), in any coding."""
        return self.knows and self._held(etag) is not None

    def had(self, etag: str, coding: str | None = None) -> str:
        """Return the tag of the form that the caller has: of the bytes as they are, or in a coding that it takes.

        Who has none by its tag (`*`) is told that of the form which would be sent, in the coding that is given. A
        server chooses among what is taken (RFC 9110, 12.1): for whoever has one of them, it is that one.
        """
        return self._held(etag) or codings.tag(etag, coding)

    def _held(self, etag: str) -> str | None:
        known = self.headers.get(b"if-none-match", b"")
        if known == etag.encode():  # the usual case
            return etag
        tags = [tag.strip().removeprefix(b"W/") for tag in known.split(b",")]
        forms = (etag, *[codings.tag(etag, coding) for coding in self.accepted.every])
        return next((form for form in forms if form.encode() in tags), None)

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


def of_problem(problem: Problem) -> Answer:
    """Return the answer that a problem is."""
    headers = [*OPEN, (b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    return Answer(problem.status, headers, problem.body())


def private(status: int, content: Any, headers: Iterable[Header] = ()) -> Answer:
    """Return a document for one caller alone, which nobody may keep."""
    return Answer(status, [*CLOSED, (b"content-type", b"application/json"), *headers], orjson.dumps(content))


def allowed(methods: Iterable[str]) -> str:
    """Return what the header Allow says of an address with these methods."""
    own = [*methods]
    return ", ".join([*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"])


def not_allowed(method: str, allow: str) -> Problem:
    """Return the problem of a method that an address does not have."""
    detail = f"Here only {allow} are allowed, not {method[:20]}."
    return Problem("method-not-allowed", detail, headers={"Allow": allow})


def options(allow: str) -> Answer:
    """Return the answer to OPTIONS, a browser's question before the question included."""
    headers = [
        *OPEN,
        (b"allow", allow.encode()),
        (b"access-control-allow-methods", allow.encode()),
        (b"access-control-allow-headers", HEADERS),
        (b"access-control-max-age", b"86400"),
    ]
    return Answer(204, headers)
