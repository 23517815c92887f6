"""What the machine allows on PostgreSQL: JSON built in SQL, asyncpg, and the least of Python above it.

    uvicorn benchmarks.raw_postgresql:application

As `raw.py`: no parameter is checked, nothing is counted, no error is told.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.generate import COLUMNS
from benchmarks.postgresql import GROUPED

CONNECTIONS = 8  # as many as the service takes for reading
_FACETS = {"violation": "violation_type", "province": "province", "verification": "verification"}
_ROW = ", ".join(("id", *COLUMNS))
_NEWEST = "ORDER BY start_date DESC, id LIMIT 50"
_BUILT = f"SELECT json_agg(found)::text FROM (SELECT {_ROW} FROM incident WHERE {{}} {_NEWEST}) AS found"
_DEEP = _BUILT.format("start_date <= $1 AND (start_date < $1 OR id > $2)")
_ONE = f"SELECT row_to_json(one)::text FROM (SELECT {_ROW} FROM incident WHERE id = $1) AS one"
_COUNT = "SELECT count(*)::text FROM incident WHERE {}"
_COUNTS = f"SELECT json_agg(json_build_array(violation_type, y, n))::text FROM ({GROUPED.format('$1', '$2')}) AS found"
_EVERYTHING = f"SELECT {_ROW} FROM incident WHERE province = $1"
_JSON = "application/json"


@asynccontextmanager
async def _lifespan(application: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BENCH_POSTGRESQL"], min_size=4, max_size=CONNECTIONS) as pool:
        application.state.pool = pool
        yield


async def _text(request: Request, statement: str, *values: Any) -> Response:
    found = await request.app.state.pool.fetchval(statement, *values)
    return Response((found or "[]").encode(), media_type=_JSON)


def _fits(request: Request) -> tuple[str, list[Any]]:
    asked = request.query_params
    facets = {column: asked[name] for name, column in _FACETS.items() if name in asked}
    conditions = [f"{column} = ${number}" for number, column in enumerate(facets, 1)]
    conditions += [f"end_date >= ${len(facets) + 1}", f"start_date <= ${len(facets) + 2}"]
    return " AND ".join(conditions), [*facets.values(), *(date.fromisoformat(asked[name]) for name in ("from", "to"))]


async def _page(request: Request) -> Response:
    fits, values = _fits(request)
    return await _text(request, _BUILT.format(fits), *values)


async def _count(request: Request) -> Response:
    fits, values = _fits(request)
    return await _text(request, _COUNT.format(fits), *values)


async def _deep(request: Request) -> Response:
    asked = request.query_params
    return await _text(request, _DEEP, date.fromisoformat(asked["date"]), int(asked["id"]))


async def _incident(request: Request) -> Response:
    return await _text(request, _ONE, request.path_params["id"])


async def _counts(request: Request) -> Response:
    asked = request.query_params
    return await _text(request, _COUNTS, asked["verification"], date.fromisoformat(asked["from"]))


async def _everything(request: Request) -> Response:
    """Send CSV as PostgreSQL copies it out."""
    parts: asyncio.Queue[bytes | None] = asyncio.Queue(16)

    async def put(part: bytearray) -> None:
        await parts.put(bytes(part))

    async def copy() -> None:
        asked = request.query_params["province"]
        try:
            async with request.app.state.pool.acquire() as connection:
                await connection.copy_from_query(_EVERYTHING, asked, output=put, format="csv", header=True)
        finally:
            await parts.put(None)

    async def sent() -> AsyncIterator[bytes]:
        copying = asyncio.create_task(copy())
        while (part := await parts.get()) is not None:
            yield part
        await copying

    return StreamingResponse(sent(), media_type="text/csv")


application = Starlette(
    routes=[
        Route("/page", _page),
        Route("/deep", _deep),
        Route("/count", _count),
        Route("/counts", _counts),
        Route("/everything", _everything),
        Route("/incident/{id:int}", _incident),
    ],
    lifespan=_lifespan,
)
