"""Scratch folders go away after use, also those of a process that was killed, and never those in use."""

import fcntl
import signal
import subprocess
import sys

import pytest

from app.core import scratch as module
from app.core.scratch import scratch

KILLED = """
import os, signal, sys
from pathlib import Path
from app.core.scratch import scratch
with scratch(Path(sys.argv[1])) as folder:
    (folder / "secret").write_text("secret")
    print(folder.name, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_goes_away_with_all_that_is_in_it(tmp_path):
    with scratch(tmp_path) as folder:
        assert folder.parent == tmp_path
        assert [one.name for one in folder.iterdir()] == ["lock"]
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_text("content")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_goes_away_when_its_user_fails(tmp_path):
    with pytest.raises(RuntimeError, match="failed"), scratch(tmp_path):
        raise RuntimeError("failed")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_by_the_next(tmp_path):
    (tmp_path / "other").mkdir()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL
    left = tmp_path / killed.stdout.strip()
    assert (left / "secret").read_text() == "secret"
    with scratch(tmp_path) as folder:
        assert {one.name for one in tmp_path.iterdir()} == {"other", folder.name}
    assert [one.name for one in tmp_path.iterdir()] == ["other"]


def test_a_folder_in_use_is_kept(tmp_path):
    with scratch(tmp_path) as first:
        (first / "file").write_text("content")
        with scratch(tmp_path) as second:
            assert {one.name for one in tmp_path.iterdir()} == {first.name, second.name}
        assert (first / "file").read_text() == "content"


def test_a_folder_being_made_is_not_lost_to_another_sweep(tmp_path, monkeypatch):
    """Another process may sweep between the making of the lock's file and its locking."""
    flock = fcntl.flock
    swept: list[int] = []

    def late(file, how):
        if how == fcntl.LOCK_EX and not swept:
            swept.append(how)
            module.sweep(tmp_path)
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with scratch(tmp_path) as folder:
        assert swept == [fcntl.LOCK_EX]
        assert [one.name for one in tmp_path.iterdir()] == [folder.name]
        assert [one.name for one in folder.iterdir()] == ["lock"]
    assert list(tmp_path.iterdir()) == []
