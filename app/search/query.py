"""What `q` asks: words (all of them), "phrases", prefix*, -exclusion; whatever else stands in it is text."""

import re
from typing import NamedTuple

from app.core.engine import Phrase, Wanted
from app.search import analyse, endings, names
from app.search.analyse import KEY

MOST_SIGNS = 1_000
MOST_PARTS = 32
MOST_TERMS = 200

_PART = re.compile(r'(?<!\S)(-?)(?:"([^"]*)"?|(\S+))')


class Unclear(ValueError):
    """There is nothing to look for in it, or too much; the message says which, and how to mend it."""


class Part(NamedTuple):
    """One part of a query: a record has it when it has any of its phrases."""

    phrases: tuple[Phrase, ...]
    text: str  # folded, as it is named in a suggestion
    plain: bool  # one word, of which there may be another spelling


class Query(NamedTuple):
    """A query: a record fits it when it has every part, and none of the excluded ones."""

    parts: tuple[Part, ...]
    without: tuple[Part, ...]
    text: str  # as it was asked, each run of spaces one

    @property
    def wanted(self) -> Wanted:
        """What a database is asked."""
        return Wanted(tuple(one.phrases for one in self.parts), tuple(one.phrases for one in self.without))


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        Unclear: it is too long, or there is no word in it that is looked for.
    """
    if len(text) > MOST_SIGNS:
        raise Unclear(f"It has {len(text)} characters; {MOST_SIGNS} are the most that are read.")
    parts: list[Part] = []
    without: list[Part] = []
    for minus, quoted, bare in _PART.findall(text):
        found = without if minus else parts
        found += _phrase(quoted) if quoted else _words(bare.removeprefix('"'))
    if not parts:
        raise Unclear(
            "It says only what to leave out. Add a word to look for."
            if without
            else "There is no word in it to look for: it needs a letter or a digit."
        )
    parts, without = list(dict.fromkeys(parts)), list(dict.fromkeys(without))
    if len(parts) + len(without) > MOST_PARTS:
        raise Unclear(f"It has {len(parts) + len(without)} words; {MOST_PARTS} are the most that are looked for.")
    n = sum(len(terms) for one in (*parts, *without) for terms, _ in one.phrases)
    if n > MOST_TERMS:
        raise Unclear(f"It is too long to look for: {n} terms, and {MOST_TERMS} are the most. Leave words out.")
    return Query(tuple(_with_names(parts)), tuple(without), " ".join(text.split()))


def _with_names(parts: list[Part]) -> list[Part]:
    """Return the parts, each with the names of two and three words that it may belong to: `Kim Jong-il`.

    A record that has the name in another spelling, or in one word, has every part of it then.
    """
    pieces = [names.of_latin(one.text) if one.plain else None for one in parts]
    whole: list[list[Phrase]] = [[] for _ in parts]
    for end in range(2, len(parts) + 1):
        for begin in (end - 2, end - 3)[: end - 1]:
            some = [piece for piece in pieces[begin:end] if piece is not None]
            key = names.joined("".join(some)) if len(some) == end - begin else ""
            if len(key) >= names.SHORTEST:
                for of_part in whole[begin:end]:
                    of_part.append(((KEY + key,), False))
    return [one._replace(phrases=(*one.phrases, *some)) for one, some in zip(parts, whole, strict=True)]


def _phrase(text: str) -> list[Part]:
    terms = tuple(term for token in analyse.tokens(text) for term in token.terms)
    return [Part(((terms, False),), text, plain=False)] if terms else []


def _words(text: str) -> list[Part]:
    """Return the parts of a piece between spaces: each word in it, the last one as a prefix if a `*` follows it."""
    found = list(analyse.tokens(text))
    parts: list[Part] = []
    for token in found:
        raw = text[token.start : token.end]
        last = token is found[-1] and text[token.end : token.end + 1] == "*"
        parts.append(_run(token.terms, raw, last) if token.cjk else _word(token.terms, raw, last))
    return parts


def _word(terms: tuple[str, ...], raw: str, prefix: bool) -> Part:
    word = analyse.folded(raw)
    phrases: list[Phrase] = [(terms, False)]
    if prefix:
        phrases += [((begin,), True) for begin in analyse.beginnings(word)]
        phrases += [((one,), False) for one in endings.shorter_stems(word) if one != terms[0]]
    key = names.joined(names.of_latin(word) or "") if not prefix else ""
    if len(key) >= names.SHORTEST:
        phrases.append(((KEY + key,), False))
    return Part(tuple(phrases), word, plain=not prefix)


def _run(terms: tuple[str, ...], raw: str, prefix: bool) -> Part:
    run = analyse.folded(raw)
    if len(run) == 1:  # in a longer run it is found as the beginning of a pair
        return Part(((terms, True),), run, plain=False)
    key = names.of_hangul(run)
    phrases: list[Phrase] = [(terms, False)]
    if key is not None and len(key) >= names.SHORTEST and not prefix:
        phrases += [((KEY + one,), False) for one in (key, *names.family_last(run))]
    return Part(tuple(phrases), run, plain=len(run) == 2)
