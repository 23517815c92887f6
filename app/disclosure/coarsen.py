"""Coarser places, coarser dates, and titles made from them; never a name cut out of a text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.disclosure.consent import DATE, PLACE
from app.disclosure.view import Facts, lineage
from app.vocabulary import edtf

_TYPES = ({"country"}, {"country", "province"}, {"country", "province", "county"})
EXACT = len(PLACE) - 1
DAY = len(DATE) - 1
_DIGEST = re.compile("(place|violation)-[0-9a-f]{20}")  # an id that was made for an import: it holds no words


def places(named: Iterable[str], level: int, hidden: frozenset[str], facts: Facts) -> list[str]:
    """Return the places no finer than a level: each itself, or the nearest above it that is coarse enough."""
    if level == EXACT:
        return list(named)
    coarse = _TYPES[level]
    lines = (lineage(place, hidden, facts) for place in named)
    found = (next((p for p in line if facts.type_of(p) in coarse), None) for line in lines)
    return list(dict.fromkeys(place for place in found if place is not None))


def date(text: str | None, level: int) -> str | None:
    """Return an EDTF text no finer than a level; what it says is never narrowed."""
    return text if text is None or level == DAY else edtf.coarsen(text, DATE[level])  # type: ignore[arg-type]


def level_of(text: str) -> int:
    """Return how fine an EDTF text is, on the scale of dates."""
    return DATE.index(edtf.precision(text))


def level_of_place(place: str, facts: Facts) -> int:
    """Return how fine a place is, on the scale of places."""
    kind = facts.type_of(place)
    return PLACE.index(kind) if kind in PLACE else EXACT


def geometry(shown: Iterable[str], facts: Facts) -> dict[str, Any] | None:
    """Return one GeoJSON geometry for the places as shown: a point, or points; None when none is known."""
    points: list[Any] = []
    others: list[Mapping[str, Any]] = []
    for place in shown:
        found = facts.geometry(place)
        if found is not None:
            if found["type"] == "Point":
                points.append(found["coordinates"])
            else:
                others.append(found)
    if others:
        parts = [{"type": "Point", "coordinates": point} for point in points]
        return (
            {"type": "GeometryCollection", "geometries": [*parts, *map(dict, others)]}
            if parts or len(others) > 1
            else dict(others[0])
        )
    if not points:
        return None
    if len(points) == 1:
        return {"type": "Point", "coordinates": points[0]}
    return {"type": "MultiPoint", "coordinates": points}


def boxes(shape: Mapping[str, Any] | None) -> tuple[tuple[float, float, float, float], ...]:
    """Return the bounding box (west, south, east, north, in degrees) of each part of a geometry."""
    if shape is None:
        return ()
    if shape["type"] == "GeometryCollection":
        return tuple(box for part in shape["geometries"] for box in boxes(part))
    if shape["type"] == "Point":
        return (_box([shape["coordinates"]]),)
    if shape["type"] == "MultiPoint":
        return tuple(_box([point]) for point in shape["coordinates"])
    return (_box(shape["coordinates"][0]),)


def _box(points: list[list[float]]) -> tuple[float, float, float, float]:
    x, y = [float(point[0]) for point in points], [float(point[1]) for point in points]
    return min(x), min(y), max(x), max(y)


def title(what: str, violations: Iterable[str], where: Iterable[str], when: str | None) -> dict[str, str]:
    """Return a title made from what is shown anyway: `Account of forced labour and torture; South Pyongan; 2009`."""
    acts = [violation.replace("-", " ") for violation in violations if not _DIGEST.fullmatch(violation)]
    parts = [f"{what} of {_listed(acts)}" if acts else what]
    parts += [", ".join(_worded(place) for place in where if not _DIGEST.fullmatch(place))]
    parts += [_when(when)]
    return {"en": "; ".join(part for part in parts if part)}


def _worded(place: str) -> str:
    """Return a place's id in words: a body never holds another record's name."""
    return " ".join(word.capitalize() for word in re.sub("^(prov|loc)-", "", place).split("-"))


def _listed(words: list[str]) -> str:
    if len(words) > 4:
        words = [*words[:3], f"{len(words) - 3} other violations"]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _when(text: str | None) -> str:
    if text is None:
        return ""
    bounds = edtf.bounds(text)
    first, last = edtf.iso(bounds.s0), edtf.iso(bounds.e1)
    if first is None and last is None:
        return "date unknown"
    if first is None:
        return f"{str(last)[:4]} or before"
    if last is None:
        return f"{first[:4]} or after"
    return first[:4] if first[:4] == last[:4] else f"{first[:4]} to {last[:4]}"
