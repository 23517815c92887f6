"""The vault's tables: what was submitted, what refers to what, what views were shown, what is kept or still to do."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, SmallInteger, Table, text
from sqlmodel import Field, SQLModel

# What SQLite keeps as the row's own number: a table in this order only grows at its end.
SERIAL = BigInteger().with_variant(Integer(), "sqlite")
# The states of records that are shown to nobody, whatever they say.
GONE = frozenset({"retracted", "withdrawn", "erased"})


def where(condition: str) -> dict[str, Any]:
    """Return the options of an index over some rows only, on both engines."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Record(SQLModel, table=True):
    """One record, whatever its state; the tombstone of one that is gone."""

    __tablename__ = "record"
    __table_args__ = (
        Index("record_expires", "expires", **where("expires IS NOT NULL")),
        Index("record_k", "k"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True)
    kind: str
    k: int = Field(sa_type=BigInteger)
    owner: str
    revision: int
    state: str  # live | expired | retracted | withdrawn | erased
    expires: int | None = Field(default=None, sa_type=BigInteger)  # end of the consent, in milliseconds
    leaf: int = Field(sa_type=BigInteger)  # the newest revision
    views: int = Field(sa_type=BigInteger)  # the views that are shown it now, one bit each
    shown: bytes = Field(sa_type=LargeBinary)  # each view's newest change of it: `vault/chains.py`


class Revision(SQLModel, table=True):
    """One revision as submitted: sealed under the record's own key, committed to with a salt, a leaf of the log."""

    __tablename__ = "revision"

    leaf: int = Field(sa_column=Column("leaf", SERIAL, primary_key=True, autoincrement=False))
    record: str
    revision: int
    previous: int | None = Field(sa_type=BigInteger)  # the leaf of the revision before
    at: int = Field(sa_type=BigInteger)  # milliseconds since 1970, UTC
    # submitted | expired | retracted | withdrawn | erased | objected | merged | unmerged | linked | unlinked
    change: str
    salt: bytes = Field(sa_type=LargeBinary)  # empty once the record is erased, and so is what was sealed
    commitment: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class Reference(SQLModel, table=True):
    """A revision rests on a record: what must be looked at again when that record changes, while it is the newest.

    By leaves, which only grow: many revisions at once are then few pages of the table.
    """

    __tablename__ = "reference"
    __table_args__ = {"sqlite_with_rowid": False}

    target: str = Field(primary_key=True)
    leaf: int = Field(sa_column=Column("leaf", BigInteger, primary_key=True, autoincrement=False))


class Disclosed(SQLModel, table=True):
    """One change of what one view is shown; append-only: the view's own history, generation and change feed.

    The changes of one record are a chain: `record.shown` and `row.seq` are its newest link.
    """

    __tablename__ = "disclosed"
    __table_args__ = {"sqlite_with_rowid": False}

    view: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    id: str
    kind: str
    revision: int
    at: int = Field(sa_type=BigInteger)
    change: str  # created | updated | removed | merged
    digest: bytes = Field(sa_type=LargeBinary)  # empty once the record is erased, and so is the salt
    salt: bytes = Field(sa_type=LargeBinary)
    leaf: int = Field(sa_type=BigInteger)
    previous: int = Field(sa_type=BigInteger)  # seq of the change before, of this record; 0: it is the first


class Merger(SQLModel, table=True):
    """A record that was merged into another one of its kind: whoever names it is shown the survivor instead.

    It follows from the newest revision of the record, which says into which one; kept so that both ends are found.
    """

    __tablename__ = "merger"
    __table_args__ = (Index("merger_survivor", "survivor"), {"sqlite_with_rowid": False})

    record: str = Field(primary_key=True)
    target: str  # that it was merged into
    survivor: str  # that this leads to in the end: the target, or what that was merged into since


class Led(SQLModel, table=True):
    """Where a change `merged` of `disclosed` led: the id that the view was told; append-only, as that is."""

    __tablename__ = "led"
    __table_args__ = {"sqlite_with_rowid": False}

    view: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    target: str


class Restoring(SQLModel, table=True):
    """A record that is to be shown anew: what it rests on has changed, and there was too much to do at once.

    In the views of `withheld` (one bit each) its row was taken away meanwhile, and nothing that names it is shown.
    """

    __tablename__ = "restoring"
    __table_args__ = (Index("restoring_order", "rank", "id"), {"sqlite_with_rowid": False})

    id: str = Field(primary_key=True)
    rank: int = Field(sa_type=SmallInteger)  # `intake/order.py`: what is named comes before what names it
    withheld: int = Field(sa_type=BigInteger)


class Erasing(SQLModel, table=True):
    """A record that is erased, and whose key or traces in the files may still be there."""

    __tablename__ = "erasing"
    __table_args__ = {"sqlite_with_rowid": False}

    id: str = Field(primary_key=True)


class Answered(SQLModel, table=True):
    """An answer that was given to a request with an `Idempotency-Key`, kept to be given again for a day.

    It is sealed under the key of the record, or of the import, that the request made: whatever ends that ends this.
    """

    __tablename__ = "answered"
    __table_args__ = (Index("answered_at", "at"), Index("answered_record", "record"), {"sqlite_with_rowid": False})

    organisation: str = Field(primary_key=True)
    key: bytes = Field(sa_column=Column("key", LargeBinary, primary_key=True))  # a keyed digest of what was sent
    request: bytes = Field(sa_type=LargeBinary)  # the same of the request
    at: int = Field(sa_type=BigInteger)
    record: str
    sealed: bytes = Field(sa_type=LargeBinary)


class Import(SQLModel, table=True):
    """One import over HTTP, and where it stands. Its file, its report and what is sealed here have one key.

    The key lies in the key store under the import's id while `kept` is set: whatever destroys it ends all of that.
    """

    __tablename__ = "import"
    __table_args__ = (
        Index("import_owner", "owner", "made", "id"),
        Index("import_state", "state", "changed"),
    )

    id: str = Field(primary_key=True)
    owner: str
    state: str  # waiting | received | checking | ready | refused | confirmed | applying | done | failed | abandoned
    made: int = Field(sa_type=BigInteger)  # milliseconds since 1970, UTC, as every moment here
    made_by: str  # the credential
    views: int = Field(sa_type=BigInteger)  # that whoever made it is shown, one bit each
    changed: int = Field(sa_type=BigInteger)
    ends: int = Field(sa_type=BigInteger)  # when what is kept of it goes
    kept: bool = Field(sa_type=Boolean)
    size: int | None = Field(default=None, sa_type=BigInteger)  # bytes of the file, as stated or as received
    digest: bytes | None = Field(default=None, sa_type=LargeBinary)  # SHA-256 of the file
    stated: bytes = Field(sa_type=LargeBinary)  # sealed: the file's name, the mapping, the options
    found: bytes | None = Field(default=None, sa_type=LargeBinary)  # sealed: what came of it so far
    phase: str | None = None
    done: int = Field(sa_type=BigInteger)
    total: int = Field(sa_type=BigInteger)
    log_size: int | None = Field(default=None, sa_type=BigInteger)  # of the log when it was foreseen what views gain
    confirmed: str | None = None  # JSON: what views gain, as a steward confirmed it
    confirmed_by: str | None = None  # the credential
    attempts: int = Field(sa_type=SmallInteger)  # that ended without an end of the work
    reason: str | None = None  # why it ended as it did


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
    tag: str  # of both as the view showed them; empty once one of them is erased: a guess could be held to it
    credential: str
    reason: bytes = Field(sa_type=LargeBinary)  # sealed under the keys of both: whatever ends one of them ends this


RECORD: Table = Record.__table__  # type: ignore[attr-defined]
REVISION: Table = Revision.__table__  # type: ignore[attr-defined]
REFERENCE: Table = Reference.__table__  # type: ignore[attr-defined]
DISCLOSED: Table = Disclosed.__table__  # type: ignore[attr-defined]
MERGER: Table = Merger.__table__  # type: ignore[attr-defined]
LED: Table = Led.__table__  # type: ignore[attr-defined]
RESTORING: Table = Restoring.__table__  # type: ignore[attr-defined]
ERASING: Table = Erasing.__table__  # type: ignore[attr-defined]
ANSWERED: Table = Answered.__table__  # type: ignore[attr-defined]
IMPORT: Table = Import.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
