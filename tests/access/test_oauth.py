"""OAuth 2.0 client credentials: the token endpoint, its tokens, and the keys that they are signed with."""

import asyncio
import base64
import time
from urllib.parse import quote

import orjson
import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from app.access.caller import Allowed, identity
from app.access.tokens import Tokens
from app.core import crypto, moments
from app.core.db import Database
from tests.access.conftest import MECHANISM, PARTNER
from tests.conftest import MASTER

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "mine"})


def basic(id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{quote(id)}:{quote(secret)}".encode()).decode()}


@pytest.fixture
def client_of(house):
    """A function that makes an OAuth client, and returns its id and secret."""

    def make(*views, **more):
        row, secret = house.make(*views, kind="client", **more)
        return row["id"], secret

    return make


def token(house, id, secret, **more):
    form = {"grant_type": "client_credentials", **more}
    answer = house.client.post("/v1/token", data=form, headers=basic(id, secret))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


class TestEndpoint:
    def test_anonymous_is_no_client(self, house):
        answer = house.client.post("/v1/token", data={"grant_type": "client_credentials"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="evidence", charset="UTF-8"'
        assert answer.json() == {
            "error": "invalid_client",
            "error_description": "there is no client_id with its client_secret",
        }

    def test_both_ways_to_prove_a_client(self, house, client_of):
        id, secret = client_of(PARTNER)
        form = {"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
        for answer in (
            house.client.post("/v1/token", data=form),
            house.client.post("/v1/token", data={"grant_type": "client_credentials"}, headers=basic(id, secret)),
        ):
            assert answer.status_code == 200
            assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("private, no-store", "no-cache")
            body = answer.json()
            assert {**body, "access_token": ""} == {
                "access_token": "",
                "token_type": "Bearer",
                "expires_in": 600,
                "scope": "read",
            }
            assert len(house.sees(body["access_token"])) == 2

    def test_a_token_reads_as_its_client_may(self, house, client_of):
        id, secret = client_of(PARTNER, MECHANISM, roles=("read", "steward"))
        text = token(house, id, secret)
        assert house.ask("/v1/testimonies", text).status_code == 422
        assert len(house.sees(text, Purpose="un-reporting")) == 3
        assert house.ask("/v1/me", text).json()["roles"] == ["read", "steward"]
        less = token(house, id, secret, scope="steward")
        assert house.ask("/v1/me", less).json()["roles"] == ["steward"]
        assert house.ask("/v1/testimonies", less).status_code == 403

    @pytest.mark.parametrize(
        ("form", "status", "error"),
        [
            ({"scope": "read"}, 400, "invalid_request"),
            ({"grant_type": ""}, 400, "invalid_request"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
            ({"grant_type": "client_credentials", "scope": "admin"}, 400, "invalid_scope"),
            ({"grant_type": "client_credentials", "client_secret": "x"}, 400, "invalid_request"),
            ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
            ({"grant_type": "client_credentials", "client_id": "another"}, 401, "invalid_client"),
        ],
    )
    def test_refusals_are_in_the_words_of_rfc_6749(self, house, client_of, form, status, error):
        answer = house.client.post("/v1/token", data=form, headers=basic(*client_of(PARTNER)))
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "private, no-store"

    def test_a_client_that_does_not_prove_itself(self, house, client_of):
        id, secret = client_of(PARTNER)
        other, _ = client_of(PARTNER)
        _, key = house.make(PARTNER)
        wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
        form = {"grant_type": "client_credentials"}
        for headers in (
            basic(id, wrong),
            basic(other, secret),
            basic("crd-none", secret),
            basic(id, key),
            basic(id, ""),
            {"Authorization": "Basic !!"},
            {"Authorization": f"Bearer {secret}"},
        ):
            answer = house.client.post("/v1/token", data=form, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
            assert secret not in answer.text

    def test_what_is_not_said_by_rfc_6749_is_a_problem(self, house):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for answer, status in (
            (house.client.get("/v1/token"), 405),
            (house.client.post("/v1/token", json={}), 415),
            (house.client.post("/v1/token", content=b"a" * 65_537, headers=form), 413),
            (house.client.post("/v1/token?grant_type=client_credentials", headers=form), 422),
        ):
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"

    def test_a_form_that_is_none(self, house):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in (b"\xff=1", b"&".join(b"a%d=1" % i for i in range(30))):
            answer = house.client.post("/v1/token", content=body, headers=form)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_the_secret_of_a_client_is_no_key(self, house, client_of):
        answer = house.ask("/v1/testimonies", client_of(PARTNER)[1])
        assert answer.status_code == 401
        assert "POST /v1/token" in answer.json()["detail"]


class TestTokens:
    def test_anonymous_gets_the_keys_that_verify(self, house, client_of):
        text = token(house, *client_of(PARTNER))
        answer = house.ask("/.well-known/jwks.json")
        assert answer.headers["content-type"] == "application/jwk-set+json"
        assert answer.headers["cache-control"] == "public, max-age=300"
        for key in answer.json()["keys"]:
            assert {**key, "x": "", "kid": ""} == {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "",
                "kid": "",
                "use": "sig",
                "alg": "Ed25519",
            }
        found = jwt.decode(text, KeySet.import_key_set(answer.json()), algorithms=["Ed25519"])
        assert found.header["typ"] == "at+jwt"

    def test_claims_are_those_of_rfc_9068(self, house, client_of):
        id, secret = client_of(PARTNER)
        before = int(time.time())
        claims = orjson.loads(jws.extract_compact(token(house, id, secret).encode()).payload)
        assert before <= claims["iat"] <= before + 5 and claims["exp"] == claims["iat"] + 600
        assert (claims["sub"], claims["client_id"], claims["scope"]) == (id, id, "read")
        name = crypto.derive(bytes.fromhex(MASTER), "issuer", 16).hex()
        assert claims["iss"] == claims["aud"] == f"urn:evidence:{name}"
        assert len(claims["jti"]) == 22 and claims["secret_prefix"] == secret[4:14]

    def test_a_token_stops_with_its_client_its_secret_and_its_organisation(self, house, client_of):
        for end in (
            lambda id, _: house.keys.revoke(id),
            lambda id, _: house.keys.rotate(id, 0),
            lambda _, organisation: house.keys.revoke_organisation(organisation),
        ):
            organisation = house.organisation(PARTNER)
            id, secret = client_of(PARTNER, organisation=organisation)
            text = token(house, id, secret)
            assert house.ask("/v1/testimonies", text).status_code == 200
            end(id, organisation)
            assert house.ask("/v1/testimonies", text).status_code == 401
            form = {"grant_type": "client_credentials"}
            assert house.client.post("/v1/token", data=form, headers=basic(id, secret)).status_code == 401

    def test_a_token_ends(self, house, client_of):
        id, secret = client_of(PARTNER)
        now = moments.now()
        assert len(house.sees(issued(house, id, secret, now - 500_000))) == 2
        answer = house.ask("/v1/testimonies", issued(house, id, secret, now - 606_000))
        assert answer.status_code == 401
        assert "get a new one from POST /v1/token" in answer.json()["detail"]

    def test_tokens_for_another_or_by_another_are_refused(self, house, client_of):
        id, secret = client_of(PARTNER)
        now = moments.now()
        assert house.ask("/v1/me", issued(house, id, secret, now, "https://other.example")).status_code == 401
        # Signed with the very key, but about another client than the secret that it names is of.
        other, _ = client_of(PARTNER)
        assert house.ask("/v1/me", issued(house, other, secret, now)).status_code == 401

    def test_keys_are_rotated_with_an_overlap(self, house, client_of):
        id, secret = client_of(PARTNER)
        first, now = token(house, id, secret), moments.now()
        tokens = Tokens(house.database, bytes.fromhex(MASTER), None)
        tokens.rotate(now)
        second = token(house, id, secret)
        kids = [jws.extract_compact(text.encode()).headers()["kid"] for text in (first, second)]
        assert kids[0] != kids[1]
        published = {key["kid"] for key in house.ask("/.well-known/jwks.json").json()["keys"]}
        assert published >= {*kids}
        assert [house.ask("/v1/me", text).status_code for text in (first, second)] == [200, 200]
        tokens.rotate(moments.now(), 0)
        assert [house.ask("/v1/me", text).status_code for text in (first, second)] == [401, 401]
        assert len(house.ask("/.well-known/jwks.json").json()["keys"]) == 1
        assert house.ask("/v1/me", token(house, id, secret)).status_code == 200

    def test_a_key_signs_for_thirty_days(self, house, client_of):
        id, secret = client_of(PARTNER)
        kid = jws.extract_compact(token(house, id, secret).encode()).headers()["kid"]
        later = issued(house, id, secret, moments.now() + 31 * 86_400_000)
        assert jws.extract_compact(later.encode()).headers()["kid"] != kid
        Tokens(house.database, bytes.fromhex(MASTER), None).rotate(moments.now(), 0)  # the key from then is no key now


def test_forged_tokens(house, client_of):
    id, secret = client_of(PARTNER)
    text = token(house, id, secret)
    header, payload, signature = text.split(".")
    claims = orjson.loads(jws.extract_compact(text.encode()).payload)
    real = jws.extract_compact(text.encode()).headers()
    public = house.ask("/.well-known/jwks.json").json()["keys"][-1]

    def coded(value) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")

    def signed(changed=None, claimed=None, key=KEY, algorithm="Ed25519"):
        return jwt.encode({**real, **(changed or {})}, {**claims, **(claimed or {})}, key, algorithms=[algorithm])

    shared = OctKey.import_key(base64.urlsafe_b64decode(public["x"] + "=="))
    for forged in (
        signed(),
        signed({"kid": "mine"}),
        f"{coded({**real, 'alg': 'none'})}.{payload}.",
        f"{coded({**real, 'alg': 'none'})}.{payload}.{signature}",
        f"{header}.{coded({**claims, 'scope': 'read admin'})}.{signature}",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        text + "x",
        text + ".x",
        signed({"alg": "HS256"}, key=shared, algorithm="HS256"),
        f"{coded([1])}.{payload}.{signature}",
        f"{header}.{coded('a')}.{signature}",
        f"{header}.{coded({**claims, 'secret_prefix': None})}.{signature}",
        f"{coded({**real, 'kid': 7})}.{payload}.{signature}",
        f"{coded({**real, 'kid': chr(0)})}.{payload}.{signature}",
    ):
        assert house.ask("/v1/testimonies", forged).status_code == 401, forged
    assert house.ask("/v1/testimonies", text).status_code == 200


def issued(house, id: str, secret: str, now: int, public_url: str | None = None) -> str:
    """Return a token of a client as another process would have made it at some moment."""
    database = Database.main(house.settings)
    of = identity(
        "any",
        id,
        kind="client",
        name="x",
        roles=["read"],
        views=[Allowed(1, "partner", "research")],
        operator=False,
        expires=None,
    )

    async def make() -> str:
        text = await Tokens(database, bytes.fromhex(MASTER), public_url).issue(of, secret[4:14], "read", now)
        await database.close()
        return text

    return asyncio.run(make())
