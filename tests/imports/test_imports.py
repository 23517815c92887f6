"""Imports over HTTP: made, handed in, checked, confirmed by its numbers, applied; nobody else learns of any of it."""


from tests.imports.conftest import good

GAINS = {"public": 5, "partner": 4, "mechanism": 4}


def test_a_file_is_checked_confirmed_by_its_numbers_and_applied(hand):
    one, found = hand.checked(good())
    assert found["state"] == "ready" and found["reason"] is None and found["problems"] == 0
    assert (found["rows"], found["to_confirm"]) == (3, GAINS)
    assert {name: found["foreseen"][name] for name in ("created", "revised", "unchanged")} == {
        "created": 5,
        "revised": 0,
        "unchanged": 0,
    }
    before = hand.ask("GET", "/v1/incidents").json()["total"]
    for gains in ({}, {"public": 5}, GAINS | {"partner": 3}):
        answer = hand.confirm(one, gains)
        assert answer.status_code == 409 and "public=5, partner=4, mechanism=4" in answer.json()["detail"]
    assert hand.ask("GET", "/v1/incidents").json()["total"] == before
    answer = hand.confirm(one, GAINS)
    assert answer.status_code == 202 and answer.json()["state"] == "confirmed"
    done = hand.until(one, "done")
    assert done["result"] == {"created": 5, "revised": 0, "unchanged": 0}
    assert hand.ask("GET", "/v1/incidents").json()["total"] == before + 3
    again = hand.brought(good())
    assert again["result"] == {"created": 0, "revised": 0, "unchanged": 4}
    # Of the file nothing is left: what is in the vault is sealed there.
    folder = hand.house.settings.home / "imports" / one.rpartition("/")[2]
    assert sorted(path.name for path in folder.iterdir()) == ["report"]
