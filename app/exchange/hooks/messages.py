"""Messages in the Standard Webhooks form: ids, kinds and words of change, signed; never anything of a record."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Any

import orjson
from standardwebhooks import Webhook

from app.catalogue.changes import SORT
from app.catalogue.changes_asked import question_of
from app.catalogue.cursor import Cursors, Place
from app.catalogue.landing import VERSION
from app.catalogue.negotiate import JSON
from app.core import crypto
from app.core.moments import iso
from app.exchange.hooks.outbox import Told, Work

CHANGED, TEST = "records.changed", "test"  # the types of message
AGENT = f"accountability-evidence/{VERSION}"
SECRET_BYTES = 32
_FEED = question_of({}, JSON)  # the whole feed: what a position belongs to


class Sealed:
    """The secrets of webhooks: shown once, kept sealed under a key that follows from the master key."""

    def __init__(self, master: bytes) -> None:
        """Derive the keys."""
        self._key = crypto.derive(master, "webhook-secrets")
        self._ids = crypto.derive(master, "webhook-ids")

    def make(self, webhook: str) -> tuple[str, bytes]:
        """Return a new secret as it is shown (`whsec_…`), and as it is kept."""
        secret = secrets.token_bytes(SECRET_BYTES)
        text = f"whsec_{base64.b64encode(secret).decode()}"
        return text, crypto.seal(self._key, secret, webhook.encode())

    def open(self, webhook: str, sealed: bytes) -> bytes:
        """Return a secret.

        Raises:
            SealError: it was sealed under another master key.
        """
        return crypto.unseal(self._key, sealed, webhook.encode())

    def id(self, webhook: str, first: int, last: int) -> str:
        """Return the id of a message, the same for each attempt by whichever process, and telling nothing."""
        place = f"{webhook}/{first}/{last}".encode()
        return f"msg_{hmac.new(self._ids, place, hashlib.sha256).hexdigest()[:32]}"


class Messages:
    """Makes the messages of one deployment."""

    def __init__(self, master: bytes, cursors: Cursors) -> None:
        """Seal and sign by the master key; positions are cursors of the feed."""
        self.sealed, self._cursors = Sealed(master), cursors

    def position(self, view: int, seq: int, at: int) -> str:
        """Return the place in the feed after a change, as `after` of the feed without filters takes it."""
        return self._cursors.make(view, _FEED.digest, SORT, Place(seq, at))

    def place(self, view: int, position: str) -> tuple[int, int]:
        """Return the number and the moment of the change that a position stands after.

        Raises:
            Wrong: it is none of this view.
        """
        found = self._cursors.read(view, _FEED.digest, SORT, position)
        return int(found.value), found.k

    def of(self, work: Work) -> tuple[str, bytes]:
        """Return the id and the body of a message."""
        data = {
            "webhook": work.webhook,
            "position": self.position(work.view, work.last, work.at),
            "changes": [_told(one) for one in work.changes],
        }
        id = self.sealed.id(work.webhook, work.first, work.last)
        return id, orjson.dumps({"type": CHANGED, "timestamp": iso(work.at), "data": data})

    def signed(self, webhook: str, kept: tuple[bytes, ...], id: str, body: bytes, now: int) -> dict[str, str]:
        """Return the headers of an attempt: signed by every secret that holds, so that none is missed in between.

        Raises:
            SealError: a secret was sealed under another master key.
        """
        at = datetime.fromtimestamp(now // 1000, UTC)
        signers = [Webhook(self.sealed.open(webhook, one)) for one in kept]
        return {
            "content-type": "application/json",
            "user-agent": AGENT,
            "webhook-id": id,
            "webhook-timestamp": str(now // 1000),
            "webhook-signature": " ".join(one.sign(id, at, body.decode()) for one in signers),
        }


def a_test(webhook: str, now: int) -> tuple[str, bytes]:
    """Return the id and the body of a message that only tries whether messages arrive."""
    content: dict[str, Any] = {"type": TEST, "timestamp": iso(now), "data": {"webhook": webhook}}
    return f"msg_{secrets.token_hex(16)}", orjson.dumps(content)


def _told(one: Told) -> dict[str, str]:
    return {"id": one.id, "kind": one.kind, "change": one.change}
