"""Where a benchmark keeps its files: made once, and used again by the next run."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import copied, generate, loading
from benchmarks.loading import Loading
from benchmarks.ours import Store
from benchmarks.postgresql import Cluster

MORE = 100_000  # incidents that are loaded into an empty database, and into one that holds all others
BULK_FROM = 20_000  # below, the ordinary load is faster than starting workers


class Workspace:
    """The files of a benchmark of one size."""

    def __init__(self, home: Path, n: int, views: int = 3) -> None:
        """Work in a folder, with n incidents that three views are shown, or the public one alone."""
        self.home = home
        self.n = n
        self.views = views
        self.folder = home / (str(n) if views == 3 else f"{n}-one-view")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs = self.folder / "logs"
        self.database = self.folder / "peers.db"
        self.postgresql = self.folder / "postgresql"
        self.postgis = self.folder / "postgis"
        self._vocabulary = self.folder / "vocabulary.ndjson"
        self._incidents = self.folder / "incidents.ndjson"
        self._corpus = self.folder / "corpus.sha256"
        self._results = self.folder / "results.json"

    def generate(self, peers: bool = True) -> None:
        """Write what is not there yet, or was made of other records: the service's files and the peers' database."""
        one_view = self.views == 1
        self._forget_other(generate.digest(one_view))
        if not self._vocabulary.exists():
            generate.write_vocabulary(self._vocabulary, one_view)
        if not self._incidents.exists() and not self._loaded(self.store()).exists():
            generate.write_incidents(self._incidents, 0, self.n, one_view)
        if peers and not self.database.exists():
            generate.write_database(self.database, self.n)

    def store(self, cluster: Cluster | None = None) -> Store:
        """Return where the service keeps its records: SQLite, or a PostgreSQL server."""
        return Store(self.folder / "ours") if cluster is None else Store(self.folder / "ours-postgresql", cluster)

    def load(self, store: Store) -> None:
        """Load the service's records, unless that has been done."""
        if not self._loaded(store).exists():
            self._load_all(store, self.n >= BULK_FROM)

    def forget(self, store: Store) -> None:
        """Remove the service's records: their next use loads them anew."""
        self._loaded(store).unlink(missing_ok=True)
        loading.forget(store)

    def measure_loading(self) -> list[Loading]:
        """Load and rebuild in every way that has a promise; afterwards SQLite is loaded."""
        more, count = self.folder / "more.ndjson", min(MORE, self.n)
        generate.write_incidents(more, self.n, count)
        scratch, store = Store(self.folder / "scratch"), self.store()
        measured = [self._into_empty(scratch, [more], count)]
        measured.append(self._load_all(store, bulk=True))
        measured.append(loading.rebuild("`evidence rebuild`", store, self.n))
        whole, catalogue = "SQLite alone, the same rows", "SQLite alone, the rows of a rebuild"
        measured.append(copied.copy(whole, store.home, self.folder / "copied.db", self.n))
        measured.append(copied.copy(catalogue, store.home, self.folder / "copied.db", self.n, copied.CATALOGUE))
        loading.copy(store.home, scratch.home)
        measured.append(loading.load(f"`evidence load` into {self.n:,}", scratch, [more], count, self.n))
        loading.forget(scratch)
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

    def _forget_other(self, corpus: str) -> None:
        """Remove what an earlier version of the invented records left here."""
        if not self._corpus.exists() or self._corpus.read_text() != corpus:
            made = (self._vocabulary, self._incidents, self.database, self.database.with_suffix(".inspect.json"))
            for path in (*made, *self.folder.glob("*/loaded")):
                path.unlink(missing_ok=True)
            self._corpus.write_text(corpus)

    def _loaded(self, store: Store) -> Path:
        """Return the mark of a store that is loaded."""
        return store.home / "loaded"

    def _into_empty(self, store: Store, files: Sequence[Path], count: int) -> Loading:
        loading.forget(store)
        return loading.load("`evidence load` into an empty database", store, [self._vocabulary, *files], count)

    def _load_all(self, store: Store, bulk: bool) -> Loading:
        self.forget(store)
        loading.load("vocabulary", store, [self._vocabulary], 0)
        name = f"`evidence load{' --bulk' if bulk else ''}` into an empty database"
        loaded = loading.load(name, store, [self._incidents], self.n, bulk=bulk)
        self._loaded(store).touch()
        return loaded


def plain(values: Iterable[Any]) -> list[dict[str, Any]]:
    """Return dataclasses as JSON has them."""
    return [asdict(value) for value in values]
