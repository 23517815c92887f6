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


def last(packed: bytes) -> tuple[int, int]:
    """Return (s0, k) of the row that is last in the order of dates; there has to be one."""
    rows = np.frombuffer(packed, PACKED)
    s0 = rows["s0"].max()
    return int(s0), int(rows["k"][rows["s0"] == s0].max())


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

    @classmethod
    def of(cls, generation: int, packed: Sequence[bytes]) -> "Columns":
        """Make columns from rows as the database packs them (`PACKED`), in any order."""
        chunks = [np.frombuffer(one, PACKED) for one in packed]

        def column(name: str, type_: type) -> NDArray[Any]:
            return np.concatenate([np.empty(0, type_), *(chunk[name].astype(type_) for chunk in chunks)])

        k = column("k", np.int64)
        order = np.argsort(k)
        return cls(generation, k[order], Dates(*(column(name, np.int32)[order] for name in Dates._fields)))

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.k)

    def forward(self, generation: int, changed: Sequence[int], rows: Sequence[tuple[int, ...]]) -> "Columns":
        """Return the columns of a later generation.

        Args:
            generation: the later one.
            changed: k of every row that came, went or became another one in between.
            rows: (k, s0, s1, e0, e1) of those that are there in the later one.
        """
        if not changed:
            return replace(self, generation=generation)
        new = np.array(sorted(rows), np.int64).reshape(-1, 5).T
        ks = np.array(changed, np.int64)
        at = np.searchsorted(self.k, ks)
        there = at < len(self.k)
        there[there] = self.k[at[there]] == ks[there]
        keep = np.ones(len(self.k), bool)
        keep[at[there]] = False
        k = self.k[keep]
        into = np.searchsorted(k, new[0])
        dates = (np.insert(old[keep], into, one) for old, one in zip(self.dates, new[1:], strict=True))
        return Columns(generation, np.insert(k, into, new[0]), Dates(*dates))

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
