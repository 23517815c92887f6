"""Signed notes and the checkpoints in them: C2SP signed-note and tlog-checkpoint, with Ed25519; pure."""

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"  # the type of a signature
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_CHECKPOINT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n")
NAME = "accountability-evidence"


class NotSigned(ValueError):
    """A note is not what its signer signed, or a key is none; the message says why."""


class Checkpoint(NamedTuple):
    """What a log says of itself: its name, how many leaves it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed (C2SP tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Signer:
    """The key of a log. The log's name is made of it, so that no two have one name."""

    def __init__(self, seed: bytes) -> None:
        """Make the key of 32 secret bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.name = f"{NAME}/{hashlib.sha256(public).hexdigest()[:16]}"
        self._id = _key_id(self.name, public)
        self.key = f"{self.name}+{self._id.hex()}+{base64.b64encode(_ED25519 + public).decode()}"

    def checkpoint(self, size: int, root: bytes) -> str:
        """Return a signed checkpoint."""
        return self.signed(Checkpoint(self.name, size, root).text)

    def signed(self, text: str) -> str:
        """Return a note: the text, which ends with an end of line, and its signature."""
        signature = base64.b64encode(self._id + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def text_of(note: str, key: str) -> str:
    """Return the text of a note that whoever has a key has signed; signatures of others are left out of account.

    Args:
        note: text, an empty line, lines with signatures.
        key: the signer's, as it publishes it: `<name>+<id>+<base64>`.

    Raises:
        NotSigned: it is not signed with this key, or one of the two is malformed.
    """
    name, id, public = _read_key(key)
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NotSigned("the note has no signature")
    for by, raw in [_signature(line) for line in lines[:-1].split("\n")]:
        if by == name and raw[:4] == id:
            try:
                public.verify(raw[4:], f"{text}\n".encode())
            except InvalidSignature:
                raise NotSigned("the signature of the note does not hold") from None
            return f"{text}\n"
    raise NotSigned(f"the note is not signed by {name}")


def _signature(line: str) -> tuple[str, bytes]:
    """Return who signed, and the first four bytes that name the key, with the signature."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise NotSigned("the note has a line among its signatures that is none")
    return found[1], _decoded(found[2])


def checkpoint_of(note: str, key: str) -> Checkpoint:
    """Return the checkpoint in a note that the log itself has signed.

    Raises:
        NotSigned: as `text_of`; or it is no checkpoint of that log.
    """
    found = _CHECKPOINT.match(text_of(note, key))
    if found is None or found[1] != _read_key(key)[0]:
        raise NotSigned("the note is no checkpoint of this log")
    return Checkpoint(found[1], int(found[2]), _decoded(found[3]))


def _read_key(key: str) -> tuple[str, bytes, Ed25519PublicKey]:
    found = _KEY.fullmatch(key.strip())
    raw = _decoded(found[3]) if found is not None else b""
    if found is None or raw[:1] != _ED25519 or len(raw) != 33 or _key_id(found[1], raw[1:]).hex() != found[2]:
        raise NotSigned("the key is none: it is written <name>+<8 digits>+<base64>, as the log publishes it")
    return found[1], bytes.fromhex(found[2]), Ed25519PublicKey.from_public_bytes(raw[1:])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise NotSigned("there is no base64 where it belongs") from None
