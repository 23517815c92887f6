"""Where the history of a record begins: the newest change of it that each view was shown, as one value of its row."""

import struct
from collections.abc import Iterable, Mapping

_ONE = struct.Struct(">BQ")


def pack(newest: Mapping[int, int]) -> bytes:
    """Return the value for the newest `seq` of each view."""
    return b"".join([_ONE.pack(view, newest[view]) for view in sorted(newest)])


def unpack(value: bytes) -> dict[int, int]:
    """Return the newest `seq` of each view that was ever shown the record."""
    return dict(_pairs(value))


def _pairs(value: bytes) -> Iterable[tuple[int, int]]:
    return _ONE.iter_unpack(value)
