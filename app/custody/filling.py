"""What fills the log up: leaves that look random to everybody but to whoever has the master key; pure."""

import hashlib
import hmac

from app.core import crypto


class Filling:
    """Makes the leaves that fill up, and so knows them again: else any leaf could be passed off as one."""

    def __init__(self, master: bytes) -> None:
        """Follow from the master key."""
        self._key = crypto.derive(master, "filling")

    def leaves(self, before: int, size: int, at: int) -> list[bytes]:
        """Return what stands from one place up to another; the last of them goes with the moment, too.

        Args:
            before: the first place.
            size: of the log when it is filled up.
            at: of the checkpoint, in milliseconds since 1970.
        """
        return [self._leaf(str(index)) for index in range(before, size - 1)] + [self._leaf(f"{size - 1} {at}")]

    def _leaf(self, place: str) -> bytes:
        return hmac.digest(self._key, place.encode(), hashlib.sha256)
