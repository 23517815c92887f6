"""A journal worked off by a process that kills itself; run by the tests of deny first, never imported by them.

Arguments: the address of the database, the data folder, and in which transaction it dies (before it is committed).
"""

import sys
from pathlib import Path

from app.core.db import Database
from app.intake import deny, restore, write
from app.intake.publish import Publisher
from app.intake.write import Writer
from tests.conftest import Clock, settings_for
from tests.intake.killed import die_at

if __name__ == "__main__":
    url, home, number = sys.argv[1:]
    settings = settings_for(url, Path(home))
    vars(deny)["AT_ONCE"] = vars(write)["AT_ONCE"] = 3
    vars(restore)["MOST"] = 1
    Publisher.flush = die_at(int(number), Publisher.flush)  # type: ignore[method-assign]
    restore.restore(Writer.open(settings, Database.main(settings), Clock()))
