"""What is public unless marked: restricted records, alleged perpetrators, links, and what all shown forms share."""

from dataclasses import replace
from typing import Any

import pytest

from app.disclosure import plain
from app.records import KINDS
from app.vocabulary import edtf
from tests.disclosure.fake import (
    ACT,
    INC,
    MECHANISM,
    OHCHR,
    PARTNER,
    PER,
    PUBLIC,
    T1,
    allowed,
    consent,
    content,
    facts,
    record_of,
    shown,
)

NAME = {"name": {"en": "A test"}}
VIEWS = (PUBLIC, PARTNER, MECHANISM, OHCHR)


def seen(value: dict[str, Any], **hidden: set[str]) -> list[bool]:
    known = facts(
        hidden={view.id: hidden[name] for name, view in (("public", PUBLIC), ("partner", PARTNER)) if name in hidden}
    )
    return [shown(value, view, known) is not None for view in VIEWS]


@pytest.mark.parametrize(
    "value",
    [
        content("place", id="a", type="other", **NAME),
        content("source", id="a", title={"en": "A test"}, type="report"),
        content("actor", id="a", type="unit", **NAME),
        content("violation", id="a", label={"en": "A test"}),
    ],
    ids=lambda value: value["kind"],
)
def test_what_is_not_about_people_is_public_unless_it_is_marked(value):
    assert seen(value) == [True, True, True, True]
    if "restricted" in value:
        assert seen(value | {"restricted": True}) == [False, False, True, True]


def test_a_natural_person_is_for_mechanisms_unless_a_visible_source_names_them():
    person = content("actor", id=ACT, type="natural-person", named_in=["src-a", "src-b"], **NAME)
    assert seen(person) == [True, True, True, True]
    assert seen(person, public={"src-a"}) == [True, True, True, True]
    assert seen(person, public={"src-a", "src-b"}) == [False, True, True, True]
    assert seen(person | {"named_in": []}) == [False, False, True, True]
    assert seen(person | {"restricted": True}) == [False, False, True, True]
    assert seen(person | {"type": "unit", "named_in": []}) == [True, True, True, True]


def test_a_natural_person_is_alleged_always_and_stands_with_the_source():
    person = content("actor", id=ACT, type="natural-person", named_in=["src-a", "src-b"], **NAME)
    for view in VIEWS:
        assert record_of(person, view)["alleged"] is True
    record = record_of(person, PUBLIC, facts(hidden={0: {"src-a"}}))
    assert record["named_in"] == ["src-b"]
    assert record_of(content("actor", id="a", type="unit", **NAME))["alleged"] is False


def test_a_chain_of_command_does_not_show_who_is_hidden():
    unit = content(
        "actor", id="a", type="unit", parents=[{"actor": ACT, "date": "2001/2005"}, {"actor": "mss"}], **NAME
    )
    assert record_of(unit)["parents"] == [
        {"actor": ACT, "date": edtf.shown("2001/2005")},
        {"actor": "mss", "date": None},
    ]
    assert record_of(unit, PUBLIC, facts(hidden={0: {ACT}}))["parents"] == [{"actor": "mss", "date": None}]


def test_a_link_needs_both_ends_and_its_source():
    link = content(
        "link", id="a", type="seen-with", **{"from": T1, "to": "camp"}, confidence="low", source="src-a", date="2001"
    )
    assert record_of(link)["date"] == edtf.shown("2001")
    for hidden in (T1, "camp", "src-a"):
        assert shown(link, PUBLIC, facts(hidden={0: {hidden}})) is None
        assert shown(link, PARTNER, facts(hidden={0: {hidden}})) is not None


@pytest.mark.parametrize(
    ("other", "date", "seen"),
    [
        ("province", "2001-02", True),
        ("country", "2001", True),
        ("country", None, True),
        ("county", None, False),
        ("camp", "2001", False),
        ("province", "2001-02-03", False),
        (T1, None, False),  # it tells itself where and when, as finely as may be
        (INC, "2001", False),
    ],
)
def test_a_link_ties_a_person_to_no_more_than_they_allow(other, date, seen):
    coarse = consent(
        public=allowed(content="summary", identity="withheld", place="province", date="month"), partner=allowed()
    )
    known = facts(content("person", id=PER, disclosure_basis="consent", consent=coarse))
    others = facts()
    others.accounts[PER] = replace(known.accounts[PER], owner="others")
    for ends in ({"from": PER, "to": other}, {"from": other, "to": PER}):
        link = content("link", id="a", type="held-at", confidence="low", source="src-a", date=date, **ends)
        assert (shown(link, PUBLIC, known) is not None) is seen
        assert shown(link, PARTNER, known) is not None and shown(link, PUBLIC) is not None
        assert (shown(link, PUBLIC, others) is not None) is (other == "country")  # theirs: all, or nothing said of it
        assert shown(link, PARTNER, others) is not None


def test_a_link_does_not_cite_what_is_hidden():
    citations = [{"symbol": "TEST/1", "source": "src-a"}, {"symbol": "SECRET/1", "source": "src-b"}]
    ends = {"from": "mss", "to": "camp"}
    link = content("link", id="a", type="seen-with", **ends, confidence="low", source="src-a", citations=citations)
    known = facts(hidden={0: {"src-b"}})
    assert [one["symbol"] for one in record_of(link, PUBLIC, known)["citations"]] == ["TEST/1"]
    assert [one["symbol"] for one in record_of(link, PARTNER, known)["citations"]] == ["TEST/1", "SECRET/1"]


def test_a_source_cites_itself():
    source = content(
        "source", id="src-a", title={"en": "A test"}, type="report", citations=[{"symbol": "A", "source": "src-a"}]
    )
    record = record_of(source, PUBLIC, facts(hidden={0: {"src-a"}}))  # as on its first day, shown to nobody yet
    assert record["id"] == "src-a" and [one["source"] for one in record["citations"]] == ["src-a"]


def test_a_citation_does_not_say_where_it_was_seen():
    citation = {"symbol": "A", "paragraph": "1", "basis": "b", "source": "src-a", "supports": "name"}
    place = content(
        "place", id="a", type="other", citations=[citation | {"seen_at": "a shelf", "language_seen": "ko"}], **NAME
    )
    assert record_of(place)["citations"] == [citation]


def test_dates_at_every_depth_are_shown_with_their_bounds():
    follow_up = {
        "id": "f1",
        "date": "2016",
        "status": "none",
        "paraphrase": {"en": "Nothing was done"},
        "citations": [{"symbol": "A", "seen_at": "a shelf"}],
    }
    fields: dict[str, Any] = {"document": "A", "paragraph": "1", "addressee": "dprk", "paraphrase": {"en": "Do it"}}
    value = content("recommendation", id="a", paraphrase_complete=True, follow_up=[follow_up], **fields)
    record = record_of(value)
    assert record["follow_up"][0]["date"] == edtf.shown("2016")
    assert record["follow_up"][0]["citations"] == [
        {"symbol": "A", "paragraph": None, "basis": None, "source": None, "supports": None}
    ]
    assert value["follow_up"][0]["date"] == "2016"  # the content is left as it is


def test_a_kind_whose_date_has_a_name_of_its_own_is_filed_by_it():
    dated = [kind for kind in KINDS if kind.date not in (None, "date")]
    assert [(kind.name, kind.date) for kind in dated] == []


def test_what_names_a_hidden_record_is_left_out_and_all_else_stays():
    value = {"a": "x", "b": ["x", "y"], "c": [{"d": "x", "e": 1}, {"d": "y", "e": ["x"]}], "f": {"g": "x", "h": 2}}
    assert plain.without(value, frozenset({"x"})) == {
        "a": None,
        "b": ["y"],
        "c": [{"d": "y", "e": []}],
        "f": {"g": None, "h": 2},
    }
    assert plain.without(value, frozenset()) is value
