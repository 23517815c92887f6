"""What an EDTF text means in days, how it is shown and coarsened, and why a text is refused: one example a line."""

from datetime import date
from pathlib import Path

import pytest

from app.vocabulary.edtf import (
    AFTER_ALL,
    BEFORE_ALL,
    FIRST_DAY,
    LAST_DAY,
    UNDATED,
    UNDATED_BOUNDS,
    Bounds,
    EdtfError,
    bounds,
    coarsen,
    iso,
    precision,
    shown,
)

# Once, some time in the span: text, first day, last day (None: no bound).
ONCE = [
    ("2003", "2003-01-01", "2003-12-31"),
    ("0000", "0000-01-01", "0000-12-31"),
    ("9999", "9999-01-01", "9999-12-31"),
    ("2004-02", "2004-02-01", "2004-02-29"),
    ("1900-02", "1900-02-01", "1900-02-28"),
    ("2000-02", "2000-02-01", "2000-02-29"),
    ("2011-12", "2011-12-01", "2011-12-31"),
    ("2011-12-17", "2011-12-17", "2011-12-17"),
    ("2012-02-29", "2012-02-29", "2012-02-29"),
    ("0000-02-29", "0000-02-29", "0000-02-29"),
    ("200X", "2000-01-01", "2009-12-31"),
    ("20XX", "2000-01-01", "2099-12-31"),
    ("2004-XX", "2004-01-01", "2004-12-31"),
    ("2004-XX-XX", "2004-01-01", "2004-12-31"),
    ("2004-02-XX", "2004-02-01", "2004-02-29"),
    ("2004-21", "2004-03-01", "2004-05-31"),
    ("2004-22", "2004-06-01", "2004-08-31"),
    ("2004-23", "2004-09-01", "2004-11-30"),
    ("2004-24", "2004-12-01", "2005-02-28"),
    ("2003-24", "2003-12-01", "2004-02-29"),
    # A qualifier widens by one unit of the stated precision, on both sides.
    ("2003~", "2002-01-01", "2004-12-31"),
    ("2003?", "2002-01-01", "2004-12-31"),
    ("2003%", "2002-01-01", "2004-12-31"),
    ("2004-02~", "2004-01-01", "2004-03-31"),
    ("2004-01~", "2003-12-01", "2004-02-29"),
    ("2004-03-01~", "2004-02-29", "2004-03-02"),
    ("2004-12-31?", "2004-12-30", "2005-01-01"),
    ("2004-21~", "2003-12-01", "2004-08-31"),
    ("2004-24~", "2004-09-01", "2005-05-31"),
    ("199X~", "1980-01-01", "2009-12-31"),
    ("19XX~", "1800-01-01", "2099-12-31"),
    ("2004-XX~", "2003-01-01", "2005-12-31"),
    ("2004-XX-XX~", "2003-01-01", "2005-12-31"),
    ("2004-02-XX~", "2004-01-01", "2004-03-31"),
    # Nothing lies before 0000-01-01 or after 9999-12-31.
    ("0000~", "0000-01-01", "0001-12-31"),
    ("0000-01-01~", "0000-01-01", "0000-01-02"),
    ("00XX~", "0000-01-01", "0199-12-31"),
    ("9999-12-31~", "9999-12-30", "9999-12-31"),
    ("9999-24", "9999-12-01", "9999-12-31"),
    ("99XX~", "9800-01-01", "9999-12-31"),
    # Sets "one of": from the earliest that it may have been to the latest.
    ("[..2013]", None, "2013-12-31"),
    ("[..2001~]", None, "2002-12-31"),
    ("[..2000-12-24]", None, "2000-12-24"),
    ("[1984..]", "1984-01-01", None),
    ("[1984~..]", "1983-01-01", None),
    ("[1999..2003]", "1999-01-01", "2003-12-31"),
    ("[198X..1994]", "1980-01-01", "1994-12-31"),
    ("[2012..2015-02]", "2012-01-01", "2015-02-28"),
    ("[2003-05..2003]", "2003-05-01", "2003-12-31"),
    ("[2003..2003]", "2003-01-01", "2003-12-31"),
    ("[2003-05-06..2003-05-06]", "2003-05-06", "2003-05-06"),
    ("[2001,2004]", "2001-01-01", "2004-12-31"),
    ("[2004,2001]", "2001-01-01", "2004-12-31"),
    ("[2001,2004..2006]", "2001-01-01", "2006-12-31"),
    ("[2021-03,2022-03,2023-03]", "2021-03-01", "2023-03-31"),
    ("[198X,2001~]", "1980-01-01", "2002-12-31"),
    ("[2001~,2001]", "2000-01-01", "2002-12-31"),
    ("[2003-21,2004-21]", "2003-03-01", "2004-05-31"),
    ("[..2001,2004]", None, "2004-12-31"),
    ("[2001,2004..]", "2001-01-01", None),
    ("[..2001,2004..]", None, None),
]

# It lasted: text, start between two days, end between two days.
LASTED = [
    ("2004/2011", "2004-01-01", "2004-12-31", "2011-01-01", "2011-12-31"),
    ("2004-05-06/2004-05-09", "2004-05-06", "2004-05-06", "2004-05-09", "2004-05-09"),
    ("198X/1994", "1980-01-01", "1989-12-31", "1994-01-01", "1994-12-31"),
    ("2004-21/2005-24", "2004-03-01", "2004-05-31", "2005-12-01", "2006-02-28"),
    ("2004-XX/2005-03-XX", "2004-01-01", "2004-12-31", "2005-03-01", "2005-03-31"),
    # It cannot have started after its end, nor ended before its start.
    ("2004/2004", "2004-01-01", "2004-12-31", "2004-01-01", "2004-12-31"),
    ("2014-04/2014", "2014-04-01", "2014-04-30", "2014-04-01", "2014-12-31"),
    ("2014/2014-04", "2014-01-01", "2014-04-30", "2014-04-01", "2014-04-30"),
    ("2004-05-06/2004-05-06", "2004-05-06", "2004-05-06", "2004-05-06", "2004-05-06"),
    # A qualifier belongs to its side.
    ("1975~/2001~", "1974-01-01", "1976-12-31", "2000-01-01", "2002-12-31"),
    ("2004~/2011", "2003-01-01", "2005-12-31", "2011-01-01", "2011-12-31"),
    ("2004/2011-05-06~", "2004-01-01", "2004-12-31", "2011-05-05", "2011-05-07"),
    ("2010~/2010", "2009-01-01", "2010-12-31", "2010-01-01", "2010-12-31"),
    # In reverse, but for its qualifier: in 2010 at the latest, and in 2010 at the earliest.
    ("2011~/2010", "2010-01-01", "2010-12-31", "2010-01-01", "2010-12-31"),
    # Open: goes on, or has been so since before any day. Unknown: any day that the other side leaves.
    ("1977-11/..", "1977-11-01", "1977-11-30", "after all", "after all"),
    ("1959~/..", "1958-01-01", "1960-12-31", "after all", "after all"),
    ("../1990", "before all", "before all", "1990-01-01", "1990-12-31"),
    ("1999/", "1999-01-01", "1999-12-31", "1999-01-01", "after all"),
    ("2017-05~/", "2017-04-01", "2017-06-30", "2017-04-01", "after all"),
    ("/1990", "before all", "1990-12-31", "1990-01-01", "1990-12-31"),
    ("/199X~", "before all", "2009-12-31", "1980-01-01", "2009-12-31"),
    ("../..", "before all", "before all", "after all", "after all"),
    ("../", "before all", "before all", "before all", "after all"),
    ("/..", "before all", "after all", "after all", "after all"),
]

# Text, and words of the reason and of the hint.
REFUSED = [
    ("", "is empty", "leave the date out"),
    ("2004\x00", "control character", "leave it out"),
    ("2004\n", "control character", "leave it out"),
    ("\x00", "control character", "leave it out"),
    ("٢٠١١", "not ASCII", "0 to 9"),
    ("２０１１", "not ASCII", "0 to 9"),
    ("2011–03", "not ASCII", "plain hyphen"),
    ("2011-0\u0663", "not ASCII", "0 to 9"),
    ("\ud800", "not ASCII", "0 to 9"),
    ("[2001, 2004]", "holds a space", "after a comma"),
    (" 2004", "holds a space", "leave it out"),
    ("9" * 201, "has 201 characters, 200 is the most", "as a note"),
    ("[" + "2001," * 1_000_000 + "2001]", "has 5000006 characters", "as a note"),
    ("March 2011", "in words", "write 2011"),
    ("2004#05", "not of EDTF", "write 2011"),
    # Outside the subset.
    ("2004-05-06T10:00:00", "time of day", "as a note"),
    ("2004-05-06T10:00:00Z", "time of day", "as a note"),
    ("2004-05-06T10:00:00/2004-05-07", "time of day", "as a note"),
    ("-0044", "before 0000", "0000 to 9999"),
    ("-0044/0012", "before 0000", "0000 to 9999"),
    ("Y170000", "more than four digits", "0000 to 9999"),
    ("Y-17000", "more than four digits", "0000 to 9999"),
    ("20041", "more than four digits", "0000 to 9999"),
    ("Y17E7", "exponent", "0000 to 9999"),
    ("1950S2", "significant digits", "19XX"),
    ("{2001,2004}", "all its dates", "[2001,2004]"),
    ("2004~-06", "part of a date", "at the end"),
    ("2004-06~-11", "part of a date", "at the end"),
    ("?2004-06", "part of a date", "at the end"),
    ("2004-~06", "part of a date", "at the end"),
    ("2004?~", "more than one qualifier", "%"),
    ("2004-25", "number above 24", "24 (winter)"),
    ("2004-41", "number above 24", "24 (winter)"),
    ("2004-21-05", "day within a season", "2011-21"),
    ("2004-21^france", "in words", "write 2011"),
    ("2XXX", "X where none may stand", "198X"),
    ("XXXX", "X where none may stand", "198X"),
    ("20X4", "X where none may stand", "198X"),
    ("200X-05", "X where none may stand", "2004-XX"),
    ("2004-0X", "X where none may stand", "2004-XX"),
    ("2004-05-1X", "X where none may stand", "2004-05-XX"),
    ("2004-XX-05", "X where none may stand", "2004-XX-XX"),
    ("199u", "small letter", "capital X"),
    ("2004-uu", "small letter", "capital X"),
    ("198x", "small letter", "capital X"),
    ("2004/unknown", "older draft", "1999/"),
    ("2004/open", "older draft", "1999/.."),
    # Days and months that are none.
    ("2011-02-30", "'2011-02-30' is no day: 2011-02 has 28 days", "write 2011-02"),
    ("2011-02-29", "2011-02 has 28 days", "write 2011-02"),
    ("1900-02-29", "1900-02 has 28 days", "write 1900-02"),
    ("2004-02-30/2005", "2004-02 has 29 days", "write 2004-02"),
    ("[2004,2004-06-31]", "2004-06 has 30 days", "write 2004-06"),
    ("2004-13", "month that does not exist", "01 to 12"),
    ("2004-00", "month that does not exist", "01 to 12"),
    ("2004-13-01", "month that does not exist", "01 to 12"),
    ("2004-05-00", "day that does not exist", "01 to 31"),
    ("2004-05-32", "day that does not exist", "01 to 31"),
    # Other ways to write a date.
    ("20110304", "no hyphens", "2011-03-04"),
    ("2011-3-4", "one digit", "2011-03-04"),
    ("04.03.2011", "has a dot", "2011-03-04"),
    ("04/03/2011", "more than one /", "2011-03-04"),
    ("04-03-2011", "fewer than four digits", "2011-03-04"),
    ("196", "fewer than four digits", "0987"),
    ("2004-", "is no date", "write 2011"),
    # Intervals.
    ("/", "says nothing", "leave the date out"),
    ("2011/2009", "ends before it starts", "write 2009/2011"),
    ("2011-12-18/2011-12-17", "ends before it starts", "[2011-12-17,2011-12-18]"),
    ("2011~/2009", "ends before it starts", "write 2009/2011~"),
    ("2001/2002/2003", "more than one /", "start/end"),
    ("2001/[2004,2005]", "set as a side of an interval", "2004/2011"),
    ("[2001,2004]/2010", "set as a side of an interval", "2004/2011"),
    ("2004..2011", "range where a date should stand", "2004/2011 if it lasted"),
    ("2004..", "range where a date should stand", "[2004..2011]"),
    ("2001,2004", "outside a set", "[2001,2004]"),
    # Sets.
    ("[2005..2003]", "'2005..2003' ends before it starts", "write 2003..2005"),
    ("[2001,2005..2003]", "'2005..2003' ends before it starts", "write 2003..2005"),
    ("[2004]", "set of one date", "write 2004"),
    ("[]", "says nothing", "leave the date out"),
    ("[..]", "says nothing", "leave the date out"),
    ("[2001,]", "a date is missing", "leave out the comma"),
    ("[,2001]", "a date is missing", "leave out the comma"),
    ("[2001,..2004]", "open end in its middle", "before the first"),
    ("[2001..,2004]", "open end in its middle", "after the last"),
    ("[2001,..]", "open end in its middle", "after the last"),
    ("[2001/2004]", "interval inside a set", "[2004..2011]"),
    ("[2001,[2004]]", "bracket inside a set", "one pair"),
    ("[2001..2002..2003]", "range where a date should stand", "[2004..2011]"),
    ("[2001...2003]", "has a dot", "[1999..2003]"),
    ("[2001,2004", "bracket without its pair", "[2001,2004]"),
    ("2001]", "bracket without its pair", "[2001,2004]"),
]

# Text, as a year, as a month, and the finest unit that it states.
COARSENED = [
    ("2011", "2011", "2011", "year"),
    ("2011-03", "2011", "2011-03", "month"),
    ("2011-03-04", "2011", "2011-03", "day"),
    ("2011-03-04~", "2011~", "2011-03~", "day"),
    ("201X?", "201X?", "201X?", "year"),
    ("20XX", "20XX", "20XX", "year"),
    ("2004-XX", "2004-XX", "2004-XX", "year"),
    ("2004-XX-XX", "2004-XX-XX", "2004-XX-XX", "year"),
    ("2004-05-XX%", "2004%", "2004-05-XX%", "month"),
    ("2011-22", "2011", "2011-22", "month"),
    # A winter lasts into the next year.
    ("2011-24", "2011~", "2011-24", "month"),
    ("2011-24?", "2011?", "2011-24?", "month"),
    ("2011-24/2013-24", "2011~/2013~", "2011-24/2013-24", "month"),
    ("2011-03-04/2012", "2011/2012", "2011-03/2012", "day"),
    ("2011-03-04/2011-05-06", "2011/2011", "2011-03/2011-05", "day"),
    ("2011-12-17/..", "2011/..", "2011-12/..", "day"),
    ("/2011-12-17", "/2011", "/2011-12", "day"),
    ("../..", "../..", "../..", "year"),
    ("[..2000-12-24]", "[..2000]", "[..2000-12]", "day"),
    ("[2019..2026-02]", "[2019..2026]", "[2019..2026-02]", "month"),
    # What has become the same is named once: its number would still tell.
    ("[2021-03,2021-05,2023-03]", "[2021,2023]", "[2021-03,2021-05,2023-03]", "month"),
    ("[2021-03-04,2021-05-06]", "2021", "[2021-03,2021-05]", "day"),
    ("[2021-03-04..2021-03-06]", "2021", "2021-03", "day"),
    ("[2021-03-04..2021-03-06,2021-03-09~]", "[2021,2021~]", "[2021-03,2021-03~]", "day"),
    ("[..2021-03,2021-05]", "[..2021,2021]", "[..2021-03,2021-05]", "month"),
    ("[2001,2001]", "[2001,2001]", "[2001,2001]", "year"),
]


def record_dates() -> list[str]:
    lines = (Path(__file__).parent / "record-dates.txt").read_text("utf-8").splitlines()
    return " ".join(line for line in lines if not line.startswith("#")).split()


def days(b: Bounds) -> tuple[str | None, ...]:
    names = {BEFORE_ALL: "before all", AFTER_ALL: "after all"}
    return tuple(names.get(day) or iso(day) for day in b)


@pytest.mark.parametrize(("text", "first", "last"), ONCE)
def test_once(text, first, last):
    first, last = first or "before all", last or "after all"
    assert days(bounds(text)) == (first, last, first, last)


@pytest.mark.parametrize(("text", "s0", "s1", "e0", "e1"), LASTED)
def test_lasted(text, s0, s1, e0, e1):
    assert days(bounds(text)) == (s0, s1, e0, e1)


@pytest.mark.parametrize(("text", "reason", "hint"), REFUSED, ids=lambda value: ascii(value)[:40])
def test_refused(text, reason, hint):
    with pytest.raises(EdtfError) as caught:
        bounds(text)
    assert reason in caught.value.reason
    assert hint in caught.value.hint
    assert str(caught.value) == f"{caught.value.reason}; {caught.value.hint}"
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize("refusing", [bounds, shown, precision, lambda text: coarsen(text, "year")])
def test_every_reader_refuses(refusing):
    with pytest.raises(EdtfError, match="2011-02 has 28 days"):
        refusing("2011-02-30")


@pytest.mark.parametrize(("text", "year", "month", "finest"), COARSENED)
def test_coarsened(text, year, month, finest):
    assert (coarsen(text, "year"), coarsen(text, "month"), coarsen(text, "day")) == (year, month, text)
    assert precision(text) == finest


def test_days_are_numbered_as_python_does():
    for day in (date(1, 1, 1), date(1900, 2, 28), date(1900, 3, 1), date(2000, 2, 29), date(2011, 12, 17), date.max):
        assert bounds(day.isoformat()) == (day.toordinal(),) * 4
        assert iso(day.toordinal()) == day.isoformat()
    assert bounds("0000-12-31") == (0, 0, 0, 0)
    assert bounds("0000").s0 == FIRST_DAY
    assert bounds("9999").e1 == LAST_DAY


def test_every_day_reads_back():
    for day in [*range(FIRST_DAY, 800), *range(730_000, 735_000), *range(LAST_DAY - 800, LAST_DAY + 1)]:
        assert bounds(iso(day) or "").s0 == day


def test_a_bound_that_is_none_has_no_day():
    for day in (BEFORE_ALL, AFTER_ALL, UNDATED, FIRST_DAY - 1, LAST_DAY + 1):
        assert iso(day) is None
    assert UNDATED_BOUNDS == (UNDATED, UNDATED, UNDATED, UNDATED)


def test_shown():
    assert shown("2011-12-17/..") == {
        "edtf": "2011-12-17/..",
        "start": ["2011-12-17", "2011-12-17"],
        "end": [None, None],
    }
    assert shown("[..2013]") == {"edtf": "[..2013]", "start": [None, "2013-12-31"], "end": [None, "2013-12-31"]}


def test_every_date_of_the_public_record_is_read():
    texts = record_dates()
    assert len(texts) == len(set(texts)) == 471
    for text in texts:
        assert shown(text)["edtf"] == coarsen(text, "day") == text
