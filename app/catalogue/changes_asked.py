"""What is asked of the change feed: its parameters, and a question made of them. Nothing of any view is in it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from app.catalogue import asked, negotiate
from app.catalogue.answer import Request
from app.catalogue.parameter import Parameter, identifier, moment, one_of, whole
from app.catalogue.parameters import format_of
from app.core.moments import iso
from app.records import KINDS

FORMATS = (negotiate.JSON, negotiate.NDJSON)
START, NOW = "start", "now"
PAGE = 100  # changes of a page that states no limit
MOST_WAIT = 60  # seconds
_NAMES = tuple(kind.name for kind in KINDS)

PARAMETERS: Mapping[str, Parameter] = {
    one.name: one
    for one in (
        Parameter(
            "after",
            f"Only changes after this place: '{START}' (as without it), '{NOW}', or as 'next' of a page has it, "
            "for the very same filters.",
            START,
            identifier,
            {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
            "page",
        ),
        Parameter(
            "kind",
            "Only changes of records of this kind; it may be repeated.",
            "incident",
            one_of(_NAMES),
            {"type": "string", "enum": list(_NAMES)},
            many=True,
        ),
        Parameter(
            "updated_since",
            "Only changes made at this moment or later.",
            "2020-01-01T00:00:00Z",
            moment,
            {"type": "string", "examples": ["2020-01-01", "2020-01-01T00:00:00Z"]},
        ),
        Parameter(
            "include",
            "With 'record', each change but a removal has the record as you are shown it now, or null if you no "
            "longer are.",
            "record",
            one_of(("record",)),
            {"type": "string", "enum": ["record"]},
            "page",
        ),
        Parameter(
            "limit",
            f"How many changes a page has at most ({PAGE}); without it NDJSON gives all there are at once.",
            "10",
            whole(1, 1000),
            {"type": "integer", "minimum": 1, "maximum": 1000},
            "page",
        ),
        Parameter(
            "wait",
            "Where there is nothing yet, wait for it so many seconds.",
            "2",
            whole(1, MOST_WAIT),
            {"type": "integer", "minimum": 1, "maximum": MOST_WAIT},
            "page",
        ),
        format_of(FORMATS),
    )
}


class Form(NamedTuple):
    """What of a statement differs from one question to the next."""

    kinds: int
    since: bool
    bodies: bool
    limited: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One question for changes: nothing of any view is in it.

    Attributes:
        kinds: the names of kinds, sorted; empty: all.
        since: the moment, in milliseconds, since which changes count.
        after: `start`, `now` or a cursor.
        bodies: whether records come with their changes.
        limit: of a page; None: not stated.
        wait: seconds to wait where there is nothing yet; 0: not at all.
        format: `json` or `ndjson`.
        kept: the query string of all but `after`.
        digest: stands for the filters.
    """

    kinds: tuple[str, ...]
    since: int | None
    after: str
    bodies: bool
    limit: int | None
    wait: int
    format: str
    kept: str
    digest: bytes

    @property
    def filters(self) -> bool:
        """Tell whether it leaves some changes out."""
        return bool(self.kinds) or self.since is not None

    def form(self, limited: bool) -> Form:
        """Return the form of its statement."""
        return Form(len(self.kinds), self.since is not None, self.bodies, limited)

    @property
    def values(self) -> dict[str, Any]:
        """The values of its filters."""
        values: dict[str, Any] = {f"kind{i}": name for i, name in enumerate(self.kinds)}
        return values if self.since is None else values | {"since": self.since}


def read(request: Request) -> Question:
    """Read what a request asks.

    Raises:
        Problem: invalid-request; not-acceptable.
    """
    given = asked.checked(PARAMETERS, request.scope["query_string"])
    named = given["format"][0] if "format" in given else None
    return question_of(given, negotiate.chosen(named, request.accept, FORMATS))


def question_of(given: Mapping[str, tuple[Any, ...]], format: str) -> Question:
    """Return the question that values of the parameters are."""

    def one(name: str) -> Any:
        return given[name][0] if name in given else None

    kinds, since, limit = given.get("kind", ()), one("updated_since"), one("limit")
    if len(kinds) == len(_NAMES):
        kinds = ()
    pairs = [("kind", kind) for kind in given.get("kind", ())]
    pairs += [("updated_since", iso(since))] if since is not None else []
    pairs += [(name, str(one(name))) for name in ("include", "limit", "wait", "format") if name in given]
    kept = "&".join(f"{name}={quote(value, safe=',:-._~')}" for name, value in pairs)
    digest = hashlib.blake2b(repr(("changes", kinds, since)).encode(), digest_size=16).digest()
    after, wait = one("after") or START, one("wait") or 0
    return Question(kinds, since, after, "include" in given, limit, wait, format, kept, digest)
