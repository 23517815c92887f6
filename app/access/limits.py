"""Limits: how many requests one reader, or one credential, may send in a minute; and who is counted as one."""

import asyncio
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import Any

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter as SharedLimiter
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter as OwnLimiter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core.observe import Scope
from app.core.problems import Problem

WINDOW = 60  # seconds
MOST = 100_000  # readers that are counted apart in one window: some 20 MB
CONNECTIONS = 64  # to the shared store, for each process
STORE_SECONDS = 0.25  # how long the shared store may take to answer
PAUSE_SECONDS = 5.0  # how long it is left alone after it did not
_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address in an IPv6 one (RFC 4291, 2.5.5.2)

Header = tuple[bytes, bytes]
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


class Windows(MemoryStorage):
    """Counts of this minute and the one before, in this process.

    The library's own storage looks at every name it knows in a thread of its own, up to a hundred times a second: with
    100,000 readers it costs 26 µs a request. Here a window is a dictionary that is dropped as a whole. Used by one
    thread. Where there are more than `MOST` names, newcomers are not counted: memory stays bounded, and whoever has so
    many addresses is not held back by a rate for each of them.
    """

    STORAGE_SCHEME: list[str] = []  # not to be had by an address

    def __init__(self) -> None:
        """Begin at nothing."""
        super().__init__()
        self._window = 0
        self._current: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a request, if with it there are no more than `limit` in `expiry` seconds (weighted by the clock)."""
        before, left, current, _ = self.get_sliding_window(key, expiry)
        if int(before * left / expiry + current) + amount > limit:
            return False
        if current or len(self._current) < MOST:
            self._current[key] = current + amount
        return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return the count of the last window, how long it still weighs, that of this one, and how long it will."""
        now = time.time()
        window = int(now // expiry)
        if window != self._window:
            self._before = self._current if window == self._window + 1 else {}
            self._current, self._window = {}, window
        left = expiry - now % expiry
        before = self._before.get(key, 0)
        return before, (left if before else 0.0), self._current.get(key, 0), left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget a name."""
        self._current.pop(key, None)
        self._before.pop(key, None)


class _PerMinute(RateLimitItemPerMinute):
    """So many a minute, with a shorter key than the library's: it is made twice a request."""

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return f"{self.namespace}/{identifiers[0]}"  # type: ignore[str-bytes-safe]


@dataclass(frozen=True, slots=True)
class Policy:
    """How many requests one of a class may send in a window."""

    name: str
    item: _PerMinute
    stated: bytes  # the header RateLimit-Policy

    @classmethod
    def of(cls, name: str, many: int) -> "Policy | None":
        """Return the policy of so many a minute; none for 0."""
        if not many:
            return None
        return cls(name, _PerMinute(many, namespace=name), b'"%s";q=%d;w=%d' % (name.encode(), many, WINDOW))


class Rates:
    """Counts requests, and refuses those that are too many.

    Every request counts one, whatever it asks and finds: so what is left tells nothing of what is hidden. Where the
    shared store does not answer, each process counts for itself until it does: nobody is refused because of it, and
    nobody is let through without bound (docs/decisions/0031-…).
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
            warn: is told, once each time, when the store does not answer.
        """
        self._public, self._credential = Policy.of("public", public), Policy.of("credential", credential)
        self._address: Who = Addresses(None if store == "memory" else key)
        self._own = OwnLimiter(Windows())
        self._pool = None if store == "memory" else _pool(store)
        self._shared = None if self._pool is None else SharedLimiter(_storage(store, self._pool))
        self._warn = warn
        self._paused_until = 0.0

    @property
    def off(self) -> bool:
        """Whether nothing is counted at all."""
        return self._public is None and self._credential is None

    async def count(self, scope: Scope, credential: str = "") -> list[Header]:
        """Count a request.

        Args:
            scope: the request.
            credential: the id of the credential that it was proved to hold; empty: it counts for its address. One that
                is only claimed must not be given: anybody could use up another's requests.

        Returns:
            The headers RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11), or none.

        Raises:
            Problem: too-many-requests.
        """
        policy = self._credential if credential else self._public
        if policy is None:
            return []
        name = credential or self._address(scope)
        allowed, left, reset = self._of_own(policy, name) if self._shared is None else await self._of_all(policy, name)
        wait = WINDOW if left else max(1, ceil(reset - time.time()))
        headers = [
            (b"ratelimit-policy", policy.stated),
            (b"ratelimit", b'"%s";r=%d;t=%d' % (policy.name.encode(), left, wait)),
        ]
        if allowed:
            return headers
        raise _refused(policy, wait, headers)

    def _of_own(self, policy: Policy, name: str) -> tuple[bool, int, float]:
        allowed = self._own.hit(policy.item, name)
        reset, left = self._own.get_window_stats(policy.item, name)
        return allowed, (left if allowed else 0), reset

    async def _of_all(self, policy: Policy, name: str) -> tuple[bool, int, float]:
        assert self._shared is not None  # noqa: S101 - asked only where there is one
        if time.time() >= self._paused_until:
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    allowed = await self._shared.hit(policy.item, name)
                    reset, left = await self._shared.get_window_stats(policy.item, name)
                return allowed, (left if allowed else 0), reset
            except Exception as error:  # whatever it is that fails, reading goes on
                self._paused_until = time.time() + PAUSE_SECONDS
                if self._warn is not None:
                    self._warn(
                        "the rate store does not answer: each process counts for itself", error=type(error).__name__
                    )
        return self._of_own(policy, name)

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


def _refused(policy: Policy, wait: int, headers: list[Header]) -> Problem:
    return Problem(
        "too-many-requests",
        f"More than {policy.item.amount} requests came from you in a minute. Try again in {wait} seconds.",
        headers={"Retry-After": str(wait), **{name.decode(): value.decode() for name, value in headers}},
    )
