"""Answers from a view: what is read in it, and which caches may keep that."""

from collections.abc import AsyncGenerator

from app.access.caller import PUBLIC
from app.catalogue.negotiate import MEDIA_TYPES
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

_TYPES: dict[str, Header] = {name: (b"content-type", value.encode()) for name, value in MEDIA_TYPES.items()}


def found(
    view: int, fresh: int, format: str, etag: str | None, body: bytes | AsyncGenerator[bytes, None], links: str = ""
) -> Answer:
    """Return an answer of status 200 from a view."""
    headers = _shared(view, fresh, etag)
    headers.append(_TYPES[format])
    if links:
        headers.append((b"link", links.encode()))
    return Answer(200, headers, body)


def unchanged(view: int, fresh: int, etag: str) -> Answer:
    """Return the answer to a caller who has this form already."""
    return Answer(304, _shared(view, fresh, etag))


def _shared(view: int, fresh: int, etag: str | None) -> list[Header]:
    if view == PUBLIC:
        headers = [*OPEN, (b"cache-control", b"public, max-age=0, s-maxage=%d, must-revalidate" % fresh)]
    else:
        headers = [*CLOSED]
    if etag is not None:
        headers.append((b"etag", etag.encode()))
    return headers
