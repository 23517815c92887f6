"""The built-in record as it stands in its files, for the tests that walk it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import app
from app.records import KINDS

FOLDER = Path(app.__file__).parent / "data" / "public-record"


@cache
def records(kind: str) -> tuple[dict[str, Any], ...]:
    """Return what the file of a kind holds."""
    return tuple(json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8")))


@cache
def everything() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return every record with its kind."""
    return tuple((kind.name, record) for kind in KINDS for record in records(kind.name))


def names_of(kind: str) -> dict[str, dict[str, Any]]:
    """Return the records of a kind by the readable name that each has: its slug, or its id."""
    return {record.get("slug", record["id"]): record for record in records(kind)}


def words_of(value: Any) -> list[str]:
    """Return every text inside a JSON value."""
    if isinstance(value, dict):
        return [word for item in value.values() for word in words_of(item)]
    if isinstance(value, list):
        return [word for item in value for word in words_of(item)]
    return [value] if isinstance(value, str) else []
