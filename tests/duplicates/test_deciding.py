"""What a reviewer decides is carried out as far as one organisation may, and kept, with its reason, under seal."""

import asyncio
from itertools import cycle

import pytest
from sqlalchemy import select

from app.core import moments
from app.intake import erase
from app.intake.write import Writer
from app.vault.keys import KeyStore
from app.vault.tables import JUDGEMENT
from tests.access.conftest import MECHANISM, PARTNER
from tests.duplicates.conftest import a_person, an_incident, proposed, said
from tests.intake.house import consent
from tests.writing.conftest import a_witness, another, held

NAMES = cycle("감견곤군금남단돈동란랑려례록류막만면목문민박반방변복봉빈")


def a_pair(one, other, **more):
    """The ids of one person twice, under a name of their own."""
    name = {"ko": f"탁{next(NAMES)}별"}
    return tuple(hand.post("/v1/people", a_person(name, **more))["id"] for hand in (one, other))


def revise(hand, person, changes):
    """Change a person."""
    done = hand.ask("PATCH", f"/v1/people/{person}", changes, if_match=hand.tag(f"/v1/people/{person}"))
    assert done.status_code == 200, done.text


def told(hand):
    return {(one["record"], one["other"], one["ask"]) for one in proposed(hand)["items"]}


def decisions(hand):
    return hand.ask("GET", "/v1/duplicates/decisions").json()["items"]


def test_accepted_they_are_one_and_the_old_id_leads_on(hand, house):
    one, other = a_pair(hand, hand)
    pair = proposed(hand)["items"][0]
    done = said(hand, pair["record"], pair["other"], tag=pair["tag"])
    assert (done.status_code, done.json()["outcome"], done.json()["advice"]) == (200, "merged", None)
    assert proposed(hand)["total"] == 0
    led = house.client.get(f"/v1/people/{other}", follow_redirects=False)
    assert (led.status_code, led.headers["location"].rpartition("/")[2]) == (308, one)
    (kept,) = decisions(hand)
    assert (kept["records"], kept["decision"], kept["reason"]) == (
        sorted((one, other)),
        "accept",
        "Made up for a test.",
    )


def test_refused_they_are_proposed_again_once_one_was_changed(hand):
    one, other = a_pair(hand, hand)
    done = said(hand, other, one, "refuse")
    assert (done.status_code, done.json()["outcome"]) == (200, "kept")
    assert proposed(hand)["total"] == 0
    hand.post("/v1/people", a_person({"ko": "탁다른"}))
    assert proposed(hand)["total"] == 0
    revise(hand, one, {"age_band": "adult"})
    assert told(hand) == {(one, other, None)}  # the one that changed came last


def test_the_tag_holds_a_decision_to_what_was_looked_at(hand):
    one, other = a_pair(hand, hand)
    tag = proposed(hand)["items"][0]["tag"]
    revise(hand, one, {"age_band": "adult"})
    held(said(hand, other, one, tag=tag), 412)
    assert decisions(hand) == []


def test_what_cannot_be_merged_says_what_to_do(hand):
    one, other = a_pair(hand, hand)
    objected = hand.ask("POST", f"/v1/people/{other}/objection", {"to": "name", "reason": "Made up."})
    assert objected.status_code == 200, objected.text
    assert "carry the objection out" in held(said(hand, other, one), 409)
    assert decisions(hand) == []


def test_a_reason_is_sealed_and_goes_with_either_record(hand, house):
    one, other = a_pair(hand, hand)
    said(hand, other, one, "refuse", reason="A secret reason.")
    rows = house.database.look(lambda connection: connection.execute(select(JUDGEMENT)).all())
    assert rows
    assert all(b"secret" not in bytes(row.reason) for row in rows)
    assert decisions(hand)[0]["reason"] == "A secret reason."
    keys = KeyStore.open(house.settings)
    assert erase.erase(Writer(house.database, keys, moments.now), one, hand.owner, "by the test")
    asyncio.run(keys.close())
    assert [(kept["records"], kept["reason"]) for kept in decisions(hand)] == [(sorted((one, other)), None)]
    of_both = select(JUDGEMENT.c.tag).where(JUDGEMENT.c.one.in_((one, other)))
    tags = house.database.look(lambda connection: connection.scalars(of_both).all())
    assert tags == [""], "a guess at what was erased could be held to it"


def test_what_was_decided_is_told_in_the_view_in_which_it_was(house):
    """Records, and a reason that speaks of them, are of that view; another key of the organisation may not have it."""
    owner = house.organisation(PARTNER, MECHANISM)
    partner, mechanism = (another(house, view, owner=owner) for view in (PARTNER, MECHANISM))
    both = another(house, PARTNER, MECHANISM, owner=owner)
    alone = {"disclosure_basis": "consent", "consent": consent(mechanism={}), "citations": []}
    one, other = (mechanism.post("/v1/people", a_person({"en": "Made Up"}, **alone))["id"] for _ in range(2))
    assert said(mechanism, one, other, "refuse", reason="Both tell of one camp.").status_code == 200
    assert decisions(partner) == [] and [kept["records"] for kept in decisions(mechanism)] == [sorted((one, other))]
    for purpose, count in (("research", 0), ("un-reporting", 1)):
        assert len(both.ask("GET", "/v1/duplicates/decisions", purpose=purpose).json()["items"]) == count


@pytest.mark.parametrize("decision", ["accept", "refuse"])
def test_what_is_not_there_or_not_ones_own_is_refused(hand, house, decision):
    one, _ = a_pair(hand, hand)
    stranger = another(house)
    theirs, others = a_pair(stranger, stranger)
    held(said(hand, one, "per-none", decision), 422, "/records/1")
    held(said(hand, theirs, others, decision), 422, "/records")
    held(said(hand, one, one, decision), 422, "/records")
    incident = hand.post("/v1/incidents", an_incident())["id"]
    held(said(hand, one, incident, decision), 422, "/records")


# --- two organisations ---


def allowing(linkage=True, **more):
    return consent(public={}, partner={}, **more) | {"linkage": linkage}


def test_across_organisations_only_where_both_allowed_it_and_only_whom_to_ask(hand, house):
    stranger = another(house)
    mine, theirs = a_pair(hand, stranger, consent=allowing())
    (found,) = proposed(hand)["items"]
    assert (found["record"], found["other"], found["ask"]) == (mine, None, stranger.owner)
    assert (found["reasons"], found["tag"]) == ([], None)
    assert theirs not in hand.ask("GET", "/v1/duplicates?kind=people").text
    assert told(stranger) == {(theirs, None, hand.owner)}
    for mine_allows, theirs_allows in ((True, False), (False, True), (False, False)):
        name = {"ko": f"탁{next(NAMES)}림"}
        one = hand.post("/v1/people", a_person(name, consent=allowing(mine_allows)))["id"]
        other = stranger.post("/v1/people", a_person(name, consent=allowing(theirs_allows)))["id"]
        assert told(hand) == {(mine, None, stranger.owner)}
        assert told(stranger) == {(theirs, None, hand.owner)}
        held(said(hand, one, other), 422, "/records")


def test_what_two_organisations_published_is_shown_to_both(hand, house):
    stranger = another(house)
    mine, theirs = a_pair(hand, stranger)
    assert told(hand) == {(mine, theirs, stranger.owner)}
    assert said(hand, mine, theirs, "refuse").json()["outcome"] == "kept"
    assert told(hand) == set()
    assert told(stranger) == {(theirs, mine, hand.owner)}


def test_an_incident_of_another_organisation_stays_theirs(hand, house, places, violation):
    stranger = another(house)
    same = {"date": "2017-02-03", "places": [places["camp"]], "violations": [violation]}
    mine, theirs = (one.post("/v1/incidents", an_incident("Shots at dawn", **same))["id"] for one in (hand, stranger))
    (found,) = proposed(hand, "incidents")["items"]
    assert (found["record"], found["other"], found["ask"]) == (mine, theirs, stranger.owner)
    done = said(hand, mine, theirs).json()
    assert (done["outcome"], stranger.owner in done["advice"]) == ("kept", True)
    assert proposed(hand, "incidents")["total"] == 0
    assert hand.ask("GET", f"/v1/incidents/{mine}").status_code == 200


def interviewed(hand, person, **more):
    witness = {"form": "unnamed", "person": person}
    content = a_witness(witness=witness, **more)
    return hand.post("/v1/testimonies", {**content, "citations": [{"symbol": "TEST/1"}]})["id"]


def test_a_person_interviewed_by_three_is_one_witness_once_all_say_so(hand, house):
    others = [another(house), another(house)]
    name, hands = {"ko": f"탁{next(NAMES)}솔"}, (hand, *others)
    hidden = consent(public={"identity": "withheld"}, partner={"identity": "withheld"})
    people = [one.post("/v1/people", a_person(name, consent=allowing()))["id"] for one in hands]
    accounts = [
        interviewed(one, person, consent=hidden | {"linkage": True}) for one, person in zip(hands, people, strict=True)
    ]
    incident = hand.post("/v1/incidents", an_incident(testimonies=accounts, citations=[], disclosure_basis="consent"))

    def counted():
        for reader in (
            hand.ask("GET", f"/v1/incidents/{incident['id']}"),
            house.ask(f"/v1/incidents/{incident['id']}"),
        ):
            yield reader.json()["corroboration"]

    def says(i, j, decision="accept"):
        done = said(hands[i], people[i], people[j], decision)
        assert done.status_code == 200, done.text
        return done.json()["outcome"]

    assert [*counted()] == [3, 3]
    assert says(0, 1) == "linked"
    assert [*counted()] == [3, 3]  # nobody makes one of two alone
    assert says(1, 0) == "linked"
    assert [*counted()] == [2, 2]
    assert (says(1, 2), says(2, 1)) == ("linked", "linked")
    assert [*counted()] == [1, 1]
    # No account shows whose it is, and nobody is proposed again who said so.
    told_of = house.ask(f"/v1/testimonies/{accounts[0]}").json()
    assert told_of["witness"]["person"] is None
    assert told(hands[1]) == set()
    # Sent again it stays; taken back, or with the consent to it, it ends at once.
    revise(hands[1], people[1], {"age_band": "adult"})
    assert [*counted()] == [1, 1]
    assert says(2, 1, "refuse") == "unlinked"
    assert [*counted()] == [2, 2]
    revise(hand, people[0], {"consent": {"linkage": False}})
    assert [*counted()] == [3, 3]
