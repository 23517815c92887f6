"""The verbs of the command that look at one record or change what is shown of it: what they print, and how they end."""

import asyncio
import errno
from collections.abc import Callable, Iterator

import orjson
import pytest
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from app.cli import app, main
from app.core import migrations
from app.core.db import Database
from app.core.unusable import unusable
from app.intake.submit import Intake
from app.intake.write import Writer
from tests.conftest import environment, settings_for
from tests.intake.house import I1, OWNER, T1, T2, a_source, a_testimony, an_incident, consent, submit

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(new_database, tmp_path, monkeypatch) -> Iterator[Command]:
    """A function that runs the command over two testimonies; it returns how it ended, and all that it printed."""
    settings = settings_for(new_database("sqlite"), tmp_path)
    for name, value in environment(settings, 0).items():
        if name.startswith("EVIDENCE_"):
            monkeypatch.setenv(name, value)
    database = Database.main(settings)
    migrations.upgrade(database)
    writer = Writer.open(settings, database)
    coarse = consent(public={"place": "province"}, partner={"content": "counted", "identity": "withheld"})
    submit(Intake(writer), a_source(), a_testimony(T1), a_testimony(T2, consent=coarse), an_incident(testimonies=[T1]))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(arguments))
        return done.exit_code, done.output

    yield run
    asyncio.run(writer.vault.keys.close())
    asyncio.run(database.close())


def test_explain_says_what_each_view_gets_and_why(command):
    status, said = command("explain", T2)
    assert status == 0
    views = said.split("\n\n")
    assert views[0] == f"{T2}: testimony of {OWNER}, live"
    assert [view.splitlines()[0] for view in views[1:]] == [
        "view 0, public for publication: shown",
        "view 1, partner for research: not shown",
        "view 2, mechanism for un-reporting: not shown",
    ]
    assert "  at most: content full, identity named, place province, date day" in views[1]
    assert "  not-listed: Content is allowed at the level counted, and what is listed takes summary." in views[2]
    assert "  not-named: The consent does not name mechanism: what is not named is allowed nothing." in views[3]


def test_explain_tells_of_one_view_as_json(command):
    for view in ("partner", "1"):
        status, said = command("explain", T1, "--view", view, "--json")
        found = orjson.loads(said)
        assert status == 0 and [one["view"] for one in found["views"]] == [1]
        assert found["views"][0]["as_shown"]["id"] == T1
    assert command("explain", T1, "--view", "nobody")[0] == 2


def test_object_hides_a_name_or_a_record_until_it_is_lifted(command):
    def levels() -> list[str]:
        views = orjson.loads(command("explain", T1, "--json")[1])["views"]
        return [one["as_shown"]["witness"]["form"] if one["shown"] else "hidden" for one in views]

    owned = ("--owner", OWNER, "--reason", "a test")
    assert command("object", T1, "--name-only", *owned) == (
        0,
        "Named to nobody.\n"
        "These rest on it, and their own texts stay as they are. See whether one of them says who it is:\n"
        f"  {I1}\n",
    )
    assert levels() == ["withheld"] * 3
    assert command("object", T1, "--name-only", *owned)[1].startswith("Nothing changed: it was so before.\n")
    assert command("object", T1, "--record", *owned)[1].startswith("Hidden from every view.\n")
    assert levels() == ["hidden"] * 3
    assert command("object", T1, "--lift", *owned) == (0, "Lifted.\n")
    assert levels() == ["unnamed"] * 3


@pytest.mark.parametrize(
    "arguments",
    [
        (T1,),
        (T1, "--name-only", "--record"),
        ("tst-nothing", "--record"),
        (T2, "--record"),
        (T1, "--record", "--reason", " "),
        (T1, "--record", "--owner", "other-body"),
    ],
)
def test_what_is_asked_wrongly_or_does_not_apply_changes_nothing(command, arguments):
    before = command("explain", T1, "--json")
    status, _ = command("object", "--owner", OWNER, "--reason", "a test", *arguments)
    assert status == 2
    assert command("explain", T1, "--json") == before


@pytest.mark.parametrize("verb", ["retract", "withdraw", "erase", "object"])
@pytest.mark.parametrize(
    ("reason", "said"), [("", "is empty"), (" \t", "is empty"), ("a\udcff", "is no text in UTF-8")]
)
def test_a_reason_says_something(command, verb, reason, said):
    before = command("explain", T1, "--json")
    more = ["--record"] if verb == "object" else []
    status, told = command(verb, T1, "--owner", OWNER, *more, "--reason", reason)
    assert status == 2 and f"Invalid value for '--reason': {said}" in told
    assert command("explain", T1, "--json") == before


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "other.db").write_bytes(b"not SQLite" * 1000)
    monkeypatch.setenv("EVIDENCE_DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
    monkeypatch.setattr("sys.argv", ["evidence", "rebuild"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "evidence: the database cannot be used: file is not a database\n"


def test_what_the_operator_can_mend_is_told_from_what_failed():
    full = OSError(errno.ENOSPC, "No space left on device")
    denied = PermissionError(errno.EACCES, "Permission denied", "/data/keys.db-door")
    assert unusable(full) == "the data folder: No space left on device"
    assert unusable(denied) == "/data/keys.db-door: Permission denied"
    assert unusable(BrokenPipeError(errno.EPIPE, "Broken pipe")) is None
    said = {
        text: unusable(OperationalError("", {}, Exception(text))) for text in ("disk I/O error", "no such table: a")
    }
    assert said == {"disk I/O error": "the database cannot be used: disk I/O error", "no such table: a": None}


def test_explain_of_what_is_not_there_fails(command):
    assert command("explain", "tst-nothing")[0] == 2
