"""Reading has limits: a long one is stopped, and one export too many is told to come back."""

import asyncio

import pytest
from sqlalchemy import Integer, func, literal, select

from app.core.db import Database
from app.core.engine import Limits
from app.core.problems import Problem


@pytest.fixture
def limited(url):
    return Database(url, Limits(threads=1, connections=2, seconds=1, exports=1))


def count_to(many: int):
    numbers = select(literal(1).cast(Integer).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < many))
    return select(func.count()).select_from(numbers)


def test_a_reading_that_takes_too_long_is_stopped_and_the_next_one_works(limited):
    async def work():
        long, short = (limited.prepare(count_to(many)) for many in (1_000_000_000, 10))
        with pytest.raises(Problem) as stopped:
            await limited.read(lambda snapshot: snapshot.one(long, {}), heavy=True)
        row = await limited.read(lambda snapshot: snapshot.one(short, {}), heavy=True)
        await limited.close()
        return stopped.value.status, row

    assert asyncio.run(work()) == (503, (10,))


def test_one_export_more_than_there_may_be_is_told_to_come_back(limited):
    async def work():
        one = limited.prepare(count_to(3))
        first = limited.stream([(one, {})])
        assert await anext(first) == (0, [(3,)])
        with pytest.raises(Problem) as refused:
            await anext(limited.stream([(one, {})]))
        await first.aclose()
        again = [rows async for rows in limited.stream([(one, {})])]
        await limited.close()
        return refused.value.status, again

    assert asyncio.run(work()) == (503, [(0, [(3,)])])
