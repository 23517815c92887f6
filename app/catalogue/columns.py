"""Columns: the bounds of all rows of a kind or of one term, in memory, as they are in one generation of a view.

They never change: what is brought forward to another generation is another one, so any thread may count at any time.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.catalogue.classes import Classes, Codes
from app.catalogue.facets import years_of
from app.catalogue.spans import Spans
from app.catalogue.tally import Counted, conditions, tally
from app.catalogue.when import Dates, When
from app.vocabulary.edtf import UNDATED

PACKED = np.dtype([("k", ">i8"), ("s0", ">i4"), ("s1", ">i4"), ("e0", ">i4"), ("e1", ">i4")])
NOTHING: Mapping[str, tuple[Classes, Mapping[int, Codes]]] = {}
LITTLE = 4  # of so many rows one: as many are remembered, in 2 bytes for each row that there is
BYTES = PACKED.itemsize  # that a row takes, packed and in memory


@dataclass(frozen=True)
class Columns:
    """Rows in the order of k.

    Attributes:
        generation: of the view; in any other one they may be wrong.
        k: 64 bits a row.
        dates: the four bounds, in days, 32 bits each.
        facets: the values of the facets that are here, by the facet's name.
        years: first and last year of each date, where they are here: 16 bits each.
        spans: the dates in the orders in which periods are counted, where they are here.
    """

    generation: int
    k: NDArray[np.int64]
    dates: Dates
    facets: Mapping[str, Classes] = field(default_factory=dict)
    years: tuple[NDArray[np.int16], NDArray[np.int16]] | None = None
    spans: Spans | None = None
    _last: dict[str, tuple[str, NDArray[Any]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.k)

    def forward(
        self,
        generation: int,
        changed: Sequence[int],
        rows: Sequence[tuple[int, ...]],
        filed: Mapping[str, tuple[Classes, Mapping[int, Codes]]] = NOTHING,
    ) -> "Columns":
        """Return the columns of a later generation.

        Args:
            generation: the later one.
            changed: k of every row that came, went or became another one in between, rising.
            rows: (k, s0, s1, e0, e1) of those that are there in the later one, in any order.
            filed: for each facet that is kept, its classes, and the codes of each of these rows by its k.
        """
        if not changed:
            return replace(self, generation=generation, facets={name: one for name, (one, _) in filed.items()})
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
        facets: dict[str, Classes] = {}
        for name, (classes, codes) in filed.items():
            numbered = classes.numbered([codes[k] for k in new[0].tolist()])
            if numbered is not None:
                wide = classes.rows.astype(np.int32)
                facets[name] = numbered[0].placed(column(wide, numbered[1]))
        years = None
        if self.years is not None:
            first, last = self.years
            years = column(first, years_of(new[1])), column(last, years_of(new[4]))
        return Columns(generation, column(self.k, new[0]), Dates(*dates), facets, years, self._spans(stays, new[1:]))

    def _spans(self, stays: Sequence[tuple[int, int]], new: NDArray[np.int64]) -> Spans | None:
        """Return the spans of later columns: what lies between the pieces that stay goes, and new dates come."""
        if self.spans is None:
            return None
        went = [slice(end, begin) for (_, end), (begin, _) in pairwise(stays)]
        gone = Dates(*(np.concatenate([column[piece] for piece in went]) for column in self.dates))
        return self.spans.changed(gone, Dates(*new.astype(np.int32)))

    def with_years(self) -> "Columns":
        """Return these, with the years of their dates."""
        return replace(self, years=(years_of(self.dates.s0), years_of(self.dates.e1)))

    def with_spans(self) -> "Columns":
        """Return these, with the orders of their dates."""
        return replace(self, spans=Spans.of(self.dates))

    def place(self, k: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where rows are.

        Raises:
            ValueError: one is not there.
        """
        at = np.searchsorted(self.k, k)
        if len(k) and (int(at.max()) >= len(self) or not np.array_equal(self.k[at], k)):
            raise ValueError("there are postings of rows that are not there")
        return at

    def fitting(self, terms: Sequence[tuple[str, Sequence[int]]]) -> NDArray[Any] | None:
        """Return the places of the rows that have, of each facet named, any of the terms; None: of all rows.

        What was found last is remembered, if it is not much: the total of a list and its facets ask for the same.
        """
        if not terms:
            return None
        asked, last = repr(terms), self._last.get("fitting")
        if last is not None and last[0] == asked:
            return last[1]
        at: NDArray[Any] | None = None
        for facet, some in terms:
            found = np.flatnonzero(self.facets[facet].having(some, at))
            at = found if at is None else at[found]
        if at is not None and len(at) <= len(self) // LITTLE:
            self._last["fitting"] = asked, at  # set at once: several threads read these columns
        return at

    def dated(self, at: NDArray[Any] | None) -> Dates:
        """Return the bounds of the rows at some places; None: of all rows."""
        return self.dates if at is None else Dates(*(one[at] for one in self.dates))

    def narrowed(self, terms: Sequence[tuple[str, Sequence[int]]]) -> "Columns":
        """Return the columns of the rows that `fitting` finds, without what only whole columns have."""
        at = self.fitting(terms)
        return self if at is None else Columns(self.generation, self.k[at], self.dated(at))

    def among(self, ks: NDArray[np.int64]) -> "Columns":
        """Return the columns of those rows whose k is one of these, which rise."""
        at = np.searchsorted(self.k, ks)
        at = at[(at < len(self)) & (self.k[np.minimum(at, len(self) - 1)] == ks)] if len(self) else at[:0]
        return Columns(self.generation, self.k[at], self.dated(at))

    def listed(
        self, terms: Sequence[tuple[str, Sequence[int]]], asked: When, days: Mapping[str, int]
    ) -> NDArray[Any] | None:
        """Return the places of the rows that a question lists; None: of all rows."""
        at = self.fitting(terms)
        every, each = conditions(self.dated(at), days.__getitem__, asked)
        stated = [*([] if every is None else [every]), *(each[0] or ())]
        if not stated:
            return at
        found = np.flatnonzero(reduce(operator.and_, stated))
        return found if at is None else at[found]

    @property
    def size(self) -> int:
        """How many bytes they take."""
        years = 0 if self.years is None else 4 * len(self)
        spans = 0 if self.spans is None else self.spans.size
        return len(self) * BYTES + years + spans + sum(one.size for one in self.facets.values())

    @property
    def undated(self) -> int:
        """How many rows have no date."""
        return int(np.count_nonzero(self.dates.s0 == UNDATED)) if self.spans is None else self.spans.undated_now

    def tally(self, asked: When, days: Mapping[str, int]) -> Counted:
        """Return what a question about time counts, its days given by name."""
        day = days.__getitem__
        quick = None if self.spans is None else self.spans.tally(asked, day)
        return tally(self.dates, day, asked) if quick is None else quick


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
