"""Tally: which rows each number of a list counts, said once: for statements, and for columns in memory."""

import operator
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from app.catalogue import when
from app.catalogue.when import Dates, Day, When


class Counted(NamedTuple):
    """What one pass over the candidates counts."""

    total: int
    undated: int
    possible: int
    certain: int
    within: int
    before: int
    after: int
    straddling: int
    sides: int  # all that the five sides add up to


class Conditions(NamedTuple):
    """What a row has to fit to be counted.

    Attributes:
        every: what all of them fit that are counted anywhere; None: every candidate does.
        each: for each number of `Counted`, in its order, what has to be true besides; None: it is not asked for, and 0.
    """

    every: Any
    each: tuple[tuple[Any, ...] | None, ...]


def conditions(dates: Dates, day: Day, asked: When) -> Conditions:
    """Return the conditions of the numbers of `Counted`, over whatever the dates and days are."""
    every = when.fits(dates, day, asked, "possible")
    # `possible` is all there is already: the other matches are parts of it.
    fitting: dict[str, tuple[Any, ...]] = {"possible": ()} if every is not None else {}
    for match in when.MATCHES[1:] if every is not None else ():
        fitting[match] = (when.fits(dates, day, asked, match),)
    chosen = fitting.get(asked.match, ())
    here = () if asked.side is None else (when.lies(dates, day, asked.at, asked.side),)
    each: list[tuple[Any, ...] | None] = [(*chosen, *here)]
    each.append(None if asked.asks else (when.lies(dates, day, asked.at, "undated"),))
    each += [(*fitting[match], *here) if asked.asks else None for match in when.MATCHES]
    for side in when.SIDES[:3]:
        each.append((*chosen, when.lies(dates, day, asked.at, side)) if asked.boundary else None)
    each.append(chosen if asked.boundary else None)
    return Conditions(every, tuple(each))


def tally(dates: Dates, day: Day, asked: When) -> Counted:
    """Return what a question counts among dates in memory, by looking at each of them."""
    every, each = conditions(dates, day, asked)

    def count(stated: tuple[Any, ...] | None) -> int:
        if stated is None:
            return 0
        both = stated if every is None else (every, *stated)
        return int(np.count_nonzero(reduce(operator.and_, both))) if both else len(dates.s0)

    return Counted(*map(count, each))
