"""Webhooks and their messages, acknowledgements of removals, and reads found by who has read."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, and the index."""
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("view", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("kinds", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("former", sa.LargeBinary()),
        sa.Column("former_ends", sa.BigInteger()),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger()),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.String()),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("webhook_organisation", "webhook", ["organisation", "id"])
    op.create_table(
        "webhook_message",
        sa.Column("webhook", sa.String(), primary_key=True),
        sa.Column("last", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("tried", sa.BigInteger()),
        sa.Column("outcome", sa.String()),
        sa.Column("status", sa.Integer()),
        sqlite_with_rowid=False,
    )
    op.create_index("webhook_message_state", "webhook_message", ["webhook", "state", "last"])
    op.create_table(
        "acknowledgement",
        sa.Column("organisation", sa.String(), primary_key=True),
        sa.Column("view", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("record", sa.String(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_read_reader", "audit_read", ["organisation", "view", "record"])


def downgrade() -> None:
    """Take all of it away."""
    op.drop_index("audit_read_reader", "audit_read")
    for name in ("acknowledgement", "webhook_message", "webhook"):
        op.drop_table(name)
