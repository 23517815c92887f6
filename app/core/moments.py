"""Moments: milliseconds since 1970 (UTC) in the database, ISO 8601 in answers."""

import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """Return the present moment."""
    return time.time_ns() // 1_000_000


@lru_cache(256)  # what is written together has one moment
def iso(moment: int) -> str:
    """Return a moment as `2026-11-24T10:31:26.123Z`."""
    return (_EPOCH + timedelta(milliseconds=moment)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(moment: int) -> int:
    """Return the day of a moment in UTC, counted as `datetime.date.toordinal` counts."""
    return _EPOCH.toordinal() + moment // 86_400_000


def end_of(day: str) -> int:
    """Return the moment at which a day (`2026-11-24`) has passed everywhere that counts in UTC."""
    begins = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return (begins - _EPOCH + timedelta(days=1)) // timedelta(milliseconds=1)  # also of the last day of the calendar
