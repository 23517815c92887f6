"""Bodies of requests to manage access: read whole up to a limit, of one media type, checked by a model."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.core.answer import Receive, Request
from app.core.bodies import read_json, whole
from app.core.once import pointed
from app.core.problems import Fault, Problem, invalid, nearest

MOST = 65_536  # bytes
MOST_FAULTS = 10
JSON = "application/json"
_WORDS = {
    "missing": "It is required.",
    "model_type": "It must be an object.",
    "timezone_aware": "A moment states its zone, as 2027-11-24T00:00:00Z.",
}
M = TypeVar("M", bound=BaseModel)


class Body:
    """The body of one request."""

    def __init__(self, request: Request, receive: Receive) -> None:
        """Read nothing yet."""
        self._request = request
        self._receive = receive

    async def read(self, media_type: str, most: int = MOST) -> bytes:
        """Return all of it.

        Raises:
            Problem: unsupported-media-type, or too-large.
        """
        return await whole(self._request, self._receive, media_type, most)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield it as it comes, however large it is; how large it may be is the gate's to say.

        Raises:
            Problem: invalid-request, where it is cut short; too-large and too-slow.
        """
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem("invalid-request", "The body was cut short.")
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def json(self, model: type[M], most: int = MOST) -> M:
        """Return it as a model.

        Raises:
            Problem: the same, or invalid-request, each fault with a pointer to where it stands.
        """
        return parsed(await self.read(JSON, most), model)


def parsed(raw: bytes, model: type[M]) -> M:
    """Return a body that was read as a model.

    Raises:
        Problem: invalid-request, each fault with a pointer to where it stands.
    """
    content = read_json(raw or b"{}")
    if b"\\u0000" in raw and (places := [*_nul(content, [])]):
        raise invalid(wrong(place, "There is a character NUL in it.") for place in places[:MOST_FAULTS])
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # Never the input itself: it may hold what nobody should see again.
        faults = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]
        raise invalid([wrong([str(part) for part in one["loc"]], _reason(one, model)) for one in faults]) from None


def _nul(content: Any, here: list[str]) -> Iterator[list[str]]:
    """Yield where a character NUL stands, which no database keeps in a text: in a name it is that of its object."""
    if isinstance(content, str) and "\0" in content:
        yield here
    elif isinstance(content, dict):
        for name, inner in content.items():
            yield from [here] if "\0" in name else _nul(inner, [*here, name])
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from _nul(inner, [*here, str(index)])


def _reason(fault: ErrorDetails, model: type[BaseModel]) -> str:
    if fault["type"] != "extra_forbidden":
        return _WORDS.get(fault["type"], fault["msg"])
    said = "It is no member that is known here."
    if len(fault["loc"]) > 1:
        return said
    known = [field.alias or name for name, field in model.model_fields.items()]
    return f"{said} {nearest(str(fault['loc'][0]), known) or 'Known here: ' + ', '.join(known) + '.'}"


def wrong(path: list[str], why: str) -> Fault:
    """Return a fault of a body, with its pointer (RFC 6901)."""
    return Fault("body", "".join(f"/{pointed(part)}" for part in path), why if why.endswith((".", "?")) else f"{why}.")
