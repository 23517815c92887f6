"""A parameter as data: its name, how its text is read, what it means in a query, and the words that say it."""

import math
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement
from sqlalchemy.types import TypeEngine

from app.core.problems import nearest
from app.search.query import Query, Unclear, parse
from app.vocabulary.edtf import EdtfError, bounds

Role = Literal["filter", "time", "page"]
Read: TypeAlias = Callable[[str], Hashable]


class Wrong(ValueError):
    """A text is no value of a parameter; the message says why, and how to mend it."""


@dataclass(frozen=True)
class Parameter:
    """One query parameter of the kinds that can answer it.

    Attributes:
        name: as in the address.
        doc: one sentence for people.
        example: a value that finds something in the built-in record.
        read: the text of one value -> the value, hashable; raises Wrong.
        schema: the JSON Schema of one value.
        role: a `filter` of its own, part of the question of `time`, or about the `page`.
        many: it may be repeated; a record that fits any of its values fits.
        commas: its one value is a list separated by commas; then `schema` is that of the list.
        words: how it reads in a sentence, `{}` standing for the values.
        targets: kinds of the record that a value names; the record must be one that the view is shown.
        facet: the terms of this facet are what it filters by.
        open: the values of the facet are those that the view's records have; there is no other list of them.
        of: (kind, path): it finds the records that one record of that kind names at that path as it is shown.
        where: for any other filter, the expression over a row and the bound parts of the value.
        of_row: that expression reads columns which only the row has, and not every posting.
        types: the SQL types of those parts.
        parts: the value -> its parts.
        shown: the value -> how it reads in a sentence.
    """

    name: str
    doc: str
    example: str
    read: Read
    schema: Mapping[str, Any]
    role: Role = "filter"
    many: bool = False
    commas: bool = False
    words: str = ""
    targets: tuple[str, ...] = ()
    facet: str | None = None
    open: bool = False
    of: tuple[str, str] | None = None
    where: Callable[..., ColumnElement[bool]] | None = field(default=None, compare=False)
    of_row: bool = True
    types: tuple[TypeEngine[Any], ...] = ()
    parts: Callable[[Any], tuple[Any, ...]] = field(default=lambda value: (value,), compare=False)
    shown: Callable[[Any], str] = field(default=str, compare=False)

    def said(self, values: tuple[Any, ...]) -> str:
        """Return the clause of the sentence that says what these values ask."""
        return self.words.format(" or ".join(map(self.shown, values)))


_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SLUG = re.compile(r"[a-z0-9][a-z0-9.-]{0,120}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,2})?", re.ASCII)  # as programs write a double
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def one_of(known: tuple[str, ...]) -> Read:
    """Return the reader of a word from a closed list."""
    words = frozenset(known)

    def read(text: str) -> str:
        if text not in words:
            raise Wrong(f"'{shortened(text)}' is no value of it: {listed(known)}. {nearest(text, known)}".rstrip())
        return text

    return read


def listed(words: tuple[str, ...]) -> str:
    """Return words as in a sentence: `it is a, b or c`."""
    return "it is " + (words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1])


def shortened(text: str) -> str:
    """Return a text as an error may repeat it."""
    return text if len(text) <= 80 else text[:79] + "…"


def identifier(text: str) -> str:
    """Read the id of a record, or a word of an open list: its form alone; whether it is known, the view says."""
    return text


def date(text: str) -> str:
    """Read a year, a month or a day."""
    if _DATE.fullmatch(text) is None:
        raise Wrong(f"'{shortened(text)}' is not a year, a month or a day: write 2011, 2011-12 or 2011-12-17.")
    try:
        bounds(text)
    except EdtfError as error:
        raise Wrong(f"'{text}' is no date: {error.reason}; {error.hint}.") from None
    return text


def day(text: str) -> str:
    """Read a day."""
    if _DAY.fullmatch(text) is None:
        raise Wrong(f"'{shortened(text)}' is not a day: write 2011-12-17.")
    return date(text)


def whole(low: int, high: int) -> Read:
    """Return the reader of a whole number in a range."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and low <= int(text) <= high):
            raise Wrong(f"'{shortened(text)}' is not a whole number from {low} to {high}.")
        return int(text)

    return read


def moment(text: str) -> int:
    """Read a moment with its zone, or a day (which begins at midnight UTC), as milliseconds since 1970."""
    try:
        if _MOMENT.fullmatch(text) is None:
            raise ValueError
        value = datetime.fromisoformat(text)
        # In UTC, so that what lies before the year 1 or after 9999 there is refused: nothing could say it.
        return ((value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        more = " A + in an address is a space: write it as %2B." if " " in text else ""
        raise Wrong(
            f"'{shortened(text)}' is not a moment: write 2026-11-24, or 2026-11-24T10:31:26Z with the zone.{more}"
        ) from None


Box: TypeAlias = tuple[float, float, float, float]


def box(text: str) -> Box:
    """Read a bounding box: west, south, east, north, in degrees (RFC 7946, section 5, but never across 180)."""
    w, s, e, n = box_across(text)
    if w > e:
        raise Wrong(
            "The western longitude is greater than the eastern one. A box across longitude 180 has to be asked as two "
            "boxes; otherwise the corners are swapped: the order is west,south,east,north."
        )
    return w, s, e, n


def box_across(text: str) -> Box:
    """Read a bounding box that may go across longitude 180: then west is greater than east (RFC 7946, section 5.2)."""
    pieces = text.split(",")
    if len(pieces) != 4 or any(_NUMBER.fullmatch(piece) is None for piece in pieces):
        raise Wrong(f"'{shortened(text)}' is not four numbers west,south,east,north in degrees: 124,37.5,131,43.1.")
    w, s, e, n = map(float, pieces)
    if not (math.isfinite(w + s + e + n) and max(-w, w, -e, e) <= 180 and max(-s, s, -n, n) <= 90):
        raise Wrong("Longitudes go from -180 to 180, latitudes from -90 to 90; the order is west,south,east,north.")
    if s > n:
        raise Wrong("The southern latitude is greater than the northern one: the order is west,south,east,north.")
    return w, s, e, n


def words(text: str) -> Query:
    """Read what is looked for in texts."""
    try:
        return parse(text)
    except Unclear as unclear:
        raise Wrong(str(unclear)) from None


def is_identifier(text: str) -> bool:
    """Tell whether a text has the form of an id or of a word of an open list."""
    return _SLUG.fullmatch(text) is not None
