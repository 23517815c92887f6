"""What becomes of an import as server-sent events (WHATWG HTML, section 9.2): the import whole, whenever it changes."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import orjson

from app.access.bodies import Body
from app.access.caller import Identity
from app.access.identify import Access, anew
from app.catalogue import negotiate
from app.catalogue.waiting import Waiting
from app.core.answer import CLOSED, Answer, Request
from app.core.problems import Problem
from app.core.scopes import is_ending
from app.imports.handling import WHO, Imports
from app.imports.keeping import OVER
from app.imports.uploading import BASE

EVERY = 0.5  # seconds between two looks
CHECK = 5.0  # seconds after which it is looked whether the caller still may, and something is sent
RETRY, ALIVE = b"retry: 2000\n\n", b":\n\n"


class Events:
    """The stream of one import; it ends with the import."""

    def __init__(self, imports: Imports, access: Access, waiting: Waiting) -> None:
        """Tell of imports; `waiting` bounds how many listen."""
        self._imports, self._access, self._waiting = imports, access, waiting

    @property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The route of the events."""
        return {f"{BASE}/{{id}}/events": {"GET": self.answer}}

    async def answer(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        who.require(*WHO)
        negotiate.chosen(None, request.accept, (negotiate.EVENTS,))
        first = await asyncio.to_thread(self._look, who, id)
        headers = [*CLOSED, (b"content-type", negotiate.MEDIA_TYPES[negotiate.EVENTS].encode())]
        headers.append((b"x-accel-buffering", b"no"))  # a proxy must not wait for more of it
        return Answer(200, headers, self._events(request, who, id, first))

    def _look(self, who: Identity, id: str) -> tuple[bytes, str]:
        row = self._imports.of(who, id)
        return orjson.dumps(self._imports.shown(row)), row["state"]

    async def _events(
        self, request: Request, who: Identity, id: str, seen: tuple[bytes, str]
    ) -> AsyncGenerator[bytes, None]:
        with self._waiting.place(request, who.as_owner()):
            yield RETRY + _event(*seen)
            checked = time.monotonic()
            while seen[1] not in OVER and not is_ending(request.scope):
                await asyncio.sleep(EVERY)
                try:
                    if time.monotonic() - checked >= CHECK:
                        checked = time.monotonic()
                        (await self._access.identity(anew(request.scope))).require(*WHO)
                        yield ALIVE
                    now = await asyncio.to_thread(self._look, who, id)
                except Problem:
                    return
                if now != seen:
                    seen = now
                    yield _event(*seen)


def _event(told: bytes, state: str) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (state.encode(), told)
