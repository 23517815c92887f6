"""The tables of webhooks: who is told where, how far, and the messages that are under way; none holds any content."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table
from sqlmodel import Field, SQLModel


class Webhook(SQLModel, table=True):
    """One subscription: what its credential is shown is told of, in the view that it was made in."""

    __tablename__ = "webhook"
    __table_args__ = (Index("webhook_organisation", "organisation", "id"), {"sqlite_with_rowid": False})

    id: str = Field(primary_key=True)
    organisation: str
    credential: str
    view: int = Field(sa_type=SmallInteger)
    name: str
    url: str
    kinds: str  # with spaces between, sorted; empty: all
    state: str  # active | paused | disabled
    reason: str | None = None  # of a disabled one: gone | failing
    created: int = Field(sa_type=BigInteger)  # milliseconds since 1970, UTC, as every moment here
    secret: bytes = Field(sa_type=LargeBinary)  # sealed under a key that follows from the master key
    former: bytes | None = Field(default=None, sa_type=LargeBinary)  # while it is rotated
    former_ends: int | None = Field(default=None, sa_type=BigInteger)
    position: int = Field(sa_type=BigInteger)  # the last change of the view of which there is a message
    failures: int = Field(default=0, sa_type=Integer)  # attempts that failed in a row
    failing_since: int | None = Field(default=None, sa_type=BigInteger)
    next_at: int = Field(default=0, sa_type=BigInteger)  # no attempt before this moment
    leased_by: str | None = None  # the process that sends its messages now
    leased_until: int = Field(default=0, sa_type=BigInteger)


class WebhookMessage(SQLModel, table=True):
    """One message: the changes of a view from one number to another, fixed before it is first sent."""

    __tablename__ = "webhook_message"
    __table_args__ = (Index("webhook_message_state", "webhook", "state", "last"), {"sqlite_with_rowid": False})

    webhook: str = Field(primary_key=True)
    last: int = Field(sa_column=Column("last", BigInteger, primary_key=True, autoincrement=False))
    first: int = Field(sa_type=BigInteger)
    changes: int = Field(sa_type=Integer)
    state: str  # waiting | delivered | dead
    tries: int = Field(sa_type=Integer)
    made: int = Field(sa_type=BigInteger)
    tried: int | None = Field(default=None, sa_type=BigInteger)
    outcome: str | None = None  # of the newest attempt
    status: int | None = Field(default=None, sa_type=Integer)  # what was answered to it


WEBHOOK: Table = Webhook.__table__  # type: ignore[attr-defined]
WEBHOOK_MESSAGE: Table = WebhookMessage.__table__  # type: ignore[attr-defined]
