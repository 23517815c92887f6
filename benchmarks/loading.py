"""How long it takes to load and to rebuild, through the command, and the memory that it takes."""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks import corpus
from benchmarks.ours import environment, evidence
from benchmarks.server import Failed, private_bytes

_EVERY = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True)
class Loading:
    """One use of the command: how many incidents, seconds, and the most private memory of it with all its workers."""

    name: str
    incidents: int
    seconds: float
    private: int
    database: int


def load(name: str, home: Path, files: Sequence[Path], incidents: int, before: int = 0, bulk: bool = False) -> Loading:
    """Load files into a data folder that holds `before` incidents, with `evidence load`."""
    words = ["load", *(str(path.absolute()) for path in files), "--owner", corpus.OWNER]
    return _run(name, home, [*words, *(["--bulk"] if bulk else [])], incidents, before + incidents)


def rebuild(name: str, home: Path, incidents: int) -> Loading:
    """Make the catalogue anew with `evidence rebuild`."""
    return _run(name, home, ["rebuild"], incidents, incidents)


def copy(home: Path, to: Path) -> None:
    """Copy a data folder that nobody uses."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to)


def size(home: Path) -> int:
    """Return the bytes of the databases in a data folder."""
    return sum(path.stat().st_size for path in home.glob("*.db*"))


def _run(name: str, home: Path, words: Sequence[str], incidents: int, wanted: int) -> Loading:
    home.mkdir(parents=True, exist_ok=True)
    log = home.with_suffix(".log")
    begun, most = time.monotonic(), 0
    with log.open("wb") as printed:
        process = subprocess.Popen(
            evidence(*words), env=os.environ | environment(home), stdout=printed, stderr=subprocess.STDOUT
        )
        while process.poll() is None:
            most = max(most, private_bytes(process.pid))
            time.sleep(_EVERY)
    taken = time.monotonic() - begun
    if process.returncode:
        raise Failed(f"evidence {' '.join(words)}: {log.read_text(errors='replace')[-2_000:]}")
    if (shown := _shown(home)) != wanted:  # it would be fast at doing nothing
        raise Failed(f"evidence {' '.join(words)}: the public is shown {shown} incidents, not {wanted}")
    return Loading(name, incidents, taken, most, size(home))


def _shown(home: Path) -> int:
    """Return how many incidents the public view has."""
    path = home / "evidence.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM row WHERE view = 0 AND kind = 'incident'").fetchone()
    return int(count)
