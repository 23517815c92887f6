"""Acts of managing: who made, changed or ended which credential, kept in the transaction that does it."""

from typing import NamedTuple

import orjson
from sqlalchemy import Connection, func, insert, select

from app.access import chain
from app.access.tables import AUDIT_ENTRY

ACTS = "acts"  # the chain of these; the reads of each process have one of their own


class By(NamedTuple):
    """Who acts: an organisation and its credential, or the operator at the command line (neither)."""

    organisation: str | None
    credential: str | None


OPERATOR = By(None, None)


def next_entry(connection: Connection) -> int:
    """Return the number of the next entry; the caller holds the write lock."""
    last: int | None = connection.scalar(select(func.max(AUDIT_ENTRY.c.entry)))
    return 0 if last is None else last + 1


def keep(
    connection: Connection, at: int, by: By, act: str, organisation: str | None, credential: str | None = None
) -> None:
    """Keep an act; the caller holds the write lock.

    Args:
        at: when, in milliseconds.
        act: what was done, as `revoke-credential`.
        organisation: to whose credentials.
        credential: to which of them.
    """
    c = AUDIT_ENTRY.c
    last = connection.execute(
        select(c.seq, c.hash).where(c.spool == ACTS).order_by(c.seq.desc()).limit(1)
    ).one_or_none()
    seq, previous = (0, chain.START) if last is None else (last[0] + 1, bytes(last[1]))
    line = orjson.dumps(
        {
            "seq": seq,
            "at": at,
            "act": act,
            "organisation": by.organisation,
            "credential": by.credential,
            "of_organisation": organisation,
            "of_credential": credential,
        }
    )
    row = {"entry": next_entry(connection), "spool": ACTS, "seq": seq, "organisation": by.organisation}
    connection.execute(insert(AUDIT_ENTRY).values({**row, "line": line, "hash": chain.link(previous, line)}))
