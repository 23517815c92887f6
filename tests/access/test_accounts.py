"""Asking: who has read our records, for their owners; a mechanism as one, or sealed; every line for the operator."""

import time

import pytest

from app.core import moments
from tests.access.conftest import MECHANISM, MECHANISMS, OPEN, PARTNER, PARTNERS, close, ship
from tests.intake.house import ONE_ENGINE, OWNER


class TestAsking:
    def test_anonymous_is_told_nothing(self, own):
        for address in ("/v1/audit", "/v1/audit/seals"):
            assert own.ask(address).status_code == 401
        assert own.ask("/v1/audit", own.key(PARTNER)).status_code == 403

    @pytest.fixture
    def steward(self, own):
        """The key of a steward of the organisation that holds the records."""
        own.keys.create_organisation(OWNER, "The owner", [PARTNER])
        return own.key(PARTNER, organisation=OWNER, roles=("steward",))

    def test_an_owner_learns_who_has_read_its_records(self, own, steward):
        row, key = own.make(PARTNER)
        own.sees(key)
        own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        close(own)
        ship(own)
        own.ask(f"/v1/testimonies/{PARTNERS}", key)
        close(own)
        ship(own)
        items = own.ask("/v1/audit", steward).json()["items"]
        for item in items:
            first, last = item.pop("first"), item.pop("last")
            assert first[:10] == last[:10] == item["day"] and first <= last and first.endswith(".000Z")
        today = moments.iso(moments.now())[:10]
        assert items == [
            {
                "record": id,
                "kind": "testimony",
                "day": today,
                "reader": row["organisation"],
                "view": PARTNER,
                "times": {OPEN: 1, PARTNERS: 2}[id],
            }
            for id in sorted([OPEN, PARTNERS], reverse=True)
        ]
        assert len(own.ask(f"/v1/audit?record={PARTNERS}", steward).json()["items"]) == 1
        assert own.ask(f"/v1/audit?record={MECHANISMS}", steward).json()["items"] == []

    def test_of_its_own_readers_it_learns_which_key(self, own, steward):
        row, key = own.make(PARTNER, organisation=OWNER)
        own.ask(f"/v1/testimonies/{PARTNERS}", key)
        close(own)
        ship(own)
        (item,) = own.ask("/v1/audit", steward).json()["items"]
        assert (item["reader"], item["credential"]) == (OWNER, row["id"])

    def test_another_organisation_learns_nothing_of_it(self, own):
        own.sees(own.key(PARTNER))
        close(own)
        ship(own)
        assert own.ask("/v1/audit", own.key(PARTNER, roles=("steward",))).json() == {"items": [], "next": None}

    def test_page_by_page(self, own, steward):
        key, other = own.key(PARTNER), own.key(PARTNER, roles=("steward",))
        keys = [key, own.key(PARTNER), own.key(PARTNER)]
        for one in keys:
            own.sees(one)
        close(own)
        ship(own)
        found, address = [], "/v1/audit?limit=4"
        sizes = []
        while address:
            page = own.ask(address, steward).json()
            found += [(item["record"], item["reader"]) for item in page["items"]]
            sizes.append(len(page["items"]))
            address = (page["next"] or "").removeprefix("http://testserver")
            if address:
                assert own.ask(address, other).status_code == 422
                assert own.ask(address + f"&record={OPEN}", steward).status_code == 422
        assert sizes == [4, 2]
        assert len(found) == len(set(found)) == 6
        assert [record for record, _ in found] == sorted([OPEN, PARTNERS] * 3, reverse=True)

    def test_a_mechanism_appears_as_one_this_month(self, own, steward):
        keys = [own.key(MECHANISM) for _ in range(2)]
        for key in keys * 2:
            own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        own.ask(f"/v1/testimonies/{OPEN}", own.key(PARTNER))
        close(own)
        ship(own)
        told = {"kind": "testimony", "month": moments.iso(moments.now())[:7], "reader": "a mechanism"}
        for query in ("", "?limit=1", "?limit=2"):  # how often cannot be told from where a page ends either
            found, address = [], f"/v1/audit{query}"
            while address:
                page = own.ask(address, steward).json()
                found.append(page["items"])
                address = (page["next"] or "").removeprefix("http://testserver")
            assert [len(items) for items in found] == ([1, 1] if query == "?limit=1" else [2])
            assert [item for items in found for item in items if "month" in item] == [{"record": MECHANISMS, **told}]

    def test_a_mechanism_seals_what_it_reads_for_a_stated_time(self, own, steward):
        organisation = own.organisation(MECHANISM)
        key = own.key(MECHANISM, organisation=organisation)
        sealing = own.key(MECHANISM, organisation=organisation, roles=("steward",))
        other = own.key(MECHANISM)
        seal = {"until": moments.iso(moments.now() + 3000)}
        assert (
            own.client.post("/v1/audit/seals", json=seal, headers={"Authorization": f"Bearer {steward}"}).status_code
            == 403
        )
        made = own.client.post("/v1/audit/seals", json=seal, headers={"Authorization": f"Bearer {sealing}"})
        assert (made.status_code, made.json()["organisation"]) == (201, organisation)
        assert own.ask("/v1/audit/seals", sealing).json()["items"] == [made.json()]
        assert own.ask("/v1/audit/seals", own.key(MECHANISM, roles=("steward",))).json()["items"] == []
        own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        own.ask(f"/v1/testimonies/{OPEN}", other)
        close(own)
        ship(own)
        told = own.ask("/v1/audit", steward).json()["items"]
        assert [item["record"] for item in told] == [OPEN]
        time.sleep(3.1)
        assert sorted(item["record"] for item in own.ask("/v1/audit", steward).json()["items"]) == sorted(
            [OPEN, MECHANISMS]
        )

    @ONE_ENGINE
    @pytest.mark.parametrize("until", ["2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2027-01-01", "x"])
    def test_a_seal_of_no_such_time(self, own, until):
        headers = {"Authorization": f"Bearer {own.key(MECHANISM, roles=('steward',))}"}
        answer = own.client.post("/v1/audit/seals", json={"until": until}, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/until")

    def test_the_operator_sees_every_line(self, own):
        operator = own.organisation(operator=True)
        auditor = own.key(organisation=operator, roles=("steward",))
        row, key = own.make(MECHANISM)
        own.ask(f"/v1/testimonies/{MECHANISMS}", key)
        close(own)
        ship(own)
        body = own.ask(f"/v1/audit?organisation={row['organisation']}", auditor).json()
        (item,) = body["items"]
        assert item["hash"] and item["chain"] and item["at"].endswith("Z")
        assert {name: item[name] for name in ("organisation", "credential", "route", "one", "records", "status")} == {
            "organisation": row["organisation"],
            "credential": row["id"],
            "route": "/v1/testimonies/{id}",
            "one": MECHANISMS,
            "records": [MECHANISMS],
            "status": 200,
        }
        acts = [item["act"] for item in own.ask("/v1/audit", auditor).json()["items"] if "act" in item]
        assert acts == ["create-credential", "create-organisation"] * 2
        pages, address = 0, "/v1/audit?limit=2"
        while address:
            page = own.ask(address, auditor).json()
            address, pages = (page["next"] or "").removeprefix("http://testserver"), pages + 1
        assert pages == 3

    @ONE_ENGINE
    def test_bad_input(self, own, steward):
        for query, name in (
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=zz", "cursor"),
            ("cursor=00", "cursor"),
            ("recrod=x", "recrod"),
            ("organisation=x", "organisation"),
            ("record=", "record"),
            ("access_token=x", "access_token"),
        ):
            answer = own.ask(f"/v1/audit?{query}", steward)
            assert (answer.status_code, answer.json()["errors"][0]["name"]) == (422, name)
