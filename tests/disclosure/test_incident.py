"""An incident as a view is shown it: on visible support alone, no finer than its witnesses allow."""

from typing import Any

import pytest

from app.disclosure.testimony import WITHHELD_NOTE
from app.vocabulary import edtf
from tests.disclosure.fake import (
    CITED,
    MECHANISM,
    OHCHR,
    PARTNER,
    PER,
    POINTS,
    PUBLIC,
    T1,
    T2,
    T3,
    a_testimony,
    allowed,
    an_incident,
    consent,
    decided,
    facts,
    record_of,
    shown,
)

TEXTS: dict[str, Any] = {
    "title": {"public": {"en": "For the public"}, "mechanism": {"en": "For mechanisms"}},
    "summary": {"public": {"en": "Told to the public"}},
}


def consented(*testimonies: str, **more: Any) -> dict[str, Any]:
    """Return an incident that is shown only as far as its witnesses allow."""
    return an_incident(disclosure_basis="consent", testimonies=list(testimonies), citations=[], **more)


def told(id: str, **changes: Any) -> dict[str, Any]:
    """Return a testimony of its own witness that allows the public everything but what is changed."""
    return a_testimony(id, consent=consent(public=allowed(**changes)), witness={"form": "unnamed"}, citations=[])


def test_what_is_published_is_shown_as_it_was_published():
    incident = an_incident(**TEXTS)
    for view in (PUBLIC, PARTNER, MECHANISM, OHCHR):
        assert record_of(incident, view) == {
            "id": incident["id"],
            "kind": "incident",
            "scope": "event",
            "title": {"en": "For the public"},
            "summary": {"en": "Told to the public"},
            "date": edtf.shown("2003-04-05"),
            "places": ["camp"],
            "geometry": {"type": "Point", "coordinates": POINTS["camp"]},
            "violations": ["torture"],
            "actors": [],
            "victim_groups": [],
            "victims": {"low": None, "best": 3, "high": None, "described": {"en": "three men of one village"}},
            "acts": [],
            "verification": "as-reported",
            "standard_of_proof": "not-stated",
            "assessment": None,
            "testimonies": [],
            "contradicted_by": [],
            "corroboration": 1,
            "reliability_notes": [],
            "disclosure_basis": "published",
            "citations": [
                {"symbol": "TEST/1", "paragraph": None, "basis": None, "source": "src-test", "supports": None}
            ],
            "note": {"en": "a note"},
            "owner": "test-owner",
        }


# --- on whose word ---


def test_without_a_visible_testimony_there_is_nothing_to_see():
    assert shown(consented()) is None
    assert shown(consented(T1)) is None  # not on record
    assert shown(consented(T1), PUBLIC, facts(told(T1), hidden={0: {T1}})) is None
    assert shown(consented(T1), PUBLIC, facts(told(T1), expired=(T1,))) is None
    assert shown(consented(T1), PARTNER, facts(told(T1))) is None
    assert shown(consented(T1), PUBLIC, facts(told(T1, content="counted"))) is None
    assert record_of(consented(T1), PUBLIC, facts(told(T1)))["testimonies"] == [T1]
    assert record_of(consented(T1, T2), PUBLIC, facts(told(T1), told(T2), hidden={0: {T1}}))["testimonies"] == [T2]


def test_a_testimony_known_by_its_title_supports_nothing_and_is_listed_all_the_same():
    title = a_testimony(T1, title_only=True)
    assert shown(consented(T1), PUBLIC, facts(title)) is None
    record = record_of(consented(T1, T2), PUBLIC, facts(title, told(T2)))
    assert record["testimonies"] == [T1, T2] and record["corroboration"] == 1


def test_who_contradicts_supports_nothing():
    assert shown(consented(contradicted_by=[T1]), PUBLIC, facts(told(T1))) is None
    record = record_of(consented(T2, contradicted_by=[T1]), PUBLIC, facts(told(T1), told(T2)))
    assert record["contradicted_by"] == [T1] and record["corroboration"] == 1


def test_a_publication_that_the_view_is_not_shown_leaves_what_its_witnesses_allow():
    incident = an_incident(testimonies=[T1], title={"public": {"en": "For the public"}})
    hidden = facts(told(T1, place="province", date="year"), hidden={0: {"src-test"}})
    record = record_of(incident, PUBLIC, hidden)
    assert (record["places"], record["date"]["edtf"], record["citations"]) == (["province"], "2003", [])
    assert (record["testimonies"], record["corroboration"], record["note"]) == ([T1], 1, None)
    assert shown(an_incident(), PUBLIC, hidden) is None
    assert shown(incident, PARTNER, facts(told(T1), hidden={1: {"src-test"}})) is None


# --- how finely ---


def test_the_coarsest_of_those_visible_decides():
    known = facts(told(T1, place="province"), told(T2, date="year"), told(T3, place="country", content="none"))
    found = shown(consented(T1, T2, T3), PUBLIC, known)
    assert found is not None
    record = found.record
    assert record["places"] == ["province"] and record["date"] == edtf.shown("2003") and record["geometry"] is None
    assert found.bounds == edtf.bounds("2003") and found.boxes == ()
    assert [value for facet, value in found.terms if facet == "place"] == ["province", "country"]
    assert "camp" not in str(found) and "2003-04" not in str(found)


@pytest.mark.parametrize(("place", "point"), [("exact", POINTS["camp"]), ("county", None)])
def test_points_are_exact_or_not_there(place, point):
    geometry = record_of(consented(T1), PUBLIC, facts(told(T1, place=place)))["geometry"]
    assert geometry == ({"type": "Point", "coordinates": point} if point else None)


def test_a_published_account_frees_the_places_and_dates_that_it_states_and_no_other():
    published = a_testimony(T2, places=["camp"], date="2003-04", witness={"form": "unnamed"})
    known = facts(told(T1, place="country", date="year"), published)
    known.types["cell"], known.parents["cell"] = "other", "camp"
    acts = [
        {"violation": "torture", "date": "2003-04-09", "places": ["cell"]},
        {"violation": "torture", "date": "2003-05"},
    ]
    record = record_of(consented(T1, T2, places=["camp", "cell"], date="2003-04-05", acts=acts), PUBLIC, known)
    assert record["places"] == ["camp", "country"]
    assert record["geometry"] == {"type": "Point", "coordinates": POINTS["camp"]}
    assert record["date"]["edtf"] == "2003-04"
    assert [act["date"]["edtf"] for act in record["acts"]] == ["2003-04", "2003"]
    assert [act["places"] for act in record["acts"]] == [["country"], []]


def test_a_published_account_frees_nothing_that_protection_holds_back():
    limits = {"public": {"place": "province", "date": "year"}}
    protection = {"reasons": ["child"], "assessed_by": "A test", "assessed_on": "2020", "limits": limits}
    published = a_testimony(T2, date="2003-04-05", protection=protection)
    record = record_of(consented(T2), PUBLIC, facts(published))
    assert record["places"] == ["province"] and record["date"]["edtf"] == "2003"


def test_a_published_account_that_states_another_date_frees_none():
    known = facts(told(T1, date="year"), a_testimony(T2, date="2003-06-07"))
    assert record_of(consented(T1, T2), PUBLIC, known)["date"]["edtf"] == "2003"


# --- who is listed ---


def test_a_witness_is_listed_only_where_the_incident_says_no_more_than_they_allow():
    accounts = [told(T1), told(T2, place="county"), told(T3, date="month")]
    incident = an_incident(testimonies=[T1, T2, T3])
    assert record_of(incident, PUBLIC, facts(*accounts))["testimonies"] == [T1]
    coarse = an_incident(testimonies=[T1, T2, T3], places=["county"], date="2003-04")
    assert record_of(coarse, PUBLIC, facts(*accounts))["testimonies"] == [T1, T2, T3]
    placeless = an_incident(testimonies=[T1, T2, T3], places=[])
    assert record_of(placeless, PUBLIC, facts(*accounts))["testimonies"] == [T1, T2]
    undated = an_incident(testimonies=[T1, T2, T3], date=None)
    assert record_of(undated, PUBLIC, facts(*accounts))["testimonies"] == [T1, T3]


def test_so_it_is_for_those_who_contradict():
    incident = an_incident(contradicted_by=[T1, T2])
    record = record_of(incident, PUBLIC, facts(told(T1), told(T2, place="province")))
    assert record["contradicted_by"] == [T1]


def test_acts_say_something_too():
    coarse: dict[str, Any] = {"places": ["country"], "date": "2003"}
    known = facts(told(T1, place="province", date="month"))
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"places": ["province"], "date": "2003-04"}, [T1]),
        ({"places": ["camp"]}, []),
        ({"date": "2003-04-05"}, []),
    ]
    for act, listed in cases:
        incident = an_incident(testimonies=[T1], acts=[{"violation": "torture", **act}], **coarse)
        assert record_of(incident, PUBLIC, known)["testimonies"] == listed


def test_what_is_hidden_says_nothing():
    known = facts(told(T1, place="province"), hidden={0: {"camp", "beating"}})
    acts = [{"violation": "beating", "places": ["county"]}, {"violation": "torture", "places": ["camp"]}]
    incident = an_incident(testimonies=[T1], places=["camp", "province"], acts=acts)
    assert record_of(incident, PUBLIC, known)["testimonies"] == [T1]
    assert record_of(incident, MECHANISM, known)["testimonies"] == []


def test_only_who_is_listed_counts_and_brings_a_note():
    note: dict[str, Any] = {"reliability_note": {"en": "He took some of it back"}}
    whole, coarse = told(T1) | note, told(T2, place="county") | note
    record = record_of(an_incident(testimonies=[T1, T2]), PUBLIC, facts(whole, coarse))
    assert record["reliability_notes"] == [{"testimony": T1, "note": note["reliability_note"]}]
    assert record["corroboration"] == 2  # one witness, and the source
    record = record_of(consented(T1, T2), PUBLIC, facts(whole, coarse))
    assert record["reliability_notes"] == [
        {"testimony": T1, "note": note["reliability_note"]},
        {"testimony": T2, "note": WITHHELD_NOTE},
    ]
    assert record["corroboration"] == 2
    record = record_of(an_incident(contradicted_by=[T1]), PUBLIC, facts(whole))
    assert record["reliability_notes"] == [{"testimony": T1, "note": note["reliability_note"]}]
    record = record_of(an_incident(testimonies=[T1], contradicted_by=[T1]), PUBLIC, facts(whole))
    assert record["reliability_notes"] == [{"testimony": T1, "note": note["reliability_note"]}]  # once


def test_a_citation_for_one_field_corroborates_nothing():
    cited = {"symbol": "TEST/2", "source": "src-2"}
    for more, number in ((cited, 2), ({**cited, "supports": "date"}, 1)):
        incident = an_incident(citations=[{"symbol": "TEST/1", "source": "src-1"}, more])
        assert record_of(incident, PUBLIC, facts())["corroboration"] == number


def test_a_hidden_source_corroborates_nothing():
    incident = an_incident(citations=[*CITED, {"symbol": "SECRET/1", "source": "src-secret"}])
    known = facts(hidden={0: {"src-secret"}})
    assert record_of(incident, PUBLIC, known)["corroboration"] == 1
    assert record_of(incident, MECHANISM, known)["corroboration"] == 2


# --- words ---


@pytest.mark.parametrize("changes", [{"place": "county"}, {"date": "month"}, {"identity": "withheld"}])
def test_words_that_nobody_marked_are_left_out_where_anything_is_held_back(changes):
    victims = {"best": 2, "described": {"en": "two brothers"}}
    incident = consented(T1, acts=[{"violation": "torture", "victims": victims}], **TEXTS)
    record = record_of(incident, PUBLIC, facts(told(T1, **changes)))
    assert record["note"] is None
    assert record["victims"] == {"low": None, "best": 3, "high": None, "described": None}
    assert record["acts"][0]["victims"] == {"low": None, "best": 2, "high": None, "described": None}
    assert record["title"] == {"en": "For the public"} and record["summary"] == {"en": "Told to the public"}
    whole = record_of(incident, PUBLIC, facts(told(T1)))
    assert whole["note"] == {"en": "a note"}
    assert whole["victims"]["described"] == {"en": "three men of one village"}
    assert whole["acts"][0]["victims"]["described"] == {"en": "two brothers"}


def test_texts_are_those_of_the_audience_and_a_title_is_made():
    everybody = consent(public=allowed(), partner=allowed(), mechanism=allowed(place="province", date="year"))
    known = facts(a_testimony(T1, consent=everybody))
    incident = consented(T1, **TEXTS)
    assert record_of(incident, MECHANISM, known)["title"] == {"en": "For mechanisms"}
    assert record_of(incident, MECHANISM, known)["summary"] is None
    record = record_of(incident, PARTNER, known)
    assert record["title"] == {"en": "Incident of torture; Camp; 2003"} and record["summary"] is None
    bare = consented(T1)
    assert record_of(bare, MECHANISM, known)["title"] == {"en": "Incident of torture; Province; 2003"}


def test_an_assessment_is_shown_without_where_it_was_seen_and_not_at_all_if_its_source_is_hidden():
    assessment = {
        "by": "A test body",
        "on": "2014-02-07",
        "standard": "reasonable-grounds-to-believe",
        "citation": {
            "symbol": "TEST/2",
            "paragraph": "7",
            "source": "src-two",
            "seen_at": "a shelf",
            "language_seen": "en",
        },
    }
    incident = an_incident(assessment=assessment)
    assert record_of(incident)["assessment"] == {
        "by": "A test body",
        "on": edtf.shown("2014-02-07"),
        "standard": "reasonable-grounds-to-believe",
        "citation": {"symbol": "TEST/2", "paragraph": "7", "basis": None, "source": "src-two", "supports": None},
    }
    hidden = shown(incident, PUBLIC, facts(hidden={0: {"src-two"}}))
    assert hidden is not None
    assert hidden.record["assessment"] is None and "TEST/2" not in str(hidden)


def test_victims_on_record_are_named_where_the_view_is_shown_them():
    incident = an_incident(acts=[{"violation": "torture", "people": [PER]}])
    assert record_of(incident)["acts"][0]["people"] == [PER]
    assert record_of(incident, PUBLIC, facts(hidden={0: {PER}}))["acts"][0]["people"] == []


def test_views_with_one_decision_are_shown_one_thing():
    incident = an_incident(testimonies=[T1])
    known = facts(told(T1))
    public, partner = decided(incident, PUBLIC, known), decided(incident, PARTNER, known)
    assert public != partner  # the witness allowed the public alone
    assert decided(incident, PARTNER, known) == decided(incident, MECHANISM, known)
    assert hash(partner) == hash(decided(incident, MECHANISM, known))
