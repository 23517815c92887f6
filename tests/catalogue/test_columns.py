"""Columns: they count what the words mean, and brought forward they are what they would be if read anew."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalogue import spans
from app.catalogue.classes import Classes
from app.catalogue.columns import BYTES, LITTLE, PACKED, Columns, Filling
from app.catalogue.when import ATS, MATCHES, SIDES, When, days
from app.vocabulary.edtf import AFTER_ALL, BEFORE_ALL, UNDATED_BOUNDS, Bounds, bounds
from app.vocabulary.periods import Match, matches, side

EDTF = ["2003", "2003-04", "2003-04-05?", "1999/..", "../1990", "/1990", "1999/", "[..2013]", "[1984..]", "2004/2011"]
DATES = st.sampled_from([UNDATED_BOUNDS, *map(bounds, EDTF)])
EDGE = st.sampled_from([bounds(text).s0 for text in ("1990", "1999", "2003-04-05", "2004", "2011-12-17")])
SPAN = st.tuples(
    st.sampled_from([BEFORE_ALL, *range(730000, 735000, 500)]), st.sampled_from([732100, 734000, AFTER_ALL])
)


def packed(rows: list[tuple[int, Bounds]]) -> bytes:
    return np.array([(k, *dates) for k, dates in rows], PACKED).tobytes()


def columns_of(rows: dict[int, Bounds]) -> Columns:
    filling = Filling(len(rows))
    for one in rows.items():
        filling.add(packed([one]))
    return filling.columns(1)


def as_rows(columns: Columns) -> list[tuple[int, ...]]:
    return list(zip(columns.k.tolist(), *(column.tolist() for column in columns.dates), strict=True))


SPANS = st.lists(SPAN, min_size=1, max_size=3)


@given(st.lists(DATES, max_size=8), SPANS, EDGE, st.sampled_from(MATCHES), st.sampled_from(ATS))
def test_they_count_what_the_words_mean(dates, spans, edge, match, at):
    asked = When(periods=len(spans), match=match, at=at, boundary=True)
    bound = {"boundary": edge}
    for i, (first, until) in enumerate(spans):
        bound |= {f"p{i}": first, f"q{i}": until}
    counted = columns_of(dict(enumerate(dates))).tally(asked, bound)

    def fits(one: Bounds, way: Any) -> bool:
        return any(matches(one, span[0], span[1], way, at) for span in spans)

    for way in MATCHES:
        assert getattr(counted, way) == sum(fits(one, way) for one in dates)
    found = [one for one in dates if fits(one, match)]
    assert (counted.total, counted.sides, counted.undated) == (len(found), len(found), 0)
    for name in SIDES[:3]:
        assert getattr(counted, name) == sum(side(one, edge, at) == name for one in found)
    for name in SIDES:
        inside = columns_of(dict(enumerate(dates))).tally(replace(asked, side=name), bound)
        assert inside.total == sum(side(one, edge, at) == name for one in found)


def test_of_no_rows_nothing_is_counted():
    columns, asked = columns_of({}), When(boundary=True)
    counted = columns.tally(asked, days({"boundary": ("2004",)}, asked, ()))
    assert (len(columns), columns.undated, sum(counted)) == (0, 0, 0)


ROWS = st.dictionaries(st.integers(0, 2**63 - 1), DATES, max_size=12)


@given(ROWS, st.data())
def test_brought_forward_they_are_what_they_would_be_anew(before, data):
    gone = data.draw(st.sets(st.sampled_from(sorted(before)))) if before else set()
    new = data.draw(ROWS)
    now = {k: dates for k, dates in before.items() if k not in gone} | new
    rows = [(k, *dates) for k, dates in new.items()]
    columns = columns_of(before).forward(2, sorted({*gone, *new}), rows)
    assert as_rows(columns) == sorted((k, *dates) for k, dates in now.items())
    assert columns.generation == 2
    assert columns.size == BYTES * len(now)


def test_a_chunk_ends_with_the_last_row_in_the_order_of_dates():
    dates = bounds("2003")
    chunk = packed([(9, bounds("2002")), (7, dates), (8, dates), (1, UNDATED_BOUNDS)])
    assert Filling(4).add(chunk) == (dates.s0, 8)


def test_more_rows_than_were_counted_are_refused():
    filling = Filling(1)
    filling.add(packed([(1, bounds("2002"))]))
    with pytest.raises(ValueError, match="more rows"):
        filling.add(packed([(2, bounds("2002"))]))


def test_fewer_rows_than_were_counted_are_all_there_is():
    filling = Filling(3)
    filling.add(packed([(1, bounds("2002"))]))
    assert as_rows(filling.columns(1)) == [(1, *bounds("2002"))]


@settings(deadline=None)
@given(st.lists(DATES, max_size=12), ROWS, SPAN, EDGE, st.sampled_from(MATCHES), st.integers(1, 3), st.data())
def test_spans_count_what_looking_at_each_date_counts(dates, new, span, edge, match, power, data):
    """In blocks of any size, and after rows came and went."""
    before = columns_of(dict(enumerate(dates)))
    gone = data.draw(st.sets(st.sampled_from(range(len(dates))))) if dates else set()
    bound = {"boundary": edge, **dict.fromkeys(("p0", "from"), span[0]), **dict.fromkeys(("q0", "to"), span[1])}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spans, "BLOCK", 1 << power)
        ordered = before.with_spans()
        _same(before, ordered, match, bound)
        rows, changed = [(k, *dates) for k, dates in new.items()], sorted({*gone, *new})
        _same(before.forward(2, changed, rows), ordered.forward(2, changed, rows), match, bound)


def _same(plain: Columns, quick: Columns, match: Match, bound: dict[str, int]) -> None:
    assert plain.spans is None
    assert quick.spans is not None
    asked = [When(boundary=True), When(periods=1, match=match), When(span=True, match=match)]
    for one in asked:
        counted = quick.spans.tally(one, bound.__getitem__)
        assert counted is not None
        assert counted == quick.tally(one, bound) == plain.tally(one, bound)
    assert quick.undated == plain.undated
    for other in (When(periods=2), When(periods=1, boundary=True), When(boundary=True, at="start")):
        assert quick.spans.tally(other, bound.__getitem__) is None
    assert quick.size == plain.size + spans.BYTES * quick.spans.n


def test_of_too_many_changes_the_order_is_made_anew(monkeypatch):
    monkeypatch.setattr(spans, "MOST", 3)
    columns = columns_of({1: bounds("2003"), 2: bounds("2004")}).with_spans()
    once = columns.forward(2, [1, 3], [(1, *bounds("2005")), (3, *bounds("2006"))])
    assert once.spans is not None
    assert once.forward(3, [4], [(4, *bounds("2007"))]).spans is None


def test_what_a_filter_finds_is_remembered_for_the_question_that_comes_next():
    rows = columns_of({k: UNDATED_BOUNDS for k in range(2 * LITTLE)})
    filed = Classes(
        np.array([0, 1, 0, 2, 0, 3, 0, 3], np.uint8), ((), (0,), (1,), (2,)), {7: 0, 8: 1, 9: 2}, ("a", "b", "c")
    )
    rows = replace(rows, facets={"letter": filed})
    first = rows.fitting([("letter", [7])])
    assert first is not None and first.tolist() == [1]
    assert rows.fitting([("letter", [7])]) is first
    for terms, found in (([8], [3]), ([7], [1]), ([9], [5, 7]), ([7, 9], [1, 5, 7]), ([10], []), ([9], [5, 7])):
        for _ in range(2):
            at = rows.fitting([("letter", terms)])
            assert at is not None and at.tolist() == found
    assert rows.fitting([]) is None
    some = [("letter", [7, 9])]
    assert rows.fitting(some) is not rows.fitting(some)  # more than one row in so many is not worth the memory
    later = replace(rows, facets={"letter": filed.placed(np.array([1, 0, 0, 0, 0, 0, 0, 0]))})
    rows.fitting([("letter", [7])])
    at = later.fitting([("letter", [7])])
    assert at is not None and at.tolist() == [0]
