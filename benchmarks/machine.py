"""The machine that measured: what a reader has to know to compare."""

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

try:
    import pysqlite3 as sqlite
except ImportError:
    import sqlite3 as sqlite

_PACKAGES = ("uvicorn", "uvloop", "httptools", "starlette", "fastapi", "sqlalchemy", "orjson")


def describe() -> dict[str, str]:
    """Return the machine and the versions of what ran on it, by name."""
    processor = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = psutil.virtual_memory().total / 2**30
    described = {
        "Processor": f"{os.cpu_count()} cores, {processor[1] if processor else platform.machine()}",
        "Memory": f"{memory:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}, {_distribution()}",
        "Python": f"{sys.version.split()[0]}, SQLite {sqlite.sqlite_version}",
        "Packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }
    if (loader := shutil.which("wrk")) is not None:
        said = subprocess.run((loader, "-v"), capture_output=True, text=True).stdout
        described["Load"] = " ".join(said.split()[:2])
    described["Busy before it began"] = f"{os.getloadavg()[0]:.2f} (load average of a minute)"
    return described


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "unknown distribution"
