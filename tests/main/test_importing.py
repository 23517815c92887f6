"""The verbs `import` and `map`: what they print, how they end, and that nothing is applied that was not confirmed."""

import asyncio

import orjson
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core import migrations
from app.core.db import Database
from app.exchange.mapping import parse
from app.intake.submit import Intake
from app.intake.write import Writer
from app.vault.tables import RECORD
from tests.conftest import environment, settings_for
from tests.exchange.house import HEADER, MAPPING, ROWS, sheet, world, written
from tests.intake.house import OWNER, count


@pytest.fixture
def command(new_database, tmp_path, monkeypatch):
    """A function that runs the command where the world of the sheets is loaded; and one that counts records."""
    settings = settings_for(new_database("sqlite"), tmp_path)
    for name, value in environment(settings, 0).items():
        if name.startswith("EVIDENCE_"):
            monkeypatch.setenv(name, value)
    database = Database.main(settings)
    migrations.upgrade(database)
    writer = Writer.open(settings, database)
    world(Intake(writer))
    mapping = written(tmp_path, "mapping.yaml", MAPPING)

    def run(path, *arguments):
        done = CliRunner().invoke(
            app, ["import", str(path), "--mapping", str(mapping), "--owner", OWNER, *map(str, arguments)]
        )
        return done.exit_code, done.output

    yield run, lambda: count(database, RECORD)
    asyncio.run(writer.vault.keys.close())
    asyncio.run(database.close())


def test_nothing_is_applied_that_views_would_gain_and_nobody_confirmed(command, tmp_path):
    run, records = command
    before = records()
    path = written(tmp_path, "a.csv", sheet(*ROWS))
    status, said = run(path, "--dry-run")
    assert status == 0 and records() == before
    assert "3 rows: 5 new, 0 revised, 0 unchanged records." in said
    assert "View public would gain 5 records.\nView partner would gain 4 records." in said
    assert "To apply it: --confirm-views public=5,partner=4,mechanism=4" in said
    for numbers in ((), ("--confirm-views", "public=5"), ("--confirm-views", "public=5,partner=4,mechanism=5")):
        status, said = run(path, *numbers)
        assert status == 1 and "Nothing was applied: " in said and records() == before
    status, said = run(path, "--confirm-views", "public=5,partner=4,mechanism=4")
    assert status == 0 and "5 created, 0 revised, 0 unchanged." in said
    status, said = run(path)  # again: no view gains anything, so there is nothing to confirm
    assert status == 0 and "0 created, 0 revised, 4 unchanged." in said


def test_problems_are_printed_without_what_stands_in_the_cells_and_written_to_a_report(command, tmp_path):
    run, records = command
    before = records()
    secret = "SECRET-WORD"
    path = written(tmp_path, "a.csv", sheet(ROWS[1], f"7,{secret},{secret},{secret},camp,,,TEST/1,,,,,,"))
    report = tmp_path / "report.json"
    status, said = run(path, "--report", report)
    assert status == 1 and records() == before
    assert "a.csv, row 3: Act is no word of the table acts" in said and secret not in said
    assert "Nothing was applied: 2 problems." in said
    assert [one["value"] for one in orjson.loads(report.read_bytes())["entries"]] == [secret, secret]
    assert not list(tmp_path.glob("scratch-*"))


def test_numbers_that_nobody_confirmed_are_the_reason_even_where_rows_are_wrong(command, tmp_path):
    run, records = command
    before = records()
    path = written(tmp_path, "a.csv", sheet(ROWS[1], "7,2003,A,Tortur,camp,,,TEST/1,,,,,,"))
    for numbers, reason in (
        ((), "views would gain records"),
        (("--confirm-views", "public=9"), "the numbers confirmed"),
    ):
        status, said = run(path, "--keep-good", *numbers)
        assert status == 1 and records() == before
        (last,) = [line for line in said.splitlines() if line.startswith("Nothing was applied: ")]
        assert last.startswith(f"Nothing was applied: {reason}") and last.endswith("; 1 problem would be left out.")


def test_what_was_done_is_told_where_the_report_cannot_be_written(command, tmp_path):
    run, records = command
    before, path = records(), written(tmp_path, "a.csv", sheet(*ROWS))
    confirmed = ("--confirm-views", "public=5,partner=4,mechanism=4")
    status, said = run(path, *confirmed, "--report", tmp_path / "nowhere" / "a.json")
    assert status == 2 and "is to lie in a folder that is not there" in said and records() == before
    (tmp_path / "a.json").mkdir()
    status, said = run(path, *confirmed, "--report", tmp_path / "a.json")
    assert status == 2 and records() == before + 5
    assert "5 created, 0 revised, 0 unchanged.\n" in said and said.endswith(
        "a.json: cannot be written (Is a directory)\n"
    )


def test_a_copy_of_the_sheet_keeps_its_empty_rows(command, tmp_path):
    report = tmp_path / "report.csv"
    path = written(tmp_path, "a.csv", sheet(ROWS[1], "," * 13, "7,2003,A,Tortur,camp,,,TEST/1,,,,,,"))
    assert command[0](path, "--report", report)[0] == 1
    rows = report.read_text(encoding="utf-8-sig").splitlines()
    assert (len(rows), rows[2].strip(",")) == (4, "") and rows[3].endswith("table acts (nearest: Torture)")


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        # One that is called so goes before one that is called nearly so, wherever it stands.
        ("No,Template,Violation,Violations,Place", {"violations": "Violation", "places": "Place"}),
        ("No,Interaction,Latitude,Summary (EN)", {"summary.public.en": "Summary (EN)"}),
        ("No,Violatons,제목", {"violations": "Violatons", "title.public.ko": "제목"}),
    ],
)
def test_a_draft_takes_a_column_by_its_name(tmp_path, header, fields):
    path = written(tmp_path, "a.csv", f"{header}\n")
    drafted = parse(CliRunner().invoke(app, ["map", str(path)]).stdout.encode())
    found = {path: value.column for path, value in drafted.records[0].fields.items()}
    assert found == fields


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--confirm-views", "public"), "must be views with numbers"),
        (("--report", "x.pdf"), "must end with .json, .csv or .xlsx"),
        (("--mapping", "nothing.yaml"), "cannot be opened"),
    ],
)
def test_wrong_usage_is_told(command, tmp_path, arguments, message):
    status, said = command[0](written(tmp_path, "a.csv", sheet(*ROWS)), *arguments)
    assert status == 2 and message in said.replace("\n", " ")


def test_a_draft_is_a_mapping_that_names_every_column(tmp_path):
    path = written(tmp_path, "Our Cases 1.csv", sheet(*ROWS, header=HEADER.replace("No,", "번호,")))
    done = CliRunner().invoke(app, ["map", str(path)])
    assert done.exit_code == 0
    drafted = parse(done.stdout.encode())
    key = drafted.records[0].key
    assert drafted.name == "our-cases-1" and key is not None and key.column == "번호"
    assert {"date", "title.public.en", "places", "victims.best", "citations[].symbol"} <= set(drafted.records[0].fields)
    named = drafted.records[0].columns() | set(drafted.ignore)
    assert named == set(HEADER.replace("No,", "번호,").split(","))
