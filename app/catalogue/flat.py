"""Flat rows: a kind's records as tables have them, their columns declared by the model of what is shown.

A language map gives three columns: English, Korean, and the rest. A date gives its EDTF text and four days. A list of
words is one, any other list is JSON. A point gives longitude and latitude too.
"""

from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

from app.catalogue.parameters import members
from app.records import BY_NAME
from app.records.shown import Date

Sort = Literal["text", "whole", "number", "flag", "day", "words", "json"]


class Column(NamedTuple):
    """One column: its name, and what its values are. A day is ISO text, JSON is text too; any may be missing."""

    name: str
    sort: Sort


class Member(NamedTuple):
    """One member of a record, and the columns that it gives.

    Attributes:
        read: the member's value, never null -> one value for each column.
    """

    name: str
    columns: tuple[Column, ...]
    read: Callable[[Any], list[Any]]


@cache
def plan(kind: str, fields: tuple[str, ...] | None = None) -> tuple[Member, ...]:
    """Return the members of a kind's records that are asked for, in their order."""
    shown = BY_NAME[kind].shown.model_fields
    aliases = {field.alias or name: field.annotation for name, field in shown.items()}
    names = [name for name in members(BY_NAME[kind]) if fields is None or name in fields]
    return tuple(_member(name, name, aliases[name], deep=False) for name in names)


@cache
def columns(kind: str, fields: tuple[str, ...] | None = None) -> tuple[Column, ...]:
    """Return the columns of a kind."""
    return tuple(column for member in plan(kind, fields) for column in member.columns)


def joined(words: list[Any]) -> str | None:
    """Return a list of words as one text: by `;`, or as JSON where one has a `;` in it; of none, nothing."""
    if not words:
        return None
    return orjson.dumps(words).decode() if any(";" in word for word in words) else ";".join(words)


def listed(words: list[Any]) -> list[Any]:
    """Return a list of words as it is."""
    return words


class Reader:
    """Reads records as rows of values, one for each column."""

    def __init__(self, kind: str, fields: tuple[str, ...] | None, words: Callable[[list[Any]], Any]) -> None:
        """Read some members of a kind's records, a list of words as `words` gives it."""
        self._steps: list[tuple[itemgetter[Any] | None, str, int, Callable[[Any], list[Any]]]] = []
        simple: list[str] = []
        for name, named, read in plan(kind, fields):
            if read is _one and named[0].sort != "words":
                simple.append(name)
                continue
            self._together(simple)
            read = (lambda value: [words(value)]) if read is _one else read
            self._steps.append((None, name, len(named), read))
            simple = []
        self._together(simple)

    def _together(self, names: list[str]) -> None:
        """Read members one after another at once; two at least, for of one there would be no tuple."""
        if names:
            pair = names if len(names) > 1 else names * 2
            self._steps.append((itemgetter(*pair), ",".join(names), len(names), listed))

    def row(self, record: dict[str, Any]) -> list[Any]:
        """Return the values of a record."""
        found: list[Any] = []
        for together, name, width, read in self._steps:
            if together is None:
                value = record.get(name)
                found += (None,) * width if value is None else read(value)
            else:
                try:
                    found += together(record)[:width]
                except KeyError:
                    found += [record.get(one) for one in name.split(",")]
        return found


def _member(name: str, column: str, annotation: Any, deep: bool) -> Member:
    types = _types(annotation)
    models = [one for one in types if isinstance(one, type) and issubclass(one, BaseModel)]
    if name == "geometry":
        axes = [Column(axis, "number") for axis in ("longitude", "latitude")]
        return Member(name, (Column(column, "json"), *axes), _geometry)
    if Date in models:
        return Member(name, _of_date(column), _date)
    if any(get_origin(one) is dict for one in types):
        return Member(name, _of_text(column), text)
    if models and not deep:
        inner = {field.alias or key: field.annotation for key, field in models[0].model_fields.items()}
        return _parts(name, [_member(key, f"{column}_{key}", part, deep=True) for key, part in inner.items()])
    sort = _sort(types)
    return Member(name, (Column(column, sort),), _json if sort == "json" else _one)


def _parts(name: str, parts: list[Member]) -> Member:
    def read(value: dict[str, Any]) -> list[Any]:
        found: list[Any] = []
        for key, named, read_part in parts:
            part = value.get(key)
            found += [None] * len(named) if part is None else read_part(part)
        return found

    return Member(name, tuple(column for part in parts for column in part.columns), read)


def _sort(types: list[Any]) -> Sort:
    plain: dict[Any, Sort] = {bool: "flag", int: "whole", float: "number", str: "text"}
    sorts: set[Sort] = {"text" if get_origin(one) is Literal else plain.get(one, "json") for one in types}
    if len(types) == 1 and get_origin(types[0]) is list and _sort(_types(get_args(types[0])[0])) == "text":
        return "words"
    return sorts.pop() if len(sorts) == 1 else "json"


def _types(annotation: Any) -> list[Any]:
    """Return the types that a value may be of, without None; a list is one type, whatever is in it."""
    origin = get_origin(annotation)
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        return [found for one in get_args(annotation) for found in _types(one)]
    if hasattr(annotation, "__metadata__"):
        return _types(get_args(annotation)[0])
    return [] if annotation is type(None) else [annotation]


def _one(value: Any) -> list[Any]:
    return [value]


def _json(value: Any) -> list[Any]:
    return [None if value == [] else orjson.dumps(value).decode()]


def _geometry(shape: dict[str, Any]) -> list[Any]:
    point = shape["coordinates"][:2] if shape["type"] == "Point" else (None, None)
    return [orjson.dumps(shape).decode(), *point]


def _of_text(name: str) -> tuple[Column, ...]:
    return tuple(Column(f"{name}_{tag}", "text") for tag in ("en", "ko", "other"))


def text(value: dict[str, str]) -> list[Any]:
    """Return a language map as its English, its Korean, and the rest."""
    english, korean = value.get("en"), value.get("ko")
    if len(value) == (english is not None) + (korean is not None):
        return [english, korean, None]
    rest = [f"{tag}: {words}" for tag, words in value.items() if tag not in ("en", "ko")]
    return [english, korean, " | ".join(rest)]


_WORDS = tuple((side, word) for side in ("start", "end") for word in ("earliest", "latest"))


def _of_date(name: str) -> tuple[Column, ...]:
    days = [Column(f"{name}_{side}_{word}", "day") for side, word in _WORDS]
    return (Column(name, "text"), *days, *_of_text(f"{name}_text"))


def _date(value: dict[str, Any]) -> list[Any]:
    words = value.get("text")
    said = [None, None, None] if words is None else text(words)
    return [value["edtf"], *value["start"], *value["end"], *said]
