"""Workbooks and archives: values as they are, and whatever is not safe to open refused before it is opened."""

import datetime
import io
import struct
import unicodedata
import zipfile

import pytest
import xlsxwriter

from app.exchange import archives
from app.exchange.mapping import parse
from app.exchange.reporting import write_report
from app.exchange.sources import File, sources
from app.exchange.workbooks import MERGED
from app.intake.reading import Unreadable
from tests.exchange.house import HEADER, MAPPING, ROWS, bring, files, sheet, told, world, written
from tests.intake.house import ONE_ENGINE


def workbook(path, *sheets, **more):
    """Write a workbook: of each sheet its name and rows."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets:
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, str) and value.startswith("="):
                        page.write_formula(number, column, value, None, more.get("value", ""))
                    else:
                        page.write(number, column, value)
    return path


def row_of(**more):
    row = dict(zip(HEADER.split(","), ROWS[1].split(","), strict=True)) | more
    return list(row.values())


@ONE_ENGINE
def test_values_of_a_workbook_are_read_as_they_are(intake, database, tmp_path):
    world(intake)
    rows = [HEADER.split(","), row_of(No=1, Date=datetime.date(2003, 4, 5), Victims=3.0), row_of(No=2, Victims=3.5)]
    found = bring(intake, tmp_path, workbook(tmp_path / "a.xlsx", ("행사", rows)), keep_good=True)
    assert told(found) == [(3, "Victims", "must be a whole number", None)]
    assert found.report.created == 2


@ONE_ENGINE
def test_a_formula_with_its_value_is_read_and_one_without_is_refused(intake, tmp_path):
    world(intake)
    rows = [HEADER.split(","), row_of(No=1, Victims="=1+2")]
    found = bring(intake, tmp_path, workbook(tmp_path / "a.xlsx", ("x", rows), value=3))
    assert (told(found), found.report.created) == ([], 2)
    path = workbook(tmp_path / "b.xlsx", ("x", rows), value="#DIV/0!")
    reason = "is a formula whose value is an error, or is not kept: mend it, or save the file anew"
    assert told(bring(intake, tmp_path, path)) == [(2, "Victims", reason, None)]
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "c.xlsx", "w") as new:
        for one in old.namelist():
            text = old.read(one)
            new.writestr(one, text.replace(b"</f><v>3</v>", b"</f>") if one.startswith("xl/worksheets/") else text)
    assert told(bring(intake, tmp_path, tmp_path / "c.xlsx")) == [(2, "Victims", reason, None)]


def read(path):
    """Return the cells and reasons of the rows of a workbook with one sheet."""
    opened = files(path, parse(MAPPING.encode()))[0].open()
    return [(one.number, one.cells, one.column, one.reason) for one in opened]


def test_a_month_or_a_year_that_is_shown_is_no_day(tmp_path):
    """Whoever writes 2003년 4월 in a cell is shown that, and the program keeps the first of April."""
    shown = [
        ('yyyy"년" m"월"', datetime.date(2003, 4, 1), "2003-04"),
        ("mmm-yy", datetime.date(2003, 4, 1), "2003-04"),
        ("[$-412]yyyy", datetime.date(2003, 1, 1), "2003"),
        ("yyyy/mm;@", datetime.date(2003, 4, 17), "2003-04-17"),  # a day that nobody can have meant as a month
        ("yyyy", datetime.date(2003, 4, 1), "2003-04-01"),
        ('yyyy"년" m"월" d"일"', datetime.date(2003, 4, 1), "2003-04-01"),
        ("yyyy-mm hh:mm", datetime.datetime(2003, 4, 1, 12, 30), "2003-04-01 12:30:00"),
    ]
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        page = book.add_worksheet("x")
        page.write_row(2, 3, ["No", "Date"])
        for number, (code, day, _) in enumerate(shown, 3):
            page.write(number, 3, 1)
            page.write_datetime(number, 4, day, book.add_format({"num_format": code}))
    assert [cells["Date"] for _, cells, *_ in read(tmp_path / "a.xlsx")] == [text for *_, text in shown]


def test_a_merged_cell_is_a_reason_and_never_empty(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        page = book.add_worksheet("x")
        page.write_row(1, 1, ["No", "Date", "Title", "Remark"])
        for row in range(2, 9):
            page.write(row, 1, row)
        page.merge_range("C3:C5", "2003")
        page.merge_range("D6:E6", "Across")  # what is to the right of it is not read by the mapping
        page.merge_range("C7:D7", "Across")
        page.merge_range("E3:E5", "Nobody reads this")
        page.merge_range("C8:D9", "")
    found = [(number, column) for number, _, column, reason in read(tmp_path / "a.xlsx") if reason == MERGED]
    assert found == [(4, "Date"), (5, "Date"), (7, "Title")]


@ONE_ENGINE
def test_a_header_of_merged_cells_says_which_columns_have_no_name(intake, tmp_path):
    header = ["No", "", "Title", "", "x"]
    (told_of,) = told(bring(intake, tmp_path, workbook(tmp_path / "a.xlsx", ("x", [header, [1, 2, 3, 4, 5]]))))
    assert told_of[2] == "has columns without a name in its first row: number 2, 4; name each, and merge none"
    ignoring = MAPPING.replace("[Remark]", '[Remark, ""]')
    (told_of,) = told(bring(intake, tmp_path, tmp_path / "a.xlsx", ignoring))
    assert told_of[2].startswith("lacks columns that the mapping reads")


def test_merged_cells_that_lie_in_one_another_are_not_followed(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ("x", [["No"], [1], [2]]))
    many = b"".join(b'<mergeCell ref="A1:XFD3"/>' for _ in range(9))
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for one in old.namelist():
            text = old.read(one)
            if one.startswith("xl/worksheets/"):
                text = text.replace(b"</sheetData>", b"</sheetData><mergeCells>" + many + b"</mergeCells>")
            new.writestr(one, text)
    with pytest.raises(Unreadable, match="has merged cells that lie in one another"):
        read(tmp_path / "b.xlsx")


def test_sheets_that_the_mapping_does_not_speak_of_are_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ("one", [["a"]]), ("two", [["b"]]))
    mapping = parse(MAPPING.encode())
    with pytest.raises(Unreadable, match=r"has several sheets \(one, two\)"):
        files(path, mapping)
    chosen = parse((MAPPING + "reads: {sheet: two}\n").encode())
    assert [one.stem for one in files(path, chosen)] == ["two"]
    missing = parse((MAPPING + "reads: {sheet: three}\n").encode())
    with pytest.raises(Unreadable, match="has no sheet three: one, two"):
        files(path, missing)


def archive(*entries, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, text in entries:
            made.writestr(name, text)
    return out.getvalue()


def lying(data):
    """Return an archive whose first entry says that it is smaller than it is, with the checksum of that much."""
    import zlib

    with zipfile.ZipFile(io.BytesIO(data)) as made:
        info = made.infolist()[0]
    old = struct.pack("<LL", info.CRC, info.compress_size) + struct.pack("<L", info.file_size)
    new = struct.pack("<LL", zlib.crc32(b"a" * 10), info.compress_size) + struct.pack("<L", 10)
    assert data.count(old) == 2
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (archive(("bomb.csv", b"a" * 50_000_000)), "is packed to less than a part in 200"),
        (lying(archive(("a.csv", b"a" * 1000))), "holds more than may be unpacked, or more than it says"),
        (archive(("inner.zip", archive(("a.csv", "x")))), "holds another archive"),
        (archive(("../a.csv", "x")), "leads out of the archive"),
        (archive(("/etc/a.csv", "x")), "leads out of the archive"),
        (archive(("a.csv", "x"), method=zipfile.ZIP_LZMA), "by a method that is not read"),
        (archive(("a.exe", "x")), "is of no known form"),
        (archive(), "holds no file"),
        (b"PK nonsense", "is no archive"),
    ],
)
def test_an_archive_that_is_not_safe_is_refused(data, reason):
    with pytest.raises(Unreadable, match=reason):
        sources(File("a.zip", len(data), lambda: io.BytesIO(data)), parse(MAPPING.encode()))


class Unmarked(zipfile.ZipInfo):
    """An entry that does not say what its name is written in, as a Korean Windows and macOS write it."""

    encoding = "cp949"

    def _encodeFilenameFlags(self):
        return self.filename.encode(self.encoding), self.flag_bits


class OfMac(Unmarked):
    encoding = "utf-8"


@pytest.mark.parametrize(("sort", "form"), [(zipfile.ZipInfo, "NFC"), (Unmarked, "NFC"), (OfMac, "NFD")])
def test_names_in_an_archive_are_those_that_were_given(sort, form):
    name, packed = unicodedata.normalize(form, "사건.csv"), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(sort(name), "No\n")
    data = packed.getvalue()
    mapping = parse(MAPPING.replace("    key: No\n", '    key: No\n    from: ["사건*"]\n', 1).encode())
    (found,) = sources(File("a.zip", len(data), lambda: io.BytesIO(data)), mapping)
    assert found.name == f"a.zip/{name}" and mapping.records[0].reads(found.stem)
    assert found.open().header == ["No"]


def test_an_archive_has_bounds(monkeypatch):
    monkeypatch.setattr(archives, "MOST_ENTRIES", 2)
    data = archive(*((f"{number}.csv", "x") for number in range(3)))
    with pytest.raises(Unreadable, match="holds more than 2 files"):
        sources(File("a.zip", len(data), lambda: io.BytesIO(data)), parse(MAPPING.encode()))


@ONE_ENGINE
@pytest.mark.parametrize("form", ["json", "csv", "xlsx"])
def test_reports_hold_row_column_value_reason_and_nearest(form, intake, tmp_path):
    world(intake)
    rows = [ROWS[1], "5,2003,=1+1,Torture,camp,,,TEST/1,,,,,,", "6,2003,F,Tortur,camp,,,TEST/1,,,,,,"]
    path = written(tmp_path, "a.csv", sheet(*rows))
    found = bring(intake, tmp_path, path)
    report = tmp_path / f"report.{form}"
    write_report(report, found, files(path, parse(MAPPING.encode())))
    assert report.stat().st_mode & 0o777 == 0o600
    if form == "json":
        import orjson

        said = orjson.loads(report.read_bytes())
        assert (said["problems"], said["applied"]) == (2, False)
        assert said["entries"][1] == {
            "severity": "error",
            "file": "a.csv",
            "row": 4,
            "column": "Act",
            "field": None,
            "value": "Tortur",
            "reason": "is no word of the table acts",
            "nearest": "Torture",
        }
    elif form == "csv":
        lines = report.read_text("utf-8-sig").splitlines()
        assert lines[0] == f"{HEADER},Problems" and lines[1] == f"{ROWS[1]},"
        assert lines[2].startswith("5,2003,'=1+1,") and lines[2].endswith(",Title: is a formula: write its value")
        assert lines[3].endswith("Act: is no word of the table acts (nearest: Torture)")
    else:
        from python_calamine import CalamineWorkbook

        got = CalamineWorkbook.from_path(str(report)).get_sheet_by_index(0).to_python()
        assert got[0][-1] == "Problems" and str(got[3][-1]).startswith("Act: is no word")
