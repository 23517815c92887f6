"""Fields of a kind by their paths: which there are, of which type each is, and how a value is put in its place."""

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from app.records import BY_NAME

_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_:-]*)(?:\[([0-9a-z-]{0,20})\])?")
_YES = frozenset(("true", "yes", "y", "1", "예", "네"))
_NO = frozenset(("false", "no", "n", "0", "아니오", "아니요"))

Schema = Mapping[str, Any]


class FieldError(ValueError):
    """A path leads to no field; the message says where it ends, and what is there."""


class Step(NamedTuple):
    """One step of a path: a name and, where it is a list of objects, the label of the member (empty: the only one)."""

    name: str
    member: str | None = None


class Field(NamedTuple):
    """Where a value goes, and what it must be there.

    Attributes:
        path: as it was written.
        steps: the way to it.
        type: string, integer, number, boolean or object.
        many: it is a list of such values.
        words: the only values that are allowed, where there is such a list.
    """

    path: str
    steps: tuple[Step, ...]
    type: str
    many: bool
    words: tuple[str, ...]

    @property
    def plain(self) -> str:
        """The path without labels of members, as the kind's own description has it."""
        return ".".join(step.name + ("[]" if step.member is not None else "") for step in self.steps)


def near(word: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """Return the known word that is nearest to one, if one is near: at `least` so like it, of 1."""
    close = difflib.get_close_matches(word[:200], list(known), n=1, cutoff=least)
    return close[0] if close else None


@cache
def _schema(kind: str) -> dict[str, Any]:
    return BY_NAME[kind].model.model_json_schema()


def _plain(schema: Schema, root: Schema) -> Schema:
    """Follow a reference, and leave out what says that null is allowed."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
            continue
        choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if len(choices) != 1:
            return schema
        schema = choices[0]


@cache
def field(kind: str, path: str) -> Field:
    """Return the field of a kind at a path: `date`, `title.public.en`, `acts[].violation`, `citations[2].symbol`.

    Raises:
        FieldError: there is none.
    """
    root = _schema(kind)
    schema, steps = _plain(root, root), list[Step]()
    for text in path.split("."):
        match = _STEP.fullmatch(text)
        if match is None:
            raise FieldError("is no path of a field, as date or title.public.en or acts[].violation")
        name, member = match.groups()
        schema = _plain(_inside(schema, name, kind), root)
        if member is not None:
            items = _plain(schema.get("items", {}), root)
            if items.get("type") != "object":
                raise FieldError(f"{name} is no list of objects: write {name} alone")
            schema = items
        steps.append(Step(name, member))
    many = schema.get("type") == "array"
    if many:
        schema = _plain(schema.get("items", {}), root)
        if schema.get("type") == "object":
            raise FieldError(f"{steps[-1].name} is a list of objects: write {steps[-1].name}[] and the field of one")
    sort = schema.get("type", "object")
    if sort == "object" and path != "geometry":
        raise FieldError(f"has parts: go on with {_some(schema)}")
    words = tuple(schema.get("enum", ())) or ((schema["const"],) if "const" in schema else ())
    return Field(path, tuple(steps), sort, many, words)


def _inside(schema: Schema, name: str, kind: str) -> Schema:
    properties = schema.get("properties", {})
    if name in properties:
        found: Schema = properties[name]
        return found
    for pattern, rest in schema.get("patternProperties", {}).items():
        if re.search(pattern, name):
            return dict(rest)
        raise FieldError(f"{name} can be no key here")
    if isinstance(schema.get("additionalProperties"), dict):
        return dict(schema["additionalProperties"])
    guess = near(name, properties)
    more = f"; did you mean {guess}?" if guess else f": a {kind} has {_some(schema)}"
    raise FieldError(f"there is no field {name} here{more}")


def _some(schema: Schema) -> str:
    names = list(schema.get("properties", ()))
    return ", ".join(names[:12]) or "a key, as a language tag (en, ko) or an audience (public)"


def convert(field: Field, text: str) -> Any:
    """Return a text as the type that a field has.

    Raises:
        ValueError: it is none; the message says what it must be.
    """
    match field.type:
        case "integer":
            if not re.fullmatch(r"-?[0-9]{1,18}", text):
                raise ValueError("must be a whole number")
            return int(text)
        case "number":
            if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
                raise ValueError("must be a number, with a point before its decimals")
            return float(text)
        case "boolean":
            if text.casefold() in _YES:
                return True
            if text.casefold() in _NO:
                return False
            raise ValueError("must be yes or no")
    return text


def put(record: dict[str, Any], steps: tuple[Step, ...], value: Any) -> None:
    """Put a value in its place. Lists of objects are kept by label until `settle`."""
    here = record
    for step in steps[:-1]:
        here = here.setdefault(step.name, {})
        if step.member is not None:
            here = here.setdefault(step.member, {})
    here[steps[-1].name] = value


def settle(record: dict[str, Any], lists: Iterable[tuple[Step, ...]]) -> None:
    """Make lists of what was kept by label; `lists` are the ways to them, the innermost first."""
    for steps in lists:
        holders = [record]
        for step in steps[:-1]:
            inner = [one[step.name] for one in holders if step.name in one]
            holders = inner if step.member is None else [member for one in inner for member in _members(one)]
        for holder in holders:
            if isinstance(members := holder.get(steps[-1].name), dict):
                holder[steps[-1].name] = list(members.values())


def _members(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value)
