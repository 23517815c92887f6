"""Canonical bytes: RFC 8785, so that a hash of a record means the same everywhere."""

from typing import Any

import orjson
import rfc8785


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        ValueError: the value has no such form (a float that is not finite, an integer beyond 2**53).
    """
    # orjson sorts keys by code point and writes the same bytes, unless a number is a float (39.0 against 39), an
    # integer is too large, or a key leaves ASCII. Those few documents take the library's slower way.
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if _plain(value) else rfc8785.dumps(value)


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is dict:
        return all(type(key) is str and key.isascii() and _plain(item) for key, item in value.items())
    if kind is list:
        return all(map(_plain, value))
    return kind is int and -(2**53) < value < 2**53
