"""Where a benchmark keeps its files: made once, and used again by the next run."""

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import generate, loading
from benchmarks.loading import Loading

MORE = 100_000  # incidents that are loaded into an empty database, and into one that holds all others
BULK_FROM = 20_000  # below, the ordinary load is faster than starting workers


class Workspace:
    """The files of a benchmark of one size."""

    def __init__(self, home: Path, n: int) -> None:
        """Work in a folder, with n incidents."""
        self.home = home
        self.n = n
        self.folder = home / str(n)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs = self.folder / "logs"
        self.database = self.folder / "peers.db"
        self.ours = self.folder / "ours"
        self._vocabulary = self.folder / "vocabulary.ndjson"
        self._incidents = self.folder / "incidents.ndjson"
        self._results = self.folder / "results.json"

    def generate(self) -> None:
        """Write what is not there yet."""
        if not self._vocabulary.exists():
            generate.write_vocabulary(self._vocabulary)
        if not self._incidents.exists():
            generate.write_incidents(self._incidents, 0, self.n)
        if not self.database.exists():
            generate.write_database(self.database, self.n)

    def load(self) -> None:
        """Load the service's database, unless that has been done."""
        if not (self.ours / "loaded").exists():
            self._load_all(self.n >= BULK_FROM)

    def forget(self) -> None:
        """Remove the service's database: its next use loads it anew."""
        shutil.rmtree(self.ours, ignore_errors=True)

    def measure_loading(self) -> list[Loading]:
        """Load and rebuild in every way that has a promise; afterwards the service's database is loaded."""
        more, count = self.folder / "more.ndjson", min(MORE, self.n)
        generate.write_incidents(more, self.n, count)
        scratch = self.folder / "scratch"
        measured = [self._into_empty(scratch, [more], count)]
        measured.append(self._load_all(bulk=True))
        measured.append(loading.rebuild("`evidence rebuild`", self.ours, self.n))
        loading.copy(self.ours, scratch)
        measured.append(loading.load(f"`evidence load` into {self.n:,}", scratch, [more], count, self.n))
        shutil.rmtree(scratch)
        return measured

    def results(self) -> dict[str, Any]:
        """Return what was measured so far."""
        found: dict[str, Any] = json.loads(self._results.read_text()) if self._results.exists() else {}
        return found

    def keep(self, **measured: Any) -> dict[str, Any]:
        """Add to what was measured, and return all of it."""
        results = self.results() | measured
        self._results.write_text(json.dumps(results, indent=1))
        return results

    def _into_empty(self, home: Path, files: Sequence[Path], count: int) -> Loading:
        shutil.rmtree(home, ignore_errors=True)
        return loading.load("`evidence load` into an empty database", home, [self._vocabulary, *files], count)

    def _load_all(self, bulk: bool) -> Loading:
        self.forget()
        loading.load("vocabulary", self.ours, [self._vocabulary], 0)
        name = f"`evidence load{' --bulk' if bulk else ''}` into an empty database"
        loaded = loading.load(name, self.ours, [self._incidents], self.n, bulk=bulk)
        (self.ours / "loaded").touch()
        return loaded


def plain(values: Iterable[Any]) -> list[dict[str, Any]]:
    """Return dataclasses as JSON has them."""
    return [asdict(value) for value in values]
