"""Secrets of credentials: made at random, shown once, kept as a digest, compared in constant time."""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from app.core.ids import ALPHABET

KEY, CLIENT = "evk", "evs"  # an API key; a secret of an OAuth client
_PREFIX, _RANDOM = 10, 52  # letters of 5 bits each: 50 bits that name a secret, 260 that nobody guesses
_FORM = re.compile(rf"(evk|evs)_([{ALPHABET}]{{{_PREFIX}}})_[{ALPHABET}]{{{_RANDOM}}}", re.ASCII)
_LIKE = re.compile(rb"ev[ks]_[0-9a-z]{10}_[0-9a-z]{20}")


class Made(NamedTuple):
    """A new secret: its text, which is shown once, and what is kept of it."""

    text: str
    prefix: str
    digest: bytes


def make(form: str) -> Made:
    """Return a new secret of a form (`KEY` or `CLIENT`)."""
    prefix, rest = ("".join(secrets.choice(ALPHABET) for _ in range(length)) for length in (_PREFIX, _RANDOM))
    text = f"{form}_{prefix}_{rest}"
    return Made(text, prefix, digest_of(text))


def digest_of(text: str) -> bytes:
    """Return what is kept of a secret. It has 260 random bits, so that one SHA-256 is enough: nothing can be tried."""
    return hashlib.sha256(text.encode()).digest()


def prefix_of(text: str, form: str) -> str | None:
    """Return the visible prefix of a text that has the form of a secret, else None."""
    found = _FORM.fullmatch(text)
    return found[2] if found is not None and found[1] == form else None


def is_same(text: str, digest: bytes | None) -> bool:
    """Tell whether a text is the secret that a digest was kept of; as long in coming where there is none."""
    return hmac.compare_digest(digest_of(text), digest or bytes(32))


def looks_like_one(raw: bytes) -> bool:
    """Tell whether there is something like a secret in a text, such as an address, where none belongs."""
    return _LIKE.search(raw) is not None
