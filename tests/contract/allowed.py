"""What a view may be shown of a record, field by field, read from the design (section 4) and not from the program."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.records import BY_NAME
from tests.contract.planting import AUDIENCES, Path


class Level(NamedTuple):
    """What one view may be shown of one record about people."""

    content: str = "full"
    identity: str = "named"
    place: str = "exact"
    date: str = "day"

    @property
    def whole(self) -> bool:
        return self[1:] == ("named", "exact", "day")


WHOLE = Level()
LEAST = Level("summary", "withheld", "country", "year")
SOME = Level("full", "pseudonym", "province", "month")


@dataclass(frozen=True)
class Planted:
    """One record: its content, the views that are shown it, and how much of it each may see."""

    kind: str
    content: Mapping[str, Any]
    before: Mapping[str, Any]  # the revision before, of which nothing is left
    levels: Mapping[int, Level]
    owner: str
    published: bool = False

    @property
    def id(self) -> str:
        return str(self.content["id"])


def is_tied(person: Planted, incident: Planted, view: int) -> bool:
    """Tell whether a view may be shown a person in an incident that has places and dates as fine as it is shown any."""
    if view not in person.levels:
        return False
    theirs, told = person.levels[view], incident.levels[view]
    return all(SCALES[of].index(getattr(theirs, of)) >= SCALES[of].index(getattr(told, of)) for of in ("place", "date"))


SCALES = {"place": ("country", "province", "county", "exact"), "date": ("year", "month", "day")}
PER_AUDIENCE = {"title", "summary", "own_words", "description"}
CITED = {"symbol", "paragraph", "basis", "source", "supports"}
ALWAYS = {"id", "recorded_by", "language", "title", "summary", "description", "victim_groups", "victims"}
ALWAYS |= {"acts", "date", "given", "left", "witness"}
IF_WHOLE = {
    "citations",
    "assessment",
    "setting",
    "note",
    "transcription_note",
    "given_place",
    "medium",
    "reliability_note",
}


def shown(one: Planted, view: int, hidden: set[str]) -> Iterator[tuple[Path, str]]:
    """Yield the path of everything in a record that a view may be shown, and how finely (dates; else `day`)."""
    kind, level = BY_NAME[one.kind], one.levels[view]
    stated = {info.alias or name for name, info in kind.shown.model_fields.items()}
    for path in _walk(one.content, hidden):
        top = str(path[0])
        if top not in stated or ("citations" in path or "citation" in path) and path[-1] not in CITED:
            continue
        if kind.people and not _may(one, path, level, view):
            continue
        dated = top in ("date", "given", "left") or path[-1] in ("left", "date")
        yield path, level.date if kind.people and dated else "day"


def _may(one: Planted, path: Path, level: Level, view: int) -> bool:
    top = path[0]
    audience = "public" if one.published else AUDIENCES[view]
    if top in PER_AUDIENCE:
        return path[1] == audience and (top != "own_words" or level.content == "full")
    if top == "full_text":
        return level.content == "full" and level.whole
    if top == "witness":
        named = level.identity == "named"
        return path[1] == "left" or (named and path[1] == "designation") or (level.whole and path[1] == "role")
    if top == "name":
        return level.identity == "named"
    if "described" in path:
        return level.whole
    return top in ALWAYS or (level.whole and top in IF_WHOLE)


def _walk(value: Any, hidden: set[str], path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value, without what names a hidden record."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not (_is_one_of(item, hidden) or (key == "assessment" and _rests_on(item, hidden))):
                yield from _walk(item, hidden, (*path, key))
    elif isinstance(value, list) and not (value and isinstance(value[0], float)):
        for position, item in enumerate(value):
            named = item.values() if isinstance(item, Mapping) else [item]
            if not any(_is_one_of(one, hidden) for one in named):
                yield from _walk(item, hidden, (*path, position))
    else:
        yield path


def _rests_on(assessment: Any, hidden: set[str]) -> bool:
    return assessment is not None and _is_one_of(assessment["citation"]["source"], hidden)


def _is_one_of(value: Any, hidden: set[str]) -> bool:
    return isinstance(value, str) and value in hidden
