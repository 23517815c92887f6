"""Sweeping a PostgreSQL database: tables written anew, the server's log let go of; says what may be left and where."""

import asyncio
from typing import Any

import asyncpg

PATIENCE = 10.0  # seconds to wait for readers, at each step
_OLDER = """
    SELECT count(*) FROM (
        SELECT backend_xmin AS xmin FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        UNION ALL SELECT xmin FROM pg_replication_slots
    ) AS holder WHERE age(holder.xmin) > age($1::text::xid)
"""
_TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relpages
"""


class Sweep:
    """One sweep of one database. VACUUM alone frees space and leaves the bytes: only a table written anew has none."""

    def __init__(self, connection: Any, name: str) -> None:
        """Use a connection (asyncpg) of its own, outside any transaction."""
        self._connection = connection
        self._name = name
        self._left: list[str] = []

    async def run(self) -> list[str]:
        """Sweep; return what may still keep what was deleted, in words for the operator."""
        await self._connection.execute(f"SET lock_timeout = {int(PATIENCE * 1000)}")
        if await self._is_seen_by_others():
            self._say("a reader or a replica that began before still sees what was deleted")
        for row in await self._connection.fetch(_TABLES):
            await self._do(f"VACUUM (FULL) {row[0]}", f"table {row[0]} was not written anew")
        # What a table's columns hold most often is kept as statistics, in the clear.
        await self._do("ANALYZE", "the statistics of tables were not made anew")
        await self._do("VACUUM (FULL) pg_catalog.pg_statistic", "old statistics of tables may be there")
        for statement in ("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"):
            await self._do(statement, "the server's write-ahead log still holds it, until that is removed")
        await self._look_at_log()
        return list(dict.fromkeys(self._left))

    async def _is_seen_by_others(self) -> bool:
        """Wait until nobody sees what was deleted; tell whether that did not come to pass."""
        now = await self._connection.fetchval("SELECT pg_current_xact_id()::xid::text")
        for _ in range(max(1, int(PATIENCE * 10))):
            if not await self._connection.fetchval(_OLDER, now):
                return False
            await asyncio.sleep(0.1)
        return True

    async def _do(self, statement: str, otherwise: str) -> None:
        try:
            await self._connection.execute(statement)
        except asyncpg.PostgresError as error:
            self._say(f"{otherwise} ({type(error).__name__})")

    async def _look_at_log(self) -> None:
        fetch = self._connection.fetchval
        if await fetch("SHOW wal_recycle") == "on":
            self._say("the server keeps segments of its log for use again, with what they hold: set wal_recycle = off")
        if await fetch("SHOW archive_mode") != "off":
            self._say("the server archives its log: the archive holds it until you delete it")
        if await fetch("SELECT count(*) FROM pg_replication_slots"):
            self._say("replicas, and the log kept for them, hold it until they have followed")

    def _say(self, what: str) -> None:
        self._left.append(f"{self._name}: {what}")
