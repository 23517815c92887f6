"""A load killed at any moment and run again ends with exactly what one has that was not."""

import signal
import subprocess
import sys

import pytest
from sqlalchemy import select

from app.catalogue.tables import VIEW
from app.intake import much, rebuild
from app.intake.much import AtOnce
from app.intake.rebuild import complete
from app.intake.write import Closed
from app.vault.tables import RECORD
from tests.intake import inline
from tests.intake.deployment import same, values, written
from tests.intake.house import a_place, count, rows_of, submit

TOTAL = len(values())


def kill(one, path, *how):
    """Load in a process that kills itself; return how many records are there then."""
    command = [
        sys.executable,
        "-m",
        "tests.intake.killed",
        one.settings.database_url,
        str(one.settings.home),
        str(path),
    ]
    done = subprocess.run([*command, *how], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    return count(one.database, RECORD)


def test_an_ordinary_load_in_the_middle_of_a_transaction(deploy, tmp_path):
    path = written(tmp_path, values())
    whole, cut = deploy(), deploy()
    whole.load(path)
    there = kill(cut, path, "ordinary", "within", "9")
    assert 0 < there < TOTAL
    report = cut.load(path)
    assert (report.faults, report.created, report.revised, report.unchanged) == ([], TOTAL - there, 0, there)
    same(whole, cut)
    assert [one.name for one in cut.settings.home.iterdir() if one.is_dir()] == []


@pytest.mark.parametrize(
    ("engine", "where", "number"), [("sqlite", "within", 5), ("postgresql", "after", 2)], indirect=["engine"]
)
def test_a_closed_load_between_rows_and_postings_or_amid_postings(deploy, tmp_path, monkeypatch, where, number):
    monkeypatch.setattr(much, "workers", inline.workers)
    monkeypatch.setattr(rebuild, "workers", inline.workers)
    path = written(tmp_path, values())
    whole, cut = deploy(), deploy()
    whole.load(path)
    there = kill(cut, path, "closed", where, str(number))
    assert 0 < there <= TOTAL
    states = cut.database.look(lambda connection: set(connection.scalars(select(VIEW.c.state))))
    assert states == {"building"}
    with pytest.raises(Closed):
        submit(cut.intake, a_place("new"))
    assert complete(cut.writer, cut.settings) and not complete(cut.writer, cut.settings)
    report = cut.load(path, AtOnce(cut.settings, closed=True))
    assert (report.faults, report.created, report.unchanged) == ([], TOTAL - there, there)
    same(whole, cut)
    assert rows_of(cut.database, VIEW) == rows_of(whole.database, VIEW)
