"""Names: one key for a Korean name in Hangul, and in the romanisations: Revised, McCune and Reischauer's, the North's.

The key is coarse on purpose: what the ways of writing tell apart (ㄱ as g or k, ㅓ as eo or ŏ or o) is one letter in
it. It is no way of writing anything, and nobody sees it.
"""

import re

SHORTEST = 4  # letters of a key by which a Latin word is looked for in other spellings: shorter ones meet by chance
LONGEST = 4  # syllables of a name

# Unicode 15, section 3.12: initial consonants, vowels and finals of a syllable, in their order.
_INITIAL = ("k", "k", "n", "t", "t", "r", "m", "p", "p", "s", "s", "", "c", "c", "c", "k", "t", "p", "h")
_VOWEL = "a e ya ye o e yo ye o wa we we yo u wo we wi yu u ui i".split()  # noqa: SIM905 - a row of a table
_FINAL = " k k k n n n t r k m r r r p r m p p t t q t t k t p t".split(" ")  # noqa: SIM905
_FIRST, _LAST = 0xAC00, 0xD7A3

# What Latin letters stand for, the longest first; of a letter that is not here no Korean name is made.
_LETTERS = {
    "yeo": "yo", "yae": "ye", "wae": "we", "weo": "wo", "tch": "c", "yo": "yo", "ya": "ya", "yu": "yu", "ye": "ye",
    "eo": "o", "eu": "u", "ae": "e", "oe": "we", "ui": "ui", "wa": "wa", "we": "we", "wi": "wi", "wo": "wo",
    "oi": "we", "oo": "u", "ee": "i", "ch": "c", "jj": "c", "kk": "k", "gg": "k", "ng": "q", "nk": "q", "sh": "s",
    "ss": "s", "th": "t", "kh": "k", "ph": "p", "tt": "t", "dd": "t", "pp": "p", "bb": "p", "ll": "r", "rr": "r",
    "mm": "m", "nn": "n", "a": "a", "e": "e",
    "i": "i", "o": "o", "u": "u", "j": "c", "k": "k", "g": "k", "s": "s", "t": "t", "d": "t", "p": "p", "b": "p",
    "l": "r", "r": "r", "m": "m", "n": "n", "h": "h",
}  # fmt: skip
_LETTER = re.compile("|".join(_LETTERS))
_SYLLABLES = re.compile(
    "[kntrmpsch]?(?:[aeiou]|[yw][aeiou]|ui)(?:[kntrmpschq]{0,2}(?:[aeiou]|[yw][aeiou]|ui))*[kntrmpq]?"
)
_DOUBLE = re.compile(r"([kntrmpscq])\1+")
_PARTICLES = re.compile("(?:에서|으로|에게|까지|부터|[은는이가을를에의로와과도만])$")


def of_latin(word: str) -> str | None:
    """Return the key of a folded Latin word; None where it cannot be a Korean name."""
    if not 2 <= len(word) <= 24:
        return None
    found: list[str] = []
    at = 0
    while at < len(word):
        match = _LETTER.match(word, at)
        if match is None:
            return None
        found.append(_LETTERS[match[0]])
        at = match.end()
    key = "".join(found)
    return joined(key) if _SYLLABLES.fullmatch(key) else None


def of_hangul(run: str) -> str | None:
    """Return the key of a run of Hangul syllables; None where it is something else, or too long for a name."""
    if not 2 <= len(run) <= LONGEST:
        return None
    found: list[str] = []
    for sign in run:
        if not _FIRST <= ord(sign) <= _LAST:
            return None
        number = ord(sign) - _FIRST
        found += (_INITIAL[number // 588], _VOWEL[number % 588 // 28], _FINAL[number % 28])
    return joined("".join(found))


def joined(key: str) -> str:
    """Return a key whose parts were put together: as if the name had been written in one."""
    return _DOUBLE.sub(r"\1", key.replace("nk", "q"))


def without_particle(run: str) -> str:
    """Return a Hangul word without the particle at its end, if it may have one."""
    bare = _PARTICLES.sub("", run)
    return bare if len(bare) > 1 else run
