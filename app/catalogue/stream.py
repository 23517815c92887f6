"""The change feed as server-sent events (WHATWG HTML, section 9.2), for whoever wants to be told at once."""

from collections.abc import AsyncGenerator
from dataclasses import replace

from app.access.caller import Caller, Identify
from app.catalogue import asked, negotiate
from app.catalogue.answer import PUBLIC, Answer, Request
from app.catalogue.changes import Changes, Found, line
from app.catalogue.changes_asked import PARAMETERS, Question, question_of
from app.catalogue.waiting import Waiting, recheck
from app.core.answer import CLOSED, OPEN
from app.core.problems import Fault, Problem, invalid
from app.core.scopes import is_ending

PATH = "/v1/changes/stream"
KNOWN = {name: one for name, one in PARAMETERS.items() if name not in ("limit", "format", "wait")}
CHECK = 5.0  # seconds after which it is looked again whether the caller may still read, and something is sent
RETRY = b"retry: 5000\n\n"
ALIVE = b":\n\n"


class Stream:
    """The feed that does not end by itself."""

    def __init__(self, changes: Changes, identify: Identify, waiting: Waiting) -> None:
        """Make the stream of a feed."""
        self._changes, self._identify, self._waiting = changes, identify, waiting

    async def answer(self, request: Request, caller: Caller, _: str = "") -> Answer:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        question = self._question(request)
        base = request.base(self._changes.public_url)
        first = await self._changes.page(caller.view, question, base)
        headers = [*OPEN, (b"cache-control", b"no-store")] if caller.view == PUBLIC else [*CLOSED]
        headers += [
            (b"content-type", negotiate.MEDIA_TYPES[negotiate.EVENTS].encode()),
            (b"x-accel-buffering", b"no"),  # a proxy must not wait for more of it
        ]
        if request.scope["method"] == "HEAD":
            return Answer(200, headers)
        return Answer(200, headers, self._events(request, caller, question, base, first))

    def _question(self, request: Request) -> Question:
        given = asked.checked(KNOWN, request.scope["query_string"])
        negotiate.chosen(None, request.accept, (negotiate.EVENTS,))
        question = question_of(given, negotiate.JSON)
        if (last := request.headers.get(b"last-event-id")) is None:
            return question
        text = last.decode("latin-1")
        if not text.isascii() or not text:
            raise invalid([Fault("header", "Last-Event-ID", "This is no id of an event of this stream.")])
        return replace(question, after=text)

    async def _events(
        self, request: Request, caller: Caller, question: Question, base: str, page: Found
    ) -> AsyncGenerator[bytes, None]:
        view = caller.view
        with self._waiting.place(request, caller):
            yield RETRY
            while True:
                await self._changes.shown(request, page.rows or [])
                after = self._changes.cursor(view, question, page.until)
                yield self._written(view, question, base, page, after) or ALIVE
                question = replace(question, after=after)
                while not page.more and not await self._waiting.wait(request, view, page.state.generation, CHECK):
                    if is_ending(request.scope) or not await self._holds(request, caller):
                        return
                    yield ALIVE
                if is_ending(request.scope) or not await self._holds(request, caller):
                    return
                try:
                    page = await self._changes.page(view, question, base)
                except Problem:  # the view may not answer: whoever asks again is told
                    return

    def _written(self, view: int, question: Question, base: str, page: Found, after: str) -> bytes:
        events, last = b"", question.after
        for row in page.rows or []:
            last = self._changes.cursor(view, question, (row[0], row[5]))
            events += b"id: %s\ndata: %s\n\n" % (last.encode(), line(base, row))
        # What a filter left out need not be looked at again by who begins anew.
        return events if last == after else events + b"id: %s\n\n" % after.encode()

    async def _holds(self, request: Request, caller: Caller) -> bool:
        try:
            await recheck(self._identify, request, caller)
        except Problem:
            return False
        return True
