"""The answers to requests that may come again, kept for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "answered",
        sa.Column("organisation", sa.String(), primary_key=True, autoincrement=False),
        sa.Column("key", sa.LargeBinary(), primary_key=True, autoincrement=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("answered_at", "answered", ["at"])
    op.create_index("answered_record", "answered", ["record"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("answered")
