"""SQLite's write-ahead log, brought into the file beside a writer that has many transactions in a row."""

import threading
from collections.abc import Callable
from typing import Any

EVERY = 8  # transactions
PASSES = 3


class Checkpoints:
    """A thread that copies what is committed, so that the writer need not stop for it.

    The log begins anew only where all of it is copied and nobody reads from it: `rest` sees to the first.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        """Start; `connect` opens the file, for use by several threads in turn."""
        self._connection = connect()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._committed = 0
        self._thread = threading.Thread(target=self._run, daemon=True, name="checkpoint")
        self._thread.start()

    def committed(self) -> None:
        """Count one transaction more."""
        self._committed += 1
        if self._committed % EVERY == 0:
            self._wake.set()

    def rest(self) -> None:
        """Copy all that is left: worth while when nobody else is at work."""
        for _ in range(PASSES):
            if self._copy():
                break

    def end(self) -> None:
        """Copy all that is left, and end the thread."""
        self._ended = True
        self._wake.set()
        self._thread.join()
        try:
            self.rest()
        finally:
            self._connection.close()

    def _copy(self) -> bool:
        """Copy what is committed, and have it on disk; tell whether that is all."""
        with self._lock:
            busy, there, copied = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and there == copied

    def _run(self) -> None:
        while self._wake.wait() and not self._ended:
            self._wake.clear()
            self._copy()
