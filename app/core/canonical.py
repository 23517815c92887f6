"""Canonical bytes: RFC 8785, so that a hash of a record means the same everywhere."""

from typing import Any

import orjson
import rfc8785


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        ValueError: the value has no such form (a float that is not finite, an integer beyond 2**53).
    """
    return rfc8785.dumps(value)


def canonical_plain(value: Any) -> bytes:
    """Return the same for a value known to have no float, no integer beyond 2**53 and no key that leaves ASCII.

    For those, sorted keys and no spaces are all there is to RFC 8785, and a compiled writer does it.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
