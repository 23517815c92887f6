"""Facets: which values the records of a list have, declared from its filters; and how their counts are told."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.catalogue.parameter import Parameter, identifier, whole
from app.records import BY_NAME, Kind
from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, UNDATED

YEARS = {"year": 1, "decade": 10}  # facets of the date: how many years a value has
VALUES = 20  # of a facet that are told where no number is asked for
MOST = 1000
NO_YEAR, NO_START, NO_END = -32_768, -32_767, 32_767  # as years
_EPOCH = 719_163  # the number of 1970-01-01


class Found(NamedTuple):
    """What of a facet was counted: values and how many records have each; of a date, how many records have none."""

    values: Sequence[str]
    counts: NDArray[np.int64]
    undated: int | None = None


def of(kind: Kind, filters: Iterable[Parameter]) -> tuple[str, ...]:
    """Return the facets of a kind: filters by a value of the record, whose values identify nobody; and its date."""
    named = [one.name for one in filters if one.facet is not None and not any(map(_is_opaque, one.targets))]
    return (*named, *(YEARS if kind.date else ()))


def _is_opaque(kind: str) -> bool:
    return BY_NAME[kind].opaque


def parameters(kind: Kind, filters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """Return the parameters that ask for facets."""
    names = of(kind, filters)
    return (
        Parameter(
            "facets",
            "Count the values of these facets among what the list finds (meta.facets), separated by commas; each as if "
            "the filter of its own name were not there.",
            names[0],
            identifier,
            {"type": "array", "items": {"type": "string", "enum": list(names)}, "minItems": 1},
            "page",
            commas=True,
        ),
        Parameter(
            "facet_limit",
            f"How many values of each facet are told ({VALUES}): those that most records have.",
            "5",
            whole(1, MOST),
            {"type": "integer", "minimum": 1, "maximum": MOST},
            "page",
        ),
    )


def years_of(days: NDArray[Any]) -> NDArray[np.int16]:
    """Return the years of days (`vocabulary/edtf.py`): `NO_START` before all, `NO_END` after all, `NO_YEAR` undated."""
    inside = (days > BEFORE_ALL) & (days < AFTER_ALL)
    some = np.where(inside, days, _EPOCH).astype(np.int64) - _EPOCH
    years = some.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    outside = np.where(days == UNDATED, NO_YEAR, np.where(days <= BEFORE_ALL, NO_START, NO_END))
    return np.where(inside, years, outside).astype(np.int16)


class Years(NamedTuple):
    """Dates as the years, or decades, that they may touch.

    A date with no end goes up to the last year in which any of these dates begins or ends, one with no beginning from
    the first such year on.

    Attributes:
        names: of the years, one after another.
        begin: where each date begins among them.
        end: where each has ended: behind the last one that it may touch.
    """

    names: list[str]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, first: NDArray[np.int16], last: NDArray[np.int16], step: int) -> "Years":
        """Return them from the first and last years of dates, none of them `NO_YEAR`; of decades the step is 10."""
        known = np.concatenate([first[first != NO_START], last[last != NO_END]])
        low, high = (int(known.min()), int(known.max())) if len(known) else (0, -1)
        names = _years_named(low // step, high // step, step)
        if not names:  # nothing is known of any
            return cls([], np.zeros(len(first), np.int64), np.zeros(len(first), np.int64))
        begin, end = (np.clip(one, low, high).astype(np.int64) // step - low // step for one in (first, last))
        return cls(names, begin, end + 1)

    @property
    def size(self) -> int:
        """How many places there are to begin or to have ended."""
        return len(self.names) + 1

    def counted(self, begins: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.int64]:
        """Return how many touch each year, from how many begin and have ended where (the last axis)."""
        counts: NDArray[np.int64] = np.rint(begins - ends).astype(np.int64).cumsum(axis=-1)[..., :-1]
        return counts


@lru_cache(256)
def _years_named(low: int, high: int, step: int) -> list[str]:
    return [year_named(year * step, step) for year in range(low, high + 1)]


def year_named(year: int, step: int) -> str:
    """Return a year or decade as EDTF writes it: 2003, 200X."""
    return f"{year:04d}" if step == 1 else f"{year // 10:03d}X"


def told(found: Found, limit: int) -> dict[str, Any]:
    """Return a facet as an answer tells it: the values that most records have, equals by name; how many more.

    Only those that are told are named: a place has thousands of neighbours.
    """
    some = np.flatnonzero(found.counts)
    counts, rest = found.counts[some], max(len(some) - limit, 0)
    if rest:
        first = counts >= np.partition(counts, -limit)[-limit]
        some, counts = some[first], counts[first]
    pairs = [(-n, found.values[i]) for i, n in zip(some.tolist(), counts.tolist(), strict=True)]
    pairs.sort()
    listed = [{"value": value, "count": -n} for n, value in pairs[:limit]]
    answer: dict[str, Any] = {"values": listed, "rest": rest}
    return answer if found.undated is None else answer | {"undated": found.undated}
