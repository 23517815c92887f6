"""A testimony as a view is shown it: as much as the witness allowed, and no word that nobody marked as fit."""

from typing import Any

import pytest

from app.disclosure.testimony import WITHHELD_NOTE
from app.vocabulary import edtf
from tests.disclosure.fake import (
    ACT,
    MECHANISM,
    PARTNER,
    PER,
    PER2,
    POINTS,
    PUBLIC,
    T1,
    T2,
    T3,
    FakeFacts,
    a_testimony,
    allowed,
    consent,
    content,
    facts,
    record_of,
    shown,
)

TEXTS: dict[str, Any] = {
    "title": {"public": {"en": "For the public"}, "partner": {"en": "For partners"}},
    "summary": {"public": {"en": "Told to the public"}},
    "own_words": {"public": {"ko": "내가 말했다"}},
    "full_text": {"ko": "전부 다"},
    "reliability_note": {"en": "He took some of it back"},
}
UNMARKED = ("setting", "note", "transcription_note", "given_place", "medium", "full_text")


def test_what_is_published_is_shown_as_it_was_published():
    account = a_testimony(**TEXTS)
    for view in (PUBLIC, PARTNER, MECHANISM):
        assert record_of(account, view) == {
            "id": T1,
            "kind": "testimony",
            "title": {"en": "For the public"},
            "summary": {"en": "Told to the public"},
            "own_words": {"ko": "내가 말했다"},
            "full_text": {"ko": "전부 다"},
            "witness": {
                "designation": {"en": "Nobody Real"},
                "form": "named",
                "role": {"en": "a guard at the camp"},
                "person": PER,
                "left": edtf.shown("2009-03-04"),
            },
            "date": edtf.shown("2003-04-05"),
            "given": edtf.shown("2012-06-07"),
            "given_place": "A room",
            "recorded_by": "test-body",
            "setting": {"en": "a hearing"},
            "medium": "film",
            "language": "ko",
            "violations": ["torture"],
            "places": ["camp"],
            "actors": [],
            "geometry": {"type": "Point", "coordinates": POINTS["camp"]},
            "account_type": "unknown",
            "knowledge": "unknown",
            "title_only": False,
            "reliability_note": {"en": "He took some of it back"},
            "transcription_note": {"en": "smudged"},
            "same_witness": [],
            "disclosure_basis": "published",
            "citations": [
                {"symbol": "TEST/1", "paragraph": None, "basis": None, "source": "src-test", "supports": None}
            ],
            "note": {"en": "a note"},
            "owner": "test-owner",
        }


def test_nothing_is_said_of_who_withholds_who_they_are():
    account = a_testimony(consent=consent(public=allowed(identity="withheld")), **TEXTS)
    record = record_of(account)
    left = edtf.shown("2009-03-04")  # as fine as the dates that are allowed
    assert record["witness"] == {"designation": None, "form": "withheld", "role": None, "person": None, "left": left}
    assert {name: record[name] for name in UNMARKED} == dict.fromkeys(UNMARKED)
    assert "Nobody" not in str(record) and PER not in str(record) and "guard" not in str(record)


def test_a_pseudonym_stands_for_one_person_in_one_view_and_for_nobody_in_another():
    allows = consent(public=allowed(identity="pseudonym"), partner=allowed(identity="pseudonym"))
    witness = {"form": "named", "designation": {"en": "Nobody Real"}, "person": PER}
    first, second = (a_testimony(id, consent=allows, witness=witness) for id in (T1, T2))
    other = a_testimony(T3, consent=allows, witness={**witness, "person": PER2})
    public = [record_of(one)["witness"]["designation"]["en"] for one in (first, second, other)]
    partner = [record_of(one, PARTNER)["witness"]["designation"]["en"] for one in (first, second, other)]
    assert public[0] == public[1] and partner[0] == partner[1]
    assert len({*public, *partner}) == 4
    assert record_of(first)["witness"] == {
        "designation": {"en": public[0]},
        "form": "pseudonym",
        "role": None,
        "person": None,
        "left": None,
    }
    assert public[0].startswith("Witness ") and len(public[0]) == len("Witness 1234ABCD")


def test_a_witness_without_a_person_has_a_pseudonym_of_their_own():
    allows = consent(public=allowed(identity="pseudonym"))
    one, two = (a_testimony(id, consent=allows, witness={"form": "unnamed"}) for id in (T1, T2))
    names = [record_of(account)["witness"]["designation"]["en"] for account in (one, one, two)]
    assert names[0] == names[1] != names[2]


def test_the_role_of_a_named_witness_is_free_text_and_goes_with_what_is_coarsened():
    witness = record_of(a_testimony(consent=consent(public=allowed(place="province"))))["witness"]
    assert witness["designation"] == {"en": "Nobody Real"} and witness["person"] == PER
    assert witness["role"] is None


@pytest.mark.parametrize(
    ("level", "places", "point"),
    [("country", ["country"], None), ("province", ["province"], None), ("county", ["county"], None)],
)
def test_a_coarser_place_has_no_point_and_files_the_account_no_finer(level, places, point):
    account = a_testimony(consent=consent(public=allowed(place=level)))
    found = shown(account)
    assert found is not None
    assert found.record["places"] == places and found.record["geometry"] is point and found.boxes == ()
    filed = [value for facet, value in found.terms if facet == "place"]
    assert filed == {"country": ["country"], "province": ["province", "country"]}.get(
        level, ["county", "province", "country"]
    )
    assert ("unlocated", "geometry") in found.terms and ("unlocated", "place") not in found.terms


@pytest.mark.parametrize(
    ("level", "date", "given", "left"), [("year", "2003", "2012", "2009"), ("month", "2003-04", "2012-06", "2009-03")]
)
def test_a_coarser_date_is_the_only_one_to_filter_by(level, date, given, left):
    found = shown(a_testimony(consent=consent(public=allowed(date=level))))
    assert found is not None
    assert found.record["date"] == edtf.shown(date) and found.record["given"] == edtf.shown(given)
    assert found.record["witness"]["left"] == edtf.shown(left)
    assert found.bounds == edtf.bounds(date)
    assert found.given == (edtf.bounds(given).s0, edtf.bounds(given).e1)
    assert found.left == (edtf.bounds(left).s0, edtf.bounds(left).e1)
    assert "2003-04-05" not in str(found) and "2009-03-04" not in str(found) and "2012-06-07" not in str(found)


@pytest.mark.parametrize(
    ("changes", "is_whole"),
    [
        ({}, True),
        ({"content": "summary"}, False),
        ({"identity": "pseudonym"}, False),
        ({"identity": "withheld"}, False),
        ({"place": "county"}, False),
        ({"date": "month"}, False),
    ],
)
def test_the_full_text_is_for_those_who_may_know_everything(changes, is_whole):
    record = record_of(a_testimony(consent=consent(public=allowed(**changes)), **TEXTS))
    assert (record["full_text"] is not None) is is_whole


def test_own_words_need_full_content_and_a_person_who_marked_them():
    account = a_testimony(
        consent=consent(public=allowed(), partner=allowed(), mechanism=allowed(content="full")), **TEXTS
    )
    assert record_of(account)["own_words"] == {"ko": "내가 말했다"}
    assert record_of(account, PARTNER)["own_words"] is None
    account = a_testimony(consent=consent(public=allowed(place="country")), **TEXTS)
    assert record_of(account)["own_words"] == {"ko": "내가 말했다"}  # marked for this very audience
    account = a_testimony(consent=consent(public=allowed(content="summary")), **TEXTS)
    assert record_of(account)["own_words"] is None and record_of(account)["summary"] == {"en": "Told to the public"}


def test_a_title_is_made_where_none_is_marked_and_a_summary_is_not():
    account = a_testimony(consent=consent(mechanism=allowed(place="province", date="year")), **TEXTS)
    record = record_of(account, MECHANISM)
    assert record["title"] == {"en": "Account of torture; Province; 2003"} and record["summary"] is None
    bare = a_testimony(consent=consent(public=allowed()), violations=[], places=[], date=None)
    assert record_of(bare)["title"] == {"en": "Account"}


@pytest.mark.parametrize("changes", [{"identity": "withheld"}, {"place": "county"}, {"date": "month"}])
def test_the_reliability_note_travels_without_its_words_where_they_could_say_too_much(changes):
    record = record_of(a_testimony(consent=consent(public=allowed(**changes)), **TEXTS))
    assert record["reliability_note"] == WITHHELD_NOTE
    assert record_of(a_testimony(consent=consent(public=allowed(**changes))))["reliability_note"] is None


def test_the_reliability_note_is_whole_where_all_is_shown():
    record = record_of(a_testimony(consent=consent(public=allowed(content="summary")), **TEXTS))
    assert record["reliability_note"] == TEXTS["reliability_note"]


def test_a_publication_that_a_view_is_not_shown_publishes_nothing_there():
    known = facts(hidden={0: {"src-secret"}})
    secret = a_testimony(citations=[{"symbol": "SECRET/1", "source": "src-secret"}])
    assert shown(secret, PUBLIC, known) is None
    assert record_of(secret, MECHANISM, known)["citations"][0]["symbol"] == "SECRET/1"
    also = a_testimony(citations=[{"symbol": "SECRET/1", "source": "src-secret"}, {"symbol": "OPEN/1"}])
    assert [one["symbol"] for one in record_of(also, PUBLIC, known)["citations"]] == ["OPEN/1"]


def ties(first: str, second: str, **hidden: set[str]) -> list[list[str]]:
    """Return whom two accounts of one witness are tied to, each with its own identity level."""
    accounts = [
        a_testimony(T1, consent=consent(public=allowed(identity=first)), same_witness=[T2]),
        a_testimony(T2, consent=consent(public=allowed(identity=second)), same_witness=[T1]),
    ]
    known: FakeFacts = facts(*accounts, hidden={0: hidden.get("hidden", set())})
    return [record_of(one, PUBLIC, known)["same_witness"] for one in accounts]


def test_two_accounts_are_tied_only_where_that_tells_no_more_of_either_witness():
    assert ties("named", "named") == [[T2], [T1]]
    assert ties("pseudonym", "pseudonym") == [[T2], [T1]]
    for first, second in [
        ("withheld", "withheld"),
        ("named", "withheld"),
        ("named", "pseudonym"),
        ("pseudonym", "withheld"),
    ]:
        assert ties(first, second) == [[], []], (first, second)
    assert ties("named", "named", hidden={T2})[0] == []


def test_a_named_account_does_not_lead_to_a_person_who_keeps_the_name_back():
    person = content("person", id=PER, disclosure_basis="consent", consent=consent(public=allowed(identity="withheld")))
    witness = record_of(a_testimony(), PUBLIC, facts(person))["witness"]
    assert witness["person"] is None and witness["designation"] == {"en": "Nobody Real"}
    named = content("person", id=PER, disclosure_basis="consent", consent=consent(public=allowed()))
    assert record_of(a_testimony(), PUBLIC, facts(named))["witness"]["person"] == PER
    assert record_of(a_testimony(), PUBLIC, facts(named, expired=(PER,)))["witness"]["person"] is None


def test_what_an_account_is_filed_under():
    known = facts(amounts={"torture": ("rome-statute-7-1-f",)})
    account = a_testimony(violations=["beating"], actors=[ACT], account_type="hearing", knowledge="heard")
    found = shown(account, PUBLIC, known)
    assert found is not None
    assert found.terms == (
        ("violation", "beating"),
        ("violation", "torture"),
        ("crime", "rome-statute-7-1-f"),
        ("place", "camp"),
        ("place", "county"),
        ("place", "province"),
        ("place", "country"),
        ("actor", ACT),
        ("source", "src-test"),
        ("account_type", "hearing"),
        ("knowledge", "heard"),
        ("recorded_by", "test-body"),
        ("person", PER),
        ("owner", "test-owner"),
    )
