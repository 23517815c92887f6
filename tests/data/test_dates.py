"""The dates of the built-in record: all of them parse, and each says neither more nor less than its source."""

from collections import Counter
from datetime import date

import pytest

from app.records import BY_NAME, pick
from app.vocabulary.edtf import bounds
from app.vocabulary.periods import side
from tests.data.intervals import INTERVALS
from tests.data.record import everything, names_of, records, words_of

BOUNDARY = date(2011, 12, 17).toordinal()


def test_every_date_parses():
    dates = [text for kind, record in everything() for path in BY_NAME[kind].dates for text in pick(path, record)]
    assert len(dates) == 845
    for text in dates:
        s0, s1, e0, e1 = bounds(text)
        assert s0 <= s1 <= e1, text
        assert s0 <= e0 <= e1, text


@pytest.mark.parametrize(
    ("kind", "before", "after", "straddling", "undetermined"),
    [("incident", 47, 104, 4, 47), ("testimony", 22, 40, 10, 69)],
)
def test_the_sides_of_17_december_2011(kind, before, after, straddling, undetermined):
    sides = Counter(side(bounds(record["date"]), BOUNDARY) for record in records(kind))
    assert sides == {"before": before, "after": after, "straddling": straddling, "undetermined": undetermined}


def test_the_two_periods_meet_at_the_boundary():
    periods = names_of("period")
    assert bounds(periods["post-2011-12"]["date"]).s0 == BOUNDARY
    assert bounds(periods["pre-2011-12"]["date"]).e1 == BOUNDARY - 1


def test_every_interval_of_an_incident_stands_beside_its_words():
    intervals = {name: record["date"] for name, record in names_of("incident").items() if "/" in record["date"]}
    assert intervals == {name: text for name, (text, _) in INTERVALS.items()}
    assert len(intervals) == 44


@pytest.mark.parametrize("name", [name for name, (_, words) in INTERVALS.items() if words])
def test_the_words_beside_an_interval_are_in_the_record(name):
    incident = names_of("incident")[name]
    told = [t for t in records("testimony") if t["id"] in incident.get("testimonies", [])]
    texts = words_of([incident, *told])
    assert any(str(INTERVALS[name][1]) in text for text in texts)


def test_when_a_witness_left_is_stated_for_so_many():
    assert Counter(len(t["witness"]["left"]) for t in records("testimony") if "left" in t["witness"]) == {4: 17, 7: 2}
