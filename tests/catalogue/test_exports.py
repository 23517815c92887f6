"""Exports: the same records in every format, safe in a spreadsheet, and gone on with where they broke."""

import base64
import csv
import hashlib
import io
import zipfile
from datetime import date
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from app.catalogue import columnar, flat, separated, workbook
from app.catalogue.cells import restored, safe
from app.catalogue.exports import Told, Wanted
from app.records import BY_NAME, KINDS
from tests.catalogue.conftest import INCIDENTS, NAMES
from tests.catalogue.seed import incident

WHOLE = ("ndjson", "csv", "xlsx", "parquet")
TOLD = Told("Incidents", "public/publication", 1, "2023-11-14T22:13:20.000Z", "http://testserver/v1/incidents")
ORDER = [incident(name) for name in "edacbjfg"]


def table(content: bytes) -> Any:
    return pq.read_table(io.BytesIO(content)).to_pylist()


def sheets(content: bytes) -> dict[str, list[Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def ids(format: str, content: bytes) -> list[str]:
    if format == "ndjson":
        return [orjson.loads(line)["id"] for line in content.splitlines()]
    if format == "csv":
        return [row["id"] for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))]
    if format == "parquet":
        return [row["id"] for row in table(content)]
    return [row[2] for row in sheets(content)["incidents"][1:]]


@pytest.mark.parametrize("format", WHOLE)
@pytest.mark.parametrize("limit", ["", "&limit=1000"])
def test_each_has_every_record_in_its_order(client, format, limit):
    answer = client.get(f"/v1/incidents?format={format}&sort=date{limit}")
    found = ids(format, answer.content)
    assert found[:8] == ORDER
    assert sorted(found[8:]) == sorted([incident("h"), incident("i")])
    tag = answer.headers["etag"][1:9]
    assert answer.headers["content-disposition"] == f'attachment; filename="incidents-{tag}.{format}"'


@pytest.mark.parametrize("format", WHOLE)
def test_nothing_is_a_file_too(client, format):
    answer = client.get(f"/v1/incidents?format={format}&verification=contradicted")
    assert answer.status_code == 200
    assert ids(format, answer.content) == []


@pytest.mark.parametrize("format", WHOLE)
def test_a_page_states_the_digest_of_its_bytes(client, format):
    answer = client.get(f"/v1/incidents?format={format}&limit=4", headers={"Accept-Encoding": "identity"})
    digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert len(ids(format, answer.content)) == 4
    assert "cursor=" in answer.links["next"]["url"]


@pytest.mark.parametrize("format", WHOLE)
def test_the_same_question_gives_the_same_bytes(client, format):
    one, other = (client.get(f"/v1/incidents?format={format}") for _ in range(2))
    assert one.content == other.content
    assert client.get(one.url, headers={"If-None-Match": one.headers["etag"]}).status_code == 304


# --- a spreadsheet ---


def test_a_byte_order_mark_is_there_when_it_is_asked_for(client):
    plain = client.get("/v1/incidents?format=csv").content
    assert client.get("/v1/incidents?format=csv&bom=true").content == b"\xef\xbb\xbf" + plain
    assert client.get("/v1/incidents?format=csv&bom=false").content == plain
    assert client.get("/v1/incidents?format=csv&bom=1").status_code == 422


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("@x", "'@x"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n", "'\n"),
        ("'tis", "''tis"),
        ("a;=1", "a;'=1"),
        ("a\n- b", "a\n'- b"),
        ("\uff1d1", "'\uff1d1"),
        ("-5", "-5"),
        ("+1.5e3", "+1.5e3"),
        ("2003~", "2003~"),
        ("don't", "don't"),
        ("a - b = c", "a - b = c"),
        ("", ""),
    ],
)
def test_a_text_is_never_a_formula(text, cell):
    assert safe(text) == cell
    assert restored(cell) == text


@given(st.text(alphabet="'=+-@;\t\r\n\uff1d\uff0b1a \"", max_size=12))
def test_what_is_made_safe_can_be_undone(text):
    assert restored(safe(text)) == text


@given(st.text(alphabet="'=+-@;,\t\r\n\\\uff1d1a \"", max_size=8), st.text(max_size=8))
def test_the_quick_way_to_write_a_line_is_that_of_the_standard_library(title, other):
    body = orjson.dumps({**orjson.loads(INCIDENTS["a"].shown()), "title": {"en": title, "x": other}})
    lines = separated.Lines(BY_NAME["incident"], None, "http://testserver")
    (line,) = csv.reader(io.StringIO(lines.lines([body]).decode(), newline=""))
    assert line[4] == safe(title)
    assert lines._careful(body) == lines.lines([body]).decode()[:-2]


def test_a_workbook_holds_text_as_text(client):
    content = client.get("/v1/incidents?format=xlsx&sort=date").content
    found = sheets(content)
    assert list(found) == ["incidents", "about"]
    header = found["incidents"][0]
    assert header[:5] == ["url", "part", "id", "kind", "scope"]
    rows = {row[2]: dict(zip(header, row, strict=True)) for row in found["incidents"][1:]}
    assert rows[incident("j")]["title_en"] == "=1+1"
    assert rows[incident("a")]["longitude"] == 126.08
    assert rows[incident("a")]["date_start_earliest"] == "2003-01-01"
    assert rows[incident("a")]["url"] == f"http://testserver/v1/incidents/{incident('a')}"
    about = {row[0]: row[1] for row in found["about"]}
    assert about["view"] == "public/publication"
    assert about["as of"] == "2023-11-15T22:13:20.000Z"
    book = zipfile.ZipFile(io.BytesIO(content))
    assert not [name for name in book.namelist() if b"<f>" in book.read(name)]


def test_a_sheet_of_records_does_not_say_that_it_ends_with_its_header(client):
    """What reads no further than `dimension` (openpyxl with `read_only`) would find no record."""
    content = client.get("/v1/incidents?format=xlsx").content
    sheet = zipfile.ZipFile(io.BytesIO(content)).read(workbook.SHEET.format(1))
    assert sheet.count(b"<row") == len(sheets(content)["incidents"]) == 11
    assert b"<dimension" not in sheet


def test_a_long_text_goes_on_in_the_next_row():
    text = "가" * 70_000 + "_x0041_\x01 <&>"
    body = orjson.dumps({**orjson.loads(INCIDENTS["a"].shown()), "title": {"en": text}})
    book = workbook.Workbook(Wanted(BY_NAME["incident"], None, "http://testserver", TOLD))
    content = book.begin() + book.rows([(body, 0, 0), (INCIDENTS["b"].shown(), 0, 0)]) + book.end()
    header, *rows = sheets(content)["incidents"]
    place = header.index("title_en")
    assert [(row[1], len(row[place])) for row in rows] == [(1, 32_767), (2, 32_767), (3, 4_478), (1, 10)]
    assert "".join(row[place] for row in rows[:3]) == text
    assert {row[2] for row in rows[1:3]} == {""}
    assert {row[0] for row in rows[:3]} == {f"http://testserver/v1/incidents/{incident('a')}"}


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch):
    monkeypatch.setattr(workbook, "ROWS", 4)
    book = workbook.Workbook(Wanted(BY_NAME["incident"], ("id", "kind"), "http://testserver", TOLD))
    bodies = [(one.shown(), 0, 0) for one in INCIDENTS.values()]
    found = sheets(book.begin() + book.rows(bodies[:5]) + book.rows(bodies[5:]) + book.end())
    assert {name: len(rows) for name, rows in found.items() if name != "about"} == {
        "incidents": 4,
        "incidents 2": 4,
        "incidents 3": 4,
        "incidents 4": 2,
    }
    assert [row[2] for name in list(found)[:-1] for row in found[name][1:]] == [one.id for one in INCIDENTS.values()]


# --- Parquet ---


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_one_schema(kind, client):
    content = client.get(f"/v1/{kind.path}?format=parquet").content
    found = pq.read_schema(io.BytesIO(content))
    assert found.remove_metadata() == columnar.schema(kind.name).remove_metadata()
    assert found.names == ["url", *[one.name for one in flat.columns(kind.name)]]


def test_parquet_has_types_and_says_what_it_is(client):
    content = client.get("/v1/incidents?format=parquet&sort=date").content
    rows = {NAMES[row["id"]]: row for row in table(content)}
    assert rows["a"]["date"] == "2003"
    assert rows["a"]["date_start_earliest"] == date(2003, 1, 1)
    assert rows["e"]["date_start_earliest"] is None
    assert rows["j"]["testimonies"] == orjson.loads(INCIDENTS["j"].shown())["testimonies"]
    assert rows["j"]["title_en"] == "=1+1"
    assert (rows["a"]["longitude"], rows["b"]["longitude"]) == (126.08, None)
    metadata = pq.read_schema(io.BytesIO(content)).metadata
    assert metadata[b"evidence.view"] == b"public/publication"
    assert metadata[b"evidence.as_of"] == b"2023-11-15T22:13:20.000Z"
    assert metadata[b"evidence.question"]
    assert columnar.schema("incident").field("violations").type == pa.list_(pa.string())


def test_groups_of_rows_are_written_as_they_come(monkeypatch):
    monkeypatch.setattr(columnar, "GROUP", 4)
    made = columnar.Columnar(Wanted(BY_NAME["incident"], None, "http://testserver", TOLD))
    bodies = [(one.shown(), 0, 0) for one in INCIDENTS.values()]
    content = b"".join([made.begin(), *[made.rows(bodies[i : i + 2]) for i in range(0, 10, 2)], made.end()])
    assert pq.ParquetFile(io.BytesIO(content)).num_row_groups == 3
    assert [row["id"] for row in table(content)] == [one.id for one in INCIDENTS.values()]


# --- cut off ---


@pytest.mark.parametrize("format", ["ndjson", "csv"])
@pytest.mark.parametrize("sort", ["date", "-date", "id", "-updated"])
def test_what_was_cut_off_goes_on_from_its_last_whole_record(client, format, sort):
    address = f"/v1/incidents?format={format}&sort={sort}&cursors=true"
    whole = client.get(address).content
    end = b"\n" if format == "ndjson" else b"\r\n"
    every = ids(format, whole)
    for cut in range(0, len(whole), 997):
        lines = whole[:cut].split(end)[:-1]
        if len(lines) < 1 + (format == "csv"):
            continue
        kept = end.join(lines) + end
        last = lines[-1]
        cursor = orjson.loads(last)["cursor"] if format == "ndjson" else last.rpartition(b",")[2].decode()
        rest = client.get(f"{address}&cursor={cursor}").content
        assert ids(format, kept) + ids(format, rest) == every


def test_a_cursor_is_asked_for_and_else_absent(client):
    (line,) = client.get(f"/v1/incidents?format=ndjson&ids={incident('a')}").content.splitlines()
    assert line == INCIDENTS["a"].shown()
    assert client.get("/v1/incidents?format=csv").text.partition("\r\n")[0].endswith(",updated")
    assert client.get("/v1/incidents?format=csv&cursors=true").text.partition("\r\n")[0].endswith(",updated,cursor")
