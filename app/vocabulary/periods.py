"""Periods: whether an uncertain date matches one, and on which side of a boundary day it lies; in plain integers.

This is what the words mean. The catalogue says the same in SQL, and a test holds the two equal.
"""

from typing import Literal

from app.vocabulary.edtf import UNDATED, Bounds

Match = Literal["possible", "certain", "within"]
At = Literal["span", "start"]
Side = Literal["before", "after", "straddling", "undetermined", "undated"]


def matches(b: Bounds, p0: int, p1: int, match: Match = "possible", at: At = "span") -> bool:
    """Return whether a date matches the period from day p0 to day p1, both included.

    `possible`: it may have happened in it. `certain`: it surely touches it. `within`: it surely lies inside it.
    `at="start"` looks at its beginning alone. An undated record matches no period, not even one without bounds.
    """
    s0, s1, e0, e1 = _looked_at(b, at)
    if match == "possible":
        return s0 <= p1 and e1 >= p0
    if match == "certain":
        return s1 <= p1 and e0 >= p0
    return s0 >= p0 and e1 <= p1


def side(b: Bounds, boundary: int, at: At = "span") -> Side:
    """Return where a date lies against a boundary, the first day of "after"; exactly one side is true of each date."""
    s0, s1, e0, e1 = _looked_at(b, at)
    if s0 == UNDATED:
        return "undated"
    if e1 < boundary:
        return "before"
    if s0 >= boundary:
        return "after"
    return "straddling" if s1 < boundary <= e0 else "undetermined"


def _looked_at(b: Bounds, at: At) -> Bounds:
    return b if at == "span" else Bounds(b.s0, b.s1, b.s0, b.s1)
