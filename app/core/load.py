"""Load: how many requests one process may have before it, and what is said to those that come on top of them."""

from typing import Any

from app.core.problems import Problem

STATE = "evidence.load"  # of what an app tells its server: the load that they share
AGAIN = 1  # seconds after which to try again
UNCOUNTED = frozenset(("/healthz", "/readyz"))  # whoever watches the service must be told how it is
_HELD = "evidence.held"


class Load:
    """The requests that one process has taken and not begun to answer.

    Work on the event loop is done one after the other, so how many are before a request says how long it waits. A
    request holds its place until the first byte of its answer; one that writes, or waits for something to happen, gives
    it back when it begins to, for that is bounded elsewhere.
    """

    def __init__(self, most: int) -> None:
        """Take at most so many at once; 0: all that come."""
        self.most = most
        self.now = 0
        self.refused = 0

    def takes(self, path: str) -> bool:
        """Tell whether one more request is taken; if not, it is counted as refused."""
        if not self.most or self.now < self.most or path in UNCOUNTED:
            return True
        self.refused += 1
        return False

    def hold(self, scope: Any) -> None:
        """Give a request its place; one that is taken in any case has none, and takes none from others."""
        if scope.get("path") not in UNCOUNTED:
            self.now += 1
            scope[_HELD] = self


def release(scope: Any) -> None:
    """Give back the place of a request, if it holds one."""
    load = scope.pop(_HELD, None)
    if load is not None:
        load.now -= 1


def refusal() -> Problem:
    """Return the problem of a request that is one too many."""
    detail = (
        "More requests came at once than can be answered in time. Try again in a second, and a little later each time."
    )
    return Problem("unavailable", detail, headers={"Retry-After": str(AGAIN)})
