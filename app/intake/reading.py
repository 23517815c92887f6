"""Reading files of records: one by one, each with where it stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from app.core.once import twice

MOST_ARRAY_BYTES = 64 * 1024 * 1024
MOST_LINE_BYTES = 8 * 1024 * 1024
TWICE = "has an object with two members of one name: say each thing once"


class Unreadable(Exception):
    """A file cannot be read as records at all; the message says why, and what would be."""


class Piece(NamedTuple):
    """One record of a file, unparsed: its line (in a JSON array, its position), where it is, and its bytes."""

    line: int
    at: int
    text: bytes


class RecordFile(Protocol):
    """A file of records."""

    size: int

    def __iter__(self) -> Iterator[Piece]:
        """Yield every record."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_records(path: Path) -> "RecordFile":
    """Open a file: a JSON array (`.json`), or one JSON object a line (`.ndjson`, `.jsonl`).

    Raises:
        Unreadable: it is neither, is missing, or is an array too large to hold.
    """
    try:
        size = path.stat().st_size
        if path.suffix == ".json":
            if size > MOST_ARRAY_BYTES:
                raise Unreadable("a JSON array of this size cannot be streamed: write one record a line (.ndjson)")
            return _Array(path.read_bytes())
        if path.suffix in (".ndjson", ".jsonl"):
            return _Lines(path)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror}") from None
    raise Unreadable("is of no known form: .json (one array), .ndjson or .jsonl (one record a line)")


class _Array:
    def __init__(self, text: bytes) -> None:
        try:
            items = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"is no JSON: line {error.lineno}, column {error.colno}") from None
        if not isinstance(items, list):
            raise Unreadable("is no JSON array of records")
        if (where := twice(text, items)) is not None:
            raise Unreadable(f"record {int(where.split('/')[1]) + 1} {TWICE}" if where else TWICE)
        self._items = [orjson.dumps(item) for item in items]
        self.size = len(text)

    def __iter__(self) -> Iterator[Piece]:
        for index, item in enumerate(self._items):
            yield Piece(index + 1, index, item)

    def close(self) -> None:
        self._items = []


class _Lines:
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.size = path.stat().st_size

    def __iter__(self) -> Iterator[Piece]:
        self._file.seek(0)
        at, line = 0, 0
        while text := self._file.readline(MOST_LINE_BYTES + 1):
            line += 1
            start, at = at, at + len(text)
            if len(text) > MOST_LINE_BYTES and not text.endswith(b"\n"):
                while (rest := self._file.readline(MOST_LINE_BYTES)) and not rest.endswith(b"\n"):
                    at += len(rest)
                at += len(rest)
                yield Piece(line, start, b"")
            elif text.strip():
                yield Piece(line, start, text)

    def close(self) -> None:
        self._file.close()
