"""Facets: which values the records of a list have, declared from its filters; and how their counts are told."""

from collections.abc import Callable, Iterable
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
CELLS = 4_000_000  # numbers that are counted at once: 32 MB
_EPOCH = 719_163  # the number of 1970-01-01


class Found(NamedTuple):
    """What of a facet was counted: values and how many records have each; of a date, how many records have none."""

    counts: dict[str, int]
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


def spread(
    first: NDArray[np.int16],
    last: NDArray[np.int16],
    step: int,
    n: NDArray[Any] | None = None,
    group: NDArray[Any] | None = None,
    groups: int = 1,
    most: int | None = CELLS,
) -> tuple[int, NDArray[np.int64]]:
    """Count records in every year, or decade, that their dates may touch.

    A date with no end counts up to the last year in which any of these dates begins or ends, one with no beginning
    from the first such year on.

    Args:
        first: the years in which dates begin at the earliest; none of them `NO_YEAR`.
        last: the years in which they end at the latest.
        step: 1 for years, 10 for decades.
        n: how many records have each; None: one.
        group: the number of the group that each is counted in; None: there is one.
        groups: how many there are.
        most: how many numbers there may be.

    Returns:
        The first year or decade, and for each group the counts of it and of each that follows.

    Raises:
        OverflowError: there would be more numbers.
    """
    known = np.concatenate([first[first != NO_START], last[last != NO_END]])
    if not len(known):
        return 0, np.zeros((groups, 0), np.int64)
    low, high = int(known.min()), int(known.max())
    size = high // step - low // step + 2
    if most is not None and groups * size > most:
        raise OverflowError
    at: Any = 0 if group is None else group.astype(np.int64) * size
    begins, ends = ((np.clip(one, low, high) // step - low // step).astype(np.int64) for one in (first, last))
    changes = np.bincount(at + begins, n, groups * size) - np.bincount(at + ends + 1, n, groups * size)
    counts = np.rint(changes).astype(np.int64).reshape(groups, size).cumsum(axis=1)[:, :-1]
    return low // step * step, counts


def year_named(year: int, step: int) -> str:
    """Return a year or decade as EDTF writes it: 2003, 200X."""
    return f"{year:04d}" if step == 1 else f"{year // 10:03d}X"


def told(found: Found, limit: int) -> dict[str, Any]:
    """Return a facet as an answer tells it: the values that most records have, equals by name; how many more."""
    order: Callable[[tuple[str, int]], Any] = lambda pair: (-pair[1], pair[0])  # noqa: E731
    values = sorted(((value, n) for value, n in found.counts.items() if n), key=order)
    listed = [{"value": value, "count": n} for value, n in values[:limit]]
    answer: dict[str, Any] = {"values": listed, "rest": max(len(values) - limit, 0)}
    return answer if found.undated is None else answer | {"undated": found.undated}
