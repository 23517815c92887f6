"""Load from outside: `wrk -t2 -c32`, going round a list of requests."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.server import Failed
from benchmarks.system import Request

_SCRIPT = Path(__file__).with_name("wrk.lua")
THREADS, CONNECTIONS = 2, 32


class Load(NamedTuple):
    """What one run of wrk saw: requests a second, milliseconds, bytes of an answer."""

    rate: float
    p50: float
    p99: float
    size: int
    failed: int


class Missing(Exception):
    """wrk is not on this machine."""


def program() -> str:
    """Return where wrk is.

    Raises:
        Missing: it is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise Missing("wrk is needed: apt-get install wrk (or `python -m benchmarks --smoke`, which does without)")
    return found


def load(address: str, requests: Sequence[Request], seconds: int) -> Load:
    """Ask as fast as the server answers."""
    with TemporaryDirectory() as folder:
        asked = Path(folder) / "requests"
        asked.write_text("".join(f"{one.path}\t{one.body}\t{one.match}\n" for one in requests))
        sizes = (f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "60s")
        done = subprocess.run(
            (program(), *sizes, "-s", str(_SCRIPT), address),
            env=os.environ | {"BENCH_REQUESTS": str(asked)},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise Failed(f"wrk fails at {requests[0].path}: {done.stderr or done.stdout}")
    line = next(line for line in done.stdout.splitlines() if line.startswith("@@"))
    count, micros, size, failed, p50, p99, _ = map(int, line.split()[1:])
    return Load(count / (micros / 1e6), p50 / 1e3, p99 / 1e3, size // max(count, 1), failed)
