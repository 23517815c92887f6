"""Answers from a view: what is read in it, and which caches may keep that."""

from collections.abc import AsyncGenerator

from app.access.caller import PUBLIC
from app.catalogue.negotiate import CSV, GEOJSON, JSON, MEDIA_TYPES, NDJSON
from app.core.answer import (
    CLOSED,
    OPEN,
    Answer,
    Header,
    Receive,
    Request,
    Scope,
    Send,
    of_problem,
    options,
)

__all__ = [
    "PUBLIC",
    "Answer",
    "Receive",
    "Request",
    "Scope",
    "Send",
    "found",
    "of_problem",
    "options",
    "unchanged",
]

PACKED = (JSON, GEOJSON, NDJSON, CSV)  # the formats that are text; the others are packed already
_TYPES: dict[str, Header] = {name: (b"content-type", value.encode()) for name, value in MEDIA_TYPES.items()}


def found(
    view: int,
    fresh: int,
    format: str,
    etag: str | None,
    body: bytes | AsyncGenerator[bytes, None],
    links: str = "",
    generation: int | None = None,
) -> Answer:
    """Return an answer of status 200 from a view.

    Only what everybody may see is packed as a whole: the length of a packed page would tell of its secrets to whoever
    can choose a part of it (docs/decisions/0089).

    Args:
        view: who is answered.
        fresh: for how many seconds a cache between may serve it.
        format: of the body.
        etag: its entity tag.
        body: its bytes, or what makes them.
        links: the header `Link`.
        generation: of the view, if it may be given again as long as that stands.
    """
    headers = _shared(view, fresh, etag)
    headers.append(_TYPES[format])
    if links:
        headers.append((b"link", links.encode()))
    return Answer(200, headers, body, etag=etag, packs=view == PUBLIC and format in PACKED, generation=generation)


def unchanged(view: int, fresh: int, etag: str) -> Answer:
    """Return the answer to a caller who has this form already."""
    return Answer(304, _shared(view, fresh, etag))


def fresh_for(seconds: int) -> Header:
    """Return how long a cache between may serve what everybody may see."""
    return b"cache-control", b"public, max-age=0, s-maxage=%d, must-revalidate" % seconds


def _shared(view: int, fresh: int, etag: str | None) -> list[Header]:
    headers = [*OPEN, fresh_for(fresh)] if view == PUBLIC else [*CLOSED]
    if etag is not None:
        headers.append((b"etag", etag.encode()))
    return headers
