"""A small catalogue with known rows in three views, on both engines, and clients that ask it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.access.caller import mint
from app.core import migrations
from app.core.db import Database
from app.core.settings import Settings
from app.main import create_app
from tests.catalogue.seed import AT, One, account, disclose, fill, incident, set_view
from tests.conftest import settings_for

CAMP = {"place": ["camp-1", "prov-a"]}
TORTURE = {"violation": ["torture", "detention"], "crime": ["crime-f"]}
POINT = (126.08, 40.5, 126.08, 40.5)


def _incident(
    name: str,
    date: str | None,
    terms: dict[str, list[str]] | None = None,
    boxes: list[tuple[float, float, float, float]] | None = None,
    body: dict[str, Any] | None = None,
    **more: Any,
) -> One:
    found = {"scope": ["event"], "verification": ["as-reported"], "standard_of_proof": ["not-stated"], **(terms or {})}
    found["unlocated"] = [*(["place"] if "place" not in found else []), *(["geometry"] if boxes is None else [])]
    geometry = {"type": "Point", "coordinates": [126.08, 40.5]} if boxes else None
    whole: dict[str, Any] = {
        "title": {"en": f"Incident {name}"},
        "geometry": geometry,
        "testimonies": [],
        "contradicted_by": [],
    }
    return One("incident", incident(name), {**whole, **(body or {})}, date, found, boxes=boxes or [], **more)


INCIDENTS = {
    "a": _incident("a", "2003", terms=TORTURE | CAMP, boxes=[POINT], corroboration=3, updated=AT + 5),
    "b": _incident("b", "2011-12", terms=TORTURE | {"place": ["prov-a"]}, corroboration=1),
    "c": _incident("c", "2004/2011", terms={"violation": ["detention"], "actor": ["mss"]}),
    "d": _incident("d", "1977-11/..", terms={"violation": ["abduction"]}),
    "e": _incident("e", "[..2013]", terms=TORTURE | {"victim_group": ["returnee"]}),
    "f": _incident("f", "2012-05-06", terms=TORTURE | CAMP | {"scope": ["pattern"]}, boxes=[POINT], updated=AT + 9),
    "g": _incident("g", "2015~", terms={"violation": ["detention"], "victim_group": ["believer"]}),
    "h": _incident("h", None, terms=TORTURE | CAMP),
    "i": _incident("i", None),
    "j": _incident(
        "j",
        "2011-12-17",
        terms={"testimony": [account("t1"), account("t2")], "source": ["src-1"]},
        body={"testimonies": [account("t1")], "contradicted_by": [account("t2")], "title": {"en": "=1+1"}},
        corroboration=2,
    ),
}
OTHERS = [
    One("period", "pre-2011-12", {}, "../2011-12-16"),
    One("period", "post-2011-12", {}, "2011-12-17/.."),
    One("period", "famine", {}, "1994/1998"),
    One("violation", "detention", {"parent": None, "may_amount_to": []}),
    One(
        "violation",
        "torture",
        {"parent": "detention", "may_amount_to": [{"crime": "crime-f"}]},
        terms={"parent": ["detention"], "crime": ["crime-f"]},
    ),
    One("violation", "abduction", {"parent": None, "may_amount_to": []}),
    One("crime", "crime-f", {}),
    One("place", "prov-a", {"parent": None, "geometry": None}, terms={"unlocated": ["geometry"]}),
    One(
        "place",
        "camp-1",
        {"parent": "prov-a", "geometry": None},
        terms={"parent": ["prov-a"], "unlocated": ["geometry"]},
    ),
    One("source", "src-1", {"derived_from": []}),
    One("actor", "mss", {"parents": [], "named_in": []}),
    One(
        "testimony",
        account("t1"),
        {"violations": ["torture"], "reliability_note": {"en": "withdrew parts"}},
        "2003",
        TORTURE | {"recorded_by": ["coi"], "account_type": ["hearing"], "knowledge": ["experienced"]},
        given="2013-08",
        left="2005",
    ),
    One(
        "testimony",
        account("t2"),
        {"violations": [], "reliability_note": None},
        "[..2014]",
        {"recorded_by": ["ohchr"], "account_type": ["interview"], "knowledge": ["heard"]},
        given="2014-06",
    ),
]
PUBLIC = [*OTHERS, *INCIDENTS.values()]
HIDDEN = [
    _incident("hidden", "2001", terms={"violation": ["secret"]}),
    One("violation", "secret", {"parent": None}),
    One("period", "secret-period", {}, "2001"),
]
NAMES = {one.id: name for name, one in INCIDENTS.items()} | {HIDDEN[0].id: "hidden"}


def seed(url: str) -> None:
    """Write the catalogue: view 0 is public, 1 sees more, 2 is not complete yet."""
    database = Database(url)
    migrations.upgrade(database)
    fill(database, PUBLIC)
    fill(database, [*PUBLIC, *HIDDEN], view=1)
    fill(database, [], view=2)
    set_view(database, 2, state="building")
    disclose(database, INCIDENTS["a"], ["created", "updated"])
    asyncio.run(database.close())


@pytest.fixture(scope="session")
def seeded(engine: str, new_database: Callable[[str], str]) -> str:
    """The address of a seeded database; tests only read it."""
    url = new_database(engine)
    seed(url)
    return url


def settings_of(url: str, home: Path) -> Settings:
    """Return settings that say nothing in the log."""
    return replace(settings_for(url, home), log_level="error")


@pytest.fixture(scope="session")
def client(seeded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client that sees view 0."""
    with TestClient(create_app(settings_of(seeded, tmp_path_factory.mktemp("home")))) as client:
        yield client


@pytest.fixture(scope="session")
def partner(seeded: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client that sees the view that its header names."""
    app = create_app(
        settings_of(seeded, tmp_path_factory.mktemp("home")),
        identify=lambda scope: mint(int(dict(scope["headers"]).get(b"x-view", b"1"))),
    )
    with TestClient(app) as client:
        yield client


def names(answer: Any) -> str:
    """Return the names of the incidents on a page, in its order, as one word."""
    return " ".join(NAMES[one["id"]] for one in answer.json()["items"])
