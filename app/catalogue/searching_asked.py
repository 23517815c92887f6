"""What is asked of search over all kinds: its parameters, and a question made of them. Nothing of any view is in it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from app.catalogue import asked, marks, negotiate
from app.catalogue.answer import Request
from app.catalogue.listing import PAGE
from app.catalogue.parameter import Parameter, one_of
from app.catalogue.parameters import HIGHLIGHTS, format_of, vocabulary
from app.core.problems import Fault, invalid
from app.records import BY_NAME, KINDS
from app.search.query import Query

FORMATS = (negotiate.JSON, negotiate.NDJSON)
SORTS = ("-date", "date", "-updated", "updated", "relevance")
_OF_LISTS = vocabulary(BY_NAME["place"])  # what is the same in the lists of all kinds
NAMES = tuple(kind.name for kind in KINDS)

PARAMETERS: Mapping[str, Parameter] = {
    one.name: one
    for one in (
        _OF_LISTS["q"],
        Parameter(
            "kind",
            "Only records of this kind; it may be repeated.",
            "incident",
            one_of(NAMES),
            {"type": "string", "enum": list(NAMES)},
            many=True,
            words="of the kind {}",
        ),
        Parameter(
            "sort",
            f"The order; a minus turns it round; undated records come last in both orders of dates; without it "
            f"{SORTS[0]}. relevance: the best match first.",
            "relevance",
            one_of(SORTS),
            {"type": "string", "enum": list(SORTS)},
            "page",
        ),
        replace(_OF_LISTS["limit"], doc=f"How many records a page has at most ({PAGE})."),
        replace(
            _OF_LISTS["cursor"],
            doc="Where the page begins: taken from 'next' of the page before, for the same question and order only.",
        ),
        HIGHLIGHTS,
        format_of(FORMATS),
    )
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question to all kinds.

    Attributes:
        query: what is looked for.
        kinds: the names of kinds, sorted; empty: all.
        sort: the order.
        limit: of a page.
        cursor: where it begins; None: at the beginning.
        highlights: whether it is told where the words stand.
        format: `json` or `ndjson`.
        kept: the query string of all but the cursor.
        words: the digest of what is looked for.
        digest: stands for that and the kinds.
        canonical: stands for all of it: equal for two query strings that ask the same.
    """

    query: Query
    kinds: tuple[str, ...]
    sort: str
    limit: int
    cursor: str | None
    highlights: bool
    format: str
    kept: str
    words: bytes
    digest: bytes
    canonical: bytes

    @property
    def by(self) -> str:
        """What it is sorted by."""
        return self.sort.removeprefix("-")

    @property
    def describes(self) -> str:
        """The question in words."""
        what = " and ".join(BY_NAME[name].title.lower() for name in self.kinds) if self.kinds else "records"
        return f"{what[:1].upper()}{what[1:]} {PARAMETERS['q'].said((self.query,))}"


def read(request: Request) -> Question:
    """Read what a request asks; short ones are remembered.

    Raises:
        Problem: invalid-request; not-acceptable.
    """
    raw, accept = request.scope["query_string"], request.accept
    return (_remembered if len(raw) <= asked.SHORT and len(accept) <= negotiate.SHORT else _read)(raw, accept)


def _read(raw: bytes, accept: bytes) -> Question:
    texts, given = asked.texts(raw), asked.checked(PARAMETERS, raw)

    def one(name: str) -> Any:
        return given[name][0] if name in given else None

    if "q" not in given:
        raise invalid([Fault("query", "q", "Say what to look for, as q=torture.")])
    format = negotiate.chosen(one("format"), accept, FORMATS)
    limit, highlights = one("limit") or PAGE, one("highlights") == "true"
    if highlights and (why := marks.refused(limit)):
        raise invalid([Fault("query", "highlights", why)])
    kinds: tuple[str, ...] = given.get("kind", ())
    if len(kinds) == len(NAMES):
        kinds = ()
    pairs = [(name, text) for name in PARAMETERS if name != "cursor" for text in texts.get(name, ())]
    words, sort = _digest(one("q")), one("sort") or SORTS[0]
    return Question(
        query=one("q"),
        kinds=kinds,
        sort=sort,
        limit=limit,
        cursor=one("cursor"),
        highlights=highlights,
        format=format,
        kept="&".join(f"{name}={quote(text, safe=asked.PLAIN)}" for name, text in pairs),
        words=words,
        digest=_digest((words, kinds)),
        canonical=_digest((words, kinds, sort, limit, one("cursor"), highlights, format)),
    )


_remembered = lru_cache(2048)(_read)


def _digest(what: Any) -> bytes:
    return hashlib.blake2b(repr(("search", what)).encode(), digest_size=16).digest()
