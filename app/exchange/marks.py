"""What a sheet of a workbook says of its cells beside their values (ECMA-376 part 1): read from its XML.

Formulas without a value, cells that are merged, and days that are shown as months or years.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple
from xml.parsers import expat

from app.intake.reading import Unreadable

COLUMNS = 16_384  # of a sheet
MONTH, YEAR = 7, 4  # characters of a day (ISO 8601) that say so much
_BUILT_IN = {17: MONTH}  # mmm-yy (section 18.8.30)
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_LITERAL = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]')
Start = Callable[[str, dict[str, str]], None]


def place_of(reference: str) -> tuple[int, int] | None:
    """Return the row, from 1, and the column, from 0, of a cell as A1; nothing where it is none."""
    match = _CELL.fullmatch(reference)
    if match is None:
        return None
    number = 0
    for letter in match[1]:
        number = number * 26 + ord(letter) - 64
    return int(match[2]), number - 1


def read_part(xml: IO[bytes], start: Start, end: Callable[[str], None] = lambda _: None) -> None:
    """Read a part of a workbook; tags are told without their prefixes.

    Raises:
        Unreadable: it is no XML, or has a document type of its own.
    """
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.ParseFile(xml)
    except expat.ExpatError:
        raise Unreadable("has a sheet that cannot be read") from None


def _refuse_doctype(*_: Any) -> None:
    raise Unreadable("is a workbook with a document type of its own, which is not read")


class Range(NamedTuple):
    """Cells that are merged: their rows, from 1, and columns, from 0."""

    top: int
    left: int
    bottom: int
    right: int


class Marks:
    """What one sheet says, for rows in their order.

    Attributes:
        lost: by row the columns of formulas that have no value, or an error.
    """

    def __init__(self) -> None:
        """Know of nothing."""
        self.lost: dict[int, list[int]] = {}
        self._shown: dict[int, int] = {}  # row and column in one number -> characters of the day that are shown
        self._columns: set[int] = set()  # that have such days
        self._ranges: list[Range] = []  # those that come, the last first
        self._open: list[Range] = []  # those that the row lies in

    @classmethod
    def of(cls, data: bytes, name: str) -> "Marks":
        """Read those of a sheet of a workbook.

        Raises:
            Unreadable: it cannot be read.
        """
        marks = cls()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            part = _part(archive, name)
            if part is not None:
                formats = _formats(archive)
                with archive.open(part) as xml:
                    marks._read(xml, formats)
        return marks

    def _read(self, xml: IO[bytes], formats: Mapping[str, int]) -> None:
        here = {"cell": "", "formula": False, "value": False, "error": False}

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag == "c":
                error = attributes.get("t") == "e"
                here.update(cell=attributes.get("r", ""), formula=False, value=False, error=error)
                if formats and (length := formats.get(attributes.get("s", ""))) is not None:
                    self._show(attributes.get("r", ""), length)
            elif tag == "f":
                here["formula"] = True
            elif tag in ("v", "is"):
                here["value"] = True
            elif tag == "mergeCell":
                ends = [place_of(one) for one in attributes.get("ref", "").split(":")]
                if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
                    self._ranges.append(Range(*ends[0], *ends[1]))

        def end(tag: str) -> None:
            if tag == "c" and (here["error"] or (here["formula"] and not here["value"])):
                place = place_of(str(here["cell"]))
                if place is not None:
                    self.lost.setdefault(place[0], []).append(place[1])

        read_part(xml, start, end)
        self._ranges.sort(reverse=True)

    def _show(self, cell: str, length: int) -> None:
        if (place := place_of(cell)) is not None:
            self._columns.add(place[1])
            self._shown[place[0] * COLUMNS + place[1]] = length

    def shown(self, row: int) -> Iterator[tuple[int, int]]:
        """Yield the columns of a row whose days are shown as less, and how many characters of them that is."""
        for column in self._columns:
            if (length := self._shown.get(row * COLUMNS + column)) is not None:
                yield column, length

    def merged(self, row: int, texts: Sequence[str], left: int) -> list[int]:
        """Return the columns of a row that lie in a merged cell which says something, but for where it says it.

        Args:
            row: no lower than the one asked for before.
            texts: what stands in its cells.
            left: the column of the first of them.

        Raises:
            Unreadable: merged cells lie in one another.
        """
        while self._ranges and self._ranges[-1].top <= row:
            one = self._ranges.pop()
            if one.top < row or any(texts[max(0, one.left - left) : one.left - left + 1]):
                self._open.append(one)
        self._open = [one for one in self._open if one.bottom >= row]
        if sum(one.right - one.left + 1 for one in self._open) > COLUMNS:
            raise Unreadable("has merged cells that lie in one another")
        return [at for one in self._open for at in range(one.left + (one.top == row), one.right + 1)]


def length_of(code: str) -> int | None:
    """Return how many characters of a day (ISO 8601) a number format shows: of a year, a month; None: not less."""
    signs = _LITERAL.sub("", code.partition(";")[0]).casefold()
    if "y" not in signs or any(sign in signs for sign in "dhs"):
        return None
    return MONTH if "m" in signs else YEAR


def _formats(archive: zipfile.ZipFile) -> dict[str, int]:
    """Return the styles of cells (`s`) whose number format shows a day as less (section 18.8)."""
    lengths: dict[str, int] = {str(number): length for number, length in _BUILT_IN.items()}
    found: dict[str, int] = {}
    within, count = False, 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal within, count
        if tag == "numFmt" and (length := length_of(attributes.get("formatCode", ""))) is not None:
            lengths[attributes.get("numFmtId", "")] = length
        elif tag == "cellXfs":
            within = True
        elif tag == "xf" and within:
            if (length := lengths.get(attributes.get("numFmtId", ""))) is not None:
                found[str(count)] = length
            count += 1

    def end(tag: str) -> None:
        nonlocal within
        within = within and tag != "cellXfs"

    if "xl/styles.xml" in archive.namelist():
        with archive.open("xl/styles.xml") as xml:
            read_part(xml, start, end)
    return found


def _part(archive: zipfile.ZipFile, name: str) -> str | None:
    """Return the part of a workbook that holds a sheet, by its name (section 18.2.19)."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    sheets: dict[str, str] = {}
    targets: dict[str, str] = {}

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            ids = [value for key, value in attributes.items() if key.rpartition(":")[2] == "id"]
            sheets[attributes.get("name", "")] = ids[0] if ids else ""

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    for part, handler in (("xl/workbook.xml", sheet), ("xl/_rels/workbook.xml.rels", relation)):
        with archive.open(part) as xml:
            read_part(xml, handler)
    target = targets.get(sheets.get(name, ""), "")
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return path if path in names else None
