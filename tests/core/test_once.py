"""That something is said twice is found, wherever it stands, and nothing else is taken for it."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.once import twice

NAMES = st.sampled_from(["a", "b", 'q"', "\\", "고"])
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | st.text('a"\\고:{', max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=3).map(tuple),
    max_leaves=12,
)


def written(value, escaped):
    """Return JSON of a value in which a tuple is an object, with every member that it names."""
    if isinstance(value, tuple):
        members = [f"{written(name, escaped)}: {written(inner, escaped)}" for name, inner in value]
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(inner, escaped) for inner in value) + "]"
    if escaped and isinstance(value, str):
        return '"' + "".join(f"\\u{ord(sign):04x}" for sign in value) + '"'
    return json.dumps(value, ensure_ascii=False)


def says_twice(value):
    if isinstance(value, tuple):
        names = [name for name, _ in value]
        return len({*names}) < len(names) or any(says_twice(inner) for _, inner in value)
    return isinstance(value, list) and any(map(says_twice, value))


@given(VALUES, st.booleans())
def test_it_is_found_wherever_it_stands(value, escaped):
    text = written(value, escaped).encode()
    assert (twice(text, orjson.loads(text)) is not None) == says_twice(value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": 1, "a": 1}', ""),
        ('{"a": 1, "\\u0061": 1}', ""),
        ('[{}, {"x/y": {"~": {"b": "", "b": ""}}}]', "/1/x~1y/~0"),
        ('[{"a": {"b": 1, "b": 2}, "a": 3}]', "/0"),
        ('{"\\u0022": "", "a": 1, "a": 2}', ""),
        ('{"a": ' + "[" * 900 + "]" * 900 + ', "a": {}}', ""),
        ('{"\\"": {"\\u0022": 1}}', None),
        ('"\\u0022"', None),
    ],
)
def test_it_is_told_where(text, where):
    assert twice(text.encode(), orjson.loads(text)) == where
