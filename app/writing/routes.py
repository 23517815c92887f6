"""Routes that write, and what owners read: made from the kinds, found by a dictionary; each decides first who may."""

from typing import Any

from starlette.routing import BaseRoute, Match, NoMatchFound

from app.access.audit import Trails
from app.access.identify import Access
from app.catalogue.asked import is_address
from app.core.answer import (
    CLOSED,
    Answer,
    Receive,
    Request,
    Scope,
    Send,
    allowed,
    not_allowed,
    of_problem,
    options,
)
from app.core.ids import k_of
from app.core.problems import Fault, Problem, not_found
from app.intake.world import PEOPLE
from app.records import KINDS, Kind
from app.writing.desk import Desk
from app.writing.handling import TELLS, WHO, Asking, Handler, Repeating, Writing
from app.writing.merging import Merging

Found = tuple[str, Kind, str | None]  # template, kind, id of the one record


class Writes(BaseRoute):
    """All routes of writing. Where something is read under the same address, its other methods are left to that."""

    def __init__(self, desk: Desk, access: Access, trails: Trails) -> None:
        """Make the routes of every kind."""
        self._desk, self._access, self._trails = desk, access, trails
        repeating = Repeating(desk)
        writing, merging = Writing(desk, repeating), Merging(desk, repeating)
        self._of_kinds = {kind.path: kind for kind in KINDS}
        self._methods: dict[str, dict[str, Handler]] = {}
        for kind in KINDS:
            base = f"/v1/{kind.path}"
            one: dict[str, Handler] = {"PUT": writing.put, "PATCH": writing.patch, "DELETE": writing.delete}
            self._methods[base], self._methods[f"{base}/{{id}}"] = {"POST": writing.post}, one
            self._methods[f"{base}/{{id}}/submitted"] = {"GET": writing.submitted}
            self._methods[f"{base}/{{id}}/disclosure"] = {"GET": writing.disclosed}
            self._methods[f"{base}/{{id}}/recipients"] = {"GET": writing.recipients}
            self._methods[f"{base}/{{id}}/merge"] = {"POST": merging.merge, "DELETE": merging.unmerge}
            if kind.name in PEOPLE:
                self._methods[f"{base}/{{id}}/withdrawal"] = {"POST": writing.withdraw}
                self._methods[f"{base}/{{id}}/objection"] = {"POST": writing.objected}
        self.beside = {name: [*these] for name, these in self._methods.items() if name.count("/") == 2 + ("{" in name)}

    @property
    def templates(self) -> list[str]:
        """The templates of the routes that are read nowhere else."""
        return [name for name in self._methods if name not in self.beside]

    def methods(self, template: str) -> list[str]:
        """Return the methods of a route, in the order in which they are told."""
        return [*self._methods[template]]

    def find(self, path: str) -> Found | None:
        """Return what an address is."""
        pieces = path.split("/")
        if not 3 <= len(pieces) <= 5 or pieces[1] != "v1" or pieces[2] not in self._of_kinds or not pieces[-1]:
            return None
        if pieces[3:] == ["queryables"]:  # what stands there is no record
            return None
        kind = self._of_kinds[pieces[2]]
        if len(pieces) == 3:
            return path, kind, None
        template = "/".join([*pieces[:3], "{id}", *pieces[4:]])
        return (template, kind, pieces[3]) if template in self._methods else None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether this answers a request."""
        found = self.find(scope["path"]) if scope["type"] == "http" else None
        if found is None or (found[0] in self.beside and scope["method"] not in self.beside[found[0]]):
            return Match.NONE, {}
        return Match.FULL, {"found": found, "template": found[0]}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Refuse: no route here has a name."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; it is accounted for before its first byte."""
        request = Request(scope)
        try:
            answer = await self._answer(request, receive)
        except Problem as problem:
            answer = of_problem(problem)
        if request.trail is not None:
            try:
                if (id := scope.get(TELLS)) is not None:
                    await request.trail.shown((k_of(id),))
                await request.trail.answered(answer.status)
            except Problem as problem:
                answer = _unaccounted(answer, scope["method"], problem)
        await answer.send(receive, send, scope["method"] == "HEAD")

    async def _answer(self, request: Request, receive: Receive) -> Answer:
        template, kind, id = request.scope["found"]
        methods, method = self._methods[template], request.scope["method"]
        allow = allowed(methods)
        if method == "OPTIONS":
            return options(allow)
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            raise not_allowed(method, allow)
        who = await self._access.identity(request.scope)
        who.require(*(WHO[:1] if id is None else WHO))
        request.trail = self._trails.begin(request.scope, who.as_owner(), id or "")
        if id is not None and not is_address(id):
            if method == "PUT":  # nothing can be there, and nothing be made there
                raise Problem("invalid-request", _NO_ID, (Fault("body", "/id", _NO_ID),))
            raise not_found()
        return await handler(Asking(request, receive, kind, id, who, await self._desk.asker(who)))


_NO_ID = "The id in the address is none: lower-case letters, digits, dots and hyphens, at most 121."


def _unaccounted(answer: Answer, method: str, problem: Problem) -> Answer:
    """Return an answer of which no account can be kept: what was written is told of, and nothing of it is shown."""
    if method in ("GET", "HEAD") or answer.status >= 400:
        return of_problem(problem)
    kept = [one for one in answer.headers if one[0] in (b"etag", b"location")]
    return Answer(201 if answer.status == 201 else 204, [*CLOSED, *kept])
