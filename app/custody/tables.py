"""The log's table: one row a leaf, in the order of the log."""

from sqlalchemy import Column, LargeBinary, Table
from sqlmodel import Field, SQLModel

from app.vault.tables import SERIAL


class Leaf(SQLModel, table=True):
    """One leaf of the Merkle log: its index and its RFC 9162 hash."""

    __tablename__ = "leaf"

    index: int = Field(sa_column=Column("index", SERIAL, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_type=LargeBinary)


LEAF: Table = Leaf.__table__  # type: ignore[attr-defined]
