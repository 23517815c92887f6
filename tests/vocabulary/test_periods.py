"""What "in a period" and "before, after" mean of a date that is not known exactly."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, UNDATED_BOUNDS, Bounds, bounds
from app.vocabulary.periods import At, Match, matches, side
from tests.often import often

DEATH_OF_KIM_JONG_IL = bounds("2011-12-17").s0
PERIOD = (DEATH_OF_KIM_JONG_IL, AFTER_ALL)
KINDS: tuple[Match, ...] = ("possible", "certain", "within")
ATS: tuple[At, ...] = ("span", "start")

# Text; whether it possibly, certainly touches and lies within the time from 2011-12-17 on; its beginning alone; sides.
AGAINST_2011_12_17 = [
    ("2009", "---", "---", "before", "before"),
    ("2011-12-16", "---", "---", "before", "before"),
    ("2011-12-17", "pcw", "pcw", "after", "after"),
    ("2012", "pcw", "pcw", "after", "after"),
    ("2011-12", "p--", "p--", "undetermined", "undetermined"),
    ("2011", "p--", "p--", "undetermined", "undetermined"),
    ("2012~", "p--", "p--", "undetermined", "undetermined"),
    ("2013~", "pcw", "pcw", "after", "after"),
    ("2004/2013", "pc-", "---", "straddling", "before"),
    ("2004/2011", "p--", "---", "undetermined", "before"),
    ("2011/2013", "pc-", "p--", "undetermined", "undetermined"),
    ("[2004..2013]", "p--", "p--", "undetermined", "undetermined"),
    ("[..2013]", "p--", "p--", "undetermined", "undetermined"),
    ("[..2009]", "---", "---", "before", "before"),
    ("[2012..]", "pcw", "pcw", "after", "after"),
    ("1977-11/..", "pc-", "---", "straddling", "before"),
    ("2013/..", "pcw", "pcw", "after", "after"),
    ("1999/", "p--", "---", "undetermined", "before"),
    ("../2013", "pc-", "---", "straddling", "before"),
    ("../1990", "---", "---", "before", "before"),
    ("/2013", "pc-", "p--", "undetermined", "undetermined"),
    ("../..", "pc-", "---", "straddling", "before"),
]

# Any four bounds in order; a narrow range of days makes them meet the period and each other often.
day = st.one_of(st.integers(0, 40), st.sampled_from([BEFORE_ALL, AFTER_ALL]))
ordered = st.lists(day, min_size=4, max_size=4).map(sorted)
dated = st.builds(lambda d, swap: Bounds(d[0], d[2], d[1], d[3]) if swap else Bounds(*d), ordered, st.booleans())
any_date = st.one_of(dated, st.just(UNDATED_BOUNDS))
period = st.tuples(day, day).filter(lambda p: p[0] <= p[1])
at = st.sampled_from(ATS)
held = settings(max_examples=often(200), deadline=None)


@pytest.mark.parametrize(("text", "span", "start", "side_of_span", "side_of_start"), AGAINST_2011_12_17)
def test_against_december_2011(text, span, start, side_of_span, side_of_start):
    b = bounds(text)
    for looked_at, expected in zip(ATS, (span, start), strict=True):
        assert "".join(k[0] if matches(b, *PERIOD, k, looked_at) else "-" for k in KINDS) == expected
    assert side(b, DEATH_OF_KIM_JONG_IL) == side_of_span
    assert side(b, DEATH_OF_KIM_JONG_IL, "start") == side_of_start


def test_both_days_of_a_period_belong_to_it():
    b = bounds("2012-05-06")
    for p0, p1, expected in [(0, 0, True), (-1, 0, True), (0, 1, True), (1, 2, False), (-2, -1, False)]:
        for kind in KINDS:
            assert matches(b, b.s0 + p0, b.s0 + p1, kind, "span") is expected


def test_december_2011_is_in_doubt_between_the_two_periods():
    before, after = bounds("../2011-12-16"), bounds("2011-12-17/..")
    b = bounds("2011-12")
    assert [matches(b, p.s0, p.e1, kind) for p in (before, after) for kind in KINDS] == [True, False, False] * 2


def test_an_undated_record_matches_no_period_and_has_its_own_side():
    for p0, p1 in [(BEFORE_ALL, AFTER_ALL), (BEFORE_ALL, 0), (0, AFTER_ALL), (700_000, 740_000)]:
        for kind in KINDS:
            assert not matches(UNDATED_BOUNDS, p0, p1, kind, "span")
            assert not matches(UNDATED_BOUNDS, p0, p1, kind, "start")
    assert side(UNDATED_BOUNDS, 0) == side(UNDATED_BOUNDS, 0, "start") == "undated"


@held
@given(any_date, period, at)
def test_within_is_certain_and_certain_is_possible(b, p: tuple[int, int], looked_at):
    possible, certain, within = (matches(b, *p, kind, looked_at) for kind in KINDS)
    assert within <= certain <= possible


@held
@given(dated, st.integers(-5, 45), at)
def test_a_date_is_on_exactly_one_side(b, boundary, looked_at):
    s0, s1, e0, e1 = b if looked_at == "span" else (b.s0, b.s1, b.s0, b.s1)
    true = [e1 < boundary, s0 >= boundary, s1 < boundary <= e0]
    assert sum(true) <= 1
    named = ["before", "after", "straddling"]
    assert side(b, boundary, looked_at) == next(
        (name for name, holds in zip(named, true, strict=True) if holds), "undetermined"
    )


@held
@given(dated, st.integers(-5, 45), at)
def test_sides_agree_with_matches(b, boundary, looked_at):
    found = side(b, boundary, looked_at)
    before: tuple[int, int] = (BEFORE_ALL, boundary - 1)
    after: tuple[int, int] = (boundary, AFTER_ALL)
    assert (found == "before") == matches(b, *before, "within", looked_at)
    assert (found == "after") == matches(b, *after, "within", looked_at)
    touches_both = matches(b, *before, "certain", looked_at) and matches(b, *after, "certain", looked_at)
    assert (found == "straddling") == touches_both


@held
@given(dated, period, at, st.tuples(*[st.integers(0, 9)] * 4))
def test_a_wider_date_is_possible_wherever_the_narrower_is(b, p: tuple[int, int], looked_at, by):
    wider = Bounds(b.s0 - by[0], b.s1 + by[1], b.e0 - by[2], b.e1 + by[3])
    if matches(b, *p, "possible", looked_at):
        assert matches(wider, *p, "possible", looked_at)
    if matches(wider, *p, "within", looked_at):
        assert matches(b, *p, "within", looked_at)
    if matches(wider, *p, "certain", looked_at):
        assert matches(b, *p, "certain", looked_at)


@held
@given(any_date, period, at, st.integers(0, 9), st.integers(0, 9))
def test_a_longer_period_loses_nothing(b, p: tuple[int, int], looked_at, earlier, later):
    for kind in KINDS:
        if matches(b, *p, kind, looked_at):
            assert matches(b, max(p[0] - earlier, BEFORE_ALL), p[1] + later, kind, looked_at)
