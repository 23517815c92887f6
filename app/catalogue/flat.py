"""CSV: a kind's records as flat rows, their columns declared by the model of what is shown.

A language map gives three columns: English, Korean, and the rest. A date gives its EDTF text and four days. A list of
words is joined by `;`, any other list is JSON. A point gives longitude and latitude too. RFC 4180: commas, CRLF, quotes
where they are needed. A cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

from app.catalogue.parameters import members
from app.records import BY_NAME, Kind
from app.records.shown import Date

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


class Column(NamedTuple):
    """One column: its name, the member of the record that it comes from, and how to read it there."""

    name: str
    member: str
    read: Callable[[dict[str, Any]], Any]


def header(kind: Kind, fields: tuple[str, ...] | None) -> bytes:
    """Return the first line: the address of the record, then its columns."""
    return line(["url", *[column.name for column in _chosen(kind.name, fields)]])


def lines(kind: Kind, fields: tuple[str, ...] | None, base: str, bodies: Iterable[bytes]) -> bytes:
    """Return the lines of some records."""
    columns = _chosen(kind.name, fields)
    address = f"{base}/v1/{kind.path}/"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for body in bodies:
        record = orjson.loads(body)
        writer.writerow([address + record["id"], *[cell(column.read(record)) for column in columns]])
    return text.getvalue().encode()


def line(cells: list[str]) -> bytes:
    """Return one line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().encode()


def cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if type(value) is str:
        if value.startswith(_FORMULA) and _NUMBER.fullmatch(value) is None:
            return "'" + value
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is list and all(type(one) is str and ";" not in one for one in value):
        return cell(";".join(value))
    return str(value) if type(value) in (int, float) else orjson.dumps(value).decode()


@cache
def _chosen(kind: str, fields: tuple[str, ...] | None) -> tuple[Column, ...]:
    return tuple(one for one in columns(kind) if fields is None or one.member in fields)


@cache
def columns(kind: str) -> tuple[Column, ...]:
    """Return the columns of a kind."""
    found: list[Column] = []
    model = BY_NAME[kind].shown
    aliases = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for member in members(BY_NAME[kind]):
        found += [Column(name, member, read) for name, read in _columns(member, aliases[member], (member,))]
    return tuple(found)


Named = list[tuple[str, Callable[[dict[str, Any]], Any]]]


def _columns(name: str, annotation: Any, path: tuple[str, ...]) -> Named:
    models = [one for one in _types(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    if path[-1] == "geometry":
        places = [(axis, _axis(path, i)) for i, axis in enumerate(("longitude", "latitude"))]
        return [(name, _at(path)), *places]
    if Date in models:
        return _date(name, path)
    if any(get_origin(one) is dict for one in _types(annotation)):
        return _text(name, path)
    if models and len(path) == 1:
        inner = {field.alias or key: field.annotation for key, field in models[0].model_fields.items()}
        return [one for key, part in inner.items() for one in _columns(f"{name}_{key}", part, (*path, key))]
    return [(name, _at(path))]


def _types(annotation: Any) -> list[Any]:
    """Return the types that a value may be of, without None; a list is one type, whatever is in it."""
    origin = get_origin(annotation)
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        return [found for one in get_args(annotation) for found in _types(one)]
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _types(get_args(annotation)[0])
    return [] if annotation is type(None) else [annotation]


def _at(path: tuple[str, ...]) -> Callable[[dict[str, Any]], Any]:
    def read(record: dict[str, Any]) -> Any:
        value: Any = record
        for step in path:
            value = value.get(step) if value is not None else None
        return value

    return read


def _text(name: str, path: tuple[str, ...]) -> Named:
    return [*[(f"{name}_{tag}", _at((*path, tag))) for tag in ("en", "ko")], (f"{name}_other", _others(path))]


def _others(path: tuple[str, ...]) -> Callable[[dict[str, Any]], Any]:
    whole = _at(path)

    def read(record: dict[str, Any]) -> Any:
        rest = {tag: text for tag, text in (whole(record) or {}).items() if tag not in ("en", "ko")}
        return " | ".join(f"{tag}: {text}" for tag, text in rest.items()) or None

    return read


def _date(name: str, path: tuple[str, ...]) -> Named:
    def bound(side: str, position: int) -> Callable[[dict[str, Any]], Any]:
        days = _at((*path, side))
        return lambda record: (days(record) or (None, None))[position]

    sides = [(f"{name}_{side}_{word}", bound(side, i)) for side in ("start", "end") for i, word in enumerate(_WORDS)]
    return [(name, _at((*path, "edtf"))), *sides, *_text(f"{name}_text", (*path, "text"))]


_WORDS = ("earliest", "latest")


def _axis(path: tuple[str, ...], position: int) -> Callable[[dict[str, Any]], Any]:
    shape = _at(path)

    def read(record: dict[str, Any]) -> Any:
        found = shape(record)
        return found["coordinates"][position] if found and found["type"] == "Point" else None

    return read
