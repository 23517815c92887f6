"""How long it takes to narrow, and to withdraw, one testimony under much: `python -m benchmarks.narrowing`."""

import argparse
import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from app.catalogue.tables import ROW
from app.core import migrations
from app.core.db import Database
from app.core.ids import fixed
from app.core.settings import Settings
from app.intake.checking import content_of
from app.intake.restore import restore
from app.intake.retract import withdraw
from app.intake.submit import Intake
from app.intake.write import Writer

OWNER = "benchmark"
TOLD = [fixed("tst", f"bench-{number}") for number in range(2)]
WHOLE = {"content": "full", "identity": "named", "place": "exact", "date": "day"}
PURPOSES = {"public": "publication", "partner": "research", "mechanism": "un-reporting"}


def testimony(id: str, **narrowed: str) -> dict[str, Any]:
    """Return an invented testimony, open to all but for what is narrowed for the public."""
    allowed: dict[str, dict[str, Any]] = {name: WHOLE | {"purposes": [to]} for name, to in PURPOSES.items()}
    allowed["public"] |= narrowed
    consent = {"obtained_by": "B", "obtained_on": "2020", "form": "written", "language": "ko", "recontact": False}
    return {
        "kind": "testimony",
        "id": id,
        "disclosure_basis": "consent",
        "witness": {"form": "unnamed"},
        "recorded_by": "bench",
        "consent": consent | {"audiences": allowed},
    }


def records(count: int) -> Iterator[dict[str, Any]]:
    """Yield a small invented world, two testimonies, and incidents that rest on both."""
    yield {"kind": "source", "id": "bench-source", "title": {"en": "Bench"}, "type": "report"}
    for id, type, parent in (("a", "country", None), ("b", "province", "bench-a"), ("c", "county", "bench-b")):
        place = {"kind": "place", "id": f"bench-{id}", "name": {"en": "Bench"}, "type": type, "parent": parent}
        yield place
    point = {"type": "Point", "coordinates": [127.5, 40.5]}
    camp = {"kind": "place", "id": "bench-d", "name": {"en": "Bench"}, "type": "other"}
    yield camp | {"parent": "bench-c", "geometry": point}
    yield {"kind": "violation", "id": "bench-acts", "label": {"en": "Bench"}}
    yield {"kind": "violation", "id": "bench-act", "label": {"en": "B"}, "parent": "bench-acts"}
    yield from map(testimony, TOLD)
    for number in range(count):
        yield {
            "kind": "incident",
            "id": fixed("inc", f"bench-{number}"),
            "disclosure_basis": "consent",
            "scope": "event",
            "date": f"{1990 + number % 30}-{1 + number % 12:02}-{1 + number % 28:02}",
            "places": ["bench-d"],
            "violations": ["bench-act"],
            "victim_groups": ["returnee"],
            "summary": {"public": {"en": f"Invented words {number} " * 12}},
            "testimonies": TOLD,
        }


def main() -> None:
    """Measure on a database that has nothing else in it: SQLite in a folder that goes away, or one that is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.narrowing", description=__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="how many incidents (default: %(default)s)")
    parser.add_argument("--url", default="", help="an empty database (default: SQLite)")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        settings = replace(Settings(home=Path(folder)), **({"database_url": chosen.url} if chosen.url else {}))
        database = Database.main(settings)
        migrations.upgrade(database)
        writer = Writer.open(settings, database)
        _measure(writer, chosen.n)
        asyncio.run(writer.vault.keys.close())
        asyncio.run(database.close())


def _measure(writer: Writer, count: int) -> None:
    _submit(writer, list(records(count)), 500)
    changes = (
        ("narrowed for one view", lambda: _submit(writer, [testimony(TOLD[0], place="province", date="year")])),
        ("withdrawn", lambda: withdraw(writer, TOLD[0], OWNER, "a benchmark")),
    )
    print(
        f"{count} incidents rest on one testimony, {_rows(writer)} rows of three views ({writer.database.engine.name})"
    )
    for what, change in changes:
        before, began = _rows(writer), _clocks()
        change()
        took = _since(began)
        gone, began = before - _rows(writer), _clocks()
        done = restore(writer)
        print(f"{what}: {took} until {gone} rows are gone; {_since(began)} more until {done} records are shown anew")


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> str:
    passed, worked = (now - then for now, then in zip(_clocks(), began, strict=True))
    return f"{passed:.2f} s ({worked:.2f} s of work)"


def _submit(writer: Writer, some: list[dict[str, Any]], size: int = 1) -> None:
    intake = Intake(writer)
    drafts = [intake.draft(content_of(orjson.dumps(one)), OWNER) for one in some]
    for start in range(0, len(drafts), size):
        intake.submit(drafts[start : start + size], OWNER)


def _rows(writer: Writer) -> int:
    def count(connection: Connection) -> int:
        return connection.scalar(select(func.count()).select_from(ROW)) or 0

    return writer.database.look(count)


if __name__ == "__main__":
    main()
