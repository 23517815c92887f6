"""Likeness: what of a record, as one view is shown it, is compared with others; pure.

A record is compared with those alone with which it shares a key, a part of what it says that few others say.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from app.disclosure import coarsen
from app.search import analyse, names
from app.vocabulary.edtf import UNDATED

MOST_WORDS = 60  # of a title and a summary
MOST_KEYS = 40  # of a record
YEAR = 366  # days
_BETWEEN = re.compile(r"[\s,.·‧‐‑-]+")
_ALONE = frozenset("aeiou")  # a syllable of one letter
_VOWELS = re.compile("[aeiouyw]")
_NO_LANGUAGE = ("original", "translated_by")


class Seen(NamedTuple):
    """A record as a view has it: the row's columns, and the body opened.

    Attributes:
        left: the bounds of when a person left, in days; those of `UNDATED` where nobody says.
        open: whoever holds it, it may be compared with what others hold (`disclosure.linkage`).
    """

    id: str
    owner: str
    updated: int
    etag: str
    dates: tuple[int, int, int, int]
    left: tuple[int, int]
    open: bool
    body: Mapping[str, Any]


# Of a place, those that it lies in, as the view has them, no country among them; None: it is a country, which says
# nothing, for nearly all that is on record happened there.
Above = Callable[[str], Sequence[str] | None]


def of_person(seen: Seen, above: Above) -> dict[str, Any]:
    """Return what is compared of a person; None or empty: nobody says."""
    body = seen.body
    whole = _names(body["name"])
    home = body["home_province"]
    left = _days(seen.left)
    cited, sources = _cited(body["citations"])
    bones = _distinct(one for one in map(_bones, whole) if len(one) >= names.SHORTEST)
    keys = [*(f"name {one}" for one in whole), *(f"bones {one}" for one in bones), *(f"cited {one}" for one in cited)]
    if left[0] is not None and left[1] - left[0] <= YEAR and home:
        keys.append(f"left {home} {left[0] // 365} {body['sex']}")
    return {
        "names": whole,
        "bones": bones,
        "sex": None if body["sex"] == "unknown" else body["sex"],
        "age": body["age_band"],
        **_placed([home] if home else [], above),
        "s0": left[0],
        "e1": left[1],
        "cited": cited,
        "sources": sources,
        "keys": keys[:MOST_KEYS],
    }


def of_incident(seen: Seen, above: Above) -> dict[str, Any]:
    """Return what is compared of an incident; None or empty: nobody says."""
    body = seen.body
    acts = body["acts"]
    placed = _placed(_distinct([*body["places"], *(one for act in acts for one in act["places"])]), above)
    violations = _distinct([*body["violations"], *(act["violation"] for act in acts)])
    first, last = _days((seen.dates[0], seen.dates[3]))
    cited, sources = _cited(body["citations"])
    when = body["date"]["edtf"] if body["date"] else None
    made = coarsen.title("Incident", body["violations"], body["places"], when)
    titled = _words([None if body["title"] == made else body["title"]])
    people = _distinct(one for act in acts for one in act["people"])
    keys = [f"told {one}" for one in body["testimonies"]] + [f"cited {one}" for one in cited]
    keys += [f"victim {one}" for one in people]
    if first is not None and last - first <= YEAR:
        years = {first // 365, last // 365}
        keys += [
            f"act {place} {what} {year}" for place in placed["places"] for what in violations for year in sorted(years)
        ]
        keys += [f"days {first} {last} {what}" for what in violations]
    keys += [f"word {one}" for one in titled]
    victims = body["victims"] or {}
    return {
        "scope": body["scope"],
        **placed,
        "s0": first,
        "e1": last,
        "violations": violations,
        "actors": _distinct([*body["actors"], *(one for act in acts for one in act["actors"])]),
        "people": people,
        "told": list(body["testimonies"]),
        "cited": cited,
        "sources": sources,
        "words": _distinct([*titled, *_words([body["summary"]])])[:MOST_WORDS],
        "victims": next((victims[name] for name in ("best", "low", "high") if victims.get(name) is not None), None),
        "keys": keys[:MOST_KEYS],
    }


OF = {"person": of_person, "incident": of_incident}


def key_of(name: str) -> list[str]:
    """Return the keys of a whole name, in any script and romanisation, family name first or last.

    A Korean name has the key of `search.names`; any other is its letters, folded, in one order.
    """
    words = [
        one for one in (analyse.folded(part) for part in _BETWEEN.split(unicodedata.normalize("NFKC", name))) if one
    ]
    if not words:
        return []
    letters = "~" + " ".join(sorted(words))
    if (whole := names.of_hangul("".join(words))) is not None:  # with a space in it or not
        parts = [whole]
    else:
        parts = [key for one in words if (key := _syllables(one)) is not None]
        if len(parts) < len(words) or len(words) > names.LONGEST:
            return [letters]
    orders = [parts] if len(parts) == 1 else [parts, [parts[-1], *parts[:-1]], [*parts[1:], parts[0]]]
    made = _distinct(names.joined("".join(one)) for one in orders)
    return [one for one in made if len(one) >= names.SHORTEST] or [letters]


def _syllables(word: str) -> str | None:
    return word if word in _ALONE else names.of_hangul(word) or names.of_latin(word)


def _names(text: Mapping[str, str] | None) -> list[str]:
    if text is None:
        return []
    return _distinct(key for name, value in text.items() if name not in _NO_LANGUAGE for key in key_of(value))


def _placed(named: Iterable[str], above: Above) -> dict[str, list[str]]:
    lines = {place: line for place in named if (line := above(place)) is not None}
    return {"places": [*lines], "above": sorted({up for line in lines.values() for up in line})}


def _bones(key: str) -> str:
    """Return a name's key without its vowels: what other spellings and misspellings of it share."""
    return "" if key.startswith("~") else _VOWELS.sub("", key)


def _words(texts: Iterable[Mapping[str, str] | None]) -> list[str]:
    found: list[str] = []
    for text in texts:
        for name, value in (text or {}).items():
            if name not in _NO_LANGUAGE:
                terms, keys = analyse.terms(value[:2_000])
                found += [one for one in terms if len(one) > 2 or not one.isascii()] + keys
    return _distinct(found)[:MOST_WORDS]


def _cited(citations: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the very places in documents that are cited, and the sources."""
    places: list[str] = []
    sources: list[str] = []
    for one in citations:
        if one["paragraph"]:
            places.append(f"{one['source'] or one['symbol']} {one['paragraph']}".casefold())
        if one["source"]:
            sources.append(one["source"])
    return _distinct(places), _distinct(sources)


def _days(bounds: tuple[int, int]) -> tuple[int | None, Any]:
    return (None, None) if bounds[0] == UNDATED else bounds


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
