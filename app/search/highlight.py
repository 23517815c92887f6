"""Highlights: where in a text the words of a query stand, by the terms that the index knows of it. Pure."""

from typing import NamedTuple

from app.core.engine import Phrase
from app.search import analyse
from app.search.query import Query

MOST = 200  # spans of one text

Span = tuple[int, int]  # first code point, and the one behind the last


class _Seen(NamedTuple):
    """The terms of a text in order, where each stands, and the same of the keys of names."""

    terms: list[str]
    spans: list[Span]
    single: list[bool]  # a term of signs: what begins like it is as long as the beginning
    named: dict[str, list[Span]]


def spans(text: str, query: Query) -> list[Span]:
    """Return where a query's words and phrases stand in a text, in order, those that overlap as one; at most `MOST`."""
    seen = _seen(text)
    places: dict[str, list[int]] = {}
    for at, term in enumerate(seen.terms):
        places.setdefault(term, []).append(at)
    found: set[Span] = set()
    for part in query.parts:
        for phrase in part.phrases:
            found.update(_of(phrase, seen, places))
    return _joined(sorted(found))[:MOST]


def _seen(text: str) -> _Seen:
    seen = _Seen([], [], [], {})
    for start, end, terms, cjk, keys in analyse.words(text):
        # Pairs stand where they are written, unless folding made the run another length: then all of it is shown.
        exact = cjk and end - start == len(analyse.folded(text[start:end]))
        for at, term in enumerate(terms):
            seen.terms.append(term)
            seen.spans.append((start + at, start + at + len(term)) if exact else (start, end))
            seen.single.append(exact)
        for begin, key in keys:
            seen.named.setdefault(key, []).append((begin, end))
    return seen


def _of(phrase: Phrase, seen: _Seen, places: dict[str, list[int]]) -> list[Span]:
    terms, begins = phrase
    if begins and len(terms) == 1:
        (head,) = terms
        return [
            (seen.spans[at][0], seen.spans[at][0] + len(head) if seen.single[at] else seen.spans[at][1])
            for term, some in places.items()
            if term.startswith(head)
            for at in some
        ]
    found = list(seen.named.get(terms[0], ())) if len(terms) == 1 else []
    n = len(terms)
    for at in places.get(terms[0], ()):
        if tuple(seen.terms[at : at + n]) == terms:
            found.append((seen.spans[at][0], seen.spans[at + n - 1][1]))
    return found


def _joined(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in spans:
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
