"""Content models: what is refused, in which field, in which words, and never with what was submitted in them."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from app.records import BY_NAME, KINDS
from app.records.refusal import _PATTERNS, refusals
from tests.records.example import ACT, CONSENT, INC, TST, TST2, a_place, a_testimony, an_incident

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 0]]


def at(longitude: Any, latitude: Any) -> dict[str, Any]:
    """Return the geometry of a point."""
    return {"geometry": {"type": "Point", "coordinates": [longitude, latitude]}}


def around(ring: Any) -> dict[str, Any]:
    """Return the geometry of an area."""
    return {"geometry": {"type": "Polygon", "coordinates": [ring]}}


def refused(kind: str, record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (field, reason) of every refusal."""
    with pytest.raises(ValidationError) as caught:
        BY_NAME[kind].model.model_validate(record)
    return [tuple(refusal) for refusal in refusals(caught.value)]  # type: ignore[misc]


def accepted(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a record that is valid."""
    return BY_NAME[kind].model.model_validate(record).content()


def test_a_record_comes_back_as_plain_json_with_every_field():
    content = accepted("place", a_place(**around(SQUARE)))
    assert content == {
        "kind": "place",
        "id": "test-place",
        "slug": None,
        "name": {"en": "A test place"},
        "aliases": [],
        "type": "other",
        "parent": None,
        "province": None,
        "geometry": {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]},
        "precision": None,
        "date": None,
        "status": None,
        "restricted": False,
        "citations": [],
        "note": None,
    }


def test_json_bytes_and_values_give_the_same_content():
    record = an_incident(victims={"low": 3, "best": 3, "high": 3}, title={"public": {"en": "A test", "ko": "시험"}})
    model = BY_NAME["incident"].model
    assert model.model_validate_json(json.dumps(record)).content() == accepted("incident", record)


OPAQUE = "has the form of an opaque id; this kind has readable ids"
SLUG = "is no id: lower-case letters, digits, dots and hyphens, at most 121, the first a letter or digit"
TAG = "is no language tag (BCP 47), as en or ko or zh-Hans, nor original or translated_by"


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"secret": 1}, "secret", "is no field of this kind"),
        ({"secret words of a witness": 1}, "?", "is no field of this kind"),
        ({"kind": "person"}, "kind", "should be 'incident'"),
        ({"id": "nampo-1975"}, "id", "is no id of an incident: inc- and 26 characters, as given by this service"),
        ({"id": TST}, "id", "is no id of an incident: inc- and 26 characters, as given by this service"),
        ({"id": "inc-" + 26 * "z"}, "id", "is no id of an incident: inc- and 26 characters, as given by this service"),
        (
            {"testimonies": [INC]},
            "testimonies[0]",
            "is no id of a testimony: tst- and 26 characters, as given by this service",
        ),
        ({"places": ["Place A"]}, "places[0]", SLUG),
        ({"places": ["a\n"]}, "places[0]", SLUG),
        ({"places": "a"}, "places", "must be a list"),
        ({"victim_groups": ["Believers"]}, "victim_groups[0]", _PATTERNS[r"^[a-z0-9][a-z0-9-]{0,60}$"]),
        ({"scope": "massacre"}, "scope", "should be 'event', 'situation' or 'pattern'"),
        ({"citations": []}, "citations", "a published record names at least one source that published it"),
        ({"citations": [{}]}, "citations[0].symbol", "is required"),
        ({"victims": {"best": -1}}, "victims.best", "should be greater than or equal to 0"),
        ({"victims": {"best": True}}, "victims.best", "must be a whole number"),
        ({"victims": {"best": 1.0}}, "victims.best", "must be a whole number"),
        ({"victims": {"best": "3"}}, "victims.best", "must be a whole number"),
        ({"victims": {"low": 4, "high": 3}}, "victims", "the numbers are out of order: low <= best <= high"),
        ({"victims": {"low": 1, "best": 9, "high": 3}}, "victims", "the numbers are out of order: low <= best <= high"),
        ({"acts": [{"violation": "torture", "victims": 3}]}, "acts[0].victims", "must be an object"),
        ({"title": {"public": {"en": "a\0b"}}}, "title.public.en", "contains the character NUL"),
        (
            {"title": {"public": {"en": "a\ud800b"}}},
            "title.public.en",
            "is no valid Unicode text (a surrogate without its pair)",
        ),
        ({"title": {"public": {"en": 3}}}, "title.public.en", "must be text"),
        ({"title": {"public": {}}}, "title.public", "has too few members"),
        ({"title": {"public": {"English": "x"}}}, "title.public.English", TAG),
        ({"title": {"public": {"words of a witness": "x"}}}, "title.public.?", TAG),
        (
            {"title": {"public": {"en": "x", "original": "ko"}}},
            "title.public.original",
            "names a language that this text does not have",
        ),
        (
            {"title": {"public": {"translated_by": "A test"}}},
            "title.public",
            'has no language: give at least one, as in {"en": "…"}',
        ),
        (
            {"title": {"everybody": {"en": "x"}}},
            "title.everybody",
            "is no audience: public, partner, mechanism, or a named body as mechanism:ohchr",
        ),
        ({"title": {"public": {"en": 20_001 * "x"}}}, "title.public.en", "should have at most 20000 characters"),
        (
            {"date": "2011-02-30"},
            "date",
            "'2011-02-30' is no day: 2011-02 has 28 days; write 2011-02 if the day is not known",
        ),
    ],
)
def test_an_incident_is_refused(changes, field, reason):
    assert refused("incident", an_incident(**changes)) == [(field, reason)]


@pytest.mark.parametrize(
    "words", ["in spring, says Kim", "it's Kim's house", 'say "Kim"', "김", "Kim/Lee", "[Kim,Lee]"]
)
def test_words_in_the_place_of_a_date_are_not_repeated(words):
    [(field, reason)] = refused("incident", an_incident(date=words))
    assert field == "date"
    assert not any(word in reason for word in ("Kim", "Lee", "spring, says", "house", "김"))


def test_errors_never_hold_what_was_submitted():
    secret = "what the witness said"
    with pytest.raises(ValidationError) as caught:
        BY_NAME["testimony"].model.model_validate(a_testimony(id=secret, given=secret, witness={"form": secret}))
    assert secret not in str(caught.value)
    assert secret not in repr(refusals(caught.value))


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"id": TST}, "id", OPAQUE),
        ({"id": "UPPER"}, "id", SLUG),
        ({"parent": "test-place"}, "parent", "a place is not inside itself"),
        (at(181, 0), "geometry.coordinates[0]", "should be less than or equal to 180"),
        (at(0, -91), "geometry.coordinates[1]", "should be greater than or equal to -90"),
        (at(True, 0), "geometry.coordinates[0]", "must be a number"),
        (at("1", 0), "geometry.coordinates[0]", "must be a number"),
        (at(float("nan"), 0), "geometry.coordinates[0]", "must be a finite number"),
        (at(0, float("inf")), "geometry.coordinates[1]", "must be a finite number"),
        ({"geometry": {"type": "Line"}}, "geometry", "has a type that is not allowed here: Point or Polygon"),
        ({"geometry": {"coordinates": [0, 0]}}, "geometry", "must have a type: Point or Polygon"),
        (
            around([[0, 0], [1, 0], [1, 1], [0, 1]]),
            "geometry.coordinates[0]",
            "the ring is not closed: its first and last positions must be the same (RFC 7946, 3.1.6)",
        ),
        (around(SQUARE[1:]), "geometry.coordinates[0]", "has too few members"),
    ],
)
def test_a_place_is_refused(changes, field, reason):
    assert refused("place", a_place(**changes)) == [(field, reason)]


def test_consent_and_publication_are_never_mixed():
    missing = "is missing: disclosure_basis is consent"
    surplus = "does not go with disclosure_basis published: publication is never called consent"
    person = {"kind": "person", "citations": a_testimony()["citations"]}
    assert refused("testimony", a_testimony(disclosure_basis="consent")) == [("consent", missing)]
    assert refused("testimony", a_testimony(consent=CONSENT)) == [("consent", surplus)]
    assert refused("person", {**person, "disclosure_basis": "consent"}) == [("consent", missing)]
    assert refused("person", {**person, "disclosure_basis": "published", "consent": CONSENT}) == [("consent", surplus)]
    content = accepted("testimony", a_testimony(disclosure_basis="consent", consent=CONSENT, citations=[]))
    assert content["consent"]["audiences"] == {
        "public": {
            "content": "summary",
            "identity": "withheld",
            "place": "country",
            "date": "year",
            "purposes": ["publication"],
            "conditions": [],
        }
    }


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"expires": "2026-02-30"}, "consent.expires", "is no day of the calendar"),
        ({"expires": "tomorrow"}, "consent.expires", "must be a day, as 2026-11-24"),
        ({"recontact": 1}, "consent.recontact", "must be true or false"),
        ({"language": "Korean"}, "consent.language", "is no language tag (BCP 47), as en or ko or zh-Hans"),
        (
            {"audiences": {"press": {}}},
            "consent.audiences.press",
            "is no audience: public, partner, mechanism, or a named body as mechanism:ohchr",
        ),
        (
            {"audiences": {"mechanism:ohchr": {"content": "all"}}},
            "consent.audiences.mechanism:ohchr.content",
            "should be 'none', 'counted', 'summary' or 'full'",
        ),
    ],
)
def test_a_consent_is_refused(changes, field, reason):
    record = a_testimony(disclosure_basis="consent", consent={**CONSENT, **changes})
    assert refused("testimony", record) == [(field, reason)]


def test_a_full_text_may_be_long_and_no_other_text():
    long = {"ko": 200_000 * "말"}
    assert accepted("testimony", a_testimony(full_text=long))["full_text"] == long
    assert refused("testimony", a_testimony(full_text={"ko": 200_001 * "말"})) == [
        ("full_text.ko", "should have at most 200000 characters")
    ]
    assert refused("testimony", a_testimony(summary={"public": {"ko": 20_001 * "말"}})) == [
        ("summary.public.ko", "should have at most 20000 characters")
    ]


def test_natural_persons_have_opaque_ids_and_institutions_readable_ones():
    actor = {"kind": "actor", "name": {"en": "A test"}}
    assert accepted("actor", {**actor, "type": "natural-person", "id": ACT})["id"] == ACT
    assert accepted("actor", {**actor, "type": "natural-person"})["id"] is None
    assert accepted("actor", {**actor, "type": "unit", "id": "test-unit"})["id"] == "test-unit"
    opaque = "the id of a natural person is opaque: leave it out and one is given"
    assert refused("actor", {**actor, "type": "natural-person", "id": "kim"}) == [("id", opaque)]
    readable = "has the form of an opaque id; institutions have readable ids"
    assert refused("actor", {**actor, "type": "institution", "id": ACT}) == [("id", readable)]
    assert refused("actor", {**actor, "type": "natural-person", "id": TST}) == [
        ("id", "an opaque id of an actor begins with act-")
    ]


@pytest.mark.parametrize(
    ("kind", "record", "field", "reason"),
    [
        ("testimony", a_testimony(same_witness=[TST2, TST]), "same_witness", "names this very testimony"),
        (
            "violation",
            {"id": "a", "label": {"en": "A"}, "parent": "a"},
            "parent",
            "a violation is not a kind of itself",
        ),
        (
            "source",
            {"id": "a", "title": {"en": "A"}, "type": "report", "derived_from": ["a"]},
            "derived_from",
            "a source does not derive from itself",
        ),
        (
            "instrument",
            {"id": "a", "title": {"en": "A"}, "type": "body", "body": "A", "ends": ["a"]},
            "ends",
            "names this very instrument",
        ),
        (
            "actor",
            {"id": "a", "name": {"en": "A"}, "type": "unit", "parents": [{"actor": "a"}]},
            "parents",
            "names this very actor",
        ),
        (
            "link",
            {"type": "ordered", "from": "a", "to": "a", "confidence": "low", "source": "src-test"},
            "to",
            "a link ties two records; this names one twice",
        ),
        ("link", {"type": "ordered", "from": "a", "to": "b", "confidence": "low"}, "source", "is required"),
        ("period", {"id": "a", "label": {"en": "A"}}, "date", "is required"),
        (
            "source",
            {"title": {"en": "A"}, "type": "report", "addresses": ["no address"]},
            "addresses[0]",
            "is no address: it must begin with a scheme, as https:",
        ),
        (
            "weapons-event",
            {"type": "nuclear-test", "weapon_class": "nuclear", "count": -1},
            "count",
            "should be greater than or equal to 0",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(kind, record, field, reason):
    assert refused(kind, record) == [(field, reason)]


def test_json_words_keep_their_own_names():
    link = {"type": "ordered", "from": "a", "to": "b", "confidence": "low", "source": "src-test"}
    assert accepted("link", link)["from"] == "a"
    assert refused("link", {**link, "from_id": "a"}) == [("from_id", "is no field of this kind")]
    vote = accepted("instrument", {"title": {"en": "A"}, "type": "law", "body": "A", "vote": {"method": "x", "for": 3}})
    assert vote["vote"]["for"] == 3


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_pattern_has_words_for_its_refusal(kind):
    patterns: set[str] = set()

    def walk(schema: Any) -> None:
        if isinstance(schema, dict):
            patterns.update([schema["pattern"]] if isinstance(schema.get("pattern"), str) else [])
            patterns.update(schema.get("patternProperties", {}))
            for value in schema.values():
                walk(value)
        elif isinstance(schema, list):
            for value in schema:
                walk(value)

    walk(kind.model.model_json_schema())
    assert patterns and patterns <= set(_PATTERNS)
