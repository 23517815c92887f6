"""Paging: each record once, in any order, with any limit, while records are added too; and cursors that do not fit."""

import asyncio
import base64

import pytest
from starlette.testclient import TestClient

from app.core import migrations
from app.core.db import Database
from app.main import create_app
from tests.catalogue.conftest import INCIDENTS, PUBLIC, settings_of
from tests.catalogue.seed import AT, One, fill, incident

SORTS = ["date", "-date", "id", "-id", "updated", "-updated"]


def walk(client, address):
    found = []
    while address is not None:
        page = client.get(address).json()
        found += [one["id"] for one in page["items"]]
        address = page["next"]
    return found


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 3, 10])
def test_each_once(client, sort, limit):
    whole = [one["id"] for one in client.get(f"/v1/incidents?sort={sort}").json()["items"]]
    assert walk(client, f"/v1/incidents?sort={sort}&limit={limit}") == whole


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(
    "asked",
    [
        "period=post-2011-12",
        "violation=torture",
        "violation=torture&violation=abduction",
        "place=prov-a&match=within&to=2013",
    ],
)
def test_each_once_with_filters(client, sort, asked):
    whole = [one["id"] for one in client.get(f"/v1/incidents?{asked}&sort={sort}").json()["items"]]
    assert whole
    assert walk(client, f"/v1/incidents?{asked}&sort={sort}&limit=2") == whole


def test_each_once_of_what_belongs_to_one(client):
    whole = walk(client, "/v1/violations/detention/incidents?limit=100")
    assert len(whole) == 7
    assert walk(client, "/v1/violations/detention/incidents?limit=2") == whole


def test_the_next_page_keeps_every_filter(client):
    page = client.get("/v1/incidents?violation=torture&sort=date&limit=1&fields=date&period=post-2011-12").json()
    assert page["next"].startswith(
        "http://testserver/v1/incidents?period=post-2011-12&violation=torture&sort=date&limit=1&fields=date&cursor="
    )
    assert page["total"] == client.get(page["next"]).json()["total"] == 3


def test_limit_and_fields_may_change_between_pages(client):
    following = client.get("/v1/incidents?limit=4").json()["next"].replace("limit=4", "limit=6")
    page = client.get(f"{following}&fields=date").json()
    assert len(page["items"]) == 6
    assert page["next"] is None
    assert list(page["items"][0]) == ["id", "kind", "date"]


@pytest.mark.parametrize("sort", SORTS)
def test_each_once_while_records_are_added(engine, new_database, tmp_path, sort):
    url = new_database(engine)
    database = Database(url)
    migrations.upgrade(database)
    fill(database, PUBLIC)
    added = ["1990", "2008", "2011-12", "2024", None]
    with TestClient(create_app(settings_of(url, tmp_path))) as client:
        found: list[str] = []
        address: str | None = f"/v1/incidents?sort={sort}&limit=2"
        number = 0
        while address is not None:
            page = client.get(address).json()
            found += [one["id"] for one in page["items"]]
            address = page["next"]
            if number < len(added):
                one = One("incident", incident(f"new-{number}"), {}, added[number], updated=AT + 100 * number - 150)
                fill(database, [one], generation=number + 2)
                number += 1
                assert page["total"] == 9 + number
    asyncio.run(database.close())
    assert len(found) == len(set(found))
    assert {one.id for one in INCIDENTS.values()} <= set(found)


def cursor(client, asked=""):
    return client.get(f"/v1/incidents?limit=1&{asked}").json()["next"].partition("cursor=")[2]


def explained(client, asked):
    answer = client.get(f"/v1/incidents?{asked}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert (error["in"], error["name"]) == ("query", "cursor")
    return error["detail"]


def test_cursors_that_do_not_fit_say_why(client, partner):
    whole = cursor(client)
    raw = base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))
    forged = base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode().rstrip("=")
    assert "This is no cursor" in explained(client, "cursor=$$$")
    assert "was cut off" in explained(client, f"cursor={whole[:-3]}")
    assert "was cut off" in explained(client, f"cursor={whole}AAAA")
    assert "was cut off" in explained(client, "cursor=A")
    assert "was not made by this service" in explained(client, f"cursor={forged}")
    assert "was not made by this service for you" in explained(client, f"cursor={cursor(partner)}")
    assert "other filters" in explained(client, f"cursor={whole}&violation=torture")
    assert "belongs to the order '-date', and the order asked for is 'id'" in explained(
        client, f"cursor={whole}&sort=id"
    )


def test_a_cursor_fits_one_list_only(client):
    other = cursor(client)
    answer = client.get(f"/v1/places?cursor={other}")
    assert "other filters" in answer.json()["errors"][0]["detail"]


def test_cursors_are_the_same_for_the_same_place(client):
    assert cursor(client) == cursor(client)


def test_a_page_is_not_mixed_from_two_generations(engine, new_database, tmp_path):
    url = new_database(engine)
    database = Database(url)
    migrations.upgrade(database)
    fill(database, PUBLIC)
    with TestClient(create_app(settings_of(url, tmp_path))) as client:
        before = client.get("/v1/incidents?violation=torture")
        fill(database, [One("incident", incident("new"), {}, "2025", {"violation": ["torture"]})], generation=2)
        after = client.get("/v1/incidents?violation=torture", headers={"If-None-Match": before.headers["etag"]})
    asyncio.run(database.close())
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert (before.json()["total"], after.json()["total"]) == (5, 6)
    assert len(after.json()["items"]) == 6
