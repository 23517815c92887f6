"""What is measured, as data: the questions, and what each system has to say of itself to be asked them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

Table = dict[tuple[str, ...], int]  # counts by what was counted


class Request(NamedTuple):
    """One HTTP request."""

    path: str
    body: str = ""  # with one it is a POST of JSON
    match: str = ""  # If-None-Match: the answer has to be 304


class Page(NamedTuple):
    """R1: the first 50 incidents that touch a period and fit a violation, and one more facet or none, newest first."""

    violation: str
    first: str
    last: str
    province: str = ""
    verification: str = ""

    def facets(self) -> dict[str, str]:
        """Return the values asked for, by the peers' columns."""
        named = {
            "violation_type": self.violation,
            "province": self.province,
            "verification": self.verification,
        }
        return {name: value for name, value in named.items() if value}


class Group(NamedTuple):
    """R4: incidents of a verification from a day on, counted by main violation and each year that they touch."""

    verification: str
    first: str


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
    behind: tuple[int, ...] = ()  # processes that work for it and were there before: a database server


class Asking(Protocol):
    """A way to ask a running server."""

    def __call__(self, request: Request) -> bytes:
        """Return the body of the answer."""
        ...


class Served(Protocol):
    """A server that can be asked R1, in its own way."""

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


class System(Served, Protocol):
    """A server that can be asked R1, R2 and R3."""

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


@runtime_checkable
class Groups(Protocol):
    """What can be asked R4 too."""

    def grouped(self, group: Group) -> Request:
        """Return R4."""
        ...

    def groups(self, body: bytes) -> Table:
        """Return the counts by violation and year."""
        ...


@runtime_checkable
class Facets(Protocol):
    """What can be asked R1 with three facets too."""

    def ids(self, body: bytes) -> list[str]:
        """Return the ids of a page."""
        ...

    def faceted(self, page: Page) -> Request:
        """Return R1 with the counts by verification, by place and by violation; the page is of one facet."""
        ...

    def facets(self, body: bytes) -> Table:
        """Return the counts by verification and province: those that every system has alike."""
        ...


class File(NamedTuple):
    """R6 in one format: what asks for it, and what reads the ids from it, if anything does."""

    format: str
    request: Request
    ids: Callable[[bytes], set[str]] | None


@runtime_checkable
class Exports(Protocol):
    """What can be asked R6 too."""

    name: str

    def files(self, province: str) -> list[File]:
        """Return R6, all incidents of a province, in each format that there is."""
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
