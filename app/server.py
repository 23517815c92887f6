"""The server: uvicorn, with limits on what a connection may send before there is a request, and on how slowly."""

import asyncio
import logging
import socket
from collections.abc import Iterable
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.core import scopes
from app.core.dressing import Dressing
from app.core.load import STATE, Load, refusal, release
from app.core.observe import Header, logger
from app.core.problems import MEDIA_TYPE, Problem
from app.core.settings import SettingError, Settings

MOST_HEAD_BYTES = 32_768  # of an address and all headers
MOST_TARGET_BYTES = MOST_HEAD_BYTES // 2  # of an address within them; its query string has a lower limit of its own
MOST_HEADERS = 100
IDLE_SECONDS = 30  # between two requests of one connection
GRACE_SECONDS = 45  # for what is being answered when the server is told to stop; then it is cut off
STALL_SECONDS = 60  # in which a client must read something of its answer
READS = frozenset(("GET", "HEAD", "OPTIONS"))
_NAMED_ELSEWHERE = frozenset((b"connection", b"transfer-encoding", b"trailer"))  # fields that uvicorn acts upon
_CONTROL = bytes([*range(9), 11, 12, *range(14, 32), 127])  # no field has them


class Cycle(RequestResponseCycle):
    """One answer. uvicorn sends no trailer fields (ASGI `http.response.trailers`; RFC 9112, section 7.1.2).

    Nor does it send an answer that is there as a whole with one write, and it looks at each field of its head apart.
    """

    _begins: Any = None  # the message that begins an answer, until its first bytes are there
    _ends_with_connection = False

    async def run_asgi(self, app: Any) -> None:
        """Answer; a place among the requests that wait is given back with the first byte, or if there is none."""
        if self.scope["method"] not in READS:
            release(self.scope)
        try:
            await super().run_asgi(app)
        finally:
            release(self.scope)

    async def send(self, message: Any) -> None:
        """Send a part of it; with trailers to come the last chunk waits for them."""
        begins, self._begins = self._begins, None
        if begins is not None:
            if message["type"] == "http.response.body" and self._sent_whole(begins, message):
                return
            self.response_started = False
            self._measure(begins)
            await super().send(begins)
        elif message["type"] == "http.response.start" and not self.response_started:
            release(self.scope)
            if not message.get("trailers"):
                self._begins, self.response_started = message, True
                return
            self.trailing = True
        elif message["type"] == "http.response.trailers":
            if self.disconnected:
                return
            fields = b"".join(b"%b: %b\r\n" % field for field in message["headers"])
            self.transport.write(b"0\r\n" + fields + b"\r\n")
            self.chunked_encoding = False  # the last chunk is written
            message = {"type": "http.response.body"}
        elif getattr(self, "trailing", False) and not message.get("more_body"):
            message = {**message, "more_body": True}
        if self._ends_with_connection:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)

    def _measure(self, begins: Any) -> None:
        """Send what has no length without chunks, if they are not known to the caller (RFC 9112, section 6.1)."""
        if self.scope["http_version"] == "1.0" and b"content-length" not in dict(begins["headers"]):
            self.chunked_encoding, self.keep_alive = False, False
            self._ends_with_connection = True

    def _sent_whole(self, begins: Any, message: Any) -> bool:
        """Send a whole answer with one write, if it is a usual one."""
        status, body = begins["status"], message.get("body", b"")
        if message.get("more_body") or not self.keep_alive or self.access_log or self.flow.write_paused:
            return False
        fields = [*self.default_headers, *begins["headers"]]
        named = dict(fields)
        bare = self.scope["method"] == "HEAD" or status in (204, 304)
        if not bare and named.get(b"content-length") != b"%d" % len(body):
            return False
        if not _NAMED_ELSEWHERE.isdisjoint(named):
            return False
        head = STATUS_LINE[status] + b"\r\n".join([*map(b": ".join, fields), b"", b""])
        if head.count(b"\n") != len(fields) + 2 or len(head.translate(None, _CONTROL)) < len(head):
            return False  # there is something in a field that breaks it: uvicorn says so
        if not self.disconnected:
            self.transport.writelines([head] if bare else [head, body])
        self.response_complete = True
        self.message_event.set()
        self.on_response()
        return True


class Connection(HttpToolsProtocol):
    """One connection. uvicorn has no limit for the size of headers here, nor for the time that they take to come.

    Nor can it refuse a request at once, while others wait to be answered.
    """

    head_seconds: ClassVar[float] = 10
    dressing: ClassVar[Dressing] = Dressing((), https=False)
    made: ClassVar[dict[tuple[str, str, bool], tuple[bytes, bytes]]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin: the first headers have to come in time."""
        super().connection_made(transport)
        self._refusal: Problem | None = None
        self._late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._in_head, self._head_bytes, self._piece = True, 0, 0
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._late is not None:
            self._late.cancel()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; what goes on for too long without becoming a request is cut off."""
        self._piece = len(data)
        self._head_bytes += self._piece
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            return  # the usual case: a request is being answered
        if self._in_head and self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(_headers_too_large())
        elif self._late is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, self._piece

    def on_headers_complete(self) -> None:
        """Take the headers, or refuse them: what is raised here ends in `send_400_response`."""
        if self._late is not None:
            self._late.cancel()
            self._late = None
        self._in_head = False
        hosts = [name for name, _ in self.headers].count(b"host")
        if hosts != 1 and (hosts or self.parser.get_http_version() == "1.1"):
            self._refusal = Problem("malformed", "A request of HTTP/1.1 has one header Host (RFC 9112, section 3.2).")
            raise self._refusal
        if self._head_bytes > MOST_TARGET_BYTES or len(self.headers) > MOST_HEADERS:  # perhaps: some came after it
            self._refusal = _too_much(self.url, self.headers)
            if self._refusal is not None:
                raise self._refusal
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin to answer; or refuse, before anybody waits, where there are as many requests as there may be."""
        if cycle.scope["http_version"] == "1.1":
            cycle.scope["extensions"] = {"http.response.trailers": {}}
        cycle.__class__ = Cycle  # it was just made, and nothing was sent
        load: Load | None = self.app_state.get(STATE)
        if load is None:
            super()._start_asgi_task(cycle, app)
        elif load.takes(cycle.scope["path"]):
            load.hold(cycle.scope)
            super()._start_asgi_task(cycle, app)
        else:
            self._shed(cycle)

    def _shed(self, cycle: RequestResponseCycle) -> None:
        names = {name for name, _ in cycle.scope["headers"]}
        goes_on = cycle.keep_alive and names.isdisjoint((b"content-length", b"transfer-encoding"))
        self.transport.write(self._head_and_body(refusal(), goes_on, cycle.scope["method"] == "HEAD"))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not goes_on:
            self.transport.close()
        cycle.on_response()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request, or one that is refused."""
        if self._answering:
            if self.cycle.response_started or self.pipeline:
                self.transport.close()  # an answer is on its way: nothing may be written into it
                return
            self.cycle.disconnected = True  # its body is none: whoever works on it is not heard any more
        self._refuse(self._refusal or Problem("malformed", "This cannot be read as a request of HTTP/1.1."))

    def pause_writing(self) -> None:
        """Note that the client does not read; if that goes on it is cut off."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that it reads again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def shutdown(self) -> None:
        """Begin to end: an answer that goes on until somebody goes away is told so."""
        if self._answering:
            scopes.end(self.cycle.scope)
        super().shutdown()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_head(self) -> None:
        if not self.transport.is_closing():
            self._late = self.loop.call_later(self.head_seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._late = None
        if self._answering:
            return
        if not self._piece:
            self.transport.close()  # opened in advance, as browsers do: an answer to nothing would confuse them
        else:
            detail = f"The headers of a request were not there after {self.head_seconds} seconds."
            self._refuse(Problem("too-slow", detail))

    def _refuse(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(self._head_and_body(problem))
        self.transport.close()

    def _head_and_body(self, problem: Problem, goes_on: bool = False, bare: bool = False) -> bytes:
        """Return the bytes of an answer that no route gives; those for a refusal are made once."""
        key = problem.type, problem.detail, goes_on
        made = self.made.get(key)
        if made is None:
            body = problem.body()
            fields: list[Header] = [
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", b"%d" % len(body)),
                (b"cache-control", b"no-store"),
                *[(name.lower().encode(), value.encode()) for name, value in problem.headers.items()],
                *([] if goes_on else [(b"connection", b"close")]),
            ]
            headers: Iterable[Header] = self.dressing.on(fields, {"headers": []})
            head = STATUS_LINE[problem.status] + b"".join(b"%s: %s\r\n" % header for header in headers) + b"\r\n"
            made = head, body
            if goes_on or problem.headers:
                self.made[key] = made
        return made[0] if bare else made[0] + made[1]


def _too_much(target: bytes, headers: list[tuple[bytes, bytes]]) -> Problem | None:
    if len(target) > MOST_TARGET_BYTES:
        detail = f"The address has {len(target)} bytes; {MOST_TARGET_BYTES} are the most that is read."
        return Problem("too-long", detail)
    size = len(target) + sum(len(name) + len(value) for name, value in headers)
    return _headers_too_large() if len(headers) > MOST_HEADERS or size > MOST_HEAD_BYTES else None


def _headers_too_large() -> Problem:
    detail = f"{MOST_HEADERS} headers and {MOST_HEAD_BYTES} bytes of them are the most that is read."
    return Problem("headers-too-large", detail)


class Lines(logging.Handler):
    """Puts what the libraries say into the service's own log: a line of JSON each, with nothing of what was asked.

    Of what they say only what stands in their code is kept: the first line of a text, without what is filled in, and of
    an exception its type.
    """

    def __init__(self, log: Any) -> None:
        """Say it to a log."""
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Say one thing."""
        said, more = record.msg, {"by": record.name}
        if isinstance(said, OSError):
            said = said.strerror
        if record.exc_info and record.exc_info[0]:
            more["error"] = record.exc_info[0].__name__
        first, *_, last = (said.strip() if isinstance(said, str) else type(said).__name__).split("\n") * 2
        if first.startswith("Traceback"):  # as a service that cannot begin is told of
            more["error"] = last.partition(":")[0]
        (self._log.error if record.levelno >= logging.ERROR else self._log.warning)(first, **more)


def listenable(settings: Settings) -> None:
    """See that the addresses to listen on can be had, before anything is made ready to be served.

    Raises:
        SettingError: one is taken, or is none of this machine's.
    """
    for name, host, port in (
        ("", settings.host, settings.port),
        ("METRICS_", settings.metrics_host, settings.metrics_port),
    ):
        if not port:
            continue
        try:
            family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, number) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
        except (OSError, UnicodeError) as error:  # the latter: of what cannot be a name
            why = error.strerror if isinstance(error, OSError) else "no name"
            mend = f"set EVIDENCE_{name}PORT or EVIDENCE_{name}HOST to another"
            raise SettingError(f"cannot listen on {host}, port {port} ({why}): {mend}") from None


def run(settings: Settings) -> None:
    """Serve until told to stop."""
    dressing = Dressing(settings.cors_origins, settings.is_https)
    limited = type("Limited", (Connection,), {"head_seconds": settings.head_seconds, "dressing": dressing, "made": {}})
    logging.basicConfig(handlers=[Lines(logger(settings.log_level))])
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # what is no request is told to whoever sent it
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        http=limited,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # What a proxy says of the reader is believed of the listed ones alone.
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=[str(one) for one in settings.proxies],
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
