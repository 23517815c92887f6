"""Whole deployments to compare: each a database with its writer, and much to load into it."""

import asyncio
import random
from typing import Any

import orjson
from sqlalchemy import select

from app.catalogue.tables import ROW
from app.core import migrations
from app.core.db import Database
from app.core.ids import fixed
from app.core.settings import Settings
from app.intake.loading import Load
from app.intake.much import AtOnce
from app.intake.submit import Intake
from app.intake.write import Writer
from app.vault.tables import RECORD, REFERENCE, REVISION
from tests.conftest import Clock, settings_for
from tests.intake.house import (
    OWNER,
    PER,
    T1,
    T2,
    WORLD,
    Value,
    a_person,
    a_place,
    a_testimony,
    an_incident,
    catalogue,
    check_log,
    consent,
    rows_of,
)

MANY = 60


def values() -> list[Value]:
    """A world, two testimonies of one witness, and many incidents and weapons events that rest on them."""
    chance = random.Random(5)
    hidden = a_place(
        "hidden", parent="north", restricted=True, geometry={"type": "Point", "coordinates": [128.5, 40.0]}
    )
    named: Value = {"witness": {"form": "named", "person": PER}}
    told = a_testimony(T2, consent=consent(public={"place": "province"}, mechanism={}), **named)
    person = a_person(PER, consent=consent(public={}, mechanism={"identity": "withheld"}))
    found = [*WORLD, hidden, a_place("inside", parent="hidden"), person, a_testimony(T1, **named), told]
    for number in range(MANY):
        more: Value = {
            "places": chance.sample(["camp", "south", "hidden", "inside"], 2),
            "violations": chance.sample(["torture", "ill-treatment"], 1),
            "testimonies": chance.sample([T1, T2], chance.randint(0, 2)),
            "date": chance.choice([None, "2003", "2011-12", "1977-11/.."]),
        }
        basis = "consent" if more["testimonies"] and number % 3 == 0 else "published"
        found.append(an_incident(fixed("inc", str(number)), disclosure_basis=basis, **more))
        event = {"kind": "weapons-event", "id": f"test-{number}", "type": "missile-launch", "weapon_class": "SRBM"}
        found.append(event | {"count": number, "date": "2017"})
    return found


def written(folder, some: list[Value]):
    path = folder / "records.ndjson"
    path.write_bytes(b"".join(orjson.dumps(value) + b"\n" for value in some))
    return path


class Deployment:
    """A database of its own with its writer."""

    def __init__(self, url: str, home) -> None:
        home.mkdir()
        self.settings: Settings = settings_for(url, home)
        self.database = Database.main(self.settings)
        migrations.upgrade(self.database)
        self.writer = Writer.open(self.settings, self.database, Clock())
        self.intake = Intake(self.writer)

    def load(self, path, at_once: AtOnce | None = None):
        return Load(self.intake, self.settings.home, OWNER).run([path], much=at_once)

    def close(self) -> None:
        asyncio.run(self.writer.vault.keys.close())
        asyncio.run(self.database.close())


def same(one: Deployment, other: Deployment) -> None:
    """Compare two deployments: catalogue, log, and all of the vault that is not random."""
    assert _unnumbered(one) == _unnumbered(other)
    assert check_log(one.writer) == check_log(other.writer)
    without_leaf = [[(*row[:7], row[8]) for row in rows_of(which.database, RECORD)] for which in (one, other)]
    assert without_leaf[0] == without_leaf[1]
    assert _resting(one) == _resting(other)


def _unnumbered(one: Deployment) -> dict[str, list[tuple[Any, ...]]]:
    """Return the catalogue without the numbers of changes, which depend on what came first."""
    tables = catalogue(one.database)
    seq = list(ROW.columns.keys()).index("seq")
    return tables | {"row": [(*row[:seq], *row[seq + 1 :]) for row in tables["row"]]}


def _resting(one: Deployment) -> set[tuple[str, str]]:
    """Return which record rests on which."""
    pairs = select(REFERENCE.c.target, REVISION.c.record).where(REFERENCE.c.leaf == REVISION.c.leaf)
    return one.database.look(lambda connection: {(to, of) for to, of in connection.execute(pairs)})
