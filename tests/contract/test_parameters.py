"""Parameters: each one of each kind finds one record and misses another, and its documented example finds something."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
import pytest

from app.catalogue.parameter import Parameter
from app.catalogue.parameters import sorts_of, vocabulary
from app.records import KINDS, Kind, pick
from app.search.document import fields_of
from tests.conftest import settings_for
from tests.contract.asking import Service, query
from tests.contract.families import FAMILIES, OWN_KIND, Families, settle
from tests.contract.vault import open_vault
from tests.data.record import records

EVERY = [(kind, parameter) for kind in KINDS for parameter in vocabulary(kind).values()]
NAMES = [f"{kind.name}-{parameter.name}" for kind, parameter in EVERY]


class World(NamedTuple):
    service: Service
    families: Families

    def found(self, kind: Kind, **asked: Any) -> str:
        """Return which of the three records of a kind are found, as the letters of their families."""
        heard = self.service.ask(f"/v1/{kind.path}?{query(**asked)}&limit=1000&fields=id")
        assert heard.status == 200, heard.body
        return "".join(family for family in FAMILIES if self.id(kind, family) in heard.ids)

    def id(self, kind: Kind, family: str) -> str:
        name = "link-violation" if kind.name == "link" else kind.name
        return self.families.ids[f"{name}-{family}"]


@pytest.fixture(scope="module")
def world(engine, new_database, tmp_path_factory) -> Iterator[World]:
    settings = settings_for(new_database(engine), tmp_path_factory.mktemp("families"))
    with open_vault(settings) as vault:
        families = settle(vault)
    service = Service(settings)
    yield World(service, families)
    service.close()


# What each finds that is no facet and no list: (the question, the families that it finds).
# The dates of the families: a 1990-05, b 1990/2012, c 2001/2003; given and left: a 1991, b 2011, c 2021.
FINDS: dict[str, tuple[dict[str, Any], str]] = {
    "from": ({"from_": 2000}, "bc"),
    "to": ({"to": "1990-02"}, "b"),
    "match": ({"match": "within", "from_": 1990, "to": 1995}, "a"),
    "at": ({"at": "start", "match": "within", "from_": 1990, "to": 1995}, "ab"),
    "side": ({"side": "straddling", "boundary": "2000-01-01"}, "b"),
    "given_from": ({"given_from": 2011}, "bc"),
    "given_until": ({"given_until": "2011-01-01"}, "ab"),
    "left_from": ({"left_from": "2021-12-31"}, "c"),
    "left_until": ({"left_until": 1991}, "a"),
    "corroboration_min": ({"corroboration_min": 2}, "b"),
    "updated_since": ({"updated_since": "2023-11-15T22:13:20Z"}, "bc"),
    "owner": ({"owner": "owner-b"}, "b"),
}
# Without the parameter itself all else finds this.
WITHOUT = {"from": "abc", "to": "abc", "match": "ab", "at": "a", "side": "abc"}
PAGE = ("sort", "limit", "cursor", "fields", "facets", "facet_limit", "highlights", "bom", "cursors", "format")


@pytest.mark.parametrize(("kind", "parameter"), EVERY, ids=NAMES)
def test_a_parameter_finds_one_record_and_misses_another(world, kind, parameter):
    if parameter.name in PAGE or parameter.name == "boundary":
        PAGES[parameter.name](world, kind)
    elif parameter.name in FINDS:
        asked, found = FINDS[parameter.name]
        assert world.found(kind, **asked) == found
        rest = {name: value for name, value in asked.items() if name.removesuffix("_") != parameter.name}
        assert world.found(kind, **rest) == WITHOUT.get(parameter.name, "abc")
    else:
        for family in FAMILIES[:2]:
            asked = {parameter.name: value_of(world, kind, parameter, family)}
            expected = {"a": "ab", "b": "bc"}[family] if parameter.name == "period" else family
            if parameter.name == f"of_{kind.name.replace('-', '_')}":
                heard = world.service.ask(f"/v1/{kind.path}?{query(**asked)}")
                assert heard.ids == [world.families.ids[f"{kind.name}-above-{family}"]]
            else:
                assert world.found(kind, **asked) == expected


def value_of(world: World, kind: Kind, parameter: Parameter, family: str) -> str:
    """Return a value of a parameter that the record of a family has."""
    if parameter.name == "ids":
        return world.id(kind, family)
    if parameter.name == "period":
        return world.families.ids[f"period-{'c' if family == 'b' else family}"]
    if parameter.name == "q":
        shown = world.service.ask(f"/v1/{kind.path}/{world.id(kind, family)}").json
        return f'"{next(iter(fields_of(kind.name, shown))).text}"'
    if parameter.of is not None:
        other = parameter.of[0]
        return world.families.ids[f"{'link-' + kind.name if other == 'link' else other}-{family}"]
    shown = world.service.ask(f"/v1/{kind.path}/{world.id(kind, family)}").json
    if parameter.name == "bbox":
        x, y = shown["geometry"]["coordinates"]
        return f"{x},{y},{x},{y}"
    if parameter.name == "crime" and "crime" not in kind.facets:
        return world.families.ids[f"crime-{family}"]
    return str(pick(kind.facets[str(parameter.facet)], shown)[0])


def sort(world: World, kind: Kind) -> None:
    ids = {order: world.service.ask(f"/v1/{kind.path}?sort={order}").ids for order in sorts_of(kind)[:-1]}
    assert ids["-id"] == ids["id"][::-1] == sorted(ids["id"], reverse=True)
    assert ids["-updated"] == ids["updated"][::-1]
    word = quote(value_of(world, kind, vocabulary(kind)["q"], "a"))
    assert world.service.ask(f"/v1/{kind.path}?sort=relevance&q={word}").ids == [world.id(kind, "a")]
    three = [world.id(kind, family) for family in FAMILIES]
    assert [id for id in ids["updated"] if id in three] == three
    if kind.date:
        assert [id for id in ids["-date"] if id in three] == [three[2], three[0], three[1]]
        assert ids["date"] == ids["-date"][::-1]


def limit(world: World, kind: Kind) -> None:
    heard = world.service.ask(f"/v1/{kind.path}?limit=1&sort=updated")
    assert len(heard.ids) == 1 < heard.json["total"]


def cursor(world: World, kind: Kind) -> None:
    first = world.service.ask(f"/v1/{kind.path}?limit=1&sort=id")
    second = world.service.ask(first.json["next"])
    assert "cursor=" in first.json["next"] and second.ids != first.ids
    assert sorted(first.ids + second.ids) == first.ids + second.ids


def fields(world: World, kind: Kind) -> None:
    heard = world.service.ask(f"/v1/{kind.path}?fields=citations&limit=1")
    assert [list(item) for item in heard.json["items"]] == [["id", "kind", "citations"]]


def format(world: World, kind: Kind) -> None:
    for name in vocabulary(kind)["format"].schema["enum"]:
        heard = world.service.ask(f"/v1/{kind.path}?format={name}")
        assert (heard.status, heard["content-type"].partition(";")[0]) == (200, MEDIA_TYPES[name])


def highlights(world: World, kind: Kind) -> None:
    word = quote(value_of(world, kind, vocabulary(kind)["q"], "a"))
    plain, marked = (world.service.ask(f"/v1/{kind.path}?q={word}&highlights={given}") for given in ("false", "true"))
    assert marked.json.pop("highlights").keys() == {world.id(kind, "a")}
    assert plain.json == {name: value for name, value in marked.json.items() if name != "highlights"}
    assert world.service.ask(f"/v1/{kind.path}?highlights=true").status == 422


def bom(world: World, kind: Kind) -> None:
    plain, marked = (world.service.ask(f"/v1/{kind.path}?format=csv&bom={given}").body for given in ("false", "true"))
    assert marked == b"\xef\xbb\xbf" + plain


def cursors(world: World, kind: Kind) -> None:
    address = f"/v1/{kind.path}?format=ndjson&sort=id"
    first, *rest = world.service.ask(f"{address}&cursors=true").body.splitlines()
    (plain, *others) = world.service.ask(address).body.splitlines()
    following = orjson.loads(first).pop("cursor")
    assert orjson.loads(first) == {**orjson.loads(plain), "cursor": following}
    assert world.service.ask(f"{address}&cursor={following}").body.splitlines() == others
    assert len(rest) == len(others)


def boundary(world: World, kind: Kind) -> None:
    heard = world.service.ask(
        f"/v1/{kind.path}?boundary=2000-01-01&ids={','.join(map(lambda f: world.id(kind, f), 'abc'))}"
    )
    sides = {"before": 1, "after": 1, "straddling": 1, "undetermined": 0, "undated": 0}
    assert (heard.json["total"], heard.json["meta"]["boundary"]) == (3, sides)


def facets(world: World, kind: Kind) -> None:
    for name in vocabulary(kind)["facets"].schema["items"]["enum"]:
        told = world.service.ask(f"/v1/{kind.path}?facets={name}&facet_limit=1000").json["meta"]["facets"]
        for one in told[name]["values"] if name not in ("year", "decade") else ():
            heard = world.service.ask(f"/v1/{kind.path}?{query(**{name: one['value']})}")
            assert heard.json["total"] == one["count"], (name, one)


def facet_limit(world: World, kind: Kind) -> None:
    told = world.service.ask(f"/v1/{kind.path}?facets=owner&facet_limit=1").json["meta"]["facets"]["owner"]
    all_of_it = world.service.ask(f"/v1/{kind.path}?facets=owner").json["meta"]["facets"]["owner"]["values"]
    assert (told["values"], told["rest"]) == (all_of_it[:1], len(all_of_it) - 1)


PAGES: dict[str, Callable[[World, Kind], None]] = {
    "sort": sort,
    "limit": limit,
    "cursor": cursor,
    "fields": fields,
    "highlights": highlights,
    "bom": bom,
    "cursors": cursors,
    "format": format,
    "boundary": boundary,
    "facets": facets,
    "facet_limit": facet_limit,
}
MEDIA_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}


def test_every_kind_has_three_records_and_what_they_name(world):
    counted = {kind.name: world.service.ask(f"/v1/{kind.path}").json["total"] for kind in KINDS}
    expected = {kind.name: 6 if kind.name in OWN_KIND else 3 for kind in KINDS}
    assert counted == expected | {"link": 3 * 14, "source": 6 + 1}  # with the source aside
    assert len(EVERY) == len(set(NAMES))


COMPANY = {"match": {"from": "1990"}, "at": {"from": "1990"}, "side": {"boundary": "2011-12-17"}}


@pytest.mark.parametrize(("kind", "parameter"), EVERY, ids=NAMES)
def test_a_documented_example_finds_something_in_the_built_in_record(built_in_of, kind, parameter):
    if kind.name == "link":
        assert records("link") == ()  # there is none to find
        return
    if not parameter.example:
        assert parameter.name == "cursor" or parameter.of is not None  # no value of these is good for long
        return
    asked = {parameter.name: parameter.example} | COMPANY.get(parameter.name, {})
    asked |= {"q": vocabulary(kind)["q"].example} if parameter.name == "highlights" else {}
    heard = built_in_of("sqlite").ask(f"/v1/{kind.path}?{query(**asked)}")
    assert heard.status == 200, heard.body
    if parameter.name not in ("format", "updated_since"):  # the record is as old as the first run
        assert (heard.json["total"] > 0) == any(has(kind, parameter, record) for record in records(kind.name))


def has(kind: Kind, parameter: Parameter, record: Any) -> bool:
    """Tell whether a built-in record has anything that a parameter can ask about."""
    if parameter.role == "time":
        return bool(record.get("date")) or parameter.name == "boundary" or parameter.example == "undated"
    if parameter.of is not None:
        return any(record["id"] in pick(parameter.of[1], other) for other in records(parameter.of[0]))
    if parameter.name in kind.facets and parameter.name != "crime":
        return bool(pick(kind.facets[parameter.name], record))
    if parameter.name == "crime":
        return any(value in MAPPED for value in pick(kind.facets.get("violation", "id"), record))
    return True


MAPPED = {record["id"] for record in records("violation") if record.get("may_amount_to")}
