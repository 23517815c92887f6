"""What no record can hold is refused before anything is written, and says where it stood."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from app.custody.tables import LEAF
from app.intake.checking import content_of
from app.intake.reading import TWICE
from app.records.refusal import refusals
from app.vault.tables import RECORD
from tests.intake.house import T1, a_place, a_source, a_testimony, an_incident, catalogue, count, submit

EMPTY: dict[str, list[Any]] = {"row": [], "posting": [], "spot": [], "term": [], "term_count": []}
HUGE = "x" * 20_001


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        (a_source(note={"en": "a\0b"}), "note.en", "contains the character NUL"),
        (a_source(note={"en": HUGE}), "note.en", "should have at most 20000 characters"),
        (a_source(publisher="a\0"), "publisher", "contains the character NUL"),
        (
            a_place("a", geometry={"type": "Point", "coordinates": [181, 0]}),
            "geometry.coordinates[0]",
            "should be less than or equal to 180",
        ),
        (an_incident(victims={"best": 10**18}), "victims.best", "should be less than or equal to 1000000000"),
        (an_incident(victims={"best": 1.5}), "victims.best", "must be a whole number"),
        (an_incident(places=["p"] * 201), "places", "should have at most 200 items after validation, not 201"),
        (a_testimony(id="tst-x"), "id", "is no id of a testimony: tst- and 26 characters, as given by this service"),
    ],
)
def test_a_field_is_refused(value, field, reason):
    with pytest.raises(ValidationError) as refused:
        content_of(orjson.dumps(value))
    assert [(one.field, one.reason) for one in refusals(refused.value)] == [(field, reason)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"kind": "source", "title": {"en": "\\ud800"}}', "is no JSON (column "),
        (b'{"kind": "source", "title": {"en": "\xff"}}', "is no JSON (column "),
        (b'{"kind": "place", "geometry": {"type": "Point", "coordinates": [NaN, 1]}}', "is no JSON (column "),
        (b"[1]", "is no JSON object"),
        (b'"place"', "is no JSON object"),
        (b"{}", "states no known kind: testimony, incident, "),
        (b'{"kind": "nonsense"}', "states no known kind: testimony, incident, "),
        (b'{"kind": ["place"]}', "states no known kind: testimony, incident, "),
        (b"", "is too long for one record"),
        (b"[" * 5_000, "is no JSON (column "),
        (b'{"kind": "place", "id": "a", "id": "b"}', TWICE),
        (b'{"kind": "place", "name": {"en": "a", "\\u0065n": "b"}}', TWICE),
    ],
)
def test_what_is_no_record_is_refused(text, reason):
    with pytest.raises(ValueError) as refused:
        content_of(text)
    assert not isinstance(refused.value, ValidationError) and str(refused.value).startswith(reason)


def test_a_surrogate_without_its_pair_is_refused_by_the_model_too():
    value: dict[str, Any] = {"kind": "source", "id": "a", "title": {"en": "\ud800"}, "type": "report"}
    with pytest.raises(ValidationError) as refused:
        type(content_of(orjson.dumps(a_source()))).model_validate(value)
    assert [(one.field, one.reason) for one in refusals(refused.value)] == [
        ("title.en", "is no valid Unicode text (a surrogate without its pair)")
    ]


def test_a_failure_in_the_middle_of_writing_leaves_nothing(intake, database, writer, monkeypatch):
    submit(intake, a_source())
    before, rows, leaves = catalogue(database), count(database, RECORD), count(database, LEAF)
    disclose = writer.publisher.disclose

    def fail(connection, changes, at, size):
        disclose(connection, changes, at, size)
        raise OSError("the disk is full")

    monkeypatch.setattr(writer.publisher, "disclose", fail)
    with pytest.raises(OSError, match="the disk is full"):
        submit(intake, a_place("a"), a_testimony(T1))
    monkeypatch.undo()
    assert catalogue(database) == before and before != EMPTY
    assert (count(database, RECORD), count(database, LEAF)) == (rows, leaves)
    # And the writer has forgotten what it thought it knew.
    assert submit(intake, a_place("a"), a_testimony(T1), an_incident(places=["a"])).created == [
        "a",
        T1,
        an_incident()["id"],
    ]
