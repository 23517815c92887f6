"""What is searched of each record as a view is shown it, the indexes of these texts, and the words of each view.

Where there are records already, the catalogue is marked to be made anew, which the next start does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make both tables, and an index of texts for every view."""
    op.create_table(
        "searched",
        sa.Column("view", sa.SmallInteger(), nullable=False),
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        postgresql_partition_by="LIST (view)",
    )
    op.create_index("searched_k", "searched", ["view", "k"], unique=True)
    op.create_table(
        "word",
        sa.Column("view", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "word",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(
            "ALTER TABLE searched ADD COLUMN found tsvector GENERATED ALWAYS AS (to_tsvector('simple', terms)) STORED"
        )
        op.execute("CREATE INDEX searched_found ON searched USING gin (found)")
    for view in op.get_bind().scalars(sa.text("SELECT id FROM view ORDER BY id")).all():
        one = f"searched_{view:d}"
        if postgresql:
            op.execute(f"CREATE TABLE {one} PARTITION OF searched FOR VALUES IN ({view:d})")
            continue
        op.execute(f"CREATE VIRTUAL TABLE {one} USING fts5(terms, content='', columnsize=0, tokenize='ascii')")
        op.execute(f"INSERT INTO {one}({one}, rank) VALUES ('secure-delete', 1)")  # noqa: S608 - names of our own
        op.execute(
            f"CREATE TRIGGER {one}_in AFTER INSERT ON searched WHEN new.view = {view:d} "  # noqa: S608
            f"BEGIN INSERT INTO {one}(rowid, terms) VALUES (new.k, new.terms); END"
        )
        op.execute(
            f"CREATE TRIGGER {one}_out AFTER DELETE ON searched WHEN old.view = {view:d} "  # noqa: S608
            f"BEGIN INSERT INTO {one}({one}, rowid, terms) VALUES ('delete', old.k, old.terms); END"
        )
    op.execute("UPDATE view SET state = 'building' WHERE state = 'live' AND EXISTS (SELECT 1 FROM \"row\")")


def downgrade() -> None:
    """Take all of it away."""
    if op.get_bind().dialect.name == "sqlite":
        for view in op.get_bind().scalars(sa.text("SELECT id FROM view ORDER BY id")).all():
            op.execute(f"DROP TABLE searched_{view:d}")
    op.drop_table("searched")
    op.drop_table("word")
