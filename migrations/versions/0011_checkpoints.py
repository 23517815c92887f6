"""Signed checkpoints of the log, and the roots over each 256 of its leaves."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make both tables."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "tile",
        sa.Column("index", serial, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", serial, primary_key=True, autoincrement=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Take both away. The leaves that filled the log up stay: no leaf is ever taken away."""
    op.drop_table("checkpoint")
    op.drop_table("tile")
