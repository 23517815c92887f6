"""What is refused, and what nobody learns by it: bodies that are none, unknown members, records of others."""

from app.core.ids import new
from tests.access.conftest import MECHANISMS, PARTNERS
from tests.intake.house import a_person, consent
from tests.writing.conftest import a_witness, another, held


def test_no_record_of_others_that_is_hidden_can_be_named_or_asked_after(hand):
    unknown = new("tst")
    answers = [
        hand.ask("POST", "/v1/testimonies?dry_run=true", a_witness(same_witness=[id])).content.replace(
            id.encode(), b"ID"
        )
        for id in (MECHANISMS, unknown)
    ]
    assert answers[0] == answers[1]
    assert b"/same_witness/0" in answers[0]
    assert hand.ask("POST", "/v1/testimonies?dry_run=true", a_witness(same_witness=[PARTNERS])).status_code == 200


def test_no_name_in_a_record_of_others_can_be_tried_out(house):
    theirs, hand = another(house), another(house)
    person = a_person(name={"en": "Hong Gildong"}, consent=consent(public={"identity": "withheld"}))
    del person["id"]
    id = theirs.post("/v1/people", person)["id"]
    content = a_witness(consent=consent(public={"identity": "withheld"}))
    content |= {"witness": {"form": "unnamed", "person": id}, "summary": {"public": {"en": "Hong Gildong saw it"}}}
    assert [one["pointer"] for one in theirs.post("/v1/testimonies", content)["warnings"]] == ["/summary/public/en"]
    assert hand.post("/v1/testimonies", content)["warnings"] == []


def test_only_json_is_read_and_only_objects(hand):
    held(hand.ask("POST", "/v1/testimonies", a_witness(), content_type="text/plain"), 415)
    here = f"/v1/testimonies/{hand.post('/v1/testimonies', a_witness())['id']}"
    refused = hand.ask("PATCH", here, {}, content_type="application/json")
    held(refused, 415)
    assert refused.headers["accept-patch"] == "application/merge-patch+json"
    nothing: tuple[object, ...] = ([], "x", 1, None)
    for body in nothing:
        held(hand.ask("POST", "/v1/people", body, content_type="application/json"), 422, "")


def test_two_members_of_one_name_are_refused(hand):
    body = b'{"witness": {"form": "named", "form": "unnamed"}, "disclosure_basis": "published"}'
    headers = {"Authorization": f"Bearer {hand.key}", "Content-Type": "application/json"}
    answer = hand.house.client.post("/v1/testimonies", content=body, headers=headers)
    assert held(answer, 422, "/witness") == "An object has two members of one name."


def test_a_member_that_is_not_known_is_pointed_at_with_the_nearest(hand):
    content = a_witness(acount_type="hearing", consent=consent(partner={"contnet": "full"}))
    content["witness"]["rôle"] = {"en": "x"}
    answer = hand.ask("POST", "/v1/testimonies", content)
    assert held(answer, 422, "/acount_type") == "It is no member that is known here. Did you mean 'account_type'?"
    where = "/consent/audiences/partner/contnet"
    assert held(answer, 422, where) == "It is no member that is known here. Did you mean 'content'?"
    assert held(answer, 422, "/witness") == "It is no member that is known here."
    assert "rôle" not in answer.text


def test_a_fault_is_told_in_a_sentence(hand):
    content = a_witness(date="2016-13", own_words={"public": {"en": 20_001 * "x"}}, knowledge="guessed")
    answer = hand.ask("POST", "/v1/testimonies", content)
    assert held(answer, 422, "/date").startswith("'2016-13' has a month that does not exist; ")
    assert held(answer, 422, "/own_words/public/en") == "It should have at most 20000 characters."
    assert held(answer, 422, "/knowledge").startswith("It should be 'experienced', ")
    place = {"name": {"en": "Camp"}, "type": "locality", "parent": "camp"}
    assert held(hand.ask("PUT", "/v1/places/Camp", place), 422, "/id").startswith("The id in the address is none: ")
    answer = hand.ask("PUT", "/v1/places/camp", place)
    assert held(answer, 422, "/parent") == "A place is not inside itself."


def test_a_reason_in_an_address_is_text(hand):
    here = f"/v1/testimonies/{hand.post('/v1/testimonies', a_witness())['id']}"
    answer = hand.ask("DELETE", f"{here}?reason=%FF", if_match="*")
    assert held(answer, 422, "") == "This is not UTF-8, percent-encoded."
