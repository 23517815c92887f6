"""A mapping: how the columns of somebody's file become our records. A small YAML file, checked before it is used."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from unicodedata import normalize

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from app.exchange import fields
from app.exchange.dating import ABOUT, UNKNOWN, USUAL, is_format, is_precision
from app.exchange.promises import against_consent
from app.records import BY_NAME
from app.records.base import WORD, refuse
from app.records.refusal import reason_of

MOST_BYTES = 262_144
MOST_RULES = 16
FINDABLE = ("place", "actor", "violation", "source")
Names = Annotated[list[str], Field(max_length=1_000)]


class MappingError(Exception):
    """A mapping cannot be used; the message says where and why, one reason a line."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_by_alias=True)


class When(_Part):
    """A condition on one column: its value is one of some words, or none of them, or there is one at all."""

    column: str
    is_: Annotated[list[str], Field(alias="is")] = []
    not_: Annotated[list[str], Field(alias="not")] = []
    filled: bool | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.is_ and not self.not_ and self.filled is None:
            raise refuse("", "asks nothing: say is, not or filled")
        return self


# One condition, or a list of them: then all have to hold.
Conditions = Annotated[tuple[When, ...], BeforeValidator(lambda value: [value] if isinstance(value, dict) else value)]


class Precision(_Part):
    """How precise a date is, by what another column says: its words -> day, month, year, decade, about, days:N."""

    column: str
    table: Annotated[dict[str, str], Field(min_length=1)]

    @model_validator(mode="after")
    def _knows_them(self) -> Self:
        for word in self.table.values():
            if not is_precision(word):
                raise refuse("table", "leads to what is none of day, month, year, decade, about, days:6")
        return self


class Dates(_Part):
    """Where a date stands: in one column, in columns of parts, or from one column to another.

    Attributes:
        column, year, month, day: one column with all of it, or columns of its parts.
        to: the column of its end.
        range: what parts beginning and end in one cell, as " to ".
        means: what two dates say: it `lasted` from one to the other, or happened `once` between them.
        formats: how it is written; without it those that can be read in one way only.
        about: words before or behind it that say it is approximate.
        unknown: what says that there is none.
        approximate: conditions on other columns under which it is approximate.
        precision: how precise it is, by another column.
    """

    column: str | None = None
    year: str | None = None
    month: str | None = None
    day: str | None = None
    to: str | None = None
    range: str | None = None
    means: Literal["lasted", "once"] = "lasted"
    formats: Names = list(USUAL)
    about: Names = list(ABOUT)
    unknown: Names = list(UNKNOWN)
    approximate: Conditions = ()
    precision: Precision | None = None

    @model_validator(mode="after")
    def _is_one_date(self) -> Self:
        if (self.column is None) == (self.year is None):
            raise refuse("", "needs column, or year with month and day where there are such columns")
        if self.year is None and (self.month or self.day):
            raise refuse("", "has parts and no year")
        for one in self.formats:
            if not is_format(one):
                raise refuse(
                    "formats",
                    "has what is no form of dates: EDTF, or YYYY with MM, M or Month, and DD or D, as DD/MM/YYYY",
                )
        return self

    def columns(self) -> list[str]:
        """Return the columns that it reads."""
        more = [one.column for one in (*self.approximate, self.precision) if one is not None]
        return [one for one in (self.column, self.year, self.month, self.day, self.to) if one] + more


class Point(_Part):
    """Where a point's coordinates stand, in degrees (WGS 84): in two columns, or in one, latitude first.

    Attributes:
        latitude, longitude: two columns.
        column, split: one column, and what parts the two in its cells.
    """

    latitude: str | None = None
    longitude: str | None = None
    column: str | None = None
    split: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one_point(self) -> Self:
        given = [one is not None for one in (self.latitude, self.longitude, self.column, self.split)]
        if given not in ([True, True, False, False], [False, False, True, True]):
            raise refuse("", "needs latitude and longitude, or column and split")
        return self

    def columns(self) -> list[str]:
        """Return the columns that it reads."""
        return [one for one in (self.latitude, self.longitude, self.column) if one is not None]


class Value(_Part):
    """What goes into a field: exactly one of column, columns, constant, record, date, point, word; and how it is made.

    Attributes:
        column: what stands in a column.
        columns: what stands in several, put together by `join`.
        constant: the same for all rows.
        record: the id of another record of the same row, by its rule.
        date, point: a date, a point.
        word: of a record that is made from a name: that name.
        split: what parts several values in one cell.
        table: the value table, their words -> ours; a word that leads to nothing ("") sets nothing.
        find: a kind whose records are looked for by name or id.
        make: the rule that makes a record where none is found; without find, that makes it in any case.
        refers: a kind; the value is the external id of a record of it, in this file or an earlier one.
        of: the mapping whose external ids those are, if not this one.
        default: what is taken where the cell is empty.
        required: an empty cell is refused.
        when: it is set under conditions only.
    """

    column: str | None = None
    columns: Names | None = None
    join: str = " "
    constant: str | list[str] | None = None
    record: str | None = None
    date: Dates | None = None
    point: Point | None = None
    word: bool = False
    split: str | None = None
    table: str | None = None
    find: Literal["place", "actor", "violation", "source"] | None = None
    make: str | None = None
    refers: str | None = None
    of: Annotated[str, Field(pattern=WORD)] | None = None
    default: str | None = None
    required: bool = False
    when: Conditions = ()

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        ways = (self.column, self.columns, self.constant, self.record, self.date, self.point, self.word or None)
        if sum(one is not None for one in ways) != 1:
            raise refuse("", "needs one of column, columns, constant, record, date, point, word, and no two")
        if self.refers is not None and (self.refers not in BY_NAME or self.find is not None):
            raise refuse("refers", "must name a kind of record, and does not go with find")
        if self.split == "":
            raise refuse("split", "is empty")
        return self

    def read(self) -> list[str]:
        """Return the columns that it reads."""
        found = [one for one in (self.column, *(self.columns or ())) if one is not None]
        if self.date is not None:
            found += self.date.columns()
        if self.point is not None:
            found += self.point.columns()
        return found + [one.column for one in self.when]


class Rule(_Part):
    """One record that a row makes.

    Attributes:
        as_: its name in the mapping.
        kind: the kind of record.
        from_: patterns of names of files or sheets; without it, of all.
        key: its external id, by which the same record is known again.
        rows: `single`, or `together`: rows that follow one another with the same key are one record.
        made: it is made only where a `make` names it.
        when: it is made under conditions only.
        fields: path of a field -> what goes there.
    """

    as_: Annotated[str, Field(alias="as", pattern=WORD)]
    kind: str
    from_: Annotated[Names, Field(alias="from")] = []
    key: Value | None = None
    rows: Literal["single", "together"] = "single"
    made: bool = False
    when: Conditions = ()
    fields: Annotated[dict[str, Value], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind not in BY_NAME:
            guess = fields.near(self.kind, BY_NAME)
            raise refuse("kind", f"is no kind of record{f'; did you mean {guess}?' if guess else ''}")
        for path in self.fields:
            if path in ("kind", "slug"):
                raise refuse(f"fields.{path}", "is set by the mapping itself: name the kind, and a key")
            try:
                fields.field(self.kind, path)
            except fields.FieldError as error:
                raise refuse(f"fields.{path}", str(error)) from None
        if self.key is None and not self.made and "id" not in self.fields:
            raise refuse("key", "is missing: without it the same row would make a new record each time")
        if self.rows == "together" and (self.key is None or self.made):
            raise refuse("rows", "are together by their key: name one, of a rule that is not made")
        if fault := against_consent(self.fields):
            raise refuse(f"fields.{fault[0]}", fault[1])
        return self

    def reads(self, name: str) -> bool:
        """Tell whether it takes rows of a file or sheet with this name."""
        called, *patterns = (normalize("NFC", one).casefold() for one in (name, *self.from_))
        return not patterns or any(fnmatchcase(called, one) for one in patterns)

    def columns(self) -> set[str]:
        """Return the columns that it reads."""
        values = [*self.fields.values(), *([self.key] if self.key else [])]
        found = {column for value in values for column in value.read()}
        return found | {one.column for one in self.when}


class Reads(_Part):
    """How files are read, where they do not tell it themselves."""

    encoding: Literal["utf-8", "utf-16", "cp949", "euc-kr", "cp1252"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    sheet: str | None = None


class Mapping(_Part):
    """All of it. `name` is the space that external ids are of: a later version of the mapping keeps it."""

    mapping: Literal["1"]
    name: Annotated[str, Field(pattern=WORD)]
    version: Annotated[int, Field(ge=1)]
    about: str = ""
    reads: Reads = Reads()
    optional: Names = []
    ignore: Names = []
    tables: dict[str, dict[str, str]] = {}
    records: Annotated[list[Rule], Field(min_length=1, max_length=MOST_RULES)]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        rules = {rule.as_: rule for rule in self.records}
        if len(rules) < len(self.records):
            raise refuse("records", "two rules have one name: each `as` is another word")
        for rule in self.records:
            for path, value in [("key", rule.key), *rule.fields.items()]:
                if value is None:
                    continue
                where = f"records.{rule.as_}.{path}"
                if value.table is not None and value.table not in self.tables:
                    raise refuse(where, f"names a table that is not there: {', '.join(self.tables) or 'there is none'}")
                if value.record is not None and (value.record not in rules or rules[value.record].made):
                    raise refuse(where, f"names no rule of this mapping that makes a record: {', '.join(rules)}")
                if value.make is not None:
                    made = rules.get(value.make)
                    if made is None or not made.made or value.find not in (None, made.kind):
                        kind = f" for the kind {value.find}" if value.find else ""
                        raise refuse(where, f"make must name a rule with made: true{kind}")
                if value.word and not rule.made:
                    raise refuse(
                        where, "word is the name that a record is made from: only a rule with made: true has it"
                    )
        return self

    def wanted(self, name: str) -> list[Rule]:
        """Return the rules that take rows of a file or sheet with this name."""
        return [rule for rule in self.records if rule.reads(name)]


class _Loader(yaml.BaseLoader):  # type: ignore[misc]
    """Plain text, lists and maps, and nothing else: no tags, no aliases, no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias (*name) is not read", self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, "a key stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse(text: bytes) -> Mapping:
    """Return the mapping that a YAML text says.

    Raises:
        MappingError: it is no YAML, or no mapping; one reason a line.
    """
    if len(text) > MOST_BYTES:
        raise MappingError(f"has more than {MOST_BYTES} bytes")
    try:
        value = yaml.load(text.decode("utf-8-sig"), Loader=_Loader)  # noqa: S506 - it makes nothing but text
    except UnicodeDecodeError:
        raise MappingError("is not in UTF-8") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise MappingError(f"{where}{getattr(error, 'problem', None) or 'is no YAML that is read'}") from None
    try:
        return Mapping.model_validate(value)
    except ValidationError as error:
        raise MappingError("\n".join(reasons(error))) from None


def reasons(error: ValidationError) -> list[str]:
    """Return why a mapping cannot be used, each with where."""
    found = []
    for detail in error.errors(include_url=False, include_input=False):
        steps = [str(step) for step in (*detail["loc"], *filter(None, [detail.get("ctx", {}).get("field")]))]
        reason = "is no part of a mapping" if detail["type"] == "extra_forbidden" else reason_of(detail)
        found.append(f"{'.'.join(steps)}: {reason}" if steps else reason)
    return found


READY = Path(__file__).resolve().parents[1] / "data" / "mappings"


def read(name: str) -> Mapping:
    """Return a mapping: a YAML file, or one of those that come with the service, by its name.

    Raises:
        MappingError: there is none, or it cannot be used.
    """
    ready = {path.stem: path for path in READY.glob("*.yaml")}
    path = ready.get(name) or Path(name)
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        known = ", ".join(sorted(ready))
        raise MappingError(f"{path}: cannot be opened ({error.strerror}); ready ones are {known}") from None
    return parse(text)
