"""The order in which kinds are projected: what is referred to before what refers to it."""

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from app.records import KINDS


def _ranks() -> dict[str, int]:
    rests_on = {kind.name: {to for _, _, allowed in kind.walks for to in allowed} - {kind.name} for kind in KINDS}
    return {name: rank for rank, name in enumerate(TopologicalSorter(rests_on).static_order())}


RANK: dict[str, int] = _ranks()


# The kinds of which a record may name another of its own kind.
AMONG_THEMSELVES = frozenset(kind.name for kind in KINDS for _, _, allowed in kind.walks if kind.name in allowed)

# What changes in the first kind changes what is known of the second, and so what rests on that.
PASSED_ON = frozenset(
    {
        ("place", "place"),
        ("violation", "violation"),
        ("crime", "violation"),
        ("source", "source"),
        ("source", "testimony"),  # what it is drawn from says which sources are independent of the account
        ("person", "testimony"),
    }
)


def unnamed() -> frozenset[str]:
    """Return the kinds that no record names but a link: nothing has to be looked at again when one is new."""
    named = {to for kind in KINDS if kind.name != "link" for _, _, allowed in kind.walks for to in allowed}
    return frozenset(RANK) - named - {"link"}


def knots(named: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return records in an order in which each comes after those that it names; those that name one another together.

    Args:
        named: the ids that each record names.

    Returns:
        The strongly connected components of that graph, each sorted: R. Tarjan, SIAM Journal on Computing 1 (1972).
    """
    found: list[list[str]] = []
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: dict[str, None] = {}
    for root in named:
        ways = [] if root in index else [(root, iter(named[root]))]
        while ways:
            one, rest = ways[-1]
            if one not in index:
                index[one] = low[one] = len(index)
                open_[one] = None
            for other in rest:
                if other not in index:
                    ways.append((other, iter(named.get(other, ()))))
                    break
                if other in open_:
                    low[one] = min(low[one], index[other])
            else:
                ways.pop()
                if ways:
                    low[ways[-1][0]] = min(low[ways[-1][0]], low[one])
                if low[one] == index[one]:
                    knot: list[str] = []
                    while not knot or knot[-1] != one:
                        knot.append(open_.popitem()[0])
                    found.append(sorted(knot))
    return found
