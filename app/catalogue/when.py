"""When: what `period`, `from`, `to`, `match`, `at`, `boundary` and `side` ask together, as expressions and in words.

The meaning is that of `vocabulary/periods.py`; here it is an expression over s0, s1, e0, e1, made with operators alone.
So one expression serves both: the columns of a statement (SQLAlchemy), and columns in memory (numpy).
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

from app.catalogue.parameter import Wrong
from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, UNDATED, bounds
from app.vocabulary.periods import At, Match, Side

MATCHES: tuple[Match, ...] = ("possible", "certain", "within")
ATS: tuple[At, ...] = ("span", "start")
SIDES: tuple[Side, ...] = ("before", "after", "straddling", "undetermined", "undated")

Given: TypeAlias = Mapping[str, tuple[Any, ...]]
Day: TypeAlias = Callable[[str], Any]  # name of a day (see `days`) -> the day, or what stands for it in a statement


class Dates(NamedTuple):
    """The bounds of rows, in days: anything on which `<=`, `==`, `&`, `|` and `~` work row by row."""

    s0: Any
    s1: Any
    e0: Any
    e1: Any


@dataclass(frozen=True)
class When:
    """The form of a question about time: all of it but the days, which are bound when it runs."""

    periods: int = 0
    span: bool = False
    match: Match = "possible"
    at: At = "span"
    boundary: bool = False
    side: Side | None = None

    @property
    def asks(self) -> bool:
        """Tell whether a period or a span is asked for."""
        return bool(self.periods) or self.span

    @property
    def bounded(self) -> bool:
        """Tell whether the first day of what fits has limits."""
        return self.asks or self.side is not None


ALWAYS = When()


def check(given: Given) -> list[tuple[str, str]]:
    """Return what is wrong between these parameters: (name of the parameter, why)."""
    faults: list[tuple[str, str]] = []
    spans = "period" in given or "from" in given or "to" in given
    if "match" in given and not spans:
        faults.append(("match", "It says how a period has to match: give 'period', 'from' or 'to' with it."))
    if "at" in given and not spans and "boundary" not in given:
        faults.append(("at", "It says which part of a date to look at: give 'period', 'from', 'to' or 'boundary'."))
    if "side" in given and "boundary" not in given:
        faults.append(("side", "It names a side of a boundary day: give boundary=2011-12-17 with it."))
    for first, last in (("from", "to"), ("given_from", "given_until"), ("left_from", "left_until")):
        if first in given and last in given:
            one, other = given[first][0], given[last][0]
            if bounds(one).s0 > bounds(other).e1:
                faults.append((first, f"{one} lies after {other}: '{first}' must not be later than '{last}'."))
    return faults


def form(given: Given) -> When:
    """Return the form of what is asked; the number of periods is rounded up, so that there are few forms."""
    periods = len(given.get("period", ()))
    return When(
        periods=1 << (periods - 1).bit_length() if periods else 0,
        span="from" in given or "to" in given,
        match=given.get("match", ("possible",))[0],
        at=given.get("at", ("span",))[0],
        boundary="boundary" in given,
        side=given["side"][0] if "side" in given else None,
    )


def days(given: Given, form: When, spans: Sequence[tuple[int, int]]) -> dict[str, int]:
    """Return the days to bind; `spans` are the first and last days of the periods asked for.

    `low` and `top` limit the first day (s0) of all that fits, `top` also under every other match: they let an index
    be read from the one to the other.
    """
    values: dict[str, int] = {}
    low, top = BEFORE_ALL if form.bounded else UNDATED, AFTER_ALL
    begins = form.match == "within" or (form.match == "certain" and form.at == "start")
    if spans:
        for i in range(form.periods):
            values[f"p{i}"], values[f"q{i}"] = spans[min(i, len(spans) - 1)]
        top = min(top, max(last for _, last in spans))
        low = max(low, min(first for first, _ in spans)) if begins else low
    if form.span:
        first = bounds(given["from"][0]).s0 if "from" in given else BEFORE_ALL
        last = bounds(given["to"][0]).e1 if "to" in given else AFTER_ALL
        values["from"], values["to"] = first, last
        top = min(top, last)
        low = max(low, first) if begins else low
    values["all_top"] = top
    if form.boundary:
        values["boundary"] = edge = bounds(given["boundary"][0]).s0
        if form.side == "after":
            low = max(low, edge)
        elif form.side == "undated":
            low = top = UNDATED
        elif form.side is not None:
            top = min(top, edge - 1)
    return values | {"low": low, "top": top}


def fits(dates: Dates, day: Day, form: When, match: Match | None = None) -> Any:
    """Return the expression that is true of a row which matches; None where no period or span is asked for."""
    looked_at, match = _looked_at(dates, form.at), match or form.match
    asked: list[Any] = []
    if form.periods:
        any_of = [_matches(looked_at, match, day(f"p{i}"), day(f"q{i}")) for i in range(form.periods)]
        asked.append(reduce(operator.or_, any_of))
    if form.span:
        asked.append(_matches(looked_at, match, day("from"), day("to")))
    return reduce(operator.and_, asked) if asked else None


def _looked_at(dates: Dates, at: At) -> Dates:
    s0, s1, _, _ = dates
    return Dates(s0, s1, s0, s1) if at == "start" else dates


def _matches(dates: Dates, match: Match, first: Any, last: Any) -> Any:
    s0, s1, e0, e1 = dates
    if match == "possible":
        return (s0 <= last) & (e1 >= first)
    if match == "certain":
        return (s1 <= last) & (e0 >= first)
    return (s0 >= first) & (e1 <= last)


def lies(dates: Dates, day: Day, at: At, side: Side) -> Any:
    """Return the expression that is true of a row on one side of the boundary."""
    s0, s1, e0, e1 = _looked_at(dates, at)
    if side == "undated":
        return s0 == UNDATED
    edge = day("boundary")
    if side == "before":
        return (s0 != UNDATED) & (e1 < edge)
    if side == "after":
        return s0 >= edge
    straddling = (s1 < edge) & (e0 >= edge)
    if side == "straddling":
        return (s0 != UNDATED) & straddling
    return (s0 != UNDATED) & (e1 >= edge) & (s0 < edge) & ~straddling


_TOUCHES = {
    ("span", "possible"): "whose date may touch",
    ("span", "certain"): "whose date surely touches",
    ("span", "within"): "whose date surely lies inside",
    ("start", "possible"): "which may have begun in",
    ("start", "certain"): "which surely began in",
    ("start", "within"): "which surely began in",
}
_SIDES = {
    "before": "lying before {}",
    "after": "lying on or after {}",
    "straddling": "begun before {} and ended on or after it",
    "undetermined": "of which it is not known on which side of {} they lie",
    "undated": "without a date",
}


def words(given: Given) -> list[str]:
    """Return the clauses that say what is asked about time."""
    if not given:
        return []
    said: list[str] = []
    asked = form(given)
    touches = _TOUCHES[asked.at, asked.match]
    if asked.periods:
        said.append(f"{touches} the period {' or '.join(given['period'])}")
    if asked.span:
        first, last = (given[name][0] if name in given else None for name in ("from", "to"))
        since = f"the time from {first} on" if last is None else f"{first} to {last}"
        said.append(f"{touches} {since if first else f'the time to {last}'}")
    if asked.side is not None:
        said.append(_SIDES[asked.side].format(given["boundary"][0]))
    elif asked.boundary:
        said.append(f"counted against the boundary {given['boundary'][0]}")
    return said


def period(text: str) -> str:
    """Read the id of a period; that the view has it is seen later."""
    if text[:1].isdigit() and text[:4].isdigit() and len(text) in (4, 7, 10):
        raise Wrong(f"'{text}' is a date, not the id of a period: use 'from' and 'to' for dates.")
    return text
