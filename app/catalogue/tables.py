"""The catalogue's tables: one row per view and record, and the columns that filters use."""

import hashlib
from functools import lru_cache

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, UniqueConstraint
from sqlmodel import Field, SQLModel


@lru_cache(65536)
def term_id(kind: str, facet: str, value: str) -> int:
    """Return the number of a term: 48 bits of its digest, so a filter needs no look-up and a rebuild no counter."""
    return int.from_bytes(hashlib.sha256(f"{kind}\0{facet}\0{value}".encode()).digest()[:6], "big")


# Identifiers sort by their bytes on both engines.
_IDENTIFIER = String().with_variant(String(collation="C"), "postgresql")


def _view() -> "Column[int]":
    return Column("view", SmallInteger, primary_key=True, autoincrement=False)


class View(SQLModel, table=True):
    """One audience with one purpose and one recipient profile."""

    __tablename__ = "view"

    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    audience: str
    purpose: str
    recipient: str  # canonical JSON: the conditions that this view's recipients satisfy
    owner: str | None
    state: str  # preparing | building | live | retired
    generation: int = Field(sa_type=BigInteger)
    next_expiry: int | None = Field(sa_type=BigInteger)
    reached: str | None  # while it is prepared: the last record that was looked at, `kind/id`


class Row(SQLModel, table=True):
    """One record as one view is shown it: the ready bytes, and bounds in days (`vocabulary/edtf.py`)."""

    __tablename__ = "row"
    __table_args__ = (
        # The key is a unique index and no constraint, so that a bulk load can make it after the rows.
        Index("row_k", "view", "k", unique=True),
        Index("row_id", "view", "kind", "id", unique=True),
        Index("row_date", "view", "kind", "s0", "k", "s1", "e0", "e1"),
        Index("row_updated", "view", "kind", "updated", "k"),
        {"postgresql_partition_by": "LIST (view)"},
    )

    view: int = Field(sa_column=_view())
    k: int = Field(sa_column=Column("k", BigInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_type=BigInteger)  # the newest change of it that the view was shown
    kind: str
    id: str = Field(sa_type=_IDENTIFIER)
    owner: str
    s0: int
    s1: int
    e0: int
    e1: int
    g0: int
    g1: int
    l0: int
    l1: int
    corroboration: int
    revision: int
    updated: int = Field(sa_type=BigInteger)
    etag: str
    terms: bytes = Field(sa_type=LargeBinary)  # its terms, 6 bytes each: what to take out of the postings again
    body: bytes = Field(sa_type=LargeBinary)


class Posting(SQLModel, table=True):
    """One term of one record, in the order of dates."""

    __tablename__ = "posting"
    __table_args__ = {"sqlite_with_rowid": False, "postgresql_partition_by": "LIST (view)"}

    view: int = Field(sa_column=_view())
    term: int = Field(sa_column=Column("term", BigInteger, primary_key=True, autoincrement=False))
    s0: int = Field(sa_column=Column("s0", Integer, primary_key=True, autoincrement=False))
    k: int = Field(sa_column=Column("k", BigInteger, primary_key=True, autoincrement=False))
    s1: int
    e0: int
    e1: int


class Term(SQLModel, table=True):
    """What a term's number stands for."""

    __tablename__ = "term"
    __table_args__ = (UniqueConstraint("kind", "facet", "value", name="term_value"),)

    id: int = Field(sa_column=Column("id", BigInteger, primary_key=True, autoincrement=False))
    kind: str
    facet: str
    value: str


class TermCount(SQLModel, table=True):
    """How many rows of a view have a term: the rarest one drives a query."""

    __tablename__ = "term_count"
    __table_args__ = {"sqlite_with_rowid": False}

    view: int = Field(sa_column=_view())
    term: int = Field(sa_column=Column("term", BigInteger, primary_key=True, autoincrement=False))
    n: int = Field(sa_type=BigInteger)


class Spot(SQLModel, table=True):
    """One part of a record's geometry, in the order of dates: its bounding box, in degrees."""

    __tablename__ = "spot"
    __table_args__ = {"sqlite_with_rowid": False, "postgresql_partition_by": "LIST (view)"}

    view: int = Field(sa_column=_view())
    s0: int = Field(sa_column=Column("s0", Integer, primary_key=True, autoincrement=False))
    k: int = Field(sa_column=Column("k", BigInteger, primary_key=True, autoincrement=False))
    part: int = Field(sa_column=Column("part", SmallInteger, primary_key=True, autoincrement=False))
    w: float
    s: float
    e: float
    n: float


class Searched(SQLModel, table=True):
    """What is searched of one record as one view is shown it: terms in order (`search/document.py`)."""

    __tablename__ = "searched"
    __table_args__ = (
        Index("searched_k", "view", "k", unique=True),
        {"postgresql_partition_by": "LIST (view)", "info": {"text": "terms"}},
    )

    view: int = Field(sa_column=_view())
    k: int = Field(sa_column=Column("k", BigInteger, primary_key=True, autoincrement=False))
    terms: str


class Word(SQLModel, table=True):
    """How many records of a view have a term in their texts. The empty one counts records, a space all terms."""

    __tablename__ = "word"
    __table_args__ = {"sqlite_with_rowid": False}

    view: int = Field(sa_column=_view())
    word: str = Field(sa_column=Column("word", _IDENTIFIER, primary_key=True, autoincrement=False))
    n: int = Field(sa_type=BigInteger)


VIEW: Table = View.__table__  # type: ignore[attr-defined]
ROW: Table = Row.__table__  # type: ignore[attr-defined]
POSTING: Table = Posting.__table__  # type: ignore[attr-defined]
TERM: Table = Term.__table__  # type: ignore[attr-defined]
TERM_COUNT: Table = TermCount.__table__  # type: ignore[attr-defined]
SPOT: Table = Spot.__table__  # type: ignore[attr-defined]
SEARCHED: Table = Searched.__table__  # type: ignore[attr-defined]
WORD: Table = Word.__table__  # type: ignore[attr-defined]
PARTITIONED = (ROW, POSTING, SPOT, SEARCHED)
MOST_EVER = 62  # views: a number is given once, and a set of them is one whole number of 64 bits
