"""Workbooks (XLSX): the values of one sheet; a formula whose value the file does not keep is refused with its row."""

import io
import math
import zipfile
from collections.abc import Container, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from app.exchange.marks import Marks, place_of, read_part
from app.exchange.sheets import MOST_CELL, MOST_COLUMNS, Line
from app.intake.reading import Unreadable

LOST = "is a formula whose value is an error, or is not kept: mend it, or save the file anew"
MERGED = "is part of a merged cell: take the cells apart, and write in each row what holds for it"
MOST_WORKBOOK = 64 * 1024 * 1024
MOST_UNPACKED = 1024**3  # bytes of all parts
MOST_CELLS = 5_000_000  # from the first cell of a sheet that is used to the last: a reader makes room for all of them


def check_extent(data: bytes) -> None:
    """Refuse a workbook with a sheet whose cells lie so far apart that no reader should make room for it.

    Raises:
        Unreadable: it has one, or cannot be read.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in archive.namelist():
            if part.startswith("xl/worksheets/") and part.endswith(".xml"):
                with archive.open(part) as xml:
                    if _extent(xml) > MOST_CELLS:
                        raise Unreadable(f"has a sheet of more than {MOST_CELLS} cells: save it as CSV")


def _extent(xml: IO[bytes]) -> int:
    """Return how many cells lie between the first and the last that are used."""
    rows, columns, here = [0, 0], [0, 0], [0, -1]  # a cell that does not say where it is comes after the one before it

    def start(tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "row":
            stated = attributes.get("r", "")
            here[:] = int(stated) if stated.isdecimal() and len(stated) < 8 else here[0] + 1, -1
        elif tag == "c":
            here[:] = place_of(attributes.get("r", "")) or (here[0], here[1] + 1)
            rows[:] = min(rows[0] or here[0], here[0]), max(rows[1], here[0])
            columns[1] = max(columns[1], here[1] + 1)

    read_part(xml, start)
    return (rows[1] - rows[0] + 1) * columns[1]


def _open(data: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except CalamineError:
        raise Unreadable("is no workbook (XLSX) that can be read, or has a password") from None


def sheets_of(data: bytes) -> list[str]:
    """Return the names of the sheets of a workbook that have cells.

    Raises:
        Unreadable: it is none.
    """
    book = _open(data)
    names = [one.name for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    return [name for name in names if book.get_sheet_by_name(name).start is not None] or names[:1]


def text_of(value: Any) -> str:
    """Return a cell as text: a whole number without decimals, a day or moment as ISO 8601."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return repr(value) if math.isfinite(value) else ""
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value)


def _as_shown(day: str, length: int) -> str:
    """Return a day without what is not shown of it, if that is the first of the month, or of the year.

    Who writes a month or a year in a cell is shown it, and the program keeps its first day.
    """
    return day[:length] if day[length:] == "-01-01"[length - 10 :] else day


class Workbook:
    """One sheet of a workbook. All of it is held: a workbook has at most 64 MiB, and a sheet 1,048,576 rows."""

    def __init__(self, data: bytes, name: str, wanted: Container[str] = ()) -> None:
        """Read the header; of columns that are `wanted` no cell may be merged with another one.

        Raises:
            Unreadable: there is none.
        """
        book = _open(data)
        try:
            sheet = book.get_sheet_by_name(name)
        except CalamineError:
            raise Unreadable("has a sheet that cannot be read") from None
        self._sheet, self._size = sheet, len(data)
        start = sheet.start or (0, 0)
        self._left, self._wanted = start[1], wanted
        self._marks = Marks.of(data, name)
        self._rows = iter(sheet.iter_rows())
        self._number = 0
        header: list[str] = []
        for cells in self._rows:
            self._number += 1
            header = [text_of(one).strip() for one in cells]
            if any(header):
                break
        while header and not header[-1]:
            header.pop()
        if not header or len(header) > MOST_COLUMNS:
            raise Unreadable(f"has no header: its first row names the columns, at most {MOST_COLUMNS}")
        self.header = header

    def __iter__(self) -> Iterator[Line]:
        """Yield every row that is not empty."""
        for cells in self._rows:
            self._number += 1
            texts = [text_of(one) for one in cells]
            for column, length in self._marks.shown(self._number):
                at = column - self._left
                if 0 <= at < len(cells) and isinstance(cells[at], date):
                    texts[at] = _as_shown(texts[at], length)
            merged = self._marks.merged(self._number, texts, self._left)
            if any(texts) or self._number in self._marks.lost:
                yield self._line(texts, merged)

    def _line(self, texts: list[str], merged: Iterable[int]) -> Line:
        row = dict(zip(self.header, texts, strict=False))
        for column in self.header[len(texts) :]:
            row[column] = ""
        if any(texts[len(self.header) :]):
            return Line(self._number, row, reason="has a cell in a column that has no name in the header")
        for reason, places in ((LOST, self._marks.lost.get(self._number, ())), (MERGED, merged)):
            for at in places:
                column = dict(enumerate(self.header, self._left)).get(at, "")
                if column and (reason == LOST or column in self._wanted):
                    return Line(self._number, row, column, reason)
        for column, cell in row.items():
            if len(cell) > MOST_CELL:
                return Line(self._number, row, column, f"has more than {MOST_CELL} characters")
        return Line(self._number, row)

    def at(self) -> int:
        """Return about how many bytes of the file were read."""
        return int(self._size * min(1.0, self._number / max(1, self._sheet.total_height)))

    def close(self) -> None:
        """Let go of it."""
        self._rows = iter(())
