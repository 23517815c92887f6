"""Texts on PostgreSQL: a column `found` of the table, generated from its text with the configuration `simple`."""

from sqlalchemy import ColumnElement, Select, SmallInteger, Table, cast, literal, literal_column, select
from sqlalchemy.dialects.postgresql import TSQUERY

from app.core.engine import Phrase, Wanted


def found(whole: Table, value: int, wanted: ColumnElement[str]) -> "Select[tuple[int]]":
    """Return the keys of the rows of a value in whose text something is found."""
    texts = whole.alias("texts")
    first, key = list(texts.c)[:2]
    holds = literal_column("texts.found").op("@@")(cast(wanted, TSQUERY))
    return select(key).where(first == literal(value, SmallInteger), holds)


def wanted(wanted: Wanted) -> str:
    """Return what is looked for as `tsquery` reads it: nothing in a term means anything in it."""
    parts = [*map(_any, wanted.every), *("!" + _any(phrases) for phrases in wanted.without)]
    return " & ".join(parts)


def _any(phrases: tuple[Phrase, ...]) -> str:
    return "(" + " | ".join(map(_phrase, phrases)) + ")"


def _phrase(phrase: Phrase) -> str:
    terms, begins = phrase
    return "(" + " <-> ".join([f"'{term}'" for term in terms]) + (":*" if begins else "") + ")"
