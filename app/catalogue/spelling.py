"""Spelling: for words of `q` that are nowhere in a view, the nearest ones that are, as its records write them."""

from typing import Any

import orjson

from app.catalogue.query import Queries, rounded
from app.core.db import Snapshot
from app.core.engine import Wanted
from app.search import analyse, nearest
from app.search.document import fields_of
from app.search.query import Part, Query

MOST_WORDS = 4  # of one question, for which others are looked for
NEAR = 3  # that are told for each


async def suggestions(snapshot: Snapshot, queries: Queries, view: int, query: Query) -> list[dict[str, Any]]:
    """Return what may have been meant by a question that finds nothing: nothing but words of the view's own records.

    Returns:
        For each word that is nowhere: `word`, and `nearest`, the nearest first; words without any are left out.
    """
    words = [part for part in query.parts if part.plain or _is_run(part)]
    terms = sorted({term for part in words for term in part.phrases[0][0]})
    if not terms:
        return []
    some = rounded(terms)
    bound = {"view": view, **{f"w{i}": term for i, term in enumerate(some)}}
    having = {word for word, n in await snapshot.all(queries.having(len(some)), bound) if n}
    lacking = [(part, term) for part in words for term in part.phrases[0][0] if term not in having]
    found: dict[str, dict[str, None]] = {}
    for part, term in lacking:
        if len(found) == MOST_WORDS and part.text not in found:
            continue
        told = found.setdefault(part.text, {})
        told.update(dict.fromkeys(await _near(snapshot, queries, view, part, term)))
    return [{"word": word, "nearest": nearest.sorted_by(word, near)[:NEAR]} for word, near in found.items() if near]


def _is_run(part: Part) -> bool:
    """Tell whether a part is one run of signs, and no phrase of several words."""
    terms, begins = part.phrases[0]
    return not begins and terms == analyse.pairs(part.text)


async def _near(snapshot: Snapshot, queries: Queries, view: int, part: Part, term: str) -> list[str]:
    """Return the nearest words for a part with a term that is nowhere, as a record of the view writes each."""
    low, top = nearest.between(term)
    rows = await snapshot.all(queries.words_between, {"view": view, "low": low, "top": top})
    found: list[str] = []
    for near in nearest.nearest(term, dict(rows), NEAR):
        wanted = queries.wanted(Wanted(((((near,), False),),)))
        row = await snapshot.one(queries.first_with(view), {"view": view, "wanted": wanted})
        if row is not None:
            found.append(_written(row[0], orjson.loads(row[1]), near, part, term))
    return found


def _written(kind: str, record: dict[str, Any], near: str, part: Part, term: str) -> str:
    """Return the word of a record that has a term, the nearest to the one that was asked for."""
    written: set[str] = set()
    for field in fields_of(kind, record):
        for token in analyse.tokens(field.text):
            if near in token.terms:
                word = analyse.folded(field.text[token.start : token.end])
                written.add(_cut(word, token.terms.index(near), part.text, term) if token.cjk else word)
    return next(iter(nearest.sorted_by(part.text, sorted(written))), near)


def _cut(run: str, at: int, asked: str, term: str) -> str:
    """Return so much of a run of signs as was asked for, the pair at its place in both."""
    begin = max(0, at - max(0, asked.find(term)))
    return run[begin : begin + len(asked)]
