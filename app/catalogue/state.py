"""The state of a view, read in the snapshot of each request: its generation, and whether it may answer."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from app.catalogue.query import Queries
from app.core.db import Snapshot
from app.core.problems import Problem

Expire = Callable[[int], Awaitable[None]]
T = TypeVar("T")

FRESH = 60  # seconds that a cache between may serve an answer for
ROUNDING = 1  # caches count in whole seconds, and may keep an answer for one more than they were told


class Expired(Exception):
    """Something in a view has expired, and has to leave it before it answers."""


class State(NamedTuple):
    """A view in one snapshot."""

    view: int
    generation: int
    fresh: int  # seconds for which an answer may be served by a cache


async def read(snapshot: Snapshot, queries: Queries, view: int) -> State:
    """Return the state of a view.

    Raises:
        Problem: unavailable, while the view is being built, or where there is none.
        Expired: something in it should no longer be shown.
    """
    return of(view, await snapshot.one(queries.state, {"view": view}))


def of(view: int, row: Sequence[Any] | None) -> State:
    """Return the state of a view from its row as `Queries.state` reads it, and from the clock.

    Raises:
        Problem: unavailable, while the view is being built, or where there is none.
        Expired: something in it should no longer be shown.
    """
    if row is None or row[1] != "live":
        raise unavailable("What you may see is being prepared. Try again later.")
    generation, _, expiry = row
    if expiry is None:
        return State(view, generation, FRESH)
    left = expiry / 1000 - time.time()
    if left <= 0:
        raise Expired
    return State(view, generation, min(FRESH, max(0, int(left) - ROUNDING)))


async def unexpired(reading: Callable[[], Awaitable[T]], expire: Expire, view: int) -> T:
    """Return what a reading gives; where something has expired, take it away first."""
    for _ in range(2):
        try:
            return await reading()
        except Expired:
            await expire(view)
    raise unavailable("A consent has just run out and what rests on it is being taken away. Try again later.")


def unavailable(detail: str) -> Problem:
    """Return the problem of a service that cannot answer yet."""
    return Problem("unavailable", detail, headers={"Retry-After": "10"})


async def wait_for_it(_: int) -> None:
    """Let nothing expire here: another process does it, and until then there is no answer.

    Raises:
        Problem: unavailable.
    """
    raise unavailable("A consent has just run out and what rests on it is being taken away. Try again later.")
