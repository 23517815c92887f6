"""A kind of record as data, and the two walks over a record: which others it names, and what it is filed under."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.core.canonical import canonical, canonical_plain
from app.records.base import Content
from app.records.shown import ShownRecord

Walk = Callable[[Any], list[Any]]


@dataclass(frozen=True)
class Kind:
    """All that the rest of the service has to know of a kind of record; it never asks `if kind == …`.

    Paths are dotted; `[]` after a name means each member of that list: `acts[].violation`. `|` joins paths.

    Attributes:
        name: as in a record's `kind`, `weapons-event`.
        path: as in the address, `weapons-events`.
        title: a heading, `Weapons events`.
        about: one sentence for people who read the API's documentation.
        model: what a submitter fills in.
        shown: what the API answers.
        prefix: the three letters that an opaque id of this kind begins with; None where ids are readable.
        opaque: every id of this kind is opaque (of an actor only a natural person's: see `draws_id`).
        people: it is about people, so it must say on what basis it may be shown (`disclosure_basis`).
        hierarchical: a record has at most one `parent` of the same kind, and what is filed under it is under that too.
        geometry: an answer has a `geometry`.
        date: the field whose EDTF says when it happened or was so; None: this kind has no date.
        dates: paths of every EDTF text of the content; an answer shows each as a date with its bounds.
        references: (path in the content, kinds that the id found there may be of).
        facets: name of a filter or relation -> path in the record as shown.
        hidden: content fields that no answer ever shows under their own name.
    """

    name: str
    path: str
    title: str
    about: str
    model: type[Content]
    shown: type[ShownRecord]
    references: tuple[tuple[str, str | tuple[str, ...]], ...]
    facets: Mapping[str, str]
    prefix: str | None = None
    opaque: bool = False
    people: bool = False
    hierarchical: bool = False
    geometry: bool = False
    date: str | None = None
    dates: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset({"slug"})
    walks: tuple[tuple[str, Walk, tuple[str, ...]], ...] = field(init=False, repr=False, compare=False)
    has_floats: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the reference paths once: they are walked for every record of a load."""
        walks = ((path, walk(path), (to,) if isinstance(to, str) else to) for path, to in self.references)
        object.__setattr__(self, "walks", tuple(walks))
        object.__setattr__(self, "has_floats", "'number'" in str(self.model.model_json_schema()))

    def draws_id(self, content: Mapping[str, Any]) -> bool:
        """Tell whether a record with this content takes an opaque id (and is given one where it states none)."""
        return self.opaque or (self.prefix is not None and content.get("type") == "natural-person")

    def canonical(self, content: Mapping[str, Any]) -> bytes:
        """Return the canonical bytes (RFC 8785) of a content that the model of this kind let in.

        Models let in no large integer and no key that leaves ASCII, so where there is no float the quick way is right.
        """
        return canonical(content) if self.has_floats else canonical_plain(content)


def references(kind: Kind, content: Mapping[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return every id of another record that a content names: (path, id, kinds it may be of). A source cites itself."""
    own = content.get("id")
    return [(path, to, allowed) for path, find, allowed in kind.walks for to in find(content) if to != own]


def pick(path: str, record: Mapping[str, Any]) -> list[Any]:
    """Return what stands at a path of a record; empty where there is nothing, and a list's members one by one."""
    return walk(path)(record)


@lru_cache(maxsize=1024)
def walk(path: str) -> Walk:
    """Compile a path into a function of a record."""
    ways = [_compile(tuple(one.split("."))) for one in path.split("|")]
    if len(ways) == 1:
        return ways[0]
    return lambda record: [value for way in ways for value in way(record)]


def _compile(steps: tuple[str, ...]) -> Walk:
    name, each = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    if len(steps) == 1:

        def last(record: Any) -> list[Any]:
            value = record.get(name)
            if value is None:
                return []
            return value if type(value) is list else [value]

        return last
    rest = _compile(steps[1:])
    if each:

        def members(record: Any) -> list[Any]:
            values = record.get(name)
            return [found for value in values for found in rest(value)] if values else []

        return members

    def inside(record: Any) -> list[Any]:
        value = record.get(name)
        return rest(value) if value else []

    return inside
