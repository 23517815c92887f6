"""A writer that knows nothing yet takes away what rests on what rests on a record, as one that knows it all."""

import asyncio

import pytest

from app.intake.retract import withdraw
from app.intake.write import Writer
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
