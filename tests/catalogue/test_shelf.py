"""The shelf: what is in memory, when it is loaded, and when it is let go or not used."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from app.catalogue import asked, gather, shelf, spans, state
from app.catalogue.columns import BYTES, Columns
from app.catalogue.gather import Key
from app.catalogue.query import Queries
from app.catalogue.resolve import Resolver
from app.catalogue.shelf import Shelf
from app.catalogue.tables import term_id
from app.core import migrations
from app.core.db import Database, Snapshot
from app.records import BY_PATH
from app.vocabulary.edtf import bounds
from tests.catalogue.seed import One, fill, incident, set_view
from tests.intake.house import WORLD, an_incident, submit

ROW = BYTES + spans.BYTES


class Small:
    """A shelf over a small view, and ways to ask it as requests do."""

    def __init__(self, url: str, megabytes: int = 1) -> None:
        self.database = Database(url)
        self.queries = Queries(self.database)
        self.warnings: list[str] = []
        self.shelf = Shelf(self.database, self.queries, megabytes, self.warnings.append)

    async def take(self, raw: str = "", path: str = "incidents", generation: int | None = None) -> Columns | None:
        """Return what a request is given."""

        async def reading(snapshot: Snapshot) -> Columns | None:
            now = await state.read(snapshot, self.queries, 0)
            found = await Resolver(snapshot, self.queries, 0).resolve(asked.read(BY_PATH[path], raw.encode()), None, "")
            return await self.shelf.columns(snapshot, generation or now.generation, found)

        return await self.database.read(reading, heavy=True)

    async def had(self, raw: str = "", path: str = "incidents") -> Columns:
        """Return what a request is given, which is there."""
        columns = await self.take(raw, path)
        assert columns is not None
        return columns

    async def load(self) -> None:
        """Load what is wanted, and wait for it."""
        self.shelf.load()
        while self.shelf._loading is not None and not self.shelf._loading.done():
            await asyncio.sleep(0.005)

    async def first(self, raw: str = "") -> None:
        """Ask for what is not there, and have it loaded."""
        assert await self.take(raw) is None
        await self.load()


@pytest.fixture
def small(engine, new_database, monkeypatch):
    monkeypatch.setattr(shelf, "LEAST", 1)
    url = new_database(engine)
    database = Database(url)
    migrations.upgrade(database)
    dates, filed = ["2003", "2004", None], [{"violation": ["x"]}, {"violation": ["x", "y"]}, {}]
    ones = [One("incident", incident(str(n)), {}, date, filed[n]) for n, date in enumerate(dates)]
    violations = [One("violation", name, {"parent": None}) for name in "xy"]
    fill(database, [*ones, *violations, One("place", "somewhere", {}, "2003")], generation=7)
    asyncio.run(database.close())
    return Small(url)


def run(small: Small, work: Callable[[], Awaitable[None]]) -> None:
    async def _run() -> None:
        try:
            await work()
        finally:
            await small.shelf.close()
            await small.database.close()

    asyncio.run(_run())


def test_what_is_not_there_is_loaded_beside_the_requests(small):
    async def work() -> None:
        assert await small.take() is None
        assert small.shelf.size == 0
        await small.load()
        columns = await small.had()
        assert (columns.generation, len(columns), columns.undated, small.shelf.size) == (7, 3, 1, 3 * ROW)
        await small.first("violation=x")
        assert [len(await small.had(raw)) for raw in ("", "violation=x")] == [3, 2]

    run(small, work)


def test_only_plain_questions_about_dated_kinds_have_columns(small):
    async def work() -> None:
        for raw in ("violation=x&violation=y", "violation=x&owner=us", f"ids={incident('0')}", "corroboration_min=1"):
            await small.first(raw)
        assert await small.take(path="violations") is None
        await small.load()
        assert small.shelf.size == 0

    run(small, work)


def test_several_filters_are_counted_in_the_columns_of_all_rows(small, monkeypatch):
    monkeypatch.setattr(shelf, "LEAST_OF_SEVERAL", 1)

    async def work() -> None:
        for _ in range(2):  # first the rows, then what they are filed under
            await small.first("violation=x&owner=us")
        assert [len(await small.had(raw)) for raw in ("violation=x&owner=us", "violation=y&owner=us")] == [2, 1]
        assert await small.take("violation=x&owner=us&corroboration_min=1") is None
        assert small.shelf.size > 3 * ROW

    run(small, work)


def test_what_has_too_many_values_is_left_to_statements(small, monkeypatch):
    monkeypatch.setattr(shelf, "LEAST_OF_SEVERAL", 1)
    monkeypatch.setattr(gather, "TERMS", 1)

    async def work() -> None:
        for _ in range(3):
            await small.first("violation=x&owner=us")
        assert {key.facet for key in small.shelf._never} == {"violation"}

    run(small, work)


def test_what_is_loaded_at_the_start_is_there_for_the_first_who_asks(small):
    async def work() -> None:
        small.shelf.begin(0, ["incident", "place"])
        await small.load()
        assert [len(await small.had(path=path)) for path in ("incidents", "places")] == [3, 1]

    run(small, work)


def test_few_rows_are_left_to_statements(small, monkeypatch):
    monkeypatch.setattr(shelf, "LEAST", 3)

    async def work() -> None:
        small.shelf.begin(0, ["incident", "place"])
        await small.load()
        assert len(await small.had()) == 3
        assert await small.take(path="places") is None
        await small.first("violation=x")
        assert small.shelf.size == 3 * ROW

    run(small, work)


def test_an_older_snapshot_is_never_given_what_is_newer(small):
    async def work() -> None:
        await small.first()
        assert await small.take(generation=6) is None
        assert not small.shelf._wanted

    run(small, work)


def test_a_gap_in_the_history_has_all_read_anew(small):
    async def work() -> None:
        await small.first()
        set_view(small.database, generation=9)
        await small.first()
        assert (await small.had()).generation == 9

    run(small, work)


def test_columns_that_are_not_as_many_as_counted_are_not_used(small):
    async def work() -> None:
        await small.first()
        small.shelf._kept[Key(0, "incident")] = (await small.had()).forward(7, [0], [(0, 1, 1, 1, 1)])
        await small.first()
        assert len(await small.had()) == 3

    run(small, work)


def test_what_was_not_asked_for_longest_is_let_go(small):
    async def work() -> None:
        small.shelf._most = 5 * ROW
        await small.first()
        await small.first("violation=x")
        assert await small.had()
        await small.first("violation=y")
        assert [*small.shelf._kept] == [Key(0, "incident"), Key(0, "incident", term_id("incident", "violation", "y"))]
        small.shelf._most = 2 * BYTES
        await small.first()  # more than there is room for: it is not even looked at
        assert small.shelf.size == 4 * ROW

    run(small, work)


def test_without_memory_nothing_is_ever_loaded(small):
    async def work() -> None:
        small.shelf._most = 0
        small.shelf.begin(0, ["incident"])
        await small.first()
        assert (small.shelf.size, small.shelf._loading) == (0, None)

    run(small, work)


def test_many_rows_come_in_chunks(small, monkeypatch):
    monkeypatch.setattr(gather, "CHUNK", 1)

    async def work() -> None:
        await small.first()
        assert len(await small.had()) == 3

    run(small, work)


def test_a_view_that_does_not_answer_is_not_loaded_from(small):
    async def work() -> None:
        set_view(small.database, state="building")
        for view in (0, 1):
            small.shelf.begin(view, ["incident"])
        await small.load()
        assert (small.shelf.size, small.warnings, small.shelf._wanted) == (0, [], {})

    run(small, work)


def test_what_goes_wrong_is_said_and_tried_again_when_it_is_asked_for(small, monkeypatch):
    async def fail(*_: object) -> Columns:
        raise OSError("gone")

    async def work() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(small.shelf._gather, "whole", fail)
            await small.first()
        assert small.warnings == ["columns could not be loaded: OSError"]
        await small.first()
        assert len(await small.had()) == 3

    run(small, work)


def test_one_thing_is_loaded_at_a_time_and_once(small, monkeypatch):
    whole, under_way, most, read = small.shelf._gather.whole, 0, 0, list[Key]()

    async def watched(snapshot: Snapshot, key: Key, generation: int, n: int) -> Columns:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        read.append(key)
        time.sleep(0.02)
        columns: Columns = await whole(snapshot, key, generation, n)
        under_way -= 1
        return columns

    async def ask(raw: str) -> None:
        await small.take(raw)
        small.shelf.load()

    async def work() -> None:
        monkeypatch.setattr(small.shelf._gather, "whole", watched)
        await asyncio.gather(*[ask(raw) for raw in ("", "violation=x", "violation=y", "")])
        await small.load()
        assert (most, len(read), len(set(read))) == (1, 3, 3)

    run(small, work)


def test_many_changes_are_taken_in_beside_the_requests(intake, settings, monkeypatch):
    monkeypatch.setattr(shelf, "LEAST", 1)
    monkeypatch.setattr(shelf, "SOON", 1)
    cases = [an_incident(incident(str(n)), date="2003") for n in range(20)]
    submit(intake, *WORLD, *cases)
    small = Small(settings.database_url)

    async def work() -> None:
        await small.first()
        for dates in (["2004"], ["2005", "2006"]):
            changed = [an_incident(incident(str(n)), date=date) for n, date in enumerate(dates)]
            await asyncio.to_thread(submit, intake, *changed)
            assert (await small.take() is None) is (len(dates) > 1)
        with monkeypatch.context() as patch:
            patch.setattr(small.shelf._gather, "whole", None)  # five changes or fewer of twenty rows: not read anew
            await small.load()
        s0 = (await small.had()).dates.s0.tolist()
        assert [s0.count(bounds(date).s0) for date in ("2003", "2004", "2005", "2006")] == [18, 0, 1, 1]

    run(small, work)


def test_where_there_is_no_room_for_their_orders_columns_do_without(small):
    async def work() -> None:
        small.shelf._most = 4 * BYTES
        await small.first()
        assert (await small.had()).spans is None
        assert (small.shelf.size, small.shelf._wanted) == (3 * BYTES, {})

    run(small, work)


def test_orders_that_were_given_up_are_made_anew_beside_the_requests(small):
    async def work() -> None:
        await small.first()
        key = Key(0, "incident")
        small.shelf._kept[key] = replace(await small.had(), spans=None)
        assert (await small.had()).spans is None
        await small.load()
        assert (await small.had()).spans is not None

    run(small, work)
