"""The invented records: any stretch of them, the same on every machine, made of words that mean nothing.

Nothing in them is real but the outline of the country: owner `benchmark`, ids `bench-…`, nonsense for titles, names and
summaries. They cannot be mistaken for the record.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from random import Random
from typing import NamedTuple
from zlib import crc32

from app.core.ids import fixed

SEED = 20111217
OWNER = "benchmark"
BLOCK = 1_000  # incidents that share one seed, so that any stretch can be made without those before it
COUNTRY = "bench-country"
FIRST, LAST = date(1990, 1, 1).toordinal(), date(2025, 12, 31).toordinal()

# Where invented facilities are scattered: longitude and latitude of a middle, and a weight.
PROVINCES = (
    (125.75, 39.03, 9),
    (129.70, 41.80, 20),
    (127.50, 40.00, 12),
    (124.90, 39.90, 11),
    (126.00, 39.30, 10),
    (126.60, 40.90, 6),
    (128.00, 41.30, 10),
    (126.20, 38.50, 5),
    (125.50, 38.10, 6),
    (127.30, 38.90, 5),
    (126.55, 37.97, 3),
    (125.40, 38.74, 3),
)
MAIN, FURTHER, FACILITIES, SOURCES = 24, 24, 3_000, 4_000
VERIFICATION = ("as-reported", "partly-corroborated", "corroborated", "contradicted")
_VERIFICATION_WEIGHTS = (50, 70, 92, 100)
_SYLLABLES = [
    "ba",
    "ko",
    "ri",
    "ten",
    "mal",
    "so",
    "du",
    "ver",
    "pan",
    "lin",
    "gra",
    "tor",
    "es",
    "um",
    "chi",
    "dol",
    "fen",
    "har",
    "jin",
    "kel",
]
# Words that are looked for: each stands in one record of so many, whatever else is in it.
FREQUENT, IN_FIVE_PERCENT, KOREAN, RARE = "밪쿵", "frundle", "쾰젝닙", "zwolquist"
MARKS = {FREQUENT: 2, IN_FIVE_PERCENT: 20, KOREAN: 100, RARE: 2_000}
NOWHERE = "qxyzzyq"
_HANGUL = ["갈", "넙", "둘", "묵", "볏", "삼", "윤", "졸", "첩", "킨", "툴", "펄", "훈", "겸", "뇌", "딕"]


class Facility(NamedTuple):
    """An invented place in a province."""

    id: str
    name: str
    province: int
    lon: float
    lat: float


class Incident(NamedTuple):
    """An invented incident: the facts that every system is given."""

    id: str
    title: str
    summary: str
    start: int  # day, as date.toordinal
    end: int
    violations: tuple[str, ...]  # the first is one of the main ones, the others never are
    facility: int
    verification: str
    victims: int
    source: int


def province_id(number: int) -> str:
    """Return the id of a province."""
    return f"bench-province-{number:02}"


def violation_id(number: int) -> str:
    """Return the id of a main violation (below MAIN), or of one that only ever goes with a main one."""
    return f"bench-main-{number:02}" if number < MAIN else f"bench-with-{number - MAIN:02}"


def source_id(number: int) -> str:
    """Return the id of a source."""
    return f"bench-source-{number:04}"


def symbol(number: int) -> str:
    """Return the symbol of a source."""
    return f"BENCH/{number:04}"


@cache
def words() -> tuple[str, ...]:
    """Return the vocabulary: nonsense in Latin letters, and a little in Hangul."""
    random = Random(SEED)
    latin = {"".join(random.choices(_SYLLABLES, k=random.randint(1, 3))) for _ in range(2_000)}
    hangul = {"".join(random.choices(_HANGUL, k=random.randint(2, 3))) for _ in range(40)}
    return (*sorted(latin)[:950], *sorted(hangul))


@cache
def facilities() -> tuple[Facility, ...]:
    """Return the invented facilities."""
    random = Random(SEED + 1)
    weights = [weight for _, _, weight in PROVINCES]
    made = []
    for number in range(FACILITIES):
        province = random.choices(range(len(PROVINCES)), weights)[0]
        lon, lat, _ = PROVINCES[province]
        name = " ".join(random.choices(words(), k=2)).capitalize()
        at = round(random.gauss(lon, 0.45), 4), round(random.gauss(lat, 0.35), 4)
        made.append(Facility(f"bench-place-{number:04}", name, province, *at))
    return tuple(made)


def incidents(first: int, count: int) -> Iterator[Incident]:
    """Yield `count` incidents from the one numbered `first` on; the memory taken does not depend on how many."""
    number, end = first, first + count
    while number < end:
        block = number // BLOCK
        random = Random(f"{SEED}-{block}")
        for at in range(block * BLOCK, min((block + 1) * BLOCK, end)):
            incident = _incident(random, at)
            if at >= number:
                yield incident
        number = (block + 1) * BLOCK


def _incident(random: Random, number: int) -> Incident:
    draw = random.random
    start = FIRST + int(random.betavariate(2.2, 1.6) * (LAST - FIRST))
    return Incident(
        fixed("inc", f"bench-{number}"),
        " ".join(random.choices(words(), k=3 + int(draw() * 3))).capitalize(),
        " ".join((*random.choices(words(), k=16 + int(draw() * 12)), *_marks(number))).capitalize() + ".",
        start,
        min(start + _days(draw(), draw()), LAST),
        _violations(random),
        int(draw() * FACILITIES),
        _verification(draw() * 100),
        1 + int(random.expovariate(0.4)),
        int(draw() * SOURCES),
    )


def _marks(number: int) -> list[str]:
    """Return the words of `MARKS` that a record has: drawn by its number, so that all else of it stays as it is."""
    return [word for word, every in MARKS.items() if crc32(f"{word} {number}".encode()) % every == 0]


def _verification(at: float) -> str:
    return VERIFICATION[next(i for i, weight in enumerate(_VERIFICATION_WEIGHTS) if at < weight)]


def _days(kind: float, share: float) -> int:
    """Return how long it lasted: mostly a day, then weeks, then years."""
    if kind < 0.55:
        return 0
    if kind < 0.85:
        return 1 + int(share * 59)
    return 60 + int(share * (1_140 if kind < 0.97 else 4_940))


def _violations(random: Random) -> tuple[str, ...]:
    main = violation_id(int(random.betavariate(1, 1.6) * MAIN))
    share = random.random()
    if share < 0.55:
        return (main,)
    further = random.sample(range(MAIN, MAIN + FURTHER), 1 if share < 0.85 else 2)
    return (main, *(violation_id(number) for number in further))
