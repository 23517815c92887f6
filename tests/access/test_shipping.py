"""Shipping: lines are in the database within seconds, once, also those of a process that was killed."""

import os
import signal
import subprocess
import sys
import time
import urllib.request

from starlette.testclient import TestClient

from app.access.shipping import month_of
from app.access.tables import AUDIT_ENTRY, AUDIT_READ
from app.access.verify import verify
from app.core import moments
from app.main import create_app
from tests.access.conftest import OPEN, PARTNER, PARTNERS, close, lines_in, ship
from tests.cluster import free_port
from tests.conftest import environment
from tests.intake.house import ONE_ENGINE, rows_of


class TestShipping:
    def test_anonymous_leaves_nothing_to_ship(self, own):
        own.sees()
        assert ship(own) == []
        assert [line for line in rows_of(own.database, AUDIT_ENTRY) if line[1] != "acts"] == []

    def test_lines_are_in_the_database_within_five_seconds(self, own, monkeypatch):
        key = own.key(PARTNER)
        monkeypatch.undo()
        with TestClient(create_app(own.settings)) as client:
            client.get("/v1/testimonies", headers={"Authorization": f"Bearer {key}"})
            deadline = time.monotonic() + 5
            while not rows_of(own.database, AUDIT_READ):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert sorted(row[2] for row in rows_of(own.database, AUDIT_READ)) == sorted([OPEN, PARTNERS])
        assert list((own.settings.home / "audit").iterdir()) == []  # taken over whole as the process ended

    def test_nobody_ships_for_a_process_that_lives_and_nothing_twice(self, own):
        key = own.key(PARTNER)
        own.sees(key)
        assert ship(own) == []
        assert rows_of(own.database, AUDIT_READ) == []
        close(own)
        assert ship(own) == ship(own) == []
        assert len(rows_of(own.database, AUDIT_READ)) == 2
        own.sees(key)
        close(own)
        assert ship(own) == []
        assert sorted(row[8] for row in rows_of(own.database, AUDIT_READ)) == [2, 2]

    def test_a_line_that_was_cut_short_is_of_no_answer(self, own):
        own.sees(own.key(PARTNER))
        close(own)
        (path,) = (own.settings.home / "audit").iterdir()
        with path.open("ab") as file:
            file.write(b'{"seq":1,"at":5')
        assert ship(own) == []
        assert verify(own.database, own.settings.home / "audit").faults == []
        assert len(rows_of(own.database, AUDIT_READ)) == 2 and not path.exists()

    def test_a_file_that_was_changed_is_set_aside_and_told_of(self, own):
        key = own.key(PARTNER)
        own.sees(key)
        own.sees(key)
        close(own)
        (path,) = (own.settings.home / "audit").iterdir()
        path.write_bytes(path.read_bytes().replace(b'"seq":1', b'"seq":2'))
        assert ship(own) == ["broken spool"]
        assert [one.suffix for one in (own.settings.home / "audit").iterdir()] == [".broken"]
        assert len(rows_of(own.database, AUDIT_READ)) == 2  # of the line that still holds
        (fault,) = verify(own.database, own.settings.home / "audit").faults
        assert fault.endswith(".broken: a line was changed, or is missing")

    def test_a_process_that_was_killed_loses_nothing(self, own):
        """The service is killed with -9 while it answers: each answer that came has its line."""
        key, port = own.key(PARTNER), free_port()
        command = [sys.executable, "-c", KILLED]
        server = subprocess.Popen(command, env=environment(own.settings, port), stderr=subprocess.DEVNULL)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/testimonies", headers={"Authorization": f"Bearer {key}"}
        )
        answered = 0
        try:
            deadline = time.monotonic() + 30
            while answered < 40:
                try:
                    with urllib.request.urlopen(request, timeout=5) as answer:
                        assert answer.status == 200 and answer.read(1) == b"{"
                        answered += 1
                except OSError:
                    assert server.poll() is None and time.monotonic() < deadline
                    time.sleep(0.1)
        finally:
            os.kill(server.pid, signal.SIGKILL)
            server.wait(20)
        assert len(lines_in(own.settings.home / "audit")) == 40
        assert verify(own.database, own.settings.home / "audit").waiting == 40
        assert ship(own) == []
        assert [row[8] for row in rows_of(own.database, AUDIT_READ)] == [40, 40]
        found = verify(own.database, own.settings.home / "audit")
        assert (found.faults, found.waiting, found.entries) == ([], 0, 42)


KILLED = """
import app.access.shipping as shipping
shipping.SECONDS = 600  # nothing is shipped before it is killed
from app.cli import main
import sys
sys.argv = ["evidence", "serve"]
main()
"""


@ONE_ENGINE
def test_a_month_begins_on_its_first_day(engine):
    assert moments.iso(month_of(1_700_000_000_000)) == "2023-11-01T00:00:00.000Z"
