"""Files that are wrong: each is refused with where and why, before anything is applied; or it works."""

import io
import zipfile
from typing import Any

import pytest
import xlsxwriter

from app.exchange import sheets
from app.exchange.workbooks import MOST_CELLS
from tests.exchange.house import HEADER, ROWS, sheet
from tests.imports.conftest import another, good

NO = "5,2003,An event,Torture,camp,,,TEST/1,,,,,,"
CP949 = "is not in utf-8, the encoding of the rest: save the file anew"


def row(number, **more):
    cells = dict(zip(HEADER.split(","), NO.split(","), strict=True)) | {"No": str(number), **more}
    return ",".join(cells.values())


def book(*rows, name="a"):
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as one:
        page = one.add_worksheet(name)
        for number, cells in rows:
            for column, value in enumerate(cells):
                page.write_string(number, column, value)
    return made.getvalue()


def archive(**entries):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as one:
        for name, content in entries.items():
            one.writestr(name.replace("__", "."), content)
    return made.getvalue()


FAR = ((0, HEADER.split(",")), (1, NO.split(",")), (1_048_575, [""] * 16_383 + ["x"]))
CASES: dict[str, tuple[str, Any, list[tuple[Any, ...]]]] = {
    "wrong encoding": (
        "a.csv",
        sheet(row(1, Title="새마을에서 있었던 사건" * 3)).encode() + row(2, Title="고").encode("cp949") + b"\n",
        [(3, "Title", CP949, None)],
    ),
    "utf-16 without a mark": ("a.csv", sheet(row(1)).encode("utf-16-le"), [(None, None, ..., None)]),
    "ragged": ("a.csv", sheet("1,2003", row(2)), [(2, None, "has 2 cells, and the header has 14", None)]),
    "a formula": ("a.csv", sheet(row(1, Title="=1+1")), [(2, "Title", "is a formula: write its value", None)]),
    "an id twice": (
        "a.csv",
        sheet(row(1), row(1)),
        [(3, "No", "stands twice in this load (first in a.csv, row 2)", None)],
    ),
    "an unknown column": (
        "a.csv",
        sheet(NO + ",x", header=HEADER + ",Colour"),
        [(None, None, "has columns that the mapping neither reads nor ignores: Colour", None)],
    ),
    "no rows": ("a.csv", "", [(None, None, "has no header: its first line names the columns", None)]),
    "two forms of dates": (
        "a.csv",
        sheet(row(1, Date="2003-04-05"), row(2, Date="05/04/2003"), row(3, Date="5 April 2003")),
        [(3, "Date", ..., None)],
    ),
    "NUL": ("a.csv", sheet(row(1, Title="a\0b")), [(2, "Title", ..., None)]),
    "a reference to nothing": (
        "a.csv",
        sheet(row(1).replace("camp,,", "camp,nobody,")),
        [(2, "Told by", "names no testimony that is on record or in this load", None)],
    ),
    "cells far apart": (
        "a.xlsx",
        book(*FAR),
        [(None, None, f"has a sheet of more than {MOST_CELLS} cells: save it as CSV", None)],
    ),
    "no workbook": ("a.xlsx", b"PK nonsense", [(None, None, "is no archive (ZIP) that can be read", None)]),
    "an archive in it": ("a.zip", archive(in__zip=archive(a__csv="x")), [(None, None, ..., None)]),
    "a bomb": (
        "a.zip",
        archive(a__csv=b"0" * 30_000_000),
        [(None, None, "holds a file that is packed to less than a part in 200", None)],
    ),
    "no JSON": ("a.ndjson", b'{"No": ', [(1, None, "is no JSON in UTF-8 (column 8)", None)]),
}


@pytest.fixture(scope="module")
def one_for_all(house):
    """One organisation for all cases."""
    return another(house)


@pytest.mark.parametrize("case", CASES)
def test_each_is_told_with_where_and_why_and_nothing_is_applied(one_for_all, case):
    hand = one_for_all
    name, content, expected = CASES[case]
    before = hand.ask("GET", "/v1/incidents").json()["total"]
    one, found = hand.checked(content, name)
    assert (found["state"], found["problems"]) == ("refused", len(expected)), found
    said = hand.entries(one)
    wanted = [
        (*one[:2], stated[2] if one[2] is ... else one[2], one[3]) for one, stated in zip(expected, said, strict=True)
    ]
    assert said == wanted
    assert all(reason for _, _, reason, _ in said)
    assert hand.ask("GET", "/v1/incidents").json()["total"] == before
    assert hand.ask("DELETE", one).status_code == 204


def test_what_looks_odd_and_is_right_works(hand):
    later = sheet(row(1).replace("camp,,", "camp,w9,"), row(2, Witness="w9"))
    consented = later.replace(",TEST/1,w9,,,,,", ",TEST/1,w9,2020-01-02,written,no,,")
    one, found = hand.checked(consented)  # the first row names a witness of the second
    assert found["state"] == "ready", hand.entries(one)
    for content in (b"\xef\xbb\xbf" + good().encode(), good().encode("utf-16"), good().replace("\n", "\r\n").encode()):
        assert hand.checked(content)[1]["to_confirm"] == {"public": 5, "partner": 4, "mechanism": 4}
    zipped = archive(a__csv=sheet(*ROWS[:1]), b__csv=sheet(*ROWS[1:]))
    one, found = hand.checked(zipped, "both.zip")
    assert (found["state"], found["rows"]) == ("ready", 3), hand.entries(one)


def test_a_line_without_an_end_is_refused_before_it_is_read(hand, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_LINE_BYTES", 10_000)
    monkeypatch.setattr(sheets, "MOST_SKIPPED", 40_000)
    long = sheet(row(1)) + "x" * 5_000_000 + "\n" + row(2) + "\n"
    one, found = hand.checked(long)
    assert found["state"] == "refused"
    (said,) = hand.entries(one)
    assert said[0] is None and "line (3) of more than" in said[2]


def test_the_right_rows_are_kept_where_that_is_wanted(hand):
    one, found = hand.checked(sheet(row(1), row(2, Act="Tortre"), row(3)), keep_good=True)
    assert (found["state"], found["problems"], found["foreseen"]["created"]) == ("ready", 1, 2)
    assert hand.entries(one) == [(3, "Act", "is no word of the table acts", "Torture")]
    copy = hand.ask("GET", f"{one}/sheet")
    assert copy.headers["content-type"].startswith("text/csv") and "attachment" in copy.headers["content-disposition"]
    lines = copy.content.decode("utf-8-sig").splitlines()
    assert lines[0].endswith("Remark,Problems") and lines[2].endswith(
        "Act: is no word of the table acts (nearest: Torture)"
    )
    assert hand.confirm(one, found["to_confirm"]).status_code == 202
    assert hand.until(one, "done")["result"] == {"created": 2, "revised": 0, "unchanged": 0}
    assert hand.entries(one)[0][:2] == (3, "Act")  # the report stays for a while, and the sheet
    assert hand.ask("GET", f"{one}/sheet").content == copy.content


def test_a_copy_of_a_workbook_is_one_and_holds_no_formula(hand):
    rows = [HEADER.split(","), row(1, Title="@SUM(1)", Act="Tortre").split(",")]
    one, found = hand.checked(book(*enumerate(rows)), "a.xlsx")
    assert found["state"] == "refused"
    copy = hand.ask("GET", f"{one}/sheet")
    with zipfile.ZipFile(io.BytesIO(copy.content)) as parts:
        text = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in text and "@SUM(1)" in text and "nearest: Torture" in text
    csv = hand.checked(sheet(row(1, Title="@SUM(1)", Act="Tortre")))[0]
    assert ",'@SUM(1)," in hand.ask("GET", f"{csv}/sheet").content.decode()
