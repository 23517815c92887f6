"""Kinds as data: paths and names, which records a content names, and what an answer is filed under."""

import re
from typing import Any

import pytest

from app.records import BY_NAME, BY_PATH, KINDS, pick, references
from app.records.base import Content
from tests.records.example import ACT, INC, PER, TST, TST2, an_incident


def test_the_kinds_are_those_of_the_design():
    assert [(kind.name, kind.path) for kind in KINDS] == [
        ("testimony", "testimonies"),
        ("incident", "incidents"),
        ("person", "people"),
        ("actor", "actors"),
        ("place", "places"),
        ("source", "sources"),
        ("violation", "violations"),
        ("crime", "crimes"),
        ("period", "periods"),
        ("instrument", "instruments"),
        ("finding", "findings"),
        ("recommendation", "recommendations"),
        ("weapons-event", "weapons-events"),
        ("statement", "statements"),
        ("link", "links"),
    ]
    assert [BY_NAME[kind.name] for kind in KINDS] == [BY_PATH[kind.path] for kind in KINDS] == list(KINDS)


def test_who_has_opaque_ids_people_a_hierarchy_a_geometry_a_date():
    def having(fact: str) -> list[str]:
        return [kind.name for kind in KINDS if getattr(kind, fact)]

    assert having("opaque") == ["testimony", "incident", "person"]
    assert having("people") == ["testimony", "incident", "person"]
    assert having("prefix") == ["testimony", "incident", "person", "actor"]
    assert having("hierarchical") == ["place", "violation"]
    assert having("geometry") == ["testimony", "incident", "place", "weapons-event"]
    undated = [kind.name for kind in KINDS if kind.date is None]
    assert undated == ["person", "actor", "violation", "crime", "finding", "recommendation"]


def test_references_are_found_at_every_depth():
    content = an_incident(
        places=["test-place"],
        testimonies=[TST],
        contradicted_by=[TST2],
        acts=[{"violation": "torture", "people": [PER], "actors": [ACT], "date": None}, {"violation": "murder"}],
        assessment=None,
    )
    assert references(BY_NAME["incident"], content) == [
        ("places", "test-place", ("place",)),
        ("testimonies", TST, ("testimony",)),
        ("contradicted_by", TST2, ("testimony",)),
        ("acts[].violation", "torture", ("violation",)),
        ("acts[].violation", "murder", ("violation",)),
        ("acts[].people", PER, ("person",)),
        ("acts[].actors", ACT, ("actor",)),
        ("citations[].source", "src-test", ("source",)),
    ]


def test_a_link_may_tie_any_two_records_but_links():
    content = {"from": TST, "to": INC, "source": "src-test"}
    found = references(BY_NAME["link"], content)
    assert [(path, target) for path, target, _ in found] == [("from", TST), ("to", INC), ("source", "src-test")]
    assert set(found[0][2]) == {kind.name for kind in KINDS} - {"link"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("scope", ["event"]),
        ("places", ["a", "b"]),
        ("citations[].source", ["src-1", "src-2"]),
        ("witness.person", [PER]),
        ("acts[].places", ["c", "d"]),
        ("places|acts[].places", ["a", "b", "c", "d"]),
        ("nothing", []),
        ("null", []),
        ("null.name", []),
        ("null[].name", []),
    ],
)
def test_pick_finds_what_stands_at_a_path(path, found):
    record: dict[str, Any] = {
        "scope": "event",
        "places": ["a", "b"],
        "citations": [{"source": "src-1"}, {"source": None}, {"source": "src-2"}],
        "witness": {"person": PER},
        "acts": [{"places": ["c"]}, {"places": []}, {"places": ["d"]}],
        "null": None,
    }
    assert pick(path, record) == found


def test_ids_are_drawn_for_people_and_natural_persons():
    actor = BY_NAME["actor"]
    assert BY_NAME["testimony"].draws_id({}) and actor.draws_id({"type": "natural-person"})
    assert not actor.draws_id({"type": "institution"}) and not BY_NAME["place"].draws_id({"type": "natural-person"})


def _at(model: type[Any], path: str) -> Any:
    """Return the annotation at a path of a model; fails where there is none."""
    annotation: Any = None
    for step in path.split("."):
        names = {field.alias or name: field for name, field in model.model_fields.items()}
        annotation = names[step.removesuffix("[]")].annotation
        inner = re.findall(r"app\.records\.[\w.]+", str(annotation))
        if inner:
            module, _, name = inner[0].rpartition(".")
            model = getattr(__import__(module, fromlist=[name]), name)
    return annotation


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_path_of_a_kind_exists_in_its_models(kind):
    for path in [*(path for path, _ in kind.references), *kind.dates]:
        assert _at(kind.model, path) is not None, path
    for facet in kind.facets.values():
        for path in facet.split("|"):
            assert _at(kind.shown, path) is not None, path
    assert kind.date is None or kind.date in kind.dates


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_submitted_field_is_shown_or_hidden_by_name(kind):
    submitted = {field.alias or name for name, field in kind.model.model_fields.items()}
    shown = {field.alias or name for name, field in kind.shown.model_fields.items()}
    assert submitted - shown == kind.hidden
    worked_out = {"owner", "revision", "updated", "geometry", "corroboration", "reliability_notes", "alleged"}
    assert shown - submitted <= worked_out
    assert issubclass(kind.model, Content)
