"""When: what `period`, `from`, `to`, `match`, `at`, `boundary` and `side` ask together, in SQL and in words.

The meaning is that of `vocabulary/periods.py`; here it is an expression over the columns s0, s1, e0, e1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Integer, and_, bindparam, not_, or_

from app.catalogue.parameter import Wrong
from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, UNDATED, bounds
from app.vocabulary.periods import At, Match, Side

MATCHES: tuple[Match, ...] = ("possible", "certain", "within")
ATS: tuple[At, ...] = ("span", "start")
SIDES: tuple[Side, ...] = ("before", "after", "straddling", "undetermined", "undated")

Given: TypeAlias = Mapping[str, tuple[Any, ...]]


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


def _day(name: str) -> Any:
    return bindparam(name, type_=Integer)


def _looked_at(c: Any, at: At) -> tuple[Any, Any, Any, Any]:
    # Adding nothing keeps the planner from reading a range of an index by these: `low` and `top` are there for that.
    s0, s1 = c.s0 + 0, c.s1 + 0
    return (s0, s1, s0, s1) if at == "start" else (s0, s1, c.e0 + 0, c.e1 + 0)


def fits(row: FromClause, form: When, match: Match | None = None) -> ColumnElement[bool] | None:
    """Return the expression that is true of a row which matches; None where no period or span is asked for."""
    asked: list[ColumnElement[bool]] = []
    if form.periods:
        pairs = [(_day(f"p{i}"), _day(f"q{i}")) for i in range(form.periods)]
        asked.append(or_(*[_matches(row.c, form.at, match or form.match, *pair) for pair in pairs]))
    if form.span:
        asked.append(_matches(row.c, form.at, match or form.match, _day("from"), _day("to")))
    return and_(*asked) if asked else None


def _matches(c: Any, at: At, match: Match, first: Any, last: Any) -> ColumnElement[bool]:
    s0, s1, e0, e1 = _looked_at(c, at)
    if match == "possible":
        return and_(s0 <= last, e1 >= first)
    if match == "certain":
        return and_(s1 <= last, e0 >= first)
    return and_(s0 >= first, e1 <= last)


def lies(row: FromClause, at: At, side: Side) -> ColumnElement[bool]:
    """Return the expression that is true of a row on one side of the boundary."""
    s0, s1, e0, e1 = _looked_at(row.c, at)
    edge = _day("boundary")
    dated = s0 != UNDATED
    if side == "before":
        return and_(dated, e1 < edge)
    if side == "after":
        return s0 >= edge  # type: ignore[no-any-return]
    if side == "straddling":
        return and_(dated, s1 < edge, e0 >= edge)
    if side == "undated":
        return s0 == UNDATED  # type: ignore[no-any-return]
    return and_(dated, e1 >= edge, s0 < edge, not_(and_(s1 < edge, e0 >= edge)))


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
