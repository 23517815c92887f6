"""Sheets of rows: text with delimiters, in the encoding that it has, row by row in bounded memory."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple, Protocol

from app.exchange.mapping import Reads
from app.exchange.values import Row
from app.intake.reading import MOST_LINE_BYTES, Unreadable

MOST_CELL = 1_000_000  # characters
MOST_ROW = 2 * MOST_LINE_BYTES  # characters of the lines of one row
MOST_COLUMNS = 2_000
MOST_SKIPPED = 8 * MOST_LINE_BYTES  # of one line that is too long: then the file is none of rows
TOO_LONG = f"has a line ({{}}) of more than {MOST_SKIPPED} bytes: what is behind it is not read"
SAMPLE = 1 << 20
DELIMITERS = ",;\t|"
USED = 0.8  # of the letters of a Korean text, at least: Hangul as it is written, beside some hanja
UNTOLD = "is in no encoding that can be told from it: state it (utf-8, utf-16, cp949, cp1252), or save it as UTF-8"
_HANGUL = re.compile("[가-힣ㄱ-ㅣ]")
LOST = "�"  # what a byte that is not in the encoding is read as
csv.field_size_limit(MOST_CELL)


class Line(NamedTuple):
    """One row of a sheet: its number as a spreadsheet counts, and its cells, or the reason why it cannot be read."""

    number: int
    cells: Row
    column: str = ""
    reason: str = ""


class SheetFile(Protocol):
    """A sheet that is open. `header` is empty where each row names its own columns."""

    header: list[str]

    def __iter__(self) -> Iterator[Line]:
        """Yield every row that is not empty."""
        ...

    def at(self) -> int:
        """Return how many bytes of the file were read."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


@dataclass(frozen=True)
class Source:
    """One sheet that can be opened, more than once.

    Attributes:
        name: as reports name it.
        stem: the name of the file or sheet, that rules may be for.
        size: its bytes.
        open: opens it.
    """

    name: str
    stem: str
    size: int
    open: Callable[[], SheetFile]


def encoding_of(sample: bytes, stated: str | None) -> str:
    """Return the encoding of a text that begins so.

    Raises:
        Unreadable: it is not the one that is stated, or none that can be told from the text.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(mark):
            if stated is not None and stated[:5] != encoding[:5]:
                raise Unreadable(f"begins as {encoding[:6].rstrip('-')} does, and is stated to be {stated}")
            return encoding
    if stated == "utf-16":
        raise Unreadable("is stated to be utf-16, and has no byte order mark at its beginning")
    is_utf8 = _decodes(sample, "utf-8")
    if stated is not None:
        if stated not in ("utf-8",) and is_utf8 and not sample.isascii():
            raise Unreadable(f"is utf-8, and is stated to be {stated}")
        return stated
    if is_utf8:
        return "utf-8"
    if _decodes(sample, "cp949") and _is_korean(sample.decode("cp949", errors="replace")):
        return "cp949"
    if sum(byte < 128 for byte in sample) and _mostly_utf8(sample):
        return "utf-8"  # with places that are not: each is told of with its row
    raise Unreadable(UNTOLD)


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)  # the end may be cut
    except UnicodeDecodeError:
        return False
    return True


def _is_korean(text: str) -> bool:
    """Tell whether a text that was read as CP949 is Korean, and not by chance: by the letters that stand in it.

    English of Windows reads so too, each curly apostrophe with the letter behind it as one of the thousands of
    syllables that no word has (KS X 1001 leaves those out), and Chinese and Japanese as syllables and hanja at random.
    """
    letters = Counter(sign for sign in text if sign > "\x7f" and sign != LOST and sign.isalpha())
    used = sum(n for sign, n in letters.items() if _HANGUL.fullmatch(sign) and min(sign.encode("cp949")) >= 0xA1)
    return 0 < used >= USED * letters.total()


def _mostly_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", errors="replace")
    odd = [sign for sign in text if ord(sign) > 127]
    return odd.count(LOST) * 10 < len(odd)


def delimiter_of(first: str, stated: str | None) -> str:
    """Return what parts the cells of a first line: what is stated, else the sign of `,;TAB|` that stands there most."""
    if stated is not None:
        return stated
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


class Delimited:
    """A sheet of CSV or TSV (RFC 4180, with any of the usual delimiters)."""

    def __init__(self, file: IO[bytes], reads: Reads) -> None:
        """Read the header.

        Raises:
            Unreadable: there is none, or its encoding cannot be told.
        """
        self._file = file
        sample = file.read(SAMPLE)
        self.encoding = encoding_of(sample, reads.encoding)
        file.seek(0)
        self._text = io.TextIOWrapper(file, encoding=self.encoding, errors="replace", newline="")
        self._long: set[int] = set()
        self._physical = self._rows = self._held = 0
        lines = self._lines()
        first = next(lines, "")
        self.delimiter = delimiter_of(first, reads.delimiter)
        self._reader = csv.reader(_after(first, lines), delimiter=self.delimiter, strict=True)
        try:
            header = next(self._reader, [])
        except csv.Error as error:
            raise Unreadable(f"has a first line that cannot be read: {error}") from None
        if len(header) > MOST_COLUMNS or 1 in self._long:
            raise Unreadable(f"has a first line that is no header: more than {MOST_COLUMNS} columns")
        if any(LOST in one for one in header):
            raise Unreadable(
                f"has a first line that is not in {self.encoding.removesuffix('-sig')}: state its encoding"
            )
        self.header = [one.strip() for one in header]
        while self.header and not self.header[-1]:
            self.header.pop()  # columns without a name hold nothing, or their rows are refused
        if not self.header:
            raise Unreadable("has no header: its first line names the columns")

    def _lines(self) -> Iterator[str]:
        while line := self._text.readline(MOST_LINE_BYTES):
            self._physical += 1
            if len(line) == MOST_LINE_BYTES and not line.endswith("\n"):
                self._skip()
                self._long.add(self._physical)
                line = "\n"
            self._held += len(line)
            if self._held > MOST_ROW:
                raise Unreadable(
                    f"has a quoted cell from row {self._rows + 1} on that does not end: the rest cannot be read"
                )
            yield line

    def _skip(self) -> None:
        """Pass over the rest of a line, if it comes to an end before long."""
        for _ in range(MOST_SKIPPED // MOST_LINE_BYTES):
            rest = self._text.readline(MOST_LINE_BYTES)
            if not rest or rest.endswith("\n"):
                return
        raise Unreadable(TOO_LONG.format(self._physical))

    def __iter__(self) -> Iterator[Line]:
        """Yield every row that is not empty.

        Raises:
            Unreadable: a quoted cell or a line does not end.
        """
        self._rows = 1
        while True:
            before, self._held = self._physical, 0
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                self._rows += 1
                yield Line(self._rows, {}, reason=_words(str(error)))
                continue
            if cells is None:
                return
            self._rows += 1
            if self._long and any(one in self._long for one in range(before + 1, self._physical + 1)):
                self._long.clear()
                yield Line(self._rows, {}, reason=f"is a line of more than {MOST_LINE_BYTES} characters")
            elif any(cells):
                yield self._line(cells)

    def _line(self, cells: list[str]) -> Line:
        header = self.header
        if len(cells) != len(header):
            if len(cells) < len(header) or any(cells[len(header) :]):
                row = dict(zip(header, cells, strict=False))
                return Line(self._rows, row, reason=f"has {len(cells)} cells, and the header has {len(header)}")
            cells = cells[: len(header)]
        row = dict(zip(header, cells, strict=True))
        for column, cell in row.items():
            if LOST in cell:
                name = self.encoding.removesuffix("-sig")
                return Line(self._rows, row, column, f"is not in {name}, the encoding of the rest: save the file anew")
            if cell.startswith("="):
                return Line(self._rows, row, column, "is a formula: write its value")
        return Line(self._rows, row)

    def at(self) -> int:
        """Return how many bytes of the file were read."""
        return self._file.tell()

    def close(self) -> None:
        """Let go of the file."""
        self._text.close()


def _after(first: str, lines: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines


def _words(error: str) -> str:
    if "field limit" in error:
        return f"has a cell of more than {MOST_CELL} characters: perhaps a quotation mark is not closed"
    if "unexpected end" in error:
        return "has a quoted cell that does not end"
    return "has a quotation mark inside of a cell: put the cell in quotation marks, and write the mark twice"
