"""Bodies of requests to manage access: read whole up to a limit, of one media type, checked by a model."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.core.answer import Receive, Request
from app.core.bodies import pointed, read_json, whole
from app.core.problems import Fault, invalid

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
        return await whole(self._request, self._receive, media_type, MOST)

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
    return Fault("body", "".join(f"/{pointed(part)}" for part in path), why if why.endswith(".") else f"{why}.")
