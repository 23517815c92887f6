"""Rows become records: all that a row makes, or none of it and a reason for each cell that is wrong."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from app.exchange import fields
from app.exchange.mapping import Mapping, Rule
from app.exchange.names import Names, folded, slug_of
from app.exchange.promises import missing
from app.exchange.values import Bad, Getter, Making, Row, holds, is_opaque, slug_space
from app.records import BY_NAME

A_ROW = 256  # records that one row may make, with what is made from names
MADE_FROM = 16  # the first of those
MOST_MADE = 200_000


class Problem(NamedTuple):
    """Why a row cannot be taken: the row, the column (empty: the row as a whole), the field, and the nearest value."""

    row: int
    column: str
    field: str
    reason: str
    nearest: str | None = None


class Made(NamedTuple):
    """One record of a row: its row, its number among the row's records, and its JSON."""

    row: int
    number: int
    text: bytes


class _Maker:
    """What makes the records of one rule."""

    def __init__(self, mapping: Mapping, number: int, rule: Rule, names: Names) -> None:
        self.number = number
        self.rule = rule
        self.opaque = BY_NAME[rule.kind].opaque or is_opaque(mapping, rule.kind)
        self.key = None if rule.key is None else Getter(mapping, rule, "key", rule.key, names)
        self.getters = [Getter(mapping, rule, path, value, names) for path, value in rule.fields.items()]
        lists = {
            one.field.steps[: n + 1]
            for one in self.getters
            if one.field is not None
            for n, step in enumerate(one.field.steps)
            if step.member is not None
        }
        plain: dict[tuple[Any, ...], tuple[fields.Step, ...]] = {}
        for steps in lists:  # labels of the last step make no difference to where the list is
            plain[(*steps[:-1], steps[-1].name)] = steps
        self.lists = sorted(plain.values(), key=len, reverse=True)
        # A member that has nothing but constants says nothing of the row.
        self.stated = [one.path for one in self.getters if rule.fields[one.path].constant is None]

    def record(self, row: Row, making: Making, bad: list[Bad]) -> dict[str, Any]:
        """Return the fields of the record of a row, its lists not yet made, and note what is wrong."""
        found: dict[str, Any] = {"kind": self.rule.kind}
        members: set[tuple[Any, ...]] = set()
        values = []
        for getter in self.getters:
            try:
                value = getter.get(row, making)
            except Bad as error:
                bad.append(error)
                continue
            if value is None or getter.field is None:
                continue
            steps = getter.field.steps
            values.append((steps, value))
            if self.rule.fields[getter.path].constant is None:
                members |= {steps[: n + 1] for n, step in enumerate(steps) if step.member is not None}
        for steps, value in values:
            inside = [steps[: n + 1] for n, step in enumerate(steps) if step.member is not None]
            if all(one in members or not self._is_read(one) for one in inside):
                fields.put(found, steps, value)
        return found

    def _is_read(self, member: tuple[fields.Step, ...]) -> bool:
        """Tell whether anything of a member of a list comes from columns."""
        return any(
            one.field is not None and one.field.steps[: len(member)] == member and one.path in self.stated
            for one in self.getters
        )


class _Group:
    """Rows that follow one another and are one record."""

    def __init__(self, key: str, row: int, record: dict[str, Any]) -> None:
        self.key = key
        self.row = row
        self.record = record
        self.bad = False

    def join(self, other: dict[str, Any]) -> str | None:
        """Take in what a further row says; return the field in which it says something else."""
        return _join(self.record, other)


def _join(one: dict[str, Any], other: dict[str, Any], path: str = "") -> str | None:
    for name, value in other.items():
        where = f"{path}.{name}" if path else name
        there = one.get(name)
        if there is None:
            one[name] = value
        elif isinstance(there, list) and isinstance(value, list):
            there += [member for member in value if member not in there]
        elif isinstance(there, dict) and isinstance(value, dict):
            if (differs := _join(there, value, where)) is not None:
                return differs
        elif there != value:
            return where
    return None


class Translator:
    """Makes the records of the rows of one sheet."""

    def __init__(self, mapping: Mapping, name: str, names: Names) -> None:
        """Use the rules that take rows of a sheet with this name."""
        self._space = slug_space(mapping)
        self._names = names
        numbered = [_Maker(mapping, n, rule, names) for n, rule in enumerate(mapping.records)]
        self._makers = [one for one in numbered if one.rule.reads(name) and not one.rule.made]
        self._from_names = {one.rule.as_: one for one in numbered if one.rule.made}
        self.rules = [one.rule for one in self._makers]
        # What is made from names is made for any sheet of the mapping, by the columns of the row that needs it.
        needed = {value.make for rule in self.rules for value in rule.fields.values() if value.make is not None}
        while (
            more := {
                value.make
                for name in needed
                for value in self._from_names[name].rule.fields.values()
                if value.make is not None
            }
            - needed
        ):
            needed |= more
        made = [self._from_names[name].rule for name in needed]
        self.columns = {column for rule in (*self.rules, *made) for column in rule.columns()}
        self._made = names.made
        self._groups: dict[int, _Group] = {}

    def translate(self, number: int, row: Row) -> Iterator[Made | Problem]:
        """Yield the records that a row makes, or why it makes none."""
        bad: list[Bad] = []
        ids: dict[str, str] = {}
        from_names: dict[str, dict[str, Any]] = {}
        making = Making(ids, lambda rule, word, at: self._make(rule, word, at, from_names, bad))
        todo: list[tuple[_Maker, str | None, str | None]] = []
        for maker in self._makers:
            if not holds(maker.rule.when, row):
                continue
            try:
                key = maker.key.get(row, making) if maker.key is not None else None
            except Bad as error:
                bad.append(error)
                continue
            slug = None
            if maker.key is not None:
                if not key:
                    bad.append(Bad(maker.key.column, "is empty: a record needs its external id"))
                    continue
                slug = slug_of(self._space, key)
                ids[maker.rule.as_] = self._names.id_of(maker.rule.kind, slug, maker.opaque)
            todo.append((maker, key, slug))
        records = []
        for maker, key, slug in todo:
            record = maker.record(row, making, bad)
            if slug is not None:
                record["slug"] = slug
                record.setdefault("id", ids[maker.rule.as_])
            records.append((maker, key, record))
        yield from self._settle(number, records, from_names, bad)

    def _settle(
        self,
        number: int,
        records: Sequence[tuple[_Maker, str | None, dict[str, Any]]],
        from_names: dict[str, dict[str, Any]],
        bad: list[Bad],
    ) -> Iterator[Made | Problem]:
        done: list[tuple[_Maker, int, dict[str, Any]]] = []
        for maker, key, record in records:
            for steps in maker.lists:
                fields.settle(record, [steps])
            if not bad and missing(record):
                bad.append(Bad("", "allows something and lacks the day or the form of the consent"))
            if maker.rule.rows == "together":
                done += self._gather(maker, number, str(key), record, bad)
            else:
                done.append((maker, number, record))
        if len(from_names) > A_ROW - MADE_FROM or len(self._made) + len(from_names) > MOST_MADE:
            bad.append(Bad("", "would make too many records from names: hand those in as records of their own"))
        yield from (Problem(number, one.column, "", one.reason, one.nearest) for one in bad)
        if bad:
            done = [one for one in done if one[1] != number]
        else:
            for n, record in enumerate(from_names.values()):
                self._made.add(record["id"])
                yield Made(number, MADE_FROM + n, orjson.dumps(record))
        yield from (Made(row, maker.number, orjson.dumps(record)) for maker, row, record in done)

    def _gather(
        self, maker: _Maker, number: int, key: str, record: dict[str, Any], bad: list[Bad]
    ) -> list[tuple[_Maker, int, dict[str, Any]]]:
        """Take a row into the group of its rule; return the record of the group that it ends."""
        group = self._groups.get(maker.number)
        if group is not None and group.key == key:
            group.bad = group.bad or bool(bad)
            if (differs := group.join(record)) is not None:
                group.bad = True
                bad.append(Bad("", f"says another {differs} than the rows before it, and they are one record"))
            return []
        self._groups[maker.number] = new = _Group(key, number, record)
        new.bad = bool(bad)
        return [] if group is None or group.bad else [(maker, group.row, group.record)]

    def finish(self) -> Iterator[Made]:
        """Yield the records whose rows ended with the sheet."""
        for maker in self._makers:
            group = self._groups.pop(maker.number, None)
            if group is not None and not group.bad:
                yield Made(group.row, maker.number, orjson.dumps(group.record))

    @staticmethod
    def _none(rule: str, word: str, row: Row) -> str:
        """Make nothing: a key is made of texts."""
        raise Bad("", "makes a record from a key, which is a text")

    def _make(self, name: str, word: str, row: Row, into: dict[str, dict[str, Any]], bad: list[Bad]) -> str:
        """Return the id of the record that is made from a name, and make it if this file has not made it yet."""
        maker = self._from_names[name]
        key = folded(word)
        if maker.key is not None:
            try:
                key = maker.key.get(row, Making({}, self._none, word)) or key
            except Bad as error:
                bad.append(error)
        slug = slug_of(self._space, key)
        id = self._names.id_of(maker.rule.kind, slug, maker.opaque)
        if id not in self._made and id not in into:
            into[id] = {}
            making = Making({}, lambda rule, other, at: self._make(rule, other, at, into, bad), word)
            record = maker.record(row, making, bad)
            for steps in maker.lists:
                fields.settle(record, [steps])
            into[id] = {**record, "slug": slug, "id": record.get("id", id)}
        return id
