"""A process that writes without end: `python -m tests.catalogue.writing_on URL FILE`.

Each transaction sets the generation of view 0, and has one record say that number; once it is committed the file says
it too.
"""

import os
import sys
import time
from itertools import count

import orjson
from sqlalchemy import Connection, update

from app.catalogue.tables import ROW, VIEW
from app.core.db import Database
from tests.catalogue.seed import incident

ID = incident("a")
REST = 0.0005  # seconds between two transactions: readers shall find the same generation twice now and then


def main(url: str, file: str) -> None:
    """Write until the process is ended."""
    database = Database(url)
    told = os.open(file, os.O_WRONLY)
    for number in count(2):

        def one(connection: Connection, number: int = number) -> None:
            body = orjson.dumps({"id": ID, "kind": "incident", "number": number})
            of = (ROW.c.view == 0, ROW.c.id == ID)
            connection.execute(update(ROW).where(*of).values(body=body, etag=f"{number:024d}"))
            connection.execute(update(VIEW).where(VIEW.c.id == 0).values(generation=number))

        database.write(one)
        os.pwrite(told, number.to_bytes(8, "big"), 0)
        time.sleep(REST)


if __name__ == "__main__":
    main(*sys.argv[1:])
