"""The sheets in a file: itself, those of a workbook, or the files of an archive, each opened only when it is read."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from app.exchange.archives import ARCHIVE, check, entries
from app.exchange.mapping import Mapping
from app.exchange.objects import Objects
from app.exchange.sheets import Delimited, SheetFile, Source
from app.exchange.workbooks import MOST_UNPACKED, MOST_WORKBOOK, Workbook, check_extent, sheets_of
from app.intake.reading import Unreadable

KNOWN = ".csv, .tsv, .txt, .xlsx, .json, .ndjson, .jsonl, or .zip of those"
Open = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class File:
    """A file that was handed in: its name, its size, and what opens it, as often as it is read."""

    name: str
    size: int
    open: Open


def sources(file: File, mapping: Mapping) -> list[Source]:
    """Return the sheets in a file.

    Raises:
        Unreadable: it is of no known form, or an archive or workbook that is not safe to open.
    """
    if PurePosixPath(file.name).suffix.lower() == ".zip":
        with file.open() as opened:
            check(opened)
            inside = entries(opened)
        found = [one for entry in inside for one in _sheets(_entry(file, *entry), mapping)]
        if not found:
            raise Unreadable("holds no file")
        return found
    return _sheets(file, mapping)


def _entry(file: File, name: str, told: str, size: int) -> File:
    return File(f"{file.name}/{told}", size, lambda: _opened(file, name))


def _opened(file: File, name: str) -> IO[bytes]:
    around = file.open()
    entry = ARCHIVE(around).open(name)
    close = entry.close

    def both() -> None:
        close()
        around.close()

    entry.close = both  # type: ignore[method-assign]
    return entry


def _sheets(file: File, mapping: Mapping) -> list[Source]:
    path = PurePosixPath(file.name)
    reads = mapping.reads

    def delimited() -> SheetFile:
        return _or_closed(file.open, lambda opened: Delimited(opened, reads))

    def objects(lines: bool) -> Callable[[], SheetFile]:
        return lambda: _or_closed(file.open, lambda opened: Objects(opened, file.size, lines))

    match path.suffix.lower():
        case ".csv" | ".tsv" | ".txt":
            return [Source(file.name, path.stem, file.size, delimited)]
        case ".json":
            return [Source(file.name, path.stem, file.size, objects(False))]
        case ".ndjson" | ".jsonl":
            return [Source(file.name, path.stem, file.size, objects(True))]
        case ".xlsx":
            return list(_of_workbook(file, mapping))
    raise Unreadable(f"is of no known form: {KNOWN}")


def _or_closed(open: Open, make: Callable[[IO[bytes]], SheetFile]) -> SheetFile:
    opened = open()
    try:
        return make(opened)
    except BaseException:
        opened.close()
        raise


def whole(file: File) -> bytes:
    """Return a workbook's bytes.

    Raises:
        Unreadable: it is too large to be held.
    """
    if file.size > MOST_WORKBOOK:
        raise Unreadable(f"is a workbook of more than {MOST_WORKBOOK} bytes: save its sheets as CSV")
    with file.open() as opened:
        return opened.read(MOST_WORKBOOK + 1)


def _of_workbook(file: File, mapping: Mapping) -> Iterator[Source]:
    data = whole(file)
    check(io.BytesIO(data), nested=False, most=MOST_UNPACKED)
    check_extent(data)
    names = sheets_of(data)
    wanted = frozenset[str]().union(*(rule.columns() for rule in mapping.records))
    for name in _chosen(names, mapping):
        yield Source(f"{file.name}/{name}", name, file.size, partial(_workbook, file, name, wanted))


def _workbook(file: File, name: str, wanted: frozenset[str]) -> SheetFile:
    return Workbook(whole(file), name, wanted)


def _chosen(names: Sequence[str], mapping: Mapping) -> list[str]:
    """Return the sheets of a workbook that are read.

    Raises:
        Unreadable: one would be passed over that the mapping does not speak of.
    """
    stated = mapping.reads.sheet
    if stated is not None:
        if stated not in names:
            raise Unreadable(f"has no sheet {stated}: {', '.join(names)}")
        return [stated]
    if any(rule.from_ for rule in mapping.records):
        return list(names)
    if len(names) > 1:
        raise Unreadable(
            f"has several sheets ({', '.join(names)}): name one in reads.sheet, or give each a rule (from)"
        )
    return list(names)
