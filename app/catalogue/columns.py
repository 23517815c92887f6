"""Columns: the bounds of all rows of a kind or of one term, in memory, as they are in one generation of a view.

They never change: what is brought forward to another generation is another one, so any thread may count at any time.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.catalogue.tally import Counted, conditions
from app.catalogue.when import Dates, When
from app.vocabulary.edtf import UNDATED

PACKED = np.dtype([("k", ">i8"), ("s0", ">i4"), ("s1", ">i4"), ("e0", ">i4"), ("e1", ">i4")])
BYTES = PACKED.itemsize  # that a row takes, packed and in memory


@dataclass(frozen=True)
class Columns:
    """Rows in the order of k.

    Attributes:
        generation: of the view; in any other one they may be wrong.
        k: 64 bits a row.
        dates: the four bounds, in days, 32 bits each.
    """

    generation: int
    k: NDArray[np.int64]
    dates: Dates

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.k)

    def forward(self, generation: int, changed: Sequence[int], rows: Sequence[tuple[int, ...]]) -> "Columns":
        """Return the columns of a later generation.

        Args:
            generation: the later one.
            changed: k of every row that came, went or became another one in between, rising.
            rows: (k, s0, s1, e0, e1) of those that are there in the later one, in any order.
        """
        if not changed:
            return replace(self, generation=generation)
        ks, new = np.array(changed, np.int64), np.array(sorted(rows), np.int64).reshape(-1, 5).T
        old = np.searchsorted(self.k, ks), np.searchsorted(self.k, ks, "right")
        fresh = np.searchsorted(new[0], ks), np.searchsorted(new[0], ks, "right")
        # What stays lies between the rows that changed: each piece of it, then the new row in the place of the old one.
        stays = list(zip([0, *old[1].tolist()], [*old[0].tolist(), len(self)], strict=True))
        comes = list(zip(*(one.tolist() for one in fresh), strict=True))

        def column(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
            after, pieces = after.astype(before.dtype), [before[: stays[0][1]]]
            for (first, end), (begin, until) in zip(comes, stays[1:], strict=True):
                pieces += [after[first:end], before[begin:until]]
            return np.concatenate(pieces)

        dates = (column(*pair) for pair in zip(self.dates, new[1:], strict=True))
        return Columns(generation, column(self.k, new[0]), Dates(*dates))

    @property
    def size(self) -> int:
        """How many bytes they take."""
        return len(self) * BYTES

    @property
    def undated(self) -> int:
        """How many rows have no date."""
        return int(np.count_nonzero(self.dates.s0 == UNDATED))

    def tally(self, asked: When, days: Mapping[str, int]) -> Counted:
        """Return what a question about time counts, its days given by name."""
        every, each = conditions(self.dates, days.__getitem__, asked)

        def count(stated: tuple[Any, ...] | None) -> int:
            if stated is None:
                return 0
            both = stated if every is None else (every, *stated)
            return int(np.count_nonzero(reduce(operator.and_, both))) if both else len(self)

        return Counted(*map(count, each))


class Filling:
    """Columns on their way into memory: their room is taken first, so that what goes through is small."""

    def __init__(self, n: int) -> None:
        """Take room for n rows."""
        self._k = np.empty(n, np.int64)
        self._dates = Dates(*(np.empty(n, np.int32) for _ in Dates._fields))
        self._n = 0

    def add(self, packed: bytes) -> tuple[int, int]:
        """Add some rows, at least one, as the database packs them (`PACKED`).

        Returns:
            (s0, k) of the one that is last in the order of dates.

        Raises:
            ValueError: there are more than there is room for.
        """
        rows = np.frombuffer(packed, PACKED)
        here = slice(self._n, self._n + len(rows))
        if here.stop > len(self._k):
            raise ValueError("there are more rows than were counted")
        self._k[here] = rows["k"]
        for name, column in zip(Dates._fields, self._dates, strict=True):
            column[here] = rows[name]
        self._n = here.stop
        s0 = rows["s0"].max()
        return int(s0), int(rows["k"][rows["s0"] == s0].max())

    def columns(self, generation: int) -> Columns:
        """Return the columns, in their order; nothing can be added any more."""
        order = np.argsort(self._k[: self._n])
        for column in (self._k, *self._dates):
            column[: self._n] = column[order]
        return Columns(generation, self._k[: self._n], Dates(*(column[: self._n] for column in self._dates)))
