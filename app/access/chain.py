"""The chain: each line of an account is hashed with the hash before it, so that none can be changed or taken out."""

import hashlib

START = bytes(32)  # what the first line of a chain is hashed with


def link(previous: bytes, line: bytes) -> bytes:
    """Return the hash of a line: SHA-256 of the hash before it and of its bytes."""
    return hashlib.sha256(previous + line).digest()
