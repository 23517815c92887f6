"""An outside issuer: tokens of a real OpenID Connect provider, in a process of its own, and forged ones."""

import asyncio
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from starlette.testclient import TestClient

from app.access import issuer as module
from app.access.issuer import Issuer
from app.core.problems import Problem
from app.core.settings import is_safe
from app.main import create_app
from tests.access.conftest import PARTNER
from tests.cluster import free_port

AUDIENCE, BACK = "evidence", "http://localhost:1/back"
NOW = 1_800_000_000_000


@pytest.fixture(scope="session")
def provider() -> Iterator[str]:
    """The address of a provider that lets everybody in."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        name = f"http://localhost:{port}"
        for _ in range(100):
            try:
                name = httpx.get(f"{name}/.well-known/openid-configuration").json()["issuer"]
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield name
        process.terminate()


def sign_in(provider: str, subject: str, client: str = AUDIENCE) -> str:
    """Return the token that a subject gets by the authorization code flow."""
    about = httpx.get(f"{provider}/.well-known/openid-configuration").json()
    asked = {"client_id": client, "redirect_uri": BACK, "response_type": "code", "scope": "openid", "state": "s"}
    form = httpx.post(f"{about['authorization_endpoint']}?{urlencode(asked)}", data={"sub": subject})
    code = parse_qs(urlsplit(form.headers["location"]).query)["code"][0]
    granted = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    answer = httpx.post(about["token_endpoint"], data=granted, auth=(client, "any"))
    text: str = answer.json()["id_token"]
    return text


class TestProvider:
    @pytest.fixture
    def client(self, house, provider):
        settings = replace(house.settings, oidc_issuer=provider, oidc_audience=AUDIENCE)
        with TestClient(create_app(settings)) as client:
            yield client

    def test_anonymous_reads_as_before(self, client):
        assert client.get("/v1/testimonies").json()["total"] == 1

    def test_a_subject_reads_as_its_credential_says(self, house, provider, client):
        subject = f"alice-{house.organisation()}@example.org"
        headers = {"Authorization": f"Bearer {sign_in(provider, subject)}"}
        answer = client.get("/v1/testimonies", headers=headers)
        assert (answer.status_code, "no credential here" in answer.json()["detail"]) == (401, True)
        row, secret = house.make(PARTNER, kind="subject", issuer=provider, subject=subject)
        assert secret is None
        assert client.get("/v1/testimonies", headers=headers).json()["total"] == 2
        assert client.get("/v1/me", headers=headers).json()["credential"]["id"] == row["id"]
        # It is not known to a service that does not trust the issuer.
        assert house.client.get("/v1/testimonies", headers=headers).status_code == 401
        with pytest.raises(ValueError, match="already"):
            house.make(PARTNER, kind="subject", issuer=provider, subject=subject)
        house.keys.revoke(row["id"])
        assert client.get("/v1/testimonies", headers=headers).status_code == 401
        house.make(PARTNER, kind="subject", issuer=provider, subject=subject)
        assert client.get("/v1/testimonies", headers=headers).status_code == 200

    def test_a_token_for_another_service_is_refused(self, house, provider, client):
        subject = f"bob-{house.organisation()}@example.org"
        house.make(PARTNER, kind="subject", issuer=provider, subject=subject)
        headers = {"Authorization": f"Bearer {sign_in(provider, subject, 'another')}"}
        answer = client.get("/v1/testimonies", headers=headers)
        assert (answer.status_code, "does not hold" in answer.json()["detail"]) == (401, True)


class Fake:
    """An issuer whose documents a test makes up."""

    name = "https://issuer.example"

    def __init__(self) -> None:
        self.keys: list[Any] = [RSAKey.generate_key(2048, parameters={"kid": "one"})]
        self.fetched: list[str] = []
        self.broken = False
        self.stated = self.name

    def fetch(self, address: str) -> Any:
        self.fetched.append(address)
        if self.broken:
            raise OSError
        if address == f"{self.name}/.well-known/openid-configuration":
            return {"issuer": self.stated, "jwks_uri": f"{self.name}/keys"}
        assert address == f"{self.name}/keys"
        return KeySet(self.keys).as_dict(private=False)

    def token(self, key: Any = None, algorithm: str = "RS256", kid: str = "one", **claims: Any) -> str:
        now = NOW // 1000
        whole = {"iss": self.name, "aud": AUDIENCE, "sub": "s", "exp": now + 60, "iat": now, **claims}
        header = {"alg": algorithm, "kid": kid}
        stated = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(header, stated, key or self.keys[0], algorithms=[algorithm])


def ask(issuer: Issuer, *texts: str) -> list[str]:
    """Return the subject of each token, or the type of the problem."""

    async def all_of_them() -> list[str]:
        found = []
        for text in texts:
            try:
                found.append(await issuer.subject(text, NOW))
            except Problem as problem:
                found.append(problem.type)
        return found

    return asyncio.run(all_of_them())


class TestChecks:
    @pytest.fixture
    def fake(self):
        return Fake()

    @pytest.fixture
    def issuer(self, fake):
        return Issuer(fake.name, AUDIENCE, ("RS256",), fake.fetch)

    def test_claims(self, fake, issuer):
        other = RSAKey.generate_key(2048, parameters={"kid": "one"})
        shared = OctKey.import_key(fake.keys[0].as_pem(private=False)[27:])  # the library refuses the whole of it
        good = fake.token()
        answers = ask(
            issuer,
            good,
            fake.token(aud=["x", AUDIENCE]),
            fake.token(aud="x"),
            fake.token(aud=None),
            fake.token(iss="https://other.example"),
            fake.token(exp=NOW // 1000 - 31),
            fake.token(exp=None),
            fake.token(nbf=NOW // 1000 + 40),
            fake.token(sub=None),
            fake.token(sub=7),
            fake.token(key=other),
            fake.token(key=shared, algorithm="HS256"),
            fake.token(algorithm="RS512"),
            good[:-5] + "AAAAA",
        )
        assert answers == ["s", "s", *["unauthenticated"] * 12]

    def test_its_keys_are_fetched_once_and_anew_for_a_new_one(self, fake, issuer, monkeypatch):
        now = 1000.0
        monkeypatch.setattr("app.access.issuer.time.monotonic", lambda: now)
        assert ask(issuer, fake.token(), fake.token()) == ["s", "s"]
        assert len(fake.fetched) == 2
        fake.keys.append(RSAKey.generate_key(2048, parameters={"kid": "two"}))
        text = fake.token(key=fake.keys[1], kid="two")
        assert ask(issuer, text) == ["unauthenticated"]  # too soon: whoever makes up names makes nobody fetch
        assert len(fake.fetched) == 2
        now += 31
        assert ask(issuer, text, fake.token()) == ["s", "s"]
        assert len(fake.fetched) == 4
        fake.broken = True
        now += 601
        assert ask(issuer, text) == ["s"]  # the keys from before hold until others are had

    def test_an_issuer_that_cannot_be_reached_or_says_it_is_another(self, fake, issuer):
        fake.broken = True
        assert ask(issuer, fake.token()) == ["unavailable"]
        fake.broken, fake.stated = False, "https://other.example"
        assert ask(Issuer(fake.name, AUDIENCE, ("RS256",), fake.fetch), fake.token()) == ["unavailable"]

    def test_whoever_makes_up_keys_makes_nobody_ask_one_that_does_not_answer(self, fake, issuer, monkeypatch):
        now = 1000.0
        monkeypatch.setattr("app.access.issuer.time.monotonic", lambda: now)
        good, other = fake.token(), fake.token(kid="made-up")
        fake.broken = True
        assert ask(issuer, other, good, other) == ["unavailable"] * 3
        assert len(fake.fetched) == 1
        fake.broken = False
        now += 11
        assert ask(issuer, good, other) == ["s", "unauthenticated"]
        assert len(fake.fetched) == 3
        fake.broken = True
        now += 31
        assert ask(issuer, other, other, good) == ["unavailable", "unavailable", "s"]
        assert len(fake.fetched) == 4

    def test_holders_of_good_tokens_do_not_wait_for_a_fetch(self, fake, issuer, monkeypatch):
        monkeypatch.setattr(module, "SOONEST", 0)
        good, other = fake.token(), fake.token(kid="made-up")
        ask(issuer, good)
        release = threading.Event()
        fetch = fake.fetch

        def slow(address: str) -> Any:
            assert release.wait(10)
            return fetch(address)

        monkeypatch.setattr(issuer, "_fetch", slow)

        async def both() -> str:
            waiting = asyncio.create_task(issuer.subject(other, NOW))
            await asyncio.sleep(0.05)
            subject: str = await asyncio.wait_for(issuer.subject(good, NOW), 5)
            release.set()
            with pytest.raises(Problem):
                await waiting
            return subject

        try:
            assert asyncio.run(both()) == "s"
        finally:
            release.set()

    def test_a_key_is_named_by_a_text(self, fake, issuer):
        text = fake.token()
        head = urlsafe_b64encode(b'{"alg":"RS256","kid":["one"]}').decode().rstrip("=")
        assert ask(issuer, text, f"{head}{text[text.index('.') :]}") == ["s", "unauthenticated"]

    @pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": [{"kty": "EC", "crv": "X", "x": "", "y": ""}]}])
    def test_keys_that_nobody_can_read_are_none(self, fake, document):
        about = {"issuer": fake.name, "jwks_uri": f"{fake.name}/keys"}
        issuer = Issuer(fake.name, AUDIENCE, ("RS256",), lambda address: about if "well" in address else document)
        assert ask(issuer, fake.token()) == ["unavailable"]

    def test_keys_come_only_from_where_nobody_can_change_them(self):
        for address in (
            "http://issuer.example/x",
            "file:///etc/passwd",
            "ftp://localhost/x",
            "http://localhost.evil/x",
        ):
            assert not is_safe(address)
            with pytest.raises(ValueError, match="https only"):
                module._document(address)
        for address in ("https://issuer.example/x", "http://localhost:9400/x", "http://127.0.0.1/x"):
            assert is_safe(address)
