"""Paging: through everything, in any order, by pages of any size, each record once; also while some are added."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from app.catalogue.parameters import sorts_of
from app.core.ids import fixed, k_of
from app.intake.retract import retract
from app.records import BY_NAME, KINDS
from tests.conftest import settings_for
from tests.contract.asking import BASE, Service
from tests.contract.vault import OpenVault, open_vault
from tests.data.record import records
from tests.records.example import an_incident

LIMITS = (1, 7, 50, 1000)
TOTALS = {kind.name: len(records(kind.name)) for kind in KINDS}


def through(service: Service, address: str, view: int = 0) -> list[list[str]]:
    """Return the ids of every page."""
    pages: list[list[str]] = []
    following: str | None = address
    while following:
        heard = service.ask(following, view)
        assert heard.status == 200, heard.body
        pages.append(heard.ids)
        following = heard.json["next"]
    return pages


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_page_of_every_kind_in_every_order(built_in, kind, limit):
    total = TOTALS[kind.name]
    if limit == 1 and total > 60 and kind.name != "testimony":
        limit = 13  # one kind is enough to be read one by one in every order
    orders: dict[str, list[str]] = {}
    for order in sorts_of(kind)[:-1]:  # by relevance only what is looked for: tests/search
        pages = through(built_in, f"/v1/{kind.path}?sort={order}&limit={limit}&fields=id")
        assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
        assert len(pages) == max(1, -(-total // limit))
        orders[order] = [id for page in pages for id in page]
        assert len(orders[order]) == len(set(orders[order])) == total
    stated = sorted(record["id"] for record in records(kind.name))
    assert orders["id"] == orders["-id"][::-1] == stated
    assert orders["updated"] == orders["-updated"][::-1] == sorted(stated, key=k_of)  # one moment: k breaks the tie
    if kind.date:
        undated = {record["id"] for record in records(kind.name) if not record.get("date")}
        last = len(undated)
        assert set(orders["date"][total - last :]) == set(orders["-date"][total - last :]) == undated
        assert orders["date"][: total - last] == orders["-date"][: total - last][::-1]


FILTERS = [
    "period=post-2011-12",
    "period=pre-2011-12&period=since-coi&match=certain&at=start",
    "boundary=2011-12-17&side=undetermined",
    "from=1990&to=2020&violation=torture&violation=forced-labour",
    "place=prov-north-hamgyong&bbox=124,37.5,131,43.1",
    "victim_group=believer&corroboration_min=1&updated_since=2023-01-01",
]


@pytest.mark.parametrize("asked", FILTERS)
@pytest.mark.parametrize("order", ["date", "-date", "updated", "-id"])
def test_the_address_of_the_next_page_keeps_every_filter(built_in, asked, order):
    given = parse_qsl(f"{asked}&sort={order}&limit=3&fields=title,date")
    heard = built_in.ask(f"/v1/incidents?{asked}&sort={order}&limit=3&fields=title,date")
    whole = built_in.ask(f"/v1/incidents?{asked}&sort={order}&limit=1000")
    total, seen = whole.json["total"], list(heard.ids)
    assert total > 3
    assert f'<{heard.json["next"]}>; rel="next"' in heard["link"]
    while heard.json["next"]:
        address = urlsplit(heard.json["next"])
        assert (f"{address.scheme}://{address.netloc}", address.path) == (BASE, "/v1/incidents")
        kept = parse_qsl(address.query)
        assert sorted(pair for pair in kept if pair[0] != "cursor") == sorted(given)
        before = heard
        heard = built_in.ask(heard.json["next"])
        assert (heard.json["total"], heard.json["meta"]) == (total, before.json["meta"])
        seen += heard.ids
    assert seen == whole.ids and len(seen) == total


@pytest.mark.parametrize("format", ["json", "ndjson", "csv", "geojson"])
def test_pages_in_every_format_hold_the_same_records(built_in, format):
    whole = built_in.ask("/v1/incidents?period=post-2011-12&limit=1000").ids
    seen: list[str] = []
    address: str | None = f"/v1/incidents?period=post-2011-12&limit=40&format={format}"
    while address:
        heard = built_in.ask(address)
        if format in ("json", "geojson"):
            items = heard.json["items" if format == "json" else "features"]
            seen += [item["id"] for item in items]
        else:
            lines = heard.body.decode().splitlines()
            seen += [id for id in whole if any(id in line[:120] for line in lines)]
        links = dict(reversed(one.split("; ")) for one in heard["link"].split(", "))
        address = links.get('rel="next"', "<>")[1:-1] or None
    assert sorted(seen) == sorted(whole) and len(seen) == 155


# --- while records are added ---


def incident(number: int) -> dict[str, object]:
    date = None if number % 7 == 0 else f"{1990 + number % 30}"
    return an_incident(id=fixed("inc", f"paged-{number}"), date=date, citations=[{"symbol": "TEST/1"}])


def add(vault: OpenVault, numbers: range) -> list[str]:
    """Submit incidents one after another, each a second after the one before."""
    ids = []
    for number in numbers:
        vault.clock.now += 1000
        model = BY_NAME["incident"].model.model_validate(incident(number))
        ids += vault.intake.submit([vault.intake.draft(model, "us")], "us").created
    return ids


@pytest.mark.parametrize("order", sorts_of(BY_NAME["incident"])[:-1])
def test_what_was_there_at_the_start_comes_once_while_others_are_added(engine, new_database, tmp_path, order):
    with open_vault(settings_for(new_database(engine), tmp_path)) as vault:
        there = add(vault, range(40))
        service = Service(vault.settings)
        seen: list[str] = []
        address: str | None = f"/v1/incidents?sort={order}&limit=6"
        added, totals = 40, []
        while address:
            heard = service.ask(address)
            seen += heard.ids
            totals.append(heard.json["total"])
            address = heard.json["next"]
            if added < 58:
                add(vault, range(added, added + 3))
                added += 3
        service.close()
    assert len(seen) == len(set(seen))
    assert sorted(id for id in seen if id in there) == sorted(there)
    assert totals[:4] == [40, 43, 46, 49]


def test_what_is_taken_away_meanwhile_is_missed_and_nothing_else_is(engine, new_database, tmp_path):
    with open_vault(settings_for(new_database(engine), tmp_path)) as vault:
        there = add(vault, range(20))
        service = Service(vault.settings)
        first = service.ask("/v1/incidents?sort=id&limit=5")
        gone = sorted(there)[4], sorted(there)[10]  # the one that the cursor stands behind, and one to come
        for id in gone:
            assert retract(vault.writer, id, "us", "")
        rest = [id for page in through(service, first.json["next"]) for id in page]
        service.close()
    assert first.ids + rest == [id for id in sorted(there) if id != gone[1]]
