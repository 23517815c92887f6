"""What the machine allows: the same questions answered by SQLite and the least of Python above it.

    uvicorn benchmarks.raw:sql      JSON built in SQL, under Starlette
    uvicorn benchmarks.raw:stored   JSON stored beside the row, under bare ASGI
    uvicorn benchmarks.raw:constant a body that is always the same, under bare ASGI; /36000 has so many bytes

Written to be fast, not to be used: no parameter is checked, nothing is counted, no error is told.
"""

import os
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.generate import OBJECT
from benchmarks.questions import GROUPED

try:
    import pysqlite3 as sqlite
except ImportError:
    import sqlite3 as sqlite

_FACETS = {"violation": "violation_type = ?", "province": "province = ?", "verification": "verification = ?"}
_TOUCHES = "end_date >= ? AND start_date <= ?"
_AFTER = "start_date <= ? AND (start_date < ? OR id > ?)"
_NEWEST = "ORDER BY start_date DESC, id LIMIT 50"
_BUILT = f"SELECT json_group_array({OBJECT}) FROM (SELECT * FROM incident WHERE {{}} {_NEWEST})"
_STORED = (
    f"SELECT body FROM (SELECT id, start_date FROM incident WHERE {{}} {_NEWEST}) JOIN stored USING (id) "
    "ORDER BY start_date DESC, id"
)
_COUNT = "SELECT count(*) FROM incident WHERE {}"
_COUNTS = f"SELECT json_group_array(json_array(violation_type, y, n)) FROM ({GROUPED})"
_JSON = "application/json"


@cache
def _database() -> Any:
    path = os.environ["BENCH_DATABASE"]
    database = sqlite.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    for pragma in ("mmap_size=17179869184", "cache_size=-65536"):
        database.execute(f"PRAGMA {pragma}")
    return database


def _one(statement: str, *values: Any) -> Any:
    return _database().execute(statement, values).fetchone()[0]


def _fits(asked: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return what a page has to fit, and the values."""
    facets = {clause: asked[name] for name, clause in _FACETS.items() if name in asked}
    return " AND ".join([*facets, _TOUCHES]), [*facets.values(), asked["from"], asked["to"]]


# --- JSON built in SQL, under Starlette ---


async def _page(request: Request) -> Response:
    fits, values = _fits(request.query_params)
    built = _one(_BUILT.format(fits), *values)
    return Response(built.encode(), media_type=_JSON)


async def _deep(request: Request) -> Response:
    asked = request.query_params
    built = _one(_BUILT.format(_AFTER), asked["date"], asked["date"], int(asked["id"]))
    return Response(built.encode(), media_type=_JSON)


async def _incident(request: Request) -> Response:
    built = _one(f"SELECT {OBJECT} FROM incident WHERE id = ?", request.path_params["id"])
    return Response(built.encode(), media_type=_JSON)


async def _count(request: Request) -> Response:
    fits, values = _fits(request.query_params)
    return Response(str(_one(_COUNT.format(fits), *values)), media_type=_JSON)


async def _counts(request: Request) -> Response:
    asked = request.query_params
    row = _database().execute(_COUNTS, {"verification": asked["verification"], "first": asked["from"]}).fetchone()
    return Response(row[0].encode(), media_type=_JSON)


async def _everything(request: Request) -> Response:
    rows = _database().execute(f"SELECT {OBJECT} FROM incident WHERE province = ?", (request.query_params["province"],))

    async def lines() -> AsyncIterator[bytes]:
        while some := rows.fetchmany(256):
            yield "".join(f"{row[0]}\n" for row in some).encode()

    return StreamingResponse(lines(), media_type="application/x-ndjson")


sql = Starlette(
    routes=[
        Route("/page", _page),
        Route("/deep", _deep),
        Route("/count", _count),
        Route("/counts", _counts),
        Route("/everything", _everything),
        Route("/incident/{id:int}", _incident),
    ]
)


# --- stored JSON, under bare ASGI ---


async def stored(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path.startswith("/incident/"):
        body = _one("SELECT body FROM stored WHERE id = ?", int(path[10:]))
    else:
        asked = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        if path == "/count":
            fits, values = _fits(asked)
            body = str(_one(_COUNT.format(fits), *values)).encode()
        else:
            if path == "/page":
                fits, values = _fits(asked)
                rows = _database().execute(_STORED.format(fits), values)
            else:
                rows = _database().execute(_STORED.format(_AFTER), (asked["date"], asked["date"], int(asked["id"])))
            body = b"[" + b",".join([row[0] for row in rows]) + b"]"
    await _send(send, 200, body)


# --- a body that is always the same, under bare ASGI ---


async def constant(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request: as many bytes as the path says, or 304 to whoever has a tag."""
    if scope["type"] != "http":
        return
    if any(name == b"if-none-match" for name, _ in scope["headers"]):
        await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", b'"constant"')]})
        await send({"type": "http.response.body", "body": b""})
        return
    await _send(send, 200, _constant(int(scope["path"][1:])), (b"etag", b'"constant"'))


@cache
def _constant(size: int) -> bytes:
    return b'{"x":"%s"}' % (b"x" * (size - 8))


async def _send(send: Any, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
