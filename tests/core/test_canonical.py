"""Canonical bytes are those of RFC 8785, and the fast writer agrees wherever it may be used."""

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.canonical import canonical, canonical_plain

SAFE = 2**53 - 1
TEXT = st.text(st.characters(codec="utf-8"))
ASCII = st.text(st.characters(max_codepoint=127))
WHOLE = st.integers(-SAFE, SAFE)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def json(keys, *leaves):
    """Return JSON values with such keys and leaves."""
    return st.recursive(
        st.one_of(st.none(), st.booleans(), TEXT, *leaves),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )


# RFC 8785, section 3.2.2 and 3.2.3
PRINTED = {
    "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": '€$\u000f\u000aA\'B"\\\\"/',
    "literals": [None, True, False],
}
PRINTED_BYTES = (
    b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
)
SORTED = {
    "€": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "😀": "Emoji: Grinning Face",
    "\x80": "Control",
    "ö": "Latin Small Letter O With Diaeresis",
}


def test_the_example_that_the_standard_prints():
    assert canonical(PRINTED) == PRINTED_BYTES


def test_keys_sort_by_utf_16_as_the_standard_prints():
    values = ["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign"]
    order = [*values, "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"]
    found = canonical(SORTED).decode()
    assert sorted(order, key=found.index) == order


@given(json(TEXT, WHOLE, FINITE))
def test_canonical_is_rfc_8785(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(json(ASCII, WHOLE))
@example({"ko": "고문과 강제실종", "en": "it’s", "faces": "😀👩‍👧"})
@example({"control": "\x00\x01\x08\t\n\x0b\x0c\r\x1f\x7f\x80"})
@example({"b": {"\x1f": 1, "\x00": 2, "": 3, "~": 4}, "B": [], "a": {}, "aa": "\u2028\u2029\ufeff\uffff", "A": '"\\/'})
@example([SAFE, -SAFE, 0, True, False, None])
def test_the_fast_writer_is_the_same_without_floats_large_numbers_and_keys_beyond_ascii(value):
    assert canonical_plain(value) == canonical(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 2**53, -(2**53), "\ud800"])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(ValueError):
        canonical({"in": [value]})
