"""The screen: what it stops at, what it lets pass, and what it says of texts that are marked as fit."""

from typing import Any

import pytest

from app.disclosure.fitness import Doubt, doubts
from app.disclosure.screen import CONTACT, COORDINATES, MAIL, RESIDENT, Names, contacts, coordinates
from app.records import BY_NAME
from tests.disclosure.fake import (
    ACT,
    CITED,
    PER,
    PER2,
    T1,
    a_testimony,
    allowed,
    an_incident,
    consent,
    content,
    facts,
)

# Nobody's: numbers of these forms that are given to nobody, or made up.
NUMBERS = [
    ("010-0000-0000", CONTACT),
    ("전화 010 0000 0000번", CONTACT),
    ("０１０－００００－００００", CONTACT),
    ("02-000-0000", CONTACT),
    ("(031) 0000-0000", CONTACT),
    ("070.0000.0000", CONTACT),
    ("+82 10-0000-0000", CONTACT),
    ("+82-2-0000-0000", CONTACT),
    ("(+86) 130 0000 0000", CONTACT),
    ("手机13000000000", CONTACT),
    ("手机 13000000000。", CONTACT),
    ("0433-0000000", CONTACT),
    ("0086 433 0000000", CONTACT),
    ("+1 (202) 555-0100", CONTACT),
    ("+44 20 7946 0000", CONTACT),
    ("주민등록번호 800101-1000000", RESIDENT),
    ("8001011000000", RESIDENT),
    ("000229 - 3000000", RESIDENT),
    ("22240319800101000X", RESIDENT),
    ("nobody@example.org", MAIL),
    ("nobody ＠ example", None),
]
COORDINATE_TEXTS = [
    "39.6712, 126.8534",
    "at 39.6712 N / 126.8534 E",
    "39° 40' 16\" N",
    "39º40′",
    "39.7° N",
    "북위 39도 40분",
    "동경126도",
    "北纬39度",
    "52S CG 12345 67890",
]
HARMLESS = [
    "On 2004-05-12 about 18,400 people were held; 300 died by 2011-12-17.",
    "A/HRC/25/63, paragraphs 1120-1183; S/2014/276; 2003-2011",
    "ISBN 978-0-00-000000-2, page 12345",
    "Resolution 55/21 of 2024, 10 to 13 March 1998",
    "He was beaten 3 times a day, 7 days a week, from 1999 to 2003.",
    "약 18,400명이 2004년 5월 12일에",
    "The camp lies 39 km from the border; 1.5 million won; 12.345.678",
    "800199-1000000",  # no day of the calendar
    "Ration: 300.500 g, 400.250 g",
    "19800101 to 19991231",
]


@pytest.mark.parametrize(("text", "what"), NUMBERS)
def test_numbers_and_addresses_by_which_a_person_is_found(text, what):
    assert list(contacts(text)) == ([what] if what else [])
    assert list(contacts(f"Before it, {text} and after it.")) == ([what] if what else [])


@pytest.mark.parametrize("text", COORDINATE_TEXTS)
def test_coordinates_in_every_form(text):
    assert list(coordinates(f"The house is at {text}, they said.")) == [COORDINATES]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_passes(text):
    assert list(contacts(text)) == [] and list(coordinates(text)) == []


@pytest.mark.parametrize(
    ("name", "text", "stands"),
    [
        ("Hong Gildong", "Told by Hong Gil-dong in 2003.", True),
        ("Hong Gil-dong", "Told by GILDONG HONG.", True),
        ("Hong Gildong", "Hong told; Gildong too.", False),
        ("Hong Gildong", "Hongkong Gildongs", False),
        ("홍길동", "홍길동은 2003년에", True),
        ("홍 길동", "증인 홍길동", True),
        ("홍 길동", "길동 홍씨", True),
        ("홍길동", "홍씨는 말했다", False),
        ("洪吉童", "证人洪吉童说", True),
        ("Kim", "Kim Il-sung Square", False),  # too short to tell anybody apart
        ("홍", "홍수", False),
        ("Élan Vital", "élan vital", True),
    ],
)
def test_a_name_is_found_however_it_is_written(name, text, stands):
    assert Names([name]).within(text) is stands


def test_no_name_is_looked_for_where_there_is_none():
    assert not Names([]).within("Hong Gildong")


# --- of a record ---

NAMED = {"designation": {"en": "Hong Gildong", "ko": "홍길동"}, "form": "named", "person": None}
TOLD = {"en": "Hong Gil-dong, 010-0000-0000, at 39.6712, 126.8534"}
PHONE = "holds what looks like a telephone number, and is marked as fit for {}: see whether it is meant to be there"
PLACE = "holds what looks like coordinates, and {} may not know exact places"
NAME = "holds the name of somebody whom {} may not know by name"


def doubted(value: dict[str, Any], *others: dict[str, Any]) -> list[Doubt]:
    """Return the doubts about a record, with others on record."""
    on_record = {one["id"]: one for one in others}
    return doubts(BY_NAME[value["kind"]], value, on_record.get, facts(*others))


def test_each_text_is_held_against_what_its_own_audience_may_know():
    levels = consent(
        public=allowed(identity="withheld", place="province", conditions=[]),
        partner=allowed(identity="pseudonym", conditions=["fair-trial"], purposes=["advocacy"]),
        mechanism=allowed(),
        mechanism__ohchr={"content": "none"},
    )
    texts = dict.fromkeys(("public", "partner", "mechanism", "mechanism:ohchr", "mechanism:icc"), TOLD)
    assert doubted(a_testimony(consent=levels, witness=NAMED, summary=texts)) == [
        Doubt("summary.public.en", PHONE.format("public")),
        Doubt("summary.public.en", PLACE.format("public")),
        Doubt("summary.public.en", NAME.format("public")),
        Doubt("summary.partner.en", PHONE.format("partner")),
        Doubt("summary.partner.en", NAME.format("partner")),
        Doubt("summary.mechanism.en", PHONE.format("mechanism")),
    ]


def test_what_is_published_may_name_who_it_names():
    texts = {"public": {"ko": "홍길동은 39.6712, 126.8534에", "original": "ko"}}
    published = a_testimony(witness=NAMED, title=texts)
    assert doubted(published) == []
    limits = {"reasons": ["child"], "assessed_by": "A test", "assessed_on": "2021"}
    limited = {**published, "protection": {**limits, "limits": {"public": {"identity": "withheld"}}}}
    assert doubted(limited) == [Doubt("title.public.ko", NAME.format("public"))]


def test_the_person_of_an_account_has_a_name_of_their_own():
    own: Any = {"id": PER, "disclosure_basis": "consent", "name": {"en": "Hong Gildong"}}
    person = content("person", **own, consent=consent())
    account = {**NAMED, "designation": None, "person": PER}
    value = a_testimony(consent=consent(public=allowed()), witness=account, own_words={"public": TOLD})
    assert [one.reason for one in doubted(value, person)] == [PHONE.format("public"), NAME.format("public")]
    named = content("person", **own, consent=consent(public=allowed()))
    assert [one.reason for one in doubted(value, named)] == [PHONE.format("public")]
    quiet = consent(public=allowed(identity="withheld"))
    described = content("person", **own, consent=quiet, description={"public": TOLD})
    assert [one.reason for one in doubted(described)] == [PHONE.format("public"), NAME.format("public")]


def test_an_incident_may_name_nobody_whom_its_audience_may_not_know():
    quiet = a_testimony(T1, consent=consent(public=allowed(identity="withheld", place="county")), witness=NAMED)
    victim = content("person", id=PER2, disclosure_basis="consent", name={"en": "Sim Cheong"}, consent=consent())
    accused = content("actor", id=ACT, name={"en": "Byeon Hakdo"}, aliases=["The Magistrate"], type="natural-person")
    act = {"violation": "torture", "people": [PER2], "actors": [ACT]}
    basis: dict[str, Any] = {"disclosure_basis": "consent", "testimonies": [T1], "citations": []}

    def reasons(text: str, audience: str = "public", **more: Any) -> list[str]:
        value = an_incident(**basis, acts=[act], summary={audience: {"en": text}}) | more
        return [one.reason for one in doubted(value, quiet, victim, accused)]

    for name in ("Hong Gildong", "Cheong Sim", "Byeon Hak-do", "the magistrate"):
        assert reasons(f"{name} was there.") == [NAME.format("public")], name
    assert reasons("39.6712, 126.8534") == [PLACE.format("public")]
    assert reasons("39.6712, 126.8534", disclosure_basis="published", citations=CITED) == []
    assert reasons("Hong Gildong, 010-0000-0000", "partner") == []  # partners are shown nothing of it


def test_conditions_that_nobody_can_meet_are_told_of():
    value = a_testimony(consent=consent(public=allowed(conditions=["fair-trial"])))
    reason = "can be asked of nobody where everybody may read: nothing is shown to public"
    assert doubted(value) == [Doubt("consent.audiences.public.conditions", reason)]
    assert doubted(content("source", id="src-a", title=TOLD, type="report")) == []
