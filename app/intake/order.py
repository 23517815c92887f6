"""The order in which kinds are projected: what is referred to before what refers to it."""

from graphlib import TopologicalSorter

from app.records import KINDS


def _ranks() -> dict[str, int]:
    rests_on = {kind.name: {to for _, _, allowed in kind.walks for to in allowed} - {kind.name} for kind in KINDS}
    return {name: rank for rank, name in enumerate(TopologicalSorter(rests_on).static_order())}


RANK: dict[str, int] = _ranks()


# The kinds of which a record may name another of its own kind.
AMONG_THEMSELVES = frozenset(kind.name for kind in KINDS for _, _, allowed in kind.walks if kind.name in allowed)


def unnamed() -> frozenset[str]:
    """Return the kinds that no record names but a link: nothing has to be looked at again when one is new."""
    named = {to for kind in KINDS if kind.name != "link" for _, _, allowed in kind.walks for to in allowed}
    return frozenset(RANK) - named - {"link"}
