"""A receiver of webhooks on this machine: verifies each message, and answers as a test wants."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from standardwebhooks import Webhook

Answering = Callable[["Receiver", "Came"], tuple[int, dict[str, str]] | None]


@dataclass
class Came:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    @property
    def told(self) -> list[tuple[str, str]]:
        """Each change: the id, and the word."""
        return [(one["id"], one["change"]) for one in self.message["data"]["changes"]]

    def verify(self, secret: str) -> None:
        """Hold it to a secret, by the library that receivers use."""
        Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """What came, in its order; `answer` says what is answered, None: the connection is cut."""

    port: int = 0
    came: list[Came] = field(default_factory=list)
    answer: Answering = lambda _, __: (204, {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def told(self) -> list[tuple[str, str]]:
        return [one for came in self.came for one in came.told]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            came = Came(self.path, headers, self.rfile.read(size))
            receiver.came.append(came)
            answer = receiver.answer(receiver, came)
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            status, more = answer
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
