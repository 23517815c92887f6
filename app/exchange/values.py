"""One value of a row: from its cells, by what the mapping says, to what the field of a record takes."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app.exchange import fields
from app.exchange.dating import Forms, Undated, as_precise, date_of, span
from app.exchange.mapping import Conditions, Dates, Point, Rule, Value, When
from app.exchange.mapping import Mapping as Sheet
from app.exchange.names import Names, Several, slug_of
from app.records import BY_NAME

Row = Mapping[str, str | list[str]]  # column -> cell; a list only where a file of JSON has one


class Bad(Exception):
    """A cell cannot be taken: the column, why, and the nearest value that could be."""

    def __init__(self, column: str, reason: str, nearest: str | None = None) -> None:
        """Keep the three apart."""
        super().__init__(reason)
        self.column = column
        self.reason = reason
        self.nearest = nearest


class Making(NamedTuple):
    """What a row is being made into: the ids of its records by rule, and what makes one from a name."""

    ids: dict[str, str]
    make: Callable[[str, str, Row], str]
    word: str = ""


class Words:
    """A value table, by words as they are compared."""

    def __init__(self, name: str, table: Mapping[str, str]) -> None:
        """Read the table."""
        self.name = name
        self._table = {_folded(word): to for word, to in table.items()}
        self._words = list(table)

    def of(self, column: str, word: str) -> str:
        """Return ours for a word.

        Raises:
            Bad: it is not in the table.
        """
        found = self._table.get(_folded(word))
        if found is None:
            raise Bad(column, f"is no word of the table {self.name}", fields.near(word, self._words))
        return found


def _folded(word: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", word).split()).casefold()


def cell(row: Row, column: str) -> str:
    """Return what stands in a column, as one text without spaces around it."""
    value = row.get(column, "")
    return value.strip() if isinstance(value, str) else "|".join(value)


def holds(conditions: Conditions, row: Row) -> bool:
    """Tell whether all of some conditions hold for a row."""
    return all(_holds(one, row) for one in conditions)


def _holds(when: When, row: Row) -> bool:
    value = _folded(cell(row, when.column))
    if when.filled is not None and when.filled != bool(value):
        return False
    if when.is_ and value not in {_folded(one) for one in when.is_}:
        return False
    return value not in {_folded(one) for one in when.not_}


class Getter:
    """What gets the value of one field from rows."""

    def __init__(self, mapping: Sheet, rule: Rule, path: str, value: Value, names: Names) -> None:
        """Compile what the mapping says of it; the path `key` is the rule's external id."""
        self.path = path
        self.field = None if path == "key" else fields.field(rule.kind, path)
        self.column = value.read()[0] if value.read() else ""
        self._value = value
        self._mapping = mapping
        self._names = names
        self._words = Words(value.table, mapping.tables[value.table]) if value.table is not None else None
        self._forms = None if value.date is None else _forms(value.date)
        precision = value.date.precision if value.date is not None else None
        self._precision = Words(f"of precision for {precision.column}", precision.table) if precision else None
        self._space = slug_space(mapping, value.of)
        self._opaque = value.refers is not None and is_opaque(mapping, value.refers)

    def get(self, row: Row, making: Making) -> Any:
        """Return the value for a row; None where there is none.

        Raises:
            Bad: what stands there cannot be taken.
        """
        value = self._value
        if not holds(value.when, row):
            return None
        if value.date is not None:
            found: Any = self._date(value.date, row)
        elif value.point is not None:
            found = _point(value.point, row)
        elif value.record is not None:
            found = making.ids.get(value.record)
            if self.field is not None and self.field.many and found is not None:
                found = [found]
        else:
            found = self._texts(self._parts(row, making), row, making)
        if found is None and value.required:
            raise Bad(self.column, "is empty, and the mapping requires it")
        return found

    def _parts(self, row: Row, making: Making) -> list[str]:
        value = self._value
        many = self.field is not None and self.field.many
        if value.constant is not None:
            return [value.constant] if isinstance(value.constant, str) else value.constant
        if value.word:
            return [making.word]
        if value.columns is not None:
            texts = [text for one in value.columns if (text := cell(row, one))]
            parts = texts if many and value.split is None else [value.join.join(texts)]
        else:
            whole = row.get(self.column, "")
            parts = [whole] if isinstance(whole, str) else list(whole)
        if value.split is not None:
            parts = [one for part in parts for one in part.split(value.split)]
        parts = [part for one in parts if (part := one.strip())]
        return parts or ([value.default] if value.default is not None else [])

    def _texts(self, parts: list[str], row: Row, making: Making) -> Any:
        field = self.field
        if not parts:
            return None
        if field is None or not field.many:
            if len(parts) > 1:
                raise Bad(self.column, "holds several values, and the field takes one")
            return self._one(parts[0], row, making)
        found = dict.fromkeys([self._numbered(parts, n, row, making) for n in range(len(parts))])
        return [one for one in found if one is not None] or None

    def _numbered(self, parts: Sequence[str], number: int, row: Row, making: Making) -> Any:
        """Return one value of several; of one that cannot be taken say which of them it is, and never what it says."""
        try:
            return self._one(parts[number], row, making)
        except Bad as error:
            which = f"{error.reason} (value {number + 1} of {len(parts)})" if len(parts) > 1 else error.reason
            raise Bad(error.column, which, error.nearest) from None

    def _one(self, text: str, row: Row, making: Making) -> Any:
        value, field = self._value, self.field
        if self._words is not None:
            text = self._words.of(self.column, text)
        if self._words is not None and not text:
            return None
        if value.find is not None or value.make is not None:
            return self._found(text, row, making)
        if value.refers is not None:
            return self._names.id_of(value.refers, slug_of(self._space, text), self._opaque)
        if field is None:
            return text
        try:
            found = fields.convert(field, text)
        except ValueError as error:
            raise Bad(self.column, str(error)) from None
        if field.words and found not in field.words:
            raise Bad(self.column, f"is none of {', '.join(field.words)}", fields.near(text, field.words))
        return found

    def _found(self, name: str, row: Row, making: Making) -> str:
        kind = str(self._value.find)
        try:
            id = self._names.find(kind, name) if self._value.find is not None else None
        except Several as error:
            raise Bad(self.column, str(error)) from None
        if id is not None:
            return id
        if self._value.make is not None:
            return making.make(self._value.make, name, row)
        raise Bad(self.column, f"names no {kind} that is on record", self._names.nearest(kind, name))

    def _date(self, dates: Dates, row: Row) -> str | None:
        start, end = self._side(dates, row), self._end(dates, row)
        if start is None and end is None:
            return None
        try:
            date = start if end is None else span(start or "", end, dates.means)
            if date is None:
                return None
            if self._precision is not None and dates.precision is not None:
                word = cell(row, dates.precision.column)
                date = as_precise(date, self._precision.of(dates.precision.column, word)) if word else date
        except Undated as error:
            raise Bad(self.column, str(error)) from None
        if dates.approximate and holds(dates.approximate, row) and date[-1] not in "?~%].":
            date += "~"
        return date

    def _side(self, dates: Dates, row: Row) -> str | None:
        if dates.column is None:
            return self._of_parts(dates, row)
        text = cell(row, dates.column)
        if dates.range is not None and text.count(dates.range) == 1:
            sides = [self._read(dates.column, one.strip()) if one.strip() else "" for one in text.split(dates.range)]
            try:
                return span(sides[0] or "", sides[1] or "", dates.means)
            except Undated as error:
                raise Bad(dates.column, str(error)) from None
        return self._read(dates.column, text)

    def _end(self, dates: Dates, row: Row) -> str | None:
        return None if dates.to is None else self._read(dates.to, cell(row, dates.to))

    def _read(self, column: str, text: str) -> str | None:
        if not text or self._forms is None:
            return None
        try:
            return date_of(text, self._forms)
        except Undated as error:
            raise Bad(column, str(error)) from None

    def _of_parts(self, dates: Dates, row: Row) -> str | None:
        parts = [(one, cell(row, one)) for one in (dates.year, dates.month, dates.day) if one is not None]
        text, none = "", {"", *(one.casefold() for one in dates.unknown)}
        for number, (column, part) in enumerate(parts):
            if part.casefold() in none:
                if any(later.casefold() not in none for _, later in parts[number + 1 :]):
                    raise Bad(column, "is empty, and a finer part of the date is not")
                break
            if not part.isdecimal() or (number == 0 and len(part) != 4) or len(part) > 4:
                raise Bad(column, "must be a year of four digits" if number == 0 else "must be a number")
            text += part if number == 0 else f"-{int(part):02}"
        if not text:
            return None
        try:
            return date_of(text, Forms(("EDTF",)))
        except Undated:
            raise Bad(self.column, "is no day of the calendar, with the other parts of the date") from None


def _point(point: Point, row: Row) -> dict[str, Any] | None:
    columns, texts = point.columns(), [cell(row, one) for one in point.columns()]
    if point.split is not None:
        texts = [one.strip() for one in texts[0].split(point.split)] if texts[0] else ["", ""]
        columns *= 2
        if len(texts) != 2:
            raise Bad(columns[0], "must be latitude and longitude, parted as the mapping says")
    latitude, longitude = (_degrees(*one) for one in zip(columns, texts, (90, 180), strict=True))
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise Bad(columns[0], "is one coordinate of two: the other is empty")
    return {"type": "Point", "coordinates": [longitude, latitude]}


def _degrees(column: str, text: str, most: int) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        raise Bad(column, "must be a number of degrees, with a point before its decimals") from None
    if number is not None and not abs(number) <= most:
        raise Bad(column, f"lies outside of -{most} to {most} degrees")
    return number


def _forms(dates: Dates) -> Forms:
    return Forms(tuple(dates.formats), tuple(dates.about), tuple(one.casefold() for one in dates.unknown))


def slug_space(mapping: Sheet, of: str | None = None) -> str:
    """Return the space that external ids are of: the name of a mapping."""
    return of or mapping.name


def is_opaque(mapping: Sheet, kind: str) -> bool:
    """Tell whether the ids that a mapping gives to records of a kind are opaque."""
    if BY_NAME[kind].opaque:
        return True
    types = [rule.fields["type"].constant for rule in mapping.records if rule.kind == kind and "type" in rule.fields]
    return BY_NAME[kind].prefix is not None and "natural-person" in types
