"""Replicas: a reading is never older than what the primary had when it was asked for, whatever the replicas do."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, select, text

from app.core.db import Database, Prepared
from app.core.engine import Limits
from app.core.problems import Problem
from app.core.reading import TELL, Away
from app.core.replicas import Told
from tests.cluster import Cluster, Node, run

N = Table("number", MetaData(), Column("n", Integer, primary_key=True, autoincrement=False))
LAST = select(func.max(N.c.n))
LIMITS = Limits(connections=4, seconds=2, exports=2, wait=0.1)
Work = Callable[[Database], Awaitable[Any]]


@pytest.fixture(scope="module", autouse=True)
def numbers(servers) -> None:
    """A table of numbers."""
    database = Database(servers.primary.address("postgres"))
    database.write(lambda connection: N.metadata.create_all(connection))
    database.write(lambda connection: connection.execute(N.insert().values(n=0)))
    asyncio.run(database.close())


def opened(servers: Cluster, replicas: list[str], limits: Limits = LIMITS) -> Database:
    return Database(servers.primary.address("postgres"), limits, replicas)


def every(servers: Cluster) -> list[str]:
    return [node.address("postgres") for node in servers.replicas]


def states(db: Database) -> list[str]:
    return [one.state for one in db.servers()[1:]]


async def last(db: Database, heavy: bool = False) -> int:
    statement = db.prepare(LAST)
    row = await db.read(lambda snapshot: snapshot.one(statement, {}), heavy)
    assert row is not None
    return int(row[0])


async def until(db: Database, *wanted: str) -> None:
    """Read until the replicas are in these states."""
    end = time.monotonic() + 15
    while states(db) != [*wanted]:
        assert time.monotonic() < end, states(db)
        await last(db)
        await asyncio.sleep(0.02)


def add(db: Database) -> int:
    """Write the next number."""

    def work(connection) -> int:
        following = int(connection.scalar(LAST)) + 1
        connection.execute(N.insert().values(n=following))
        return following

    return db.write(work)


def told(db: Database) -> dict[str, tuple[int, int]]:
    return {one.name: (one.reads, one.failures) for one in db.servers()}


def doing(db: Database, work: Work) -> Any:
    async def all_of_it() -> Any:
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(all_of_it())


def test_replicas_take_all_readings_in_turn_once_they_are_known(servers):
    async def work(db):
        await until(db, "used", "used")
        before = told(db)
        for _ in range(10):
            await last(db)
        after = told(db)
        return {name: after[name][0] - before[name][0] for name in after}

    assert doing(opened(servers, every(servers)), work) == {"primary": 0, "replica-1": 5, "replica-2": 5}


def test_what_was_written_is_read_at_once_through_any_process(servers):
    other = opened(servers, every(servers))

    async def work(db):
        await until(db, "used", "used")
        before = told(db)["primary"]
        for _ in range(100):
            written = await asyncio.to_thread(add, other)
            assert await last(db) == written
            assert {*await asyncio.gather(*(last(db) for _ in range(10)))} == {written}
        return told(db)["primary"] == before

    assert doing(opened(servers, every(servers), replace(LIMITS, wait=2.0)), work)
    asyncio.run(other.close())


def test_a_replica_that_does_not_go_on_is_waited_for_and_then_left_aside_until_it_has_caught_up(servers):
    slow = servers.replicas[0].address("postgres")

    async def work(db):
        await until(db, "used")
        await asyncio.to_thread(run, slow, "SELECT pg_wal_replay_pause()", "SELECT 1")
        assert await last(db) >= 0  # nothing was written: it is as fresh as the primary
        assert states(db) == ["used"]
        try:
            written = await asyncio.to_thread(add, db)
            begun = time.monotonic()
            assert await last(db) == written
            waited = time.monotonic() - begun
            assert states(db) == ["behind"]
            begun = time.monotonic()
            assert await last(db) == written
            at_once = time.monotonic() - begun
        finally:
            await asyncio.to_thread(run, slow, "SELECT pg_wal_replay_resume()", "SELECT 1")
        await until(db, "used")
        before = told(db)["replica-1"]
        assert await last(db) == written
        return waited >= LIMITS.wait, at_once < LIMITS.wait, before[1], told(db)["replica-1"][0] - before[0]

    assert doing(opened(servers, [slow]), work) == (True, True, 1, 1)


def test_another_replica_is_asked_where_one_is_behind(servers):
    async def work(db):
        await until(db, "used", "used")
        await asyncio.to_thread(run, every(servers)[0], "SELECT pg_wal_replay_pause()", "SELECT 1")
        try:
            before = told(db)["primary"]
            for _ in range(4):
                written = await asyncio.to_thread(add, db)
                assert await last(db) == written
            assert states(db)[0] == "behind"
            return told(db)["primary"] == before
        finally:
            await asyncio.to_thread(run, every(servers)[0], "SELECT pg_wal_replay_resume()", "SELECT 1")

    assert doing(opened(servers, every(servers), replace(LIMITS, wait=0.5)), work)


def test_a_replica_that_is_killed_is_given_up_and_taken_back(servers):
    node: Node = servers.replicas[0]

    async def work(db):
        await until(db, "used")
        await asyncio.to_thread(node.stop)
        written = await asyncio.to_thread(add, db)
        for heavy in (False, True):
            assert await last(db, heavy) == written
        assert states(db)[0].startswith("away: ")
        await asyncio.to_thread(node.start)
        await until(db, "used")
        return written == await last(db)

    assert doing(opened(servers, [node.address("postgres")]), work)


def test_a_replica_that_hangs_is_cut_off(servers, monkeypatch):
    monkeypatch.setattr("app.core.replicas.LIGHT", 0.5)
    node: Node = servers.replicas[0]

    async def work(db):
        await until(db, "used")
        node.signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            found = await asyncio.gather(*(last(db) for _ in range(20)))
            taken = time.monotonic() - begun
            state = states(db)[0]
        finally:
            node.signal(signal.SIGCONT)
        await until(db, "used")
        return len({*found}), taken < 3, state.startswith("away: ")

    assert doing(opened(servers, [node.address("postgres")]), work) == (1, True, True)


def test_a_reading_that_a_replica_breaks_off_is_done_by_the_primary(servers):
    """A replica ends the readings that stand in the way of its log for too long (`max_standby_streaming_delay`)."""
    sleep = Prepared("SELECT pg_sleep(3), pg_is_in_recovery()", (), {})

    async def work(db):
        await until(db, "used")

        async def reading(snapshot):
            await snapshot.all(Prepared("SELECT n FROM number", (), {}), {})
            row = await snapshot.one(sleep, {})
            assert row is not None
            return row[1], states(db)

        slow = asyncio.create_task(db.read(reading, True))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(db.write, lambda connection: connection.execute(text("LOCK TABLE number")))
        await asyncio.to_thread(db.write, lambda connection: connection.execute(text("TRUNCATE number")))
        await asyncio.to_thread(db.write, lambda connection: connection.execute(N.insert().values(n=0)))
        return await slow

    assert doing(opened(servers, [every(servers)[0]], replace(LIMITS, seconds=5)), work) == (False, ["used"])


def test_a_reading_that_takes_too_long_is_not_begun_anew_elsewhere(servers):
    sleep = Prepared("SELECT pg_sleep(10)", (), {})

    async def work(db):
        await until(db, "used")
        before = told(db)["primary"]
        with pytest.raises(Problem, match="longer than the 1 seconds"):
            await db.read(lambda snapshot: snapshot.one(sleep, {}), True)
        return told(db)["primary"] == before, states(db)

    assert doing(opened(servers, [every(servers)[0]], replace(LIMITS, seconds=1)), work) == (True, ["used"])


def test_streams_come_from_a_fresh_replica(servers):
    async def work(db):
        await until(db, "used")
        written = await asyncio.to_thread(add, db)
        before = told(db)["replica-1"][0]
        ask = Prepared("SELECT n, pg_is_in_recovery() FROM number ORDER BY n DESC", (), {})
        found = [row async for _, rows in db.stream([(ask, {})], 2) for row in rows]
        assert found[0] == (written, True)
        return told(db)["replica-1"][0] - before

    assert doing(opened(servers, [every(servers)[0]], replace(LIMITS, wait=2.0)), work) == 1


def test_a_stream_that_cannot_begin_on_a_replica_is_given_by_the_primary(servers):
    node: Node = servers.replicas[0]

    async def work(db):
        await until(db, "used")
        await asyncio.to_thread(node.stop)
        ask = Prepared("SELECT pg_is_in_recovery()", (), {})
        found = [rows async for _, rows in db.stream([(ask, {})])]
        await asyncio.to_thread(node.start)
        return found

    assert doing(opened(servers, [node.address("postgres")]), work) == [[(False,)]]


@pytest.mark.parametrize(
    ("which", "state"),
    [
        ("postgresql://postgres@/postgres?host=/nowhere&port=1", "away: "),
        ("primary", "away: no replica any more"),
        ("other", "no replica of this primary"),
    ],
)
def test_what_is_no_replica_is_never_read(servers, postgresql, which, state):
    address = {"primary": servers.primary.address("postgres"), "other": postgresql}.get(which, which)

    async def work(db):
        written = await asyncio.to_thread(add, db)
        while states(db) == ["not asked yet"]:
            assert await last(db) == written
            await asyncio.sleep(0.02)
        return states(db)[0]

    assert doing(opened(servers, [address]), work).startswith(state)


def test_a_replica_ahead_of_the_primary_follows_another_and_is_not_read(servers):
    """After a failover one may have what the new primary never had: it is behind no mark, and wrong."""

    async def work(db):
        await until(db, "used")
        [replica] = db.engine._replicas._all
        replica.seen += 1 << 40
        await last(db)
        state = states(db)
        await until(db, "used")
        return state

    assert doing(opened(servers, [every(servers)[0]]), work) == ["ahead of the primary"]


def test_without_the_primary_nothing_is_read(servers):
    async def work(db):
        await until(db, "used", "used")
        servers.primary.signal(signal.SIGSTOP)  # it hangs
        try:
            with pytest.raises(Problem, match="does not answer") as hanging:
                await last(db)
            began = time.monotonic()  # the connection was cut, and another one is not let in: nobody waits longer
            with pytest.raises(Problem, match="does not answer"):
                await last(db)
            assert time.monotonic() - began < 2 * TELL + 1
        finally:
            servers.primary.signal(signal.SIGCONT)
        await asyncio.to_thread(servers.primary.stop)
        with pytest.raises(Problem, match="does not answer") as gone:
            await last(db)
        with pytest.raises(Problem, match="does not answer"):
            await anext(db.stream([(Prepared("SELECT 1", (), {}), {})]))
        await asyncio.to_thread(servers.primary.start)
        await until(db, "used", "used")
        return hanging.value.status, gone.value.status

    assert doing(opened(servers, every(servers)), work) == (503, 503)


class TestTold:
    def test_all_who_wait_share_one_asking_that_began_after_they_came(self):
        asked = 0

        async def ask() -> int:
            nonlocal asked
            asked += 1
            mine = asked
            await asyncio.sleep(0.01)
            return mine

        async def work() -> tuple[list[int], int]:
            one = Told(ask)
            first = asyncio.create_task(one.now())
            await asyncio.sleep(0.005)
            others = [asyncio.create_task(one.now()) for _ in range(50)]
            others[0].cancel()  # who goes away takes nobody along
            found = await asyncio.gather(first, *others, return_exceptions=True)
            again = await one.now()
            await one.close()
            return [number for number in found if isinstance(number, int)], again

        assert asyncio.run(work()) == ([1, *[2] * 49], 3)

    def test_each_is_told_what_went_wrong(self):
        async def ask() -> int:
            raise Away("it is away")

        async def work() -> list[str]:
            one = Told(ask)
            found = await asyncio.gather(one.now(), one.now(), return_exceptions=True)
            await one.close()
            return [str(error) for error in found]

        assert asyncio.run(work()) == ["it is away", "it is away"]
