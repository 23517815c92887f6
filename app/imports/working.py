"""The work on one import, in a process of its own: checked, or applied as it was confirmed; killed, it begins again.

Nothing but the row and the sealed file outlives this process. What a killed one had applied is found unchanged by the
next, so nothing comes in twice; what it had not applied comes in then, so nothing is lost.
"""

import asyncio
import io
import os
import pickle
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import orjson

from app.core.collector import collect_rarely
from app.core.db import Database
from app.core.settings import Settings
from app.custody import log
from app.exchange.foreseeing import Foreseen
from app.exchange.importing import Found, Import
from app.exchange.mapping import Mapping as Sheet
from app.exchange.reporting import counts, write_copy, write_json
from app.exchange.sheets import Source
from app.exchange.sources import File, sources
from app.exchange.translating import Problem
from app.imports.keeping import Keeping, Row, folder_of, found_of, sealed, stated_of
from app.imports.sealed import Sealed, Sealing, size_of
from app.intake.much import AtOnce
from app.intake.reading import Unreadable
from app.intake.submit import Asker, Intake, Refused
from app.intake.write import Closed, Writer

NICE = 10  # whoever reads comes first
AT_ONCE = 250  # records in a transaction: a process that gives way to others must not hold the lock for long
EVERY = 1.0  # seconds between two words of how far it is
AGAIN = 75  # the status of a process that could not work now, and may later
FILE, REPORT, SHEET = "file", "report", "sheet"
_CUT = "What is kept of the file is not whole any more: hand it in again."
_CHANGED = "What views would gain is no longer what was confirmed. See the numbers of now, and confirm those."
_WAITS = "It is checked, and waits to be confirmed. Nothing was applied."
_FAULTY = "Some rows cannot be taken: the report says which and why. Nothing was applied."
_NOTHING = "No row can be taken: the report says why. Nothing was applied."
_AT_LAST = (
    "What was right when it was checked was no longer so when it was applied: the report says which record. What came "
    "in before stays. Hand the file in again."
)


class _Abandoned(Exception):
    """Whoever handed it in does not want it any more."""


def begin() -> None:
    """Work on the import that is named on the standard input; say nothing of what is in it.

    The input stays open as long as whoever started this lives: this process ends with that one.
    """
    settings, id = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the service itself, which started this
    threading.Thread(target=_follow, daemon=True).start()
    os.nice(NICE)
    collect_rarely()
    try:
        work(settings, id)
    except Closed:
        sys.exit(AGAIN)
    except Exception as error:
        sys.stderr.write(orjson.dumps({"event": "import failed", "import": id, "type": type(error).__name__}).decode())
        sys.stderr.write("\n")
        sys.exit(1)


def _follow() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def work(settings: Settings, id: str) -> None:
    """Work on an import: check it, or apply it as it was confirmed.

    Raises:
        Closed: the catalogue is being made anew.
    """
    database = Database.main(settings)
    try:
        writer = Writer.open(settings, database)
        try:
            _Work(settings, writer, id).run()
        except _Abandoned:
            pass
        finally:
            asyncio.run(writer.vault.keys.close())
    finally:
        asyncio.run(database.close())


class _Work:
    """The work on one import."""

    def __init__(self, settings: Settings, writer: Writer, id: str) -> None:
        self._settings, self._writer, self._id = settings, writer, id
        self._keeping = Keeping(writer.database, settings.home, settings.import_days)
        self._folder = folder_of(settings.home, id)
        self._row: Row = self._keeping.find(id) or {}
        self._key = writer.vault.keys.get([id]).get(id, b"")
        self._told = 0.0
        self._applies = self._row.get("state") in ("confirmed", "applying")
        self._log_size = -1

    def run(self) -> None:
        if not self._row or not self._key:
            return
        if self._row["state"] == "received":
            self._move(("received",), state="checking")
        if size_of(self._folder / FILE) != self._row["size"]:
            self._move(("checking", "confirmed", "applying"), state="failed", reason=_CUT)
            return
        stated = stated_of(self._key, self._row)
        file = File(stated.name, self._row["size"] or 0, self._open)
        before = found_of(self._key, self._row)
        load = Import(
            Intake(self._writer),
            self._settings.home,
            self._row["owner"],
            mapping := Sheet.model_validate(stated.mapping),
            self._progress,
            self._decide,
            Asker(self._row["owner"], self._row["views"]),
            self._known(before),
        )
        sheets: list[Source] = []
        refused: Refused | None = None
        try:
            sheets = sources(file, mapping)
            found = load.bring(sheets, stated.keep_good, AtOnce(self._settings, closed=False, size=AT_ONCE))
        except Unreadable as error:
            found = Found([[Problem(0, "", "", str(error))]], 1, [[]])
            sheets = [Source(file.name, file.name, file.size, _nothing)]
        except Refused as error:
            found, refused = load.found, error
            found.report = load.report
        self._end(stated.name, found, sheets, before, refused)

    # --- while it goes on ---

    def _open(self) -> IO[bytes]:
        return io.BufferedReader(Sealed(self._folder / FILE, self._key, f"{self._id}/{FILE}"), 65_536)

    def _move(self, states: tuple[str, ...], **values: Any) -> None:
        if not self._keeping.move(self._id, states, **values):
            raise _Abandoned

    def _progress(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told >= EVERY:
            self._told = now
            if not self._keeping.progress(self._id, what.partition(" ")[0], done, total):
                raise _Abandoned

    def _size_of_log(self) -> int:
        return self._writer.database.look(log.size)

    def _known(self, before: Row) -> Foreseen | None:
        """Return what was foreseen when it was checked, if nobody has written since and it is applied now."""
        if self._row["state"] != "confirmed" or self._row["log_size"] != self._size_of_log():
            return None
        told = before["foreseen"]
        own = frozenset(one["view"] for one in told["gains"] if one["own"])
        gains = {one["view"]: one["records"] for one in told["gains"]}
        return Foreseen(told["created"], told["revised"], told["unchanged"], gains, own)

    def _decide(self, foreseen: Foreseen) -> str:
        if not self._applies:
            self._log_size = self._size_of_log()
            return _WAITS if foreseen.created + foreseen.revised + foreseen.unchanged else _NOTHING
        confirmed: Mapping[str, int] = orjson.loads(self._row["confirmed"])
        now = foreseen.to_confirm()
        if self._row["state"] == "applying":  # some of it is in already: the rest may be no more than was confirmed
            fits = all(n <= confirmed.get(view, 0) for view, n in now.items())
        else:
            fits = now == confirmed
        if not fits:
            self._log_size = self._size_of_log()
            return _CHANGED
        self._move(("confirmed", "applying"), state="applying")
        return ""

    # --- at its end ---

    def _end(self, name: str, found: Found, sheets: list[Source], before: Row, refused: Refused | None) -> None:
        told = summary_for(found)
        state, reason = self._outcome(found, refused)
        if self._row["state"] == "applying" and found.report.applied and before.get("foreseen"):
            # What an attempt before this one applied was unchanged by now, and is still what this import did.
            told |= {one: before["foreseen"][one] for one in ("created", "revised", "unchanged")}
        if state in ("done", "failed"):
            told["foreseen"] = before.get("foreseen") or told["foreseen"]
        if found.count or any(found.warnings):
            told["copy"] = "xlsx" if name.lower().endswith(".xlsx") else "csv"
            with _writing(self._folder / SHEET, self._key, f"{self._id}/{SHEET}") as copy:
                write_copy(copy, found, sheets, workbook=told["copy"] == "xlsx")
        with _writing(self._folder / REPORT, self._key, f"{self._id}/{REPORT}") as report:
            write_json(report, found, sheets)
        if state != "ready":
            (self._folder / FILE).unlink(missing_ok=True)
        self._move(
            ("checking", "confirmed", "applying"),
            state=state,
            reason=reason or None,
            found=sealed(self._key, self._id, told),
            log_size=self._log_size if state == "ready" else None,
            phase=None,
            attempts=0,
        )

    def _outcome(self, found: Found, refused: Refused | None) -> tuple[str, str]:
        if refused is not None:
            return "failed", _AT_LAST
        if found.report.applied:
            return "done", ""
        if found.foreseen is None:
            return "refused", _FAULTY
        told = found.foreseen
        if not told.created + told.revised + told.unchanged:
            return "refused", _NOTHING
        return "ready", _CHANGED if found.refused == _CHANGED else ""


def _nothing() -> Any:
    raise Unreadable("cannot be read")


def summary_for(found: Found) -> Row:
    """Return what came of an import, as far as its organisation is told: of views of others nothing."""
    return counts(found) | {"warnings": sum(map(len, found.warnings)), "copy": None}


class _writing:
    """A sealed file that is written anew, as a context."""

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        self._path, self._new = path, path.with_suffix(".new")
        self._file = Sealing(self._new, key, name, anew=True)

    def __enter__(self) -> Any:
        return self._file

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            self._file.settle()
            self._new.replace(self._path)  # whoever is just reading the one before reads on
        self._file.close()
