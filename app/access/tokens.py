"""Tokens: short-lived JWTs (RFC 9068) that this service signs with Ed25519, and the keys that it signs them with."""

import asyncio
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import extract_compact
from sqlalchemy import BigInteger, Connection, bindparam, insert, select, update

from app.access import acts
from app.access.caller import Identity, unauthenticated
from app.access.tables import SIGNING_KEY
from app.core import crypto
from app.core.db import Database, Rows, Snapshot

Claims = Mapping[str, Any]

ALGORITHM = "Ed25519"  # RFC 9864: what RFC 8037 called EdDSA, with its curve said
TYPE = "at+jwt"  # RFC 9068, section 2.1
LIFE = 600  # seconds for which a token holds
LEEWAY = 5  # seconds by which the clocks of two processes may differ
SIGNS = 30 * 86_400_000  # milliseconds after which a new key signs
OVERLAP = (LIFE + 60) * 1000  # milliseconds for which the key before still verifies
_NOT_GOOD = "This token is not one of this service, or it has ended: get a new one from POST /v1/token."


class _Signer(NamedTuple):
    kid: str
    key: OKPKey


class Tokens:
    """The tokens of one service; every process with its database and master key makes and takes the same ones."""

    def __init__(self, database: Database, master: bytes, public_url: str | None) -> None:
        """Sign for the issuer that the public address is; without one, for a name that follows from the master key."""
        self._database = database
        self._sealing = crypto.derive(master, "signing-keys")
        self.issuer = public_url or f"urn:evidence:{crypto.derive(master, 'issuer', 16).hex()}"
        self._signer: _Signer | None = None
        c = SIGNING_KEY.c
        newest = select(c.kid, c.created, c.sealed).where(c.ends.is_(None)).order_by(c.created.desc()).limit(1)
        self._newest = database.prepare(newest)
        good = (c.ends.is_(None)) | (c.ends > bindparam("now", type_=BigInteger))
        self._good = database.prepare(select(c.public).where(good).order_by(c.created, c.kid))

    async def issue(self, of: Identity, prefix: str, scope: str, now: int) -> str:
        """Return a new token for a client.

        Args:
            of: the client.
            prefix: of the secret that it showed: the token ends with it.
            scope: the rights that the token has, with spaces between.
            now: in milliseconds.
        """
        signer, seconds = await self._sign_with(now), now // 1000
        claims = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": of.credential,
            "client_id": of.credential,
            "iat": seconds,
            "exp": seconds + LIFE,
            "jti": secrets.token_urlsafe(16),
            "scope": scope,
            "secret_prefix": prefix,
        }
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": signer.kid}
        return jwt.encode(header, claims, signer.key, algorithms=[ALGORITHM])

    def named(self, text: str, claims: Claims) -> tuple[str, str]:
        """Return the key and the secret that a token says it rests on: nothing is believed of it yet.

        Raises:
            Problem: unauthenticated, where it does not say.
        """
        kid, prefix = header_of(text).get("kid"), claims.get("secret_prefix")
        if not isinstance(kid, str) or not isinstance(prefix, str) or "\0" in kid + prefix:
            raise unauthenticated(_NOT_GOOD, given=True)
        return kid, prefix

    def verified(self, text: str, public: str, ends: int | None, now: int) -> Claims:
        """Return the claims of a token of ours.

        Args:
            text: the token.
            public: the public key that it names, as a JWK.
            ends: when that key ends, in milliseconds.
            now: in milliseconds.

        Raises:
            Problem: unauthenticated.
        """
        registry = jwt.JWTClaimsRegistry(
            now=now // 1000,
            leeway=LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.issuer},
            exp={"essential": True},
            sub={"essential": True},
            client_id={"essential": True},
        )
        try:
            if ends is not None and ends <= now:
                raise JoseError
            claims = _signed(text, public)
            registry.validate(dict(claims))
        except (JoseError, ValueError):
            raise unauthenticated(_NOT_GOOD, given=True) from None
        return claims

    async def jwks(self, now: int) -> dict[str, Any]:
        """Return the public keys that verify (RFC 7517)."""

        async def reading(snapshot: Snapshot) -> Rows:
            return await snapshot.all(self._good, {"now": now})

        return {"keys": [orjson.loads(row[0]) for row in await self._database.read(reading)]}

    def rotate(self, now: int, overlap: int = OVERLAP, by: acts.By = acts.OPERATOR) -> str:
        """Sign with a new key from now on; the former ones verify for `overlap` milliseconds more. Return its id."""

        def work(connection: Connection) -> str:
            return self._add(connection, now, overlap, by)

        return self._database.write(work)

    async def _sign_with(self, now: int) -> _Signer:
        async def reading(snapshot: Snapshot) -> tuple[Any, ...] | None:
            return await snapshot.one(self._newest, {})

        row = await self._database.read(reading)
        if row is None or row[1] + SIGNS <= now:
            row = await asyncio.to_thread(self._database.write, lambda connection: self._renewed(connection, now))
        kid, _, sealed = row
        if self._signer is None or self._signer.kid != kid:
            opened = crypto.unseal(self._sealing, bytes(sealed), kid.encode())
            self._signer = _Signer(kid, OKPKey.import_key(orjson.loads(opened)))
        return self._signer

    def _renewed(self, connection: Connection, now: int) -> tuple[Any, ...]:
        """Return the newest key, made now unless another process was faster."""
        c = SIGNING_KEY.c
        newest = select(c.kid, c.created, c.sealed).where(c.ends.is_(None)).order_by(c.created.desc()).limit(1)
        row = connection.execute(newest).one_or_none()
        if row is None or row[1] + SIGNS <= now:
            self._add(connection, now, OVERLAP, acts.OPERATOR)
            row = connection.execute(newest).one()
        return tuple(row)

    def _add(self, connection: Connection, now: int, overlap: int, by: acts.By) -> str:
        c, ends = SIGNING_KEY.c, now + overlap
        connection.execute(update(SIGNING_KEY).where((c.ends.is_(None)) | (c.ends > ends)).values(ends=ends))
        key = OKPKey.generate_key("Ed25519", auto_kid=True)
        public = {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}
        kid = str(public["kid"])
        sealed = crypto.seal(self._sealing, orjson.dumps(key.as_dict(private=True)), kid.encode())
        row = {"kid": kid, "created": now, "ends": None, "public": orjson.dumps(public).decode(), "sealed": sealed}
        connection.execute(insert(SIGNING_KEY).values(row))
        acts.keep(connection, now, by, "rotate-signing-key", None, None)
        return kid


def header_of(text: str) -> Claims:
    """Return the header of a token, unproved; empty where there is none."""
    try:
        return extract_compact(text.encode()).headers()
    except (JoseError, ValueError):
        return {}


def claims_of(text: str) -> Claims | None:
    """Return the claims of a token, unproved: only for finding who could have signed it."""
    try:
        claims = orjson.loads(extract_compact(text.encode()).payload)
    except (JoseError, ValueError):
        return None
    return claims if isinstance(claims, dict) else None


@lru_cache(1024)
def _signed(text: str, public: str) -> Claims:
    """Return the claims of a token signed with a key: a signature that was good once stays good.

    Raises:
        JoseError: it is not signed so, or is of another type.
    """
    token = jwt.decode(text, OKPKey.import_key(orjson.loads(public)), algorithms=[ALGORITHM])
    if token.header.get("typ") != TYPE:
        raise JoseError
    return token.claims
