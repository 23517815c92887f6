"""The addresses that hold no records: where everything is, whether the service is well, and what each problem means."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from app.access.caller import Caller
from app.catalogue import asked, negotiate, state
from app.catalogue.answer import PUBLIC, Answer, Request, found, unchanged
from app.catalogue.listing import Reader
from app.catalogue.relations import relations
from app.core.migrations import is_current
from app.core.problems import EXPLAINED, TYPES
from app.records import KINDS

Handler = Callable[[Request, Caller, str], Awaitable[Answer]]
VERSION = "0.1.0"  # of the API: it is the software's
ALWAYS = 0  # the generation of what holds no records
TITLE = "Accountability evidence API"
ABOUT = (
    "The evidence behind accountability for human rights abuses in North Korea: what is documented, by whom, in which "
    "period, how surely."
)


def landing(base: str) -> dict[str, Any]:
    """Return the document at /v1: it links to all there is."""
    v1 = f"{base}/v1"
    names: dict[str, list[str]] = {}
    for path, name in relations():
        names.setdefault(path, []).append(f"{v1}/{path}/{{id}}/{name}")
    kinds = [
        {
            "kind": kind.name,
            "title": kind.title,
            "about": kind.about,
            "list": f"{v1}/{kind.path}",
            "record": f"{v1}/{kind.path}/{{id}}",
            "history": f"{v1}/{kind.path}/{{id}}/history",
            "proof": f"{v1}/{kind.path}/{{id}}/proof",
            "queryables": f"{v1}/{kind.path}/queryables",
            "relations": names.get(kind.path, []),
        }
        for kind in KINDS
    ]
    return {
        "title": TITLE,
        "about": ABOUT,
        "kinds": kinds,
        "examples": [
            {"asks": asks, "href": f"{v1}/{address}"}
            for asks, address in (
                ("What may have happened since 17 December 2011", "incidents?period=post-2011-12"),
                ("What surely ended before it", "incidents?period=pre-2011-12&match=within"),
                ("What began before it and went on", "incidents?boundary=2011-12-17&side=straddling"),
                ("Accounts of what may have happened since", "testimonies?period=post-2011-12"),
                ("Incidents by violation and year", "statistics/counts?group_by=violation,year"),
                ("Whatever has a word in its texts, of every kind", "search?q=Yodok"),
                ("Which periods have a name", "periods"),
            )
        ],
        "links": [
            {"rel": "self", "href": v1, "type": "application/json"},
            {"rel": "service-desc", "href": f"{base}/openapi.json", "type": "application/vnd.oai.openapi+json"},
            {"rel": "service-doc", "href": f"{base}/docs", "type": "text/html"},
            {"rel": "search", "href": f"{v1}/search", "type": "application/json"},
            {"rel": "conformance", "href": f"{v1}/conformance", "type": "application/json"},
            {"rel": "data", "href": f"{v1}/collections", "type": "application/json"},
            {"rel": "changes", "href": f"{v1}/changes", "type": "application/json"},
            {"rel": "log", "href": f"{v1}/log", "type": "application/json"},
            {"rel": "periods", "href": f"{v1}/periods", "type": "application/json"},
            {"rel": "problems", "href": f"{base}/problems", "type": "application/json"},
            {"rel": "status", "href": f"{base}/readyz", "type": "application/json"},
        ],
    }


def _plain(request: Request) -> None:
    asked.checked({}, request.scope["query_string"])
    negotiate.chosen(None, request.accept, (negotiate.JSON,))


def document(request: Request, body: bytes, links: str = "") -> Answer:
    """Return the answer that a document without records is."""
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if request.has(etag):
        return unchanged(PUBLIC, state.FRESH, request.had(etag))
    return found(PUBLIC, state.FRESH, negotiate.JSON, etag, body, links, ALWAYS)


def fixed(reader: Reader, openapi: Callable[[], bytes]) -> dict[str, Handler]:
    """Return the handlers of the addresses that hold no records."""

    async def start(request: Request, _: Caller, __: str) -> Answer:
        _plain(request)
        base = request.base(reader.public_url)
        links = f'<{base}/openapi.json>; rel="service-desc", <{base}/docs>; rel="service-doc"'
        return document(request, orjson.dumps(landing(base)), links)

    async def description(request: Request, _: Caller, __: str) -> Answer:
        _plain(request)
        return document(request, openapi())

    async def healthy(request: Request, _: Caller, __: str) -> Answer:
        _plain(request)
        return _now({"status": "ok"})

    async def ready(request: Request, _: Caller, __: str) -> Answer:
        _plain(request)
        if not await is_ready(reader):
            raise state.unavailable("The database is not reached, or its schema is not the one of this program.")
        servers = {one.name: one.state.partition(":")[0] for one in reader.database.servers()}
        return _now({"status": "ok", **({"servers": servers} if servers else {})})

    return {"/v1": start, "/openapi.json": description, "/healthz": healthy, "/readyz": ready, **_problems()}


def _now(content: dict[str, Any]) -> Answer:
    answer = found(PUBLIC, 0, negotiate.JSON, None, orjson.dumps(content))
    answer.headers = [one for one in answer.headers if one[0] != b"cache-control"] + [(b"cache-control", b"no-store")]
    return answer


async def is_ready(reader: Reader) -> bool:
    """Tell whether the database is reached and its migrations are current."""
    try:
        return await is_current(reader.database)
    except Exception:  # whatever it is that fails, the answer is no
        return False


def explained(slug: str) -> dict[str, Any]:
    """Return what a type of problem means, and how to mend it."""
    status, title = TYPES[slug]
    means, mend = EXPLAINED[slug]
    return {"type": f"/problems/{slug}", "title": title, "status": status, "means": means, "mend": mend}


def _problems() -> dict[str, Handler]:
    def one(content: Any) -> Handler:
        async def answer(request: Request, _: Caller, __: str) -> Answer:
            _plain(request)
            return document(request, orjson.dumps(content))

        return answer

    every = {slug: explained(slug) for slug in TYPES}
    pages = {f"/problems/{slug}": one(content) for slug, content in every.items()}
    return {"/problems": one({"items": list(every.values())}), **pages}
