"""The log's tables: a row a leaf, in the order of the log; what stands above the leaves; and what was signed of it."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table
from sqlmodel import Field, SQLModel

from app.vault.tables import SERIAL


class Leaf(SQLModel, table=True):
    """One leaf of the Merkle log: its index and its RFC 9162 hash."""

    __tablename__ = "leaf"

    index: int = Field(sa_column=Column("index", SERIAL, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_type=LargeBinary)


class Tile(SQLModel, table=True):
    """The root over 256 leaves that follow one another, the n-th over those from 256 n on: what proofs are made of."""

    __tablename__ = "tile"

    index: int = Field(sa_column=Column("index", SERIAL, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_type=LargeBinary)


class Checkpoint(SQLModel, table=True):
    """One signed checkpoint. From leaf `before` on the log was filled up to a whole tile; that is told to nobody."""

    __tablename__ = "checkpoint"

    size: int = Field(sa_column=Column("size", SERIAL, primary_key=True, autoincrement=False))
    before: int = Field(sa_type=BigInteger)
    at: int = Field(sa_type=BigInteger)  # milliseconds since 1970, UTC
    note: str


LEAF: Table = Leaf.__table__  # type: ignore[attr-defined]
TILE: Table = Tile.__table__  # type: ignore[attr-defined]
CHECKPOINT: Table = Checkpoint.__table__  # type: ignore[attr-defined]
