"""Faults of a submitted record as an answer tells of them: a pointer to each, and what is wrong."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError

from app.core.once import pointed
from app.core.problems import Fault, Problem, nearest
from app.intake.submit import Refused
from app.records import BY_NAME
from app.records.refusal import PLAIN, reason_of

MOST = 50  # of one record
OURS = frozenset(("owner", "k", "revision", "state", "updated", "geometry", "corroboration", "objection", "retraction"))
_TAGS = ("[key]", "Point", "Polygon")  # steps of pydantic that stand in no record
_WHOLE = re.compile(r"['\"]|(?:an?|the|this) ")  # a reason that has a subject of its own
Json = Mapping[str, Any]


def of_model(kind: str, error: ValidationError) -> Problem:
    """Return the problem of a record that the model of its kind refuses; nothing that was sent is in it but names."""
    faults: list[Fault] = []
    for detail in error.errors(include_url=False, include_input=False)[:MOST]:
        stated = detail.get("ctx", {}).get("field")
        steps = [*detail["loc"], *(stated.split(".") if stated else ())]
        reason = reason_of(detail)
        if detail["type"] == "extra_forbidden":
            reason = _unknown(kind, detail["loc"])
        faults.append(Fault("body", pointer(steps), _sentence(reason)))
    return _invalid(faults)


def of_refusals(content: Json, error: Refused) -> Problem:
    """Return the problem of a record that what is on record refuses."""
    faults: list[Fault] = []
    for one in error.refusals:
        found = list(_at(content, one.field.split("."), [], one.target)) if one.target else []
        steps: list[list[str | int]] = found or [[*one.field.replace("[]", "").split(".")]]
        faults += [Fault("body", pointer(path), _sentence(one.reason)) for path in steps]
    return _invalid(dict.fromkeys(faults))


def pointer(steps: Iterable[str | int]) -> str:
    """Return the pointer (RFC 6901) of steps: up to the first that may hold more than a name."""
    found = ""
    for step in steps:
        if step in _TAGS:
            continue
        if not PLAIN.fullmatch(str(step)):
            break
        found += f"/{pointed(str(step))}"
    return found


def _invalid(faults: Iterable[Fault]) -> Problem:
    found = tuple(faults)[:MOST]
    return Problem("invalid-request", found[0].detail if len(found) == 1 else "The record has several faults.", found)


def _sentence(reason: str) -> str:
    whole = f"{reason[:1].upper()}{reason[1:]}" if _WHOLE.match(reason) else f"It {reason}"
    return whole if whole.endswith((".", "?")) else f"{whole}."


def _unknown(kind: str, loc: Sequence[str | int]) -> str:
    name = str(loc[-1])
    if len(loc) == 1 and name in OURS:
        return "is not submitted: the service says it"
    close = nearest(name, sorted(_members(kind, loc[:-1]))) if PLAIN.fullmatch(name) else ""
    return f"is no member that is known here. {close}" if close else "is no member that is known here"


def _members(kind: str, loc: Sequence[str | int]) -> set[str]:
    """Return the names that an object at this place of a record of a kind may have."""
    whole = _schema(kind)
    nodes = list(_plain(whole, whole))
    for step in loc:
        inner = [one for node in nodes for child in _children(node, step) for one in _plain(whole, child)]
        nodes = inner or nodes
    return {name for node in nodes for name in node.get("properties", ())}


@cache
def _schema(kind: str) -> Json:
    schema: Json = BY_NAME[kind].model.model_json_schema()
    return schema


def _plain(whole: Json, node: Json) -> Iterator[Json]:
    """Yield the schemas that one stands for: without references and alternatives."""
    if (ref := node.get("$ref")) is not None:
        yield from _plain(whole, whole["$defs"][ref.rpartition("/")[2]])
        return
    yield node
    for word in ("anyOf", "oneOf", "allOf"):
        for one in node.get(word, ()):
            yield from _plain(whole, one)


def _children(node: Json, step: str | int) -> Iterator[Json]:
    if isinstance(step, int):
        found = [node.get("items")]
    else:
        found = [node.get("properties", {}).get(step), node.get("additionalProperties")]
        found += node.get("patternProperties", {}).values()
    yield from (one for one in found if isinstance(one, dict))


def _at(value: Any, steps: Sequence[str], here: list[str | int], target: str) -> Iterator[list[str | int]]:
    """Yield where an id stands at a path of a record (`acts[].violation`)."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _at(one, steps, [*here, index], target)
    elif not steps:
        if value == target:
            yield here
    elif isinstance(value, Mapping):
        name = steps[0].removesuffix("[]")
        yield from _at(value.get(name), steps[1:], [*here, name], target)
