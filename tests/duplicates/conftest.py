"""A deployment, organisations that review in it, and what they hold; all of it is made up."""

import itertools

import pytest

from app.duplicates import proposing
from tests.writing.conftest import hand, house

__all__ = ["hand", "house"]
NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A request waits for the comparison, however busy the machine is."""
    monkeypatch.setattr(proposing, "PATIENCE", 300.0)


@pytest.fixture
def places(hand):
    """A country, two provinces in it, and a camp in the first, by name."""
    mark = next(NUMBERS)

    def post(name, type, parent=None):
        body = {"id": f"{name}-{mark}", "name": {"en": name}, "type": type}
        return hand.post("/v1/places", body | ({"parent": parent} if parent else {}))["id"]

    land = post("land", "country")
    north, south = (post(name, "province", land) for name in ("north", "south"))
    return {"land": land, "north": north, "south": south, "camp": post("camp", "other", north)}


@pytest.fixture
def violation(hand):
    """A violation of the hand's own."""
    return hand.post("/v1/violations", {"id": f"made-up-{next(NUMBERS)}", "label": {"en": "Made up"}})["id"]


def a_person(name, **more):
    """A person who is a record of their own, whatever others say."""
    basis, slug = "consent" if "consent" in more else "published", f"made-up-{next(NUMBERS)}"
    cited = [{"symbol": "TEST/1"}]
    return {"disclosure_basis": basis, "slug": slug, "citations": cited, "name": name, "sex": "male", **more}


def an_incident(title=None, **more):
    shown = {"title": {"public": {"en": title}}} if title else {}
    return {"disclosure_basis": "published", "citations": [{"symbol": "TEST/1"}], "scope": "event", **shown, **more}


def proposed(hand, kind="people", **more):
    """Return what is proposed."""
    query = "".join(f"&{name}={value}" for name, value in more.items())
    answer = hand.ask("GET", f"/v1/duplicates?kind={kind}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(hand, one, other, decision="accept", reason="Made up for a test.", **more):
    """Return the answer to a decision."""
    return hand.ask("POST", "/v1/duplicates", {"records": [one, other], "decision": decision, "reason": reason, **more})
