"""Canary: no byte of what a view may not see is in any answer to it, nor in the log; and all that it may see is there.

Every text, date, place and number of a garden of records has a mark of its own. Every address is asked with every
parameter, with ordinary values and with hidden ones, in every format, as every view.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select

from app.catalogue.parameter import Parameter
from app.catalogue.parameters import FORMATS, vocabulary
from app.core.ids import fixed
from app.ogc import asking as ogc
from app.records import BY_NAME, BY_PATH, KINDS, Kind
from app.vault.tables import DISCLOSED
from tests.conftest import settings_for
from tests.contract.allowed import is_tied
from tests.contract.asking import Heard, Service, query
from tests.contract.garden import MERGERS, VIEWS, Garden, grow, sow
from tests.contract.planting import Leaf, word
from tests.contract.vault import open_vault

RANK = ("", "year", "month", "day")
COMPANY = {"match": "from=1990", "at": "to=2020", "side": "boundary=2011-12-17", "highlights": "q=text"}
METHODS = ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


@dataclass
class World:
    """A garden, the service over it, and the reason that was given for taking back."""

    garden: Garden
    service: Service
    reason: str
    once: dict[int, set[str]]  # by view: the ids of records that were shown at some time


@pytest.fixture(scope="module")
def world(engine, new_database, tmp_path_factory) -> Iterator[World]:
    settings = settings_for(new_database(engine), tmp_path_factory.mktemp("garden"))
    garden = grow()
    with open_vault(settings) as vault:
        reason = sow(garden, vault.intake, vault.clock)
        once = {view: vault.database.look(partial(shown_once, view)) for view in VIEWS}
    service = Service(settings)
    yield World(garden, service, reason, once)
    service.close()


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_shown_all_that_it_may_see_and_nothing_else(world, view, engine):
    garden, marks = world.garden, world.garden.marks
    may = garden.shown_to(view)
    seen: set[tuple[int, str]] = set()
    for position, (address, method) in enumerate(questions(world, view)):
        if position % 3 and "?" in address and engine == "postgresql":
            continue  # its answers are those of SQLite, to the byte: test_engines
        heard = world.service.ask(address, view, method)
        # 401: nobody has a credential here, and without one nobody manages or writes anything: see tests/writing.
        if heard.status == 308:  # an id that was merged, to whoever was told of it: its answer is the survivor's id
            assert leads(world, view, address) in heard["location"].partition("?")[0].split("/")
        assert heard.status in (200, 204, 308, 400, 401, 404, 405, 422), (address, heard.body)
        assert heard.status != 401 or method not in ("GET", "HEAD") or not is_read(world.service, address)
        asked = {number for number, _ in marks.found_in(address.encode())}
        found = {one for one in marks.found_in(said(heard)) if one[0] not in asked}
        wrong = [
            (marks.leaves[n], level) for n, level in found if n not in may or RANK.index(level) > RANK.index(may[n])
        ]
        if address.startswith("/v1/changes"):
            wrong = [one for one in wrong if not is_told_of_for_ever(one[0], world, view)]
        assert wrong == [], (method, address)
        seen |= found
    assert [(marks.leaves[n], level) for n, level in may.items() if (n, level) not in seen] == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_hidden_record_answers_as_one_that_never_was(world, view):
    hidden = world.garden.hidden_from(view)
    asked: list[str] = []
    for template in templates(world.service):
        path = template.removeprefix("/v1/collections/").removeprefix("/v1/").partition("/")[0]
        if "{id}" not in template or path not in BY_PATH:
            continue
        kind = BY_PATH[path]
        unknown = fixed(str(kind.prefix), "nobody") if kind.opaque else "nobody"
        expected = world.service.ask(template.replace("{id}", unknown), view)
        # Owners alone ask some: with a credential both are 404 (tests/writing/test_writing.py), without one refused.
        assert expected.status == 404 if is_read(world.service, template) else expected.status in (401, 405)
        for one in world.garden.records.values():
            if one.kind == kind.name and one.id in hidden:
                here = template.replace("{id}", one.id)
                if not leads(world, view, here):
                    assert world.service.ask(here, view) == expected
                asked.append(one.id)
    assert len(asked) > len(set(asked)) == len(hidden)


@pytest.mark.parametrize("view", VIEWS)
def test_a_person_is_named_where_no_more_is_said_of_place_and_date_than_they_allow(world, view):
    records, tied = world.garden.records.values(), 0
    people = [one for one in records if one.kind == "person" and view in one.levels]
    for incident in (one for one in records if one.kind == "incident" and view in one.levels):
        told = world.service.ask(f"/v1/incidents/{incident.id}", view).json["acts"]
        named = {id for act in incident.content["acts"] for id in act["people"]}
        may = {one.id for one in people if one.id in named and is_tied(one, incident, view)}
        assert {id for act in told for id in act["people"]} == may
        found = [one.id for one in people if incident.id in by_person(world, one.id, view)]
        assert set(found) == may
        tied += len(may)
    assert tied > 5


def by_person(world: World, id: str, view: int) -> list[str]:
    return world.service.ask(f"/v1/incidents?{query(person=id, fields='id', limit=1000)}", view).ids


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_hidden_is_found_by_no_word(world, view, engine):
    """Every mark is a word: what a view is shown of it may be found, and nothing else is."""
    garden = world.garden
    may, found = garden.shown_to(view), 0
    for n, leaf in garden.marks.leaves.items():
        if engine == "postgresql" and n % 3:
            continue  # both find the same: tests/search/test_engines.py
        record = garden.records.get(leaf.record.partition("@")[0])
        # What is no record's, as a reason, is asked for everywhere.
        for kind in [BY_NAME[record.kind]] if record is not None else KINDS:
            heard = world.service.ask(f"/v1/{kind.path}?{query(q=word(n), fields='id')}", view)
            assert heard.status == 200, heard.body
            assert n in may or heard.json["total"] == 0, leaf
            found += heard.json["total"]
        heard = world.service.ask(f"/v1/search?{query(q=word(n))}", view)
        assert n in may or (heard.json["total"], heard.json["meta"]["kinds"]) == (0, []), leaf
        assert n in may or word(n) not in [near for one in suggested(heard) for near in one["nearest"]], leaf
    assert found > 30


@pytest.mark.parametrize("view", VIEWS)
def test_a_hidden_record_is_no_value_of_any_parameter(world, view):
    hidden = world.garden.hidden_from(view)
    for kind in KINDS:
        for parameter in vocabulary(kind).values():
            targets = (kind.name,) if parameter.name == "ids" else parameter.targets
            for one in world.garden.records.values():
                if one.kind in targets:
                    heard = world.service.ask(f"/v1/{kind.path}?{query(**{parameter.name: one.id})}", view)
                    assert heard.status == (422 if one.id in hidden else 200), (kind.name, parameter.name, one)


def test_the_log_says_nothing_of_any_record(world):
    for kind in KINDS:
        for one in world.garden.records.values():
            world.service.ask(f"/v1/{kind.path}/{one.id}?{query(owner=one.owner, place=one.id)}", 2)
            world.service.ask(f"/v1/{kind.path}?{query(period=one.id)}&{one.id}=1", 0)
    logged = world.service.log
    assert logged.count(b'"event":"request"') >= 2 * len(KINDS) * len(world.garden.records)
    assert {one for one in world.garden.marks.found_in(logged) if one[1] != "year"} == set()


# Why a record is shown no longer that was shown once. What a retracted source named goes with it: an actor whom no
# other source names, and the link that ends at that actor.
GONE = ("-merged", "-retracted", "-expired", "-objected", "-lost-end", "actor-unnamed", "-hidden-end")


def leads(world: World, view: int, address: str) -> str:
    """Return the id to which one in an address was merged, where the view was told of that; else nothing."""
    for name, survivor in MERGERS.items():
        one = world.garden.records[name].id
        if one in world.once[view] and one in address.partition("?")[0].split("/"):
            return world.garden.id(survivor)
    return ""


def is_told_of_for_ever(leaf: Leaf, world: World, view: int) -> bool:
    """Tell whether it is the id of a record that this view was shown once: the change feed says that it is gone."""
    was = world.garden.records[leaf.record].id in world.once[view]
    return leaf.path == ("id",) and was and leaf.record.endswith(GONE)


def shown_once(view: int, connection: Connection) -> set[str]:
    """Return the ids of all records that a view was ever shown, going by its history."""
    c = DISCLOSED.c
    return set(connection.scalars(select(c.id).where(c.view == view, c.change == "created")))


def said(heard: Heard) -> bytes:
    """Return all that an answer says; how long it is says nothing that the body does not."""
    headers = "\n".join(f"{name}: {value}" for name, value in heard.headers if name != "content-length")
    return headers.encode() + b"\n\n" + heard.unpacked


def is_read(service: Service, address: str) -> bool:
    """Tell whether an address is one at which records are read in a view."""
    reads: Any = service.app.routes[0]
    found = reads.find(address.partition("?")[0])
    return found is not None and bool(found[3])


def suggested(heard: Heard) -> list[Any]:
    """Return what an answer suggests for words that are nowhere."""
    found: list[Any] = heard.json["meta"].get("suggestions", [])
    return found


def templates(service: Service) -> list[str]:
    """Return the templates of every route that there is."""
    found: list[str] = []
    for route in service.app.routes:
        found += getattr(route, "templates", None) or [getattr(route, "path", "")]
    assert "" not in found, "a route that has no template: teach this test how to ask it"
    return found


# --- every question ---


def questions(world: World, view: int) -> Iterator[tuple[str, str]]:
    """Yield every address with the method to ask it by."""
    formats = itertools.cycle(FORMATS)
    hidden = [one for one in world.garden.records.values() if view not in one.levels]
    for asked in (
        "limit=1000&include=record",
        "format=ndjson&include=record",
        "updated_since=2023-11-14",
        "kind=person",
    ):
        yield f"/v1/changes?{asked}", "GET"
    for template in templates(world.service):
        kind = BY_PATH.get(template.split("/")[2]) if template.startswith("/v1/") else None
        if template.startswith("/v1/collections/"):
            yield from features(world, template, view)
        elif "{id}" in template and kind is None:
            yield template.replace("{id}", hidden[0].id), "GET"
        elif "{id}" in template:
            for one in world.garden.records.values():
                if kind is not None and one.kind == kind.name:
                    here = template.replace("{id}", one.id)
                    yield here, "GET"
                    yield f"{here}?format={next(formats)}", "GET"
                    yield f"{here}?{one.id}={hidden[0].id}", next(METHOD)
        elif kind is not None and template == f"/v1/{kind.path}":
            for format in FORMATS:
                yield f"{template}?format={format}", "GET"
            for parameter in vocabulary(kind).values():
                for value in values(world.garden, kind, parameter, view):
                    asked = f"{template}?{query(**{parameter.name: value})}"
                    asked += f"&{COMPANY[parameter.name]}" if parameter.name in COMPANY else ""
                    yield asked if parameter.name == "format" else f"{asked}&format={next(formats)}", "GET"
        else:
            yield template, "GET"
            yield f"{template}?{hidden[0].id}=1", next(METHOD)
    yield from counts(world.garden, hidden[0])
    yield from searches(hidden[0])


def features(world: World, template: str, view: int) -> Iterator[tuple[str, str]]:
    """Yield what can be asked of a collection: every parameter of its features, and each record as one."""
    kind, hidden = BY_PATH[template.split("/")[3]], world.garden.hidden_from(view)
    if template.endswith("{id}"):
        for one in world.garden.records.values():
            if one.kind == kind.name:
                yield template.replace("{id}", one.id), "GET"
                yield template.replace("{id}", one.id), next(METHOD)
        return
    yield template, "GET"
    yield f"{template}?{min(hidden)}=1", next(METHOD)
    if template.endswith("/items"):
        yield f"{template}?limit=1000", "GET"
        for parameter in ogc.parameters(kind).values():
            for value in itertools.islice(values(world.garden, kind, parameter, view), 12):
                asked = f"{template}?{query(**{parameter.name: value})}"
                yield asked + (f"&{COMPANY[parameter.name]}" if parameter.name in COMPANY else ""), "GET"


def counts(garden: Garden, hidden: Any) -> Iterator[tuple[str, str]]:
    """Yield what can be asked of statistics: every facet, with and without a hidden value."""
    for name in ("incident", "testimony"):
        for facet in vocabulary(BY_NAME[name])["facets"].schema["items"]["enum"]:
            asked = f"/v1/statistics/counts?kind={name}&group_by={facet}"
            yield from ((one, "GET") for one in (asked, f"{asked}&format=csv", f"{asked}&place={hidden.id}"))
            yield f"/v1/{BY_NAME[name].path}?facets={facet}&facet_limit=1000", "GET"


def searches(hidden: Any) -> Iterator[tuple[str, str]]:
    """Yield what can be asked of all kinds at once: words that are there, that are not, and those of hidden records."""
    for q in (*OTHERS["q"], "tezt", "believre", hidden.id):
        for asked in ("limit=1000", "limit=100&highlights=true", "sort=relevance&format=ndjson&limit=1000", "limit=1"):
            yield f"/v1/search?{query(q=q)}&{asked}", "GET"
    yield f"/v1/search?{query(q='text', kind=hidden.kind)}&limit=1000", "HEAD"


METHOD = itertools.cycle(METHODS)


def values(garden: Garden, kind: Kind, parameter: Parameter, view: int) -> Iterator[Any]:
    """Yield ordinary values of a parameter, and hidden ones of every sort."""
    yield from parameter.schema.get("enum", ())
    if parameter.example:
        yield parameter.example
    yield from OTHERS.get(parameter.name, ())
    hidden = [one for one in garden.records.values() if view not in one.levels]
    yield f"{hidden[0].id},{hidden[1].id[:-1]}"
    yield hidden[-1].owner
    for one in garden.records.values():
        if one.kind in parameter.targets or (parameter.name == "ids" and one.kind == kind.name):
            yield one.id
    testimony, incident = garden.records["testimony-none"].content, garden.records["incident-expired"].content
    yield from (testimony["date"], incident["date"][:4], testimony["recorded_by"], incident["victim_groups"][0])
    x, y = garden.records["place-retracted"].content["geometry"]["coordinates"]
    yield f"{x},{y},{x},{y}"


OTHERS: dict[str, list[Any]] = {
    "datetime": ["1990-01-01/..", "../2020-12-31", "2003-04-05"],
    "q": ["text", "text -believer", '"text"', "te*"],
    "bbox": ["124,38,125,39", "-180,-90,180,90"],
    "corroboration_min": [0, 1, 2, 3],
    "limit": [1, 3, 1000],
    "fields": ["id", "citations,note", "date"],
    "updated_since": ["2023-11-14", "2030-01-01"],
}
