"""Planting: a record of any kind with every field filled in, and in every text, date, place and number its own mark.

The content models are walked, so that a field which is added to one is planted with no line changed here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from app.records import BY_NAME, base
from app.records.geometry import Point, Position

Path = tuple[str | int, ...]
MARK = re.compile(
    rb"qm([0-9]{5})x|(?<![0-9.])9([0-9]{5})437(?![0-9])|(?<![0-9])[0-9]{2,3}\.([0-9]{5})71(?![0-9])", re.I
)
YEAR = re.compile(rb"(?<![0-9a-z_.-])(1[3-8][0-9]{2})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?![0-9a-z_])", re.I)
FIRST_YEAR = 1300  # marks of dates have a year of their own, which no other date here has
_BOUNDS = {("01", "01"), ("12", "31")}  # the days that are made of a year
_MONTHS = {("05", "01"), ("05", "31")}


@dataclass(frozen=True)
class Leaf:
    """Where one mark stands."""

    record: str
    path: Path
    year: int = 0  # of a date


@dataclass
class Marks:
    """Every mark that was given out, and where it stands."""

    leaves: dict[int, Leaf] = field(default_factory=dict)
    years: dict[int, int] = field(default_factory=dict)

    def new(self, record: str, path: Path, dated: bool = False) -> int:
        number = len(self.leaves) + 1
        year = FIRST_YEAR + len(self.years) if dated else 0
        assert year < 1900
        if dated:
            self.years[year] = number
        self.leaves[number] = Leaf(record, path, year)
        return number

    def found_in(self, text: bytes) -> set[tuple[int, str]]:
        """Return the marks in a text: the number of each, and of a date how finely it is told."""
        numbers = {int(next(filter(None, match.groups()))) for match in MARK.finditer(text)}
        found = {(number, "") for number in numbers & self.leaves.keys()}  # any other is chance: an ETag may have one
        for match in YEAR.finditer(text):
            number = self.years.get(int(match[1]))
            if number is not None:
                found.add((number, _level(*[part.decode() if part else None for part in match.groups()[1:]])))
        return found


def _level(month: str | None, day: str | None) -> str:
    if month is None or (month, day) in _BOUNDS:
        return "year"
    return "month" if day is None or (month, day) in _MONTHS else "day"


def word(number: int) -> str:
    return f"qm{number:05}x"


def opaque(prefix: str, number: int) -> str:
    """Return an opaque id with a mark in it, and in its first 63 bits."""
    return f"{prefix}-0{word(number)}".ljust(len(prefix) + 27, "0")


_PATTERNS: dict[str, Callable[[int], str]] = {
    base.NO_NUL: lambda number: f"=Text {word(number)}",  # a text that a spreadsheet would take for a formula
    base.SLUG: word,
    base.WORD: word,
    base.TAG: lambda number: f"ko-{word(number)}",
    base.URL: lambda number: f"https://{word(number)}.test/",
    "^tst-" + base.OPAQUE: lambda number: opaque("tst", number),
    "^inc-" + base.OPAQUE: lambda number: opaque("inc", number),
    "^per-" + base.OPAQUE: lambda number: opaque("per", number),
}
_KEYS = {base.TEXT_KEY: ("en", "ko", "translated_by"), base.AUDIENCE: ("public", "partner", "mechanism")}
AUDIENCES = _KEYS[base.AUDIENCE]


class Ids(tuple[str, ...]):
    """The ids that stand at a path: all of them in a list of ids, one in each member of a list of objects, or one."""


@dataclass
class Planter:
    """Plants one record; `given` are the values of some paths (without positions), put there as they are."""

    marks: Marks
    record: str
    given: Mapping[str, Any]
    pick: int = 0  # which word of a closed list is taken; the last one where there are not so many

    def plant(self, kind: str) -> dict[str, Any]:
        """Return a whole record of a kind."""
        return self._model(BY_NAME[kind].model, ())

    def _model(self, model: type[BaseModel], path: Path) -> dict[str, Any]:
        hints = get_type_hints(model, include_extras=True)
        found: dict[str, Any] = {}
        for name, info in model.model_fields.items():
            here = (*path, info.alias or name)
            value = self.given.get(_key(here), self)
            if isinstance(value, Ids):
                found[str(here[-1])] = self._stand(value, hints[name], path)
            else:
                found[str(here[-1])] = self._value(hints[name], here) if value is self else value
        return found

    def _stand(self, ids: Ids, hint: Any, path: Path) -> Any:
        if _is_list(hint):
            return list(ids)
        position = path[-1] if path and isinstance(path[-1], int) else 0
        return ids[position] if position < len(ids) else None

    def _size(self, member: Any, path: Path) -> int:
        """Return how many members a list of objects needs, for each of the ids to stand in one."""
        hint = get_args(member)[0] if get_origin(member) is Annotated else member
        if not (isinstance(hint, type) and issubclass(hint, BaseModel)):
            return 1
        hints = get_type_hints(hint, include_extras=True)
        given = [self.given.get(_key((*path, name))) for name in hints if not _is_list(hints[name])]
        return max([len(one) for one in given if isinstance(one, Ids)], default=1)

    def _value(self, hint: Any, path: Path, pattern: str = "") -> Any:
        if hint == base.Edtf:
            number = self.marks.new(self.record, path, dated=True)
            return f"{self.marks.leaves[number].year}-05-17"
        if hint == Position:
            number = self.marks.new(self.record, path)
            return [float(f"124.{number:05}71"), float(f"38.{number:05}71")]
        origin, args = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._value(args[0], path, _pattern(args[1:]) or pattern)
        if origin in (Union, UnionType):
            first = next(one for one in args if one is not NoneType)
            return self._value(Point if Point in args else first, path, pattern)
        if origin is Literal:
            return args[min(self.pick, len(args) - 1)]
        if origin is list:
            return [self._value(args[0], (*path, position)) for position in range(self._size(args[0], path))]
        if origin is dict:
            keys = _KEYS[_pattern(get_args(args[0])[1:])]
            return {key: self._value(args[1], (*path, key)) for key in keys}
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            return self._model(hint, path)
        return self._scalar(hint, path, pattern)

    def _scalar(self, hint: Any, path: Path, pattern: str) -> Any:
        if hint is bool:
            return False
        number = self.marks.new(self.record, path)
        if hint is int:
            return 900_000_437 + number * 1000
        if hint is float:
            return float(f"124.{number:05}71")
        assert hint is str, f"teach the planter how to fill in {hint} at {path}"
        return _PATTERNS[pattern](number)  # a KeyError: teach the planter how to fill in this pattern


def _key(path: Path) -> str:
    return ".".join(str(step) for step in path if not isinstance(step, int))


def _is_list(hint: Any) -> bool:
    return (get_args(hint)[0] if get_origin(hint) is Annotated else hint) is list or (
        get_origin(get_args(hint)[0] if get_origin(hint) is Annotated else hint) is list
    )


def _pattern(metadata: Any) -> str:
    for one in metadata:
        for part in (one, *getattr(one, "metadata", ())):
            if isinstance(getattr(part, "pattern", None), str):
                return str(part.pattern)
    return ""
