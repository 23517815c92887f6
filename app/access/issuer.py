"""An outside issuer: tokens of an OpenID Connect provider that the operator trusts, checked by its published keys."""

import asyncio
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.access.caller import unauthenticated
from app.access.tokens import header_of
from app.core.problems import Problem
from app.core.settings import Settings, is_safe

Fetch = Callable[[str], Any]

KEPT = 600.0  # seconds for which its keys are kept
SOONEST = 30.0  # seconds between two fetches, whatever keys tokens name
AGAIN = 10.0  # seconds after one that failed, for which tokens of unknown keys are told to wait
SECONDS = 5  # for one fetch
MOST = 1 << 18  # bytes of one document
LEEWAY = 30  # seconds by which the clocks may differ
_NOT_GOOD = "This token of the outside issuer does not hold: it has ended, is not for this service, or is not its own."


class Issuer:
    """One outside issuer: its name, for whom its tokens have to be, and the algorithms that are taken."""

    def __init__(self, name: str, audience: str, algorithms: tuple[str, ...], fetch: Fetch | None = None) -> None:
        """Trust an issuer; nothing is fetched before its first token comes."""
        self.name = name
        self._audience = audience
        self._algorithms = algorithms
        self._fetch = fetch or _document
        self._keys: KeySet | None = None
        self._asked = -KEPT
        self._failed = False
        self._turn = asyncio.Lock()

    @classmethod
    def of(cls, settings: Settings) -> "Issuer | None":
        """Return the issuer of the settings, if there is one."""
        if settings.oidc_issuer is None:
            return None
        return cls(settings.oidc_issuer, settings.oidc_audience or "", settings.oidc_algorithms)

    async def subject(self, text: str, now: int) -> str:
        """Return whom a token of this issuer is of (OpenID Connect Core, section 3.1.3.7).

        Args:
            text: the token.
            now: in milliseconds.

        Raises:
            Problem: unauthenticated; unavailable, where its keys cannot be had.
        """
        header = header_of(text)
        if header.get("alg") not in self._algorithms:
            raise unauthenticated(_NOT_GOOD, given=True)
        keys = await self._keys_with(header.get("kid"))
        registry = jwt.JWTClaimsRegistry(
            now=now // 1000,
            leeway=LEEWAY,
            iss={"essential": True, "value": self.name},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(text, keys, algorithms=list(self._algorithms)).claims
            registry.validate(claims)
        except (JoseError, ValueError):
            raise unauthenticated(_NOT_GOOD, given=True) from None
        return str(claims["sub"])

    async def _keys_with(self, kid: Any) -> KeySet:
        """Return its keys: fetched anew when they are old, or when a token names one that is not among them.

        Nobody who makes up keys, or an issuer's name, has more fetched than that, or makes holders of good tokens wait.
        """
        if self._is_due(kid):
            async with self._turn:
                if self._is_due(kid):
                    try:
                        self._keys = await asyncio.to_thread(self._fetch_keys)
                        self._failed = False
                    except (OSError, HTTPException, ValueError, TypeError, LookupError, JoseError):
                        self._failed = True
                    self._asked = time.monotonic()
        if self._keys is None or (self._failed and not self._has(kid)):
            again = {"Retry-After": str(int(AGAIN))}
            raise Problem(
                "unavailable", "The keys of the outside issuer cannot be had now. Try again later.", headers=again
            )
        return self._keys

    def _is_due(self, kid: Any) -> bool:
        age = time.monotonic() - self._asked
        return age >= KEPT or (age >= (AGAIN if self._failed else SOONEST) and not self._has(kid))

    def _has(self, kid: Any) -> bool:
        return self._keys is not None and any(key.kid == kid for key in self._keys.keys)

    def _fetch_keys(self) -> KeySet:
        about = self._fetch(f"{self.name.rstrip('/')}/.well-known/openid-configuration")
        if not isinstance(about, dict) or about.get("issuer") != self.name:
            raise ValueError("the document is of another issuer")
        found = self._fetch(str(about["jwks_uri"])) if "jwks_uri" in about else None
        if not isinstance(found, dict):
            raise ValueError("there are no keys")
        return KeySet.import_key_set(found)  # type: ignore[arg-type]


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: where the keys are is what the operator said."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _document(address: str) -> Any:
    """Return the JSON document at an address.

    Raises:
        OSError: it cannot be had.
        ValueError: it is not one, is too long, or stands where anybody between could change it.
    """
    if not is_safe(address):
        raise ValueError("an issuer is asked by https only")
    opener = urllib.request.build_opener(_Stay)
    with opener.open(address, timeout=SECONDS) as answer:
        body = answer.read(MOST + 1)
    if len(body) > MOST:
        raise ValueError("the document is too long")
    return orjson.loads(body)
