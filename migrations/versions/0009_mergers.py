"""Records that were merged into others, and which views were told where their ids lead."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "merger",
        sa.Column("record", sa.String(), primary_key=True, autoincrement=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("survivor", sa.String(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("merger_survivor", "merger", ["survivor"])
    op.create_table(
        "led",
        sa.Column("view", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("target", sa.String(), nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take both away."""
    op.drop_table("led")
    op.drop_table("merger")
