"""Bodies of requests: how many bytes of one are read, how long they may take to come, and how deep its JSON may be."""

import asyncio
from typing import Any

import orjson

from app.core.answer import Request
from app.core.observe import Receive
from app.core.once import twice
from app.core.problems import Fault, Problem

MERGE_PATCH = "application/merge-patch+json"  # RFC 7396
DEEPEST = 32  # lists and objects within each other; the geometry of a record needs seven
_CLOSE = {"Connection": "close"}  # the rest of it is not waited for


def too_large(most: int) -> Problem:
    """Return the problem of a body with more than so many bytes."""
    return Problem("too-large", f"The body has more than {most} bytes, the most that is read.", headers=_CLOSE)


def stated(headers: dict[bytes, bytes]) -> int | None:
    """Return how many bytes of a body the headers of a request tell of; nothing where only its end will tell."""
    if b"transfer-encoding" in headers:
        return None
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else None


class Body:
    """The body of one request as it comes: `receive` of ASGI, which stops at a limit of bytes or of time.

    Attributes:
        problem: why it stopped, if it did. A route may make anything of the exception; the gate answers this.
    """

    def __init__(self, receive: Receive, most: int, seconds: float, pace: int = 0) -> None:
        """Begin now: in `seconds` all of it has to be there; with a `pace` a second later for each so many bytes."""
        self._receive = receive
        self._most = most
        self._seconds = seconds
        self._pace = pace
        self._until = asyncio.get_running_loop().time() + seconds
        self._size = 0
        self._whole = False
        self.problem: Problem | None = None

    async def __call__(self) -> Any:
        """Return the next message.

        Raises:
            Problem: too-large, too-slow.
        """
        if self._whole:  # what follows is the end of the connection, which may be a long time off
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until + (self._size / self._pace if self._pace else 0)):
                message = await self._receive()
        except TimeoutError:
            slow = f", and came with less than {self._pace} bytes a second" if self._pace else ""
            detail = f"The body was not there after {self._seconds} seconds{slow}."
            self.problem = Problem("too-slow", detail, headers=_CLOSE)
            raise self.problem from None
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
        if self._size > self._most:
            self.problem = too_large(self._most)
            raise self.problem
        return message


async def whole(request: Request, receive: Receive, media_type: str, most: int | None = None) -> bytes:
    """Return all of a body; without `most`, how large it may be is the gate's to say.

    Raises:
        Problem: unsupported-media-type, too-large, invalid-request.
    """
    given = request.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if given != media_type:
        headers = {"Accept-Patch": MERGE_PATCH} if media_type == MERGE_PATCH else {}
        raise Problem("unsupported-media-type", f"The body has to be {media_type}.", headers=headers)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("invalid-request", "The body was cut short.")
        body += message.get("body", b"")
        if most is not None and len(body) > most:
            raise Problem("too-large", f"A body has at most {most} bytes here.")
        if not message.get("more_body", False):
            return bytes(body)


def read_json(body: bytes, deepest: int = DEEPEST) -> Any:
    """Return what a body says in JSON (RFC 8259, without NaN and Infinity).

    Raises:
        Problem: invalid-request, if it is no JSON, nests more than `deepest` lists and objects in each other, or an
            object has two members of one name: readers differ in which of them they take.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _wrong(f"This is no JSON that is read: line {error.lineno}, column {error.colno}.") from None
    level = [content] if isinstance(content, (dict, list)) else []
    for _ in range(deepest):
        if not level:
            break
        within = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
        level = [one for one in within if isinstance(one, (dict, list))]
    if level:
        raise _wrong(f"Lists and objects lie more than {deepest} deep within each other.")
    if (where := twice(body, content)) is not None:
        raise _wrong("An object has two members of one name.", where)
    return content


def _wrong(detail: str, pointer: str = "") -> Problem:
    return Problem("invalid-request", detail, (Fault("body", pointer, detail),))
