"""What a request for features asks: the standard's own parameters beside our filters, and one question made of them."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote

from app.catalogue import asked
from app.catalogue.asked import Asked
from app.catalogue.listing import PAGE
from app.catalogue.parameter import Box, Parameter, Wrong, box_across, moment, shortened
from app.catalogue.parameters import vocabulary
from app.core.moments import iso
from app.core.problems import Fault, Problem, invalid
from app.records import KINDS, Kind

COLLECTIONS = tuple(kind for kind in KINDS if kind.geometry)
ROOT = "/v1/collections"
MOST = 1000  # features of a page
Json = dict[str, Any]
_PLAIN = ",:-._~"  # what stands in an address as it is


class Interval(NamedTuple):
    """The first and the last day of a span; None: there is none."""

    first: str | None
    last: str | None


def items_of(kind: Kind) -> str:
    """Return the path of the features of a kind."""
    return f"{ROOT}/{kind.path}/items"


def _interval(text: str) -> Interval:
    """Read an instant or an interval (OGC 17-069r4, 7.15.4): `2011-12-17`, `2011-12-17/..`, `../2011-12-16`.

    GDAL writes a day as `2011-12-17T`.
    """
    pieces = text.split("/")
    if len(pieces) > 2 or all(piece in ("", "..") for piece in pieces):
        raise Wrong(
            f"'{shortened(text)}' is no moment and no interval: write 2011-12-17, 2011-12-17/.. or ../2011-12-16."
        )
    days = [
        None if len(pieces) == 2 and piece in ("", "..") else iso(moment(piece.removesuffix("T")))[:10]
        for piece in pieces
    ]
    return Interval(days[0], days[-1])


def _all_of(texts: list[str]) -> Interval:
    """Read what is asked of all these together: GDAL repeats it for a condition on two days."""
    spans = [_interval(text) for text in texts]
    first = max((span.first for span in spans if span.first is not None), default=None)
    last = min((span.last for span in spans if span.last is not None), default=None)
    if first is not None and last is not None and first > last:
        raise Wrong("It ends before it begins.")
    return Interval(first, last)


def _box(text: str) -> Box:
    """Read a bounding box of four numbers, or of six with heights, which nothing here has (OGC 17-069r4, 7.15.3)."""
    pieces = text.split(",")
    return box_across(",".join([*pieces[:2], *pieces[3:5]]) if len(pieces) == 6 else text)


def _number(text: str) -> int:
    """Read how many features a page has: what is more than the most is the most (OGC 17-069r4, 7.15.2)."""
    if not (text.isascii() and text.isdigit() and text.strip("0")):
        raise Wrong(f"'{shortened(text)}' is not a whole number from 1 on.")
    return MOST if len(text) > 12 else min(int(text), MOST)


@cache
def _parameters(name: str) -> Mapping[str, Parameter]:
    known = vocabulary(next(kind for kind in COLLECTIONS if kind.name == name))
    datetime = Parameter(
        "datetime",
        "Only what may have happened then: a day, a moment with its zone (its day in UTC counts), or an interval, open "
        "on one side with '..'. It says the same as `from` and `to`, and cannot stand beside them.",
        "2011-12-17/..",
        _interval,
        {"type": "string", "minLength": 1, "maxLength": 200},
    )
    box = known["bbox"]
    within = replace(
        box,
        doc="Only features whose geometry as shown meets this box: west,south,east,north in degrees (CRS84). Across "
        "longitude 180 west is greater than east.",
        read=_box,
    )
    limit = replace(
        known["limit"],
        doc=f"How many features a page has at most ({PAGE}); more than {MOST} are {MOST}.",
        read=_number,
        schema={"type": "integer", "minimum": 1, "default": PAGE},
    )
    own = {one.name: one for one in (limit, within, datetime)}
    filters = {one.name: one for one in known.values() if one.role != "page" and one.name not in own}
    return own | filters | {"cursor": known["cursor"]}


def parameters(kind: Kind) -> Mapping[str, Parameter]:
    """Return the parameters of the features of a kind: the standard's own first."""
    return _parameters(kind.name)


def _in_our_words(texts: Mapping[str, list[str]]) -> Mapping[str, list[str]]:
    """Return what is asked with `from` and `to` in place of `datetime`: so it goes together with `match` and `at`."""
    if "datetime" not in texts:
        return texts
    try:
        if "from" in texts or "to" in texts:
            raise Wrong("It says the same as 'from' and 'to': leave those or this out.")
        days = zip(("from", "to"), _all_of(texts["datetime"]), strict=True)
    except Wrong as wrong:
        raise invalid([Fault("query", "datetime", str(wrong))]) from None
    return {name: found for name, found in texts.items() if name != "datetime"} | {
        name: [day] for name, day in days if day is not None
    }


def read(kind: Kind, raw: bytes) -> Asked:
    """Read the query string of a request for features.

    Raises:
        Problem: invalid-request, each fault with its own explanation.
    """
    texts = asked.texts(raw)
    given = asked.checked_texts(parameters(kind), _in_our_words(texts))
    kept = "&".join(
        f"{name}={quote(text, safe=_PLAIN + '/')}" for name in texts if name != "cursor" for text in texts[name]
    )
    question = asked.of(kind, {name: given[name] for name in vocabulary(kind) if name in given}, kept)
    # Its pages are none of the list's: neither a cursor nor an entity tag of the one is good for the other.
    digest = hashlib.blake2b(question.digest + ROOT.encode(), digest_size=16).digest()
    return replace(question, digest=digest, canonical=digest + question.canonical)


def as_list(question: Asked) -> str | None:
    """Return the query string that asks the list of the kind the same; None where it cannot."""
    west, _, east, _ = question.given.get("bbox", ((0, 0, 0, 0),))[0]
    if west > east:
        return None
    known = vocabulary(question.kind)
    return "&".join(
        f"{name}={quote(known[name].shown(value), safe=_PLAIN)}"
        for name, values in question.given.items()
        for value in values
    )


@contextmanager
def faults_as_the_standard_has_them() -> Iterator[None]:
    """Make what is wrong with a parameter 400, as OGC 17-069r4 requires (7.8), where ours is 422."""
    try:
        yield
    except Problem as problem:
        if problem.type != "invalid-request":
            raise
        raise Problem("invalid-parameter", problem.detail, problem.errors, problem.headers) from None


def nothing(raw: bytes) -> None:
    """Refuse whatever is asked where nothing can be.

    Raises:
        Problem: invalid-parameter.
    """
    with faults_as_the_standard_has_them():
        asked.checked({}, raw)
