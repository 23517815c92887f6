"""The documentation page: every operation of the API, to read and to try, from this service's own files alone."""

import gzip
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.core.problems import not_found

_FILES = Path(__file__).with_name("static")
_MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}

# Nothing comes from elsewhere, nothing goes elsewhere, and no script or style stands in the page itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_APART = {"Cross-Origin-Resource-Policy": "same-origin"}  # no other site may embed any of it

# Addresses are relative, so that the page also works behind a proxy that puts a path before it.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Accountability evidence: the API</title>
<link rel="icon" type="image/png" href="docs/assets/{favicon}">
<link rel="stylesheet" href="docs/assets/{style}">
<link rel="stylesheet" href="docs/assets/{narrow}">
</head>
<body>
<noscript>This page needs JavaScript. The description it shows is at <a href="openapi.json">openapi.json</a>.</noscript>
<div id="docs"></div>
<script src="docs/assets/{bundle}"></script>
<script src="docs/assets/{start}"></script>
</body>
</html>
"""


class Asset(NamedTuple):
    """One file of the page, under a name that changes with its content."""

    name: str
    media_type: str
    body: bytes


@cache
def assets() -> dict[str, Asset]:
    """Return what the page is made of, by the name of the file in the package."""
    return {file: _asset(file, media_type) for file, media_type in _MEDIA_TYPES.items()}


def routes() -> list[BaseRoute]:
    """Return the routes of the page and of its files (GET and HEAD)."""
    return [
        Route("/docs", page, include_in_schema=False),
        Route("/docs/assets/{name}", asset, include_in_schema=False),
    ]


def page(request: Request) -> Response:
    """Answer the page itself."""
    named = assets()
    html = _PAGE.format(
        favicon=named["favicon-32x32.png"].name,
        style=named["swagger-ui.css"].name,
        narrow=named["docs.css"].name,
        bundle=named["swagger-ui-bundle.js"].name,
        start=named["docs.js"].name,
    )
    headers = {**_APART, "Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return Response(html, media_type="text/html", headers=headers)


def asset(request: Request) -> Response:
    """Answer one file by its name with the hash in it: such a name never means other bytes, so it may be kept for ever.

    Raises:
        Problem: no file has that name.
    """
    wanted = request.path_params["name"]
    found = next((known for known in assets().values() if known.name == wanted), None)
    if found is None:
        raise not_found()
    headers = {**_APART, "Cache-Control": "public, max-age=31536000, immutable"}
    body = found.body
    if found.media_type.startswith("text/"):
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in _accepted(request):
            headers["Content-Encoding"] = "gzip"
            body = _packed(found.name)
    return Response(body, media_type=found.media_type, headers=headers)


def _asset(file: str, media_type: str) -> Asset:
    body = (_FILES / file).read_bytes()
    stem, _, ending = file.rpartition(".")
    return Asset(f"{stem}.{hashlib.sha256(body).hexdigest()[:16]}.{ending}", media_type, body)


@cache
def _packed(name: str) -> bytes:
    body = next(known.body for known in assets().values() if known.name == name)
    return gzip.compress(body, compresslevel=6, mtime=0)


def _accepted(request: Request) -> Iterator[str]:
    for part in request.headers.get("accept-encoding", "").split(","):
        coding, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            yield coding.strip().lower()
