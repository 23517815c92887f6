"""The table of decisions: what an organisation said of two records, who said so, and why; append-only."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table
from sqlmodel import Field, SQLModel


class Judgement(SQLModel, table=True):
    """One decision of one organisation about two records, as one view showed them; the newest of a pair holds."""

    __tablename__ = "judgement"
    __table_args__ = (Index("judgement_pair", "organisation", "view", "one", "other"), {"sqlite_with_rowid": False})

    organisation: str = Field(primary_key=True)
    at: int = Field(sa_column=Column("at", BigInteger, primary_key=True, autoincrement=False))  # of one only, in ms
    view: int = Field(sa_type=SmallInteger)
    kind: str
    one: str  # the ids, the lesser first
    other: str
    decision: str  # accept | refuse
    outcome: str  # merged | linked | unlinked | kept
    tag: str  # of both as the view showed them
    credential: str
    reason: bytes = Field(sa_type=LargeBinary)  # sealed under the keys of both: whatever ends one of them ends this


JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
