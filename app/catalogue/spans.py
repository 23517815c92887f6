"""Spans: the dates of rows in an order in which a period or a boundary is counted without looking at each of them.

That a date touches a period, surely touches it, or lies inside, is counted by what does not: those that begin too late
or end too early, of which each is one or the other; or, where a date may be both, by the two numbers less those that
are both. These are pairs of days with the one before a day and the other after it. Pairs lie in blocks in the order of
the one, and within a block in the order of the other, so that of each block one place is sought, and one block is read.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.catalogue.tally import Counted, tally
from app.catalogue.when import MATCHES, Dates, Day, When
from app.vocabulary.edtf import UNDATED

BLOCK = 8_192  # pairs, a power of two: a million are 62 blocks
PAIR = 8  # bytes
BYTES = 2 * PAIR  # that a row takes
MOST = 4_096  # rows that may come and go before the order is made anew
FORMS = {When(boundary=True), *(When(periods=n, span=n == 0, match=match) for n in (0, 1) for match in MATCHES)}
_LAST, _FIRST = np.iinfo(np.int32).max, np.iinfo(np.int32).min


class Pairs:
    """Pairs of days."""

    def __init__(self, one: NDArray[np.int32], other: NDArray[np.int32]) -> None:
        """Take pairs, whose first and second days these are."""
        order = np.argsort(one)
        shape = -(-len(order) // BLOCK), BLOCK
        room = shape[0] * BLOCK - len(order)  # what fills the last block lies before nothing, and after nothing
        first = np.append(one[order], np.full(room, _LAST, np.int32)).reshape(shape)
        second = np.append(other[order], np.full(room, _FIRST, np.int32)).reshape(shape)
        inner = np.argsort(second, axis=1)
        self._highest = first[:, -1].copy()
        self._one, self._other = np.take_along_axis(first, inner, 1), np.take_along_axis(second, inner, 1)

    def before(self, day: int) -> int:
        """Return of how many pairs the first lies before a day."""
        whole = int(np.searchsorted(self._highest, day))
        return whole * BLOCK + sum(int(np.count_nonzero(block < day)) for block in self._one[whole : whole + 1])

    def after(self, *days: int) -> NDArray[np.int64]:
        """Return how many pairs of each block have a second after a day: a row for each of the days."""
        blocks, asked = np.arange(len(self._other)), np.array(days, np.int32)[:, None]
        places, step = np.zeros((len(days), len(blocks)), np.int64), BLOCK  # of the first that is after the day
        while step > 1:
            step //= 2
            places += step * (self._other[blocks, places + (step - 1)] <= asked)
        places += self._other[blocks, places] <= asked
        return BLOCK - places

    def around(self, day: int, until: int, after: NDArray[np.int64]) -> int:
        """Return of how many pairs the first lies before a day, and the second after another: after that by block."""
        whole = int(np.searchsorted(self._highest, day))
        cut = [(one < day) & (self._other[whole] > until) for one in self._one[whole : whole + 1]]
        return int(after[:whole].sum()) + sum(int(np.count_nonzero(some)) for some in cut)


@dataclass(frozen=True)
class Spans:
    """The dates of rows as they were once, and what came and went since.

    Attributes:
        n: how many rows there were.
        undated: how many of them had no date.
        outer: the first and last day of each that it may touch.
        inner: the last day that it may begin, and the first that it may end, as (end, begin).
        gone: dates of rows that went.
        come: dates of rows that came.
    """

    n: int
    undated: int
    outer: Pairs
    inner: Pairs
    gone: Dates
    come: Dates

    @staticmethod
    def of(dates: Dates) -> "Spans":
        """Put dates in order: a fifth of a second for a million."""
        none = Dates(*(one[:0] for one in dates))
        undated = int(np.count_nonzero(dates.s0 == UNDATED))
        return Spans(len(dates.s0), undated, Pairs(dates.s0, dates.e1), Pairs(dates.e0, dates.s1), none, none)

    def changed(self, gone: Dates, come: Dates) -> "Spans | None":
        """Return them after some rows went and some came; None where these are so many that it is better made anew."""
        gone, come = (
            Dates(*map(np.concatenate, zip(old, new, strict=True)))
            for old, new in ((self.gone, gone), (self.come, come))
        )
        return replace(self, gone=gone, come=come) if len(gone.s0) + len(come.s0) <= MOST else None

    @property
    def undated_now(self) -> int:
        """How many rows have no date."""
        went, came = (int(np.count_nonzero(dates.s0 == UNDATED)) for dates in (self.gone, self.come))
        return self.undated - went + came

    @property
    def size(self) -> int:
        """How many bytes they take."""
        return self.n * BYTES

    def tally(self, asked: When, day: Day) -> Counted | None:
        """Return what a question counts; None where it is of another form than one period, or one boundary."""
        if asked not in FORMS:
            return None
        counted = self._bounded(day) if asked.boundary else self._period(asked, day)
        gone, come = (tally(dates, day, asked) for dates in (self.gone, self.come))
        return Counted(*(was - less + more for was, less, more in zip(counted, gone, come, strict=True)))

    def _period(self, asked: When, day: Day) -> Counted:
        n, first, last = self.n, *(day(name) for name in (("from", "to") if asked.span else ("p0", "q0")))
        (since, after), (inner,) = self.outer.after(first - 1, last), self.inner.after(last)
        numbers = {
            "possible": self.outer.before(last + 1) + int(since.sum()) - n,
            "certain": n - self.inner.before(first) - int(inner.sum()) + self.inner.around(first, last, inner),
            "within": n - self.outer.before(first) - int(after.sum()) + self.outer.around(first, last, after),
        }
        return Counted(numbers[asked.match], 0, **numbers, before=0, after=0, straddling=0, sides=0)

    def _bounded(self, day: Day) -> Counted:
        edge = day("boundary")
        (outer,), (inner,) = self.outer.after(edge - 1), self.inner.after(edge - 1)
        before, after = self.n - int(outer.sum()) - self.undated, self.n - self.outer.before(edge)
        ended, either = self.inner.before(edge), self.inner.around(edge, edge - 1, inner)
        straddling = self.n - int(inner.sum()) - ended + either
        return Counted(self.n, self.undated, 0, 0, 0, before, after, straddling, self.n)
