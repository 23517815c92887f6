"""Answers kept for requests that may come again: for a day, sealed under the key of what was made."""

import hashlib
import hmac
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, delete, insert, select

from app.core import crypto
from app.core.problems import Fault, invalid
from app.vault.keys import KeyStore
from app.vault.tables import ANSWERED

FOR = 86_400_000  # milliseconds
_OTHER = "This key came with another request in the last 24 hours: a new request takes a new key."


class Asked(NamedTuple):
    """A request that may come again: whose, and keyed digests of its key and of all that it asks."""

    organisation: str
    key: bytes
    request: bytes


def asked(master: bytes, organisation: str, key: str, path: str, body: bytes) -> Asked:
    """Return a request as it is kept: what it said cannot be read from that, nor guessed and held to it."""
    secret = crypto.derive(master, "answered")
    whole = path.encode() + b"\0" + body
    return Asked(
        organisation,
        hmac.digest(secret, b"key\0" + key.encode(), hashlib.sha256),
        hmac.digest(secret, b"request\0" + whole, hashlib.sha256),
    )


def answered(connection: Connection, keys: KeyStore, one: Asked, at: int) -> dict[str, Any] | None:
    """Return what was answered to a request, if it came before.

    Raises:
        Problem: invalid-request, where the key came with another request.
    """
    c = ANSWERED.c
    where = c.organisation == one.organisation, c.key == one.key, c.at > at - FOR
    row = connection.execute(select(c.request, c.record, c.sealed).where(*where)).first()
    if row is None:
        return None
    if not hmac.compare_digest(bytes(row.request), one.request):
        raise invalid([Fault("header", "Idempotency-Key", _OTHER)])
    key = keys.get([row.record]).get(row.record)
    if key is None:  # of a record that was erased since this copy of the database was made
        connection.execute(delete(ANSWERED).where(*where))
        return None
    found: dict[str, Any] = orjson.loads(crypto.unseal(key, bytes(row.sealed), _place(row.record, one)))
    return found


def keep(connection: Connection, keys: KeyStore, one: Asked, at: int, record: str, answer: dict[str, Any]) -> None:
    """Keep an answer, in the transaction of the write; let go of those that are a day old."""
    c = ANSWERED.c
    connection.execute(delete(ANSWERED).where(c.at <= at - FOR))
    key = keys.get([record])[record]
    sealed = crypto.seal(key, orjson.dumps(answer), _place(record, one))
    values = {"organisation": one.organisation, "key": one.key, "request": one.request, "at": at}
    connection.execute(insert(ANSWERED).values(**values, record=record, sealed=sealed))


def _place(record: str, one: Asked) -> bytes:
    return b"answered\0" + record.encode() + b"\0" + one.key
