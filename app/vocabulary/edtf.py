"""Uncertain dates: an EDTF text as recorded becomes four bounds in days, or is refused with a reason and a hint.

The subset of EDTF (ISO 8601-2:2019) that is read here:

    2004  2004-05  2004-05-06         a year, a month, a day (level 0)
    2004/2011                         an interval: it lasted (level 0)
    200X  20XX                        some year of a decade, of a century (level 1)
    2004-XX  2004-XX-XX  2004-05-XX   month, or day, not specified (level 1)
    2004-21 … 2004-24                 spring to winter (level 1)
    2004?  2004~  2004%               uncertain, approximate, both: at the end of any date above (level 1)
    1999/..  ../1990                  open: goes on, or has been so since before any day (level 1)
    1999/  /1990                      end, or start, unknown (level 1)
    [..2013]  [1984..]  [1999..2003]  once, some time in that span (level 2)
    [2001,2004..2006]                 once, at one of these (level 2)

Days are numbers of the proleptic Gregorian calendar, as `date.toordinal`: 0001-01-01 is 1, 0000-12-31 is 0.

`../..`, `../` and `/..` are read, as the standard's grammar has them: each says of a side that it is open. `/` says
nothing and is refused, and so are `[..]` and a set of one date. An interval or a range is refused for its order only
where no reading of it is possible: where its end lies surely before its start.
"""

import re
from datetime import date
from functools import lru_cache
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from app.vocabulary.refusal import why_alphabet, why_part, why_set

Precision = Literal["year", "month", "day"]

UNDATED = -2_000_000  # all bounds of a record without a date
BEFORE_ALL = -1_000_000  # a start without bound
AFTER_ALL = 10_000_000  # an end without bound
FIRST_DAY = -365  # 0000-01-01
LAST_DAY = 3_652_059  # 9999-12-31
MAX_LENGTH = 200


class Bounds(NamedTuple):
    """It started in [s0, s1] and ended in [e0, e1], in days; s0 <= s1 <= e1 and s0 <= e0 <= e1."""

    s0: int
    s1: int
    e0: int
    e1: int


# Lower than every period may begin, BEFORE_ALL included: so no match, of the span or of its start, is ever true of it.
UNDATED_BOUNDS = Bounds(UNDATED, UNDATED, UNDATED, UNDATED)


class EdtfError(ValueError):
    """A text is no date of the subset: `reason` says what is wrong, `hint` how to mend it."""

    def __init__(self, reason: str, hint: str) -> None:
        """Keep both apart, for whoever shows them apart."""
        super().__init__(f"{reason}; {hint}")
        self.reason = reason
        self.hint = hint


class _Form(NamedTuple):
    """One way to write a date: `years` for each step of its number, and the `months` it spans (0: a day)."""

    expression: re.Pattern[str]  # groups: year, what follows it, qualifier
    years: int
    months: int
    precision: Precision


# A season, and a month, is its number times its months, less one: 21 begins in month 3 - 1 (March), 24 in 12 - 1.
_FORMS = (
    _Form(re.compile(r"([0-9]{4})-((?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))([?~%]?)"), 1, 0, "day"),
    _Form(re.compile(r"([0-9]{4})()([?~%]?)"), 1, 12, "year"),
    _Form(re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])([?~%]?)"), 1, 1, "month"),
    _Form(re.compile(r"([0-9]{3})X()([?~%]?)"), 10, 120, "year"),
    _Form(re.compile(r"([0-9]{2})XX()([?~%]?)"), 100, 1200, "year"),
    _Form(re.compile(r"([0-9]{4})-2([1-4])([?~%]?)"), 1, 3, "month"),
    _Form(re.compile(r"([0-9]{4})-XX()([?~%]?)"), 1, 12, "year"),
    _Form(re.compile(r"([0-9]{4})-XX-XX()([?~%]?)"), 1, 12, "year"),
    _Form(re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-XX([?~%]?)"), 1, 1, "month"),
)
_ALPHABET = re.compile(r"[0-9X?~%/.,\[\]-]+")
_PART = re.compile(r"[0-9X]{4}(?:-[0-9X]{2}){0,2}[?~%]?")  # finds each date of a text that is known to be right
_RANK = {"year": 0, "month": 1, "day": 2}

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BEFORE = tuple(accumulate(_DAYS, initial=0))
_CYCLE = 146_097  # days in 400 years, after which the calendar repeats


@lru_cache(maxsize=16_384)  # records share dates, and ask for each of theirs several times
def bounds(text: str) -> Bounds:
    """Return the bounds of an EDTF text, in days.

    Raises:
        EdtfError: the text is not in the subset, or says what cannot be.
    """
    if not 0 < len(text) <= MAX_LENGTH:
        if not text:
            raise EdtfError("the date is empty", "write at least a year, as in 2011, or leave the date out")
        raise EdtfError(
            f"the date has {len(text)} characters, {MAX_LENGTH} is the most",
            "write one date, interval or set, and the rest as a note",
        )
    if not _ALPHABET.fullmatch(text):
        raise EdtfError(*why_alphabet(text))
    if "[" in text or "]" in text:
        earliest, latest = _one_of(text)
        return Bounds(earliest, latest, earliest, latest)
    if "/" in text:
        return _interval(text)
    first, last = _span(text)
    return Bounds(first, last, first, last)


@lru_cache(maxsize=16_384)
def iso(day: int) -> str | None:
    """Return a day as ISO 8601 has it, `2011-12-17`; None for a bound that is none (open, or undated)."""
    if not FIRST_DAY <= day <= LAST_DAY:
        return None
    if day > 0:
        return date.fromordinal(day).isoformat()
    return "0000" + date.fromordinal(day + _CYCLE).isoformat()[4:]  # date has no year 0, the year 400 is its like


def shown(text: str) -> dict[str, Any]:
    """Return a date as every answer shows it: `{"edtf", "start": [s0, s1], "end": [e0, e1]}`; null is unbounded.

    Raises:
        EdtfError: as `bounds`.
    """
    s0, s1, e0, e1 = bounds(text)
    return {"edtf": text, "start": [iso(s0), iso(s1)], "end": [iso(e0), iso(e1)]}


def precision(text: str) -> Precision:
    """Return the finest unit stated anywhere in an EDTF text; a season counts as month, what is X is not stated.

    Raises:
        EdtfError: as `bounds`.
    """
    bounds(text)
    stated = (_read(part)[0].precision for part in _PART.findall(text))
    return max(stated, key=_RANK.__getitem__, default="year")


def coarsen(text: str, finest: Precision) -> str:
    """Return an EDTF text that states nothing finer than `finest`; what is coarse enough stays as recorded.

    Its bounds always contain those of `text`. Qualifiers stay. A winter lasts into the next year, so as a year it is
    approximate: 2011-24 becomes `2011~`. Members of a set that have become the same are named once, for their number
    would still tell.

    Raises:
        EdtfError: as `bounds`.
    """
    bounds(text)
    coarse = _PART.sub(lambda found: _coarse(found[0], finest), text)
    return _distinct(coarse) if coarse != text and coarse[0] == "[" else coarse


def _interval(text: str) -> Bounds:
    sides = text.split("/")
    if len(sides) != 2:
        raise EdtfError(f"'{text}' has more than one /", "write an interval as start/end, and a date as 2011-03-04")
    start, end = sides
    if not start and not end:
        raise EdtfError("'/' says nothing", "write the start or the end that is known, or leave the date out")
    s0, s1 = (BEFORE_ALL, BEFORE_ALL if start else AFTER_ALL) if start in ("", "..") else _span(start)
    e0, e1 = (AFTER_ALL if end else BEFORE_ALL, AFTER_ALL) if end in ("", "..") else _span(end)
    if e1 < s0:
        raise EdtfError(
            f"'{text}' ends before it starts",
            f"write {end}/{start} if the sides are swapped, [{end},{start}] if it happened once at one of the two",
        )
    return Bounds(s0, min(s1, e1), max(e0, s0), e1)


def _one_of(text: str) -> tuple[int, int]:
    """Return the first and the last day that a set "one of" allows."""
    if text[0] != "[" or text[-1] != "]" or text in ("[]", "[..]"):
        raise EdtfError(*why_set(text))
    members = text[1:-1].split(",")
    firsts, lasts = [], []
    for place, member in enumerate(members):
        left, dots, right = member.partition("..")
        if dots and ((not left and place) or (not right and place + 1 < len(members)) or not (left or right)):
            raise EdtfError(
                f"'{text}' has an open end in its middle",
                "put .. before the first date (any earlier time) or after the last one (any later time)",
            )
        first, last = _span(left) if left or not dots else (BEFORE_ALL, BEFORE_ALL)
        if dots:
            last = _span(right)[1] if right else AFTER_ALL
            if last < first:
                raise EdtfError(f"the range '{member}' ends before it starts", f"write {right}..{left}")
        firsts.append(first)
        lasts.append(last)
    if len(members) == 1 and ".." not in text:
        raise EdtfError(*why_set(text))
    return min(firsts), max(lasts)


def _span(part: str) -> tuple[int, int]:
    """Return the first and the last day of one date, widened if it is qualified."""
    form, (year, rest, qualifier) = _read(part)
    months = form.months
    if not months:
        first = last = _day(part, int(year), int(rest[:2]), int(rest[3:]))
        if qualifier:
            first, last = first - 1, last + 1
    else:
        month = int(year) * form.years * 12 + (int(rest) * months - 1 if rest else 0)
        reach = months if qualifier else 0
        first, last = _first_of(month - reach), _first_of(month + months + reach) - 1
    return max(first, FIRST_DAY), min(last, LAST_DAY)


def _read(part: str) -> tuple[_Form, tuple[str, ...]]:
    for form in _FORMS:
        if found := form.expression.fullmatch(part):
            return form, found.groups()
    raise EdtfError(*why_part(part))


def _first_of(month: int) -> int:
    """Return the first day of a month, counted from January of the year 0."""
    year, nth = divmod(month, 12)
    past = year - 1
    leap = nth > 1 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return past * 365 + past // 4 - past // 100 + past // 400 + _BEFORE[nth] + leap + 1


def _day(part: str, year: int, month: int, day: int) -> int:
    first = _first_of(year * 12 + month - 1)
    if day > 28:
        length = _first_of(year * 12 + month) - first
        if day > length:
            raise EdtfError(
                f"'{part}' is no day: {part[:7]} has {length} days",
                f"write {part[:7]} if the day is not known",
            )
    return first + day - 1


def _coarse(part: str, finest: Precision) -> str:
    form, (year, rest, qualifier) = _read(part)
    if _RANK[form.precision] <= _RANK[finest]:
        return part
    if finest == "month":
        return f"{year}-{rest[:2]}{qualifier}"
    winter = form.months == 3 and rest == "4"
    return year + (qualifier or "~" if winter else qualifier)


def _distinct(text: str) -> str:
    members = []
    for member in text[1:-1].split(","):
        left, _, right = member.partition("..")
        members.append(left if left == right else member)
    members = list(dict.fromkeys(members))
    return members[0] if len(members) == 1 and ".." not in members[0] else f"[{','.join(members)}]"
