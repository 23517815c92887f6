"""Resolving: what a question means in one view: do the records it names exist there, and which values are bound."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from app.catalogue import when
from app.catalogue.asked import MOST_FAULTS, Asked
from app.catalogue.parameter import Parameter, shortened
from app.catalogue.parameters import vocabulary
from app.catalogue.query import Form, Group, Queries, rounded
from app.catalogue.relations import Relation
from app.catalogue.tables import term_id
from app.core.db import Snapshot
from app.core.ids import k_of
from app.core.problems import Fault, invalid, nearest, not_found
from app.records import BY_NAME, pick

MOST_HINTS = 5  # faults of one answer that name what is nearest
FEW = 2000  # records that may be sorted when they are asked for
NO_ID = re.compile("[^A-Za-z0-9.-]")  # what has such a sign is a name, and no misspelt id
NEAR = 400  # ids on either side among which the nearest one is looked for


class Filter(NamedTuple):
    """One filter with its values bound: the form of its group, the values, and how many rows its terms have at most."""

    name: str
    group: Group
    values: list[Any]
    n: int | None = None
    facet: str | None = None  # that its values are terms of, if they are of one


class Plain(NamedTuple):
    """All rows of a kind, or all that have one term; how many there are."""

    term: int | None
    n: int


@dataclass
class Resolved:
    """A question in one view: filters with their values, days of its periods, the rows of its kind."""

    asked: Asked
    view: int
    filters: list[Filter]
    days: dict[str, int]
    rows: int
    nothing: bool = False  # no record can fit
    faults: list[Fault] = field(default_factory=list)

    @property
    def plain(self) -> Plain | None:
        """What it is about, time aside, if that is plain: all of the kind, or one term of it."""
        if not self.filters:
            return Plain(None, self.rows)
        one = self.filters[0]
        if len(self.filters) > 1 or one.group != Group("terms") or one.n is None:
            return None
        return Plain(one.values[0], one.n)

    def finds_nothing(self, without: str | None = None) -> bool:
        """Tell whether no record can fit, one filter aside."""
        return any((not one.values or one.n == 0) for one in self.filters if one.name != without)

    def terms(self, without: str | None = None) -> list[tuple[str, list[int]]] | None:
        """Return facets and terms if it asks for nothing else, time aside, one filter left out; else None."""
        filters = [one for one in self.filters if one.name != without]
        if any(one.facet is None for one in filters):
            return None
        return [(str(one.facet), one.values) for one in filters]

    def question(
        self, without: Iterable[str] = (), more: Sequence[Filter] = (), timeless: bool = False, pages: bool = False
    ) -> "Question":
        """Return the form and the values, without some filters, with some more, or with nothing about time.

        It is made for counting, or for `pages`, which are in order.
        """
        filters = [one for one in self.filters if one.name not in without] + list(more)
        groups = tuple(one.group for one in filters)
        driver = _driver(filters, FEW if pages else self.rows // 4)
        form = Form(groups, when.ALWAYS if timeless else self.asked.when, driver)
        values = {"view": self.view, "kind": self.asked.kind.name}
        for i, one in enumerate(filters):
            values.update((f"g{i}_{j}", value) for j, value in enumerate(one.values))
        scanned = self.rows if form.driver is None else filters[form.driver].n or 0
        if any(one.group.way == "keys" for one in filters):
            scanned = min(scanned, *(len(one.values) for one in filters if one.group.way == "keys"))
        days = self.days if not timeless else when.days({}, when.ALWAYS, ())
        return Question(form, values | days, scanned)


class Question(NamedTuple):
    """What a statement is made from, the values that it is run with, and how many rows it looks at, at most."""

    form: Form
    values: dict[str, Any]
    scanned: int


def _driver(filters: Sequence[Filter], most: int) -> int | None:
    """Return the position of the rarest filter by terms; one by several terms, only if it has at most so many rows."""
    if any(one.group.way in ("keys", "words") for one in filters):
        return None  # few records, found by their keys
    able = [(one.n, i) for i, one in enumerate(filters) if one.n is not None and (one.group.n == 1 or one.n <= most)]
    return min(able)[1] if able else None


class Resolver:
    """Resolves one question in one snapshot."""

    def __init__(self, snapshot: Snapshot, queries: Queries, view: int) -> None:
        """Look things up in a snapshot of a view."""
        self._snapshot = snapshot
        self._queries = queries
        self._view = view

    async def resolve(self, asked: Asked, relation: Relation | None, one: str) -> Resolved:
        """Return a question with its values bound; `relation` and `one` restrict it to what belongs to one record.

        Raises:
            Problem: invalid-request where a record is named that the view is not shown; not-found where that is `one`.
        """
        found = Resolved(asked, self._view, [], {}, await self.rows_of(asked.kind.name))
        if relation is not None:
            found.filters.append(await self._related(relation, one))
        known = vocabulary(asked.kind)
        spans: list[tuple[int, int]] = []
        for name, values in asked.given.items():
            parameter = known[name]
            if name == "period":
                rows = [await self._named(parameter, value, found.faults) for value in values]
                spans += [(row[2], row[3]) for row in rows if row is not None]
            elif parameter.role == "filter":
                found.filters.append(await self._filter(asked, parameter, values, found.faults))
        if found.faults:
            raise invalid(found.faults[:MOST_FAULTS])
        found.days = when.days(asked.given, asked.when, spans)
        found.nothing = found.finds_nothing()
        return found

    async def rows_of(self, kind: str) -> int:
        """Return how many records of a kind the view is shown."""
        row = await self._snapshot.one(self._queries.kind_count, self._about(kind, facet="owner"))
        return int(row[0]) if row else 0

    async def words(self, kind: str, facet: str) -> list[str]:
        """Return the words of an open facet that the view's records have."""
        rows = await self._snapshot.all(self._queries.words, self._about(kind, facet=facet))
        return [row[0] for row in rows]

    async def ids(self, kind: str, most: int) -> list[str]:
        """Return the first ids of a kind."""
        rows = await self._snapshot.all(self._queries.ids_from, self._about(kind, id="", limit=most))
        return [row[0] for row in rows]

    async def terms(self, name: str, pairs: Sequence[tuple[str, str]], kind: str) -> Filter:
        """Return the filter by any of some terms (facet, value) of a kind."""
        numbers = rounded([term_id(kind, facet, value) for facet, value in pairs])
        n = sum([await self.rows_with(number) for number in set(numbers)])
        facets = {facet for facet, _ in pairs}
        return Filter(name, Group("terms", n=len(numbers)), numbers, n, facets.pop() if len(facets) == 1 else None)

    def _bound(self, keys: Filter) -> dict[str, Any]:
        return {"view": self._view} | {f"g0_{i}": value for i, value in enumerate(keys.values)}

    def _about(self, kind: str, **more: Any) -> dict[str, Any]:
        return {"view": self._view, "kind": kind, **more}

    async def rows_with(self, term: int) -> int:
        """Return how many records with a term the view is shown."""
        row = await self._snapshot.one(self._queries.term_count, {"view": self._view, "term": term})
        return 0 if row is None else int(row[0])

    async def _by_id(self, identifier: str) -> tuple[Any, ...] | None:
        row = await self._snapshot.one(self._queries.by_k, {"view": self._view, "k": k_of(identifier)})
        return row if row is not None and row[0] == identifier else None

    async def _related(self, relation: Relation, identifier: str) -> Filter:
        row = await self._by_id(identifier)
        if row is None or row[1] != relation.of:
            raise not_found()
        if relation.path is not None:
            return _keys("", pick(relation.path, orjson.loads(row[4])))
        return await self.terms("", [(facet, identifier) for facet in relation.facets], relation.to)

    async def _filter(self, asked: Asked, parameter: Parameter, values: tuple[Any, ...], faults: list[Fault]) -> Filter:
        if parameter.name == "q":
            wanted = self._queries.wanted(values[0].wanted)
            return Filter("q", Group("words", str(self._view)), [wanted])
        if parameter.where is not None:
            return Filter(parameter.name, Group("test", parameter.name), list(parameter.parts(values[0])))
        if parameter.name == "ids":
            found = _keys(parameter.name, values)
            rows = await self._snapshot.all(self._queries.by_keys(found.group.n), self._bound(found))
            for value in sorted({*values} - {row[0] for row in rows if row[1] == asked.kind.name}):
                faults.append(await self._unknown(parameter, value, (asked.kind.name,), len(faults)))
            return found
        if parameter.of is not None:
            row = await self._named(parameter, values[0], faults)
            return _keys(parameter.name, pick(parameter.of[1], orjson.loads(row[4])) if row else ())
        for value in values:
            if parameter.targets:
                await self._named(parameter, value, faults)
            elif parameter.open and not await self.rows_with(term_id(asked.kind.name, str(parameter.facet), value)):
                known = await self.words(asked.kind.name, str(parameter.facet))
                faults.append(_fault(parameter, value, "no value that any record here has", known))
        return await self.terms(parameter.name, [(str(parameter.facet), value) for value in values], asked.kind.name)

    async def _named(self, parameter: Parameter, value: str, faults: list[Fault]) -> tuple[Any, ...] | None:
        """Return the row of the record that a value names; a fault where the view is shown none."""
        row = await self._by_id(value)
        if row is not None and row[1] in parameter.targets:
            return row
        faults.append(await self._unknown(parameter, value, parameter.targets, len(faults)))
        return None

    async def _unknown(self, parameter: Parameter, value: str, kinds: tuple[str, ...], faults: int) -> Fault:
        asked = faults < MOST_HINTS and not NO_ID.search(value)
        near = [one for kind in kinds for one in await self._near(kind, value)] if asked else []
        if len(kinds) > 1:
            return _fault(parameter, value, "no record that you may see", near)
        fault = _fault(parameter, value, f"no {kinds[0].replace('-', ' ')} that you may see", near)
        by_name = f" An id is asked for: /v1/{BY_NAME[kinds[0]].path}?q=… finds it by the name."
        return fault if "Did you mean" in fault.detail else replace(fault, detail=fault.detail + by_name)

    async def _near(self, kind: str, value: str) -> list[str]:
        """Return ids among which the nearest one is; of random ids only their neighbours in order can be near."""
        most = 2 if BY_NAME[kind].opaque else NEAR
        about = self._about(kind, id=value, limit=most)
        rows = await self._snapshot.all(self._queries.ids_from, about)
        rows += await self._snapshot.all(self._queries.ids_before, about)
        return [row[0] for row in rows]


def _fault(parameter: Parameter, value: str, what: str, known: Sequence[str]) -> Fault:
    return Fault("query", parameter.name, f"'{shortened(value)}' is {what}. {nearest(value, known)}".rstrip())


def _keys(name: str, identifiers: Iterable[str]) -> Filter:
    keys = rounded(sorted({k_of(identifier) for identifier in identifiers}))
    return Filter(name, Group("keys", n=len(keys)), keys)
