"""Columns equal statements in every generation, whoever wrote in between, in any way that a view can change."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.catalogue.facets import YEARS
from app.catalogue.shelf import Shelf
from app.catalogue.when import ATS, MATCHES, SIDES
from app.core.settings import Settings
from app.records import BY_NAME
from tests.catalogue.forced import Always, Never
from tests.catalogue.seed import incident
from tests.conftest import environment
from tests.contract.asking import Service
from tests.contract.vault import OpenVault, empty, open_vault
from tests.intake import chance
from tests.intake.chance import IDS, History
from tests.intake.house import WORLD, a_violation, an_incident, submit
from tests.often import often


@pytest.fixture
def vault(settings: Settings) -> Iterator[OpenVault]:
    with open_vault(settings) as vault:
        yield vault


class Both:
    """The service twice over one database: once counting in columns, once by statements; and how columns came about."""

    def __init__(self, settings: Settings) -> None:
        self.ways: list[str] = []
        self.answered = 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("app.main.Shelf", self._watched(Always))
            self.columns = Service(settings)
            patch.setattr("app.main.Shelf", Never)
            self.statements = Service(settings)

    def _watched(self, kind: type[Shelf]) -> Callable[..., Shelf]:
        def make(*given: Any) -> Shelf:
            shelf: Any = kind(*given)
            for name in ("whole", "since", "classes"):
                setattr(shelf._gather, name, self._noting(name, getattr(shelf._gather, name)))
            return shelf  # type: ignore[no-any-return]

        return make

    def _noting(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        async def noted(*given: Any) -> Any:
            columns: Any = await work(*given)
            self.ways.append(name if columns is not None else f"not {name}")
            return columns

        return noted

    def check(self, address: str, view: int = 0) -> Any:
        """Ask both; return what they say of the whole list."""
        one, other = (service.ask(address, view) for service in (self.columns, self.statements))
        assert one.body == other.body, address
        self.answered += one.status == 200
        return {name: one.json.get(name) for name in ("total", "meta")}

    def close(self) -> None:
        self.columns.close()
        self.statements.close()


@pytest.fixture
def both(settings: Settings, vault: OpenVault) -> Iterator[Both]:
    both = Both(settings)
    yield both
    both.close()


PERIODS = [
    {"kind": "period", "id": id, "label": {"en": id}, "date": date}
    for id, date in (("early", "../2003-04-05"), ("late", "2003-04-05/.."), ("middle", "2003/2004"))
]
TIMES = {
    "period": ["early", "late", "middle"],
    "from": ["1999", "2003-04", "2004"],
    "to": ["2004", "2005-01"],
    "match": MATCHES,
    "at": ATS,
    "boundary": ["2003-04-05", "2004-01-01"],
    "side": SIDES,
}
KINDS = ("incident", "testimony", "place", "period")
FILED = {name: IDS[name] for name in ("violation", "place", "crime")}
OF_TERM: dict[str, dict[str, list[str]]] = {
    "incident": {**FILED, "scope": ["event"]},
    "testimony": {**FILED, "recorded_by": ["body"]},
    "place": {"parent": IDS["place"], "type": ["country", "county"]},
    "period": {"owner": ["test-body"]},
}
FACETS = {
    "incident": ["violation", "place", "crime", "scope", "year", "decade", "actor", "source", "owner"],
    "testimony": ["violation", "place", "crime", "recorded_by", "year", "decade"],
    "place": ["parent", "type", "year"],
    "period": ["owner", "decade"],
}


def question(chance: Random) -> str:
    """Return the address of a question about time, with no filter, one or several, and facets or none."""
    kind = chance.choice(KINDS)
    asked = [(name, chance.choice(values)) for name, values in TIMES.items() if chance.random() < 0.35]
    asked += [("period", chance.choice(TIMES["period"]))] if chance.random() < 0.2 else []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        facet = chance.choice([*OF_TERM[kind]])
        asked.append((facet, chance.choice(OF_TERM[kind][facet])))
    if chance.random() < 0.6:
        asked.append(("facets", ",".join(chance.sample(FACETS[kind], chance.randint(1, 2)))))
    address = f"/v1/{BY_NAME[kind].path}?"
    if kind in ("incident", "testimony") and chance.random() < 0.3:
        asked = [pair for pair in asked if pair[0] != "facets"]
        by = [chance.choice(FACETS[kind]), chance.choice([name for name in FACETS[kind] if name not in YEARS])]
        address = f"/v1/statistics/counts?kind={kind}&group_by={','.join(by[: chance.randint(1, 2)])}&"
    return address + "&".join(f"{name}={value}" for name, value in asked)


@pytest.mark.prove
def test_they_equal_statements_whatever_is_written(vault, settings, monkeypatch):
    monkeypatch.setattr(chance, "EXPIRIES", [None])  # the service would ask the clock of the machine
    ways: set[str] = set()

    @hypothesis(max_examples=often(8), deadline=None)
    @given(seed=st.integers(0, 2**32))
    def hold(seed: int) -> None:
        empty(vault)
        vault.writer.world.forget()
        vault.writer.publisher.forget()
        history, drawn, both = History(vault.intake, vault.clock, seed, rich=True), Random(seed), Both(settings)
        try:
            history.begin()
            submit(vault.intake, *PERIODS)
            for _ in range(5):
                for _ in range(12):
                    both.check(question(drawn), drawn.choice((0, 1, 2)))
                history.go_on(drawn.choice((1, 1, 3)))
        finally:
            both.close()
        assert both.answered > 10
        ways.update(both.ways)

    hold()
    assert ways == {"whole", "since", "not since", "classes"}


def test_they_equal_statements_when_records_change_places_without_a_change_of_their_own(vault, both):
    dates = {"beating": "2001", "hunger": "2009"}
    cases = [an_incident(incident(one), date=date, violations=[one]) for one, date in dates.items()]
    lie = {"beating": "torture", "hunger": "ill-treatment"}
    submit(vault.intake, *WORLD, *[a_violation(one, parent=above) for one, above in lie.items()], *cases)
    asked = "/v1/incidents?violation=torture&to=2005"
    assert both.check(asked)["total"] == 1
    # As many have the term as before, and no incident changed: only where its violation lies.
    swapped = zip(lie, reversed(lie.values()), strict=True)
    submit(vault.intake, *[a_violation(one, parent=above) for one, above in swapped])
    assert both.check(asked)["total"] == 0
    assert both.ways == ["whole", "not since", "whole"]


def test_they_equal_statements_after_another_process_wrote(vault, settings, both, tmp_path):
    submit(vault.intake, *WORLD, an_incident(incident("a"), date="2003"))
    asked = "/v1/incidents?to=2005&boundary=2003-06-01"
    assert both.check(asked)["total"] == 1
    file = tmp_path / "more.ndjson"
    for date, total in (("2004", 2), ("2001", 2), (None, 1)):
        file.write_bytes(orjson.dumps(an_incident(incident("b"), date=date)))
        command = [sys.executable, "-c", "from app.cli import main; main()", "load", "--owner", "test-body", str(file)]
        subprocess.run(command, env=environment(settings, 0), check=True, capture_output=True)
        assert both.check(asked)["total"] == total
    assert both.ways == ["whole", *["since"] * 3]


def test_facets_equal_statements_after_another_process_wrote(vault, settings, both, tmp_path):
    case = an_incident(incident("a"), date="2003", violations=["beating"])
    submit(vault.intake, *WORLD, a_violation("beating"), a_violation("hunger"), case)
    asked = "/v1/incidents?to=2005&facets=violation,year,scope"
    both.check(asked)
    file = tmp_path / "more.ndjson"
    for date, violations in (("2004", ["hunger"]), ("2001", ["hunger", "beating"]), (None, [])):
        file.write_bytes(orjson.dumps(an_incident(incident("b"), date=date, violations=violations)))
        command = [sys.executable, "-c", "from app.cli import main; main()", "load", "--owner", "test-body", str(file)]
        subprocess.run(command, env=environment(settings, 0), check=True, capture_output=True)
        told = both.check(asked)["meta"]["facets"]
        found = {one["value"]: one["count"] for one in told["violation"]["values"]}
        assert (found.get("hunger", 0), found["beating"]) == (int(date is not None), 1 + ("beating" in violations))
    assert both.ways == ["whole", "classes", "classes", *["since"] * 3]


def test_a_record_without_a_value_adds_no_year_to_those_that_have_one(vault, both):
    cases = [
        an_incident(incident("a"), date="2001/..", violations=["torture"]),
        an_incident(incident("b"), date="2009"),
    ]
    cases[1]["violations"] = []
    submit(vault.intake, *WORLD, *cases)
    asked = "/v1/statistics/counts?group_by=violation,year"
    assert both.check(asked)["total"] == 2
    groups = both.columns.ask(asked).json["items"]
    assert {group["year"] for group in groups} == {"2001"}


def test_facets_are_read_anew_when_records_are_filed_elsewhere(vault, both):
    case = an_incident(incident("beating"), date="2001", violations=["beating"])
    submit(vault.intake, *WORLD, a_violation("beating", parent="torture"), case)
    asked = "/v1/incidents?to=2005&facets=violation"
    for above in ("torture", "ill-treatment"):
        submit(vault.intake, a_violation("beating", parent=above))
        told = both.check(asked)["meta"]["facets"]["violation"]["values"]
        assert {"value": above, "count": 1} in told
    assert both.ways == ["whole", "classes", "since", "classes"]
