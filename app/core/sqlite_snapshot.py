"""One snapshot of SQLite, and how a reading of it is run: it never waits for anything."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from app.core.engine import Prepared, Rows

T = TypeVar("T")


class SQLiteSnapshot:
    """What one connection of SQLite sees."""

    def __init__(self, connection: Any) -> None:
        """Read by a connection that is in a transaction."""
        self._connection = connection

    async def all(self, statement: Prepared, values: dict[str, Any]) -> Rows:
        """Return every row of a question."""
        rows: Rows = self._connection.execute(statement.text, statement.values(values)).fetchall()
        return rows

    async def one(self, statement: Prepared, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a question, if there is one."""
        row: tuple[Any, ...] | None = self._connection.execute(statement.text, statement.values(values)).fetchone()
        return row

    async def work(self, work: Callable[[], T]) -> T:
        """Do work that takes long."""
        return work()  # a heavy reading has a thread of its own already


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for anything; one that does is a mistake and is refused."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("a reading of the database waited for something else")
