"""Formats by name: what each is called in HTTP, and which one a request gets."""

from collections.abc import Mapping
from functools import lru_cache

from app.core.problems import Problem

JSON, NDJSON, CSV, XLSX, PARQUET, GEOJSON = "json", "ndjson", "csv", "xlsx", "parquet", "geojson"
EVENTS = "events"
MEDIA_TYPES: Mapping[str, str] = {
    JSON: "application/json",
    NDJSON: "application/x-ndjson",
    CSV: "text/csv; charset=utf-8; header=present",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    PARQUET: "application/vnd.apache.parquet",
    GEOJSON: "application/geo+json",
    EVENTS: "text/event-stream",
}
WHOLE = (NDJSON, CSV, XLSX, PARQUET)  # without a limit they give everything
LARGE = (XLSX, PARQUET)  # made by larger libraries; they say of themselves what they are
SHORT = 256  # bytes of a header Accept that may be remembered
_ALSO = {"application/ndjson": NDJSON, "application/jsonl": NDJSON}


def bare(format: str) -> str:
    """Return the media type of a format, without its parameters."""
    return MEDIA_TYPES[format].partition(";")[0]


def chosen(named: str | None, accept: bytes, offered: tuple[str, ...]) -> str:
    """Return the format of an answer: the one that is named, else the one that `Accept` likes best (RFC 9110, 12.5.1).

    Raises:
        Problem: not-acceptable; it lists what there is.
    """
    if named is not None:
        return named
    return _remembered(accept, offered) if len(accept) <= SHORT else _liked(accept, offered)


def _liked(accept: bytes, offered: tuple[str, ...]) -> str:
    if not accept.strip():
        return offered[0]
    ranges = [one for one in map(_range, accept.decode("latin-1").lower().split(",")) if one is not None]
    if JSON not in offered:  # GeoJSON is JSON too (RFC 7946)
        ranges = [(bare(GEOJSON) if name == bare(JSON) else name, quality) for name, quality in ranges]
    liked = [(_quality(format, ranges), -i, format) for i, format in enumerate(offered)]
    quality, _, best = max(liked)
    if quality <= 0:
        there = ", ".join(map(bare, offered))
        raise Problem("not-acceptable", f"This is offered as {there}; the header Accept takes none of them.")
    return best


_remembered = lru_cache(512)(_liked)


def _range(text: str) -> tuple[str, float] | None:
    name, *parameters = [part.strip() for part in text.split(";")]
    if name.count("/") != 1:
        return None
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                return None
    return _ALSO.get(name, name), quality


def _quality(format: str, ranges: list[tuple[str, float]]) -> float:
    media_type = bare(format)
    for name in (media_type, format, media_type.partition("/")[0] + "/*", "*/*"):
        found = [quality for one, quality in ranges if one == name]
        if found:
            return max(found)
    return 0.0
