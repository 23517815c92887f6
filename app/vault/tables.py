"""The vault's tables: what was submitted, what refers to what, and what each view was shown."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table
from sqlmodel import Field, SQLModel


class Record(SQLModel, table=True):
    """One record, whatever its state; the tombstone of one that is gone."""

    __tablename__ = "record"
    __table_args__ = (Index("record_kind", "kind", "id"),)

    id: str = Field(primary_key=True)
    kind: str
    k: int = Field(sa_type=BigInteger)
    owner: str
    revision: int
    state: str  # live | expired | retracted
    expires: int | None = Field(default=None, sa_type=BigInteger, index=True)  # end of the consent, in milliseconds


class Revision(SQLModel, table=True):
    """One revision as submitted: sealed under the record's own key, committed to with a salt, a leaf of the log."""

    __tablename__ = "revision"

    record: str = Field(primary_key=True, foreign_key="record.id")
    revision: int = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)  # milliseconds since 1970, UTC
    change: str  # submitted | expired | retracted
    salt: bytes = Field(sa_type=LargeBinary)
    commitment: bytes = Field(sa_type=LargeBinary)
    leaf: int = Field(sa_type=BigInteger)
    sealed: bytes = Field(sa_type=LargeBinary)


class Reference(SQLModel, table=True):
    """One record rests on another: what must be looked at again when that other changes."""

    __tablename__ = "reference"
    __table_args__ = (Index("reference_target", "target", "record"),)

    record: str = Field(primary_key=True, foreign_key="record.id")
    target: str = Field(primary_key=True)


class Disclosed(SQLModel, table=True):
    """One change of what one view is shown; append-only: the view's own history, generation and change feed."""

    __tablename__ = "disclosed"
    __table_args__ = (Index("disclosed_record", "view", "id", "seq"),)

    view: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: str
    kind: str
    revision: int
    at: int = Field(sa_type=BigInteger)
    change: str  # created | updated | removed
    digest: bytes = Field(sa_type=LargeBinary)
    salt: bytes = Field(sa_type=LargeBinary)
    leaf: int = Field(sa_type=BigInteger)


RECORD: Table = Record.__table__  # type: ignore[attr-defined]
REVISION: Table = Revision.__table__  # type: ignore[attr-defined]
REFERENCE: Table = Reference.__table__  # type: ignore[attr-defined]
DISCLOSED: Table = Disclosed.__table__  # type: ignore[attr-defined]
