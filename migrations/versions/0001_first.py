"""The vault, the log, the history of what was disclosed, the catalogue, and the first three views."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

PARTITIONED = ("row", "posting", "spot")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VIEWS = 3  # those that there are from the start; a later one brings its partitions with it


def _key(name: str, type_: Any) -> "sa.Column[Any]":
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _column(name: str, type_: Any, nullable: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, type_, nullable=nullable)


def _vault() -> None:
    op.create_table(
        "record",
        _key("id", sa.String()),
        _column("kind", sa.String()),
        _column("k", sa.BigInteger()),
        _column("owner", sa.String()),
        _column("revision", sa.Integer()),
        _column("state", sa.String()),
        _column("expires", sa.BigInteger(), nullable=True),
        _column("leaf", sa.BigInteger()),
        _column("views", sa.BigInteger()),
        _column("shown", sa.LargeBinary()),
        sqlite_with_rowid=False,
    )
    expiring = sa.text("expires IS NOT NULL")
    op.create_index("record_expires", "record", ["expires"], sqlite_where=expiring, postgresql_where=expiring)
    op.create_table(
        "revision",
        _key("leaf", SERIAL),
        _column("record", sa.String()),
        _column("revision", sa.Integer()),
        _column("previous", sa.BigInteger(), nullable=True),
        _column("at", sa.BigInteger()),
        _column("change", sa.String()),
        _column("salt", sa.LargeBinary()),
        _column("commitment", sa.LargeBinary()),
        _column("sealed", sa.LargeBinary()),
    )
    op.create_table(
        "reference",
        _key("target", sa.String()),
        _key("leaf", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table("leaf", _key("index", SERIAL), _column("hash", sa.LargeBinary()))
    op.create_table(
        "disclosed",
        _key("view", sa.SmallInteger()),
        _key("seq", sa.BigInteger()),
        _column("id", sa.String()),
        _column("kind", sa.String()),
        _column("revision", sa.Integer()),
        _column("at", sa.BigInteger()),
        _column("change", sa.String()),
        _column("digest", sa.LargeBinary()),
        _column("salt", sa.LargeBinary()),
        _column("leaf", sa.BigInteger()),
        _column("previous", sa.BigInteger()),
        sqlite_with_rowid=False,
    )


def _catalogue() -> None:
    views = op.create_table(
        "view",
        _key("id", sa.SmallInteger()),
        _column("audience", sa.String()),
        _column("purpose", sa.String()),
        _column("recipient", sa.String()),
        _column("owner", sa.String(), nullable=True),
        _column("state", sa.String()),
        _column("generation", sa.BigInteger()),
        _column("next_expiry", sa.BigInteger(), nullable=True),
        _column("reached", sa.String(), nullable=True),
    )
    op.create_table(
        "row",
        _column("view", sa.SmallInteger()),
        _column("k", sa.BigInteger()),
        _column("seq", sa.BigInteger()),
        _column("kind", sa.String()),
        _column("id", sa.String().with_variant(sa.String(collation="C"), "postgresql")),
        _column("owner", sa.String()),
        *(_column(name, sa.Integer()) for name in ("s0", "s1", "e0", "e1", "g0", "g1", "l0", "l1")),
        _column("corroboration", sa.Integer()),
        _column("revision", sa.Integer()),
        _column("updated", sa.BigInteger()),
        _column("etag", sa.String()),
        _column("terms", sa.LargeBinary()),
        _column("body", sa.LargeBinary()),
        postgresql_partition_by="LIST (view)",
    )
    op.create_index("row_k", "row", ["view", "k"], unique=True)
    op.create_index("row_id", "row", ["view", "kind", "id"], unique=True)
    op.create_index("row_date", "row", ["view", "kind", "s0", "k", "s1", "e0", "e1"])
    op.create_index("row_updated", "row", ["view", "kind", "updated", "k"])
    op.create_table(
        "posting",
        _key("view", sa.SmallInteger()),
        _key("term", sa.BigInteger()),
        _key("s0", sa.Integer()),
        _key("k", sa.BigInteger()),
        *(_column(name, sa.Integer()) for name in ("s1", "e0", "e1")),
        sqlite_with_rowid=False,
        postgresql_partition_by="LIST (view)",
    )
    op.create_table(
        "spot",
        _key("view", sa.SmallInteger()),
        _key("s0", sa.Integer()),
        _key("k", sa.BigInteger()),
        _key("part", sa.SmallInteger()),
        *(_column(name, sa.Float()) for name in ("w", "s", "e", "n")),
        sqlite_with_rowid=False,
        postgresql_partition_by="LIST (view)",
    )
    op.create_table(
        "term",
        _key("id", sa.BigInteger()),
        *(_column(name, sa.String()) for name in ("kind", "facet", "value")),
        sa.UniqueConstraint("kind", "facet", "value", name="term_value"),
    )
    op.create_table(
        "term_count",
        _key("view", sa.SmallInteger()),
        _key("term", sa.BigInteger()),
        _column("n", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    common = {"recipient": "[]", "owner": None, "state": "live", "generation": 0, "next_expiry": None, "reached": None}
    op.bulk_insert(
        views,
        [
            {"id": 0, "audience": "public", "purpose": "publication", **common},
            {"id": 1, "audience": "partner", "purpose": "research", **common},
            {"id": 2, "audience": "mechanism", "purpose": "un-reporting", **common},
        ],
    )


def upgrade() -> None:
    """Make everything."""
    _vault()
    _catalogue()
    if op.get_bind().dialect.name == "postgresql":
        for table in PARTITIONED:
            for view in range(VIEWS):
                op.execute(f'CREATE TABLE "{table}_{view}" PARTITION OF "{table}" FOR VALUES IN ({view})')


def downgrade() -> None:
    """Take everything away."""
    for table in ("term_count", "term", "spot", "posting", "row", "view", "disclosed", "leaf"):
        op.drop_table(table)
    for table in ("reference", "revision", "record"):
        op.drop_table(table)
