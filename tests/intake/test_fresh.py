"""A writer that knows nothing yet takes away what rests on what rests on a record, as one that knows it all."""

import asyncio

import pytest
from sqlalchemy import update

from app.intake.rebuild import rebuild
from app.intake.retract import withdraw
from app.intake.write import Writer
from app.vault.tables import RECORD
from tests.intake import inline
from tests.intake.house import (
    I1,
    OWNER,
    PUBLIC,
    T1,
    WORLD,
    a_place,
    a_testimony,
    an_incident,
    seen_by,
    submit,
    together,
)


@pytest.mark.parametrize("knows", ["all", "nothing", "nothing, since a merger"])
def test_a_link_to_an_incident_goes_with_the_account(intake, database, writer, settings, clock, knows):
    tie = {"kind": "link", "id": "tie", "type": "seen-at", "from": I1, "to": "camp", "confidence": "low"}
    incident = an_incident(I1, testimonies=[T1], disclosure_basis="consent")
    submit(intake, *WORLD, a_testimony(T1), incident, a_place("kamp"), tie | {"source": "src-a"})
    assert PUBLIC in seen_by(database, I1) and PUBLIC in seen_by(database, "tie")
    taking = Writer.open(settings, database, clock) if knows == "nothing" else writer
    if knows == "nothing, since a merger":
        together(writer, "kamp", "camp")
    assert withdraw(taking, T1, OWNER, "asked for")
    assert seen_by(database, I1) == seen_by(database, "tie") == []
    asyncio.run(taking.vault.keys.close())


def test_a_rebuild_takes_away_what_an_earlier_version_left(intake, database, writer, settings, monkeypatch):
    monkeypatch.setattr("app.intake.rebuild.workers", inline.workers)
    tie = {"kind": "link", "id": "tie", "type": "seen-at", "from": I1, "to": "camp", "confidence": "low"}
    incident = an_incident(I1, testimonies=[T1], disclosure_basis="consent")
    submit(intake, *WORLD, a_testimony(T1), incident, tie | {"source": "src-a"})
    monkeypatch.setattr(writer.vault, "resting_on", lambda *_: [])  # as if nothing rested on anything
    assert withdraw(writer, T1, OWNER, "asked for")
    monkeypatch.undo()
    monkeypatch.setattr("app.intake.rebuild.workers", inline.workers)
    writer.world.forget()
    rebuild(writer, settings)
    assert seen_by(database, I1) == seen_by(database, "tie") == []
    # Its row went, and it said on that views were shown it.
    database.write(lambda connection: connection.execute(update(RECORD).where(RECORD.c.id == I1).values(views=7)))
    writer.world.forget()
    assert rebuild(writer, settings).changed == 2  # the link goes by what is said of the incident
    assert seen_by(database, I1) == seen_by(database, "tie") == []
    assert rebuild(writer, settings).changed == 0
