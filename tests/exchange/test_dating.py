"""Dates of sheets: read in one way only, or refused; never more precise than they are written."""

import pytest

from app.exchange.dating import Forms, Undated, as_precise, date_of, is_format, span
from app.vocabulary.edtf import bounds


@pytest.mark.parametrize(
    ("text", "edtf"),
    [
        ("2003", "2003"),
        ("2003-4", "2003-04"),
        ("2003.4.5", "2003-04-05"),
        ("2003. 4. 5.", "2003-04-05"),
        ("2003.04.05.", "2003-04-05"),
        ("2003. 4.", "2003-04"),
        ("2003.4", "2003-04"),
        ("2003.10", "2003-10"),
        ("2003.01", "2003-01"),
        ("2003. 1", "2003-01"),
        ("2003-04-05 00:00:00.000", "2003-04-05"),
        ("5 April 2003", "2003-04-05"),
        ("Apr 5, 2003", "2003-04-05"),
        ("Sept. 2003", "2003-09"),
        ("2003년 4월 5일", "2003-04-05"),
        ("2003년4월", "2003-04"),
        ("약 2003년", "2003~"),
        ("2003년경", "2003~"),
        ("1990년대", "199X"),
        ("c. 2003", "2003~"),
        ("about April 2003", "2003-04~"),
        ("2003?", "2003?"),
        ("[1999..2003]", "[1999..2003]"),
        ("미상", None),
        ("Unknown", None),
    ],
)
def test_usual_forms(text, edtf):
    assert date_of(text, Forms()) == edtf


@pytest.mark.parametrize("text", ["05/04/2003", "03-04-05", "2003-13-01", "2003-02-30", "April", "1995년대", "soon"])
def test_what_is_in_no_form_is_refused_and_not_said_again(text):
    with pytest.raises(Undated) as error:
        date_of(text, Forms())
    assert text not in str(error.value)


@pytest.mark.parametrize("forms", [Forms(), Forms(("YYYY.M",))])
def test_a_month_that_a_spreadsheet_may_have_cut_is_refused(forms):
    """2003.10 in a cell is the number 2003.1: October would come in as January."""
    with pytest.raises(Undated, match="may be January or October"):
        date_of("2003.1", forms)


def test_a_column_of_mixed_forms_is_refused_where_they_read_differently():
    forms = Forms(("DD/MM/YYYY", "MM/DD/YYYY"))
    assert date_of("25/04/2003", forms) == "2003-04-25" and date_of("04/25/2003", forms) == "2003-04-25"
    assert date_of("04/04/2003", forms) == "2003-04-04"
    with pytest.raises(Undated, match="can be read in two ways: DD/MM/YYYY and MM/DD/YYYY"):
        date_of("03/04/2003", forms)


def test_forms_are_checked():
    assert all(map(is_format, ("EDTF", "YYYY", "DD/MM/YYYY", "D. Month YYYY", "YYYY년 M월")))
    assert not any(map(is_format, ("", "DD/MM", "DD/MM/YY", "YYYY-YYYY", "YYYY-DD", "hh YYYY")))


def test_spans_and_precision():
    assert span("2003", "2004", "lasted") == "2003/2004"
    assert span("2003-01-02", "2003-02", "once") == "[2003-01-02..2003-02]"
    assert span("", "2004", "lasted") == "/2004" and span("2004", "2004", "once") == "2004"
    with pytest.raises(Undated):
        span("2004", "2003", "lasted")
    for precision, edtf in (("day", "2003-04-05"), ("month", "2003-04"), ("year", "2003"), ("decade", "200X")):
        assert as_precise("2003-04-05", precision) == edtf
    assert as_precise("2003-04-05", "about") == "2003-04-05~"
    assert as_precise("2003-04-05", "days:6") == "[2003-03-30..2003-04-11]"
    assert bounds(as_precise("2003-04-05~", "month"))
