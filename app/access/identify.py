"""Identifying: from the header Authorization to whom it belongs, by one indexed read that nobody keeps."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sqlalchemy import Select, String, bindparam, select

from app.access import secret
from app.access.caller import ANONYMOUS, NOBODY, Allowed, Caller, Identity, identity, unauthenticated
from app.access.issuer import Issuer
from app.access.tables import (
    CREDENTIAL,
    CREDENTIAL_VIEW,
    ORGANISATION,
    ORGANISATION_VIEW,
    SECRET,
    SIGNING_KEY,
    VIEW,
)
from app.access.tokens import Claims, Tokens, claims_of
from app.core import moments
from app.core.db import Database, Prepared, Rows, Snapshot
from app.core.moments import iso
from app.core.problems import Problem

MOST = 8192  # bytes of a credential that are looked at
Scope = MutableMapping[str, Any]
_NOT_BEARER = "The header Authorization is `Bearer`, a space, and an API key or a token."
_FOUND = "access.found"  # of a request's scope: the identity that was looked up, or why there is none
_UNKNOWN = "This credential is not known here, or is not whole."


class Access:
    """Who asks: credentials of one database, looked up anew for each request."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        issuer: Issuer | None = None,
        clock: Callable[[], int] = moments.now,
    ) -> None:
        """Look credentials up in a database; tokens of an outside issuer hold where one is configured."""
        self._database = database
        self._tokens = tokens
        self._issuer = issuer
        self.clock = clock
        self._by_prefix = database.prepare(_of_secret())
        self._by_token = database.prepare(_of_token())
        self._by_subject = database.prepare(_of_subject())

    def caller(self, scope: Scope) -> Caller | Awaitable[Caller]:
        """Return who asks, in a view; without credentials at once, and without any read.

        Raises:
            Problem: unauthenticated, forbidden, or invalid-request (the header Purpose).
        """
        return ANONYMOUS if _given(scope) is None else self._caller(scope)

    async def _caller(self, scope: Scope) -> Caller:
        return (await self.identity(scope)).for_purpose(purpose_of(scope))

    async def identity(self, scope: Scope) -> Identity:
        """Return whom the credential of a request belongs to, whatever its views; looked up once for each request.

        Raises:
            Problem: unauthenticated.
        """
        found: Identity | Problem | None = scope.get(_FOUND)
        if found is None:
            try:
                given = _given(scope)
                found = NOBODY if given is None else await self._known(given)
            except Problem as problem:
                found = problem
            scope[_FOUND] = found
        if isinstance(found, Problem):
            raise found
        return found

    def credential(self, scope: Scope) -> str | Awaitable[str]:
        """Return the id of the credential that a request was proved to hold; empty without one that holds."""
        return self._credential(scope) if any(name == b"authorization" for name, _ in scope["headers"]) else ""

    async def _credential(self, scope: Scope) -> str:
        try:
            return (await self.identity(scope)).credential or ""
        except Problem:
            return ""  # it counts for its address; the route answers it

    async def client(self, id: str, text: str) -> tuple[Identity, str] | None:
        """Return an OAuth client by its id and its secret, and the prefix of that; None where they do not hold."""
        prefix = secret.prefix_of(text, secret.CLIENT)
        rows = [] if prefix is None else await self._rows(self._by_prefix, prefix=prefix)
        same = secret.is_same(text, bytes(rows[0][0]) if rows else None)
        if prefix is None or not rows or not same or rows[0][2] != id:
            return None
        try:
            return self._holding(rows), prefix
        except Problem:
            return None

    async def _known(self, given: bytes) -> Identity:
        scheme, _, rest = given.partition(b" ")
        text = rest.strip().decode("ascii", "replace")
        if scheme.lower() != b"bearer" or not text or len(given) > MOST:
            raise unauthenticated(_NOT_BEARER, given=True)
        if "." in text:
            return await self._by_jwt(text)
        if secret.prefix_of(text, secret.CLIENT) is not None:
            raise unauthenticated("This is the secret of a client: get a token for it from POST /v1/token.", given=True)
        prefix = secret.prefix_of(text, secret.KEY)
        rows = [] if prefix is None else await self._rows(self._by_prefix, prefix=prefix)
        if not secret.is_same(text, bytes(rows[0][0]) if rows else None) or not rows:
            raise unauthenticated(_UNKNOWN, given=True)
        return self._holding(rows)

    async def _by_jwt(self, text: str) -> Identity:
        claims = claims_of(text)
        if claims is None:
            raise unauthenticated(_UNKNOWN, given=True)
        if self._issuer is not None and claims.get("iss") == self._issuer.name:
            subject = await self._issuer.subject(text, self.clock())
            rows = await self._rows(self._by_subject, issuer=self._issuer.name, subject=subject)
            if not rows:
                raise unauthenticated("Its issuer is known, and this subject has no credential here.", given=True)
            return self._holding(rows)
        return await self._by_token_of_ours(text, claims)

    async def _by_token_of_ours(self, text: str, stated: Claims) -> Identity:
        kid, prefix = self._tokens.named(text, stated)
        rows = await self._rows(self._by_token, prefix=prefix, kid=kid)
        if not rows:
            raise unauthenticated(_UNKNOWN, given=True)
        public, ends = rows[0][-2:]
        claims = self._tokens.verified(text, public, ends, self.clock())
        if claims["client_id"] != rows[0][2]:
            raise unauthenticated(_UNKNOWN, given=True)
        return self._holding(rows, claims.get("scope", ""))

    async def _rows(self, statement: Prepared, **values: Any) -> Rows:
        async def reading(snapshot: Snapshot) -> Rows:
            return await snapshot.all(statement, values)

        return await self._database.read(reading)

    def _holding(self, rows: Rows, scope: str | None = None) -> Identity:
        """Return whom a credential that was proved belongs to, if it still holds.

        Raises:
            Problem: unauthenticated, saying what ended it.
        """
        now, first = self.clock(), rows[0]
        _, secret_ends, id, kind, name, organisation, roles, ends, revoked, gone, operator = first[:11]
        if revoked is not None or gone is not None:
            raise unauthenticated("This credential was revoked.", given=True)
        for end in (secret_ends, ends):
            if end is not None and end <= now:
                raise unauthenticated(f"This credential ended at {iso(end)}.", given=True)
        allowed = roles.split()
        return identity(
            organisation,
            id,
            kind=kind,
            name=name,
            roles=allowed if scope is None else [role for role in allowed if role in scope.split()],
            views=[Allowed(*row[11:14]) for row in rows if row[11] is not None],
            operator=bool(operator),
            expires=min((end for end in (secret_ends, ends) if end is not None), default=None),
        )


def anew(scope: Scope) -> Scope:
    """Return the scope of a request as it came, so that who asks is looked up once more."""
    return {name: value for name, value in scope.items() if name != _FOUND}


def purpose_of(scope: Scope) -> str | None:
    """Return the header Purpose of a request."""
    given = [value for name, value in scope["headers"] if name == b"purpose"]
    return b",".join(given).decode("ascii", "replace").strip() if given else None


def _given(scope: Scope) -> bytes | None:
    """Return the header Authorization.

    Raises:
        Problem: unauthenticated, where there are two.
    """
    given: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if given is not None:
                raise unauthenticated("There are two headers Authorization.", given=True)
            given = value
    return given


def _columns() -> list[Any]:
    """The columns of what is found, in the order in which `_holding` reads them."""
    credential, organisation = CREDENTIAL.c, ORGANISATION.c
    return [
        SECRET.c.digest,
        SECRET.c.expires,
        credential.id,
        credential.kind,
        credential.name,
        credential.organisation,
        credential.roles,
        credential.expires,
        credential.revoked,
        organisation.revoked.label("gone"),
        organisation.operator,
        VIEW.c.id.label("view"),
        VIEW.c.audience,
        VIEW.c.purpose,
    ]


def _with_views(begin: Any) -> Any:
    """Join the views that both a credential and its organisation have: none, or a row for each."""
    mine, ours = CREDENTIAL_VIEW.c, ORGANISATION_VIEW.c
    joined = begin.join(ORGANISATION, ORGANISATION.c.id == CREDENTIAL.c.organisation)
    joined = joined.outerjoin(CREDENTIAL_VIEW, mine.credential == CREDENTIAL.c.id)
    joined = joined.outerjoin(
        ORGANISATION_VIEW, (ours.organisation == CREDENTIAL.c.organisation) & (ours.view == mine.view)
    )
    return joined.outerjoin(VIEW, (VIEW.c.id == ours.view) & (VIEW.c.state != "retired"))


def _of_secret() -> "Select[Any]":
    begin = SECRET.join(CREDENTIAL, CREDENTIAL.c.id == SECRET.c.credential)
    statement = select(*_columns()).select_from(_with_views(begin))
    return statement.where(SECRET.c.prefix == bindparam("prefix", type_=String)).order_by(VIEW.c.id)


def _of_token() -> "Select[Any]":
    """A token's secret, and the key that it says it was signed with: one read for both."""
    key = SIGNING_KEY.c
    begin = SECRET.join(CREDENTIAL, CREDENTIAL.c.id == SECRET.c.credential)
    begin = begin.join(SIGNING_KEY, key.kid == bindparam("kid", type_=String))
    statement = select(*_columns(), key.public, key.ends).select_from(_with_views(begin))
    return statement.where(SECRET.c.prefix == bindparam("prefix", type_=String)).order_by(VIEW.c.id)


def _of_subject() -> "Select[Any]":
    c = CREDENTIAL.c
    begin = CREDENTIAL.outerjoin(SECRET, SECRET.c.credential == c.id)
    statement = select(*_columns()).select_from(_with_views(begin))
    of = c.issuer == bindparam("issuer", type_=String), c.subject == bindparam("subject", type_=String)
    return statement.where(*of, c.revoked.is_(None)).order_by(VIEW.c.id)
