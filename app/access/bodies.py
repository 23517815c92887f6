"""Bodies of requests to manage access: read whole up to a limit, of one media type, checked by a model."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.core.answer import Receive, Request
from app.core.bodies import read_json
from app.core.problems import Fault, Problem, invalid

MOST = 65_536  # bytes
MOST_FAULTS = 10
JSON = "application/json"
M = TypeVar("M", bound=BaseModel)


class Body:
    """The body of one request."""

    def __init__(self, request: Request, receive: Receive) -> None:
        """Read nothing yet."""
        self._request = request
        self._receive = receive

    async def read(self, media_type: str) -> bytes:
        """Return all of it.

        Raises:
            Problem: unsupported-media-type, or too-large.
        """
        given = self._request.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if given != media_type:
            raise Problem("unsupported-media-type", f"The body has to be {media_type}.")
        whole = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem("invalid-request", "The body was cut short.")
            whole += message.get("body", b"")
            if len(whole) > MOST:
                raise Problem("too-large", f"A body has at most {MOST} bytes here.")
            if not message.get("more_body", False):
                return bytes(whole)

    async def json(self, model: type[M]) -> M:
        """Return it as a model.

        Raises:
            Problem: the same, or invalid-request, each fault with a pointer to where it stands.
        """
        content = read_json(await self.read(JSON) or b"{}")
        try:
            return model.model_validate(content)
        except ValidationError as error:
            # Never the input itself: it may hold what nobody should see again.
            faults = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_FAULTS]
            raise invalid([wrong([str(part) for part in fault["loc"]], fault["msg"]) for fault in faults]) from None


def wrong(path: list[str], why: str) -> Fault:
    """Return a fault of a body, with its pointer (RFC 6901)."""
    parts = [part.replace("~", "~0").replace("/", "~1") for part in path]
    return Fault("body", "".join(f"/{part}" for part in parts), why if why.endswith(".") else f"{why}.")
