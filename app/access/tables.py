"""Access's tables: organisations, their credentials, the keys that sign tokens, who read what and no longer has it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, SmallInteger, String, Table, column, table
from sqlmodel import Field, SQLModel

from app.vault.tables import SERIAL

# Of the views, which the catalogue keeps: what a credential has to know of them.
VIEW = table(
    "view",
    column("id", SmallInteger),
    *(column(name, String) for name in ("audience", "purpose", "owner", "state")),
)


class Organisation(SQLModel, table=True):
    """One organisation: its id is the `owner` of the records that it holds."""

    __tablename__ = "organisation"

    id: str = Field(primary_key=True)
    name: str
    operator: bool = Field(sa_type=Boolean)  # runs this service: its admin manages every organisation
    created: int = Field(sa_type=BigInteger)  # milliseconds since 1970, UTC, as every moment here
    revoked: int | None = Field(default=None, sa_type=BigInteger)


class OrganisationView(SQLModel, table=True):
    """One view that the operator lets an organisation have: the most that its credentials may be given."""

    __tablename__ = "organisation_view"
    __table_args__ = {"sqlite_with_rowid": False}

    organisation: str = Field(primary_key=True)
    view: int = Field(sa_column=Column("view", SmallInteger, primary_key=True, autoincrement=False))


class Credential(SQLModel, table=True):
    """One way in: an API key, an OAuth client, or a subject of an outside issuer."""

    __tablename__ = "credential"
    __table_args__ = (
        Index("credential_organisation", "organisation", "id"),
        Index("credential_subject", "issuer", "subject"),
    )

    id: str = Field(primary_key=True)
    organisation: str
    kind: str  # key | client | subject
    name: str
    roles: str  # with spaces between, in the order of `ROLES`
    created: int = Field(sa_type=BigInteger)
    expires: int | None = Field(default=None, sa_type=BigInteger)
    revoked: int | None = Field(default=None, sa_type=BigInteger)
    issuer: str | None = None
    subject: str | None = None


class CredentialView(SQLModel, table=True):
    """One view that a credential may ask; it holds only as long as its organisation has it too."""

    __tablename__ = "credential_view"
    __table_args__ = {"sqlite_with_rowid": False}

    credential: str = Field(primary_key=True)
    view: int = Field(sa_column=Column("view", SmallInteger, primary_key=True, autoincrement=False))


class Secret(SQLModel, table=True):
    """One secret of a credential, as a digest; while it is rotated there are two."""

    __tablename__ = "secret"
    __table_args__ = (Index("secret_credential", "credential"),)

    prefix: str = Field(primary_key=True)
    credential: str
    digest: bytes = Field(sa_type=LargeBinary)
    created: int = Field(sa_type=BigInteger)
    expires: int | None = Field(default=None, sa_type=BigInteger)


class SigningKey(SQLModel, table=True):
    """One key that signs tokens: the newest signs, and each verifies until it ends."""

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True)
    created: int = Field(sa_type=BigInteger)
    ends: int | None = Field(default=None, sa_type=BigInteger)
    public: str  # a JWK (RFC 8037) as JSON
    sealed: bytes = Field(sa_type=LargeBinary)  # the private JWK, under a key that follows from the master key


class AuditEntry(SQLModel, table=True):
    """One line of a spool: a read, or an act of managing; `hash` chains it to the line before it."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_seq", "spool", "seq", unique=True),
        Index("audit_entry_organisation", "organisation", "entry"),
    )

    entry: int = Field(sa_column=Column("entry", SERIAL, primary_key=True, autoincrement=False))
    spool: str
    seq: int = Field(sa_type=BigInteger)
    organisation: str | None
    line: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class AuditRead(SQLModel, table=True):
    """One record that somebody has read on one day, as its owner is told of it."""

    __tablename__ = "audit_read"
    __table_args__ = (
        Index("audit_read_record", "owner", "record", "day"),
        Index("audit_read_reader", "organisation", "view", "record"),
        {"sqlite_with_rowid": False},
    )

    owner: str = Field(primary_key=True)
    # The moment at which the day began; of a mechanism's reads, its month.
    day: int = Field(sa_column=Column("day", BigInteger, primary_key=True, autoincrement=False))
    record: str = Field(primary_key=True)
    credential: str = Field(primary_key=True)
    view: int = Field(sa_column=Column("view", SmallInteger, primary_key=True, autoincrement=False))
    organisation: str
    first_at: int = Field(sa_type=BigInteger)  # to the second; of a mechanism's reads, that month again
    last_at: int = Field(sa_type=BigInteger)
    times: int = Field(sa_type=BigInteger)
    shown_from: int = Field(sa_type=BigInteger)  # a sealed read: the end of the seal


class AuditSeal(SQLModel, table=True):
    """A stated time for which owners are not told what a mechanism reads."""

    __tablename__ = "audit_seal"
    __table_args__ = (Index("audit_seal_organisation", "organisation", "until"),)

    id: str = Field(primary_key=True)
    organisation: str
    since: int = Field(sa_type=BigInteger)
    until: int = Field(sa_type=BigInteger)
    credential: str


class Acknowledgement(SQLModel, table=True):
    """A recipient says that it no longer holds a record which its view was told is removed."""

    __tablename__ = "acknowledgement"
    __table_args__ = {"sqlite_with_rowid": False}

    organisation: str = Field(primary_key=True)
    view: int = Field(sa_column=Column("view", SmallInteger, primary_key=True, autoincrement=False))
    record: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)  # the removal: a change of that view
    at: int = Field(sa_type=BigInteger)
    credential: str


ORGANISATION: Table = Organisation.__table__  # type: ignore[attr-defined]
ORGANISATION_VIEW: Table = OrganisationView.__table__  # type: ignore[attr-defined]
CREDENTIAL: Table = Credential.__table__  # type: ignore[attr-defined]
CREDENTIAL_VIEW: Table = CredentialView.__table__  # type: ignore[attr-defined]
SECRET: Table = Secret.__table__  # type: ignore[attr-defined]
SIGNING_KEY: Table = SigningKey.__table__  # type: ignore[attr-defined]
AUDIT_ENTRY: Table = AuditEntry.__table__  # type: ignore[attr-defined]
AUDIT_READ: Table = AuditRead.__table__  # type: ignore[attr-defined]
AUDIT_SEAL: Table = AuditSeal.__table__  # type: ignore[attr-defined]
ACKNOWLEDGEMENT: Table = Acknowledgement.__table__  # type: ignore[attr-defined]
