"""An import that is killed at any moment and begun again ends with exactly what one has that was not."""

import asyncio
import random
import time

import pytest

from app.imports import turns
from app.imports.turns import Beside
from app.vault.tables import RECORD, REVISION
from tests.exchange.house import sheet
from tests.imports.conftest import another, filled, opened
from tests.intake.house import count
from tests.often import often

ROWS = 400


def rows(number: int):
    return sheet(*(f"{one},{1990 + one % 30},Event {one},Torture,camp,,,TEST/1,,,,,," for one in range(number)))


class Dying:
    """Processes of which each is killed after a while, until they are let live."""

    def __init__(self, chance: random.Random, lives: int) -> None:
        self.chance, self.left, self.killed = chance, lives, 0

    def __call__(self, settings, id):
        beside = Beside(settings, id)
        if self.left:
            self.left -= 1
            # It takes some tenths to begin; then it is hit while it checks, foresees or applies.
            time.sleep(self.chance.uniform(0.9, 2.6))
            if beside.process.poll() is None:
                beside.kill()
                self.killed += 1
        return beside


@pytest.mark.parametrize("seed", range(often(1)))
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_nothing_is_lost_and_nothing_comes_in_twice(engine, new_database, tmp_path, monkeypatch, seed):
    settings, database = filled(new_database(engine), tmp_path)
    dying = Dying(random.Random(seed), 2)
    monkeypatch.setattr(turns, "Beside", dying)
    monkeypatch.setattr(turns, "PAUSE", 0.01)
    monkeypatch.setattr(turns, "MOST_ATTEMPTS", 100)
    before = count(database, RECORD)
    with opened(settings, database) as house:
        hand = another(house)
        one, found = hand.checked(rows(ROWS))
        assert found["foreseen"]["created"] == ROWS
        dying.left = 3
        assert hand.confirm(one, found["to_confirm"]).status_code == 202
    # The service itself ends amid it, and begins again.
    with opened(settings, database) as house:
        hand.house = house
        done = hand.until(one, "done")
        assert hand.ask("GET", "/v1/incidents").json()["total"] == ROWS
    assert done["result"] == {"created": ROWS, "revised": 0, "unchanged": 0}
    assert (count(database, RECORD), count(database, REVISION)) == (before + ROWS, before + ROWS)
    assert not list(settings.home.glob("imports/*/file"))
    asyncio.run(database.close())
