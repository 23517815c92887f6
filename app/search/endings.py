"""What a beginning of an English word may have been cut to: `executi*` is to find executions, whose stem is `execut`.

The index has stems. Words that begin with `execut` are found by the stems that begin so; those that begin with
`executi` are cut to less than that. So a beginning is gone on with by the endings that the stemmer takes off (Porter2
of Snowball), and the stems of what comes out are looked for too. Pure, and nothing of any record is used.
"""

import re
from collections.abc import Mapping

from app.search.analyse import stem

_ENDINGS = (
    "s es ed ing ings ingly edly er ers or ors y ies ied ily ty ties ly al als ally ic ics ical ically ion ions "
    "ional ation ations ational ator ators ate ates ated ating ant ants ent ents ance ances ancy ence ences ative "
    "atives atively ency able ably ability ible ibly ibility ment ments ous ously ousness ive ives ively iveness "
    "ivity ity ities ism isms ist ists ize izes ized izing izer izers ization izations ise ises ised ising iser "
    "isers isation isations"
)
_DISTINCT = "ness nesses less lessly ful fully fulness"  # known by two letters of them: `warn` is no cut `warness`
_WHOLE = ("witness", "business", "being", "dying", "going", "lying", "using")  # what is left of them is very short
_TWICE = re.compile("[a-z]*([bdfgklmnprtz])\\1")
_LEAST = 3  # letters before an ending
_LONGEST = 12  # letters of an ending


def _by_beginning() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for endings, least in ((_ENDINGS, 1), (_DISTINCT, 2)):
        for ending in endings.split():
            for size in range(least, len(ending) + 1):
                found.setdefault(ending[:size], []).append(ending)
    return {begin: tuple(some) for begin, some in found.items()}


_GONE_ON_WITH = _by_beginning()


def shorter_stems(begin: str) -> tuple[str, ...]:
    """Return the stems, none of which begins so, that words have which begin like a folded word."""
    if len(begin) < _LEAST or not (begin.isascii() and begin.isalpha()):
        return ()
    found = {stem(word) for word in _WHOLE if word.startswith(begin)}
    for cut in range(max(_LEAST, len(begin) - _LONGEST), len(begin)):
        found.update(stem(begin[:cut] + ending) for ending in _GONE_ON_WITH.get(begin[cut:], ()))
    if _TWICE.fullmatch(begin):  # kidnapp-ing
        found.update(one for one in (stem(f"{begin}ing"),) if len(one) > _LEAST)
    return tuple(sorted(one for one in found if not one.startswith(begin)))
