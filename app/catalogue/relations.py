"""Relations: every reference of every kind, seen from both of its ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from app.records import BY_NAME, KINDS, Kind


@dataclass(frozen=True)
class Relation:
    """A list of records that belong to one record: the address `/v1/{kind of the one}/{id}/{name}`.

    Attributes:
        of: the name of the kind of the one record.
        name: the last part of the address.
        to: the name of the kind that is listed.
        facets: facets of the listed kind that hold the one record's id; empty where the one record names the listed.
        path: where the one record, as shown, names the listed records; None where they name it.
    """

    of: str
    name: str
    to: str
    facets: tuple[str, ...] = ()
    path: str | None = None

    @property
    def doc(self) -> str:
        """One sentence for people."""
        one, many = BY_NAME[self.of].name.replace("-", " "), BY_NAME[self.to].title.lower()
        if self.path is None:
            return f"The {many} that name one {one}."
        if self.of == self.to:
            return f"The {many} that one {one} names in '{self.path.partition('.')[0].removesuffix('[]')}'."
        return f"The {many} that one {one} names."


def targets(kind: Kind, facet: str) -> tuple[str, ...]:
    """Return the kinds of the records that the values of a facet name; empty where they are plain words."""
    ways = set(kind.facets[facet].split("|"))
    named = [(to,) if isinstance(to, str) else to for path, to in kind.references if path in ways]
    return tuple(dict.fromkeys(one for to in named for one in to))


def outward(kind: Kind, to: str) -> str | None:
    """Return the path at which a kind's records, as shown, name records of another kind; None where they do not."""
    paths = [path for facet, path in kind.facets.items() if to in targets(kind, facet)]
    return "|".join(paths) or None


@cache
def relations() -> dict[tuple[str, str], Relation]:
    """Return every relation: (path of the kind of the one record, name) -> relation."""
    found = {(BY_NAME[one.of].path, one.name): one for kind in KINDS for one in _of(kind)}
    return dict(sorted(found.items()))


def _of(kind: Kind) -> Iterator[Relation]:
    """The relations of a kind: first what names it, then what it names; itself under the names of its fields."""
    for other in KINDS:
        if other.name != kind.name and (path := outward(kind, other.name)):
            yield Relation(kind.name, other.path, other.name, path=path)
    for other in KINDS:
        facets = tuple(facet for facet in other.facets if kind.name in targets(other, facet))
        if facets:
            yield Relation(kind.name, other.path, other.name, facets=facets)
    for way in (outward(kind, kind.name) or "").split("|"):
        if way:
            name = way.partition(".")[0].removesuffix("[]").replace("_", "-")
            yield Relation(kind.name, name, kind.name, path=way)
