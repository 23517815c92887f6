"""What was taken away and is still to be restored, or still to be erased from the files."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "restoring",
        sa.Column("id", sa.String(), primary_key=True, autoincrement=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("withheld", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("restoring_order", "restoring", ["rank", "id"])
    op.create_table(
        "erasing",
        sa.Column("id", sa.String(), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take both away."""
    op.drop_table("erasing")
    op.drop_table("restoring")
