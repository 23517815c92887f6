"""The screen: what in a text may tell who or where somebody is, in Korean, Chinese and English; it only warns.

It knows patterns and no meaning. It misses what is written in words or in pieces, and it stops at some of what is
harmless: a person who knows the case decides. Nothing it finds is ever repeated, only what sort of thing it is.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date

CONTACT = "a telephone number"
RESIDENT = "a resident registration number"
MAIL = "an e-mail address"
COORDINATES = "coordinates"
NAME = "a name"

_DIGIT = re.compile("[0-9]")
_LONG = re.compile(r"[0-9][0-9 .\-()]{5,}[0-9Xx]")  # before the finer expressions, which cost more
_GAP = r"[ .\-()]{0,2}"
_PHONES = re.compile(
    rf"""(?<![\w.+/-])(?:
      (?:\+|00){_GAP}[1-9][0-9]{{0,2}}(?:{_GAP}[0-9]{{1,4}}){{2,5}}              # with the code of a country
    | \(?0(?:2|[3-6][1-5]|70|1[016-9])\)?{_GAP}[0-9]{{3,4}}{_GAP}[0-9]{{4}}      # Korean
    | 1[3-9][0-9]{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}                                # Chinese, mobile
    | \(?0[1-9][0-9]{{1,2}}\)?{_GAP}[0-9]{{7,8}}                                 # Chinese, on a line
    )(?![\w/-]|\.[0-9])""",
    re.VERBOSE | re.ASCII,
)
_KOREAN_RESIDENT = re.compile(r"(?<![0-9])([0-9]{2})([0-9]{2})([0-9]{2})[ -]{0,3}[1-8][0-9]{6}(?![0-9])", re.ASCII)
_CHINESE_RESIDENT = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})[0-9]{3}[0-9Xx](?![0-9A-Za-z])", re.ASCII
)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_DEGREES = r"-?[0-9]{1,3}\.[0-9]{3,}"
_COORDINATES = re.compile(
    rf"""(?<![\w.])(?:
      {_DEGREES}\s*°?\s*[NSEW]?\s*[,;/ ]\s*{_DEGREES}\s*°?\s*[NSEW]?             # 39.6712, 126.8534
    | [0-9]{{1,3}}\s*°\s*[0-9]{{1,2}}(?:\.[0-9]+)?\s*['′’]                       # 39° 40'
    | [0-9]{{1,3}}(?:\.[0-9]+)?\s*°\s*[NSEW]\b                                   # 39.7° N
    | (?:북위|동경|北纬|东经|北緯|東經)\s*[0-9]{{1,3}}                           # degrees in words
    | 5[0-4]\s*[ST]\s*[A-Z]{{2}}\s*[0-9]{{2,5}}\s*[0-9]{{2,5}}\b                 # a military grid reference
    )""",
    re.VERBOSE,
)
_WORDS = re.compile(r"\w+")
_SCRIPT = re.compile("[\uac00-\ud7a3\u4e00-\u9fff]")  # Hangul syllables and Chinese characters: no spaces between words
_LEAST_LATIN, _LEAST_SCRIPT = 4, 2  # characters of a name that is looked for: what is shorter is everywhere


def contacts(text: str) -> Iterator[str]:
    """Yield each sort of thing in a text by which a person can be reached or looked up, whoever may be named."""
    plain = _in_one_spelling(text)
    if "@" in plain and _MAIL.search(plain):
        yield MAIL
    if not _LONG.search(plain):
        return
    if any(_is_day(*found.groups()) for found in _KOREAN_RESIDENT.finditer(plain)) or any(
        _is_day(*found.groups()) for found in _CHINESE_RESIDENT.finditer(plain)
    ):
        yield RESIDENT
    if _PHONES.search(plain):
        yield CONTACT


def _is_day(year: str, month: str, day: str) -> bool:
    """Tell whether digits are a day of birth; a year of two digits is of either century."""
    for century in ("19", "20") if len(year) == 2 else ("",):
        try:
            date.fromisoformat(f"{century}{year}-{month}-{day}")
        except ValueError:
            continue
        return True
    return False


def coordinates(text: str) -> Iterator[str]:
    """Yield `COORDINATES` where a text states some."""
    plain = _in_one_spelling(text.replace("º", "°"))
    if _DIGIT.search(plain) and _COORDINATES.search(plain):
        yield COORDINATES


class Names:
    """Names to look for: however they are spaced, hyphenated or capitalised, the family name first or last."""

    def __init__(self, names: Iterable[str]) -> None:
        """Keep what of these is long enough to be looked for."""
        self._names: set[str] = set()
        for name in names:
            words = _words(name)
            joined = "".join(words)
            if len(joined) >= (_LEAST_SCRIPT if _SCRIPT.search(joined) else _LEAST_LATIN):
                self._names.update((joined, "".join(words[1:] + words[:1]), "".join(words[-1:] + words[:-1])))

    def within(self, text: str) -> bool:
        """Tell whether one of the names stands in a text."""
        if not self._names:
            return False
        words = _words(text)
        joined = "".join(words)
        starts, ends, at = set(), set(), 0
        for word in words:
            starts.add(at)
            at += len(word)
            ends.add(at)
        for name in self._names:
            whole = not _SCRIPT.search(name)  # particles follow a Korean name with no space: 김철수는
            found = joined.find(name)
            while found >= 0:
                if not whole or (found in starts and found + len(name) in ends):
                    return True
                found = joined.find(name, found + 1)
        return False


def _words(text: str) -> list[str]:
    """Return the words of a text in one spelling, for comparison alone."""
    return _WORDS.findall(_in_one_spelling(text).casefold())


def _in_one_spelling(text: str) -> str:
    """Return a text with figures and letters of full width, and composed syllables, as they are usually written."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)
