"""Rows on their way into a table of SQLite."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Dialect, Integer, MetaData, Table, bindparam, delete, insert, select
from sqlalchemy.schema import CreateTable

from app.core.engine import Row


def bindable(rows: Iterable[Row], blobs: Sequence[int]) -> Iterator[Row]:
    """Yield rows with their bytes as the driver binds them at once: of `bytes` it looks for an adapter, for long."""
    for row in rows:
        values: list[Any] = list(row)
        for place in blobs:
            values[place] = bytearray(values[place])
        yield values


@lru_cache(64)
def aside(table: Table, dialect: Dialect) -> tuple[str, ...]:
    """Return the statements that make a table at the side of another, fill it, copy it over, and empty it.

    It has all columns but the first, of which the third statement is given a value.
    """
    columns = [Column(column.name, column.type) for column in table.columns][1:]
    arriving = Table(f"arriving_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])
    first = bindparam("first", type_=Integer)
    copy = insert(table).from_select(list(table.columns), select(first, *arriving.columns))
    made = CreateTable(arriving, if_not_exists=True), insert(arriving), copy, delete(arriving)
    return tuple(str(one.compile(dialect=dialect)) for one in made)
