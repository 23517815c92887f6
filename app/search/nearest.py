"""Nearest: words that are written much like another one, of those that are there. Pure.

Hangul is compared by the letters that a syllable is made of. The distance counts letters that are put in, left out,
changed, or swapped with the next one (optimal string alignment, by rapidfuzz).
"""

import unicodedata
from collections.abc import Iterable, Mapping

from rapidfuzz import process
from rapidfuzz.distance import OSA

_FIRST, _LAST, _BLOCK = 0xAC00, 0xD7A3, 588  # syllables; so many begin with the same consonant
SHORT = 5  # letters or syllables: a shorter word may differ in one letter, others in two


def between(word: str) -> tuple[str, str]:
    """Return the least and the least greater text between which words lie that may be nearest: they begin alike.

    The first letter, of Hangul the first consonant, is taken as right.
    """
    first = ord(word[0])
    if _FIRST <= first <= _LAST:
        begin = first - (first - _FIRST) % _BLOCK
        return chr(begin), chr(begin + _BLOCK)
    return word[0], chr(first + 1)


def most(word: str) -> int:
    """Return by how many letters a word may differ from this one, spelt out, to be near it."""
    return 1 if len(word) < SHORT else 2


def spelt(word: str) -> str:
    """Return a word with its syllables as letters."""
    return unicodedata.normalize("NFD", word)


def nearest(word: str, counts: Mapping[str, int], limit: int) -> list[str]:
    """Return the words that are nearest to one, equals by how many records have them, then by name."""
    known = {one: spelt(one) for one in counts if one != word}
    near = process.extract(spelt(word), known, scorer=OSA.distance, score_cutoff=most(word), limit=None)
    return [one for _, _, one in sorted((distance, -counts[one], one) for _, distance, one in near)[:limit]]


def sorted_by(word: str, others: Iterable[str]) -> list[str]:
    """Return words, those that are nearest to one first; equals stay as they are."""
    whole = spelt(word)
    return sorted(others, key=lambda one: OSA.distance(whole, spelt(one)))
