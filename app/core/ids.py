"""Identifiers: random ones that say nothing, and the 63-bit number that breaks every tie."""

import hashlib
import re
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, in lower case: order of text = order of number
_OPAQUE = re.compile(r"[a-z]{3}-[0-7][0-9a-hjkmnp-tv-z]{25}", re.ASCII)


def _spell(prefix: str, value: int) -> str:
    return prefix + "-" + "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -5, -5))


def new(prefix: str) -> str:
    """Return a fresh opaque id: three letters, then 128 random bits."""
    return _spell(prefix, secrets.randbits(128))


def fixed(prefix: str, slug: str) -> str:
    """Return the opaque id that a built-in record keeps for ever: its bits are a digest of its slug."""
    return _spell(prefix, int.from_bytes(hashlib.sha256(f"{prefix}:{slug}".encode()).digest()[:16], "big"))


def is_opaque(identifier: str) -> bool:
    """Tell whether an id is of the opaque form."""
    return _OPAQUE.fullmatch(identifier) is not None


def k_of(identifier: str) -> int:
    """Return the tie-break of a record: the first 63 bits of the SHA-256 of its id.

    Of the digest, not of the id: ids of two kinds may have the same random part, and nobody can choose a digest.
    """
    return int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:8], "big") >> 1
