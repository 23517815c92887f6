"""A person as a view is shown them: a name only where they allowed it, or a source published it."""

from typing import Any

import pytest

from app.vocabulary import edtf
from tests.disclosure.fake import (
    CITED,
    MECHANISM,
    PARTNER,
    PER,
    PUBLIC,
    allowed,
    consent,
    content,
    facts,
    record_of,
    shown,
)


def person(**more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": PER,
        "disclosure_basis": "consent" if "consent" in more else "published",
        "name": {"en": "Nobody Real"},
        "roles": ["victim"],
        "sex": "female",
        "age_band": "adult",
        "home_province": "province",
        "left": "2009-03-04",
        "description": {"public": {"en": "A woman"}},
        "note": {"en": "a note"},
        "citations": CITED,
    }
    return content("person", **(fields | more))


def test_a_published_person_is_shown_as_published():
    assert record_of(person()) == {
        "id": PER,
        "kind": "person",
        "name": {"en": "Nobody Real"},
        "roles": ["victim"],
        "sex": "female",
        "age_band": "adult",
        "home_province": "province",
        "left": edtf.shown("2009-03-04"),
        "description": {"en": "A woman"},
        "disclosure_basis": "published",
        "citations": [{"symbol": "TEST/1", "paragraph": None, "basis": None, "source": "src-test", "supports": None}],
        "note": {"en": "a note"},
        "owner": "test-owner",
    }


@pytest.mark.parametrize("identity", ["withheld", "pseudonym"])
def test_a_name_is_shown_only_if_it_may_be(identity):
    record = record_of(person(consent=consent(public=allowed(identity=identity))))
    assert record["name"] is None and record["note"] is None
    assert record_of(person(consent=consent(public=allowed())))["name"] == {"en": "Nobody Real"}


def test_home_and_departure_are_as_coarse_as_the_person_wants():
    found = shown(person(consent=consent(public=allowed(place="country", date="year"))))
    assert found is not None
    assert found.record["home_province"] == "country" and found.record["left"] == edtf.shown("2009")
    assert found.left == (edtf.bounds("2009").s0, edtf.bounds("2009").e1)
    assert [value for facet, value in found.terms if facet == "place"] == ["country"]
    assert "2009-03" not in str(found) and "province" not in [value for _, value in found.terms]


def test_a_home_that_cannot_be_told_coarsely_is_not_told():
    lost = person(home_province="nowhere", consent=consent(public=allowed(place="country")))
    assert record_of(lost)["home_province"] is None
    known = facts(hidden={0: {"country"}})
    assert record_of(person(consent=consent(public=allowed(place="country"))), PUBLIC, known)["home_province"] is None


def test_a_person_is_there_for_whom_they_allow():
    one = person(consent=consent(public=allowed(content="counted"), partner=allowed(content="summary")))
    assert [shown(one, view) is not None for view in (PUBLIC, PARTNER, MECHANISM)] == [False, True, False]
    assert shown(one, PARTNER, expired=True) is None
    assert record_of(one, PARTNER)["description"] is None


def test_a_person_published_by_a_hidden_source_is_not_published():
    known = facts(hidden={0: {"src-test"}})
    assert shown(person(), PUBLIC, known) is None
    assert record_of(person(), MECHANISM, known)["name"] == {"en": "Nobody Real"}
