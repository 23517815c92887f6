"""Ratios are taken round by round, their spread is told, and growth is a factor or a slope."""

from itertools import islice
from math import inf
from random import Random

import pytest

from benchmarks.exporting import Export
from benchmarks.figures import Rates, growth, per_million, spread, times
from benchmarks.goals import Reached, begun, loaded, read, sought
from benchmarks.growth import Cost
from benchmarks.loading import Loading
from benchmarks.questions import Questions, groups, pages
from benchmarks.report import text
from benchmarks.searching import FREQUENT, PAIR, RELEVANT, Searching
from benchmarks.serving import R1, R2, R3, RUNS, Figure
from benchmarks.system import Place
from benchmarks.totals import Cold

OURS = "evidence, SQLite"
_TWENTY = "at least 20 times as fast as Datasette 0"


def figure(system: str, run: str, number: int, rate: float, p99: float = 9.0) -> Figure:
    return Figure(system, run, number, rate, 1.0, p99, 1_000, 50_000_000)


FIGURES = [
    *(figure(OURS, R1, n, rate) for n, rate in enumerate((300, 100, 200), 1)),
    *(figure("Datasette 0", R1, n, rate) for n, rate in enumerate((10, 10, 40), 1)),
    *(figure("PostGraphile 5", R1, n, rate) for n, rate in enumerate((50, 0, 50), 1)),
    *(figure(OURS, R2, n, rate) for n, rate in enumerate((270, 95, 170), 1)),
]


def test_a_spread_is_least_median_and_most() -> None:
    assert spread([3, 1, 2]) == (1, 2, 3)
    assert spread([4, 1, 2, 3]) == (1, 2.5, 4)
    assert spread([7]) == (7, 7, 7)


def test_over_nothing_is_without_end() -> None:
    assert times(3, 2) == 1.5
    assert times(3, 0) == inf


def test_ratios_are_taken_within_a_round() -> None:
    rates = Rates(FIGURES)
    assert rates.systems == [OURS, "Datasette 0", "PostGraphile 5"]
    assert rates.of(OURS, R1) == (100, 200, 300)
    assert rates.over((OURS, R1), ("Datasette 0", R1)) == (5, 10, 30)
    assert rates.over((OURS, R1), ("PostGraphile 5", R1)) == (4, 6, inf)
    assert rates.over((OURS, R2), (OURS, R1)) == (0.85, 0.9, 0.95)


def test_who_takes_no_part_has_no_figure() -> None:
    rates = Rates(FIGURES)
    assert rates.of("Datasette 0", R2) is None
    assert rates.over((OURS, R3), ("Datasette 0", R3)) is None
    assert rates.over((OURS, R2), ("Datasette 0", R2)) is None


def test_growth_is_from_the_smallest_size_to_the_largest() -> None:
    costs = [(1_000_000, 3.0), (10_000, 1.5), (100_000, 9.0)]
    assert growth(costs) == 2
    assert per_million(costs) == pytest.approx(1.5 / 0.99)
    assert per_million([(10_000, 1.5)]) == 0
    assert growth([(10_000, 0.0), (100_000, 1.0)]) == inf


def test_goals_are_judged_by_the_median() -> None:
    exports = [Export(f"{OURS}, ndjson", 0.1, 0.7, 1, 70_000_000), Export("Datasette 0, csv", 0.1, 0.2, 1, 1)]
    assert list(read(FIGURES, exports)) == [
        Reached("SQLite", R1, "at least 12 times Datasette 0", "5.00 – **10.00** – 30.00", False),
        Reached("SQLite", R1, "at least 3.5 times PostGraphile 5", "4.00 – **6.00** – inf", True),
        Reached("SQLite", R2, "at least 0.9 times own R1", "0.85 – **0.90** – 0.95", True),
        Reached("SQLite", R1, "p99 at most 25 ms", "9.0 ms", True),
        Reached("SQLite", "R6", "ndjson in 0.6 s", "0.70 s", False),
        Reached("SQLite", "R6", "ndjson with at most 80 private MB", "70 MB", True),
    ]


def test_goals_of_words_are_judged_by_times_and_by_milliseconds() -> None:
    words = [
        Searching(OURS, FREQUENT, 9, 2.0, 3.0, 1.0),
        Searching("Datasette 0", FREQUENT, 9, 50.0, 60.0, 50.0),
        Searching(OURS, RELEVANT, 9, 40.0, 60.1, 1.0),
        Searching("evidence, PostgreSQL", PAIR, 9, 4.0, 9.9, 1.0),
    ]
    assert list(sought(words)) == [
        Reached("SQLite", f"R5, {FREQUENT}, never asked before", _TWENTY, "**25.00**", True),
        Reached("SQLite", f"R5, {FREQUENT}, its total known", _TWENTY, "**50.00**", True),
        Reached("SQLite", f"R5, {RELEVANT}", "p99 at most 60 ms", "60.1 ms", False),
        Reached("PostgreSQL", f"R5, {PAIR}", "p99 at most 10 ms", "9.9 ms", True),
    ]


def test_goals_of_beginning_and_loading_are_judged() -> None:
    assert [one.is_met for one in begun([Cold("a", 9, 1, 50, 60), Cold("b", 9, 1, 51, 60)], 1.9, "SQLite")] == [0, 1]
    loads = [
        Loading("`evidence load` into an empty database", 100_000, 45.5, 299_000_000, 1),
        Loading("`evidence load --bulk` into an empty database", 1_000_000, 100.0, 301_000_000, 1),
        Loading("SQLite alone, the rows of a rebuild", 1_000_000, 100.0, 0, 1),
        Loading("`evidence load` into 1,000,000", 100_000, 89.0, 1, 1),
    ]
    told = [(one.wanted.partition(" ")[2], one.measured, one.is_met) for one in loaded(loads)]
    assert told == [
        ("in 45 s", "45.50 s", False),
        ("most 300 private MB", "299 MB", True),
        ("least 10,000 a second", "10,000", True),
        ("most 300 private MB", "301 MB", False),
        ("in 90 s", "89.00 s", True),
        ("most 300 private MB", "0 MB", True),
    ]


def test_pages_are_drawn_once_and_half_have_two_facets() -> None:
    drawn = list(islice(pages(Random(1)), 500))
    assert len({*drawn}) == 500
    assert [len(page.facets()) for page in drawn] == [1, 2] * 250
    assert all(page.first < page.last for page in drawn)
    assert list(islice(pages(Random(1)), 500)) == drawn
    assert {len(page.facets()) for page in islice(pages(Random(2), facets=1), 50)} == {1}


def test_groups_are_drawn_once() -> None:
    drawn = list(islice(groups(Random(1)), 500))
    assert len({*drawn}) == 500
    assert list(islice(groups(Random(1)), 500)) == drawn


def test_fewer_questions_are_the_first_of_each() -> None:
    some, counted = list(islice(pages(Random(1)), 9)), list(islice(groups(Random(1)), 9))
    fewer = Questions(some, some[1:], Place(1, "", 0, ""), [], counted, some[2:]).fewer(3)
    assert fewer == Questions(some[:3], some[1:4], Place(1, "", 0, ""), [], counted[:3], some[2:5])


def test_a_report_tells_what_was_measured_and_no_more() -> None:
    costs = [Cost("SQLite", n, 3, "one record", 50, spent, 1.0, 2.0) for n, spent in ((10_000, 1.0), (1_000_000, 2.5))]
    results = {"growth": [vars(one) for one in costs]}
    told = text(results, [("benchmarks/growth.svg", "Growth")])
    assert told.startswith("![Growth](benchmarks/growth.svg)\n\n### Growth")
    assert "| one record | 1.00 (1.00) | 2.50 (1.00) | 2.50 times | 2 times | not met |" in told
    assert not any(f"| {run} |" in told for run in RUNS)
