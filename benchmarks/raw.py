"""What the machine allows: the same questions answered by SQLite and the least of Python above it.

    uvicorn benchmarks.raw:sql      JSON built in SQL, under Starlette
    uvicorn benchmarks.raw:stored   JSON stored beside the row, under bare ASGI

Written to be fast, not to be used: no parameter is checked, nothing is counted, no error is told.
"""

import os
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.generate import OBJECT

try:
    import pysqlite3 as sqlite
except ImportError:
    import sqlite3 as sqlite

_FITS = "violation_type = ? AND end_date >= ? AND start_date <= ?"
_AFTER = "start_date <= ? AND (start_date < ? OR id > ?)"
_NEWEST = "ORDER BY start_date DESC, id LIMIT 50"
_BUILT = f"SELECT json_group_array({OBJECT}) FROM (SELECT * FROM incident WHERE {{}} {_NEWEST})"
_STORED = (
    f"SELECT body FROM (SELECT id, start_date FROM incident WHERE {{}} {_NEWEST}) JOIN stored USING (id) "
    "ORDER BY start_date DESC, id"
)
_COUNT = f"SELECT count(*) FROM incident WHERE {_FITS}"
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


# --- JSON built in SQL, under Starlette ---


async def _page(request: Request) -> Response:
    asked = request.query_params
    built = _one(_BUILT.format(_FITS), asked["violation"], asked["from"], asked["to"])
    return Response(built.encode(), media_type=_JSON)


async def _deep(request: Request) -> Response:
    asked = request.query_params
    built = _one(_BUILT.format(_AFTER), asked["date"], asked["date"], int(asked["id"]))
    return Response(built.encode(), media_type=_JSON)


async def _incident(request: Request) -> Response:
    built = _one(f"SELECT {OBJECT} FROM incident WHERE id = ?", request.path_params["id"])
    return Response(built.encode(), media_type=_JSON)


async def _count(request: Request) -> Response:
    asked = request.query_params
    return Response(str(_one(_COUNT, asked["violation"], asked["from"], asked["to"])), media_type=_JSON)


sql = Starlette(
    routes=[
        Route("/page", _page),
        Route("/deep", _deep),
        Route("/count", _count),
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
            body = str(_one(_COUNT, asked["violation"], asked["from"], asked["to"])).encode()
        else:
            if path == "/page":
                rows = _database().execute(_STORED.format(_FITS), (asked["violation"], asked["from"], asked["to"]))
            else:
                rows = _database().execute(_STORED.format(_AFTER), (asked["date"], asked["date"], int(asked["id"])))
            body = b"[" + b",".join([row[0] for row in rows]) + b"]"
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
