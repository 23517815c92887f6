"""Deny first, in histories drawn by chance: nothing wider is shown in between, and all is right in the end."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.catalogue.tables import ROW
from app.intake import journal, views
from app.intake import rebuild as module
from app.intake.publish import Publisher
from app.intake.rebuild import rebuild
from app.intake.restore import restore
from app.intake.write import Writer
from tests.conftest import Clock
from tests.intake import inline
from tests.intake.chance import IDS, History
from tests.intake.house import OWNER, Value, at_once, catalogue, check_log, step
from tests.often import often

OWNERS = (OWNER, "ngo-b")
EVERY_ID = {id for ids in IDS.values() for id in ids}
NUMBERS = ("revision", "updated")


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """What is made anew is made in this process."""
    monkeypatch.setattr(module, "workers", inline.workers)


def forms(database) -> dict[tuple[int, str], Value]:
    """Return what views are shown, but for the numbers that tell how often it changed."""
    rows = database.look(lambda c: c.execute(select(ROW.c.view, ROW.c.id, ROW.c.body)).all())
    bodies = {(view, id): orjson.loads(body) for view, id, body in rows}
    return {key: {name: value for name, value in one.items() if name not in NUMBERS} for key, one in bodies.items()}


def filed(database) -> dict[str, set[Any]]:
    tables = catalogue(database)
    return {name: set(tables[name]) for name in ("posting", "spot", "term", "term_count")}


def is_wider(one: Value, settled: Value) -> bool:
    """Tell whether a form says more of place or date, or names more, than the one that it should be by now."""
    for name in ("date", "given", "left"):
        mine, its = one.get(name), settled.get(name)
        if mine and (not its or len(mine["edtf"].rstrip("?")) > len(its["edtf"].rstrip("?"))):
            return True
    lists = ("testimonies", "actors", "violations", "same_witness", "named_in", "contradicted_by")
    mine, its = ({person for act in each.get("acts") or () for person in act["people"]} for each in (one, settled))
    return not mine <= its or any(not set(one.get(name) or ()) <= set(settled.get(name) or ()) for name in lists)


def is_behind(key: tuple[int, str], form: Value, settled: Sequence[dict[tuple[int, str], Value]]) -> bool:
    """Tell whether a form is one of before, of an incident that tells more by now, for which it names fewer accounts.

    These are told of as they were: nobody allows less than before.
    """
    view, now = key[0], settled[-1]
    finer = set(now[key].get("places") or ()) - set(form.get("places") or ()) or now[key].get("date") != form["date"]
    ties = [*(form.get("testimonies") or ()), *(form.get("contradicted_by") or ())]
    ties += [person for act in form.get("acts") or () for person in act["people"]]

    def allows_less(then: dict[tuple[int, str], Value], one: str) -> bool:
        was, its = then.get((view, one)), now.get((view, one))
        return was is None or its is None or is_wider(was, its)

    return bool(finer) and any(
        then.get(key) == form and not any(allows_less(then, one) for one in ties) for then in settled
    )


def named_in(value: object) -> Iterator[str]:
    """Yield the records that a form names."""
    if isinstance(value, dict):
        for one in value.values():
            yield from named_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from named_in(one)
    elif isinstance(value, str) and value in EVERY_ID:
        yield value


@pytest.fixture(scope="module")
def pair(engine, new_database, tmp_path_factory):
    from tests.intake.deployment import Deployment

    both = [Deployment(new_database(engine), tmp_path_factory.mktemp("pair") / "home") for _ in range(2)]
    for one in both:
        views.create(one.writer, "mechanism:ohchr", "criminal-proceedings", ("fair-trial",))
        for owner in OWNERS:
            views.create(one.writer, *views.OWN, owner=owner)
        views.prepare(one.writer, one.settings.home)
    yield both
    for one in both:
        one.close()


def begin(one) -> Clock:
    from tests.contract.vault import OpenVault, empty

    empty(OpenVault(one.settings, one.database, Clock(), one.writer, one.intake))
    one.writer.clock = clock = Clock()
    one.writer.world.forget()
    one.writer.publisher.forget()
    return clock


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.prove
def test_any_history_ends_as_in_one_go_and_shows_nothing_wider_on_the_way(pair, monkeypatch, engine):
    examples = 20 if engine == "sqlite" else 3

    @settings(
        max_examples=often(examples),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 10**6), st.integers(0, 2), st.booleans())
    @example(230838, 0, False)  # accounts that name one another took each other away, and came back, for ever
    @example(2746, 0, False)  # one of two that name one another went, and the other went on naming it
    @example(38, 1, False)  # sources that derive from one another were taken for ones that wait for each other
    def alike(seed, number, rich):
        whole, cut = pair
        owners = OWNERS if rich else (OWNER,)
        settled: list[dict[tuple[int, str], Value]] = []
        at_once(monkeypatch, 10**6)
        past = History(whole.intake, begin(whole), seed, True, rich=rich, owners=owners)
        past.after = lambda: settled.append(forms(whole.database))
        past.run(14)
        at_once(monkeypatch, number)
        chance = random.Random(seed)
        steps = iter(range(1, len(settled) + 1))

        def compare(until: int) -> None:
            now, there = settled[until - 1], forms(cut.database)
            for key, form in there.items():
                assert all((key[0], one) in there for one in named_in(form)), key
                assert key in now, key
                wider = is_wider(form, now[key]) and not is_behind(key, form, settled[:until])
                assert not wider, (key, form, now[key])

        def after() -> None:
            now = next(steps)
            compare(now)
            for _ in range(chance.choice([0, 0, 1, 3, 50])):
                if chance.random() < 0.2:
                    killed(monkeypatch, cut.writer)
                elif not step(cut.writer, chance.choice([1, 2, 5])):
                    break
                compare(now)

        History(cut.intake, begin(cut), seed, True, after, rich, owners).run(14)
        restore(cut.writer)
        assert cut.database.look(journal.is_empty)
        assert forms(cut.database) == forms(whole.database)
        assert filed(cut.database) == filed(whole.database)
        check_log(cut.writer)
        before = catalogue(cut.database)
        assert rebuild(cut.writer, cut.settings).changed == 0
        assert catalogue(cut.database) == before

    alike()


def killed(monkeypatch, writer: Writer) -> None:
    """Go on with the journal and be killed before the transaction is done."""
    if writer.database.look(journal.is_empty):
        return

    def die(*_):
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(Publisher, "disclose", die)
        with pytest.raises(Killed):
            step(writer, 3)
