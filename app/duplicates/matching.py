"""Matching: records compared with one another by splink, in memory, on this machine; pure but for the time it takes.

The engine under it (DuckDB) may not read or write a file, reach a network or load an extension, and has one thread and
so much memory.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import pyarrow as pa

from app.core.duck import MEMORY, shut_in
from app.core.problems import Problem
from app.duplicates.model import MODELS, Comparison, settings

MOST_SHARING = 50  # records that share a key: one that more have says too little to compare them all
MOST_FOUND = 20_000  # pairs
LEAST = 0.5  # by which a pair is proposed
_LIST, _TEXT, _DAY = pa.list_(pa.string()), pa.string(), pa.int64()
_COLUMNS = {
    "person": {
        **dict.fromkeys(("names", "bones", "places", "above", "cited", "sources", "keys"), _LIST),
        **dict.fromkeys(("sex", "age"), _TEXT),
        **dict.fromkeys(("s0", "e1"), _DAY),
    },
    "incident": {
        **dict.fromkeys(("places", "above", "violations", "actors", "people", "told"), _LIST),
        **dict.fromkeys(("cited", "sources", "words", "keys"), _LIST),
        "scope": _TEXT,
        **dict.fromkeys(("s0", "e1", "victims"), _DAY),
    },
}


class Reason(NamedTuple):
    """One thing that two records were compared in: how alike they are, and what that says (log2; below 0: against)."""

    on: str
    says: str
    weight: float


class Pair(NamedTuple):
    """Two records that may be one, by their positions: how sure, and why, the weightiest first."""

    one: int
    other: int
    score: float
    reasons: tuple[Reason, ...]


def is_there() -> bool:
    """Tell whether what compares is installed."""
    return find_spec("splink") is not None and find_spec("duckdb") is not None


def compared(kind: str, likenesses: Sequence[Mapping[str, Any]], mine: Sequence[bool]) -> list[Pair]:
    """Return the pairs of records that may be one, at least one of each being one's own; the surest first.

    Args:
        kind: `person` or `incident`.
        likenesses: of each record what `likeness` makes of it; their lists of keys are shortened here.
        mine: of each record whether it is one's own.

    Raises:
        Problem: unavailable, where what compares is not installed, or there is not enough memory for it.
    """
    if not is_there():
        detail = "Nothing is compared here: install the extra `duplicates` (docs/duplicates.md)."
        raise Problem("unavailable", detail)
    told = _telling(likenesses)
    if not told:
        return []
    import duckdb
    from splink import DuckDBAPI, Linker

    with shut_in() as connection:
        table = DuckDBAPI(connection=connection).register(_table(kind, likenesses, mine, told))
        try:
            linker: Any = Linker(table, settings(MODELS[kind]), log_level=None)
            found = linker.inference.predict(threshold_match_probability=LEAST).as_pyarrow_table()
        except duckdb.OutOfMemoryException:
            detail = f"Comparing these records takes more than {MEMORY} of memory."
            raise Problem("unavailable", detail) from None
    pairs = list(_pairs(MODELS[kind], found))
    pairs.sort(key=lambda pair: (-pair.score, pair.one, pair.other))
    return pairs[:MOST_FOUND]


def _telling(likenesses: Sequence[Mapping[str, Any]]) -> list[int]:
    """Shorten the keys to those that few records share; return the positions of the records that have one."""
    shared = Counter(key for one in likenesses for key in one["keys"])
    for one in likenesses:
        one["keys"][:] = [key for key in one["keys"] if 1 < shared[key] <= MOST_SHARING]
    return [position for position, one in enumerate(likenesses) if one["keys"]]


def _table(kind: str, likenesses: Sequence[Mapping[str, Any]], mine: Sequence[bool], told: Iterable[int]) -> "pa.Table":
    positions = list(told)
    columns = {
        name: pa.array([likenesses[at][name] for at in positions], type_) for name, type_ in _COLUMNS[kind].items()
    }
    ids, own = pa.array(positions, pa.int64()), pa.array([mine[at] for at in positions], pa.bool_())
    return pa.table({"unique_id": ids, "mine": own, **columns})


def _pairs(comparisons: Sequence[Comparison], found: "pa.Table") -> Iterator[Pair]:
    weights = {
        one.on: {_rounded(math.log2(level.m / level.u)): level.says for level in one.levels} for one in comparisons
    }
    for row in found.to_pylist():
        reasons = []
        for one in comparisons:
            weight = _rounded(row[f"mw_{one.on}"])
            if (says := weights[one.on].get(weight)) is not None:
                reasons.append(Reason(one.on, says, weight))
        reasons.sort(key=lambda reason: -reason.weight)
        first, second = sorted((row["unique_id_l"], row["unique_id_r"]))
        yield Pair(first, second, round(row["match_probability"], 4), tuple(reasons))


def _rounded(weight: float) -> float:
    return round(weight, 2)
