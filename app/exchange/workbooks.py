"""Workbooks (XLSX): the values of one sheet; a formula whose value the file does not keep is refused with its row."""

import io
import math
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from app.exchange.sheets import MOST_CELL, MOST_COLUMNS, Line
from app.intake.reading import Unreadable

MOST_WORKBOOK = 64 * 1024 * 1024
MOST_UNPACKED = 1024**3  # bytes of all parts
MOST_CELLS = 5_000_000  # from the first cell of a sheet that is used to the last: a reader makes room for all of them
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


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
            match = _CELL.fullmatch(attributes.get("r", ""))
            here[:] = (int(match[2]), _column(match[1])) if match is not None else (here[0], here[1] + 1)
            rows[:] = min(rows[0] or here[0], here[0]), max(rows[1], here[0])
            columns[1] = max(columns[1], here[1] + 1)

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.ParseFile(xml)
    except expat.ExpatError:
        raise Unreadable("has a sheet that cannot be read") from None
    return (rows[1] - rows[0] + 1) * columns[1]


def _refuse_doctype(*_: Any) -> None:
    raise Unreadable("is a workbook with a document type of its own, which is not read")


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


class Workbook:
    """One sheet of a workbook. All of it is held: a workbook has at most 64 MiB, and a sheet 1,048,576 rows."""

    def __init__(self, data: bytes, name: str) -> None:
        """Read the header.

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
        self._first, self._done = start[0], 0
        self._lost = _formulas(data, name, start[1])
        self._rows = iter(sheet.iter_rows()) if start[0] else sheet.iter_rows()
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
            lost = self._lost.get(self._number, ())
            if any(texts) or lost:
                yield self._line(texts, lost)

    def _line(self, texts: list[str], lost: Any) -> Line:
        row = dict(zip(self.header, texts, strict=False))
        for column in self.header[len(texts) :]:
            row[column] = ""
        if any(texts[len(self.header) :]):
            return Line(self._number, row, reason="has a cell in a column that has no name in the header")
        for at in lost:
            if at < len(self.header):
                reason = "is a formula whose value is an error, or is not kept: mend it, or save the file anew"
                return Line(self._number, row, self.header[at], reason)
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


def _formulas(data: bytes, name: str, left: int) -> dict[int, list[int]]:
    """Return by row the columns, counted from the first that is used, of formulas that have no value, or an error."""
    found: dict[int, list[int]] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = _part(archive, name)
        if part is None:
            return {}
        with archive.open(part) as xml:
            parser = expat.ParserCreate()
            here = {"cell": "", "formula": False, "value": False, "error": False}

            def start(tag: str, attributes: dict[str, str]) -> None:
                tag = tag.rpartition(":")[2]
                if tag == "c":
                    error = attributes.get("t") == "e"
                    here.update(cell=attributes.get("r", ""), formula=False, value=False, error=error)
                elif tag == "f":
                    here["formula"] = True
                elif tag in ("v", "is"):
                    here["value"] = True

            def end(tag: str) -> None:
                if tag.rpartition(":")[2] == "c" and (here["error"] or (here["formula"] and not here["value"])):
                    match = _CELL.fullmatch(str(here["cell"]))
                    if match is not None:
                        found.setdefault(int(match[2]), []).append(_column(match[1]) - left)

            parser.StartElementHandler, parser.EndElementHandler = start, end
            parser.StartDoctypeDeclHandler = _refuse_doctype
            try:
                parser.ParseFile(xml)
            except expat.ExpatError:
                raise Unreadable("has a sheet that cannot be read") from None
    return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _part(archive: zipfile.ZipFile, name: str) -> str | None:
    """Return the part of a workbook that holds a sheet, by its name (ECMA-376 part 1, section 18.2.19)."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    sheets: dict[str, str] = {}
    targets: dict[str, str] = {}

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "sheet":
            ids = [value for key, value in attributes.items() if key.rpartition(":")[2] == "id"]
            sheets[attributes.get("name", "")] = ids[0] if ids else ""

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    for part, handler in (("xl/workbook.xml", sheet), ("xl/_rels/workbook.xml.rels", relation)):
        parser = expat.ParserCreate()
        parser.StartElementHandler = handler
        try:
            parser.Parse(archive.read(part), True)
        except expat.ExpatError:
            return None
    target = targets.get(sheets.get(name, ""), "")
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return path if path in names else None
