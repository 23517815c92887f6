"""Shown models: each field says what it means, and its example is what a record of the built-in data has."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from app.records import BY_NAME, KINDS
from tests.data.record import records

WORKED_OUT = {"owner", "revision", "updated", "geometry", "corroboration", "reliability_notes", "alleged"}
WORKED_OUT |= {"citations", "note"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_is_described_and_has_a_valid_example(kind):
    def check(model: type[Any]) -> None:
        for name, field in model.model_fields.items():
            assert field.description and field.description.endswith("."), name
            assert field.examples and len(field.examples) == 1, name
            TypeAdapter(field.rebuild_annotation()).validate_python(field.examples[0], strict=False)
            for inner in model.__subclasses__():
                check(inner)

    check(kind.shown)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name != "link"], ids=lambda kind: kind.name)
def test_examples_are_those_of_a_real_record(kind):
    examples = {field.alias or name: (field.examples or [None])[0] for name, field in kind.shown.model_fields.items()}
    record = BY_NAME[kind.name].model.model_validate(
        next(record for record in records(kind.name) if record["id"] == examples["id"])
    )
    content = record.content()
    for name, example in examples.items():
        if name not in WORKED_OUT:
            assert_same(example, content[name], name)


def assert_same(example: Any, value: Any, name: str) -> None:
    """Compare an example with a value of the content, which has EDTF texts for dates and texts by audience."""
    if isinstance(value, dict) and "public" in value:
        value = value["public"]
    if isinstance(example, dict) and "edtf" in example:
        example = example["edtf"]
    if isinstance(example, dict) and isinstance(value, dict):
        for key in example:
            assert_same(example[key], value[key], f"{name}.{key}")
    elif isinstance(example, str) and example.endswith("…"):
        assert value.startswith(example.removesuffix("…").rstrip()), name
    elif name in ("addresses", "follow_up"):
        assert example == value[: len(example)], name
    else:
        assert example == value, name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_answer_has_exactly_the_fields_of_its_model(kind):
    schema = kind.shown.model_json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])
