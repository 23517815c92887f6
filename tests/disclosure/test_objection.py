"""An objection: the record goes from every view, or all that says who it is; nothing widens what is shown."""

from typing import Any

import pytest

from app.disclosure import plain
from app.disclosure.testimony import WITHHELD_NOTE
from app.records import BY_NAME
from tests.disclosure.fake import (
    MECHANISM,
    PARTNER,
    PER,
    PUBLIC,
    T1,
    T2,
    a_testimony,
    allowed,
    an_incident,
    consent,
    content,
    facts,
    record_of,
    shown,
)
from tests.disclosure.test_person import person

VIEWS = (PUBLIC, PARTNER, MECHANISM)
TEXTS: dict[str, Any] = {
    "title": {"public": {"en": "Told by Nobody Real"}},
    "summary": {"public": {"en": "Nobody Real told of it"}},
    "own_words": {"public": {"en": "I, Nobody Real"}},
    "full_text": {"en": "I, Nobody Real, say"},
    "reliability_note": {"en": "Nobody Real took some of it back"},
}
KEPT = ("date", "given", "places", "violations", "actors", "recorded_by", "language", "account_type", "geometry")


def against(value: dict[str, Any], to: str) -> dict[str, Any]:
    return {**value, "objection": {"to": to, "reason": "a test"}}


def test_an_objection_to_the_record_hides_it_from_everybody():
    for value in (a_testimony(), person(), a_testimony(consent=consent(public=allowed()))):
        assert [shown(against(value, "record"), view) for view in VIEWS] == [None] * 3


def check_nameless(record: dict[str, Any], whole: dict[str, Any]) -> None:
    assert "Nobody" not in str(record) and "guard" not in str(record) and PER not in str(record)
    assert record["witness"] == {
        **whole["witness"],
        "designation": None,
        "form": "withheld",
        "role": None,
        "person": None,
    }
    assert record["title"] == {"en": "Account of torture; Camp; 2003"}
    assert [record[name] for name in ("summary", "own_words", "full_text", "note", "setting", "medium")] == [None] * 6
    assert record["reliability_note"] == WITHHELD_NOTE and record["citations"] == []
    assert [record[name] for name in KEPT] == [whole[name] for name in KEPT]


def test_an_objection_to_the_name_hides_all_that_says_who_it_is_and_nothing_else():
    account = a_testimony(**TEXTS)
    for view in VIEWS:
        check_nameless(record_of(against(account, "name"), view), record_of(account, view))


@pytest.mark.parametrize("to", ["name", "record"])
def test_what_a_person_objects_to_in_their_own_record_holds_for_their_accounts(to):
    account = a_testimony(**TEXTS)
    known = facts(against(person(), to))
    for view in VIEWS:
        check_nameless(record_of(account, view, known), record_of(account, view))


def test_a_person_who_objects_to_the_name_is_shown_without_it():
    for view in VIEWS:
        record = record_of(against(person(), "name"), view)
        assert (record["name"], record["description"], record["note"], record["citations"]) == (None, None, None, [])
        assert (record["sex"], record["home_province"]) == ("female", "province")


def test_an_objection_to_nothing_holds_nothing_back():
    assert record_of(against(a_testimony(**TEXTS), "nothing")) == record_of(a_testimony(**TEXTS))
    assert record_of(a_testimony(**TEXTS), PUBLIC, facts(against(person(), "nothing"))) == record_of(
        a_testimony(**TEXTS)
    )


def test_two_accounts_are_tied_no_more_once_one_of_them_is_not_named():
    one, two = a_testimony(T1, same_witness=[T2]), a_testimony(T2, same_witness=[T1])
    known = facts(against(one, "name"), two)
    assert record_of(against(one, "name"), PUBLIC, known)["same_witness"] == []
    assert record_of(two, PUBLIC, known)["same_witness"] == []
    assert (
        record_of(an_incident(testimonies=[T1, T2], citations=[{"symbol": "A"}]), PUBLIC, known)["corroboration"] == 2
    )


def test_an_incident_that_rests_on_it_alone_loses_what_nobody_marked_or_goes():
    rests = an_incident(disclosure_basis="consent", testimonies=[T1], citations=[], note={"en": "He told"})
    assert record_of(rests, PUBLIC, facts(against(a_testimony(), "name")))["note"] is None
    assert shown(rests, PUBLIC, facts(against(a_testimony(), "record"))) is None


def test_it_holds_whatever_the_record_says_later():
    consented = a_testimony(consent=consent(public=allowed()), **TEXTS)
    check_nameless(record_of(against(consented, "name")), record_of(consented))


def test_no_submission_states_an_objection_and_no_answer_shows_one():
    for value in (a_testimony(), person()):
        kind = BY_NAME[value["kind"]]
        assert "objection" not in kind.model.model_fields and "objection" not in kind.shown.model_fields
        assert "objection" not in plain.fields(kind, against(value, "name"))
        with pytest.raises(ValueError, match="objection"):
            content(**against(value, "name"))
