"""API keys: what each opens, and that it closes with the next request when it ends."""

import re

import pytest

from app.access.keys import Keys, Unknown, Wanted, Wrong
from app.access.tables import SECRET
from app.catalogue.tables import VIEW
from app.core import moments
from tests.access.conftest import MECHANISM, MECHANISMS, OPEN, PARTNER, PARTNERS
from tests.intake.house import ONE_ENGINE, rows_of

DAY = 86_400_000


class TestReading:
    def test_anonymous_sees_what_is_public(self, house):
        assert house.sees() == [OPEN]
        assert house.ask(f"/v1/testimonies/{PARTNERS}").status_code == 404

    def test_a_key_reads_its_view(self, house):
        assert house.sees(house.key(PARTNER)) == sorted([OPEN, PARTNERS])
        assert house.sees(house.key(MECHANISM)) == sorted([OPEN, PARTNERS, MECHANISMS])

    def test_every_way_to_read_asks_who_reads(self, house):
        key = house.key(PARTNER)
        for address in (f"/v1/testimonies/{PARTNERS}", f"/v1/testimonies/{PARTNERS}/history"):
            assert house.ask(address, key).status_code == 200
            assert house.ask(address).status_code == 404
        lines = house.ask("/v1/testimonies?format=ndjson", key).text.splitlines()
        assert len(lines) == 2
        assert house.ask(f"/v1/testimonies/{MECHANISMS}", key).json() == house.ask("/v1/testimonies/tst-none").json()

    def test_no_cache_keeps_it_and_no_tag_is_shared(self, house):
        key, other = house.key(PARTNER), house.key(MECHANISM)
        for address in (
            "/v1/testimonies",
            f"/v1/testimonies/{OPEN}",
            f"/v1/testimonies/{OPEN}/history",
            "/v1/sources/queryables",
        ):
            answers = [house.ask(address, one) for one in (None, key, other)]
            assert [one.status_code for one in answers] == [200, 200, 200]
            assert len({one.headers["etag"] for one in answers}) == 3
            assert answers[0].headers["cache-control"].startswith("public, ")
            for one in answers[1:]:
                assert one.headers["cache-control"] == "private, no-store"
                assert one.headers["vary"] == "Accept, Accept-Encoding, Authorization, Purpose"
                assert "access-control-allow-origin" not in one.headers
            theirs = {"if_none_match": answers[1].headers["etag"]}
            assert house.ask(address, **theirs).status_code == 200
            assert house.ask(address, key, **theirs).status_code == 304
            assert house.ask(address, other, **theirs).status_code == 200

    def test_a_cursor_of_another_view_is_none(self, house):
        key, other = house.key(PARTNER), house.key(MECHANISM)
        following = house.ask("/v1/testimonies?limit=1", key).json()["next"].removeprefix("http://testserver")
        assert house.ask(following, key).status_code == 200
        for one in (other, None):
            answer = house.ask(following, one)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["name"] == "cursor"


class TestOwnView:
    def test_anonymous_and_others_have_no_part_in_it(self, house):
        owner = house.organisation()
        number = 9 + int(owner.removeprefix("ngo-"))

        def make(connection):
            values = {"id": number, "audience": "owner", "purpose": "own-records", "recipient": "[]", "owner": owner}
            connection.execute(VIEW.insert().values(state="live", generation=0, **values))

        house.database.write(make)
        try:
            with pytest.raises(Wrong, match="no view"):
                house.organisation("owner")
            for name in ("owner", "owner/own-records", str(number)):
                assert [one["view"] for one in house.keys.change_views(owner, [name])["views"]] == [number]
            assert house.sees(house.key("owner", organisation=owner)) == []
        finally:
            house.database.write(lambda connection: connection.execute(VIEW.delete().where(VIEW.c.id == number)))


class TestRefused:
    def test_anonymous_is_told_what_is_needed(self, house):
        answer = house.ask("/v1/keys")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="evidence"'
        assert answer.json()["detail"] == "This needs a credential with the right 'admin'."

    @pytest.mark.parametrize(
        "given",
        [
            "Bearer",
            "Bearer ",
            "Bearer abc",
            "Basic YTpi",
            "Bearer evk_0000000000_" + "0" * 52,
            "Bearer evk_0000000000_" + "0" * 51,
            "Bearer " + "x" * 9000,
            "Bearer a.b.c",
            "Bearer ..",
            "Token é",
        ],
    )
    def test_what_is_no_credential(self, house, given):
        for address in ("/v1/testimonies", "/v1/me", "/v1/keys"):
            answer = house.client.get(address, headers={"Authorization": given.encode()})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == 'Bearer realm="evidence", error="invalid_token"'
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["cache-control"] == "no-store"

    def test_a_key_with_another_ending(self, house):
        key = house.key(PARTNER)
        other = key[:-1] + ("0" if key[-1] != "0" else "1")
        assert house.ask("/v1/testimonies", other).status_code == 401
        assert house.ask("/v1/testimonies", key).status_code == 200

    def test_two_headers_are_one_too_many(self, house):
        key = house.key(PARTNER)
        headers = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
        assert house.client.get("/v1/testimonies", headers=headers).status_code == 401

    def test_without_the_right_to_read_nothing_is_read(self, house):
        answer = house.ask("/v1/testimonies", house.key(PARTNER, roles=("contribute", "admin")))
        assert answer.status_code == 403
        assert answer.headers["www-authenticate"] == (
            'Bearer realm="evidence", error="insufficient_scope", scope="read"'
        )
        assert answer.json()["detail"] == (
            "This needs the right 'read', to read records as one of its views is shown them. "
            "Your credential has: admin, contribute."
        )
        # The same for a record that is there and for one that is not: it is decided before anything is read.
        key = house.key(PARTNER, roles=("contribute",))
        assert {house.ask(f"/v1/testimonies/{id}", key).text for id in (OPEN, MECHANISMS, "tst-none")} == {
            house.ask("/v1/testimonies", key).text
        }

    @pytest.mark.parametrize("name", ["access_token", "api_key", "token", "key", "Api-Key"])
    def test_a_credential_in_the_address(self, house, name):
        key = house.key(PARTNER)
        for address in ("/v1/testimonies", f"/v1/testimonies/{OPEN}", "/v1", "/v1/me", "/v1/token"):
            method = "POST" if address == "/v1/token" else "GET"
            answer = house.ask(f"{address}?{name}={key}", method=method)
            assert answer.status_code == 422
            assert "header Authorization and never into an address" in answer.json()["errors"][0]["detail"]
            assert key[4:] not in answer.text

    def test_a_key_under_any_other_name_in_the_address_is_not_repeated(self, house):
        key = house.key(PARTNER)
        for address in (f"/v1/testimonies?owner={key}", f"/v1/testimonies/{key}", f"/v1/keys/{key}", f"/v1/{key}"):
            answer = house.ask(address)
            assert answer.status_code in (404, 422, 401)
            assert key[4:] not in answer.text


class TestEnding:
    def test_anonymous_is_not_touched_by_it(self, house):
        house.keys.revoke(house.make(PARTNER)[0]["id"])
        assert house.sees() == [OPEN]

    def test_a_revoked_key_stops_with_the_next_request(self, house):
        row, key = house.make(PARTNER)
        assert house.ask("/v1/testimonies", key).status_code == 200
        house.keys.revoke(row["id"])
        answer = house.ask("/v1/testimonies", key)
        assert answer.status_code == 401
        assert answer.json()["detail"] == "This credential was revoked."

    def test_the_keys_of_a_revoked_organisation_stop_too(self, house):
        organisation = house.organisation(PARTNER)
        keys = [house.key(PARTNER, organisation=organisation) for _ in range(2)]
        house.keys.revoke_organisation(organisation)
        assert [house.ask("/v1/testimonies", key).status_code for key in keys] == [401, 401]
        with pytest.raises(Wrong, match="was revoked"):
            house.key(PARTNER, organisation=organisation)

    def test_an_organisation_loses_a_view_with_the_next_request(self, house):
        organisation = house.organisation(PARTNER, MECHANISM)
        key = house.key(MECHANISM, organisation=organisation)
        assert len(house.sees(key)) == 3
        house.keys.change_views(organisation, [PARTNER])
        answer = house.ask("/v1/testimonies", key)
        assert (answer.status_code, answer.json()["detail"]) == (
            403,
            "Your credential has no view to read in. Ask the operator for one.",
        )
        house.keys.change_views(organisation, [PARTNER, MECHANISM])
        assert len(house.sees(key)) == 3

    def test_a_key_ends_at_its_moment(self, house):
        now = moments.now()
        past = Keys(house.database, lambda: now - 10 * DAY)
        _, key = past.create(Wanted(house.organisation(PARTNER), "old", views=[PARTNER], expires=now - DAY))
        answer = house.ask("/v1/testimonies", key)
        assert answer.status_code == 401
        assert answer.json()["detail"] == f"This credential ended at {moments.iso(now - DAY)}."
        assert house.ask("/v1/testimonies", house.key(PARTNER, expires=now + DAY)).status_code == 200

    def test_two_secrets_hold_while_a_key_is_rotated(self, house):
        row, first = house.make(PARTNER)
        changed, second = house.keys.rotate(row["id"], 1)
        assert [house.ask("/v1/testimonies", key).status_code for key in (first, second)] == [200, 200]
        ends = [one["expires"] for one in changed["secrets"]]
        assert ends[1] is None and ends[0] == changed["secrets"][1]["created"] + 3_600_000
        _, third = house.keys.rotate(row["id"], 0)
        assert [house.ask("/v1/testimonies", key).status_code for key in (first, second, third)] == [401, 401, 200]

    def test_rotating_does_not_make_a_secret_live_longer(self, house):
        row, _ = house.make(PARTNER)
        house.keys.rotate(row["id"], 0)
        changed, _ = house.keys.rotate(row["id"], 720)
        assert changed["secrets"][0]["expires"] == changed["secrets"][1]["created"]

    @ONE_ENGINE
    def test_what_cannot_be_rotated(self, house):
        row, _ = house.make(PARTNER)
        with pytest.raises(Wrong, match="0 to 720"):
            house.keys.rotate(row["id"], 721)
        house.keys.revoke(row["id"])
        with pytest.raises(Wrong, match="revoked"):
            house.keys.rotate(row["id"], 1)
        with pytest.raises(Unknown):
            house.keys.rotate("crd-none", 1)
        with pytest.raises(Unknown):
            house.keys.revoke(row["id"], "another")


class TestKeeping:
    def test_anonymous_costs_no_read(self, house, monkeypatch):
        def refuse(*_, **__):
            raise AssertionError("a credential was looked up")

        monkeypatch.setattr("app.access.identify.Access._known", refuse)
        assert house.sees() == [OPEN]

    def test_only_a_digest_is_kept(self, house):
        row, key = house.make(PARTNER)
        assert re.fullmatch(r"evk_[0-9a-hjkmnp-tv-z]{10}_[0-9a-hjkmnp-tv-z]{52}", key)
        kept = [one for one in rows_of(house.database, SECRET) if one[1] == row["id"]]
        assert [one[0] for one in kept] == [key[4:14]] == [row["secrets"][0]["prefix"]]
        assert key[15:].encode() not in b"".join(bytes(one[2]) for one in kept)
        assert len(bytes(kept[0][2])) == 32

    @ONE_ENGINE
    @pytest.mark.parametrize(
        ("more", "field", "why"),
        [
            ({"organisation": "nobody"}, "organisation", "There is no organisation 'nobody'."),
            ({"kind": "password"}, "kind", "key, client, subject"),
            ({"roles": ["reed"]}, "roles", "Did you mean 'read'?"),
            ({"views": ["partner/reserch"]}, "views", "Did you mean 'partner/research'?"),
            ({"views": [MECHANISM]}, "views", "There is no view 'mechanism/un-reporting' to give"),
            ({"views": []}, "views", "needs a view to read in"),
            ({"name": "  "}, "name", "has a name"),
            ({"expires": 1}, "expires", "has passed"),
            ({"subject": "somebody"}, "subject", "issuer and subject"),
            ({"kind": "subject"}, "subject", "issuer and subject"),
        ],
    )
    def test_what_cannot_be_made(self, house, more, field, why):
        organisation = house.organisation(PARTNER)
        with pytest.raises(Wrong) as caught:
            house.keys.create(Wanted(**{"organisation": organisation, "name": "x", "views": [PARTNER], **more}))
        assert caught.value.field == field
        assert why in str(caught.value)
        assert house.keys.credentials(organisation) == []

    @ONE_ENGINE
    def test_an_organisation_is_made_once_and_of_views_that_there_are(self, house):
        organisation = house.organisation(PARTNER)
        with pytest.raises(Wrong, match="already"):
            house.keys.create_organisation(organisation, "Again")
        with pytest.raises(Wrong, match="public/publication, partner/research, mechanism/un-reporting"):
            house.keys.create_organisation("other-ngo", "Other", ["court"])
        with pytest.raises(Wrong, match="account"):
            house.keys.create_organisation("operator", "Not the operator")
        with pytest.raises(Unknown):
            house.keys.change_views("other-ngo", [])
        assert [one["id"] for one in house.keys.organisations() if one["id"] in (organisation, "other-ngo")] == [
            organisation
        ]
