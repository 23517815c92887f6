"""Dates as people write them in sheets, brought into EDTF: what cannot be read in one way only is refused."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from app.vocabulary.edtf import EdtfError, bounds, iso

# Forms that can be read in one way only. A mapping that names forms uses those instead.
USUAL: tuple[str, ...] = (
    "EDTF",
    "YYYY-M-D",
    "YYYY/M/D",
    "YYYY. M. D",  # a space may be none
    "YYYY. M. D.",
    "YYYY-M",
    "YYYY/M",
    "YYYY. M",
    "YYYY. M.",
    "D Month YYYY",
    "Month D, YYYY",
)
USUAL += ("Month YYYY", "YYYY Month D", "YYYY년 M월 D일", "YYYY년 M월", "YYYY년", "YYYY년대")
ABOUT = (
    "circa",
    "about",
    "around",
    "approximately",
    "approx.",
    "ca.",
    "c.",
    "약",
    "대략",
    "경",
    "쯤",
    "무렵",
    "~",
    "?",
)
UNKNOWN = ("unknown", "not known", "n/a", "-", "?", "미상", "불명", "모름", "알 수 없음")
_MONTHS: tuple[str, ...] = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
)
_MONTHS += ("november", "december")
_TOKEN = re.compile(r"YYYY|Month|MM|DD|M|D")
_PARTS = {
    "YYYY": r"(?P<y>[0-9]{4})",
    "MM": r"(?P<m>[0-9]{2})",
    "M": r"(?P<m>[0-9]{1,2})",
    "DD": r"(?P<d>[0-9]{2})",
    "D": r"(?P<d>[0-9]{1,2})",
    "Month": r"(?P<name>[A-Za-z]{3,9})\.?",
}
_JANUARY_OR_OCTOBER = re.compile(r"[0-9]{4}\.1")
_TIME = re.compile(r"[T ]00:00(:00(\.0+)?)?Z?")  # what spreadsheets and databases put behind a day


class Undated(ValueError):
    """A text is no date in the forms of the mapping; the message says why."""


class Forms(NamedTuple):
    """How dates of a column are written."""

    formats: tuple[str, ...] = USUAL
    about: tuple[str, ...] = ABOUT
    unknown: tuple[str, ...] = UNKNOWN


@lru_cache(1024)
def is_format(text: str) -> bool:
    """Tell whether a text is a form of dates: EDTF, or year (YYYY), month (MM, M, Month) and day (DD, D) with signs."""
    if text == "EDTF":
        return True
    tokens = [{"MM": "M", "Month": "M", "DD": "D"}.get(one, one) for one in _TOKEN.findall(text)]
    return sorted(tokens) in (["YYYY"], ["M", "YYYY"], ["D", "M", "YYYY"]) and not re.search(
        r"[A-Za-z0-9]", _TOKEN.sub("", text)
    )


@lru_cache(1024)
def _pattern(format: str) -> re.Pattern[str]:
    expression, at = "", 0
    for token in _TOKEN.finditer(format):
        expression += _literal(format[at : token.start()]) + _PARTS[token[0]]
        at = token.end()
    return re.compile(expression + _literal(format[at:]))


def _literal(text: str) -> str:
    # A space may be several or, beside a sign or a Korean counter, none.
    return "".join(r"\s*" if sign == " " else re.escape(sign) for sign in text)


def _read(text: str, format: str) -> str | None:
    """Return the EDTF of a text in one form, or nothing."""
    if format == "EDTF":
        try:
            bounds(text)
        except EdtfError:
            return None
        return text
    match = _pattern(format).fullmatch(text)
    if match is None:
        return None
    found = match.groupdict()
    month = found.get("m")
    if name := (found.get("name") or "").casefold():
        months = [i + 1 for i, one in enumerate(_MONTHS) if one == name or one[:3] == name or (one[:4] == name)]
        if len(months) != 1:
            return None
        month = str(months[0])
    date = found["y"]
    if format.endswith("년대"):
        date = date[:3] + "X" if date[3] == "0" else ""
    for part in (month, found.get("d")):
        if part is not None:
            date += f"-{int(part):02}"
    try:
        bounds(date)
    except EdtfError:
        return None
    return date


@lru_cache(65_536)
def date_of(text: str, forms: Forms) -> str | None:
    """Return the EDTF of what stands in a cell, with `~` where it says "about"; None where it says that it is unknown.

    Raises:
        Undated: it is in none of the forms, or can be read in two ways.
    """
    text = text.strip()
    if text.casefold() in forms.unknown:
        return None
    if _JANUARY_OR_OCTOBER.fullmatch(text):
        raise Undated(
            "may be January or October, for a spreadsheet keeps .10 as the number .1: write .01, or .10 as text"
        )
    found = {one: format for format in forms.formats if (one := _read(_TIME.sub("", text), format)) is not None}
    if not found and (bare := _without(text, forms.about)) != text:
        read = {format: _read(bare, format) for format in forms.formats}
        found = {one + "~": format for format, one in read.items() if one and one[-1] not in "?~%]."}
    if len(found) > 1:
        raise Undated(f"can be read in two ways: {' and '.join(sorted(found.values()))}")
    if not found:
        raise Undated(f"is no date in the forms of this column: {', '.join(forms.formats[:8])}")
    return next(iter(found))


def _without(text: str, about: Sequence[str]) -> str:
    for word in sorted(about, key=len, reverse=True):
        folded = text.casefold()
        if folded.startswith(word.casefold()):
            return text[len(word) :].strip()
        if folded.endswith(word.casefold()):
            return text[: -len(word)].strip()
    return text


def span(start: str, end: str, means: str) -> str:
    """Return the EDTF of two dates: `lasted` from one to the other, or `once` between them.

    Raises:
        Undated: the second lies before the first.
    """
    if not start and not end:
        raise Undated("has neither beginning nor end")
    if start == end:
        return start
    edtf = f"{start}/{end}" if means == "lasted" else f"[{start}..{end}]"
    try:
        bounds(edtf)
    except EdtfError as error:
        raise Undated(error.reason) from None
    return edtf


def as_precise(date: str, precision: str) -> str:
    """Return a date no more precise than it is known: to the `day`, `month`, `year`, `decade`; `about`; `days:N`.

    `days:6` says that it happened on that day or up to six days before or after it.
    """
    if precision == "day" or date[:4].strip("0123456789X"):
        return date
    head, mark = date.rstrip("?~%"), date[len(date.rstrip("?~%")) :]
    if "/" in date:
        return date
    match precision:
        case "month":
            return head[:7] + mark
        case "year":
            return head[:4] + mark
        case "decade":
            return head[:3] + "X" + mark
        case "about":
            return head + "~"
    days, (first, _, _, last) = int(precision.removeprefix("days:")), bounds(head)
    return f"[{iso(first - days)}..{iso(last + days)}]"


def is_precision(text: str) -> bool:
    """Tell whether a word says how precise a date is."""
    return text in ("day", "month", "year", "decade", "about") or bool(re.fullmatch(r"days:[0-9]{1,3}", text))
