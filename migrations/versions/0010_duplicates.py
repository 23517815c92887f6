"""What organisations decided about records that may be one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "judgement",
        sa.Column("organisation", sa.String(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("view", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("one", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("judgement_pair", "judgement", ["organisation", "view", "one", "other"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("judgement")
