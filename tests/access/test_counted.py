"""Counting: a credential that was proved counts for itself, any other for the address; each is looked up once."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from app.access.identify import Access
from app.main import create_app
from tests.access.conftest import PARTNER


@pytest.fixture
def client(house):
    """A client of a service that lets an address ask three times a minute, and a credential twice."""
    with TestClient(create_app(replace(house.settings, rate_public=3, rate_credential=2))) as client:
        yield client


def ask(client, key=None):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = client.get("/v1/testimonies", headers=headers)
    return answer.status_code, answer.headers["ratelimit-policy"]


PUBLIC, CREDENTIAL = '"public";q=3;w=60', '"credential";q=2;w=60'


def test_anonymous_counts_for_the_address(client):
    assert [ask(client) for _ in range(4)] == [(200, PUBLIC)] * 3 + [(429, PUBLIC)]


def test_a_credential_counts_for_itself(house, client):
    one, other = house.key(PARTNER), house.key(PARTNER)
    assert [ask(client, one) for _ in range(3)] == [(200, CREDENTIAL)] * 2 + [(429, CREDENTIAL)]
    assert ask(client, other) == (200, CREDENTIAL)
    assert ask(client) == (200, PUBLIC)


def test_one_that_is_only_claimed_counts_for_the_address(house, client):
    row, key = house.make(PARTNER)
    house.keys.revoke(row["id"])
    tried = [key, key[:-1] + "0", "evk_none"]
    assert [ask(client, one) for one in tried] == [(401, PUBLIC)] * 3
    assert ask(client, tried[0]) == ask(client) == (429, PUBLIC)


def test_it_is_looked_up_once_for_a_request(house, client, monkeypatch):
    looked, whole = [], Access._known

    async def watched(self, given):
        looked.append(given)
        return await whole(self, given)

    monkeypatch.setattr(Access, "_known", watched)
    assert ask(client, house.key(PARTNER))[0] == 200
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {house.key(PARTNER)}"}).status_code == 200
    assert len(looked) == 2
