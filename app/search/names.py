"""Names: one key for a Korean name in Hangul, and in the romanisations: Revised, McCune and Reischauer's, the North's.

And in those by ear that stand in passports and in most reports: `Shin Dong-hyuk`, `Park`, `Young`, `Lee`. The key is
coarse on purpose: what the ways of writing tell apart (ㄱ as g or k, ㅓ as eo or ŏ or o) is one letter in it. It is no
way of writing anything, and nobody sees it.
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
    "park": "pak", "you": "yo", "yoo": "yu", "woo": "u",
    "yeo": "yo", "yae": "ye", "wae": "we", "weo": "wo", "tch": "c", "yo": "yo", "ya": "ya", "yu": "yu", "ye": "ye",
    "eo": "o", "eu": "u", "ae": "e", "oe": "we", "ui": "ui", "wa": "wa", "we": "we", "wi": "wi", "wo": "wo",
    "yi": "i", "rh": "r", "oi": "we", "oo": "u", "ee": "i", "ch": "c", "jj": "c", "kk": "k", "gg": "k", "ng": "q",
    "nk": "q", "sh": "s", "ss": "s", "th": "t", "kh": "k", "ph": "p", "tt": "t", "dd": "t", "pp": "p", "bb": "p",
    "ll": "r", "rr": "r", "mm": "m", "nn": "n", "a": "a", "e": "e",
    "i": "i", "o": "o", "u": "u", "j": "c", "k": "k", "g": "k", "s": "s", "t": "t", "d": "t", "p": "p", "b": "p",
    "l": "r", "r": "r", "m": "m", "n": "n", "h": "h", "v": "p",
}  # fmt: skip
_LETTER = re.compile("|".join(_LETTERS))
_SYLLABLES = re.compile(
    "[kntrmpsch]?(?:[aeiou]|[yw][aeiou]|ui)(?:[kntrmpschq]{0,2}(?:[aeiou]|[yw][aeiou]|ui))*[kntrmpq]?"
)
_DOUBLE = re.compile(r"([kntrmpscq])\1+")
_MUTE = re.compile(r"(?<=[aeiou])h(?![aeiouyw])")  # Ahn, Oh, Roh
# What is written by ear with the u of English `but` (ㅓ, ㅕ): Jung, Sung, Chul, Kyung, Hyuk, Hyun.
_BY_EAR = re.compile("(?<=[cs])u(?=q)|(?<=c)u(?=r)|(?<=y)u(?=q)|(?<=hy)u")
_NORTHERN = re.compile("^r(?=[iy])")  # 리 and 이, 량 and 양: at the beginning of a name
_PARTICLES = re.compile("(?:에서|으로|에게|까지|부터|[은는이가을를에의로와과도만])$")


def of_latin(word: str) -> str | None:
    """Return the sounds of a folded Latin word, for `joined`; None where it cannot be of a Korean name."""
    if not 2 <= len(word) <= 24:
        return None
    word = _MUTE.sub("", word)
    found: list[str] = []
    at = 0
    while at < len(word):
        match = _LETTER.match(word, at)
        if match is None:
            return None
        found.append(_LETTERS[match[0]])
        at = match.end()
    key = "".join(found)
    return _DOUBLE.sub(r"\1", key) if _SYLLABLES.fullmatch(key) else None


def of_hangul(run: str) -> str | None:
    """Return the key of a run of Hangul syllables; None where it is something else, or too long for a name."""
    if not 2 <= len(run) <= LONGEST or (found := _sounds(run)) is None:
        return None
    return joined("".join(found))


def family_last(run: str) -> tuple[str, ...]:
    """Return the keys of a name of three Hangul syllables as many a report has it: `Hyeon Soo Lim` for 임현수."""
    found = _sounds(run) if len(run) == 3 else None
    if found is None:
        return ()
    family, *given = found
    written = {"i": "r" + family, "y": "r" + family, "n": "r" + family[1:]}.get(family[0])  # Lee, Ryu, Roh
    return tuple(joined("".join((*given, one))) for one in (family, written) if one is not None)


def _sounds(run: str) -> list[str] | None:
    """Return the sounds of each syllable; None where a sign is no Hangul."""
    if not all(_FIRST <= ord(sign) <= _LAST for sign in run):
        return None
    numbers = [ord(sign) - _FIRST for sign in run]
    return [_INITIAL[one // 588] + _VOWEL[one % 588 // 28] + _FINAL[one % 28] for one in numbers]


def joined(sounds: str) -> str:
    """Return the key of a name from the sounds of all its parts: as if it had been written in one."""
    key = _BY_EAR.sub("o", _DOUBLE.sub(r"\1", sounds.replace("nk", "q")))
    key = _NORTHERN.sub("", key)
    return "n" + key[1:] if key[:1] == "r" else key


def without_particle(run: str) -> str:
    """Return a Hangul word without the particle at its end, if it may have one."""
    bare = _PARTICLES.sub("", run)
    return bare if len(bare) > 1 else run
