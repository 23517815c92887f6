"""A load that kills its own process where it is told to; run by the tests of killed loads, never imported by them.

Arguments: the address of the database, the data folder, the file to load, how (`ordinary` or `closed`), the place to
die at (`after`: between two transactions; `within`: inside one), and at which time it gets there.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from app.core.db import Database
from app.intake import much
from app.intake.bulk import Bulk
from app.intake.loading import Load
from app.intake.publish import Publisher
from app.intake.submit import Intake
from app.intake.write import Writer
from tests.conftest import Clock, settings_for
from tests.intake import inline
from tests.intake.house import OWNER


def die_at(number: int, function: Any) -> Any:
    """Return a function that does what it did, and at one call then kills the process."""
    calls = 0

    def call(*values: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        found = function(*values, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return call


if __name__ == "__main__":
    url, home, path, how, where, number = sys.argv[1:]
    settings = settings_for(url, Path(home))
    load = Load(Intake(Writer.open(settings, Database.main(settings), Clock())), settings.home, OWNER)
    load._size = 20
    vars(much).update(workers=inline.workers, CLOSED=20)
    if how == "ordinary":
        Publisher.disclose = die_at(int(number), Publisher.disclose)  # type: ignore[method-assign]
    elif where == "after":
        Bulk.write = die_at(int(number), Bulk.write)  # type: ignore[method-assign]
    else:
        Bulk._insert = die_at(int(number), Bulk._insert)  # type: ignore[method-assign]
    load.run([Path(path)], much=much.AtOnce(settings, closed=True) if how == "closed" else None)
