"""What of a record is searched: the texts of the record as shown, and nothing else."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from app.records import BY_NAME, Kind
from app.records.base import TextKey
from app.search import analyse
from app.search.analyse import KEY

MOST = 16_000  # terms of a record: PostgreSQL counts positions in a text up to 16,383
HEADINGS = ("title", "name", "label")
# What is written in no language, and is looked for all the same.
PLAIN = (
    ("aliases", "[]", ""),
    ("symbol", ""),
    ("publisher", ""),
    ("provision", ""),
    ("instrument_name", ""),
    ("document", ""),
    ("addressee", ""),
    ("speaker", ""),
    ("weapon", ""),
    ("facility", ""),
)
_NOT_WORDS = frozenset({"original", "translated_by"})

HEAD = KEY + "q"  # the end of the headings: no key begins like this


class Field(NamedTuple):
    """A text of a record."""

    pointer: str  # RFC 6901
    text: str


def words_of(kind: str, record: Mapping[str, Any]) -> str:
    """Return the terms of a record, with spaces between them: headings, other texts, then the keys of names."""
    found: list[str] = []
    keys: dict[str, None] = {}
    heads, rest = _paths(kind)
    for paths in (heads, rest):
        for path in paths:
            if record.get(path[0]) is None:  # few records have all
                continue
            for _, text in _fields(path, record, ""):
                terms, some = analyse.terms(text)
                keys.update(dict.fromkeys(some))
                found += terms
                found.append(KEY)
        if paths is heads:
            found.append(HEAD)
    found = found[: MOST - min(len(keys), 1_000)]
    return " ".join([*found, *list(keys)[:1_000]])


def fields_of(kind: str, record: Mapping[str, Any]) -> Iterator[Field]:
    """Yield the texts of a record that are searched, headings first."""
    for paths in _paths(kind):
        for path in paths:
            yield from _fields(path, record, "")


@cache
def _paths(kind: str) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    known = BY_NAME[kind].shown.model_fields
    paths = (*_found(BY_NAME[kind].shown), *(path for path in PLAIN if path[0] in known))
    heads = tuple(path for path in paths if path[0] in HEADINGS)
    return heads, tuple(path for path in paths if path not in heads)


def searched(kind: Kind) -> tuple[str, ...]:
    """Return the members of a kind's records whose texts are searched, dotted."""
    return tuple(".".join(path) for paths in _paths(kind.name) for path in paths)


def _found(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if name == "citations":
            continue  # the document that a record rests on is a record of its own
        for rest in _ways(field.annotation):
            yield (field.alias or name, *rest)


def _ways(annotation: Any) -> Iterator[tuple[str, ...]]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is dict and inner[0] == TextKey:
        yield ()
    elif origin is list:
        for way in _ways(inner[0]):
            yield ("[]", *way)
    elif origin is Annotated or origin is Union or type(annotation).__name__ == "UnionType":
        for one in inner[:1] if origin is Annotated else inner:
            yield from _ways(one)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _found(annotation)


def _fields(path: tuple[str, ...], value: Any, pointer: str) -> Iterator[Field]:
    if value is None:
        return
    if not path:
        for language, text in value.items():
            if language not in _NOT_WORDS:
                yield Field(f"{pointer}/{language}", text)
    elif path[0] == "":
        yield Field(pointer, value)
    elif path[0] == "[]":
        for place, one in enumerate(value):
            yield from _fields(path[1:], one, f"{pointer}/{place}")
    else:
        yield from _fields(path[1:], value.get(path[0]), f"{pointer}/{path[0]}")
