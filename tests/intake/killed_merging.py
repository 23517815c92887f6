"""A merger, and the journal that it leaves, by a process that kills itself; run by the tests of merging alone.

Arguments: the address of the database, the data folder, the two records, where it dies (`within` the transaction,
before it is committed; `after` it; `amid` the journal), and how many records are shown anew at once.
"""

import sys
from pathlib import Path

from app.core.db import Database
from app.intake import deny, restore, write
from app.intake.publish import Publisher
from app.intake.write import Writer
from tests.conftest import Clock, settings_for
from tests.intake.house import together
from tests.intake.killed import die_at

if __name__ == "__main__":
    url, home, one, into, where, much = sys.argv[1:]
    settings = settings_for(url, Path(home))
    vars(deny)["AT_ONCE"] = vars(write)["AT_ONCE"] = int(much)
    vars(restore)["MOST"] = 2
    if where == "after":
        Writer.transact = die_at(1, Writer.transact)  # type: ignore[method-assign]
    else:
        Publisher.flush = die_at(1 if where == "within" else 3, Publisher.flush)  # type: ignore[method-assign]
    writer = Writer.open(settings, Database.main(settings), Clock())
    together(writer, one, into)
    restore.restore(writer)
