"""What is measured, as data: the questions, and what each system has to say of itself to be asked them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class Request(NamedTuple):
    """One HTTP request."""

    path: str
    body: str = ""  # with one it is a POST of JSON


class Page(NamedTuple):
    """R1: the first 50 incidents of a violation that touch a period, newest first."""

    violation: str
    first: str
    last: str


class Place(NamedTuple):
    """R2: where the 50 incidents asked for begin: after this one, when all are listed newest first."""

    position: int
    start_date: str
    id: int  # the peers' primary key
    uid: str


class Known(NamedTuple):
    """R3: one incident."""

    id: int
    uid: str


@dataclass(frozen=True)
class Command:
    """How a server is started."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


class Asking(Protocol):
    """A way to ask a running server."""

    def __call__(self, request: Request) -> bytes:
        """Return the body of the answer."""
        ...


class System(Protocol):
    """A server that can be asked R1, R2 and R3, each in its own way."""

    name: str

    def command(self, port: int) -> Command:
        """Return how it is started, with one worker, listening on a local port."""
        ...

    def ready(self) -> Request:
        """Return a request that it answers as soon as it serves."""
        ...

    def page(self, page: Page) -> Request:
        """Return R1."""
        ...

    def deep(self, place: Place, ask: Asking) -> Request:
        """Return R2; a system whose cursors are its own may ask for one first."""
        ...

    def one(self, known: Known) -> Request:
        """Return R3."""
        ...

    def count(self, page: Page) -> Request:
        """Return the request whose answer states how many fit R1."""
        ...

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a page."""
        ...

    def total(self, body: bytes) -> int:
        """Return the number stated by the answer to `count`."""
        ...

    def facts(self, body: bytes) -> dict[str, Any]:
        """Return the facts of one incident, by the names of FACTS."""
        ...


FACTS = (
    "uid",
    "title",
    "summary",
    "start_date",
    "end_date",
    "violations",
    "place",
    "lat",
    "lon",
    "scope",
    "verification",
    "standard_of_proof",
    "victims",
    "source",
    "symbol",
    "basis",
    "owner",
)
