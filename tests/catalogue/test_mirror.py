"""A mirror that follows the change feed equals what the view is shown, byte for byte, whatever goes wrong meanwhile."""

import random
from contextlib import closing
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from app.catalogue.tables import ROW
from app.intake.restore import restore
from tests.contract.asking import Service
from tests.intake.chance import History

STEPS = {"sqlite": 300, "postgresql": 90}  # transactions; 1,500 and 400 were tried too


class Mirror:
    """A copy that a partner keeps: bodies by address, and the place in the feed up to which it has them.

    By chance an answer is lost, or the partner's process dies after it kept the records and before it kept the place.
    """

    def __init__(self, view: int, whole: bool, seed: int) -> None:
        """Follow a view; `whole`: records come with the feed, else each is asked for."""
        self.view, self.whole, self.chance = view, whole, random.Random(seed)
        self.bodies: dict[str, bytes] = {}
        self.next = f"/v1/changes?limit=7{'&include=record' if whole else ''}"
        self.faults = 0

    def follow(self, service: Service, most: int = 1_000_000) -> None:
        """Take over pages until there is nothing more now."""
        for _ in range(most):
            heard = service.ask(self.next, self.view)
            assert heard.status == 200, heard.body
            if self.chance.random() < 0.1:
                self.faults += 1
                continue
            for one in heard.json["items"]:
                self._take(service, one)
            if self.chance.random() < 0.1:
                self.faults += 1
                continue
            self.next = heard.json["next"]
            if not heard.json["more"]:
                return

    def _take(self, service: Service, one: dict[str, Any]) -> None:
        record = one.get("record")
        if one["change"] in ("removed", "merged"):
            self.bodies.pop(one["url"], None)
        elif self.whole:
            if record is None:
                self.bodies.pop(one["url"], None)
            else:
                self.bodies[one["url"]] = orjson.dumps(record)
        else:
            heard = service.ask(one["url"], self.view)
            assert heard.status in (200, 308, 404)
            self.bodies.pop(one["url"], None) if heard.status != 200 else self.bodies.update({one["url"]: heard.body})


@pytest.mark.parametrize("much", [False, True], ids=["at-once", "deny-first"])
def test_a_mirror_equals_the_source_after_writes_and_faults_by_chance(
    settings, intake, clock, engine, much, monkeypatch
):
    if much:
        for module in ("app.intake.write", "app.intake.deny"):
            monkeypatch.setattr(f"{module}.AT_ONCE", 2)
    mirrors = [Mirror(view, whole, 7 + view) for view in (0, 1, 2) for whole in (True, False)]
    chance = random.Random(3)
    service = Service(settings)

    def after() -> None:
        nonlocal service
        if chance.random() < 0.1:
            chance.choice(mirrors).follow(service, 2)
        if chance.random() < 0.01:  # the service begins anew
            service.close()
            service = Service(settings)
        if much and chance.random() < 0.3:
            restore(intake.writer)

    past = History(intake, clock, 11, after=after, rich=True)
    past.run(STEPS[engine] // (3 if much else 1))
    past.ends = True  # some are withdrawn, some erased, and do not come back
    past.go_on(40)
    restore(intake.writer)
    with closing(service):
        for mirror in mirrors:
            mirror.follow(service)
            assert mirror.faults > 3
        rows = intake.writer.database.look(lambda connection: connection.execute(select(ROW)).all())
    for mirror in mirrors:
        source = {row.id: bytes(row.body) for row in rows if row.view == mirror.view}
        assert {url.rpartition("/")[2]: body for url, body in mirror.bodies.items()} == source
        assert len(source) > 5
