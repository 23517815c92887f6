"""Texts on SQLite: an FTS5 table for each value of a table's first column, which triggers keep in step.

A table with `info={"text": column}` has columns (value, key, …, text of terms). The index has no content of its own and
forgets at once what is deleted (`secure-delete`). Terms are made before, so its tokenizer only splits.

What is deleted by the many is only marked as such, in a tenth of the time: nothing finds it any more, but its terms
stay in the file until `merge` has written the index anew. That this is to be done is kept in the file too
(`PRAGMA user_version`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Table, column, literal_column, select, table

from app.core.engine import Phrase, Wanted

MANY = 1_000  # rows of one value that are deleted at once
_PAGES = 500  # written in one step of a merge
_ROOM = 131_072  # KiB
_INDEXES = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE % USING fts5(%' ORDER BY name"


def name_of(whole: Table, value: int) -> str:
    """Return the name of the index of a value."""
    return f"{whole.name}_{value:d}"


def make(connection: Connection, whole: Table, value: int) -> None:
    """Make the index of a value, empty, and the triggers that fill it."""
    for statement in statements(whole.name, whole.columns.keys()[1], whole.info["text"], value):
        connection.exec_driver_sql(statement)


def statements(whole: str, key: str, text: str, value: int) -> list[str]:
    """Return what makes the index of a value."""
    one = f"{whole}_{value:d}"
    return [
        f"CREATE VIRTUAL TABLE {one} USING fts5({text}, content='', columnsize=0, tokenize='ascii')",
        f"INSERT INTO {one}({one}, rank) VALUES ('secure-delete', 1)",  # noqa: S608 - names of our own
        f"CREATE TRIGGER {one}_in AFTER INSERT ON {whole} WHEN new.view = {value:d} "  # noqa: S608
        f"BEGIN INSERT INTO {one}(rowid, {text}) VALUES (new.{key}, new.{text}); END",
        f"CREATE TRIGGER {one}_out AFTER DELETE ON {whole} WHEN old.view = {value:d} "  # noqa: S608
        f"BEGIN INSERT INTO {one}({one}, rowid, {text}) VALUES ('delete', old.{key}, old.{text}); END",
    ]


@contextmanager
def emptied(connection: Connection, whole: Table) -> Iterator[None]:
    """Empty every index of a table, and have what is done meanwhile to the table not looked at row by row."""
    if "text" not in whole.info:
        yield
        return
    of_table = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? ORDER BY name"
    triggers = connection.exec_driver_sql(of_table, (whole.name,)).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
        if name.endswith("_out"):
            one = name.removesuffix("_out")
            connection.exec_driver_sql(f"INSERT INTO {one}({one}) VALUES ('delete-all')")  # noqa: S608
    yield
    for _, statement in triggers:
        connection.exec_driver_sql(statement)


@contextmanager
def marked(connection: Connection, whole: Table, value: int) -> Iterator[None]:
    """Have what is deleted meanwhile from a table only marked in the index of a value, until a `merge`."""
    _secure(connection, name_of(whole, value), 0)
    connection.exec_driver_sql("PRAGMA user_version = 1")
    yield
    _secure(connection, name_of(whole, value), 1)


@contextmanager
def roomy(connection: Connection) -> Iterator[None]:
    """Keep up to 128 MiB of pages in memory meanwhile, in the place of what the writer may have."""
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar()
    connection.exec_driver_sql(f"PRAGMA cache_size = {-_ROOM:d}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before:d}")


def _secure(connection: Connection, one: str, on: int) -> None:
    connection.exec_driver_sql(f"INSERT INTO {one}({one}, rank) VALUES ('secure-delete', {on:d})")  # noqa: S608


def keeps_marks(connection: Connection) -> bool:
    """Tell whether an index may keep terms that were only marked as deleted."""
    return bool(connection.exec_driver_sql("PRAGMA user_version").scalar())


def merge(connection: Connection) -> bool:
    """Write some more of the indexes anew; return whether they are whole now, with nothing in them that was deleted."""
    driver = connection.connection.dbapi_connection
    for (one,) in connection.exec_driver_sql(_INDEXES).all():
        before = driver.total_changes  # type: ignore[union-attr]
        # Less than nothing: all that there is, old and new, into one.
        connection.exec_driver_sql(f"INSERT INTO {one}({one}, rank) VALUES ('merge', {-_PAGES:d})")  # noqa: S608
        if driver.total_changes - before > 1:  # type: ignore[union-attr]
            return False
    connection.exec_driver_sql("PRAGMA user_version = 0")
    return True


def found(whole: Table, value: int, wanted: ColumnElement[str]) -> "Select[tuple[int]]":
    """Return the keys of the rows of a value in whose text something is found."""
    name = name_of(whole, value)
    index = table(name, column("rowid", BigInteger))
    return select(index.c.rowid).where(literal_column(name).op("MATCH")(wanted))


def wanted(wanted: Wanted) -> str:
    """Return what is looked for as FTS5 writes it: nothing in a term means anything in it."""
    every = " AND ".join(map(_any, wanted.every))
    without = " OR ".join(map(_any, wanted.without))
    return f"({every}) NOT ({without})" if without else every


def _any(phrases: tuple[Phrase, ...]) -> str:
    return "(" + " OR ".join([f'"{" ".join(terms)}"{"*" if begins else ""}' for terms, begins in phrases]) + ")"
