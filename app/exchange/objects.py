"""Files of JSON as sheets: an object is a row, its names are the columns, and what lies within is named with dots."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import IO, Any

import orjson

from app.core.once import twice
from app.exchange.sheets import MOST_SKIPPED, TOO_LONG, Line
from app.intake.reading import MOST_ARRAY_BYTES, MOST_LINE_BYTES, TWICE, Unreadable

DEEPEST = 8


class Objects:
    """A JSON array of objects, or one object a line. Each row names its own columns, so there is no header."""

    def __init__(self, file: IO[bytes], size: int, lines: bool) -> None:
        """Open it.

        Raises:
            Unreadable: an array that is too large to be held, or none.
        """
        self._file, self._lines, self._read = file, lines, 0
        self.header: list[str] = []
        self._items: list[Any] = []
        if not lines:
            if size > MOST_ARRAY_BYTES:
                raise Unreadable("is a JSON array of a size that cannot be streamed: write one object a line (.ndjson)")
            try:
                items = _read(file.read(MOST_ARRAY_BYTES + 1).removeprefix(BOM_UTF8))
            except orjson.JSONDecodeError as error:
                raise Unreadable(f"is no JSON in UTF-8: line {error.lineno}, column {error.colno}") from None
            except _Twice:
                raise Unreadable(TWICE) from None
            if not isinstance(items, list):
                raise Unreadable("is no JSON array of objects")
            self._items = items

    def __iter__(self) -> Iterator[Line]:
        """Yield every object."""
        if not self._lines:
            for number, item in enumerate(self._items, 1):
                yield _line(number, item)
            return
        number = 0
        while text := self._file.readline(MOST_LINE_BYTES + 1):
            number += 1
            self._read += len(text)
            text = text.removeprefix(BOM_UTF8) if number == 1 else text
            if len(text) > MOST_LINE_BYTES and not text.endswith(b"\n"):
                skipped = 0
                while (rest := self._file.readline(MOST_LINE_BYTES)) and not rest.endswith(b"\n"):
                    self._read += len(rest)
                    if (skipped := skipped + len(rest)) > MOST_SKIPPED:
                        raise Unreadable(TOO_LONG.format(number))
                yield Line(number, {}, reason=f"is a line of more than {MOST_LINE_BYTES} bytes")
            elif text.strip():
                try:
                    yield _line(number, _read(text))
                except orjson.JSONDecodeError as error:
                    yield Line(number, {}, reason=f"is no JSON in UTF-8 (column {error.colno})")
                except _Twice:
                    yield Line(number, {}, reason=TWICE)

    def at(self) -> int:
        """Return how many bytes of the file were read."""
        return self._read

    def close(self) -> None:
        """Let go of the file."""
        self._items = []
        self._file.close()


class _Twice(Exception):
    """An object has two members of one name."""


def _read(text: bytes) -> Any:
    """Return what JSON says, whole numbers as text: an id may be longer than any number that is kept exactly."""
    content = orjson.loads(text)
    if twice(text, content) is not None:
        raise _Twice
    try:
        return json.loads(text, parse_int=str)
    except RecursionError:
        return content  # deeper than anything that is taken


def _line(number: int, item: Any) -> Line:
    row: dict[str, str | list[str]] = {}
    if not isinstance(item, dict):
        return Line(number, row, reason="is no JSON object")
    reason = _flat(item, "", row, 0)
    return Line(number, row, *(reason or ("", "")))


def _flat(item: dict[str, Any], above: str, row: dict[str, str | list[str]], depth: int) -> tuple[str, str] | None:
    for name, value in item.items():
        column = f"{above}.{name}" if above else name
        if column in row:
            return column, "stands twice in the object"
        if isinstance(value, dict):
            if depth == DEEPEST:
                return column, f"lies more than {DEEPEST} objects deep"
            if (reason := _flat(value, column, row, depth + 1)) is not None:
                return reason
        elif isinstance(value, list):
            if any(isinstance(one, (dict, list)) for one in value):
                return column, "is a list of objects or lists: only lists of texts and numbers are read"
            row[column] = [_text(one) for one in value if one is not None]
        elif value is not None:
            row[column] = _text(value)
    return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
