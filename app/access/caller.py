"""The caller: who asks, and so which view answers. A request has exactly one."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.core.problems import Problem

PUBLIC = 0  # the view of everybody: audience `public`, purpose `publication`

Resolve = Callable[[MutableMapping[str, Any]], int | Awaitable[int]]


def anonymous(scope: MutableMapping[str, Any]) -> int:
    """Return the view of everybody.

    Raises:
        Problem: unauthenticated, where credentials are given: none are known yet, and they are never ignored.
    """
    if any(name == b"authorization" for name, _ in scope["headers"]):
        raise Problem(
            "unauthenticated",
            "These credentials are not known. What is public is answered without any.",
            headers={"WWW-Authenticate": 'Bearer realm="evidence"'},
        )
    return PUBLIC
