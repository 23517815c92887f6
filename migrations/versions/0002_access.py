"""Access: organisations, credentials, the keys that sign tokens, and the audit of what was read."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str, type_: Any) -> "sa.Column[Any]":
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _column(name: str, type_: Any, nullable: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, type_, nullable=nullable)


def _credentials() -> None:
    op.create_table(
        "organisation",
        _key("id", sa.String()),
        _column("name", sa.String()),
        _column("operator", sa.Boolean()),
        _column("created", sa.BigInteger()),
        _column("revoked", sa.BigInteger(), nullable=True),
    )
    op.create_table(
        "organisation_view",
        _key("organisation", sa.String()),
        _key("view", sa.SmallInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "credential",
        _key("id", sa.String()),
        *(_column(name, sa.String()) for name in ("organisation", "kind", "name", "roles")),
        _column("created", sa.BigInteger()),
        *(_column(name, sa.BigInteger(), nullable=True) for name in ("expires", "revoked")),
        *(_column(name, sa.String(), nullable=True) for name in ("issuer", "subject")),
    )
    op.create_index("credential_organisation", "credential", ["organisation", "id"])
    op.create_index("credential_subject", "credential", ["issuer", "subject"])
    op.create_table(
        "credential_view",
        _key("credential", sa.String()),
        _key("view", sa.SmallInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "secret",
        _key("prefix", sa.String()),
        _column("credential", sa.String()),
        _column("digest", sa.LargeBinary()),
        _column("created", sa.BigInteger()),
        _column("expires", sa.BigInteger(), nullable=True),
    )
    op.create_index("secret_credential", "secret", ["credential"])
    op.create_table(
        "signing_key",
        _key("kid", sa.String()),
        _column("created", sa.BigInteger()),
        _column("ends", sa.BigInteger(), nullable=True),
        _column("public", sa.String()),
        _column("sealed", sa.LargeBinary()),
    )


def _audit() -> None:
    op.create_table(
        "audit_entry",
        _key("entry", SERIAL),
        _column("spool", sa.String()),
        _column("seq", sa.BigInteger()),
        _column("organisation", sa.String(), nullable=True),
        _column("line", sa.LargeBinary()),
        _column("hash", sa.LargeBinary()),
    )
    op.create_index("audit_entry_seq", "audit_entry", ["spool", "seq"], unique=True)
    op.create_index("audit_entry_organisation", "audit_entry", ["organisation", "entry"])
    op.create_table(
        "audit_read",
        _key("owner", sa.String()),
        _key("day", sa.BigInteger()),
        _key("record", sa.String()),
        _key("credential", sa.String()),
        _key("view", sa.SmallInteger()),
        _column("organisation", sa.String()),
        *(_column(name, sa.BigInteger()) for name in ("first_at", "last_at", "times", "shown_from")),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_read_record", "audit_read", ["owner", "record", "day"])
    op.create_table(
        "audit_seal",
        _key("id", sa.String()),
        _column("organisation", sa.String()),
        _column("since", sa.BigInteger()),
        _column("until", sa.BigInteger()),
        _column("credential", sa.String()),
    )
    op.create_index("audit_seal_organisation", "audit_seal", ["organisation", "until"])
    # A spool holds tie-breaks, not ids: eight bytes for each record that was read.
    op.create_index("record_k", "record", ["k"])


def upgrade() -> None:
    """Make everything."""
    _credentials()
    _audit()


def downgrade() -> None:
    """Take everything away."""
    op.drop_index("record_k", "record")
    for table in ("audit_seal", "audit_read", "audit_entry"):
        op.drop_table(table)
    for table in ("signing_key", "secret", "credential_view", "credential", "organisation_view", "organisation"):
        op.drop_table(table)
