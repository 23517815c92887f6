"""Queries: the form of a question -> one SQL statement that begins with the view, compiled once for each form."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    String,
    Table,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    tuple_,
)

from app.catalogue import when
from app.catalogue.columns import PACKED
from app.catalogue.parameters import tests
from app.catalogue.tables import POSTING, ROW, SEARCHED, TERM, TERM_COUNT, VIEW, WORD
from app.catalogue.tally import conditions
from app.catalogue.when import ALWAYS, Dates, When
from app.core.db import Database, Prepared
from app.vault.tables import DISCLOSED
from app.vocabulary.edtf import BEFORE_ALL, UNDATED

NEAR = 5_000  # words that are compared with one that is nowhere
FORMS = 512  # compiled statements that are kept: a filter has few forms, whatever its values


class Group(NamedTuple):
    """One filter: a record fits it when it fits any of its values.

    `terms`: has one of n terms. `keys`: is one of n records. `test`: fits the expression of the named parameter.
    `words`: has what is looked for in its texts; its name is the number of the view.
    The n of a form is rounded up to a power of two, the last value repeated, so that there are few forms.
    """

    way: Literal["terms", "keys", "test", "words"]
    name: str = ""
    n: int = 1


@dataclass(frozen=True)
class Form:
    """A question without its values: which groups, what about time, and which group the index is read by.

    Attributes:
        driver: the position of the group whose postings are read: those of one term lie in the order of dates, those
            of several have to be few, or only to be counted; None: the rows of the kind are read.
    """

    groups: tuple[Group, ...] = ()
    when: When = ALWAYS
    driver: int | None = None


def rounded(values: Sequence[Any]) -> list[Any]:
    """Return the values, the last one repeated until there are a power of two."""
    if not values:
        return []
    size = 1 << (len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (size - len(values))]


@dataclass(frozen=True)
class _Parts:
    """What a statement is built from: where the dates are read, where the row is, and what has to hold."""

    dates: FromClause
    row: FromClause
    where: list[ColumnElement[bool]]

    @property
    def bounds(self) -> Dates:
        """The bounds, such that no range of an index is read by them: `low` and `top` are there for that."""
        c = self.dates.c
        return Dates(c.s0 + 0, c.s1 + 0, c.e0 + 0, c.e1 + 0)  # adding nothing keeps the planner from it


def _bind(name: str, type_: Any) -> Any:
    return bindparam(name, type_=type_)


def _day(name: str) -> Any:
    return _bind(name, Integer)


_VIEW = _bind("view", SmallInteger)


def _parts(database: Database, form: Form, with_row: bool, by: int | None) -> _Parts:
    row = ROW.alias("r")
    if by is None:
        kind: Any = row.c.kind + "" if _by_keys_alone(form) else row.c.kind
        parts = _Parts(row, row, [row.c.view == _VIEW, kind == _bind("kind", String)])
        # No index has `seq`: one that had all that is asked would be read from end to end rather than keys looked up.
        parts.where.extend([row.c.seq >= 0] if _by_keys_alone(form) else [])
    else:
        posting = POSTING.alias("p")
        parts = _Parts(posting, row, [posting.c.view == _VIEW, *_read_by(posting, by, form.groups[by].n)])
        if with_row or any(group.way == "test" and tests()[group.name].of_row for group in form.groups):
            parts.where.extend([row.c.view == posting.c.view, row.c.k == posting.c.k])
    parts.where.extend([_holds(database, i, group, parts) for i, group in enumerate(form.groups) if i != by])
    return parts


def _read_by(posting: FromClause, by: int, n: int) -> list[ColumnElement[bool]]:
    """Return what limits the postings to those of a group's terms; of a record with several, to its least one."""
    values, c = [_bind(f"g{by}_{j}", BigInteger) for j in range(n)], posting.c
    if n == 1:
        return [c.term == values[0]]
    less = POSTING.alias("least").c
    here = and_(less.view == _VIEW, less.term.in_(values), less.term < c.term, less.s0 == c.s0, less.k == c.k)
    return [c.term.in_(values), ~exists(select(less.k).where(here))]


def _by_keys_alone(form: Form) -> bool:
    """Tell whether the rows are few and found by their keys: then no index of the kind's rows is to be read."""
    return any(group.way in ("keys", "words") for group in form.groups)


def _holds(database: Database, i: int, group: Group, parts: _Parts) -> ColumnElement[bool]:
    if group.way == "test":
        parameter = tests()[group.name]
        binds = [_bind(f"g{i}_{j}", type_) for j, type_ in enumerate(parameter.types)]
        assert parameter.where is not None  # noqa: S101 - `tests` has only those
        return parameter.where(parts.row if parameter.of_row else parts.dates, *binds)
    if group.way == "words":
        return parts.dates.c.k.in_(database.found(SEARCHED, int(group.name), _bind(f"g{i}_0", String)))
    values = [_bind(f"g{i}_{j}", BigInteger) for j in range(group.n)]
    if group.way == "keys":
        return parts.dates.c.k.in_(values)
    other, c = POSTING.alias(f"x{i}"), parts.dates.c
    term = other.c.term == values[0] if group.n == 1 else other.c.term.in_(values)
    here = and_(other.c.view == _VIEW, term, other.c.s0 == c.s0, other.c.k == c.k)
    return exists(select(other.c.k).where(here))


class Queries:
    """The statements of one database, each compiled when its form is first asked for."""

    def __init__(self, database: Database) -> None:
        """Compile for a database."""
        self.page = lru_cache(FORMS)(partial(_page, database))
        self.counts = lru_cache(FORMS)(partial(_counts, database))
        self.packed = lru_cache(FORMS)(partial(_packed, database))
        self.found_keys = lru_cache(64)(partial(_found_keys, database))
        self.undated = lru_cache(FORMS)(partial(_undated, database))
        self.groups = lru_cache(FORMS)(partial(_groups, database))
        self.terms = database.prepare(_terms())
        self.by_keys = lru_cache(16)(lambda n: database.prepare(_by_keys(n)))
        self.wanted = database.wanted
        self.having = lru_cache(16)(lambda n: database.prepare(_having(n)))
        self.words_between = database.prepare(_words_between())
        self.first_with = lru_cache(64)(partial(_first_with, database))
        self.texts = lru_cache(16)(lambda n: database.prepare(_of_keys(SEARCHED, ("terms",), n)))
        self.bodies = lru_cache(16)(lambda n: database.prepare(_of_keys(ROW, ("body",), n)))
        self.placed = lru_cache(16)(lambda n: database.prepare(_of_keys(ROW, ("s0", "kind"), n)))
        self.listed = lru_cache(16)(lambda n: database.prepare(_of_keys(ROW, ("body", "kind", "id"), n)))
        self.one = database.prepare(_one())
        self.state = database.prepare(_state())
        self.about = database.prepare(_about())
        self.by_k = database.prepare(_by_k())
        self.term_count = database.prepare(_term_count())
        self.kind_count = database.prepare(_kind_count())
        self.words = database.prepare(_words())
        self.ids_from = database.prepare(_neighbours(True))
        self.ids_before = database.prepare(_neighbours(False))


def _page(database: Database, form: Form, sort: str, after: bool, limited: bool) -> Prepared:
    """One page: body, sort value, k; `low` and `top` limit the first day.

    With `after` it begins behind a place (`after`, `after_k`); with `limited` it ends after `limit` rows.
    """
    descending, by = sort.startswith("-"), sort.removeprefix("-")
    parts = _parts(database, form, True, form.driver if by == "date" else None)
    c, row = parts.dates.c, parts.row
    where = list(parts.where)
    if (fits := when.fits(parts.bounds, _day, form.when)) is not None:
        where.append(fits)
    if form.when.side is not None:
        where.append(when.lies(parts.bounds, _day, form.when.at, form.when.side))
    if by == "date":
        keys = [c.s0 + 0, c.k] if _by_keys_alone(form) else [c.s0, c.k]
        # With a place to begin behind, that is the limit on its side; an index is read between two limits only.
        where += [] if after and not descending else [keys[0] >= _bind("low", Integer)]
        where += [] if after and descending else [keys[0] <= _bind("top", Integer)]
        binds = [_bind("after", Integer), _bind("after_k", BigInteger)]
    else:
        if form.when.bounded:
            where += [c.s0 + 0 >= _bind("low", Integer), c.s0 + 0 <= _bind("top", Integer)]
        keys = [row.c.id] if by == "id" else [row.c.updated, row.c.k]
        binds = [_bind("after", String if by == "id" else BigInteger), _bind("after_k", BigInteger)][: len(keys)]
    if after:
        left, right = tuple_(*keys), tuple_(*binds)
        where.append(left < right if descending else left > right)
    statement = select(row.c.body, keys[0], c.k).where(*where)
    statement = statement.order_by(*[key.desc() if descending else key for key in keys])
    return database.prepare(statement.limit(_bind("limit", Integer)) if limited else statement)


def _counts(database: Database, form: Form) -> Prepared:
    """The numbers of `Counted`, in its order."""
    parts = _parts(database, form, False, form.driver)
    c, where = parts.dates.c, list(parts.where)
    every, each = conditions(parts.bounds, _day, form.when)
    if every is not None:
        where += [every, c.s0 >= BEFORE_ALL, c.s0 <= _bind("all_top", Integer)]
    columns = [literal_column("0", Integer) if stated is None else _count(stated) for stated in each]
    statement: Any = select(*columns)
    return database.prepare(statement.where(*where))


def _count(stated: Sequence[ColumnElement[bool]]) -> ColumnElement[int]:
    return func.count().filter(*stated) if stated else func.count()


def _packed(database: Database, form: Form) -> Prepared:
    """All that a question without time finds, as one value (`columns.PACKED`)."""
    parts = _parts(database, form, False, form.driver)
    columns = [parts.dates.c[name] for name in PACKED.names or ()]
    every = select(*columns).where(*parts.where).subquery()
    return database.prepare(select(database.packed(list(every.c))))


def _found_keys(database: Database, view: int) -> Prepared:
    """The keys of all records of a view in whose texts something is found, as one value: 8 bytes each."""
    found = database.found(SEARCHED, view, _bind("wanted", String)).subquery()
    return database.prepare(select(database.packed(list(found.c))))


def _undated(database: Database, form: Form) -> Prepared:
    """How many of a question without time have no date."""
    parts = _parts(database, form, False, form.driver)
    return database.prepare(select(func.count()).where(*parts.where, parts.dates.c.s0 == UNDATED))


def _chosen(bounds: Dates, asked: When) -> list[ColumnElement[bool]]:
    """Return what has to hold of the dates of the records that a question about time lists."""
    fits = when.fits(bounds, _day, asked)
    return ([] if fits is None else [fits]) + (
        [] if asked.side is None else [when.lies(bounds, _day, asked.at, asked.side)]
    )


def _groups(database: Database, form: Form, facets: int, spans: bool) -> Prepared:
    """How many of what a question lists have each value of facets and, with `spans`, each first and last day.

    The values (of `facet0`, `facet1`), s0 and e1, and the number.
    """
    if not facets:
        parts = _parts(database, form, False, form.driver)
        keys: list[Any] = []
    else:
        first, row = POSTING.alias("p0"), ROW.alias("r")
        parts = _Parts(first, row, [first.c.view == _VIEW])
        keys = [_value(parts, first.c, i) for i in range(facets)]
        if any(group.way == "test" and tests()[group.name].of_row for group in form.groups):
            parts.where.extend([row.c.view == first.c.view, row.c.k == first.c.k])
        parts.where.extend([_holds(database, i, group, parts) for i, group in enumerate(form.groups)])
    keys += [parts.dates.c.s0, parts.dates.c.e1] if spans else []
    statement = select(*keys, func.count()).where(*parts.where, *_chosen(parts.bounds, form.when))
    return database.prepare(statement.group_by(*keys))


def _value(parts: _Parts, first: Any, i: int) -> Any:
    """Return the value of a facet, and limit the parts to the postings of its terms."""
    term, count = TERM.alias(f"t{i}").c, TERM_COUNT.alias(f"n{i}").c
    posting = first if i == 0 else POSTING.alias(f"p{i}").c
    parts.where.extend([term.kind == _bind("kind", String), term.facet == _bind(f"facet{i}", String)])
    parts.where.extend([count.view == _VIEW, count.term == term.id, count.n > 0, posting.term == term.id])
    if i > 0:
        parts.where.extend([posting.view == _VIEW, posting.s0 == first.s0, posting.k == first.k])
    return term.value


def _terms() -> "Select[Any]":
    """The values of a facet that a view's rows have: term, value, number of rows."""
    return select(TERM.c.id, TERM.c.value, TERM_COUNT.c.n).where(*_of_facet(), TERM_COUNT.c.n > 0)


def this_record() -> list[ColumnElement[bool]]:
    """Return what holds of one record alone, of a kind and by its id: by `k`, whatever the planner knows of the others.

    While a table has no statistics yet all rows of a kind look like one, and an index of them as good as the key.
    """
    c = ROW.c
    return [
        *(c.view == _VIEW, c.k == _bind("k", BigInteger)),
        *(c.kind + "" == _bind("kind", String), c.id + "" == _bind("id", String)),
    ]


def _one() -> "Select[Any]":
    """A view, and one record in it, if it has that: generation, state, next expiry, etag, body."""
    c = ROW.c
    here = VIEW.outerjoin(ROW, and_(*this_record()))
    return select(*_state().selected_columns, c.etag, c.body).select_from(here).where(VIEW.c.id == _VIEW)


def _state() -> "Select[Any]":
    """A view: generation, state, next expiry."""
    return select(VIEW.c.generation, VIEW.c.state, VIEW.c.next_expiry).where(VIEW.c.id == _VIEW)


def _about() -> "Select[Any]":
    """What a view is: audience, purpose, owner, and when it was last shown something else."""
    c = DISCLOSED.c
    last = select(c.at).where(c.view == _VIEW).order_by(c.seq.desc()).limit(1).scalar_subquery()
    return select(VIEW.c.audience, VIEW.c.purpose, VIEW.c.owner, last).where(VIEW.c.id == _VIEW)


def _by_k() -> "Select[Any]":
    """Whatever record has a tie-break: id, kind, first and last day, body."""
    c = ROW.c
    return select(c.id, c.kind, c.s0, c.e1, c.body).where(c.view == _VIEW, c.k == _bind("k", BigInteger))


def _by_keys(n: int) -> "Select[Any]":
    """The ids and kinds of some records."""
    c = ROW.c
    return select(c.id, c.kind).where(c.view == _VIEW, c.k.in_([_bind(f"g0_{i}", BigInteger) for i in range(n)]))


def _of_keys(table: Table, names: Sequence[str], n: int) -> "Select[Any]":
    """Some columns of some records, and k."""
    c = table.c
    return select(*(c[name] for name in names), c.k).where(
        c.view == _VIEW, c.k.in_([_bind(f"g0_{i}", BigInteger) for i in range(n)])
    )


def _having(n: int) -> "Select[Any]":
    """How many records of a view have some words in their texts."""
    c = WORD.c
    return select(c.word, c.n).where(c.view == _VIEW, c.word.in_([_bind(f"w{i}", String) for i in range(n)]))


def _words_between() -> "Select[Any]":
    """The words from one on and before another, those that most records have, and how many have each."""
    c = WORD.c
    where = (c.view == _VIEW, c.word >= _bind("low", String), c.word < _bind("top", String), c.n > 0)
    return select(c.word, c.n).where(*where).order_by(c.n.desc(), c.word).limit(NEAR)


def _first_with(database: Database, view: int) -> Prepared:
    """Of the records of a view in whose texts something is found, the one of the least k: kind, body."""
    least = database.found(SEARCHED, view, _bind("wanted", String)).subquery("least")
    (k,) = least.c
    first = select(k).order_by(k).limit(1).scalar_subquery()
    return database.prepare(select(ROW.c.kind, ROW.c.body).where(ROW.c.view == _VIEW, ROW.c.k == first))


def _term_count() -> "Select[Any]":
    """How many rows have a term."""
    c = TERM_COUNT.c
    return select(c.n).where(c.view == _VIEW, c.term == _bind("term", BigInteger))


def _of_facet() -> list[ColumnElement[bool]]:
    return [
        TERM.c.kind == _bind("kind", String),
        TERM.c.facet == _bind("facet", String),
        TERM_COUNT.c.view == _VIEW,
        TERM_COUNT.c.term == TERM.c.id,
    ]


def _kind_count() -> "Select[Any]":
    """How many rows a kind has: the sum over the words of a facet of which every row has exactly one."""
    return select(func.coalesce(func.sum(TERM_COUNT.c.n), 0)).where(*_of_facet())


def _words() -> "Select[Any]":
    """The words of a facet that a view's rows have."""
    return select(TERM.c.value).where(*_of_facet(), TERM_COUNT.c.n > 0).order_by(TERM.c.value)


def _neighbours(from_here: bool) -> "Select[Any]":
    """The ids of a kind from one on, or before it, nearest first."""
    c, here = ROW.c, _bind("id", String)
    where = [c.view == _VIEW, c.kind == _bind("kind", String), c.id >= here if from_here else c.id < here]
    return select(c.id).where(*where).order_by(c.id if from_here else c.id.desc()).limit(_bind("limit", Integer))
