"""Routes: every address that is read, made from the kinds in one place; found by a dictionary, not by patterns."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp

from app.access.audit import Trails
from app.access.caller import ANONYMOUS, PUBLIC, Caller, Identify, in_address
from app.access.secret import looks_like_one
from app.catalogue.answer import Answer, Receive, Request, Scope, Send, of_problem, options
from app.catalogue.asked import is_address
from app.catalogue.hot import Hot
from app.catalogue.landing import Handler
from app.catalogue.leads import Leads
from app.catalogue.listing import Listing, Reader
from app.catalogue.queryables import Queryables
from app.catalogue.record import Record
from app.catalogue.relations import relations
from app.core.answer import not_allowed
from app.core.problems import Problem, not_found
from app.records import BY_NAME, BY_PATH, KINDS

ALLOW = "GET, HEAD, OPTIONS"
Found = tuple[str, Handler, str, bool]  # template, handler, id of the one record, whether it matters who asks


class Reads(BaseRoute):
    """All routes that read. It answers GET, HEAD and OPTIONS; other methods are left to other routes, or are 405."""

    def __init__(
        self,
        reader: Reader,
        identify: Identify,
        trails: Trails,
        hot: Hot,
        fixed: dict[str, Handler],
        viewed: Mapping[str, Handler] = MappingProxyType({}),
        beside: Mapping[str, Sequence[str]] = MappingProxyType({}),
        below: Mapping[str, Handler] = MappingProxyType({}),
        ones: Mapping[tuple[str, str], Handler] = MappingProxyType({}),
    ) -> None:
        """Make the routes of every kind.

        Args:
            reader: reads views.
            identify: who asks.
            trails: the account of reads.
            hot: the answers that are kept.
            fixed: addresses that are alike for everybody.
            viewed: addresses with no record in them that depend on who asks.
            beside: methods that other routes answer under these templates.
            below: addresses below which there is one record each that depends on who asks.
            ones: what there is of each record beside it, by the path of its kind and a name.
        """
        self._allow = {one: ", ".join(("GET", "HEAD", *more, "OPTIONS")) for one, more in beside.items()}
        self._identify = identify
        self._trails = trails
        self._hot = hot
        self._leads = Leads(reader)
        self._fixed: dict[str, Found] = {path: (path, handler, "", False) for path, handler in fixed.items()}
        self._fixed |= {path: (path, handler, "", True) for path, handler in viewed.items()}
        self._below = {path: (f"{path}/{{id}}", handler) for path, handler in below.items()}
        self._ones: dict[tuple[str, str], tuple[str, Handler]] = {}
        for kind in KINDS:
            base, record = f"/v1/{kind.path}", Record(reader, kind)
            self._fixed[base] = (base, Listing(reader, kind).answer, "", True)
            self._fixed[f"{base}/queryables"] = (f"{base}/queryables", Queryables(reader, kind).answer, "", True)
            self._ones[kind.path, ""] = (base + "/{id}", record.answer)
            self._ones[kind.path, "history"] = (base + "/{id}/history", record.history)
        for (path, name), beside_it in ones.items():
            self._ones[path, name] = (f"/v1/{path}/{{id}}/{name}", beside_it)
        for (path, name), relation in relations().items():
            handler = Listing(reader, BY_NAME[relation.to], relation).answer
            self._ones[path, name] = (f"/v1/{path}/{{id}}/{name}", handler)

    @property
    def templates(self) -> list[str]:
        """The templates of all routes."""
        ones = (*self._ones.values(), *self._below.values())
        return [one[0] for one in self._fixed.values()] + [one[0] for one in ones]

    def find(self, path: str) -> Found | None:
        """Return what answers an address."""
        if (fixed := self._fixed.get(path)) is not None:
            return fixed
        pieces = path.split("/")
        if not 4 <= len(pieces) <= 5 or pieces[1] != "v1" or pieces[2] not in BY_PATH:
            above, _, last = path.rpartition("/")
            return (*self._below[above], last, True) if last and above in self._below else None
        one = self._ones.get((pieces[2], pieces[4] if len(pieces) == 5 else "")) if pieces[-1] else None
        return None if one is None else (*one, pieces[3], True)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether this answers a request."""
        found = self.find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            return Match.NONE, {}
        reads = scope["method"] in ("GET", "HEAD", "OPTIONS")
        return (Match.FULL if reads else Match.PARTIAL), {"found": found, "template": found[0]}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Refuse: no route here has a name."""
        raise NoMatchFound(name, path_params)

    def before(self, read: ASGIApp, app: ASGIApp) -> ASGIApp:
        """Return an app that gives what is read here to one app, which ends in `handle`, and the rest to another one.

        The framework's own way to a route (six more layers, some made anew for a request) costs as much as a record.
        """

        async def first(scope: Scope, receive: Receive, send: Send) -> None:
            match, found = self.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                await read(scope, receive, send)
            else:
                await app(scope, receive, send)

        return first

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; in another view than that of everybody, it is accounted for before its first byte."""
        method, request = scope["method"], Request(scope)
        try:
            answer = await self._answer(request, method)
        except Problem as problem:
            answer = of_problem(problem)
        if "http.response.trailers" not in scope.get("extensions", ()):
            answer.trailers = {}
        try:
            if request.trail is not None:
                await request.trail.answered(answer.status)
            await answer.send(receive, send, method == "HEAD")
        except Problem as problem:
            await of_problem(problem).send(receive, send, method == "HEAD")

    async def _answer(self, request: Request, method: str) -> Answer:
        found: Found = request.scope["found"]
        template, handler, one, by_view = found
        if method == "OPTIONS":
            return options(self._allow.get(template, ALLOW))
        if method not in ("GET", "HEAD"):
            raise not_allowed(method, self._allow.get(template, ALLOW))
        caller: Any = ANONYMOUS
        if by_view:
            if (query := request.scope["query_string"]) and looks_like_one(query):
                raise in_address()
            caller = self._identify(request.scope)
            if not isinstance(caller, Caller):
                caller = await caller
            if caller.view != PUBLIC:
                request.trail = self._trails.begin(request.scope, caller, one)
        if one and not is_address(one):
            raise not_found()
        key = self._hot.key(request, caller.view if by_view else None)
        answer = None if key is None else await self._hot.find(key, request)
        if answer is None:
            answer = await self._made(request, caller)
            answer.pack(request.accepted)
            if key is not None:
                self._hot.put(key, request, answer)
        if request.has_any and answer.etag is not None and isinstance(answer.body, bytes):
            return answer.bare()
        return answer

    async def _made(self, request: Request, caller: Caller) -> Answer:
        """Make an answer; where a record is not under its id any more, one that leads to where it is."""
        found: Found = request.scope["found"]
        template, handler, one, _ = found
        try:
            return await handler(request, caller, one)
        except Problem as problem:
            led = None
            if one and problem.type == "not-found":
                led = await self._leads.answer(request, caller.view, template.partition("/{id}")[0], one)
            if led is None:
                raise
            return led
