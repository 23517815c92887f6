"""What holds of every EDTF text of the subset, and of any text at all."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.vocabulary.edtf import (
    AFTER_ALL,
    BEFORE_ALL,
    FIRST_DAY,
    LAST_DAY,
    Bounds,
    EdtfError,
    bounds,
    coarsen,
    iso,
    precision,
)
from app.vocabulary.periods import matches
from tests.often import often

RANK = {"year": 0, "month": 1, "day": 2}


def readable(text: str) -> bool:
    try:
        bounds(text)
    except EdtfError:
        return False
    return True


def padded(width, low, high):
    return st.integers(low, high).map(lambda n: str(n).zfill(width))


YEAR = st.one_of(padded(4, 1980, 2020), padded(4, 0, 9999))
MONTH = padded(2, 1, 12)
DAY = padded(2, 1, 31)
DATE = st.one_of(
    YEAR,
    st.builds("{}-{}".format, YEAR, MONTH),
    st.builds("{}-{}-{}".format, YEAR, MONTH, DAY),
    st.builds("{}-{}".format, YEAR, padded(2, 21, 24)),
    padded(3, 0, 999).map("{}X".format),
    padded(2, 0, 99).map("{}XX".format),
    YEAR.map("{}-XX".format),
    YEAR.map("{}-XX-XX".format),
    st.builds("{}-{}-XX".format, YEAR, MONTH),
)
QUALIFIER = st.sampled_from(["", "", "?", "~", "%"])
PART = st.builds("{}{}".format, DATE, QUALIFIER)
INTERVAL = st.builds("{}/{}".format, *[st.one_of(PART, st.sampled_from(["", ".."]))] * 2)
MEMBERS = st.lists(st.one_of(PART, st.builds("{}..{}".format, PART, PART)), min_size=1, max_size=4)
SET = st.builds(
    "[{}{}{}]".format, st.sampled_from(["", "", ".."]), MEMBERS.map(",".join), st.sampled_from(["", "", ".."])
)
TEXT = st.one_of(PART, INTERVAL, SET).filter(readable)

held = settings(max_examples=often(200), deadline=None)


def contains(wide: Bounds, narrow: Bounds) -> bool:
    return wide.s0 <= narrow.s0 and wide.s1 >= narrow.s1 and wide.e0 <= narrow.e0 and wide.e1 >= narrow.e1


@held
@given(TEXT)
def test_bounds_are_ordered(text):
    s0, s1, e0, e1 = bounds(text)
    assert s0 <= s1 <= e1
    assert s0 <= e0 <= e1


@held
@given(TEXT)
def test_a_bound_is_a_day_or_none(text):
    for day in bounds(text):
        assert day in (BEFORE_ALL, AFTER_ALL) or FIRST_DAY <= day <= LAST_DAY
        assert (iso(day) is None) == (day in (BEFORE_ALL, AFTER_ALL))


@held
@given(DATE.filter(readable), st.sampled_from("?~%"))
def test_a_qualifier_widens(text, qualifier):
    assert contains(bounds(text + qualifier), bounds(text))


@held
@given(st.lists(PART, min_size=3, max_size=3, unique=True))
def test_a_further_member_widens_a_set(parts):
    fewer, more = f"[{','.join(parts[:2])}]", f"[{','.join(parts)}]"
    if readable(more):
        assert contains(bounds(more), bounds(fewer))


@held
@given(TEXT, st.sampled_from(["year", "month", "day"]))
@example("2011-24", "year")
@example("9999-24", "year")
@example("0000-01-01~/9999-12-31~", "year")
@example("2011-24/2012-02-28", "year")
def test_coarsening_never_narrows_and_says_nothing_finer(text, finest):
    coarse = coarsen(text, finest)
    assert contains(bounds(coarse), bounds(text))
    assert RANK[precision(coarse)] <= RANK[finest]
    assert coarsen(coarse, finest) == coarse
    if RANK[precision(text)] <= RANK[finest]:
        assert coarse == text


@held
@given(TEXT)
def test_coarsening_in_two_steps_is_coarsening(text):
    assert bounds(coarsen(coarsen(text, "month"), "year")) == bounds(coarsen(text, "year"))


@held
@given(TEXT, st.sampled_from(["year", "month"]), st.integers(FIRST_DAY, LAST_DAY), st.integers(0, 40_000))
def test_a_coarser_date_is_possible_wherever_the_finer_is(text, finest, p0, length):
    if matches(bounds(text), p0, p0 + length, "possible", "span"):
        assert matches(bounds(coarsen(text, finest)), p0, p0 + length, "possible", "span")


@held
@given(st.one_of(st.text(max_size=300), st.text("0123456789X?~%/.,[]-TYESux ", max_size=30)))
def test_any_text_is_read_or_refused(text):
    try:
        b = bounds(text)
    except EdtfError as error:
        assert error.reason
        assert error.hint
        assert str(error).isascii()
    else:
        assert text.isascii()
        assert b.s0 <= b.s1 <= b.e1
