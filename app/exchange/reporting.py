"""Reports of an import: every problem with its row, column, value and nearest valid value; and copies of the sheets.

What stands in the cells is the submitter's: it is read again from their file when a report is written, and never kept.
"""

import csv
import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson
import xlsxwriter

from app.catalogue.cells import safe
from app.catalogue.workbook import SHEET, row_of
from app.exchange.importing import Found
from app.exchange.sheets import Source
from app.exchange.translating import Problem
from app.exchange.values import Row, cell
from app.intake.reading import Unreadable

COLUMN = "Problems"
MOST_XLSX_ROWS = 1_048_576  # of a sheet: a workbook that is read has no more
MOST_CHARACTERS = 16_000  # of a cell, of which a sign may be two
MOST_VALUE = 200  # characters of a cell that a report says again


def summary(found: Found) -> dict[str, Any]:
    """Return what came of an import, without its problems."""
    return counts(found) | {"applied": found.report.applied, "refused": found.refused or None}


def counts(found: Found) -> dict[str, Any]:
    """Return how much there was of everything: in the file, of what was foreseen, of what was done."""
    told, done = found.foreseen, found.report
    return {
        "rows": found.rows,
        "problems": found.count,
        "foreseen": None
        if told is None
        else {
            "created": told.created,
            "revised": told.revised,
            "unchanged": told.unchanged,
            "gains": [{"view": name, "records": n, "own": name in told.own} for name, n in told.gains.items()],
        },
        "created": done.created,
        "revised": done.revised,
        "unchanged": done.unchanged,
    }


def entries(found: Found, sources: Sequence[Source]) -> Iterator[dict[str, Any]]:
    """Yield every problem and warning that was kept, with the value of its cell, read again from the file."""
    for number, source in enumerate(sources):
        wanted = {one.row for one in (*found.problems[number], *found.warnings[number]) if one.row}
        values = _rows(source, wanted) if wanted else {}
        for severity, problems in (("error", found.problems[number]), ("warning", found.warnings[number])):
            for one in problems:
                row = values.get(one.row, {})
                value = cell(row, one.column)[:MOST_VALUE] if one.column in row else None
                yield {
                    "severity": severity,
                    "file": source.name,
                    "row": one.row or None,
                    "column": one.column or None,
                    "field": one.field or None,
                    "value": value,
                    "reason": one.reason,
                    "nearest": one.nearest,
                }


def _rows(source: Source, wanted: set[int]) -> dict[int, Row]:
    """Return those rows of a sheet; as far as it can be read."""
    found: dict[int, Row] = {}
    try:
        sheet = source.open()
    except Unreadable:
        return {}
    try:
        for line in sheet:
            if line.number in wanted:
                found[line.number] = {name: _short(value) for name, value in line.cells.items()}
                if len(found) == len(wanted):
                    break
    except Unreadable:
        pass
    finally:
        sheet.close()
    return found


def _short(value: str | list[str]) -> str:
    return (value if isinstance(value, str) else "|".join(value))[:MOST_VALUE]


def write_report(path: Path, found: Found, sources: Sequence[Source]) -> None:
    """Write the report: as JSON, or as a copy of the sheets with a column of problems (`.csv`, `.xlsx`)."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # whatever it was before
        if path.suffix == ".json":
            write_json(file, found, sources)
        else:
            write_copy(file, found, sources, workbook=path.suffix == ".xlsx")


def write_copy(file: IO[bytes], found: Found, sources: Sequence[Source], workbook: bool) -> None:
    """Write a copy of the sheets with a column of problems: as a workbook (XLSX), or as CSV."""
    (_xlsx if workbook else _csv)(file, found, sources)


def write_json(file: IO[bytes], found: Found, sources: Sequence[Source]) -> None:
    """Write the report as JSON, an entry a line."""
    head = orjson.dumps(summary(found))
    file.write(head[:-1] + b',"entries":[')
    for number, one in enumerate(entries(found, sources)):
        file.write((b",\n" if number else b"\n") + orjson.dumps(one))
    file.write(b"\n]}\n")


def _by_row(found: Found, number: int) -> dict[int, str]:
    """Return what is wrong with each row of a source, in words."""
    said: dict[int, list[str]] = {}
    for sort, problems in (("", found.problems[number]), ("warning: ", found.warnings[number])):
        for one in problems:
            said.setdefault(one.row, []).append(sort + words(one))
    return {row: "; ".join(some) for row, some in said.items()}


def words(one: Problem) -> str:
    """Return a problem in one line, without what stands in the cell."""
    where = one.column or one.field
    near = f" (nearest: {one.nearest})" if one.nearest else ""
    return f"{where}: {one.reason}{near}" if where else f"{one.reason}{near}"


def _annotated(found: Found, sources: Sequence[Source], number: int) -> Iterator[tuple[list[str], str]]:
    """Yield the header, then every row of a sheet as it is, each with what is wrong with it."""
    said = _by_row(found, number)
    try:
        sheet = sources[number].open()
    except Unreadable:
        yield [], said.get(0, "")
        return
    try:
        header, before = list(sheet.header), 1
        yield header, "; ".join(filter(None, [COLUMN, said.get(0, "")]))
        for line in sheet:
            if not header:  # JSON: a row names its own columns
                yield [orjson.dumps(line.cells).decode()], said.get(line.number, "")
                continue
            # Empty rows stay: a row of the copy has the number that is told of it.
            yield from (([""] * len(header), "") for _ in range(before + 1, line.number))
            before = line.number
            yield [cell(line.cells, name) for name in header], said.get(line.number, "")
    except Unreadable as error:
        yield [], str(error)
    finally:
        sheet.close()


def _csv(file: IO[bytes], found: Found, sources: Sequence[Source]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")  # what spreadsheet programs open rightly
    rows = csv.writer(text)
    for number in range(len(sources)):
        if len(sources) > 1:
            rows.writerow([f"# {sources[number].name}"])
        rows.writerows([safe(one) for one in [*cells, said]] for cells, said in _annotated(found, sources, number))
    text.flush()
    text.detach()


def _xlsx(file: IO[bytes], found: Found, sources: Sequence[Source]) -> None:
    """Write it sheet after sheet, straight into the file: XlsxWriter would keep the rows in files of its own."""
    frame = io.BytesIO()
    with xlsxwriter.Workbook(frame, {"in_memory": True}) as book:
        sheets = {SHEET.format(number + 1): number for number in range(len(sources))}
        for _ in sheets:
            book.add_worksheet()
    with zipfile.ZipFile(frame) as parts, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name in parts.namelist():
            if name not in sheets:
                package.writestr(name, parts.read(name))
                continue
            before, _, after = parts.read(name).partition(b"<sheetData/>")
            with package.open(name, "w", force_zip64=True) as sheet:
                sheet.write(before + b"<sheetData>")
                for cells, said in islice(_annotated(found, sources, sheets[name]), MOST_XLSX_ROWS):
                    sheet.write(row_of([one[:MOST_CHARACTERS] or None for one in [*cells, said]]).encode())
                sheet.write(b"</sheetData>" + after)
