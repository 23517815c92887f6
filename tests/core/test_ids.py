"""Ids say nothing, keep their form, and give the number that breaks ties."""

import hashlib
import re

import pytest

from app.core.ids import ALPHABET, fixed, is_opaque, k_of, new

FORM = re.compile(r"tst-[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}")


def bits(identifier: str) -> int:
    """Return the number that an opaque id spells."""
    value = 0
    for letter in identifier[4:]:
        value = value * 32 + ALPHABET.index(letter)
    return value


def test_the_alphabet_is_crockfords_and_sorts_as_its_numbers():
    assert ALPHABET == "0123456789abcdefghjkmnpqrstvwxyz"
    assert sorted(ALPHABET) == list(ALPHABET)


def test_a_fixed_id_spells_the_first_128_bits_of_the_digest_of_its_slug():
    identifier = fixed("tst", "a")
    assert identifier == "tst-7zk9tzny614s435sn4v4jfj6w8"
    assert FORM.fullmatch(identifier)
    assert bits(identifier) == int.from_bytes(hashlib.sha256(b"tst:a").digest()[:16], "big")
    assert fixed("tst", "a") == identifier
    assert len({identifier, fixed("tst", "b"), fixed("inc", "a"), fixed("tst", "")}) == 4


def test_new_ids_differ_and_use_all_128_bits(monkeypatch):
    made = [new("tst") for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(FORM.fullmatch(one) for one in made)
    for value, spelled in ((0, "0" * 26), (2**128 - 1, "7" + "z" * 25), (2**127 + 1, "4" + "0" * 24 + "1")):
        monkeypatch.setattr("app.core.ids.secrets.randbits", lambda count, value=value: value if count == 128 else None)
        assert new("tst") == f"tst-{spelled}"
        assert bits(new("tst")) == value


@pytest.mark.parametrize("identifier", ["tst-" + "0" * 26, "inc-7" + "z" * 25, fixed("per", "x")])
def test_what_is_opaque(identifier):
    assert is_opaque(identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "torture",
        "tst-" + "0" * 25,
        "tst-" + "0" * 27,
        "tst-8" + "0" * 25,  # more than 128 bits
        "tst-0" + "i" * 25,
        "tst-0" + "l" * 25,
        "tst-0" + "o" * 25,
        "tst-0" + "u" * 25,
        "tst-" + "0" * 25 + "A",
        "tst-" + "0" * 25 + "٣",
        "TST-" + "0" * 26,
        "test-" + "0" * 26,
        "tst_" + "0" * 26,
        "tst-" + "0" * 26 + "\n",
        " tst-" + "0" * 26,
    ],
)
def test_what_is_not_opaque(identifier):
    assert not is_opaque(identifier)


@pytest.mark.parametrize(
    ("identifier", "k"),
    [
        ("", 8203414616412130826),
        ("torture", 5276077334560058317),
        ("tst-7zk9tzny614s435sn4v4jfj6w8", 6148704973116384919),
    ],
)
def test_the_number_of_a_record_never_changes(identifier, k):
    assert k_of(identifier) == k


def test_the_number_of_a_record_has_63_bits():
    numbers = {k_of(str(number)) for number in range(2000)}
    assert len(numbers) == 2000
    assert min(numbers) >= 0
    assert 2**62 < max(numbers) < 2**63


def test_ids_of_two_kinds_with_the_same_random_part_have_different_numbers():
    part = "0" * 26
    assert len({k_of(f"{kind}-{part}") for kind in ("tst", "inc", "per", "act")}) == 4
