"""The analyser: text -> terms. What is written to the index, and what is asked, goes through here alone.

Latin and other words are folded (NFKC, case, diacritics) and stemmed as English; Hangul, hanja and kana are taken in
overlapping pairs, as Lucene's CJKAnalyzer does, and a sign that stands alone as it is. A change of any of this, or of
the stemmer, makes the index wrong until the catalogue is made anew (`evidence rebuild`).
"""

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import Stemmer

from app.search import names

KEY = "zq"  # begins the term of a name's key, and alone stands between fields, so that no phrase goes across
MOST_LETTERS = 64  # of a term: a longer word is cut
_NOT_Q = "0123456789abcdefghijklmnoprstuvwxyzæðøþđħıłœ"  # what follows a Z in a word that begins no term of ours
_LONG = 40  # signs of a word or name: what is longer is not kept in memory

_CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U000323af"
)
_SILENT = (
    "\u00ad\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
)
_APOSTROPHES = "'\u2018\u2019\u02bb\u02bc\uff07"
_TOKEN = re.compile(
    rf"[{_CJK}][{_CJK}{_SILENT}]*"
    rf"|[^\W_{_CJK}](?:[^\W_{_CJK}]|[{_SILENT}]|[{_APOSTROPHES}](?=[^\W_{_CJK}]))*"
)
_IS_CJK = re.compile(f"[{_CJK}]")
_POSSESSIVE = re.compile(f"[{_APOSTROPHES}]s$", re.IGNORECASE)
_ENGLISH = re.compile("[a-z]{3,}")
_local = threading.local()  # a stemmer is for one thread


class Token(NamedTuple):
    """One word of a text, or one run of signs: where it stands, and its terms in order."""

    start: int
    end: int
    terms: tuple[str, ...]
    cjk: bool


Key = tuple[int, str]  # where a name begins that ends with the word, and its term


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text, in order; offsets are in code points."""
    for match in _TOKEN.finditer(text):
        raw = match[0]
        cjk = _IS_CJK.match(raw) is not None
        terms = pairs(folded(raw)) if cjk else _stems(raw)
        if terms:
            yield Token(match.start(), match.end(), terms, cjk)


def terms(text: str) -> tuple[list[str], list[str]]:
    """Return the terms of a text in order, and those of the names that may be in it.

    They are those of its `words`. Most of what stands between two spaces was met before, and is part of no name.
    """
    found: list[str] = []
    keys: list[str] = []
    name: list[str] = []
    pieces = text.split(" ")
    read = _of_piece if max(map(len, pieces)) <= _LONG else _read
    for piece, (some, named, in_name) in zip(pieces, map(read, pieces), strict=True):
        if in_name:
            name.append(piece)
            continue
        if name:
            _take(" ".join(name), found, keys)
            name = []
        found += some
        if named:
            keys += named
    if name:
        _take(" ".join(name), found, keys)
    return found, keys


def _take(name: str, found: list[str], keys: list[str]) -> None:
    """Add the terms and keys of a name, or of several that touch."""
    some, named = _of_name(name) if len(name) <= _LONG else _named(name)
    found += some
    keys += named


def _read(piece: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return the terms and keys of what stands between two spaces, and whether what is beside it matters to them."""
    found: list[str] = []
    keys: list[str] = []
    in_name = False
    for raw in _TOKEN.findall(piece):
        some, named, cjk = _analysed(raw)
        found += some
        if cjk:
            keys += named
        elif named and raw[0].isupper():
            in_name = True
    return tuple(found), tuple(keys), in_name


def _named(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found: list[str] = []
    keys: list[str] = []
    for _, _, some, _, named in words(name):
        found += some
        keys += [key for _, key in named]
    return tuple(found), tuple(keys)


_of_piece, _of_name = lru_cache(32_768)(_read), lru_cache(8_192)(_named)


def words(text: str) -> Iterator[tuple[int, int, tuple[str, ...], bool, list[Key]]]:
    """Yield the words of a text, in order, with the keys of the names that end with each: see `Token`."""
    before: list[tuple[int, str]] = []  # parts of a name that ends where the last word ended: start, key
    end = 0
    for match in _TOKEN.finditer(text):
        raw, start = match[0], match.start()
        some, key, cjk = _analysed(raw)
        if cjk or not key:
            before = []
            yield start, match.end(), some, cjk, [(start, one) for one in key]
            continue
        gap = text[end:start] if before else ""
        end = match.end()
        hyphen = gap in ("-", "\u2010", "\u2011")
        if not (raw[0].isupper() or hyphen):
            before = []
            yield start, end, some, cjk, []
            continue
        before = [*before[-2:], (start, key[0])] if gap == " " or hyphen else [(start, key[0])]
        whole = ((before[at][0], names.joined("".join([one for _, one in before[at:]]))) for at in range(len(before)))
        yield start, end, some, cjk, [(at, KEY + one) for at, one in whole if len(one) >= names.SHORTEST]


def _analysed(raw: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Return the terms of a word or run, the keys that it has, and whether it is a run."""
    return _known(raw) if len(raw) <= _LONG else _analyse(raw)


def _analyse(raw: str) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    if _IS_CJK.match(raw):
        run = folded(raw)
        return pairs(run), _keys_of_run(run), True
    key = names.of_latin(folded(raw))
    return _stems(raw), (key,) if key is not None else (), False


_known = lru_cache(8_192)(_analyse)


def _keys_of_run(run: str) -> tuple[str, ...]:
    found = dict.fromkeys(names.of_hangul(one) for one in (run, names.without_particle(run)))
    return tuple(KEY + key for key in found if key and len(key) >= names.SHORTEST)


def folded(raw: str) -> str:
    """Return a word folded: NFKC, case, diacritics; nothing but letters and numbers is left."""
    return _known_folded(raw) if len(raw) <= _LONG else _fold(raw)


def _fold(raw: str) -> str:
    raw = _POSSESSIVE.sub("", raw)
    if raw.isascii():
        text = raw.lower()
    else:
        apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", raw).casefold())
        # Within kana a mark is half of a letter, and is kept.
        kept = "".join(sign for sign in apart if not unicodedata.combining(sign) or sign in "\u3099\u309a")
        text = unicodedata.normalize("NFKC", kept).casefold()
    return text if text.isalnum() else "".join(sign for sign in text if sign.isalnum())


_known_folded = lru_cache(4_096)(_fold)


def _stems(raw: str) -> tuple[str, ...]:
    word = folded(raw)
    return (_apart(stem(word))[:MOST_LETTERS],) if word else ()


def beginnings(word: str) -> tuple[str, ...]:
    """Return what the terms of words begin with that begin like a folded word: never like one of ours (`KEY`)."""
    if word == KEY[0]:
        return tuple(KEY[0] + sign for sign in _NOT_Q)
    return (_apart(word)[:MOST_LETTERS],)


def _apart(word: str) -> str:
    """Return a word such that it is no term of ours, nor begins like one."""
    return KEY[0] + word if word.startswith(KEY) else word


def stem(word: str) -> str:
    """Return the stem of a folded word, as English (the algorithm Porter2 of Snowball)."""
    if _ENGLISH.fullmatch(word) is None:
        return word
    try:
        stemmer = _local.stemmer
    except AttributeError:
        stemmer = _local.stemmer = Stemmer.Stemmer("english", 0)
    found: str = stemmer.stemWord(word)
    return found


def pairs(run: str) -> tuple[str, ...]:
    """Return the overlapping pairs of a run of signs; a single one is a term of its own."""
    return (run,) if len(run) == 1 else tuple([run[at : at + 2] for at in range(len(run) - 1)])
