"""The service: its routes, what stands before them, its life, and how every failure becomes a problem document."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from fastapi import FastAPI
from prometheus_client import start_http_server
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.accounts import Accounts
from app.access.audit import Spool, Trails
from app.access.caller import PUBLIC, Identify
from app.access.gate import Credential, Gate, Rules, nobody
from app.access.identify import Access
from app.access.issuer import Issuer
from app.access.keys import Keys
from app.access.limits import Rates
from app.access.routes import Accesses
from app.access.shipping import Shipper
from app.access.tokens import Tokens
from app.catalogue import changes, proofs, searching, state, stream
from app.catalogue.answer import of_problem
from app.catalogue.cursor import Cursors
from app.catalogue.fresh import Fresh
from app.catalogue.hot import Hot
from app.catalogue.landing import TITLE, Handler, fixed
from app.catalogue.listing import FOUND, PLANS, Reader
from app.catalogue.memo import Large, Memo
from app.catalogue.query import Queries
from app.catalogue.routes import ALLOW, Reads
from app.catalogue.shelf import Shelf
from app.catalogue.waiting import Waiting
from app.core import crypto, moments, observe
from app.core.db import Database
from app.core.dressing import Dressing
from app.core.load import STATE, Load
from app.core.problems import Problem, not_found
from app.core.settings import Settings
from app.duplicates.handling import Duplicates
from app.duplicates.proposing import Proposing
from app.exchange.hooks.acknowledging import Acknowledgements
from app.exchange.hooks.addresses import Rules as Addresses
from app.exchange.hooks.courier import Courier
from app.exchange.hooks.managing import Webhooks
from app.exchange.hooks.messages import Messages
from app.exchange.hooks.posting import Post
from app.explorer import docs
from app.imports.events import Events
from app.imports.handling import Imports
from app.imports.keeping import Keeping
from app.imports.turns import Turns
from app.imports.uploading import most_of_upload
from app.intake import journal, retract
from app.intake.bulk import Busy
from app.intake.checkpointing import Checkpointing, signer_of
from app.intake.restore import restore
from app.intake.views import is_unsettled, prepare
from app.intake.write import Closed, Writer
from app.ogc import collections as ogc
from app.registry import KINDS, openapi_bytes, openapi_document
from app.statistics.counts import Counts
from app.writing.desk import Desk
from app.writing.routes import Writes

LOOK_EVERY = 30  # seconds, for what others have left to be shown anew


def create_app(
    settings: Settings | None = None,
    *,
    db: Database | None = None,
    identify: Identify | None = None,
    expire: state.Expire | None = None,
) -> FastAPI:
    """Return the service.

    Args:
        settings: how it is deployed; from the environment if not given.
        db: the main database; opened (and closed) here if not given.
        identify: who asks, and in which view; by the credentials of the database if not given.
        expire: takes away what has expired from a view; done here, in a thread, if not given.
    """
    settings = settings or Settings.from_env()
    database = db or Database.main(settings)
    master = crypto.master_key(settings.master_key, settings.home)
    load = Load(settings.queue)
    metrics, log = observe.Metrics(load), observe.logger(settings.log_level)
    metrics.watch(database.servers)
    upkeep = Upkeep(settings, database, log)
    queries = Queries(database)
    shelf = Shelf(database, queries, settings.columns_mb, log.warning)
    cursors = Cursors(crypto.Tokens(master, "cursor"))
    reader = Reader(
        database=database,
        queries=queries,
        cursors=cursors,
        plans=Memo(PLANS),
        shelf=shelf,
        found=Large(FOUND),
        turns=WeakValueDictionary(),
        expire=expire or upkeep.expire,
        public_url=settings.public_url,
    )
    spool = Spool(settings.home / "audit", settings.audit_fsync)
    shipper = Shipper(database, spool, lambda error: log.error("audit not shipped", error=error))
    rates = Rates(
        settings.rate_public, settings.rate_credential, settings.rate_store, crypto.derive(master, "rate"), log.warning
    )
    messages, post = Messages(master, cursors), Post(Addresses.of(settings), settings.hook_seconds)
    courier = Courier(settings, database, messages, post, reader.expire, metrics.attempted, log)
    unwritten = partial(log.error, "the database cannot be written")
    desk = Desk(settings, database, master, expire or upkeep.expire, upkeep.wake, lambda why: unwritten(why=why))
    trails = Trails(spool)
    checkpointing = Checkpointing(settings, database, log)
    turns = Turns(settings, database, lambda: desk.writer().vault.keys, log, upkeep.wake)
    own, proposing = database if db is None else None, Proposing(database, reader.expire)
    app = FastAPI(
        title=TITLE,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_life(
            settings,
            own,
            metrics,
            rates,
            upkeep,
            checkpointing,
            shelf,
            spool,
            shipper,
            desk,
            turns,
            courier,
            load,
            proposing,
        ),
        # The service sends nothing to anybody: no tracing, and no exporter, whatever the environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.openapi = openapi_document  # type: ignore[method-assign]
    tokens = Tokens(database, master, settings.public_url)
    access = Access(database, tokens, Issuer.of(settings))
    who = identify or access.caller
    waiting = Waiting(database, reader.expire, settings.waiters, settings.waiters_each)
    feed = changes.Changes(reader, who, waiting)
    viewed: dict[str, Handler] = {
        "/v1/statistics/counts": Counts(reader).answer,
        changes.PATH: feed.answer,
        searching.PATH: searching.Searching(reader).answer,
        stream.PATH: stream.Stream(feed, who, waiting).answer,
    }
    writes = Writes(desk, access, trails)
    hot = Hot(Fresh(database, queries), settings.answers_mb, settings.public_url)
    signer = signer_of(master)
    kept = proofs.Log(reader, signer.name, signer.key, settings.checkpoint_hours)
    alike = fixed(reader, openapi_bytes) | ogc.fixed(reader) | kept.fixed
    below, ones = ogc.single(reader), proofs.of_kinds(kept)
    reads = Reads(reader, who, trails, hot, alike, viewed | ogc.viewed(reader), writes.beside, below, ones)
    accounts = Accounts(database, master, settings.public_url)
    keeping = Keeping(database, settings.home, settings.import_days)
    imports = Imports(settings, desk, trails, keeping, turns.wake)
    events = Events(imports, access, waiting)
    webhooks = Webhooks(settings, database, master, messages, post)
    said = Acknowledgements(database, master, messages, settings.public_url)
    duplicates = Duplicates(database, desk, trails, proposing, reader.expire, settings.public_url)
    more = accounts.routes | imports.routes | events.routes | webhooks.routes | said.routes | duplicates.routes
    accesses = Accesses(access, tokens, Keys(database), more)
    app.router.routes[:] = [reads, accesses, writes, *docs.routes()]
    rules = _rules(settings, rates, log, access.credential if identify is None else nobody)
    dress = Dressing(settings.cors_origins, settings.is_https).on
    watched = partial(observe.Observe, metrics=metrics, log=log, failed=_failed, dress=dress)
    app.add_middleware(Gate, rules=rules)
    app.add_middleware(watched)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Problem, _problem)
    app.middleware_stack = reads.before(watched(Gate(reads.handle, rules)), app.build_middleware_stack())
    return app


class Upkeep:
    """Takes away what has expired before anything more is answered, and shows again what still has support."""

    def __init__(self, settings: Settings, database: Database, log: Any) -> None:
        """Use a database; its writer is opened when first needed, for most services never write."""
        self._settings, self._database, self._log = settings, database, log
        self._turn, self._due = asyncio.Lock(), asyncio.Event()
        self._opening = threading.Lock()
        self._opened: Writer | None = None
        self._ends = False

    def _writer(self) -> Writer:
        with self._opening:
            if self._opened is None:
                self._opened = Writer.open(self._settings, self._database)
            return self._opened

    async def expire(self, view: int) -> None:
        """Carry out the consents that have run out.

        Raises:
            Problem: unavailable, while the catalogue is being made anew.
        """
        async with self._turn:
            try:
                await asyncio.to_thread(lambda: retract.expire(self._writer()))
            except Closed:
                await state.wait_for_it(view)
        self._due.set()

    def wake(self) -> None:
        """Go on with the journal now: something may have come into it; on the event loop."""
        self._due.set()

    async def restore(self) -> None:
        """Work off the journal of what is to be shown anew, whoever wrote it, until told to end."""
        while not self._ends:
            self._due.clear()
            try:
                await asyncio.to_thread(self._restore)
            except Exception as error:  # the service answers on: what waits is withheld, and tried again
                self._log.warning("what waits to be shown anew could not be", type=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), LOOK_EVERY)

    def _restore(self) -> None:
        if self._database.look(lambda connection: not journal.is_empty(connection) or is_unsettled(connection)):
            writer = Writer(self._database, self._writer().vault.keys, moments.now)  # one thread, one writer
            restore(writer, lambda: not self._ends)
            with suppress(Busy):  # whoever made the view may be filling it
                prepare(writer, self._settings.home, goes_on=lambda: not self._ends)

    async def end(self, restoring: "asyncio.Task[None]") -> None:
        """End after the transaction that is under way."""
        self._ends = True
        self._due.set()
        await restoring
        if self._opened is not None:
            await self._opened.vault.keys.close()


def _rules(settings: Settings, rates: Rates, log: Any, credential: Credential) -> Rules:
    """Return what the gate before the routes holds requests to."""

    def hint() -> None:
        log.warning("requests that a proxy passed on are counted as those of one reader: set EVIDENCE_PROXIES")

    hinting = None if settings.proxies else hint
    limits = (settings.body_bytes, settings.body_seconds)
    return Rules(rates, *limits, _refuse, hinting, credential, most_of_upload(settings))


def _life(
    settings: Settings,
    database: Database | None,
    metrics: observe.Metrics,
    rates: Rates,
    upkeep: Upkeep,
    checkpointing: Checkpointing,
    shelf: Shelf,
    spool: Spool,
    shipper: Shipper,
    desk: Desk,
    turns: Turns,
    courier: Courier,
    load: Load,
    proposing: Proposing,
) -> Any:
    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[dict[str, Load]]:
        server = None
        if settings.metrics_port:
            server, _thread = start_http_server(settings.metrics_port, settings.metrics_host, metrics.registry)
        shelf.begin(PUBLIC, [kind.name for kind in KINDS if kind.date])
        shipping = asyncio.create_task(shipper.run())
        restoring = asyncio.create_task(upkeep.restore()) if database is not None else None
        signing = asyncio.create_task(checkpointing.run()) if database is not None else None
        importing = asyncio.create_task(turns.run()) if database is not None else None
        sending = asyncio.create_task(courier.run()) if database is not None else None
        try:
            yield {STATE: load}
        finally:
            if importing is not None:
                await turns.end(importing)
            if restoring is not None:
                await upkeep.end(restoring)
            if signing is not None:
                await checkpointing.end(signing)
            for task in (shipping, sending):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
            await courier.end()
            spool.close()
            await shipper.once()
            if server is not None:
                server.shutdown()
                server.server_close()
            await proposing.close()
            await desk.close()
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
