"""Merkle trees as RFC 9162 hashes them; pure."""

import hashlib


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 over 0x00 and its data (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node: SHA-256 over 0x01 and its two children (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()
