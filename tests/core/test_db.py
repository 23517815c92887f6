"""The database, on both engines: readers see one snapshot and cannot write, a write is whole or nothing."""

import asyncio
import stat
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, delete, insert, select, text

from app.core.db import Database, DatabaseError, Prepared
from app.core.engine import Limits

THING = Table("thing", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False), Column("name", String))
ALL = select(THING).order_by(THING.c.id)
WRITES = [
    "INSERT INTO thing VALUES (9, 'i')",
    "UPDATE thing SET name = 'x'",
    "DELETE FROM thing",
    "DROP TABLE thing",
    "CREATE TABLE other (id integer)",
]
A, B, C = (1, "a"), (2, "b"), (3, "c")


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    """A database with one table of three rows."""
    database = Database(url, Limits(threads=2, connections=2, exports=2))
    database.write(lambda connection: THING.metadata.create_all(connection))
    add(database, A, B, C)
    yield database
    asyncio.run(database.close())


def add(db: Database, *rows, or_ignore: bool = False) -> None:
    db.write(lambda connection: db.insert(connection, THING, rows, or_ignore))


def things(db: Database) -> list[tuple[int, str]]:
    return db.look(lambda connection: [tuple(row) for row in connection.execute(ALL)])


def ask(db: Database, *askings):
    """Run readings one after another and give the connections back, which belong to the loop."""

    async def work():
        try:
            return [await asking() for asking in askings]
        finally:
            await db.close()

    return asyncio.run(work())


@pytest.mark.parametrize("heavy", [False, True])
def test_readings(db, heavy):
    every, one = db.prepare(ALL), db.prepare(select(THING.c.name).where(THING.c.id == bindparam("id")))
    found = ask(
        db,
        lambda: db.read(lambda snapshot: snapshot.all(every, {}), heavy),
        lambda: db.read(lambda snapshot: snapshot.one(every, {}), heavy),
        lambda: db.read(lambda snapshot: snapshot.all(one, {"id": 2}), heavy),
        lambda: db.read(lambda snapshot: snapshot.one(one, {"id": 4}), heavy),
    )
    assert found == [[A, B, C], A, [("b",)], None]


def test_a_prepared_statement_keeps_its_constants_and_wants_its_values(db):
    named = THING.c.name.in_([bindparam("first"), bindparam("second")])
    statement = db.prepare(select(THING.c.id).where(named, THING.c.id < 3).order_by(THING.c.id))
    assert set(statement.names) == {"first", "second", "id_1"}
    assert statement.constants == {"id_1": 3}
    assert ask(db, lambda: db.read(lambda one: one.all(statement, {"second": "c", "first": "b"}))) == [[(2,)]]
    with pytest.raises(KeyError, match="first"):
        statement.values({"second": "c"})


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("write", WRITES)
def test_a_reading_cannot_write(db, write, heavy):
    statement = Prepared(write, (), {})
    with pytest.raises(Exception, match="(?i)read-?only"):
        ask(db, lambda: db.read(lambda snapshot: snapshot.all(statement, {}), heavy))
    assert things(db) == [A, B, C]


@pytest.mark.parametrize("write", WRITES)
def test_a_look_cannot_write(db, write):
    with pytest.raises(Exception, match="(?i)read-?only"):
        db.look(lambda connection: connection.exec_driver_sql(write))
    assert things(db) == [A, B, C]


@pytest.mark.parametrize("write", WRITES)
def test_a_stream_cannot_write(db, write):
    async def work():
        return [rows async for rows in db.stream([(Prepared(write, (), {}), {})])]

    with pytest.raises(Exception, match="(?i)read-?only"):
        ask(db, work)
    assert things(db) == [A, B, C]


def test_a_write_that_fails_leaves_nothing(db):
    def work(connection):
        db.insert(connection, THING, [(4, "d")])
        db.many(connection, text("UPDATE thing SET name = :name WHERE id = :id"), [("x", 1)])
        connection.execute(delete(THING).where(THING.c.id == 2))
        assert connection.scalar(select(THING.c.name).where(THING.c.id == 1)) == "x"
        raise RuntimeError("failed")

    with pytest.raises(RuntimeError, match="failed"):
        db.write(work)
    assert things(db) == [A, B, C]
    add(db, (4, "d"))
    assert things(db) == [A, B, C, (4, "d")]


def test_a_write_gives_back_what_its_work_does(db):
    assert db.write(lambda connection: connection.scalar(select(THING.c.name).where(THING.c.id == 3))) == "c"


def test_a_row_that_is_there_already_is_refused_or_ignored(db):
    with pytest.raises(Exception, match="(?i)unique"):
        add(db, (4, "d"), (2, "x"))
    assert things(db) == [A, B, C]
    add(db, (4, "d"), (2, "x"), or_ignore=True)
    assert things(db) == [A, B, C, (4, "d")]
    with pytest.raises(Exception, match="(?i)unique"):  # what ignoring made is not kept for later
        add(db, (2, "x"))


def test_rows_come_from_an_iterator_and_may_be_none(db):
    for or_ignore in (False, True):
        db.write(lambda connection, ignore=or_ignore: db.insert(connection, THING, iter(()), ignore))
    db.write(lambda connection: db.insert(connection, THING, ((n, str(n)) for n in range(10, 1210))))
    assert things(db)[3:] == [(n, str(n)) for n in range(10, 1210)]


def test_a_statement_for_many_rows(db):
    rename = text("UPDATE thing SET name = :name WHERE id = :id")
    db.write(lambda connection: db.many(connection, rename, iter([("x", 1), ("z", 3), ("none", 99)])))
    db.write(lambda connection: db.many(connection, rename, iter(())))
    assert things(db) == [(1, "x"), B, (3, "z")]


def test_tables_are_emptied_and_with_the_transaction_filled_again(db):
    def work(connection):
        db.empty(connection, [THING])
        assert connection.execute(ALL).all() == []
        raise RuntimeError("failed")

    with pytest.raises(RuntimeError, match="failed"):
        db.write(work)
    assert things(db) == [A, B, C]
    db.write(lambda connection: db.empty(connection, [THING]))
    assert things(db) == []


@pytest.mark.parametrize("heavy", [False, True])
def test_a_reading_sees_one_snapshot_while_another_writes(db, heavy):
    every = db.prepare(ALL)

    async def reading(snapshot):
        before = await snapshot.all(every, {})
        add(db, (4, "d"))
        return before, await snapshot.all(every, {})

    found = ask(db, lambda: db.read(reading, heavy), lambda: db.read(lambda snapshot: snapshot.all(every, {}), heavy))
    assert found == [([A, B, C], [A, B, C]), [A, B, C, (4, "d")]]


def test_a_look_sees_one_snapshot_while_another_writes(db, url):
    other = Database(url)

    def work(connection):
        before = connection.execute(ALL).all()
        add(other, (4, "d"))
        return before, connection.execute(ALL).all()

    assert db.look(work) == ([A, B, C], [A, B, C])
    assert things(db) == [A, B, C, (4, "d")]
    asyncio.run(other.close())


def test_a_stream_gives_batches_of_all_questions_from_one_snapshot_while_another_writes(db):
    every = db.prepare(ALL)
    none = db.prepare(ALL.where(THING.c.id > bindparam("over")))

    async def work():
        stream = db.stream([(every, {}), (none, {"over": 3}), (none, {"over": 1}), (every, {})], batch=2)
        found = [await anext(stream)]
        add(db, (4, "d"))
        return found + [rows async for rows in stream]

    expected = [(0, [A, B]), (0, [C]), (2, [B, C]), (3, [A, B]), (3, [C])]
    assert ask(db, work) == [expected]
    assert things(db) == [A, B, C, (4, "d")]


def test_a_stream_that_is_left_gives_its_place_back(db):
    every = db.prepare(ALL)

    async def work():
        for _ in range(5):  # of two at once
            stream = db.stream([(every, {})], batch=1)
            assert await anext(stream) == (0, [A])
            await stream.aclose()
        return [rows async for rows in db.stream([(every, {})])]

    assert ask(db, work) == [[(0, [A, B, C])]]


def test_a_reading_that_fails_leaves_the_reader_usable(db):
    every = db.prepare(ALL)

    async def failing(snapshot):
        await snapshot.one(every, {})
        raise RuntimeError("failed")

    async def work():
        found = []
        for heavy in (False, True):
            with pytest.raises(RuntimeError, match="failed"):
                await db.read(failing, heavy)
            found.append(await db.read(lambda snapshot: snapshot.one(every, {}), heavy))
        return found

    assert ask(db, work) == [[A, A]]


def test_writers_take_turns(url):
    """Each adds one to what it read: with two at once, some would be lost."""
    first, second = Database(url), Database(url)
    first.write(lambda connection: THING.metadata.create_all(connection))
    add(first, (1, "0"))

    def count(connection):
        seen = int(connection.scalar(select(THING.c.name)))
        connection.exec_driver_sql(f"UPDATE thing SET name = '{seen + 1}'")

    def work(db):
        for _ in range(10):
            db.write(count)

    threads = [threading.Thread(target=work, args=(db,)) for db in (first, second, first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert things(first) == [(1, "30")]
    for db in (first, second):
        asyncio.run(db.close())


def test_a_look_that_is_under_way_ends_before_the_database_is_closed(db):
    """The service ends while threads still look: none of them may wait for ever, or the process never ends."""
    begun, seen = threading.Event(), list[list[tuple[int, str]]]()

    def slowly(connection):
        begun.set()
        time.sleep(0.2)
        return [tuple(row) for row in connection.execute(ALL)]

    def look() -> None:
        seen.append(db.look(slowly))

    threads = [threading.Thread(target=look, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(5)
    asyncio.run(db.close())
    for thread in threads:
        thread.join(10)
    assert seen == [[A, B, C]] * 3


def test_a_reading_of_sqlite_that_waits_for_something_else_is_refused(new_database):
    """It runs on the event loop: whatever it waited for would wait for it."""
    db = Database(new_database("sqlite"))
    db.write(lambda connection: THING.metadata.create_all(connection))
    db.write(lambda connection: connection.execute(insert(THING).values(id=1, name="a")))
    every = db.prepare(ALL)

    async def waiting(snapshot):
        await asyncio.sleep(0)
        return await snapshot.all(every, {})

    async def work():
        for heavy in (False, True):
            with pytest.raises(RuntimeError, match="waited for something else"):
                await db.read(waiting, heavy)
            assert await db.read(lambda snapshot: snapshot.all(every, {}), heavy) == [A]

    ask(db, work)


def test_a_server_that_is_not_there_is_an_error_that_says_no_password():
    db = Database("postgresql://user:secret@127.0.0.1:1/none")
    with pytest.raises(DatabaseError, match="the PostgreSQL server cannot be reached") as refused:
        db.write(lambda connection: None)
    assert "secret" not in str(refused.value)
    asyncio.run(db.close())


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="the folder of the database cannot be made"):
        Database(f"sqlite:///{tmp_path}/file/inner/evidence.db")


def test_a_folder_that_is_made_is_closed_to_others_and_one_that_was_there_is_left_as_it_is(tmp_path):
    (tmp_path / "there").mkdir(mode=0o755)
    for name, mode in (("there", 0o755), ("new", 0o700)):
        asyncio.run(Database(f"sqlite:///{tmp_path}/{name}/evidence.db").close())
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


def test_who_waits_to_write_is_not_overtaken(db, url):
    """As a narrowing beside a load: one writer takes the lock again and again, another waits for it once."""
    other = Database(url)
    begun, done, met = threading.Event(), threading.Event(), list[int]()
    count = 0

    def load() -> None:
        nonlocal count
        while not done.is_set():
            db.write(lambda _: time.sleep(0.05))
            count += 1
            begun.set()

    def narrow() -> None:
        begun.wait(20)
        before = count
        other.write(lambda _: met.append(count - before))
        done.set()

    threads = [threading.Thread(target=work) for work in (load, narrow)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    done.set()
    asyncio.run(other.close())
    assert len(met) == 1 and met[0] <= 2  # the one under way, and the one that stood before it


def test_rows_are_deleted_and_changed_by_their_keys(db):
    db.write(lambda connection: db.delete(connection, THING, ("id", "name"), [C, A, (2, "not-this")]))
    assert things(db) == [B]
    db.write(lambda connection: db.change(connection, THING, ("id", "name"), [(2, "z"), (9, "absent")]))
    assert things(db) == [(2, "z")]
    db.write(lambda connection: db.delete(connection, THING, ("id", "name"), []))
    db.write(lambda connection: db.change(connection, THING, ("id", "name"), []))
    assert things(db) == [(2, "z")]


def test_a_transaction_may_keep_more_in_memory_and_gives_it_back(new_database):
    database = Database(new_database("sqlite"))

    def cache(connection):
        return connection.exec_driver_sql("PRAGMA cache_size").scalar()

    def work(connection):
        before = cache(connection)
        with pytest.raises(ValueError, match="stop"), database.roomy(connection):
            during = cache(connection)
            raise ValueError("stop")
        return before, during, cache(connection)

    before, during, after = database.write(work)
    assert (before, during) == (after, -131_072)
    asyncio.run(database.close())
