"""The journal of records that are to be shown anew, and of the views that they are withheld from meanwhile."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, exists, select, update

from app.core.db import Database
from app.vault.keys import chunks
from app.vault.tables import RESTORING

_WITHHOLD = update(RESTORING).where(RESTORING.c.id == bindparam("record")).values(withheld=bindparam("mask"))


def is_empty(connection: Connection) -> bool:
    """Tell whether nothing waits."""
    return not connection.scalar(select(exists().select_from(RESTORING)))


def waiting(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Return those of some records that wait, each with the views (one bit each) that it is withheld from."""
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        statement = select(RESTORING.c.id, RESTORING.c.withheld).where(RESTORING.c.id.in_(chunk))
        found.update((id, mask) for id, mask in connection.execute(statement))
    return found


def holds(connection: Connection, records: Mapping[str, int]) -> bool:
    """Tell whether every one of some records is withheld, and from no view less than is said of it."""
    now = waiting(connection, records)
    return all(mask and now.get(id, 0) & mask == mask for id, mask in records.items())


def first(connection: Connection, count: int) -> list[str]:
    """Return the records that come first: none of them names one that comes later, but of its own kind."""
    return list(connection.scalars(select(RESTORING.c.id).order_by(RESTORING.c.rank, RESTORING.c.id).limit(count)))


def note(database: Database, connection: Connection, records: Mapping[str, tuple[int, int]]) -> None:
    """Note records, each with its rank and the views that it is withheld from, beside those that are noted already."""
    there = {} if is_empty(connection) else waiting(connection, records)
    new = [(id, rank, mask) for id, (rank, mask) in sorted(records.items()) if id not in there]
    database.insert(connection, RESTORING, new)
    more = [{"record": id, "mask": mask | records[id][1]} for id, mask in there.items() if records[id][1] & ~mask]
    if more:
        connection.execute(_WITHHOLD, more)


def strike(connection: Connection, ids: Iterable[str]) -> None:
    """Strike out records that are shown as they should be."""
    for chunk in chunks(ids):
        connection.execute(delete(RESTORING).where(RESTORING.c.id.in_(chunk)))
