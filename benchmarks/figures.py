"""What is worked out from figures: ratios taken round by round, their spread, and how a cost grows. Pure."""

from collections.abc import Iterable, Sequence
from math import inf
from statistics import median
from typing import NamedTuple

from benchmarks.serving import Figure


class Spread(NamedTuple):
    """The least, the median and the most of some values."""

    least: float
    median: float
    most: float


def spread(values: Iterable[float]) -> Spread:
    """Return the spread of at least one value."""
    known = sorted(values)
    return Spread(known[0], median(known), known[-1])


def times(one: float, other: float) -> float:
    """Return how many times as much one is; without end where the other is nothing: it gave no answer in time."""
    return one / other if other else inf


class Rates:
    """Requests a second by system, run and round."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        """Sort figures; systems stay in the order in which they come."""
        self.systems = list(dict.fromkeys(one.system for one in figures))
        self._rates = {(one.system, one.run, one.round): one.rate for one in figures}
        self._rounds = sorted({one.round for one in figures})

    def of(self, system: str, run: str) -> Spread | None:
        """Return what a system answered in a run; None where it took no part."""
        rates = [self._rates[key] for n in self._rounds if (key := (system, run, n)) in self._rates]
        return spread(rates) if rates else None

    def over(self, one: tuple[str, str], other: tuple[str, str]) -> Spread | None:
        """Return how many times as many one answered as the other, taken round by round.

        Args:
            one: a system and a run.
            other: the same.
        """
        pairs = [((*one, n), (*other, n)) for n in self._rounds]
        shares = [times(self._rates[a], self._rates[b]) for a, b in pairs if a in self._rates and b in self._rates]
        return spread(shares) if shares else None


def growth(costs: Sequence[tuple[int, float]]) -> float:
    """Return how many times as much the largest size costs as the smallest.

    Args:
        costs: records, and the cost of a request.
    """
    ordered = sorted(costs)
    return times(ordered[-1][1], ordered[0][1])


def per_million(costs: Sequence[tuple[int, float]]) -> float:
    """Return what a million records more cost: the slope from the smallest size to the largest.

    Args:
        costs: records, and the cost of a request.
    """
    (fewest, low), (most, high) = min(costs), max(costs)
    return (high - low) / (most - fewest) * 1e6 if most > fewest else 0.0
