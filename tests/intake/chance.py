"""A history of submissions, revisions, removals, expiries and objections, drawn by chance, the same for a seed."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from app.core.ids import fixed
from app.core.moments import end_of
from app.intake.erase import erase
from app.intake.linking import linking
from app.intake.merging import Unmergeable
from app.intake.objecting import To, Unobjectable, object_to
from app.intake.retract import expire, retract, withdraw
from app.intake.submit import Intake
from app.records.consent import SCALES
from tests.conftest import Clock
from tests.intake.house import (
    OWNER,
    Value,
    a_person,
    a_place,
    a_source,
    a_testimony,
    a_violation,
    apart,
    consent,
    submit,
    together,
)

DAY = 86_400_000
IDS: dict[str, list[str]] = {
    "source": [f"src-{n}" for n in range(4)],
    "crime": ["crime-a", "crime-b"],
    "place": [f"place-{n}" for n in range(6)],
    "violation": [f"violation-{n}" for n in range(4)],
    "person": [fixed("per", str(n)) for n in range(3)],
    "actor": [fixed("act", "0"), "unit-a", "unit-b"],
    "testimony": [fixed("tst", str(n)) for n in range(6)],
    "incident": [fixed("inc", str(n)) for n in range(5)],
    "link": ["link-a", "link-b"],
}
DATES = [None, "2003", "2003-04", "2003-04-05", "2004-01-02/2005", "1999/..", "2003-04-05?"]
KEPT = {"src-0", "src-1"}  # are never taken back, so that a link has something to tie
EXPIRIES = [None, None, "2023-11-20", "2023-12-01", "2024-02-03"]


class History:
    """One history; `live` are the ids that a new record may name."""

    def __init__(
        self,
        intake: Intake,
        clock: Clock,
        seed: int,
        ends: bool = False,
        after: Callable[[], None] = lambda: None,
        rich: bool = False,
        owners: Sequence[str] = (OWNER,),
    ) -> None:
        """Draw a history. `after` is called after each step.

        Args:
            intake: takes it in.
            clock: goes on in it.
            seed: says which it is.
            ends: records are also withdrawn and erased.
            after: is called after each step.
            rich: records are also merged into one another and come apart again, people are linked, and some are
                protected.
            owners: of the records, in turn.
        """
        self.intake, self.clock, self.ends, self.after, self.rich = intake, clock, ends, after, rich
        ids = [id for some in IDS.values() for id in some]
        self.owner = {id: owners[number % len(owners)] for number, id in enumerate(ids)}
        self.merged: set[str] = set()
        self.over: set[str] = set()  # never come back
        self.erased: set[str] = set()
        self.chance = random.Random(seed)
        self.live: dict[str, set[str]] = {kind: set() for kind in IDS}
        self.makers: dict[str, Callable[[str], Value]] = {kind: getattr(self, f"_{kind}") for kind in IDS}

    def run(self, steps: int) -> None:
        """Submit, revise, take back, let consents run out, object."""
        self.begin()
        self.go_on(steps)

    def begin(self) -> None:
        """Submit every record once."""
        for kind in IDS:
            self._submit([(kind, id) for id in IDS[kind]])
            self.after()

    def go_on(self, steps: int) -> None:
        """Submit, revise, take back, let consents run out, object: one transaction a step."""
        for _ in range(steps):
            self.clock.now += self.chance.choice([0, 1, DAY])
            if self.rich and self.chance.random() < 0.3:
                self.chance.choice([self._merge, self._merge, self._tie])()
            elif self.chance.random() < 0.2:
                kind = self.chance.choice([kind for kind in IDS if self.live[kind] - KEPT])
                id = self.chance.choice(sorted(self.live[kind] - KEPT))
                take_away = self.chance.choice([retract, withdraw, erase]) if self.ends else retract
                assert take_away(self.intake.writer, id, self.owner[id], "by chance")
                self.live[kind].discard(id)
                if take_away is not retract:
                    self.over.add(id)
                if take_away is erase:
                    self.erased.add(id)
            elif self.chance.random() < 0.1:
                expire(self.intake.writer)
            elif self.chance.random() < 0.2:
                to: To = self.chance.choice(["nothing", "name", "record"])
                id = self.chance.choice([*IDS["testimony"], *IDS["person"]])
                with suppress(Unobjectable):  # it is shown by consent
                    done = object_to(self.intake.writer, id, self.owner[id], to, "by chance")
                    assert (done is None) == (id in self.erased)
            else:
                kinds = self.chance.sample(list(IDS), 2)
                ids = [(kind, self.chance.choice(IDS[kind])) for kind in kinds]
                self._submit([(kind, id) for kind, id in ids if id not in self.over])
            self.after()

    def _submit(self, some: Sequence[tuple[str, str]]) -> None:
        for owner in sorted({self.owner[id] for _, id in some}):
            values = [self._make(kind, id) for kind, id in some if self.owner[id] == owner]
            submit(self.intake, *values, owner=owner)

    def _merge(self) -> None:
        kind = self.chance.choice([kind for kind in IDS if len(self.live[kind]) > 1 and kind != "testimony"])
        one, into = self.chance.sample(sorted(self.live[kind]), 2)
        writer = self.intake.writer
        if self.merged and self.chance.random() < 0.4:
            one = self.chance.choice(sorted(self.merged))
            self.merged.discard(one)
            apart(writer, one)
        elif one not in KEPT:
            with suppress(Unmergeable):
                together(writer, one, into)
                self.merged.add(one)

    def _tie(self) -> None:
        """Have somebody say that a person is another one, or that they are not."""
        one, other = self.chance.sample(IDS["person"], 2)
        same, writer = self.chance.random() < 0.7, self.intake.writer

        def work(connection: Connection, at: int, size: int) -> None:
            stored = writer.vault.read(connection, [one])[one]
            if stored.state == "live" and (addition := linking(stored, other, same)) is not None:
                writer.append(connection, at, size, [addition])

        writer.transact(work)

    def _make(self, kind: str, id: str) -> Value:
        value = self.makers[kind](id)
        self.live[kind].add(id)
        return value

    def _some(self, kind: str, most: int = 2, but: str = "") -> list[str]:
        known = sorted(self.live[kind] - {but})
        return self.chance.sample(known, min(len(known), self.chance.randint(0, most)))

    def _one(self, kind: str, before: str = "\x7f") -> str | None:
        known = sorted(id for id in self.live[kind] if id < before)
        return self.chance.choice([*known, None])

    def _cited(self) -> list[Value]:
        return [{"symbol": "TEST/1", "source": source} for source in self._some("source")] or [{"symbol": "TEST/2"}]

    def _basis(self) -> Value:
        basis = self._allowed()
        if self.rich and "consent" in basis:
            basis["consent"]["linkage"] = self.chance.random() < 0.5
        if self.rich and self.chance.random() < 0.3:
            limits = {name: self.chance.choice(scale) for name, scale in SCALES.items() if self.chance.random() < 0.5}
            audience = self.chance.choice(["public", "partner", "mechanism"])
            basis["protection"] = {
                "reasons": ["child"],
                "assessed_by": "A test",
                "assessed_on": "2020",
                "limits": {audience: limits},
            }
        return basis

    def _allowed(self) -> Value:
        if self.chance.random() < 0.4:
            return {}
        levels = {
            "content": ["counted", "summary", "full"],
            "identity": ["withheld", "pseudonym", "named"],
            "place": ["country", "province", "exact"],
            "date": ["year", "month", "day"],
        }
        audiences = self.chance.sample(["public", "partner", "mechanism"], 2)
        allowed = {name: {of: self.chance.choice(scale) for of, scale in levels.items()} for name in audiences}
        for one in allowed.values():
            one |= {"identity": "withheld"} if one["content"] == "counted" else {}
        # A new consent that has run out is refused.
        to_come = [day for day in EXPIRIES if day is None or end_of(day) > self.clock.now]
        return {"consent": consent(self.chance.choice(to_come), **allowed)}

    def _source(self, id: str) -> Value:
        return a_source(id, derived_from=self._some("source", but=id), restricted=self.chance.random() < 0.2)

    def _crime(self, id: str) -> Value:
        return {"kind": "crime", "id": id, "label": {"en": id}, "provision": "1", "instrument_name": "A test"}

    def _place(self, id: str) -> Value:
        point = {"type": "Point", "coordinates": [float(self.chance.randint(124, 130)), 40.5]}
        kind = self.chance.choice(["country", "province", "county", "other"])
        more = {"geometry": self.chance.choice([None, point]), "restricted": self.chance.random() < 0.15}
        return a_place(id, type=kind, parent=self._one("place", id), **more)

    def _violation(self, id: str) -> Value:
        mappings = [{"crime": crime, "basis": {"en": "ours"}} for crime in self._some("crime")]
        return a_violation(id, parent=self._one("violation", id), may_amount_to=mappings)

    def _person(self, id: str) -> Value:
        return a_person(id, home_province=self._one("place"), left=self.chance.choice(DATES), **self._basis())

    def _actor(self, id: str) -> Value:
        natural = id.startswith("act-")
        more = {"named_in": self._some("source")} if natural else {"parents": self._chain(id)}
        kind = "natural-person" if natural else "unit"
        return {"kind": "actor", "id": id, "name": {"en": id[:6]}, "type": kind, **more}

    def _chain(self, id: str) -> list[Value]:
        return [{"actor": above} for above in self._some("actor", 1, id)]

    def _named(self) -> Value:
        return {
            "violations": self._some("violation"),
            "places": self._some("place"),
            "actors": self._some("actor"),
            "date": self.chance.choice(DATES),
            "citations": self._cited(),
        }

    def _testimony(self, id: str) -> Value:
        return a_testimony(
            id,
            witness={"form": "named", "designation": {"en": "N"}, "person": self._one("person")},
            same_witness=self._some("testimony", 2, id),
            title_only=self.chance.random() < 0.1,
            note=self.chance.choice([None, {"en": "a note"}]),
            **self._named(),
            **self._basis(),
        )

    def _incident(self, id: str) -> Value:
        act: dict[str, Any] = {"violation": self._one("violation"), "people": self._some("person")}
        return {
            "kind": "incident",
            "id": id,
            "scope": "event",
            "disclosure_basis": self.chance.choice(["consent", "published"]),
            "testimonies": self._some("testimony", 3),
            "contradicted_by": self._some("testimony", 1),
            "acts": [act | {"places": self._some("place", 1)}] if act["violation"] else [],
            **self._named(),
        }

    def _link(self, id: str) -> Value:
        ends = self.chance.sample(sorted(self.live["testimony"] | self.live["place"] | self.live["person"] | KEPT), 2)
        ties = {"from": ends[0], "to": ends[1], "confidence": "low", "source": "src-0"}
        return {"kind": "link", "id": id, "type": "seen-with", **ties}
