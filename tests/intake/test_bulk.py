"""Much at once: the same catalogue, the same vault and the same log as by the ordinary way, only faster."""

import itertools

import orjson
import pytest

from app.core.crypto import new_key
from app.core.ids import fixed
from app.custody import log
from app.intake import much, rebuild
from app.intake.bulk import Bulk
from app.intake.checking import Good, Lines, check
from app.intake.much import AtOnce
from app.intake.preparing import Preparer, Task
from app.intake.retract import retract
from app.vault.tables import RECORD
from tests.conftest import START
from tests.intake import inline
from tests.intake.deployment import same, values, written
from tests.intake.house import (
    ONE_ENGINE,
    OWNER,
    PUBLIC,
    WORLD,
    an_incident,
    filed,
    rows_of,
    submit,
)


@pytest.mark.parametrize(("closed", "empty"), [(False, False), (True, False), (False, True)])
def test_much_at_once_is_the_same_as_one_after_another(deploy, tmp_path, monkeypatch, closed, empty):
    begun, begin = list[bool](), Bulk.begin
    monkeypatch.setattr(Bulk, "begin", lambda *args, **names: begun.append(True) or begin(*args, **names))  # type: ignore[func-returns-value]
    monkeypatch.setattr(much, "workers", inline.workers)
    monkeypatch.setattr(much, "LITTLE", 0)
    monkeypatch.setattr(much, "OPEN", 25)
    monkeypatch.setattr(much, "CLOSED", 25)
    path = written(tmp_path, values())
    slow, fast = deploy(), deploy()
    assert slow.load(path).created == len(values())
    assert fast.writer.is_empty()
    report = fast.load(path, AtOnce(fast.settings, closed, fast.writer.is_empty() and empty))
    assert bool(begun) == (closed or empty)
    assert (report.faults, report.created, report.revised, report.unchanged) == ([], len(values()), 0, 0)
    same(slow, fast)
    assert filed(fast.database, PUBLIC, "place", "hidden") == set()
    # Again, with one of them changed and one new.
    some = [an_incident(fixed("inc", "3"), note={"en": "new"}), an_incident(fixed("inc", "new")), *values()[-20:]]
    path = written(tmp_path, some)
    assert slow.load(path).unchanged == 20
    report = fast.load(path, AtOnce(fast.settings, closed, fast.writer.is_empty()))
    assert (report.created, report.revised, report.unchanged) == (1, 1, 20)
    same(slow, fast)


def test_by_real_processes_and_made_anew_by_real_processes(deploy, tmp_path):
    path = written(tmp_path, values())
    slow, fast = deploy(), deploy()
    slow.load(path)
    assert fast.load(path, AtOnce(fast.settings, closed=True)).created == len(values())
    same(slow, fast)
    assert rebuild.rebuild(fast.writer, fast.settings).changed == 0
    same(slow, fast)
    assert [one.name for one in fast.settings.home.iterdir() if one.is_dir()] == []


@ONE_ENGINE
def test_one_that_names_what_a_later_line_brings_goes_the_ordinary_way(deploy, tmp_path, monkeypatch):
    monkeypatch.setattr(much, "workers", inline.workers)
    monkeypatch.setattr(much, "LITTLE", 0)
    instruments = [
        {"kind": "instrument", "id": f"i-{n}", "title": {"en": "A"}, "type": "law", "body": "A", "ends": [f"i-{n + 1}"]}
        for n in range(3)
    ]
    path = written(tmp_path, [*instruments, instruments[0] | {"id": "i-3", "ends": []}])
    slow, fast = deploy(), deploy()
    assert slow.load(path).created == fast.load(path, AtOnce(fast.settings, closed=False)).created == 4
    same(slow, fast)


@ONE_ENGINE
def test_a_load_with_a_bad_line_applies_nothing_at_once_either(deploy, tmp_path):
    one = deploy()
    report = one.load(
        written(tmp_path, [*values(), an_incident(places=["nowhere"])]), AtOnce(one.settings, closed=True)
    )
    assert not report.applied and len(report.faults) == 1
    assert rows_of(one.database, RECORD) == []


def test_what_was_prepared_before_somebody_else_wrote_is_not_taken(deploy):
    one = deploy()
    submit(one.intake, *WORLD)
    with one.database.series() as series:
        _two_writers(one, Bulk(one.writer, series))


def test_what_somebody_else_kept_a_key_for_meanwhile_is_not_taken(deploy):
    one = deploy()
    submit(one.intake, *WORLD)
    with one.database.series() as series:
        bulk, preparer, key = Bulk(one.writer, series), Preparer(one.writer.twin()), new_key()
        id = fixed("inc", "twice")

        def prepare():
            (good,) = check(one.intake, Lines(OWNER, key, [orjson.dumps(an_incident(id, places=["camp"]))]))
            assert isinstance(good, Good)
            return preparer.prepare(Task(OWNER, START, key, [good.id], [good.sealed], bulk.alone_since))

        prepared = prepare()
        one.writer.vault.keys.make([id])  # by another load of the same, which is about to write, or was cut short
        size = one.database.look(log.size)
        assert not bulk.write([prepared])
        assert one.database.look(log.size) == size
        assert bulk.write([prepare()])
    assert one.database.look(lambda connection: one.writer.vault.read(connection, [id]))[id].content["places"] == [
        "camp"
    ]


def _two_writers(one, bulk):
    preparer, numbers, key = Preparer(one.writer.twin()), itertools.count(), new_key()

    def prepare():
        incident = an_incident(fixed("inc", str(next(numbers))), places=["camp", "south"])
        (good,) = check(one.intake, Lines(OWNER, key, [orjson.dumps(incident)]))
        assert isinstance(good, Good)
        return preparer.prepare(Task(OWNER, START, key, [good.id], [good.sealed], bulk.alone_since))

    first, second = prepare(), prepare()
    assert bulk.write([first])
    third = prepare()
    assert retract(one.writer, "camp", OWNER, "a test")  # somebody else writes
    assert not bulk.write([second]) and not bulk.write([third])
    fourth = prepare()  # by a worker that met the place when it was there
    assert bulk.write([fourth])
    assert filed(one.database, PUBLIC, "place", "camp") == set()
    assert filed(one.database, PUBLIC, "place", "south") == {fixed("inc", "0"), fixed("inc", "3")}
