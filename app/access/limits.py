"""Limits: how many requests one reader, or one credential, may send in a minute; and who is counted as one."""

import asyncio
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from math import ceil
from typing import Any, NamedTuple

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core.observe import Header, Scope
from app.core.problems import Problem

WINDOW = 60  # seconds
MOST = 100_000  # readers that are counted apart in one window: some 10 MB
CONNECTIONS = 64  # to the shared store, for each process
STORE_SECONDS = 0.25  # how long the shared store may take to answer
PAUSE_SECONDS = 5.0  # how long it is left alone after it did not
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address in an IPv6 one (RFC 4291, 2.5.5.2)

Who = Callable[[Scope], str]


class Addresses:
    """Tells one public reader from another by a keyed digest of the address; the address itself is kept nowhere."""

    def __init__(self, key: bytes | None = None) -> None:
        """Take a key that several nodes share, or draw one that dies with the process."""
        self._key = key or secrets.token_bytes(32)

    def __call__(self, scope: Scope) -> str:
        """Return the name under which a request is counted: 32 hexadecimal digits.

        An IPv6 address counts with its whole /64, which one household or one machine has to itself (RFC 6177). What is
        no address (a socket of the file system) is one reader.
        """
        client = scope.get("client")
        return blake2b(_network(client[0] if client else ""), key=self._key, digest_size=16).hexdigest()


def _network(host: str) -> bytes:
    try:
        if ":" not in host:
            return socket.inet_pton(socket.AF_INET, host)
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except (OSError, ValueError):
        return b""
    return packed[12:] if packed.startswith(_MAPPED) else packed[:8]


class Windows:
    """Counts of this minute and the one before, in this process: the sliding window counter of the library `limits`.

    The library's own storage in memory looks at every name it knows in a thread, up to a hundred times a second: with
    100,000 readers it costs 26 µs a request. Here a window is a dictionary that is dropped as a whole. Used by one
    thread. Where there are more than `MOST` names, newcomers are not counted: memory stays bounded, and whoever has so
    many addresses is not held back by a rate for each of them.
    """

    def __init__(self) -> None:
        """Begin at nothing."""
        self._window = 0
        self._current: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def hit(self, name: str, most: int) -> "Hit":
        """Count a request, if with it there are no more than `most` in a window; the last one weighs by the clock."""
        now = time.time()
        window, passed = divmod(now, WINDOW)
        if window != self._window:
            self._before = self._current if window == self._window + 1 else {}
            self._current, self._window = {}, int(window)
        current, before, left = self._current.get(name, 0), self._before.get(name, 0), WINDOW - passed
        taken = int(before * left / WINDOW) + current
        if taken >= most:
            return Hit(False, 0, now + (left % (WINDOW / before) if before else left))
        if current or len(self._current) < MOST:
            self._current[name] = current + 1
            taken += 1
        return Hit(True, most - taken, now + left)


class Hit(NamedTuple):
    """What came of counting a request: whether it is answered, how many more are, and when one more will be."""

    allowed: bool
    left: int
    reset: float


class Count(NamedTuple):
    """What counting says of a request: the headers of its answer, and the refusal if it is one too many."""

    headers: tuple[Header, ...]
    refusal: Problem | None = None


UNCOUNTED = Count(())


class Policy:
    """How many requests one of a class may send in a window."""

    def __init__(self, name: str, most: int) -> None:
        """State it.

        Args:
            name: of the class, as headers name it.
            most: requests; 0: without limit.
        """
        self.most = most
        self.own = Windows()
        self.item = RateLimitItemPerMinute(most, namespace=name)
        self._left = b'"%s";r=%%d;t=%%d' % name.encode()
        self._stated = b"ratelimit-policy", b'"%s";q=%d;w=%d' % (name.encode(), most, WINDOW)

    def count(self, hit: Hit) -> Count:
        """Return what is said of a request (draft-ietf-httpapi-ratelimit-headers-11)."""
        if hit.left:
            return Count((self._stated, (b"ratelimit", self._left % (hit.left, WINDOW))))
        wait = max(1, ceil(hit.reset - time.time()))
        headers = self._stated, (b"ratelimit", self._left % (0, wait))
        if hit.allowed:
            return Count(headers)
        detail = f"More than {self.most} requests came from you in a minute. Try again in {wait} seconds."
        return Count(headers, Problem("too-many-requests", detail, headers={"Retry-After": str(wait)}))


class Rates:
    """Counts requests, and refuses those that are too many.

    Every request counts one, whatever it asks and finds: so what is left tells nothing of what is hidden. Where the
    shared store does not answer, each process counts for itself until it does: nobody is refused because of it, and
    nobody is let through without bound (docs/decisions/0031).
    """

    def __init__(
        self,
        public: int,
        credential: int,
        store: str = "memory",
        key: bytes | None = None,
        warn: Callable[..., Any] | None = None,
    ) -> None:
        """Make the counts.

        Args:
            public: requests a minute from one address; 0: without limit.
            credential: the same of one credential.
            store: `memory`, or the address of a Redis server that several processes share.
            key: what the digests of addresses are made with; needed where the store is shared.
            warn: is told when the store does not answer any more.
        """
        self._public, self._credential = Policy("public", public), Policy("credential", credential)
        self._address: Who = Addresses(None if store == "memory" else key)
        self._pool = None if store == "memory" else _pool(store)
        self._shared = None if self._pool is None else SlidingWindowCounterRateLimiter(_storage(store, self._pool))
        self._warn = warn
        self._away = False
        self._paused_until = 0.0

    @property
    def off(self) -> bool:
        """Whether nothing is counted at all."""
        return not self._public.most and not self._credential.most

    def count(self, scope: Scope, credential: str = "") -> Count | Awaitable[Count]:
        """Count a request; where the store is shared, that has to be waited for.

        Args:
            scope: the request.
            credential: the id of the credential that it was proved to hold; empty: it counts for its address. One that
                is only claimed must not be given: anybody could use up another's requests.
        """
        policy = self._credential if credential else self._public
        if not policy.most:
            return UNCOUNTED
        name = credential or self._address(scope)
        if self._shared is None:
            return policy.count(policy.own.hit(name, policy.most))
        return self._of_all(self._shared, policy, name)

    async def _of_all(self, shared: SlidingWindowCounterRateLimiter, policy: Policy, name: str) -> Count:
        now = time.monotonic()
        if now >= self._paused_until:
            if self._away:
                self._paused_until = now + PAUSE_SECONDS  # this request tries; no other waits for it meanwhile
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    allowed = await shared.hit(policy.item, name)
                    reset, left = await shared.get_window_stats(policy.item, name)
                self._away, self._paused_until = False, 0.0
                return policy.count(Hit(allowed, left if allowed else 0, reset))
            except Exception as error:  # whatever it is that fails, reading goes on
                self._paused_until = now + PAUSE_SECONDS
                if not self._away and self._warn is not None:
                    kind = type(error).__name__
                    self._warn("the rate store does not answer: each process counts for itself", error=kind)
                self._away = True
        return policy.count(policy.own.hit(name, policy.most))

    async def close(self) -> None:
        """Give back the connections."""
        if self._pool is not None:
            await self._pool.aclose()


def _pool(address: str) -> BlockingConnectionPool:
    return BlockingConnectionPool.from_url(
        address,
        max_connections=CONNECTIONS,
        timeout=STORE_SECONDS,
        socket_timeout=STORE_SECONDS,
        socket_connect_timeout=STORE_SECONDS,
        retry=Retry(NoBackoff(), 1),  # a connection of a server that was started anew is found out by using it
    )


def _storage(address: str, pool: BlockingConnectionPool) -> RedisStorage:
    options: dict[str, Any] = {"connection_pool": pool}
    return RedisStorage(address, implementation="redispy", key_prefix="evidence-rate", **options)
