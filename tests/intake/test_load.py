"""Loading files: all is checked before anything is applied, and a report says of each bad line where and why."""

import json

import orjson
import pytest

from app.core.ids import fixed
from app.custody.tables import LEAF
from app.intake.builtin import load_builtin
from app.intake.loading import Fault, Load
from app.intake.order import knots
from app.intake.reading import TWICE
from app.intake.retract import retract
from app.intake.submit import PUBLIC_RECORD
from app.vault.tables import RECORD
from tests.intake.house import (
    I1,
    I2,
    ONE_ENGINE,
    OWNER,
    PUBLIC,
    T1,
    T2,
    T3,
    a_place,
    a_source,
    a_testimony,
    an_incident,
    catalogue,
    check_log,
    count,
    history,
    revisions,
    seen_by,
    shown,
    submit,
)

RECORD_SIZE = 1_307


def written(folder, name, *values):
    """Write records, or lines as they are, to a file."""
    path = folder / name
    lines = [value if isinstance(value, bytes) else orjson.dumps(value) for value in values]
    path.write_bytes(b"[" + b",".join(lines) + b"]" if name.endswith(".json") else b"\n".join(lines) + b"\n")
    return path


def load(intake, tmp_path, *paths, **how):
    owner = how.pop("owner", OWNER)
    return Load(intake, tmp_path, owner).run(list(paths), **how)


def test_files_of_both_forms_are_applied_in_the_order_that_their_records_need(intake, database, tmp_path, writer):
    first = written(tmp_path, "first.ndjson", an_incident(testimonies=[T1], places=["camp"]), b"", a_testimony(T1))
    second = written(tmp_path, "second.json", a_place("camp", parent="north"), a_place("north"), a_source())
    report = load(intake, tmp_path, first, second)
    assert (report.faults, report.created, report.revised, report.unchanged, report.applied) == ([], 5, 0, 0, True)
    assert shown(database, PUBLIC, I1)["testimonies"] == [T1] and shown(database, PUBLIC, I1)["places"] == ["camp"]
    report = load(intake, tmp_path, first, second)
    assert (report.created, report.revised, report.unchanged) == (0, 0, 5)
    assert check_log(writer)[0] == 5


BAD = [
    a_source(),
    b"{nonsense}",
    an_incident(I1, date="2011-02-30"),
    an_incident(I1, places=["nowhere"]),
    a_testimony(T1, colour="red"),
    an_incident(I2, testimonies=[T2]),
    a_testimony(T2),
    a_place("camp"),
    a_place("camp", status="open"),
    a_source("SRC"),
]
FAULTS = [
    (2, "", "is no JSON (column 2)"),
    (3, "date", "'2011-02-30' is no day: 2011-02 has 28 days; write 2011-02 if the day is not known"),
    (5, "colour", "is no field of this kind"),
    (10, "id", "is no id: lower-case letters, digits, dots and hyphens, at most 121, the first a letter or digit"),
    (9, "id", "stands twice in this load (first in bad.ndjson, line 8)"),
    (4, "places", "names no place that is on record or in this load"),
]


@ONE_ENGINE
def test_a_report_names_file_line_field_and_reason_and_nothing_is_applied(intake, database, tmp_path):
    report = load(intake, tmp_path, written(tmp_path, "bad.ndjson", *BAD))
    assert report.faults == [Fault("bad.ndjson", *fault) for fault in FAULTS]
    assert (report.applied, report.created) == (False, 0)
    assert count(database, RECORD) == count(database, LEAF) == 0


def test_what_is_good_is_kept_if_that_is_wanted(intake, database, tmp_path):
    report = load(intake, tmp_path, written(tmp_path, "bad.ndjson", *BAD), keep_good=True)
    assert [fault.line for fault in report.faults] == [2, 3, 5, 10, 9, 4]
    assert (report.applied, report.created) == (True, 4)
    assert [seen_by(database, id) != [] for id in ("src-a", T2, I2, "camp")] == [True] * 4
    assert seen_by(database, I1) == seen_by(database, T1) == []
    assert shown(database, PUBLIC, "camp")["status"] is None  # the first of the two


@ONE_ENGINE
def test_what_names_something_that_was_dropped_is_dropped_with_it(intake, database, tmp_path):
    lost = a_testimony(T1, places=["nowhere"])
    leaning = an_incident(I1, testimonies=[T1])
    link = {"kind": "link", "id": "link-a", "type": "seen-with", "from": I1, "to": "src-a", "confidence": "low"}
    file = written(tmp_path, "a.ndjson", a_source(), lost, leaning, link | {"source": "src-a"}, a_testimony(T2))
    report = load(intake, tmp_path, file, keep_good=True)
    assert [(fault.line, fault.field) for fault in report.faults] == [(2, "places"), (3, "testimonies"), (4, "from")]
    assert (report.created, count(database, RECORD)) == (2, 2)


@ONE_ENGINE
def test_the_second_of_two_does_not_pull_the_first_down(intake, tmp_path):
    file = written(tmp_path, "a.ndjson", a_place("camp"), a_place("camp", parent="nowhere"))
    report = load(intake, tmp_path, file, keep_good=True)
    assert [fault.line for fault in report.faults] == [2] and report.created == 1


@ONE_ENGINE
def test_a_record_stands_once_in_all_files_of_a_load(intake, tmp_path):
    first, second = (written(tmp_path, name, a_place("camp")) for name in ("a.ndjson", "b.json"))
    report = load(intake, tmp_path, first, second)
    assert report.faults == [Fault("b.json", 1, "id", "stands twice in this load (first in a.ndjson, line 1)")]


@ONE_ENGINE
def test_a_record_of_somebody_else_is_refused(intake, tmp_path):
    submit(intake, a_place("camp"), owner="other-body")
    report = load(intake, tmp_path, written(tmp_path, "a.ndjson", a_place("camp")))
    assert report.faults == [Fault("a.ndjson", 1, "id", "belongs to a record of another kind or owner")]


@ONE_ENGINE
@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.json", b"{}", "is no JSON array of records"),
        (
            "a.json",
            b'[{"id": "a"}, {"id": "b", "id": "c"}]',
            f"record 2 {TWICE}",
        ),
        ("a.json", b"[1,", "is no JSON: line 1, column 4"),
        ("a.csv", b"", "is of no known form: .json (one array), .ndjson or .jsonl (one record a line)"),
        ("a.ndjson", None, "cannot be opened: No such file or directory"),
    ],
)
def test_a_file_that_is_none_is_reported(intake, tmp_path, name, text, reason):
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text)
    report = load(intake, tmp_path, path)
    assert report.faults == [Fault(name, 0, "", reason)] and not report.applied


@ONE_ENGINE
def test_a_line_too_long_for_a_record_is_reported_and_the_next_is_read(intake, tmp_path, monkeypatch):
    monkeypatch.setattr("app.intake.reading.MOST_LINE_BYTES", 1_000)
    file = written(tmp_path, "a.ndjson", a_place("a"), a_place("b", note={"en": "x" * 2_500}), a_place("c"))
    report = load(intake, tmp_path, file, keep_good=True)
    assert report.faults == [Fault("a.ndjson", 2, "", "is too long for one record")] and report.created == 2


@ONE_ENGINE
def test_an_empty_file_is_a_load_of_nothing(intake, tmp_path):
    report = load(intake, tmp_path, written(tmp_path, "a.ndjson"), written(tmp_path, "b.json"))
    assert (report.faults, report.created, report.applied) == ([], 0, True)


@ONE_ENGINE
def test_nothing_stays_in_the_folder(intake, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    Load(intake, home, OWNER).run([written(tmp_path, "a.ndjson", a_place("a"))])
    assert list(home.iterdir()) == []


# --- the built-in record ---


@ONE_ENGINE
def test_the_built_in_record_loaded_twice_is_there_once_and_stays_retracted(intake, database, writer, tmp_path):
    assert load_builtin(intake, tmp_path).created == RECORD_SIZE
    cited = "src-004"  # the report that most of it rests on
    assert retract(writer, cited, PUBLIC_RECORD, "a test")
    before, leaves = catalogue(database), count(database, LEAF)
    report = load_builtin(intake, tmp_path)
    assert (report.created, report.revised, report.unchanged) == (0, 0, RECORD_SIZE)
    assert catalogue(database) == before and count(database, LEAF) == leaves
    assert seen_by(database, cited) == [] and revisions(database, cited) == [(1, "submitted"), (2, "retracted")]


@ONE_ENGINE
def test_a_first_run_cut_short_is_completed_though_something_was_retracted_since(
    intake, database, writer, tmp_path, monkeypatch
):
    folder = tmp_path / "record"
    folder.mkdir()
    monkeypatch.setattr("app.intake.builtin.FOLDER", folder)
    (folder / "place.json").write_text(json.dumps([a_place("a"), a_place("b", parent="a"), a_place("c")]))
    assert load_builtin(intake, tmp_path).created == 3
    retract(writer, "a", PUBLIC_RECORD, "a test")
    more = [a_place("d"), a_place("e", parent="a")]
    (folder / "place.json").write_text(json.dumps([a_place("a"), a_place("b", parent="a"), a_place("c"), *more]))
    report = load_builtin(intake, tmp_path)
    assert report.created == 1 and [fault.line for fault in report.faults] == [5]
    assert [seen_by(database, id) != [] for id in "abcde"] == [False, True, True, True, False]


@ONE_ENGINE
@pytest.mark.parametrize("backwards", [False, True])
def test_where_a_load_is_cut_into_transactions_leaves_no_trace(deploy, tmp_path, backwards):
    between = [[a_testimony(fixed("tst", f"{name}{n}")) for n in range(20)] for name in ("first", "second")]
    tied = [a_testimony(T1, same_witness=[T2, T3]), *between[0], a_testimony(T2), *between[1], a_testimony(T3)]
    if backwards:
        tied[-1]["same_witness"] = [T2]
        tied[21]["same_witness"] = [T1]
    path = written(tmp_path, "a.ndjson", a_source(), *tied)
    histories = []
    for size in (1, 100):
        one = deploy()
        run = Load(one.intake, one.settings.home, OWNER)
        run._size = size
        run.run([path])
        histories.append([history(one.database, PUBLIC, id) for id in (T1, T2, T3)])
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"]}, [["c"], ["b"], ["a"]]),
        ({"a": ["b"], "b": ["a"], "c": ["a"]}, [["a", "b"], ["c"]]),
        ({"a": ["b"], "b": ["c"], "c": ["a", "d"], "e": ["e"]}, [["d"], ["a", "b", "c"], ["e"]]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["b"]}, [["b", "d"], ["c"], ["a"]]),
    ],
)
def test_what_is_named_comes_first_and_what_names_one_another_together(named, found):
    assert knots(named) == found


def test_a_long_chain_is_no_deep_call():
    many = 50_000
    assert knots({str(n): [str(n + 1)] for n in range(many)}) == [[str(n)] for n in range(many, -1, -1)]
