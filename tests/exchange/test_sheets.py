"""Reading sheets: encodings, delimiters, ragged rows, endless lines and quotes, each a row with a reason or right."""

import codecs
import io
import tracemalloc

import orjson
import pytest

from app.exchange import sheets
from app.exchange.drafting import draft
from app.exchange.mapping import Reads
from app.exchange.objects import Objects
from app.exchange.sheets import Delimited
from app.exchange.sources import File
from app.intake.reading import TWICE, Unreadable
from tests.exchange.house import HEADER, ROWS, bring, told, world, written
from tests.intake.house import ONE_ENGINE

KOREAN = "번호,이름\n1,고문\n2,새마을\n"


def read(text, **how):
    opened = Delimited(io.BytesIO(text), Reads(**how))
    return opened.header, [(one.number, dict(one.cells), one.column, one.reason) for one in opened]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949", "euc-kr"])
def test_encodings_are_told_from_the_text(encoding):
    header, rows = read(KOREAN.encode(encoding))
    assert header == ["번호", "이름"]
    assert [cells["이름"] for _, cells, _, reason in rows if not reason] == ["고문", "새마을"]


@pytest.mark.parametrize(
    ("text", "stated", "reason"),
    [
        (KOREAN.encode(), "cp949", "is utf-8, and is stated to be cp949"),
        (KOREAN.encode("utf-16"), "utf-8", "begins as utf-16 does, and is stated to be utf-8"),
        (KOREAN.encode("utf-16-le"), "utf-16", "is stated to be utf-16, and has no byte order mark at its beginning"),
        ("a,b\n1,\xe9\xff\xfe\n".encode("latin-1"), None, "is in no encoding that can be told from it: state it"),
        ("번호\n".encode("cp949"), "utf-8", "has a first line that is not in utf-8: state its encoding"),
        (b"", None, "has no header: its first line names the columns"),
        (b"," * 3000 + b"x", None, "has a first line that is no header: more than 2000 columns"),
    ],
)
def test_an_encoding_that_is_wrong_is_refused(text, stated, reason):
    with pytest.raises(Unreadable) as error:
        read(text, encoding=stated)
    assert str(error.value).startswith(reason)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a,b\n1,Kim’s story\n2,Lee’s\n", "cp1252"),
        ("a,b\n1,朝鲜人权，政治犯收容所\n", "gbk"),
        ("a,b\n1,拉致被害者\n", "cp932"),
    ],
)
def test_what_is_no_korean_is_never_read_as_korean(text, encoding):
    """Each of them is good CP949, and none of it is what was written."""
    assert any("가" <= sign <= "힣" for sign in text.encode(encoding).decode("cp949"))
    with pytest.raises(Unreadable) as error:
        read(text.encode(encoding))
    assert str(error.value) == sheets.UNTOLD


def test_english_with_a_few_korean_words_is_korean():
    text = (
        "a,b\n"
        + "1,He said “no” · an English account of 3 pages\n" * 50
        + "2,고문 (拷問) 및 강제노동 ㄱ씨, 김철수의 진술\n"
    )
    _, rows = read(text.replace(", 김", " 김").encode("cp949"))
    assert rows[-1][1]["b"] == "고문 (拷問) 및 강제노동 ㄱ씨 김철수의 진술"


def test_a_cell_in_another_encoding_is_a_reason_and_never_other_letters():
    text = "번호,이름\n1,고문\n".encode() + "2,새마을\n".encode("cp949") + "3,여기\n".encode()
    _, rows = read(text, encoding="utf-8")
    assert [(number, column, reason[:40]) for number, _, column, reason in rows if reason] == [
        (3, "이름", "is not in utf-8, the encoding of the res")
    ]
    assert [number for number, *_, reason in rows if not reason] == [2, 4]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_delimiters_are_told_from_the_header(sign):
    header, rows = read(sign.join(("a", '"b,;|"', "c")).encode() + b"\n" + sign.join("123").encode() + b"\n")
    assert header == ["a", "b,;|", "c"] and rows[0][1]["c"] == "3"


def test_long_lines_and_quotes_that_do_not_end_are_rows_with_reasons(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_LINE_BYTES", 1000)
    _, rows = read(b"a,b\n1,2\n" + b"x" * 50_000 + b",3\n4,5\n")
    assert [(number, reason) for number, *_, reason in rows] == [
        (2, ""),
        (3, "is a line of more than 1000 characters"),
        (4, ""),
    ]
    monkeypatch.setattr(sheets, "MOST_ROW", 5_000)
    endless = Delimited(io.BytesIO(b'a,b\n1,2\n3,"x\n' + b"y\n" * 10_000), Reads())
    with pytest.raises(Unreadable, match="has a quoted cell from row 3 on that does not end"):
        list(endless)
    _, rows = read(b'a,b\n1,"x\n')
    assert rows[-1][3] == "has a quoted cell that does not end"


def test_cells_may_hold_lines_and_empty_rows_are_passed_over():
    _, rows = read(b'a,b\n1,"two\nlines"\n,\n\n3,4\n')
    assert [(number, cells["b"]) for number, cells, *_ in rows] == [(2, "two\nlines"), (5, "4")]


def test_ragged_rows():
    _, rows = read(b"a,b,\n1\n1,2,3,4\n1,2,,\n")
    assert [(number, reason) for number, *_, reason in rows] == [
        (2, "has 1 cells, and the header has 2"),
        (3, "has 4 cells, and the header has 2"),
        (4, ""),
    ]


class Endless(io.RawIOBase):
    """Two rows, and then one line of two gigabytes; made as it is read."""

    SIZE = 2_000_000_000

    def __init__(self) -> None:
        self.place = self.read_so_far = 0
        self.head = b"a,b\n1,2\n3,"

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset if whence == 0 else self.place + offset if whence == 1 else self.SIZE + offset
        return self.place

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self.SIZE - self.place)
        part = self.head[self.place : self.place + count]
        buffer[:count] = part + b"x" * (count - len(part))
        self.place += count
        self.read_so_far += count
        return count


def test_a_line_of_two_gigabytes_is_not_read_to_its_end_nor_held():
    raw = Endless()
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match=r"has a line \(3\) of more than"):
            list(Delimited(io.BufferedReader(raw), Reads()))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raw.read_so_far < 100_000_000
    assert most < 64_000_000


@ONE_ENGINE
@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_objects_are_rows(form, intake, tmp_path):
    world(intake)
    names = HEADER.split(",")
    first = dict(zip(names, ROWS[1].split(","), strict=True))
    second = {**first, "No": 7, "Act": ["고문", "Torture"], "Victims": 4, "Title": None}
    third = {**first, "No": 8, "Elsewhere": {"deep": 1}}
    items = [first, second, third, [1]]
    text = orjson.dumps(items) if form == "json" else b"\n".join(map(orjson.dumps, items)) + b"\n{nonsense\n"
    found = bring(intake, tmp_path, written(tmp_path, f"a.{form}", text), keep_good=True)
    reasons = told(found)
    assert reasons[:2] == [
        (3, "Elsewhere.deep", "is a column that the mapping neither reads nor ignores", None),
        (4, "", "is no JSON object", None),
    ]
    assert (len(reasons), found.report.created) == ((2, 3) if form == "json" else (3, 3))


@ONE_ENGINE
@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_an_object_that_says_something_twice_is_no_row(form, intake, tmp_path):
    world(intake)
    row = orjson.dumps(dict(zip(HEADER.split(","), ROWS[1].split(","), strict=True)))
    row = row[:-1] + b',"Title":"Another"}'
    found = bring(intake, tmp_path, written(tmp_path, f"a.{form}", b"[" + row + b"]" if form == "json" else row))
    assert told(found) == [(0 if form == "json" else 1, "", TWICE, None)]
    assert not found.report.applied


@pytest.mark.parametrize("lines", [False, True])
def test_a_byte_order_mark_is_no_part_of_json(lines):
    text = codecs.BOM_UTF8 + (b'{"a": 1}\n{"a": 2}\n' if lines else b'[{"a": 1}, {"a": 2}]')
    rows = [(one.cells, one.reason) for one in Objects(io.BytesIO(text), len(text), lines)]
    assert rows == [({"a": "1"}, ""), ({"a": "2"}, "")]


@pytest.mark.parametrize("text", [b"[]", b"[1, 2]", b"[{}]"])
def test_of_what_has_no_columns_no_mapping_is_drafted(text):
    with pytest.raises(Unreadable, match="there is nothing to map"):
        draft(File("a.json", len(text), lambda: io.BytesIO(text)), "incident", "")


def test_a_long_number_is_read_digit_by_digit():
    text = b'{"id": 123456789012345678901234, "small": -7, "at": 37.5, "sure": true, "none": null}'
    (line,) = Objects(io.BytesIO(text), len(text), lines=True)
    assert line.cells == {"id": "123456789012345678901234", "small": "-7", "at": "37.5", "sure": "true"}
