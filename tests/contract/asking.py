"""Asking the service in the same process: every byte of an answer, of the log, and every statement that it cost."""

import asyncio
import contextlib
import html
import io
import zipfile
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
import pyarrow.parquet as pq

from app.access.caller import mint
from app.core import scopes
from app.core.db import Database, Prepared, Question, Reading, Rows, Snapshot
from app.core.settings import Settings
from app.main import create_app

T = TypeVar("T")
HOST = "evidence.test"
BASE = f"http://{HOST}"
REQUEST_ID = "0123456789abcdef"  # given by the caller, so that two answers can be equal to the byte


@dataclass(frozen=True)
class Heard:
    """One answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    trailers: tuple[tuple[bytes, bytes], ...] = ()

    def __getitem__(self, name: str) -> str:
        """Return a header by its name in lower case."""
        return dict(self.headers)[name]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def everything(self) -> bytes:
        """All that came: headers and body."""
        return "\n".join(f"{name}: {value}" for name, value in self.headers).encode() + b"\n\n" + self.body

    @property
    def unpacked(self) -> bytes:
        """The body, or all that is in it where it is compressed."""
        if self.body.startswith(b"PK"):
            book = zipfile.ZipFile(io.BytesIO(self.body))
            return html.unescape(b"\n".join(map(book.read, book.namelist())).decode()).encode()
        if self.body.startswith(b"PAR1"):
            table = pq.read_table(io.BytesIO(self.body))
            return orjson.dumps(
                [
                    table.schema.metadata and {str(k): str(v) for k, v in table.schema.metadata.items()},
                    table.to_pylist(),
                ]
            )
        return self.body

    @property
    def ids(self) -> list[str]:
        """The ids of a JSON list."""
        return [item["id"] for item in self.json["items"]]


@dataclass
class _Watched:
    snapshot: Snapshot
    statements: list[Any]

    async def all(self, statement: Prepared, values: dict[str, Any]) -> Rows:
        self.statements.append((statement.text, statement.values(values)))
        return await self.snapshot.all(statement, values)

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        self.statements.append((statement.text, statement.values(values)))
        return await self.snapshot.one(statement, values)

    async def work(self, work: Callable[[], T]) -> T:
        return await self.snapshot.work(work)


@dataclass
class WatchedDatabase(Database):
    """A database that keeps every statement which readers run, with its values."""

    url: str
    statements: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.url)

    async def read(self, reading: Reading[T], heavy: bool = False) -> T:
        return await super().read(lambda snapshot: reading(_Watched(snapshot, self.statements)), heavy)

    async def stream(self, questions: Sequence[Question], *more: Any) -> AsyncGenerator[Any, None]:
        self.statements += [(statement.text, statement.values(values)) for statement, values in questions]
        stream = super().stream(questions, *more)
        try:
            async for found in stream:
                yield found
        finally:
            await stream.aclose()


class Service:
    """The service over one database, asked as any of its views."""

    def __init__(self, settings: Settings) -> None:
        """Make the service; its log goes where `log` reads it."""
        self._runner = asyncio.Runner()
        self._log = io.BytesIO()
        self._stderr = io.TextIOWrapper(self._log)  # kept: it would close what it wraps
        self.database = WatchedDatabase(settings.database_url)
        with contextlib.redirect_stderr(self._stderr):
            self.app = create_app(settings, db=self.database, identify=lambda scope: mint(scope["test.view"]))

    def ask(self, address: str, view: int = 0, method: str = "GET", **headers: str) -> Heard:
        """Return the answer to one request; `address` is a path, with a query string where it has one."""
        return self._runner.run(self._ask(address, view, method, headers))

    async def _ask(self, address: str, view: int, method: str, headers: dict[str, str]) -> Heard:
        path, _, query = address.removeprefix(BASE).partition("?")
        given = {"host": HOST, "x-request-id": REQUEST_ID, **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 1),
            "server": (HOST, 80),
            "extensions": {"http.response.trailers": {}},
            "test.view": view,
        }
        if path == "/v1/changes/stream" or "wait=" in query:
            scopes.end(scope)  # what it tells at first: a stream does not end by itself
        sent: list[Any] = []
        forever = asyncio.Event()

        async def receive() -> Any:
            if not sent and not forever.is_set():
                forever.set()
                return {"type": "http.request", "body": b"", "more_body": False}
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        trailers = sent.pop()["headers"] if sent[-1]["type"] == "http.response.trailers" else []
        pairs = tuple((name.decode(), value.decode()) for name, value in sent[0]["headers"])
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Heard(sent[0]["status"], pairs, body, tuple(trailers))

    @property
    def log(self) -> bytes:
        """All that was logged so far."""
        return self._log.getvalue()

    def close(self) -> None:
        """Give back every connection."""
        self._runner.run(self.database.close())
        self._runner.close()


def query(**values: Any) -> str:
    """Return a query string; a list repeats its parameter."""
    pairs = [(name, one) for name, value in values.items() for one in (value if isinstance(value, list) else [value])]
    return "&".join(f"{name.removesuffix('_')}={quote(str(one), safe=',:')}" for name, one in pairs)
