"""The explanation of a decision: its outcome is the decision's, and whatever is held back has a reason."""

import re
from typing import Any

import pytest
from hypothesis import given, settings

from app.disclosure import plain, project
from app.disclosure.explain import Explanation, explain, shown
from app.disclosure.reasons import HIDES, RULES
from app.disclosure.view import View
from app.records import BY_NAME, references
from tests.disclosure.fake import (
    CITED,
    MECHANISM,
    OHCHR,
    PARTNER,
    PER,
    PUBLIC,
    SECRET,
    T1,
    T2,
    T3,
    T4,
    FakeFacts,
    a_testimony,
    allowed,
    an_incident,
    consent,
    content,
    decided,
    facts,
)
from tests.disclosure.test_hidden import planted
from tests.often import often

VIEWS = (PUBLIC, PARTNER, MECHANISM, OHCHR)
MADE = {"geometry", "corroboration", "reliability_notes", "alleged"}  # worked out, not submitted
PER_AUDIENCE = {"title", "summary", "own_words", "description"}


def explained(
    value: dict[str, Any], view: View = PUBLIC, known: FakeFacts | None = None, state: str = "live"
) -> Explanation:
    kind = BY_NAME[value["kind"]]
    named = tuple(dict.fromkeys(to for _, to, _ in references(kind, value)))
    how: Any = {"state": state, "owner": "test-owner", "secret": SECRET}
    return explain(kind, value, named, view, known or facts(), **how)


def said(one: Explanation) -> list[tuple[str, str, str, str]]:
    return [(reason.rule, reason.field, reason.record, reason.about) for reason in one.reasons]


def check_reasons(value: dict[str, Any], one: Explanation) -> None:
    """Check that nothing is shown exactly where a rule hides it, and that what is shown otherwise has a reason."""
    own = {reason.rule for reason in one.reasons if not reason.about}
    assert (one.record is None) == bool(own & HIDES)
    if one.record is None:
        return
    kind = BY_NAME[value["kind"]]
    explained_fields = {re.split(r"[.\[]", path)[0] for reason in one.reasons for path in reason.field.split(", ")}
    for field, stated in plain.fields(kind, value).items():
        if field in PER_AUDIENCE and kind.people and stated is not None:
            stated = stated.get(one.view.audience) or stated.get("public")
        elif field == "assessment" and one.record[field] is not None:
            continue  # shown without where its citation was seen
        if field not in MADE and one.record[field] != stated:
            assert field in explained_fields, (field, stated, one.record[field], said(one))


@settings(max_examples=often(300), deadline=None)
@given(planted())
def test_whatever_is_held_back_has_a_reason_and_the_outcome_is_the_decision(drawn):
    value, known, _ = drawn
    for view in VIEWS:
        one, kind = explained(value, view, known), BY_NAME[value["kind"]]
        decision = decided(value, view, known, owner="test-owner")
        record = project.show(kind, value, decision, "test-owner", known).record if decision is not None else None
        assert one.record == record
        check_reasons(value, one)
        answer = shown(one)
        assert answer.shown == (record is not None) and all(reason.words for reason in answer.reasons)


def test_a_publication_says_so_and_holds_nothing_back():
    one = explained(a_testimony(same_witness=[], title={"public": {"en": "T"}}))
    assert said(one) == [("published", "", "", "")]
    assert one.allowed == {"content": "full", "identity": "named", "place": "exact", "date": "day"}


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"consent": consent(partner=allowed())}, ["not-named"]),
        ({"consent": consent(public=allowed(purposes=["advocacy"]))}, ["consented", "purpose"]),
        ({"consent": consent(public=allowed(conditions=["fair-trial"]))}, ["consented", "conditions"]),
        ({"consent": consent(public=allowed(content="counted"))}, ["consented", "not-listed"]),
    ],
)
def test_a_consent_that_does_not_reach_says_where_it_ends(changes, rules):
    one = explained(a_testimony(**changes))
    assert one.record is None and one.allowed is None
    assert [reason.rule for reason in one.reasons] == rules


def test_what_ended_or_was_taken_back_says_so():
    account = a_testimony(consent=consent(public=allowed()) | {"expires": "2024-01-31"})
    assert [one.rule for one in explained(account, state="expired").reasons] == ["consented", "expired"]
    assert explained(account, state="expired").reasons[-1].words == "The consent ended with 2024-01-31."
    assert [one.rule for one in explained(account, state="retracted").reasons] == ["retracted"]


def test_each_step_of_a_consent_is_told_with_what_it_holds_back():
    limits = {"mechanism": {"place": "county"}, "mechanism:ohchr": {"date": "month", "place": "province"}}
    protection = {"reasons": ["child"], "assessed_by": "A test", "assessed_on": "2021", "limits": limits}
    audiences = consent(mechanism__ohchr=allowed(content="summary", identity="pseudonym"))
    texts: Any = {"title": {"public": {"en": "T"}}, "own_words": {"mechanism:ohchr": {"en": "W"}}}
    one = explained(a_testimony(consent=audiences, protection=protection, full_text={"en": "F"}, **texts), OHCHR)
    assert one.allowed == {"content": "summary", "identity": "pseudonym", "place": "province", "date": "month"}
    assert said(one) == [
        ("consented", "", "", ""),
        *[("limited", "", "", "")] * 2,
        ("coarsened", "places", "", ""),
        ("coordinates", "geometry", "", ""),
        ("coarsened", "date", "", ""),
        ("coarsened", "given", "", ""),
        ("coarsened", "witness.left", "", ""),
        ("not-whole", "witness.role", "", ""),
        ("pseudonym", "witness", "", ""),
        ("unmarked", "title", "", ""),
        ("needs-full", "own_words", "", ""),
        ("needs-full", "full_text", "", ""),
        *(("not-whole", name, "", "") for name in ("setting", "note", "transcription_note", "given_place", "medium")),
        ("not-whole", "citations", "", ""),
        ("made", "title", "", ""),
    ]
    words = [reason.words for reason in one.reasons]
    assert words[0] == (
        "The consent names mechanism:ohchr: content summary, identity pseudonym, place exact, date day; purposes "
        "publication, research, advocacy, un-reporting, criminal-proceedings; conditions none; until no end."
    )
    assert words[1:4] == [
        "The protection assessment allows mechanism:ohchr no more than province of place.",
        "The protection assessment allows mechanism:ohchr no more than month of date.",
        "Shown no finer than province.",
    ]


def test_an_incident_tells_the_part_of_each_testimony():
    free: Any = {"witness": {"form": "unnamed"}, "citations": []}
    county = a_testimony(T1, consent=consent(public=allowed(place="county", date="year")), **free)
    title = a_testimony(T2, title_only=True)
    ended = a_testimony(T3, consent=consent(public=allowed()), **free)
    other = a_testimony(T4, consent=consent(partner=allowed()), **free)
    known = facts(county, title, ended, other, expired=(T3,), hidden={0: {T4}})
    value = an_incident(disclosure_basis="consent", testimonies=[T1, T2, T3, T4], citations=[], date="2003-05-06")
    one = explained(value, PUBLIC, known)
    assert one.allowed == {"place": "county", "date": "year"}
    assert [reason for reason in said(one) if reason[3]] == [
        ("consented", "", "", T1),
        ("part", "", "", T1),
        ("published", "", "", T2),
        ("part", "", "", T2),
        ("title-only", "", "", T2),
        ("consented", "", "", T3),
        ("expired", "", "", T3),
        ("no-part", "testimonies", "", T3),
        ("no-part", "testimonies", "", T4),
        ("states", "places", "", T2),
        ("states", "date", "", T2),
        ("says-more", "testimonies", "", T1),
    ]
    assert [reason for reason in said(one) if not reason[3]] == [
        ("reference", "testimonies", T4, ""),
        ("inherited", "", "", ""),
        ("coarsened", "date", "", ""),
        *(("not-whole", name, "", "") for name in ("note", "victims.described")),
        ("made", "title", "", ""),
    ]
    assert [one.rule for one in explained(value, PARTNER, facts(title)).reasons if not one.about] == ["no-support"]


def test_a_witness_left_out_of_what_says_more_is_told_of():
    coarse = a_testimony(T1, consent=consent(public=allowed(place="county")), witness={"form": "unnamed"})
    one = explained(an_incident(testimonies=[T1]), PUBLIC, facts(coarse))
    assert (
        ("says-more", "testimonies", "", T1) in said(one) and one.record is not None and one.record["testimonies"] == []
    )


def test_a_person_who_is_not_shown_by_name_is_led_to_by_nothing():
    person = content("person", id=PER, disclosure_basis="consent", consent=consent(public=allowed(identity="withheld")))
    one = explained(a_testimony(same_witness=[T2]), PUBLIC, facts(person))
    assert said(one)[:3] == [
        ("published", "", "", ""),
        ("tie", "same_witness", T2, ""),
        ("nameless", "witness.person", PER, ""),
    ]
    named = {**person, "name": {"en": "N"}, "left": "2003-04", "home_province": "province"}
    assert ("withheld", "name", "", "") in said(explained(named))


def test_marks_and_references_are_told_of():
    camp = content("place", id="camp", name={"en": "A"}, type="other", parent="county", restricted=True)
    assert [one.rule for one in explained(camp).reasons] == ["restricted"]
    assert said(explained(camp, MECHANISM)) == [("open", "", "", "")]
    accused = content("actor", name={"en": "A"}, type="natural-person")
    assert [one.rule for one in explained(accused).reasons] == ["accused"]
    ends: Any = {"from": "camp", "to": "county", "source": "src-test"}
    link = content("link", id="l", type="seen-with", confidence="low", **ends)
    known = facts(hidden={0: {"county"}})
    assert said(explained(link, PUBLIC, known)) == [
        ("reference-above", "from", "camp", ""),
        ("reference", "to", "county", ""),
        ("loose", "", "", ""),
    ]
    secret = an_incident(testimonies=[], citations=[{**CITED[0], "source": "src-secret"}])
    assert [one.rule for one in explained(secret, PUBLIC, facts(hidden={0: {"src-secret"}})).reasons] == [
        "reference",
        "no-support",
    ]
    account = {**a_testimony(), "citations": secret["citations"]}
    assert explained(account, PUBLIC, facts(hidden={0: {"src-secret"}})).reasons[-1].rule == "unpublished"


def test_every_rule_that_hides_is_a_rule():
    assert set(RULES) > HIDES
