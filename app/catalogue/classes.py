"""Classes: the values that each row has of one facet, in memory; rows with the very same values are of one class.

So a row takes one or two bytes however many values it has, and a count is one pass over the rows that are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS = 4_000_000  # numbers that are counted at once: 32 MB
MOST = 65_536  # classes; a facet with more is counted by statements
_MEMBER = 200  # bytes that a class takes beside its rows, about
_FEW = 4  # classes that are compared one by one

Codes = tuple[int, ...]


@dataclass(frozen=True)
class Classes:
    """The values of rows.

    Attributes:
        rows: the class of each row, in the order of the columns that it belongs to.
        members: of each class the codes of its values, rising.
        codes: term -> its code.
        values: code -> the value.
    """

    rows: NDArray[Any]
    members: tuple[Codes, ...]
    codes: Mapping[int, int]
    values: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many bytes they take."""
        return int(self.rows.nbytes) + _MEMBER * len(self.members)

    @cached_property
    def _entries(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the classes that have each code, one code after another; where those of each begin, and the end."""
        pairs = np.array([(code, one) for one, codes in enumerate(self.members) for code in codes], np.int64)
        code, owner = pairs.reshape(-1, 2).T
        order = np.argsort(code, kind="stable")
        return owner[order], np.searchsorted(code[order], np.arange(len(self.values) + 1))

    @cached_property
    def _lists(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the codes of each class, one class after another; where those of each begin, and how many they are."""
        codes = np.array([code for codes in self.members for code in codes], np.int64)
        sizes = np.array([len(codes) for codes in self.members], np.int64)
        return codes, sizes.cumsum() - sizes, sizes

    @cached_property
    def _index(self) -> dict[Codes, int]:
        return {codes: one for one, codes in enumerate(self.members)}

    def spread(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return counts of values (its first axis) from counts of classes."""
        owner, begins = self._entries
        found = np.zeros((len(self.values), *counts.shape[1:]), np.int64)
        if len(owner):
            used = np.flatnonzero(np.diff(begins))
            found[used] = np.add.reduceat(counts[owner], begins[used], axis=0)
        return found

    def filed(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell of rows, given by their classes, whether they have any value."""
        return np.take(self._lists[2] > 0, rows)

    def table(self, rows: NDArray[Any], keys: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """Count rows, given by their classes, by value and by a key of their own.

        Args:
            rows: the class of each.
            keys: the key of each.
            size: how many keys there are.

        Returns:
            Values down, keys across.

        Raises:
            OverflowError: there would be more numbers than `CELLS`.
        """
        cells = len(self.values) * size
        if cells > CELLS:
            raise OverflowError
        codes, begins, sizes = self._lists
        found, begin, left = np.zeros(cells, np.int64), begins[rows], sizes[rows]
        turn = 0
        while True:  # the first value of each row, the second one of those that have one, …
            some = np.flatnonzero(left > turn)
            if not len(some):
                return found.reshape(len(self.values), size)
            if len(some) < len(left):
                begin, left, keys = begin[some], left[some], keys[some]
            found += np.bincount(codes[begin + turn] * size + keys, minlength=cells)
            turn += 1

    def having(self, terms: Sequence[int], at: NDArray[Any] | None) -> NDArray[np.bool_]:
        """Tell of rows (None: all of them) whether they have any of some terms."""
        owner, begins = self._entries
        wanted = {self.codes[term] for term in terms if term in self.codes}
        some = np.concatenate([np.empty(0, np.int64), *[owner[begins[code] : begins[code + 1]] for code in wanted]])
        rows = self.rows if at is None else self.rows[at]
        if len(some) <= _FEW:
            found = np.zeros(len(rows), bool)
            for one in some.tolist():
                found |= rows == one
            return found
        table = np.zeros(len(self.members), bool)
        table[some] = True
        return np.take(table, rows)

    def totals(self) -> dict[int, int]:
        """Return how many rows have each term, of those that have any."""
        counts = self.spread(np.bincount(self.rows, minlength=len(self.members))).tolist()
        return {term: counts[code] for term, code in self.codes.items() if counts[code]}

    def more(self, terms: Sequence[tuple[int, str]]) -> "Classes":
        """Return these, with codes for terms that have none."""
        new = [(term, value) for term, value in terms if term not in self.codes]
        codes = {**self.codes, **{term: len(self.codes) + i for i, (term, _) in enumerate(new)}}
        return Classes(self.rows, self.members, codes, (*self.values, *[value for _, value in new]))

    def numbered(self, filed: Sequence[Codes]) -> tuple["Classes", NDArray[np.int64]] | None:
        """Return the classes of rows with these codes, and these with room for them; None: there would be too many."""
        index = dict(self._index)
        numbers = [index.setdefault(codes, len(index)) for codes in filed]
        if len(index) > MOST:
            return None
        return Classes(self.rows, tuple(index), self.codes, self.values), np.array(numbers, np.int64)

    def placed(self, rows: NDArray[Any]) -> "Classes":
        """Return these for other rows."""
        return Classes(_narrow(rows, len(self.members)), self.members, self.codes, self.values)


class Sorting:
    """Classes on their way into memory, one value after another."""

    def __init__(self, n: int) -> None:
        """Begin with rows that have no value."""
        self._rows = np.zeros(n, np.int32)
        self._members: list[Codes] = [()]
        self._codes: dict[int, int] = {}
        self._values: list[str] = []

    def add(self, term: int, value: str, at: NDArray[Any]) -> None:
        """Add a term that the rows at these places have.

        Raises:
            OverflowError: there are too many classes.
        """
        code = self._codes[term] = len(self._values)
        self._values.append(value)
        old = self._rows[at]
        used = np.flatnonzero(np.bincount(old, minlength=len(self._members)))
        new = np.zeros(len(self._members), np.int32)
        new[used] = np.arange(len(self._members), len(self._members) + len(used))
        self._members += [(*self._members[one], code) for one in used.tolist()]
        self._rows[at] = new[old]
        if len(self._members) > 2 * MOST:
            self._compress()

    def _compress(self) -> None:
        used = np.flatnonzero(np.bincount(self._rows, minlength=len(self._members)))
        if len(used) > MOST:
            raise OverflowError
        new = np.zeros(len(self._members), np.int32)
        new[used] = np.arange(len(used))
        self._members = [self._members[one] for one in used.tolist()]
        self._rows = new[self._rows]

    def classes(self) -> Classes:
        """Return the classes.

        Raises:
            OverflowError: there are too many.
        """
        self._compress()
        rows = _narrow(self._rows, len(self._members))
        return Classes(rows, tuple(self._members), self._codes, tuple(self._values))


def _narrow(rows: NDArray[Any], n: int) -> NDArray[Any]:
    return rows.astype(np.uint8 if n <= 256 else np.uint16, copy=False)
