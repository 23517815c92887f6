"""A second reading of the rules on uncertain time, from their text alone: nothing of the program is used."""

import math
import re
from calendar import monthrange
from datetime import date
from typing import NamedTuple

NEVER, ALWAYS = -math.inf, math.inf  # before any day, after every day


class Span(NamedTuple):
    """It began on a day from s0 to s1 and ended on a day from e0 to e1."""

    s0: float
    s1: float
    e0: float
    e1: float


def day(year: int, month: int = 1, number: int = 1) -> int:
    return date(year, month, number).toordinal()


def _months(year: int, month: int, count: int = 1) -> tuple[int, int]:
    """Return the first and the last day of some months; month 0 is December of the year before."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    last = month + count - 1
    end_year, end_month = year + (last - 1) // 12, (last - 1) % 12 + 1
    return day(year, month), day(end_year, end_month, monthrange(end_year, end_month)[1])


def _one(text: str) -> tuple[int, int]:
    """Return the first and the last day of a date that is no interval and no set."""
    widen = text[-1] in "~?%"
    text = text.rstrip("~?%")
    if re.fullmatch(r"\d{3}X", text):
        year = int(text[:3]) * 10
        return day(year - 10 * widen), day(year + 9 + 10 * widen, 12, 31)
    year, *rest = map(int, text.split("-"))
    if not rest:
        return day(year - widen), day(year + widen, 12, 31)
    if rest[0] > 12:
        first = 3 * (rest[0] - 20)
        return _months(year, first - 3 * widen, 3 + 6 * widen)
    if len(rest) == 1:
        return _months(year, rest[0] - widen, 1 + 2 * widen)
    return day(year, *rest) - widen, day(year, *rest) + widen


def read(text: str) -> Span:
    """Return what an EDTF text of the built-in record says."""
    if text.startswith("["):
        inside = text[1:-1]
        if inside.startswith(".."):
            last: float = _one(inside[2:])[1]
            return Span(NEVER, last, NEVER, last)
        ends = [_one(one) for one in re.split(r"\.\.|,", inside)]
        first, last = min(one[0] for one in ends), max(one[1] for one in ends)
        return Span(first, last, first, last)
    if "/" not in text:
        first, last = _one(text)
        return Span(first, last, first, last)
    left, right = text.split("/")
    if left == "..":
        began: tuple[float, float] = (NEVER, NEVER)
    else:
        began = _one(left) if left else (NEVER, _one(right)[1])
    if right == "..":
        ended: tuple[float, float] = (ALWAYS, ALWAYS)
    else:
        ended = _one(right) if right else (began[0], ALWAYS)
    return Span(began[0], min(began[1], ended[1]), max(ended[0], began[0]), ended[1])


def looked_at(span: Span, at: str) -> Span:
    return span if at == "span" else Span(span.s0, span.s1, span.s0, span.s1)


def matches(span: Span | None, period: Span, match: str, at: str) -> bool:
    """Tell whether an uncertain date matches a period."""
    if span is None:
        return False
    s0, s1, e0, e1 = looked_at(span, at)
    first, last = period.s0, period.e1
    if match == "possible":
        return s0 <= last and e1 >= first
    if match == "certain":
        return s1 <= last and e0 >= first
    assert match == "within"
    return first <= s0 and e1 <= last


def side(span: Span | None, edge: int, at: str) -> str:
    """Return on which side of a boundary day an uncertain date lies."""
    if span is None:
        return "undated"
    s0, s1, e0, e1 = looked_at(span, at)
    true = [
        name for name, holds in (("before", e1 < edge), ("after", s0 >= edge), ("straddling", s1 < edge <= e0)) if holds
    ]
    assert len(true) < 2
    return true[0] if true else "undetermined"
