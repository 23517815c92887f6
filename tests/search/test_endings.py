"""Beginnings of words: whatever one has typed of a word of the built-in record so far finds it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.records import KINDS
from app.search.analyse import stem
from app.search.endings import shorter_stems
from tests.data.record import records


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


WORDS = {
    word.lower()
    for kind in KINDS
    for record in records(kind.name)
    for text in texts(record)
    for word in re.findall("[A-Za-z]{3,}", text)
}


def finds(begin: str, word: str) -> bool:
    return stem(word).startswith(begin) or stem(word) in (stem(begin), *shorter_stems(begin))


def test_every_beginning_of_a_word_finds_it():
    """Those that do not are cut to three letters, or lose more than the endings that are known."""
    known = "bann barr gagg gunn institutional lawf lett mapp putt robb runn sett sitt tapp unlawf vett wedd"
    lost = {word[:n] for word in WORDS for n in range(3, len(word) + 1) if not finds(word[:n], word)}
    assert len(WORDS) > 4000
    assert " ".join(sorted(lost)) == known


@pytest.mark.parametrize(
    ("begin", "stems"),
    [
        ("executi", {"execut"}),
        ("surveilla", {"surveil"}),
        ("kidnapp", {"kidnap"}),
        ("witn", {"wit"}),
        ("execut", set()),  # the stem itself
        ("warn", set()),  # no cut "warness"
        ("camp", set()),
        ("ex", set()),
        ("\u00e9xecuti", set()),
        ("2003", set()),
        ("\uc694\ub355", set()),
    ],
)
def test_shorter_stems(begin, stems):
    assert set(shorter_stems(begin)) - {f"{begin}i"} == stems


def test_few_stems_are_looked_for_besides():
    begun = {word[:n] for word in WORDS for n in range(3, len(word) + 1)}
    assert max(len(shorter_stems(one)) for one in begun) <= 3
