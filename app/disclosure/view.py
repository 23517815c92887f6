"""A view: one audience, with one purpose and one recipient profile; and what may be asked about other records."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class View:
    """Who is shown something, what for, and which conditions on recipients they satisfy."""

    id: int
    audience: str
    purpose: str
    recipient: frozenset[str] = frozenset()
    owner: str | None = None  # whose own records it shows whole; None: a view of no organisation in particular

    def owns(self, owner: str | None) -> bool:
        """Tell whether a record of this owner is the view's own."""
        return self.owner is not None and self.owner == owner

    @property
    def is_mechanism(self) -> bool:
        """Tell whether this is an accountability mechanism, or a named body below one."""
        return self.audience.partition(":")[0] == "mechanism"


class Facts(Protocol):
    """What a projection may ask about the records that one rests on; the answers hold for every view but the first."""

    def visible(self, view: int, record: str) -> bool:
        """Tell whether a view is shown this record."""
        ...

    def lineage(self, record: str) -> tuple[str, ...]:
        """Return a place or violation and everything above it, itself first."""
        ...

    def kind_of(self, record: str) -> str | None:
        """Return the kind of a record, whatever became of it."""
        ...

    def type_of(self, record: str) -> str | None:
        """Return the type of a place or actor."""
        ...

    def geometry(self, place: str) -> Mapping[str, Any] | None:
        """Return the GeoJSON geometry of a place."""
        ...

    def crimes(self, violation: str) -> tuple[str, ...]:
        """Return the crimes that a violation may amount to."""
        ...

    def derived_from(self, source: str) -> tuple[str, ...]:
        """Return the sources that a source draws on."""
        ...

    def testimony(self, record: str) -> "Account | None":
        """Return a testimony as submitted; None when there is none, or it is gone."""
        ...

    def person(self, record: str) -> "Account | None":
        """Return a person as submitted; None when there is none, or they are gone."""
        ...

    def owner_of(self, record: str) -> str | None:
        """Return the organisation that holds a record, whatever became of it."""
        ...

    def objects(self, person: str) -> bool:
        """Tell whether a person objected to being shown or named, whatever became of their record since."""
        ...

    def linked(self, person: str) -> tuple[str, ...]:
        """Return the people of other organisations of whom whoever holds a person says that they are this one."""
        ...

    def leads_to(self, record: str) -> str:
        """Return the record that an id leads to: itself, unless it was merged into another one."""
        ...


def lineage(record: str, hidden: frozenset[str], facts: Facts) -> tuple[str, ...]:
    """Return a place or violation and what stands above it, up to the first that the view is not shown.

    Where a hidden place lies is as hidden as the place.
    """
    line = facts.lineage(record)
    return line if hidden.isdisjoint(line) else tuple(takewhile(lambda one: one not in hidden, line))


@dataclass(frozen=True, slots=True)
class Account:
    """A testimony or person as submitted, and whether the consent has run out."""

    content: Mapping[str, Any]
    expired: bool = False
    owner: str | None = None
