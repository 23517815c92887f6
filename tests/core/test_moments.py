"""Moments are milliseconds since 1970 in UTC; a day ends where the next one begins."""

import pytest

from app.core.moments import end_of, iso, now


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_000, "2023-11-14T22:13:20.000Z"),
        (1_795_516_286_123, "2026-11-24T10:31:26.123Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_iso(moment, text):
    assert iso(moment) == text


@pytest.mark.parametrize(
    ("day", "end"),
    [
        ("1970-01-01", 86_400_000),
        ("1969-12-31", 0),
        ("2024-02-28", 1_709_164_800_000),  # the day before a leap day
        ("2024-12-31", 1_735_689_600_000),
        ("9999-12-31", 253_402_300_800_000),  # the last that can be written
    ],
)
def test_a_day_has_passed_when_the_next_one_begins(day, end):
    assert end_of(day) == end


@pytest.mark.parametrize("day", ["2024-02-30", "2024", "", "tomorrow"])
def test_what_is_no_day(day):
    with pytest.raises(ValueError):
        end_of(day)


def test_now_is_in_milliseconds(monkeypatch):
    monkeypatch.setattr("app.core.moments.time.time_ns", lambda: 1_700_000_000_123_999_999)
    assert now() == 1_700_000_000_123
