"""Routes of access: tokens, keys, organisations, who one is, and who has read what."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.routing import BaseRoute, Match, NoMatchFound

from app.access.bodies import Body
from app.access.caller import NOBODY, NOT_HERE, Identity, in_address, names_a_credential
from app.access.identify import Access
from app.access.keys import Keys
from app.access.managing import Managing, me
from app.access.oauth import TokenEndpoint
from app.access.secret import looks_like_one
from app.access.tokens import Tokens
from app.core.answer import (
    OPEN,
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
from app.core.problems import Fault, Problem, invalid

Handler = Callable[[Request, Identity, Body, str], Awaitable[Answer]]
Methods = dict[str, Handler]
TOKEN, JWKS = "/v1/token", "/.well-known/jwks.json"


class Accesses(BaseRoute):
    """All routes of access, found by the address; every one answers OPTIONS, and HEAD where it answers GET."""

    def __init__(self, access: Access, tokens: Tokens, keys: Keys, more: dict[str, Methods]) -> None:
        """Make the routes; `more` are those of other files, by template, that read their parameters themselves."""
        self._access = access
        self._tokens = tokens
        managing, self._endpoint = Managing(keys), TokenEndpoint(access, tokens)
        self._routes: dict[str, Methods] = {
            JWKS: {"GET": self._jwks},
            TOKEN: {"POST": self._token},
            "/v1/me": {"GET": me},
            "/v1/keys": {"GET": managing.list_keys, "POST": managing.create_key},
            "/v1/keys/{id}": {"GET": managing.get_key, "DELETE": managing.revoke_key},
            "/v1/keys/{id}/rotate": {"POST": managing.rotate_key},
            "/v1/organisations": {"GET": managing.list_organisations, "POST": managing.create_organisation},
            "/v1/organisations/{id}": {
                "GET": managing.get_organisation,
                "PATCH": managing.change_organisation,
                "DELETE": managing.revoke_organisation,
            },
            **more,
        }
        self._asking = frozenset(more)

    @property
    def templates(self) -> list[str]:
        """The templates of all routes."""
        return [*self._routes]

    def methods(self, template: str) -> list[str]:
        """Return the methods of a route, in the order in which they are told."""
        return [*self._routes[template]]

    def find(self, path: str) -> tuple[str, str] | None:
        """Return the template that an address has, and the id in it."""
        if path in self._routes and "{" not in path:
            return path, ""
        pieces = path.split("/")
        if len(pieces) < 4 or not pieces[3] or "\0" in path:  # no database is asked for an id with NUL in it
            return None
        template = "/".join([*pieces[:3], "{id}", *pieces[4:]])
        return (template, pieces[3]) if template in self._routes else None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether this answers a request."""
        found = self.find(scope["path"]) if scope["type"] == "http" else None
        return (Match.NONE, {}) if found is None else (Match.FULL, {"found": found, "template": found[0]})

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Refuse: no route here has a name."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope)
        try:
            answer = await self._answer(request, receive)
        except Problem as problem:
            answer = of_problem(problem)
        await answer.send(receive, send, scope["method"] == "HEAD")

    async def _answer(self, request: Request, receive: Receive) -> Answer:
        template, id = request.scope["found"]
        methods, method = self._routes[template], request.scope["method"]
        allow = allowed(methods)
        if method == "OPTIONS":
            return options(allow)
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            raise not_allowed(method, allow)
        body = Body(request, receive)
        if template == TOKEN:
            return await self._endpoint.answer(request, body)  # it reads the header Authorization in its own way
        if query := request.scope["query_string"]:
            if looks_like_one(query):
                raise in_address()
            if template not in self._asking:
                raise _no_parameters(query)
        who = NOBODY if template == JWKS else await self._access.identity(request.scope)
        return await handler(request, who, body, id)

    async def _token(self, request: Request, _: Identity, body: Body, __: str) -> Answer:
        return await self._endpoint.answer(request, body)

    async def _jwks(self, _: Request, __: Identity, ___: Body, ____: str) -> Answer:
        keys = await self._tokens.jwks(self._access.clock())
        headers = [*OPEN, (b"content-type", b"application/jwk-set+json"), (b"cache-control", b"public, max-age=300")]
        return Answer(200, headers, orjson.dumps(keys))


def _no_parameters(query: bytes) -> Problem:
    """Return the problem of an address that has parameters and knows none."""
    names = [unquote(pair.partition(b"=")[0].decode("ascii", "replace"))[:60] for pair in query.split(b"&") if pair]
    return invalid(
        Fault("query", name, NOT_HERE if names_a_credential(name) else "This address has no parameters.")
        for name in (names or [""])[:10]
    )
