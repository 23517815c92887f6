"""People in acts: named only where the incident, as shown, tells no more of place and date than they allow."""

from typing import Any

import pytest

from app.disclosure import project
from app.disclosure.leading import led
from app.disclosure.view import Account, View
from app.records import BY_NAME
from tests.disclosure.fake import (
    CITED,
    MECHANISM,
    PARTNER,
    PER,
    PER2,
    PUBLIC,
    T1,
    allowed,
    an_incident,
    consent,
    content,
    decided,
    facts,
    record_of,
    shown,
)
from tests.disclosure.test_incident import consented, told

COARSE: dict[str, Any] = {"content": "summary", "identity": "withheld", "place": "province", "date": "month"}


def a_victim(id: str = PER, **more: Any) -> dict[str, Any]:
    basis = "consent" if "consent" in more else "published"
    return content("person", id=id, disclosure_basis=basis, citations=CITED, **more)


def an_act(*people: str, **more: Any) -> dict[str, Any]:
    return {"violation": "torture", "people": list(people), **more}


@pytest.mark.parametrize(
    ("incident", "act", "listed"),
    [
        ({"places": ["province"], "date": "2003-04"}, {}, True),
        ({"places": ["province"], "date": "2003-04"}, {"places": ["country"], "date": "2003"}, True),
        ({"places": [], "date": None}, {}, True),
        ({"places": ["county"], "date": "2003-04"}, {}, False),
        ({"places": ["province"], "date": "2003-04-05"}, {}, False),
        ({"places": ["country"], "date": "2003"}, {"places": ["camp"]}, False),
        ({"places": ["country"], "date": "2003"}, {"date": "2003-04-05"}, False),
    ],
)
def test_a_person_is_named_only_where_the_incident_says_no_more_than_they_allow(incident, act, listed):
    known = facts(a_victim(consent=consent(public=allowed(**COARSE), mechanism=allowed())))
    value = an_incident(acts=[an_act(PER, **act)], **incident)
    found = shown(value, PUBLIC, known)
    assert found is not None
    assert found.record["acts"][0]["people"] == ([PER] if listed else [])
    assert (("person", PER) in found.terms) is listed
    assert record_of(value, MECHANISM, known)["acts"][0]["people"] == [PER]
    if not listed:
        assert found == shown(value, PUBLIC, facts(hidden={0: {PER}}))  # as if they were not there


def test_an_act_that_the_view_is_not_shown_says_nothing_of_them_and_another_one_does():
    known = facts(a_victim(consent=consent(public=allowed(**COARSE))), hidden={0: {"beating"}})
    value = an_incident(
        acts=[an_act(PER), {"violation": "beating", "places": ["camp"]}], places=["province"], date="2003-04"
    )
    assert record_of(value, PUBLIC, known)["acts"][0]["people"] == [PER]
    known.hidden.clear()
    assert record_of(value, PUBLIC, known)["acts"][0]["people"] == []


def test_what_is_coarsened_for_its_witnesses_is_what_counts():
    known = facts(told(T1, place="province", date="year"), a_victim(consent=consent(public=allowed(**COARSE))))
    assert record_of(consented(T1, acts=[an_act(PER)]), PUBLIC, known)["acts"][0]["people"] == [PER]


def test_a_published_person_is_named_unless_an_assessment_limits_it():
    incident = an_incident(acts=[an_act(PER, places=["camp"])])
    assert record_of(incident, PUBLIC, facts(a_victim()))["acts"][0]["people"] == [PER]
    limits = {"public": {"date": "month"}}
    protection = {"reasons": ["child"], "assessed_by": "A test", "assessed_on": "2021", "limits": limits}
    known = facts(a_victim(protection=protection))
    assert record_of(incident, PUBLIC, known)["acts"][0]["people"] == []
    assert record_of(incident, PARTNER, known)["acts"][0]["people"] == [PER]


def test_who_is_left_out_changes_nothing_else():
    incident = an_incident(acts=[an_act(PER, PER2)], testimonies=[T1])
    coarse = a_victim(PER2, consent=consent(public=allowed(**COARSE)))
    whole, less = (record_of(incident, PUBLIC, facts(told(T1), *more)) for more in ((), (coarse,)))
    assert (whole["acts"][0]["people"], less["acts"][0]["people"]) == ([PER, PER2], [PER])
    assert whole | {"acts": []} == less | {"acts": []} and whole["corroboration"] == less["corroboration"] == 2


def test_an_organisation_names_its_own_people_in_its_own_view():
    known = facts()
    known.accounts[PER] = Account(a_victim(consent=consent(public=allowed(**COARSE))), owner="us")
    incident = an_incident(acts=[an_act(PER)])
    for view, people in ((View(9, "public", "publication", owner="us"), frozenset()), (PUBLIC, frozenset({PER}))):
        assert decided(incident, view, known, owner="us").hidden == people


def test_who_was_merged_is_led_to_the_survivor_only_where_the_survivor_allows_no_more():
    known = facts(a_victim(PER, consent=consent(public=allowed(**COARSE))), a_victim(PER2), survivors={PER: PER2})
    incident = an_incident(acts=[an_act(PER)])
    kind = BY_NAME["incident"]
    for view, people in ((PUBLIC, []), (PARTNER, [PER2])):
        if view is PARTNER:
            known.accounts[PER] = Account(a_victim(PER))
        value, named = led(kind, incident, [PER], view, known)
        decision = project.decide(kind, value, named, view, known, state="live", secret=b"")
        record = project.show(kind, value, decision, "us", known).record
        assert record["acts"][0]["people"] == people


def test_views_are_not_alike_where_people_are_named():
    assert project.is_alike(an_incident(acts=[an_act()]))
    assert not project.is_alike(an_incident(acts=[an_act(PER)]))
    link = {"from": "camp", "to": "county", "type": "near", "confidence": "low", "source": "src-a"}
    assert project.is_alike(content("link", id="a", **link))
    assert not project.is_alike(content("link", id="a", **(link | {"to": PER})))
