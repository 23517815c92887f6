"""Scores: BM25 over the terms of a text, from the counts of one view alone. The same numbers whatever the engine.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), formula 3.15, with idf as Lucene
has it, ln(1 + (N - n + 0.5) / (n + 0.5)), so that it is never negative. A term in a heading counts twice.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.core.engine import Phrase
from app.search.document import HEAD
from app.search.query import Query

K1 = 1.2
B = 0.75
UNIT = 1_000_000  # a score is a whole number of these parts of one
_HEAD = f" {HEAD} "


class Known(NamedTuple):
    """What a view's words are: how many records it has, how many terms, and how many records have a term."""

    records: int
    terms: int
    having: Mapping[str, int]


def terms_of(query: Query) -> set[str]:
    """Return the terms whose counts are needed."""
    return {term for part in query.parts for terms, _ in part.phrases for term in terms}


def scorer(query: Query, known: Known) -> Callable[[str], int]:
    """Return the function from the terms of a text to its score."""
    mean = known.terms / known.records if known.records else 1.0
    parts: list[tuple[float, list[str]]] = []
    for part in query.parts:
        # How many records have a phrase is not counted: at most as many as have its rarest term.
        n = max(min(known.having.get(term, 0) for term in terms) for terms, _ in part.phrases)
        n = min(n, known.records)
        idf = math.log(1 + (known.records - n + 0.5) / (n + 0.5))
        parts.append((idf, list(map(_looked_for, part.phrases))))

    short, each = K1 * (1 - B), K1 * B / mean  # of the norm: what it is of an empty text, and what a term adds

    def score(text: str) -> int:
        padded = f" {text} "
        headed = padded.find(_HEAD) + 1  # with the space that ends the last term of the headings
        norm = short + each * (padded.count(" ") - 1)
        total = 0.0
        for idf, phrases in parts:
            times = 0
            for one in phrases:
                if n := padded.count(one):
                    times += n + padded.count(one, 0, headed)
            total += idf * times * (K1 + 1) / (times + norm)
        return round(total * UNIT)

    return score


def _looked_for(phrase: Phrase) -> str:
    terms, begins = phrase
    return " " + " ".join(terms) + ("" if begins else " ")
