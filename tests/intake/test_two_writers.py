"""Two writers at once: they take turns, nothing is lost, and no number is given twice or left out."""

import asyncio
import threading

import pytest

from app.core.db import Database
from app.core.ids import fixed
from app.core.settings import Settings
from app.intake.retract import retract
from app.intake.submit import Intake
from app.intake.write import Writer
from tests.conftest import Clock
from tests.intake.house import (
    OWNER,
    PUBLIC,
    WORLD,
    a_place,
    an_incident,
    catalogue,
    check_log,
    filed,
    shown,
    submit,
)

EACH = 15


@pytest.fixture
def second(settings: Settings, database: Database):
    """A second way into the same vault, as another process has it."""
    another = Database.main(settings)
    writer = Writer.open(settings, another, Clock())
    yield Intake(writer)
    asyncio.run(writer.vault.keys.close())
    asyncio.run(another.close())


def test_at_once_they_lose_nothing_and_leave_no_gap(intake, second, database, writer):
    submit(intake, *WORLD)
    errors: list[BaseException] = []

    def work(way: Intake, name: str) -> None:
        try:
            for number in range(EACH):
                own = an_incident(fixed("inc", f"{name}{number}"), places=["camp"])
                both = a_place(f"{name}-place", parent="north", status=str(number))
                submit(way, own, both)
        except BaseException as error:  # a thread would swallow it
            errors.append(error)

    threads = [threading.Thread(target=work, args=each) for each in ((intake, "first"), (second, "second"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    # 7 of the world; of each writer 15 incidents, and 15 revisions of one place. Each is shown to three views.
    assert check_log(writer) == (7 + 4 * EACH, 3 * (7 + 4 * EACH))
    assert len(filed(database, PUBLIC, "place", "camp")) == 2 * EACH
    assert (
        shown(database, PUBLIC, "first-place")["revision"] == shown(database, PUBLIC, "second-place")["revision"] == 15
    )


def test_one_sees_what_the_other_wrote_though_it_knew_otherwise(intake, second, database):
    submit(intake, *WORLD, an_incident(fixed("inc", "a"), places=["camp"]))
    submit(second, a_place("camp", parent="south"))
    submit(intake, an_incident(fixed("inc", "b"), places=["camp"]))
    assert filed(database, PUBLIC, "place", "south") == {fixed("inc", "a"), fixed("inc", "b")}
    assert filed(database, PUBLIC, "place", "north") == set()


def test_a_term_that_one_forgot_is_met_again_by_the_other(intake, second, database):
    submit(intake, *WORLD, an_incident(fixed("inc", "a"), victim_groups=["returnee"]))
    assert retract(second.writer, fixed("inc", "a"), OWNER, "a test")
    assert [row for row in catalogue(database)["term"] if row[3] == "returnee"] == []
    submit(intake, an_incident(fixed("inc", "b"), victim_groups=["returnee"]))
    assert filed(database, PUBLIC, "victim_group", "returnee") == {fixed("inc", "b")}


def test_the_later_of_two_that_revise_one_record_comes_after_the_first(intake, second, database, writer):
    submit(intake, a_place("camp"))
    submit(second, a_place("camp", status="open"))
    assert submit(intake, a_place("camp", status="closed")).revised == ["camp"]
    assert shown(database, PUBLIC, "camp")["status"] == "closed" and shown(database, PUBLIC, "camp")["revision"] == 3
    assert check_log(writer) == (3, 9)
