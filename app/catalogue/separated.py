"""CSV: flat rows as RFC 4180 has them: commas, CRLF, quotes where they are needed, and no formula (see cells.py)."""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from app.catalogue import flat
from app.catalogue.cells import safe
from app.records import Kind

MARK = b"\xef\xbb\xbf"  # the byte order mark, by which some programs know UTF-8


def header(kind: Kind, fields: tuple[str, ...] | None, more: tuple[str, ...] = ()) -> bytes:
    """Return the first line: the address of the record, then its columns."""
    names = ["url", *[column.name for column in flat.columns(kind.name, fields)], *more]
    return (",".join(names) + "\r\n").encode()


def rows(cells: Iterable[Iterable[Any]]) -> bytes:
    """Return rows of any table."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([map(_cell, row) for row in cells])
    return text.getvalue().encode()


def _is_risky(body: bytes) -> bool:
    """Tell whether a text of a record, which is JSON, may have to be made safe, or has a quote or an end of line.

    A text begins behind a quote; what else a cell may begin behind is a `;`, or is written with a backslash.
    """
    # One byte is looked for much faster than two.
    return (
        b";" in body
        or b"\\" in body
        or b'"-' in body
        or (b"'" in body and b"\"'" in body)
        or (b"=" in body and b'"=' in body)
        or (b"+" in body and b'"+' in body)
        or (b"@" in body and b'"@' in body)
        or (b"\xef" in body and b'"\xef\xbc' in body)  # what the full-width signs begin with
    )


class Lines:
    """The lines of one kind's records."""

    def __init__(self, kind: Kind, fields: tuple[str, ...] | None, base: str) -> None:
        """Write their addresses below a base."""
        self._address = f"{base}/v1/{kind.path}/"
        self._row = flat.Reader(kind.name, fields, flat.joined).row
        chosen = flat.plan(kind.name, fields)
        self._steps = [(one.name, "," * (len(one.columns) - 1), _written(one)) for one in chosen]

    def lines(self, bodies: Iterable[bytes], more: Iterable[str] | None = None) -> bytes:
        """Return the lines of some records; `more` is a last cell of each."""
        found = [self._careful(body) if _is_risky(body) else self._plain(body) for body in bodies]
        if more is not None:
            found = [f"{line},{last}" for line, last in zip(found, more, strict=True)]
        return ("\r\n".join(found) + "\r\n").encode() if found else b""

    def _careful(self, body: bytes) -> str:
        """Write any record."""
        record, text = orjson.loads(body), io.StringIO()
        row = [self._address + record["id"], *map(_cell, self._row(record))]
        csv.writer(text, lineterminator="\r\n").writerow(row)
        return text.getvalue()[:-2]  # the end of a line is put between them

    def _plain(self, body: bytes) -> str:
        """Write a record that has nothing to look after but commas: several times as fast."""
        record = orjson.loads(body)
        parts = [self._address + record["id"]]
        for name, empty, write in self._steps:
            value = record.get(name)
            if value is None:
                parts.append(empty)
            elif write is None:
                parts.append(f'"{value}"' if "," in value else value)
            else:
                parts.append(write(value))
        return ",".join(parts)


def _cell(value: Any) -> Any:
    if type(value) is str:
        return safe(value)
    return str(value).lower() if type(value) is bool else value


def _written(member: flat.Member) -> Callable[[Any], str] | None:
    """Return what writes the value of a member, in which no text has to be looked after; None: it is one text."""
    column, *others = member.columns
    read = member.read
    if others:
        return lambda value: ",".join([_said(one) for one in read(value)])
    if column.sort == "text":
        return None
    if column.sort == "words":
        return lambda value: _said(flat.joined(value))
    return lambda value: _said(read(value)[0])


def _said(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is str:
        if "," not in value and '"' not in value:
            return value
        return '"' + value.replace('"', '""') + '"'
    if type(value) is list:  # of words
        return _said(flat.joined(value))
    return str(value).lower() if type(value) is bool else str(value)
