"""A sheet brought in over HTTP: how long it takes, its memory, and what reads and withdrawals notice of it."""

import asyncio
import csv
import http.client
import random
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import psutil  # type: ignore[import-untyped]

from app.access.keys import Keys, Wanted
from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from benchmarks import loading
from benchmarks.ours import Ours, Store
from benchmarks.server import Failed, Server, free_port

ROWS = 100_000
OWNER, PLACES, QUIET, PACE, WITHDRAW_EVERY = "bench-importer", 100, 6.0, 0.02, 4.0
MAPPING: dict[str, Any] = {
    "mapping": "1",
    "name": "bench",
    "version": 1,
    "tables": {"acts": {"Torture": "torture", "Detention": "detention"}},
    "records": [
        {
            "as": "event",
            "kind": "incident",
            "key": "No",
            "fields": {
                "disclosure_basis": {"constant": "published"},
                "citations[].symbol": "Source",
                "scope": {"constant": "event"},
                "date": {"date": {"column": "Date"}},
                "title.public.en": "Title",
                "violations": {"column": "Act", "split": ";", "table": "acts"},
                "places": {"column": "Place", "find": "place"},
                "victims.best": "Victims",
            },
        }
    ],
}


@dataclass(frozen=True)
class Importing:
    """One import.

    Attributes:
        rows: of the sheet.
        upload, check, apply: seconds of each; `processor`: of all processes together, in all of it.
        private: the most that the processes of the import had for themselves; `server`: the service's own process.
        before, during: the median milliseconds of a read; `withdrawal`: the longest one, in milliseconds.
    """

    rows: int
    upload: float
    check: float
    apply: float
    processor: float
    private: int
    server: int
    before: float
    during: float
    withdrawal: float

    @property
    def seconds(self) -> float:
        """All of it, as a data manager waits for it."""
        return self.upload + self.check + self.apply


def measure(folder: Path, rows: int) -> Importing:
    """Import invented rows into an empty database, in a folder of its own.

    Raises:
        Failed: the service refuses something.
    """
    shutil.rmtree(folder, ignore_errors=True)
    home, sheet = folder / "home", folder / "sheet.csv"
    store = Store(home)
    home.mkdir(parents=True)
    _write(sheet, rows)
    world = folder / "world.ndjson"
    world.write_bytes(b"\n".join(orjson.dumps(one) for one in _world()))
    loading.load("world", store, [world], 0)
    key = _key(home)
    port, ours = free_port(), Ours(store)
    with Server("evidence", ours.command(port), port, ours.ready(), folder / "server.log") as server:
        return _Run(server, key, sheet, rows).run()


def _write(path: Path, rows: int) -> None:
    chance = random.Random(1)  # noqa: S311 - invented rows, the same each time
    words = ["event", "village", "guard", "family", "river", "north", "school", "night", "report", "border", "winter"]
    with path.open("w", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(("No", "Date", "Title", "Act", "Place", "Victims", "Source"))
        for number in range(rows):
            day = f"{chance.randint(1990, 2020)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
            title = f"{' '.join(chance.choices(words, k=6))} {number}"
            act, place = chance.choice(("Torture", "Detention")), f"bench-place-{chance.randrange(PLACES)}"
            sheet.writerow((number, day, title, act, place, chance.randint(1, 20), "BENCH/1"))


def _world() -> Iterator[dict[str, Any]]:
    yield {"kind": "source", "id": "bench-1", "title": {"en": "Bench"}, "type": "report", "symbol": "BENCH/1"}
    for id in ("torture", "detention"):
        yield {"kind": "violation", "id": id, "label": {"en": id.capitalize()}}
    for number in range(PLACES):
        id = f"bench-place-{number}"
        yield {"kind": "place", "id": id, "name": {"en": id}, "type": "other"}


def _testimony(number: int) -> dict[str, Any]:
    audience = {"content": "full", "identity": "named", "place": "exact", "date": "day", "purposes": ["publication"]}
    consent = {"obtained_by": "B", "obtained_on": "2020", "form": "written", "language": "ko", "recontact": False}
    about = {
        "slug": f"bench-{number}",
        "disclosure_basis": "consent",
        "witness": {"form": "unnamed"},
        "recorded_by": "bench",
    }
    return about | {"consent": consent | {"audiences": {"public": audience}}}


def _key(home: Path) -> str:
    settings = Settings(home=home, builtin=False)
    database = Database.main(settings)
    migrations.upgrade(database)
    keys = Keys(database)
    keys.create_organisation(OWNER, "Bench", ["partner/research"])
    _, text = keys.create(Wanted(OWNER, "bench", roles=("read", "contribute", "steward"), views=("partner/research",)))
    asyncio.run(database.close())
    return str(text)


class _Run:
    def __init__(self, server: Server, key: str, sheet: Path, rows: int) -> None:
        self._server, self._key, self._sheet, self._rows = server, key, sheet, rows
        self._private = self._own = 0
        self._reads: list[float] = []
        self._withdrawals: list[float] = []
        self._processor: dict[int, float] = {}
        self._over = threading.Event()

    def run(self) -> Importing:
        told = [self._ask("POST", "/v1/testimonies", _testimony(number))["id"] for number in range(20)]
        before = self._median(QUIET)
        watching = [threading.Thread(target=one) for one in (self._watch, self._read)]
        withdrawing = threading.Thread(target=self._withdraw, args=(told,))
        new = {"file": {"name": "sheet.csv", "size": self._sheet.stat().st_size}, "mapping": MAPPING}
        made = self._ask("POST", "/v1/imports", new)
        for one in (*watching, withdrawing):
            one.start()
        times = [time.monotonic()]
        try:
            self._upload(made["links"]["file"])
            times.append(time.monotonic())
            found = self._until(made["id"], "ready")
            times.append(time.monotonic())
            self._ask("POST", found["links"]["confirm"], {"gains": found["to_confirm"]})
            done = self._until(made["id"], "done")
            times.append(time.monotonic())
        finally:
            self._over.set()
            for one in (*watching, withdrawing):
                one.join()
        if done["result"] != {"created": self._rows, "revised": 0, "unchanged": 0}:
            raise Failed(f"the import did {done['result']}")
        upload, check, apply = (after - earlier for earlier, after in zip(times, times[1:], strict=False))
        processor = sum(self._processor.values())
        during = median(self._reads) * 1e3
        return Importing(
            self._rows,
            upload,
            check,
            apply,
            processor,
            self._private,
            self._own,
            before,
            during,
            self._longest(),
        )

    def _longest(self) -> float:
        return max(self._withdrawals, default=0.0) * 1e3

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=120)) as connection:
            connection.request(method, path, orjson.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            said = answer.read()
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {said[:500].decode()}")
        return orjson.loads(said) if said else None

    def _upload(self, path: str) -> None:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/partial-upload"}
        headers |= {"Upload-Offset": "0", "Upload-Complete": "?1"}
        with (
            closing(http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=120)) as connection,
            self._sheet.open("rb") as file,
        ):
            connection.request("PATCH", path, file, headers | {"Content-Length": str(self._sheet.stat().st_size)})
            answer = connection.getresponse()
            if answer.status != 200:
                raise Failed(f"PATCH {path}: {answer.status} {answer.read()[:500].decode()}")

    def _until(self, id: str, state: str) -> Any:
        while True:
            found = self._ask("GET", f"/v1/imports/{id}")
            if found["state"] == state:
                return found
            if found["state"] in ("refused", "failed", "abandoned"):
                raise Failed(f"the import is {found['state']}: {found['reason']}")
            time.sleep(0.1)

    def _median(self, seconds: float) -> float:
        reads: list[float] = []
        end = time.monotonic() + seconds
        with closing(http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=120)) as connection:
            while time.monotonic() < end:
                reads.append(_read_one(connection))
        return median(reads) * 1e3

    def _read(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=120)) as connection:
            while not self._over.is_set():
                self._reads.append(_read_one(connection))

    def _withdraw(self, told: list[str]) -> None:
        for id in told:
            if self._over.wait(WITHDRAW_EVERY):
                return
            begun = time.perf_counter()
            self._ask("POST", f"/v1/testimonies/{id}/withdrawal", {"reason": "The witness asked."})
            self._withdrawals.append(time.perf_counter() - begun)

    def _watch(self) -> None:
        """Look at the memory and the processor time of the import's processes, and at the memory of the service."""
        while not self._over.wait(0.25):
            private = 0
            for process in self._server.children():
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                self._processor[process.pid] = times.user + times.system
                private += self._server.private_of(process)
            self._private = max(self._private, private)
            self._own = max(self._own, self._server.private_bytes() - private)


def _read_one(connection: http.client.HTTPConnection) -> float:
    """Ask for a record; return how long it took."""
    time.sleep(PACE)
    begun = time.perf_counter()
    connection.request("GET", "/v1/places/bench-place-7")
    connection.getresponse().read()
    return time.perf_counter() - begun
