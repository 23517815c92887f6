"""Drafting a mapping from the columns of a file: a beginning, with what stands in them, to be finished by hand."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from app.exchange import fields
from app.exchange.dating import Forms, Undated, date_of
from app.exchange.mapping import READY, parse, read
from app.exchange.sources import File, sources
from app.exchange.values import cell
from app.intake.reading import Unreadable
from app.records import BY_NAME

SAMPLE = 200  # rows that are looked at
ALIKE = 0.8  # of 1: so like a known name a column has to be called
_BLANK = """mapping: "1"
name: draft
version: "1"
records: [{as: row, kind: source, key: id, fields: {type: x}}]
"""
# What columns are often called, in English and Korean -> a field; {kind} has to have it.
CALLED = {
    "date": ("date", "event_date", "date_start", "incident date", "날짜", "일자", "발생일", "발생일자"),
    "title.public.en": ("title", "headline"),
    "title.public.ko": ("제목", "표제"),
    "summary.public.en": ("summary", "notes", "description", "abstract"),
    "summary.public.ko": ("요약", "내용", "설명"),
    "places": ("place", "location", "province", "facility", "admin1", "장소", "지역", "시설", "도"),
    "violations": (
        "violation",
        "violations",
        "type of act",
        "event_type",
        "sub_event_type",
        "침해",
        "침해유형",
        "유형",
    ),
    "actors": ("actor", "actors", "perpetrator", "perpetrators", "actor1", "가해자", "행위자", "기관"),
    "victims.best": ("victims", "number of victims", "fatalities", "피해자수", "피해자 수", "인원"),
    "citations[].symbol": ("source", "sources", "source_article", "reference", "출처", "근거"),
    "name.en": ("name", "full name"),
    "name.ko": ("이름", "성명"),
    "sex": ("sex", "gender", "성별"),
    "given": ("interview date", "date of interview", "면담일", "면담 날짜"),
    "consent.obtained_on": ("consent date", "date of consent", "동의일", "동의 날짜"),
    "consent.form": ("consent form", "form of consent", "동의 형식", "동의형식"),
}
KEYS = (
    "id",
    "no",
    "no.",
    "event_id_cnty",
    "event_id",
    "case id",
    "case number",
    "record number",
    "번호",
    "사건번호",
    "일련번호",
)


def draft(file: File, kind: str, name: str) -> str:
    """Return a mapping (YAML) for a file, with the values seen in each column as comments.

    The values are the submitter's own: whoever reads the draft reads them.

    Raises:
        Unreadable: the file is none of rows, or there is no such kind.
    """
    if kind not in BY_NAME:
        raise Unreadable(f"there is no kind {kind}: {', '.join(BY_NAME)}")
    source = sources(file, parse(_BLANK.encode()))[0]
    sheet = source.open()
    try:
        rows = [line.cells for line in islice(sheet, SAMPLE)]
        header = sheet.header or list(dict.fromkeys(column for row in rows for column in row))
    finally:
        sheet.close()
    if not header:
        raise Unreadable("has no object with names, so there is nothing to map")
    columns = {one: [text for row in rows if (text := cell(row, one))] for one in header}
    key = next((one for one in header if fields_folded(one) in KEYS), None)
    lines = [
        "# A draft: go through every line. Columns that stand under `ignore` are not read.",
        "# docs/imports.md says what each part means.",
        *_ready(source.stem, set(header)),
        'mapping: "1"',
        f"name: {name or _word(source.stem) or _word(Path(file.name).stem) or 'draft'}",
        'version: "1"',
        "records:",
        "  - as: row",
        f"    kind: {kind}",
        f"    key: {quoted(key or header[0])}" + ("" if key else "  # is this an id that stays the same?"),
        "    fields:",
    ]
    taken, ignored = key or header[0], list[str]()
    found = _fields(kind, [one for one in header if one != taken])
    for column, values in columns.items():
        if column in found:
            lines += _lines(kind, found[column], column, values)
        elif column != taken:
            ignored.append(column)
    lines += ["      # Say why the records may be shown, and scope or whatever else the kind requires:"]
    lines += [f"      # {one}" for one in _required(kind)]
    lines.append("ignore:" if ignored else "ignore: []")
    for column in ignored:
        lines.append(f"  - {quoted(column)}{_seen(columns[column])}")
    return "\n".join(lines) + "\n"


def fields_folded(column: str) -> str:
    """Return the name of a column as it is compared."""
    return " ".join(column.split()).casefold()


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _ready(stem: str, header: set[str]) -> list[str]:
    """Return a line for each ready mapping that finds the columns it reads."""
    lines = []
    for name in sorted(path.stem for path in READY.glob("*.yaml")):
        mapping = read(name)
        wanted = {column for rule in mapping.wanted(stem) if not rule.made for column in rule.columns()}
        if wanted and wanted - set(mapping.optional) <= header:
            lines.append(f"# The ready mapping {name} reads such columns: copy app/data/mappings/{name}.yaml instead.")
    return lines


def _fields(kind: str, columns: list[str]) -> dict[str, str]:
    """Return the field of each column that is known: by its very name, or where no column has that, by one like it."""
    found: dict[str, str] = {}
    for is_called in (_is_named, _is_like):
        for path, names in CALLED.items():
            if path in found.values() or not _has(kind, path):
                continue
            column = next((one for one in columns if one not in found and is_called(one, names)), None)
            if column is not None:
                found[column] = path
    return found


def _is_named(column: str, names: Sequence[str]) -> bool:
    return fields_folded(column) in names


def _is_like(column: str, names: Sequence[str]) -> bool:
    word = fields_folded(re.sub(r"\(.*?\)", "", column))  # Summary (EN)
    return word in names or (len(word) > 4 and fields.near(word, names, ALIKE) is not None)


def _has(kind: str, path: str) -> bool:
    try:
        fields.field(kind, path)
    except fields.FieldError:
        return False
    return True


def _lines(kind: str, path: str, column: str, values: list[str]) -> list[str]:
    head = f"      {path}: "
    if path in BY_NAME[kind].dates:
        unread = sum(1 for one in values if not _is_date(one))
        note = f"  # {unread} of {len(values)} are in no usual form: state formats" if unread else ""
        return [f"{head}{{date: {{column: {quoted(column)}}}}}{note}"]
    target = {"places": "place", "actors": "actor", "violations": "violation"}.get(path)
    if target is not None:
        split = next((f", split: {quoted(sign)}" for sign in "|;" if any(sign in one for one in values)), "")
        return [f"{head}{{column: {quoted(column)}{split}, find: {target}}}{_seen(values)}"]
    return [f"{head}{quoted(column)}{_seen(values)}"]


def _is_date(text: str) -> bool:
    try:
        date_of(text, Forms())
    except Undated:
        return False
    return True


def _required(kind: str) -> list[str]:
    schema = BY_NAME[kind].model.model_json_schema()
    return [f"{name}: {{constant: …}}" for name in schema.get("required", []) if name not in ("kind", "id")]


def _seen(values: list[str]) -> str:
    most = [re.sub(r"\s+", " ", one)[:30] for one, _ in Counter(values).most_common(3)]
    return f"  # as {' | '.join(most)}" if most else "  # empty"


def quoted(text: str) -> str:
    """Return a text as a YAML scalar that says just that."""
    escaped = "".join(
        f"\\{sign}" if sign in '"\\' else sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text
    )
    return f'"{escaped}"'
