"""How long it takes to load and to rebuild, through the command, and the memory that it takes."""

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from benchmarks import corpus
from benchmarks.ours import Store, evidence
from benchmarks.postgresql import KEYS, OURS, renew, settle
from benchmarks.server import Failed, private_bytes

_EVERY = 0.1  # seconds between two looks at the memory
_SHOWN = "SELECT count(*) FROM row WHERE view = 0 AND kind = 'incident'"


@dataclass(frozen=True)
class Loading:
    """One use of the command: how many incidents, seconds, and the most private memory of it with all its workers.

    Attributes:
        processor: seconds, of all its processes together.
    """

    name: str
    incidents: int
    seconds: float
    private: int
    database: int
    processor: float = 0.0


def load(
    name: str, store: Store, files: Sequence[Path], incidents: int, before: int = 0, bulk: bool = False
) -> Loading:
    """Load files into a store that holds `before` incidents, with `evidence load`."""
    words = ["load", *(str(path.absolute()) for path in files), "--owner", corpus.OWNER]
    return _run(name, store, [*words, *(["--bulk"] if bulk else [])], incidents, before + incidents)


def rebuild(name: str, store: Store, incidents: int) -> Loading:
    """Make the catalogue anew with `evidence rebuild`."""
    return _run(name, store, ["rebuild"], incidents, incidents)


def copy(home: Path, to: Path) -> None:
    """Copy a data folder that nobody uses."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to)


def forget(store: Store) -> None:
    """Remove everything that a store holds."""
    shutil.rmtree(store.home, ignore_errors=True)
    if store.cluster is not None:
        asyncio.run(renew(store.cluster, (OURS, KEYS)))


def _run(name: str, store: Store, words: Sequence[str], incidents: int, wanted: int) -> Loading:
    store.home.mkdir(parents=True, exist_ok=True)
    log = store.home.with_suffix(".log")
    begun, worked, most = time.monotonic(), _worked(), 0
    with log.open("wb") as printed:
        process = subprocess.Popen(
            evidence(*words), env=os.environ | store.environment(), stdout=printed, stderr=subprocess.STDOUT
        )
        while process.poll() is None:
            most = max(most, private_bytes(process.pid))
            time.sleep(_EVERY)
    taken, processor = time.monotonic() - begun, _worked() - worked
    if process.returncode:
        raise Failed(f"evidence {' '.join(words)}: {log.read_text(errors='replace')[-2_000:]}")
    if store.cluster is not None:
        asyncio.run(settle(store.cluster.database(OURS)))
    shown, size = _held(store)
    if shown != wanted:  # it would be fast at doing nothing
        raise Failed(f"evidence {' '.join(words)}: the public is shown {shown} incidents, not {wanted}")
    return Loading(name, incidents, taken, most, size, processor)


def _worked() -> float:
    """Return the seconds of the processor that all processes took which this one started and saw the end of."""
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken.ru_utime + taken.ru_stime


def _held(store: Store) -> tuple[int, int]:
    """Return how many incidents the public view has, and the bytes of the databases."""
    if store.cluster is not None:
        return asyncio.run(_held_by_server(store.cluster.database(OURS)))
    with closing(sqlite3.connect(f"file:{store.home / 'evidence.db'}?mode=ro", uri=True)) as database:
        (count,) = database.execute(_SHOWN).fetchone()
    return int(count), sum(path.stat().st_size for path in store.home.glob("*.db*"))


async def _held_by_server(address: str) -> tuple[int, int]:
    connection = await asyncpg.connect(address)
    try:
        size = await connection.fetchval(
            f"SELECT sum(pg_database_size(name)) FROM unnest('{{{OURS},{KEYS}}}'::text[]) name"
        )
        return await connection.fetchval(_SHOWN.replace("FROM row", 'FROM "row"')), int(size)
    finally:
        await connection.close()
