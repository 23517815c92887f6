"""DuckDB, shut in: in memory, with no file, network or extension, one thread and so much memory."""

from typing import Any

MEMORY = "512MB"  # more fails, for nothing is put on a disk
_SHUT: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
    "threads": 1,
    "memory_limit": MEMORY,
}


def shut_in() -> Any:
    """Return a connection to an empty database in memory, which can reach nothing else.

    Raises:
        ImportError: it is not installed: it comes with the extra `duplicates`.
    """
    import duckdb

    return duckdb.connect(":memory:", config=_SHUT)
