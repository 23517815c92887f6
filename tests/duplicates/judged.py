"""Judged pairs: people and incidents made up for this test, in English and Korean, and which of them are one.

Nobody and nothing here is real. Every record is compared with every other: a pair that is not judged to be one is not.
A line is one real person or event, with the records of it; a line of one record is a decoy, near to some other line.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from app.duplicates.likeness import Above, Seen
from app.vocabulary.edtf import UNDATED, bounds

PARENTS = {
    "camp-a": ("county-a", "north"), "camp-b": ("county-b", "north"), "jail-c": ("town-c", "south"),
    "county-a": ("north",), "county-b": ("north",), "town-c": ("south",), "north": (), "south": (),
}  # fmt: skip

# name(s), sex, home, left, cited passage
PEOPLE: list[list[tuple[Any, ...]]] = [
    [("ko:강가람", "f", "north", "2009-03", None), ("en:Kang Ka-ram", "f", "north", "2009", None)],
    [("ko:노다슬", "m", "north", "2011-06", None), ("en:Ro Ta-sul", "m", "county-a", "2011-06", None)],
    [("ko:독고보라", "f", "south", "2004", None), ("en:Dokgo Bora", "f", "south", "2004-10", None)],
    [("en:Ryang Un-sol", "m", "north", None, None), ("ko:량운솔", "m", "north", "1999", None)],
    [("en:Tae Mirae", "f", None, "2014-02", None), ("en:TAE, Mi Rae", "f", "south", "2014-02", None)],
    [("en:Chol-min Om", "m", "north", "2007", None), ("ko:엄철민", "m", "north", "2007~", None)],
    [("ko:국시원", None, "south", "2012", None), ("en:Kuk Si-won", "m", "south", "2012-08", None)],
    [("en:Pyon Haesong", "f", "north", "2001", "src-1 12"), ("en:Byeon Hae Seong", "f", None, None, "src-1 12")],
    [
        ("ko:마루한", "m", "county-b", "2010-01", None),
        ("en:Ma Ruhan", "m", "north", "2010", None),
        ("en:Ma Ru-han", "m", "north", None, None),
    ],
    [("en:Sok Nari", "f", "north", "2016-05", None), ("en:Seok Na-ri", "f", "north", "2016-05", None)],
    [("en:Kim Tolsae", "m", "north", "2008-09", None), ("ko:김돌새", "m", "north", "2008-09", None)],
    [("en:Ri Pitna", "f", "south", "2013", None), ("ko:리빛나", "f", "south", "2013-04", None)],
    [("en:Hwang Posot", "m", "south", "2006", "src-2 4"), ("en:Whang Posot", "m", "south", "2006", "src-2 4")],
    [("ko:방실아", "f", None, "2015", None), ("en:Pang Sil-a", "f", None, "2015-11", None)],
    [("en:Anna Petrowa", "f", "north", "1998", None), ("en:Petrowa Anna", "f", "north", "1998", None)],
    [("en:Jong Kureum", "f", "north", "2003", None), ("en:Jung Gu-reum", "f", "north", "2003", None)],
    # Misspelt in a way that no key bridges, and with little else.
    [("en:Chon Nalgae", "m", None, None, None), ("en:Tson Nalke", "m", None, None, None)],
    [("en:Yu Sangol", "m", "north", "2005", None), ("en:Yoo Sankol", "m", "north", "2005", None)],
    # Decoys: one name and two people, or people alike in all but the name.
    [("en:Kang Ka-ram", "m", "south", "1996", None)],
    [("ko:노다슬", "f", "south", "2018-03", None)],
    [("en:Tae Mirae", "m", "north", "1989", None)],
    [("en:Kim Tolsik", "m", "north", "2008-09", None)],
    [("ko:리빛남", "m", "south", "2002", None)],
    [("en:Sok Nabi", "f", "north", "2016-05", None)],
    [("en:Pyon Haemil", "m", "north", "2001", "src-1 12")],
    [("en:Hwang Pusok", "f", "north", "2017", None)],
    [("ko:방실비", "f", None, "1997", None)],
    [("en:Jong Kurim", "m", "south", "2011", None)],
    [("en:Om Cholho", "m", "north", "2007", None)],
    [("ko:국시온", "f", "north", "1994", None)],
]

# date, place, violation, title, victims, testimony
INCIDENTS: list[list[tuple[Any, ...]]] = [
    [
        ("2016-05-12", "camp-a", "torture", "Guards beat three prisoners who had hidden maize", 3, None),
        ("2016-05-12", "north", "torture", "Three prisoners beaten by guards for hiding maize", 3, None),
    ],
    [
        ("2009-03", "camp-b", "execution", "Public execution of a woman at the coal yard", 1, None),
        ("2009-03-04", "camp-b", "execution", "A woman is shot in public at the coal yard", 1, None),
    ],
    [
        ("1997", "jail-c", "starvation", "Forty inmates die of hunger in one winter", 40, None),
        ("1997-01", "jail-c", "starvation", "Inmates starve over the winter, about forty of them die", 40, None),
    ],
    [
        ("2013-11-30", "town-c", "arrest", "Arrest of a family of five after a call abroad", 5, None),
        ("2013-11", "south", "arrest", "A family of five taken away because of a telephone call abroad", 5, None),
    ],
    [
        ("2004-07-19", "county-a", "forced-labour", "Children made to carry gravel for a road", None, None),
        ("2004-07", "county-a", "forced-labour", "Schoolchildren carry gravel for the new road", None, None),
    ],
    [
        ("2011-12-28", "camp-a", "torture", "Kneeling in the snow for a day as a punishment", None, "tst-1"),
        ("2011-12-28", "camp-a", "torture", "A whole brigade kneels in snow", 60, "tst-1"),
    ],
    [
        ("2018-02-03", "jail-c", "abortion", "강제 낙태를 당한 여성", 1, None),
        ("2018-02", "jail-c", "abortion", "여성 수감자가 강제 낙태를 당하다", 1, None),
    ],
    [
        ("2007-08-15", "county-b", "execution", "광복절에 장마당에서 두 사람을 공개 처형", 2, None),
        ("2007-08-15", "north", "execution", "장마당 공개 처형, 두 사람", 2, None),
    ],
    [
        ("2002-05-01", "camp-b", "forced-labour", None, 12, None),
        ("2002-05-01", "camp-b", "forced-labour", "Mine shaft floods and traps twelve labourers", 12, None),
    ],
    [
        ("2015-09-09", "town-c", "arrest", "Trader detained at the bridge with dollars", 1, None),
        ("2015-09-09", "town-c", "arrest", "국경 다리에서 장사꾼 체포", 1, None),
    ],
    [
        ("1999-10", "camp-a", "starvation", "Salt is withheld for a month", None, None),
        ("1999", "camp-a", "starvation", "For a month the prisoners get no salt", None, None),
    ],
    [
        ("2010-06-22", "county-a", "execution", "Three smugglers are hanged", 3, None),
        ("2010-06-21", "county-a", "execution", "Hanging of smugglers", 3, None),
    ],
    # Told quite otherwise, with another place and a vague date.
    [
        ("2006-04-02", "camp-b", "torture", "A teacher loses both hands to frost after a night outside", 1, None),
        ("200X", "south", "ill-treatment", "Freezing as a punishment for teachers", None, None),
    ],
    # Decoys: the same place and violation at another time, or the same day elsewhere.
    [("2016-08-30", "camp-a", "torture", "An old man is hit with a shovel", 1, None)],
    [("2009-11", "camp-b", "execution", "Two brothers are shot behind the barracks", 2, None)],
    [("1997", "camp-a", "forced-labour", "Logging without gloves", None, None)],
    [("2013-11-30", "camp-b", "arrest", "A pastor is arrested in the hills", 1, None)],
    [("2004-07-19", "jail-c", "forced-labour", "Women sew uniforms at night", None, None)],
    [("2011-12-28", "jail-c", "ill-treatment", "No mourning, no food", None, None)],
    [("2018-02-20", "jail-c", "torture", "수감자를 각목으로 때리다", 1, None)],
    [("2007-08", "county-b", "arrest", "장마당 상인들을 체포", 9, None)],
    [("2002-05-20", "camp-b", "forced-labour", "Bricks carried up the hill", 30, None)],
    [("2015-09-09", "county-a", "arrest", "A courier is caught with letters", 1, None)],
    [("2010-06-22", "camp-b", "execution", "A guard is executed for theft", 1, None)],
    [("1999-10-10", "jail-c", "starvation", "Ration of grass soup", None, None)],
    [("2006-04", "camp-b", "forced-labour", "Night shift at the quarry", None, None)],
]


def above(place: str) -> tuple[str, ...] | None:
    """Return what stands above a place."""
    return PARENTS[place]


ABOVE: Above = above


def _text(words: str | None) -> dict[str, str] | None:
    if words is None:
        return None
    language, colon, rest = words.partition(":")
    if colon and language in ("en", "ko"):
        return {language: rest}
    return {"en" if words.isascii() else "ko": words}


def _seen(id: str, body: dict[str, Any], date: str | None, left: str | None) -> Seen:
    nothing = (UNDATED,) * 2
    ends = (bounds(left).s0, bounds(left).e1) if left else nothing
    dates = bounds(date) if date else (UNDATED,) * 4
    return Seen(id, "us", 0, "etag", (dates[0], dates[1], dates[2], dates[3]), ends, False, body)


def a_person(id: str, name: str, sex: str | None, home: str | None, left: str | None, cited: str | None) -> Seen:
    """Return a judged person as a view would have them."""
    source, _, paragraph = (cited or "").partition(" ")
    body = {
        "name": _text(name),
        "sex": {"f": "female", "m": "male", None: "unknown"}[sex],
        "age_band": None,
        "home_province": home,
        "description": None,
        "citations": [{"symbol": source, "paragraph": paragraph, "source": source}] if cited else [],
    }
    return _seen(id, body, None, left)


def an_incident(
    id: str, date: str, place: str, violation: str, title: str | None, victims: int | None, told: str | None
) -> Seen:
    """Return a judged incident as a view would have it."""
    body = {
        "title": _text(title),
        "summary": None,
        "scope": "event",
        "date": {"edtf": date},
        "places": [place],
        "violations": [violation],
        "actors": [],
        "acts": [],
        "victims": {"best": victims, "low": None, "high": None},
        "testimonies": [told] if told else [],
        "citations": [],
    }
    return _seen(id, body, date, None)


def pool(lines: list[list[tuple[Any, ...]]], make: Any) -> tuple[list[Seen], set[tuple[int, int]]]:
    """Return all records, and the pairs of positions that are one."""
    records: list[Seen] = []
    same: set[tuple[int, int]] = set()
    for line in lines:
        first = len(records)
        records += [make(f"r-{first + n}", *one) for n, one in enumerate(line)]
        same |= set(combinations(range(first, len(records)), 2))
    return records, same


def both() -> Iterator[tuple[str, list[Seen], set[tuple[int, int]]]]:
    """Yield each kind, its records and the pairs that are one."""
    yield "person", *pool(PEOPLE, a_person)
    yield "incident", *pool(INCIDENTS, an_incident)
