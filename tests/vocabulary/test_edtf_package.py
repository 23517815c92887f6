"""The `edtf` package and ours agree on what is valid and on how it is built; where they do not, it is listed by name.

The package tells validity and structure; what its structure means in days is worked out here, plainly, from the rules.
Its own bounds are not used: it pads ten years and cuts a winter to one month.
"""

import itertools
import re
from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from edtf import parse_edtf

from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, Bounds, EdtfError, bounds

X = "[0-9X-]*X[0-9X-]*"  # a date with an X
MONTH_X = "[0-9]{4}-XX"
SEASON = "[0-9]{4}-2[1-4]"
UA = "[?~%]"

# We read what the package refuses: name -> (why, the texts). "Crashes": an error other than its own.
WE_READ_MORE = {
    "season with a qualifier": (
        "ISO 8601-2 qualifies any date; the package has it inside an interval only",
        rf"{SEASON}{UA}",
    ),
    "season in a set": (
        "a season stands where a month may (ISO 8601-2), and people do say: in spring of one year or another",
        rf"\[.*{SEASON}.*\]",
    ),
    "X beside an open or unknown end": (
        "any date may be a side of an interval; the package refuses, or crashes on ../199X",
        rf"(\.\.)?/{X}{UA}?|{X}{UA}?/(\.\.)?",
    ),
    "X beside a qualified date": (
        "as above: the package has X in an interval only where neither side is qualified at its end",
        rf"{X}/.*{UA}|.*{UA}/{X}|{X}{UA}/.*|.*/{X}{UA}",
    ),
    "month XX in an interval or a set": (
        "the package crashes on 2004-XX anywhere but alone",
        rf"{MONTH_X}/.*|.*/{MONTH_X}|\[(.*[,.])?{MONTH_X}([,.].*)?\]",
    ),
    "open side beside an unknown side": ("the package crashes", r"\.\./|/\.\."),
    "range of unlike units": (
        "a double dot stands between any two dates (ISO 8601-2); the package wants both years, months or days",
        r"\[[0-9]{4}(-[0-9]{2}){1,2}\.\.[0-9]{4}\]|\[[0-9]{4}\.\.[0-9]{4}(-[0-9]{2}){1,2}\]"
        r"|\[[0-9]{4}-[0-9]{2}\.\.[0-9]{4}(-[0-9]{2}){2}\]|\[[0-9]{4}(-[0-9]{2}){2}\.\.[0-9]{4}-[0-9]{2}\]",
    ),
    "range with X": ("as above", rf"\[({X}{UA}?\.\..*|.*\.\.{X}{UA}?)\]"),
    "range with a qualifier": ("as above", rf"\[([^,]*{UA}\.\..*|.*\.\.[^,]*{UA})\]"),
}

# The package reads what we refuse: name -> (why, texts).
WE_REFUSE = {
    "time of day": ("outside the subset", ["2004-05-06T10:00:00", "2004-05-06T10:00:00Z"]),
    "year before 0000": ("outside the subset", ["-0044", "-0044/0012"]),
    "long year": ("outside the subset", ["Y170000", "Y-17000"]),
    "exponent": ("outside the subset", ["Y17E7"]),
    "significant digits": ("outside the subset", ["1950S2"]),
    "set of all": ("outside the subset", ["{2001,2004}", "{2001..2004}"]),
    "qualified part": ("outside the subset", ["2004~-06", "2004-06~-11", "?2004-06", "2004-~06"]),
    "season above 24": ("outside the subset", ["2004-25", "2004-41"]),
    "X other than in the last places": (
        "outside the subset",
        ["20X4", "X004", "200X-05", "2004-1X-05", "2004-XX-05", "2004-05-1X"],
    ),
    "more than two X in a year": ("outside the subset", ["2XXX", "XXXX", "1X9X"]),
    "29 February of a common year": ("the package has no calendar for it", ["2011-02-29", "1900-02-29"]),
    "spaces": ("ISO 8601-2 has none; the package skips them", [" 2004", "2004 ", "2004 / 2005", "[2001, 2004]"]),
    "reversed": ("says what cannot be", ["2011/2009", "[2005..2003]", "2011~/2009"]),
}

# Neither reads these.
# fmt: off
BOTH_REFUSE = [
    "2004-13", "2004-00", "2004-05-00", "2004-05-32", "2011-02-30", "2004-06-31", "2004-uu", "199u", "198x",
    "2004?~", "/", "[]", "[..]", "[2001]", "[2001,]", "[,2001]", "[2001,..2004]", "[2001..,2004]", "[2001/2004]",
    "[2001", "[2001,[2004]]", "2004..2011", "2004..", "2001,2004", "2001/2002/2003", "unknown", "2004-5", "196",
    "2004-", "20110304", "March", "[2001...2003]", "[2001,2004]/2010", "2004-21-05",
]
# fmt: on

DATES = ["2004", "2004-05", "2004-02-29", "200X", "20XX", "2004-21", "2004-24", "2004-XX", "2004-05-XX", "2004-XX-XX"]
STARTS = ["", "..", "1999", "1999-05", "1999-05-06", "199X", "1999-24", "1999-XX", "1999-05-XX", "1999~", "1999-05-06%"]
MEMBERS = ["1999", "1999-05", "1999-05-06", "199X", "1999-XX", "1999-05-XX", "1999~"]


def later(text: str) -> str:
    return text.replace("199", "201")


def corpus() -> list[str]:
    singles = [d + q for d in DATES for q in ("", "?", "~", "%")]
    intervals = [f"{a}/{later(b)}" for a, b in itertools.product(STARTS, STARTS)]
    lists = [f"[{a},{later(b)}]" for a, b in itertools.combinations_with_replacement(MEMBERS, 2)]
    ranges = [f"[{a}..{later(b)}]" for a, b in itertools.product(MEMBERS, MEMBERS)]
    opens = [f"[..{m}]" for m in MEMBERS] + [f"[{m}..]" for m in MEMBERS]
    longer = ["[1999,2001..2003,2010]", "[..1999,2003]", "[..1999,2001..2003,2010..]", "[1999-05,1999-07..1999-09]"]
    seasons = ["[1999-24,2004]", "[..1999-21]"]
    lines = (Path(__file__).parent / "record-dates.txt").read_text("utf-8").splitlines()[1:]
    recorded = [text for text in " ".join(lines).split() if len(text) > 10 or not text.replace("-", "").isdigit()]
    texts = [*singles, *intervals, *lists, *ranges, *opens, *longer, *seasons, *recorded]
    return [text for text in dict.fromkeys(texts) if text != "/"]


def package(text: str) -> Any:
    """Return the package's object, or None where it refuses or crashes."""
    try:
        return parse_edtf(text)
    except Exception:
        return None


def ours(text: str) -> Bounds | None:
    try:
        return bounds(text)
    except EdtfError:
        return None


def deviations(text: str) -> list[str]:
    return [name for name, (_, expression) in WE_READ_MORE.items() if re.fullmatch(expression, text)]


def meaning(found: Any) -> Bounds:
    """Return the bounds that the package's object means by our rules."""
    match type(found).__name__:
        case "OneOfASet":
            spans = [meaning(member) for member in found.objects]
            first, last = min(b.s0 for b in spans), max(b.e1 for b in spans)
        case "EarlierConsecutives":
            first, last = BEFORE_ALL, span(found.upper)[1]
        case "LaterConsecutives":
            first, last = span(found.lower)[0], AFTER_ALL
        case "Consecutives":
            first, last = span(found.lower)[0], span(found.upper)[1]
        case "Interval" | "Level1Interval" | "Level2Interval":
            return interval(found.lower, found.upper)
        case _:
            first, last = span(found)
    return Bounds(first, last, first, last)


def interval(lower: Any, upper: Any) -> Bounds:
    if getattr(lower, "is_open", False):
        s0, s1 = BEFORE_ALL, BEFORE_ALL
    elif getattr(lower, "is_unknown", False):
        s0, s1 = BEFORE_ALL, AFTER_ALL
    else:
        s0, s1 = span(lower)
    if getattr(upper, "is_open", False):
        e0, e1 = AFTER_ALL, AFTER_ALL
    elif getattr(upper, "is_unknown", False):
        e0, e1 = BEFORE_ALL, AFTER_ALL
    else:
        e0, e1 = span(upper)
    return Bounds(s0, min(s1, e1), max(e0, s0), e1)


def span(found: Any) -> tuple[int, int]:
    """Return first and last day of one date, by the calendar of the standard library."""
    qualified = bool(getattr(found, "ua", None))
    found = found.date if type(found).__name__ == "UncertainOrApproximate" else found
    if type(found).__name__ == "Season":
        month = {"21": 3, "22": 6, "23": 9, "24": 12}[found.season]
        return months(int(found.year), month, 3, qualified)
    digits = found.year.count("X")
    if digits:
        return months(int(found.year.replace("X", "0")), 1, 12 * 10**digits, qualified)
    if found.month in (None, "XX"):
        return months(int(found.year), 1, 12, qualified)
    if found.day in (None, "XX"):
        return months(int(found.year), int(found.month), 1, qualified)
    day, by = date(int(found.year), int(found.month), int(found.day)), timedelta(days=int(qualified))
    return (day - by).toordinal(), (day + by).toordinal()


def months(year: int, month: int, count: int, qualified: bool) -> tuple[int, int]:
    first = year * 12 + month - 1 - (count if qualified else 0)
    last = year * 12 + month - 1 + count - 1 + (count if qualified else 0)
    last_year, last_month = last // 12, last % 12 + 1
    return (
        date(first // 12, first % 12 + 1, 1).toordinal(),
        date(last_year, last_month, monthrange(last_year, last_month)[1]).toordinal(),
    )


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    return {text: package(text) for text in corpus()}


def test_the_corpus_is_what_it_was(read):
    assert len(read) == 414


def test_both_read_the_same_but_for_what_is_listed(read):
    assert [text for text in read if ours(text) is None] == []
    assert {text for text, found in read.items() if found is None} == {text for text in read if deviations(text)}


def test_every_listed_deviation_is_still_one(read):
    used = {name for text in read for name in deviations(text)}
    assert used == set(WE_READ_MORE)


def test_both_build_the_same(read):
    built = {text: found for text, found in read.items() if found is not None}
    assert {text: meaning(found) for text, found in built.items()} == {text: ours(text) for text in built}


@pytest.mark.parametrize(
    ("text", "built"),
    [
        ("2004-05-06", "Date"),
        ("2004/2011", "Interval"),
        ("2004~/..", "Level1Interval"),
        ("199X/2011", "Level2Interval"),
        ("2004-21", "Season"),
        ("2004-05~", "UncertainOrApproximate"),
        ("200X~", "Unspecified"),
        ("2004-XX-XX", "Unspecified"),
        ("[2001,2004..2006]", "OneOfASet"),
        ("[..2013]", "OneOfASet"),
    ],
)
def test_the_package_calls_it(text, built):
    assert type(package(text)).__name__ == built


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (_, texts) in WE_REFUSE.items() for text in texts])
def test_the_package_reads_what_we_refuse(name, text):
    assert package(text) is not None
    assert ours(text) is None


@pytest.mark.parametrize("text", BOTH_REFUSE)
def test_both_refuse(text):
    assert package(text) is None
    assert ours(text) is None
