"""JSON in which nothing is said twice: of two members of one name readers differ in which they take."""

import json
from collections.abc import Iterator
from typing import Any

import orjson


def twice(text: bytes, content: Any) -> str | None:
    """Return the pointer (RFC 6901) to an object of which two members have one name; None where there is none.

    Args:
        text: JSON (RFC 8259).
        content: what orjson read of it, which took the last of such members.
    """
    # What was read and is written again has as many quotation marks, unless a member was lost, or one was escaped.
    if b"\\u0022" not in text and orjson.dumps(content).count(b'"') == text.count(b'"'):
        return None
    found: dict[int, dict[str, Any]] = {}

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(members)
        if len(made) < len(members):
            found[id(made)] = made  # held, so that no other object gets its number
        return made

    try:
        # Numbers do not matter here; a long one would take long to read.
        whole = json.loads(text, object_pairs_hook=pairs, parse_int=len, parse_float=len)
    except RecursionError:
        return ""  # no record is so deep
    return next(where for where, one in _within(whole) if id(one) in found) if found else None


def _within(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every list and object with its pointer, in the order of the text."""
    left = [("", value)]
    while left:
        here, one = left.pop()
        if isinstance(one, (dict, list)):
            yield here, one
            members = one.items() if isinstance(one, dict) else enumerate(one)
            left += [(f"{here}/{pointed(str(name))}", inner) for name, inner in reversed([*members])]


def pointed(name: str) -> str:
    """Return a name as it stands in a pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
