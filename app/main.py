"""The service: its routes, what stands before them, its life, and how every failure becomes a problem document."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from fastapi import FastAPI
from prometheus_client import start_http_server
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.caller import PUBLIC, Resolve, anonymous
from app.access.gate import Gate, Rules
from app.access.limits import Rates
from app.catalogue import state
from app.catalogue.answer import of_problem
from app.catalogue.cursor import Cursors
from app.catalogue.landing import TITLE, fixed
from app.catalogue.listing import PLANS, Reader
from app.catalogue.memo import Memo
from app.catalogue.query import Queries
from app.catalogue.routes import ALLOW, Reads
from app.catalogue.shelf import Shelf
from app.core import crypto, observe
from app.core.db import Database
from app.core.dressing import Dressing
from app.core.problems import Problem, not_found
from app.core.settings import Settings
from app.explorer import docs
from app.intake import retract
from app.intake.write import Closed, Writer
from app.registry import KINDS, openapi_bytes, openapi_document


def create_app(
    settings: Settings | None = None,
    *,
    db: Database | None = None,
    resolve_view: Resolve | None = None,
    expire: state.Expire | None = None,
) -> FastAPI:
    """Return the service.

    Args:
        settings: how it is deployed; from the environment if not given.
        db: the main database; opened (and closed) here if not given.
        resolve_view: who asks -> the view that answers; everybody has the public view if not given.
        expire: takes away what has expired from a view; done here, in a thread, if not given.
    """
    settings = settings or Settings.from_env()
    database = db or Database.main(settings)
    master = crypto.master_key(settings.master_key, settings.home)
    metrics, log = observe.Metrics(), observe.logger(settings.log_level)
    queries = Queries(database)
    shelf = Shelf(database, queries, settings.columns_mb, log.warning)
    reader = Reader(
        database=database,
        queries=queries,
        cursors=Cursors(crypto.Tokens(master, "cursor")),
        plans=Memo(PLANS),
        shelf=shelf,
        turns=WeakValueDictionary(),
        expire=expire or _expiry(settings, database),
        public_url=settings.public_url,
    )
    rates = Rates(
        settings.rate_public, settings.rate_credential, settings.rate_store, crypto.derive(master, "rate"), log.warning
    )
    app = FastAPI(
        title=TITLE,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_life(settings, database if db is None else None, metrics, rates, shelf),
        # The service sends nothing to anybody: no tracing, and no exporter, whatever the environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.openapi = openapi_document  # type: ignore[method-assign]
    reads = Reads(reader, resolve_view or anonymous, fixed(reader, openapi_bytes))
    app.router.routes[:] = [reads, *docs.routes()]
    app.add_middleware(reads.before)
    dressing = Dressing(settings.cors_origins, settings.is_https)
    app.add_middleware(Gate, rules=_rules(settings, rates, log))
    app.add_middleware(observe.Observe, metrics=metrics, log=log, failed=_failed, dress=dressing.on)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Problem, _problem)
    return app


def _expiry(settings: Settings, database: Database) -> state.Expire:
    """Return what carries out the consents that have run out, before anything more is answered."""
    turn = asyncio.Lock()
    writers: list[Writer] = []  # opened when first needed: most services never write

    def carry_out() -> None:
        if not writers:
            writers.append(Writer.open(settings, database))
        retract.expire(writers[0])

    async def expire(view: int) -> None:
        async with turn:
            try:
                await asyncio.to_thread(carry_out)
            except Closed:
                await state.wait_for_it(view)

    return expire


def _rules(settings: Settings, rates: Rates, log: Any) -> Rules:
    """Return what the gate before the routes holds requests to."""

    def hint() -> None:
        log.warning("requests that a proxy passed on are counted as those of one reader: set EVIDENCE_PROXIES")

    return Rules(rates, settings.body_bytes, settings.body_seconds, _refuse, None if settings.proxies else hint)


def _life(settings: Settings, database: Database | None, metrics: observe.Metrics, rates: Rates, shelf: Shelf) -> Any:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        server = None
        if settings.metrics_port:
            server, _thread = start_http_server(settings.metrics_port, settings.metrics_host, metrics.registry)
        shelf.begin(PUBLIC, [kind.name for kind in KINDS if kind.date])
        try:
            yield
        finally:
            if server is not None:
                server.shutdown()
                server.server_close()
            await rates.close()
            await shelf.close()
            if database is not None:
                await database.close()

    return life


class _Sent:
    """An answer where Starlette wants a response."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _refuse(self._problem, scope, receive, send)


async def _problem(_: Request, problem: Exception) -> Any:
    assert isinstance(problem, Problem)  # noqa: S101 - it is registered for this type alone
    return _Sent(problem)


async def _http(request: Request, error: Exception) -> Any:
    """Turn what Starlette says in its own words into a problem."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for this type alone
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", ALLOW)
        return _Sent(Problem("method-not-allowed", f"Here only {allow} are allowed.", headers={"Allow": allow}))
    if error.status_code == 404:
        return _Sent(replace(not_found(), detail="There is nothing under this address. /v1 links to all there is."))
    return _Sent(Problem("invalid-request", "This request cannot be read."))


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await of_problem(problem).send(receive, send, scope["method"] == "HEAD")


async def _failed(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem("internal-error", "Something went wrong here. The operator can find it by the X-Request-ID.")
    await _refuse(problem, scope, receive, send)
