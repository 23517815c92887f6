"""XLSX: flat rows in the sheets of a workbook, streamed; all text is text, never a formula and never a link.

The parts of the package are made by XlsxWriter; the rows are written here, one after another, into the sheet that they
belong to, so that nothing of a record lies on a disk. A sheet has 1,048,576 rows: what is more goes on in the next
one. A cell has 32,767 characters: what is more goes on in a further row of the same record, by `part`.
"""

import io
import re
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import orjson
import xlsxwriter

from app.catalogue import flat
from app.catalogue.exports import Told, Wanted
from app.core.db import Rows

ROWS = 1_048_576  # of a sheet, with its header
CHARACTERS = 32_767  # of a cell, in UTF-16
SHEET = "xl/worksheets/sheet{}.xml"
TIME = (1980, 1, 1, 0, 0, 0)  # of every part: the same records give the same bytes
_DIMENSION = re.compile("<dimension [^>]*>")
# What XML cannot hold is written as `_x0001_`; what looks like that already is written so that it stays (ECMA-376).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\r]|_(?=x[0-9A-Fa-f]{4}_)")
ABOUT = (
    "One record has one row. Texts are texts: none is a formula. Days are text as ISO 8601 has it, for a workbook has "
    "no day before 1900. A text longer than a cell goes on in the next row, which has the same id and the next number "
    "in the column 'part': joined in their order the parts are the whole text. What is more than a sheet holds goes "
    "on in the next sheet."
)


class _Stream(io.RawIOBase):
    """What a zip file is written to: nothing can be looked at again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Workbook:
    """One workbook in the making."""

    def __init__(self, wanted: Wanted) -> None:
        """Begin."""
        kind = wanted.kind
        self._told, self._title = wanted.told, kind.path[:25]
        self._address = f"{wanted.base}/v1/{kind.path}/"
        self._header = ["url", "part", *[one.name for one in flat.columns(kind.name, wanted.fields)]]
        self._read = flat.Reader(kind.name, wanted.fields, flat.joined).row
        self._stream = _Stream()
        self._zip = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_DEFLATED, compresslevel=zlib.Z_BEST_SPEED)
        self._head, self._tail = self._frame()
        self._sheets, self._rows = 0, ROWS
        self._sheet: Any = None

    def begin(self) -> bytes:
        """Return nothing yet: the first sheet begins with its rows."""
        return b""

    def rows(self, rows: Rows) -> bytes:
        """Return some records."""
        for body, *_ in rows:
            record = orjson.loads(body)
            cells = [self._address + record["id"], 1, *self._read(record)]
            for row in parted(cells):
                if self._rows == ROWS:
                    self._next()
                self._pieces.append(row_of(row))
                self._rows += 1
        self._flush()
        return self._stream.taken()

    def end(self) -> bytes:
        """Return all other parts of the package."""
        if not self._sheets:
            self._next()
        self._close()
        made = self._parts(self._sheets)
        for name in made.namelist():
            if name not in {SHEET.format(number) for number in range(1, self._sheets + 1)}:
                self._zip.writestr(_entry(name), made.read(name))
        self._zip.close()
        return self._stream.taken()

    def _next(self) -> None:
        self._close()
        self._sheets += 1
        self._sheet = self._zip.open(_entry(SHEET.format(self._sheets)), "w", force_zip64=True)
        self._pieces = [self._head]
        self._rows = 1

    def _flush(self) -> None:
        if self._sheet is not None:
            self._sheet.write("".join(self._pieces).encode())
            self._pieces = []

    def _close(self) -> None:
        if self._sheet is not None:
            self._pieces.append(self._tail)
            self._flush()
            self._sheet.close()
            self._sheet = None

    def _frame(self) -> tuple[str, str]:
        """Return what stands before the rows of a sheet, its header with it, and behind them.

        How far the sheet goes is not known yet, and need not be said; readers that believe `dimension` (openpyxl with
        `read_only`) would read the header alone.
        """
        sheet = _DIMENSION.sub("", self._parts(1).read(SHEET.format(1)).decode(), count=1)
        before, end, after = sheet.partition("</sheetData>")
        return before, end + after

    def _parts(self, sheets: int) -> zipfile.ZipFile:
        """Return a package of empty sheets, and one that says what this is."""
        file = io.BytesIO()
        book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
        book.set_properties({"created": datetime(*TIME[:3], tzinfo=UTC), "title": self._told.question[:255]})
        for number in range(1, sheets + 1):
            sheet = book.add_worksheet(self._title if number == 1 else f"{self._title} {number}")
            sheet.freeze_panes(1, 0)
            for place, name in enumerate(self._header):
                sheet.write_string(0, place, name)
        _about(book.add_worksheet("about"), self._told)
        book.close()
        return zipfile.ZipFile(file)


def _about(sheet: Any, told: Told) -> None:
    said = {
        "question": told.question,
        "address": told.address,
        "view": told.view,
        "generation": str(told.generation),
        "as of": told.as_of,
        "how to read it": ABOUT,
    }
    for place, (name, words) in enumerate(said.items()):
        sheet.write_string(place, 0, name)
        for part, text in enumerate(_pieces(words), 1):
            sheet.write_string(place, part, text)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def parted(cells: list[Any]) -> list[list[Any]]:
    """Return the rows of one record: more than one where a text is longer than a cell."""
    long = [i for i, value in enumerate(cells) if type(value) is str and len(value) > CHARACTERS // 2]
    pieces = {place: _pieces(cells[place]) for place in long}
    count = max(map(len, pieces.values()), default=1)
    rows = []
    for number in range(count):
        row = list(cells) if number == 0 else [*cells[:2], *[None] * (len(cells) - 2)]
        if number:
            row[1] = number + 1
        for place, parts in pieces.items():
            row[place] = parts[number] if number < len(parts) else None
        rows.append(row)
    return rows


def _pieces(text: str) -> list[str]:
    """Return the parts of a text, each short enough for a cell."""
    size = CHARACTERS if text.isascii() or max(text) <= "\uffff" else CHARACTERS // 2
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]


def row_of(cells: list[Any]) -> str:
    """Return a row of a sheet as it stands in its part of the package."""
    return "<row>" + "".join([_cell(value) for value in cells]) + "</row>"


def _cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if type(value) is str:
        text = _FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
    if type(value) is bool:
        return f'<c t="b"><v>{int(value)}</v></c>'
    return f"<c><v>{value!r}</v></c>"
