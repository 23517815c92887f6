"""Posting: one attempt to hand one message over, within a time, by encrypted and guarded connections."""

import asyncio
import math
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore2

from app.exchange.hooks.addresses import Guarded, NotAllowed, Resolve, Resolver, Rules
from app.exchange.hooks.outbox import DELIVERED, GONE, Outcome

MOST_ANSWER = 65_536  # bytes of an answer that are read, and thrown away
AT_ONCE = 16  # connections of one process


class Post:
    """Sends to receivers. No redirect is followed, no proxy used, and nothing of an answer is kept but its status."""

    def __init__(
        self,
        rules: Rules,
        seconds: float,
        resolve: Resolve | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Send by these rules, each attempt within `seconds`; certificates are held to what the system trusts."""
        self.rules, self.seconds = rules, seconds
        self._own = Resolver(AT_ONCE) if resolve is None else None
        self._resolve: Resolve = resolve or self._own  # type: ignore[assignment]
        self._trust = trust
        self._pool: httpcore2.AsyncConnectionPool | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send one message; whatever happens is an outcome."""
        try:
            self.rules.check(url)  # they may be stricter than when the webhook was made
            async with asyncio.timeout(self.seconds):
                return await self._send(url, headers, body)
        except NotAllowed:
            return Outcome("address")
        except (TimeoutError, httpcore2.TimeoutException):
            return Outcome("timeout")
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol):
            return Outcome("protocol")
        except (httpcore2.NetworkError, OSError) as error:
            return Outcome("tls" if _is_tls(error) else "connection")

    async def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        if self._pool is None:
            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=self._trust or httpcore2.default_ssl_context(),
                max_connections=AT_ONCE,
                max_keepalive_connections=AT_ONCE,
                keepalive_expiry=10,
                network_backend=Guarded(self.rules, self._resolve),
            )
        async with self._pool.stream("POST", url, headers=[*headers.items()], content=body) as response:
            size = 0
            async for piece in response.aiter_stream():
                size += len(piece)
                if size > MOST_ANSWER:
                    break
            return _outcome(response.status, response.headers)

    async def close(self) -> None:
        """Give back every connection."""
        if self._pool is not None:
            await self._pool.aclose()
        if self._own is not None:
            self._own.close()


def _outcome(status: int, headers: list[tuple[bytes, bytes]]) -> Outcome:
    if 200 <= status < 300:
        return Outcome(DELIVERED, status)
    if status == 410:
        return Outcome(GONE, status)
    asked = next((value for name, value in headers if name.lower() == b"retry-after"), None)
    return Outcome("refused", status, None if asked is None else seconds_asked(asked.decode("latin-1")))


def seconds_asked(text: str) -> float | None:
    """Return the seconds that a header Retry-After asks to wait (RFC 9110, section 10.2.3); None if it is none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    left = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return max(0.0, left) if math.isfinite(left) else None


def _is_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
