"""Managing over HTTP: an admin manages its own organisation's keys and no other's, the operator everything."""

import pytest

from tests.access.conftest import MECHANISM, PARTNER
from tests.intake.house import ONE_ENGINE


@pytest.fixture
def admin(house):
    """An admin of an organisation that may have the partners' view."""
    organisation = house.organisation(PARTNER)
    return organisation, house.key(PARTNER, organisation=organisation, roles=("read", "admin"))


@pytest.fixture
def operator(house):
    """An admin of the organisation that runs the service."""
    organisation = house.organisation(operator=True)
    return house.key(organisation=organisation, roles=("admin",))


def post(house, address, key, body, method="POST"):
    return house.client.request(method, address, json=body, headers={"Authorization": f"Bearer {key}"})


class TestMe:
    def test_anonymous(self, house):
        answer = house.ask("/v1/me")
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.json() == {
            "organisation": None,
            "operator": False,
            "credential": None,
            "roles": ["read"],
            "views": [{"audience": "public", "purpose": "publication"}],
            "purpose_needed": False,
            "may": [{"role": "read", "to": "read records as one of its views is shown them"}],
            "may_not": [
                {
                    "role": "contribute",
                    "to": "submit and revise records of its organisation, and read them as submitted",
                },
                {
                    "role": "steward",
                    "to": "revise the records of its organisation, and ask what each view is shown of them and who has "
                    "read them",
                },
                {"role": "admin", "to": "make, rotate and revoke the keys of its organisation"},
            ],
        }

    def test_a_key(self, house):
        organisation = house.organisation(PARTNER, MECHANISM)
        row, key = house.make(PARTNER, MECHANISM, organisation=organisation, roles=("read", "steward"))
        body = house.ask("/v1/me", key).json()
        assert body["organisation"] == organisation
        assert body["credential"] == {"id": row["id"], "kind": "key", "name": "made up", "expires": None}
        assert body["roles"] == ["read", "steward"]
        assert [one["purpose"] for one in body["views"]] == ["research", "un-reporting"]
        assert body["purpose_needed"] is True
        assert [one["role"] for one in body["may"]] == ["read", "steward"]
        assert [one["role"] for one in body["may_not"]] == ["contribute", "admin"]


class TestKeys:
    def test_anonymous_manages_nothing(self, house):
        for method, address in (
            ("GET", "/v1/keys"),
            ("POST", "/v1/keys"),
            ("GET", "/v1/keys/crd-a"),
            ("DELETE", "/v1/keys/crd-a"),
            ("POST", "/v1/keys/crd-a/rotate"),
            ("GET", "/v1/organisations"),
            ("POST", "/v1/organisations"),
            ("GET", "/v1/organisations/a"),
            ("PATCH", "/v1/organisations/a"),
            ("DELETE", "/v1/organisations/a"),
        ):
            answer = house.client.request(method, address)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="evidence"')

    def test_only_an_admin_does(self, house):
        key = house.key(PARTNER, roles=("read", "contribute", "steward"))
        for method, address in (("GET", "/v1/keys"), ("DELETE", "/v1/keys/crd-a"), ("POST", "/v1/organisations")):
            answer = house.ask(address, key, method)
            assert answer.status_code == 403
            assert "needs the right 'admin'" in answer.json()["detail"]

    def test_made_listed_rotated_and_revoked(self, house, admin):
        organisation, key = admin
        made = post(
            house, "/v1/keys", key, {"name": "Our map", "views": ["partner"], "expires": "2099-01-01T00:00:00Z"}
        )
        assert made.status_code == 201
        assert made.headers["cache-control"] == "private, no-store"
        body = made.json()
        secret = body.pop("secret")
        assert made.headers["location"] == f"/v1/keys/{body['id']}"
        assert {name: body[name] for name in ("organisation", "kind", "name", "roles", "views", "expires")} == {
            "organisation": organisation,
            "kind": "key",
            "name": "Our map",
            "roles": ["read"],
            "views": ["partner/research"],
            "expires": "2099-01-01T00:00:00.000Z",
        }
        assert house.ask(f"/v1/keys/{body['id']}", key).json() == body
        listed = house.ask("/v1/keys", key).json()
        assert listed["total"] == 2 and body in listed["items"]
        assert secret not in house.ask("/v1/keys", key).text
        assert len(house.sees(secret)) == 2
        rotated = post(house, f"/v1/keys/{body['id']}/rotate", key, {"overlap_hours": 0}).json()
        assert house.ask("/v1/testimonies", secret).status_code == 401
        assert len(house.sees(rotated["secret"])) == 2
        ended = house.ask(f"/v1/keys/{body['id']}", key, "DELETE").json()
        assert ended["revoked"] is not None
        assert house.ask(f"/v1/keys/{body['id']}", key, "DELETE").json() == ended
        assert house.ask("/v1/testimonies", rotated["secret"]).status_code == 401

    def test_another_organisations_are_as_if_they_were_not(self, house, admin):
        _, key = admin
        theirs, _ = house.make(PARTNER)
        unknown = house.ask("/v1/keys/crd-none", key)
        assert unknown.status_code == 404
        for method, address in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
            answer = post(house, f"/v1/keys/{theirs['id']}{address}", key, {}, method)
            assert (answer.status_code, answer.json()) == (404, unknown.json())
        assert house.ask(f"/v1/organisations/{theirs['organisation']}", key).status_code == 404
        answer = post(house, "/v1/keys", key, {"name": "x", "organisation": theirs["organisation"]})
        assert answer.status_code == 403
        assert house.keys.credential(theirs["id"])["revoked"] is None

    def test_no_more_is_given_than_the_organisation_has(self, house, admin):
        organisation, key = admin
        answer = post(house, "/v1/keys", key, {"name": "more", "views": [MECHANISM]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/views"
        for method, address, body in (
            ("PATCH", f"/v1/organisations/{organisation}", {"views": [MECHANISM]}),
            ("DELETE", f"/v1/organisations/{organisation}", None),
            ("POST", "/v1/organisations", {"id": "mine", "name": "Mine"}),
        ):
            answer = post(house, address, key, body, method)
            assert answer.status_code == 403
            assert "of the operator" in answer.json()["detail"]
        assert house.ask("/v1/organisations", key).json()["items"][0]["views"] == ["partner/research"]

    def test_the_operator_manages_every_organisation(self, house, operator):
        answer = post(house, "/v1/organisations", operator, {"id": "new-ngo", "name": "New", "views": ["partner"]})
        assert (answer.status_code, answer.headers["location"]) == (201, "/v1/organisations/new-ngo")
        made = post(house, "/v1/keys", operator, {"name": "first", "organisation": "new-ngo", "roles": ["admin"]})
        assert made.status_code == 201
        assert house.ask("/v1/keys", made.json()["secret"]).json()["total"] == 1
        changed = post(house, "/v1/organisations/new-ngo", operator, {"views": [MECHANISM]}, "PATCH")
        assert changed.json()["views"] == [MECHANISM]
        theirs, secret = house.make(PARTNER)
        assert house.ask(f"/v1/keys/{theirs['id']}", operator, "DELETE").status_code == 200
        assert house.ask("/v1/testimonies", secret).status_code == 401
        assert house.ask("/v1/organisations/new-ngo", operator, "DELETE").json()["revoked"] is not None
        assert house.ask("/v1/keys", made.json()["secret"]).status_code == 401
        assert "new-ngo" in [one["id"] for one in house.ask("/v1/organisations", operator).json()["items"]]


@ONE_ENGINE
class TestBadInput:
    def test_anonymous_is_refused_before_the_body_is_read(self, house):
        assert house.client.post("/v1/keys", content=b"{", headers={"Content-Type": "text/x"}).status_code == 401

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            (b"", "/name"),
            (b"{}", "/name"),
            (b"[]", ""),
            (b"{", ""),
            (b'{"name": "x", "operator": true}', "/operator"),
            (b'{"name": "x", "secret": "evk_"}', "/secret"),
            (b'{"name": "x", "roles": ["reed"]}', "/roles/0"),
            (b'{"name": "x", "roles": "read"}', "/roles"),
            (b'{"name": 1}', "/name"),
            (b'{"name": "x", "views": ["partner"], "expires": "2001-01-01T00:00:00Z"}', "/expires"),
            (b'{"name": "x", "views": ["partner"], "expires": "2099-01-01T00:00:00"}', "/expires"),
            (b'{"name": "x", "views": ["partner"], "expires": "soon"}', "/expires"),
            (b'{"name": "x", "views": ["nobody"]}', "/views"),
        ],
    )
    def test_a_body_with_a_fault_is_pointed_at(self, house, admin, body, pointer):
        headers = {"Authorization": f"Bearer {admin[1]}", "Content-Type": "application/json"}
        answer = house.client.post("/v1/keys", content=body, headers=headers)
        assert answer.status_code == 422
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
        assert len(house.ask("/v1/keys", admin[1]).json()["items"]) == 1

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            ({"role": ["read"]}, "It is no member that is known here. Did you mean 'roles'?"),
            ({"rights": ["read"]}, "Known here: name, organisation, kind, roles, views, expires, issuer, subject."),
            ({"views": ["partners"]}, "Did you mean 'partner/research'?"),
            ({"expires": "2099-01-01T00:00:00"}, "A moment states its zone, as 2027-11-24T00:00:00Z."),
        ],
    )
    def test_what_is_wrong_is_told_with_what_is_known(self, house, admin, fault, words):
        answer = post(house, "/v1/keys", admin[1], {"name": "x", "views": [PARTNER]} | fault)
        assert answer.status_code == 422 and answer.json()["detail"].endswith(words)

    def test_bodies_of_another_kind_and_too_large_ones(self, house, admin):
        headers = {"Authorization": f"Bearer {admin[1]}"}
        assert house.client.post("/v1/keys", content=b"name=x", headers=headers).status_code == 415
        headers["Content-Type"] = "application/json"
        deep = house.client.post("/v1/keys", content=b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}", headers=headers)
        assert deep.status_code == 422 and "32 deep" in deep.json()["detail"]
        assert house.client.post("/v1/keys", content=b" " * 65_537, headers=headers).status_code == 413

    def test_methods_and_parameters(self, house, admin):
        answer = house.client.put("/v1/keys")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, HEAD, OPTIONS")
        assert house.client.options("/v1/keys/crd-a/rotate").headers["allow"] == "POST, OPTIONS"
        assert house.client.head("/v1/me").status_code == 200
        answer = house.ask("/v1/keys?limit=1", admin[1])
        assert answer.json()["errors"] == [
            {"in": "query", "name": "limit", "detail": "This address has no parameters."}
        ]
        for address in ("/v1/keys/", "/v1/keys/a/b", "/v1/keys/{id}", "/v1/organisations/a/rotate"):
            assert house.ask(address, admin[1]).status_code == 404


class TestNul:
    """The character that PostgreSQL keeps in no text."""

    @pytest.mark.parametrize(
        ("address", "body", "pointer"),
        [
            ("/v1/keys", {"name": "a\0b", "views": [PARTNER]}, "/name"),
            ("/v1/keys", {"name": "a", "kind": "subject", "issuer": "https://a.example", "subject": "\0"}, "/subject"),
            ("/v1/keys", {"name": "a", "roles": ["read", "\0"]}, "/roles/1"),
            ("/v1/keys", {"name": "a", "x\0": 1}, ""),
            ("/v1/webhooks", {"name": "\0", "url": "https://a.example/"}, "/name"),
            ("/v1/acknowledgements", {"records": ["a", "\0"]}, "/records/1"),
        ],
    )
    def test_it_is_pointed_at_in_a_body(self, house, admin, address, body, pointer):
        answer = post(house, address, admin[1], body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"] == [{"pointer": pointer, "detail": "There is a character NUL in it."}]

    @pytest.mark.parametrize("kind", ["keys", "organisations", "webhooks", "imports"])
    def test_there_is_nothing_under_such_an_id(self, house, admin, kind):
        for method in ("GET", "DELETE"):
            assert house.ask(f"/v1/{kind}/a%00b", admin[1], method).status_code == 404

    def test_an_escaped_backslash_is_none(self, house, admin):
        made = post(house, "/v1/keys", admin[1], {"name": "\\u0000", "views": [PARTNER]})
        assert (made.status_code, made.json()["name"]) == (201, "\\u0000")
