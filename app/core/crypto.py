"""Secrets: the master key, the keys derived from it, and sealing under a key per record."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.settings import SettingError

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = b"\x01"  # the first byte of every sealed value: AES-256-GCM, 12 bytes of nonce


class SealError(Exception):
    """A sealed value does not open: another key, another place, or changed bytes."""


def master_key(stated: str | None, home: Path, make: bool = False) -> bytes:
    """Return the master key: 64 hex digits from the settings, or from the file `master.key` in the data folder.

    Args:
        stated: the setting, if there is one.
        home: the data folder.
        make: make the file, with mode 0600, if it is not there: for a key store that has no keys yet.

    Raises:
        SettingError: there is no key, or it is not 64 hex digits.
    """
    where = "EVIDENCE_MASTER_KEY"
    if stated is None:
        where = str(home / "master.key")
        stated = _key_file(home / "master.key", make)
    try:
        key = bytes.fromhex(stated)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingError(f"{where}: the master key must be 64 hexadecimal digits (32 bytes)")
    return key


def _key_file(path: Path, make: bool) -> str:
    if make and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    try:
        return path.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        raise SettingError("there is no master key: put master.key back, or set EVIDENCE_MASTER_KEY") from None


def _make(path: Path) -> None:
    """Make a key file, all of it or nothing: nobody reads half of it, and a full disk leaves none behind."""
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}-", dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was faster
            os.link(name, path)
    finally:
        os.unlink(name)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # its name is on the disk too before anything is sealed
    finally:
        os.close(folder)


def derive(master: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Return the key for one purpose (HKDF, RFC 5869), so that no key serves two."""
    return HKDF(SHA256(), length, salt=None, info=b"accountability-evidence/" + purpose.encode()).derive(master)


def new_key() -> bytes:
    """Return a fresh random key."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, plain: bytes, place: bytes) -> bytes:
    """Encrypt under one key; `place` names where the value belongs and must be given again to open it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _FORM + nonce + AESGCM(key).encrypt(nonce, plain, place)


def unseal(key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Open what `seal` made.

    Raises:
        SealError: the key, the place or the bytes are not those of the sealing.
    """
    try:
        if sealed[:1] != _FORM:
            raise InvalidTag
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], place)
    except (InvalidTag, ValueError):
        raise SealError("a sealed value does not open with this key") from None


class Tokens:
    """Opaque tokens that are the same for the same content (AES-SIV, RFC 5297) and cannot be forged."""

    def __init__(self, master: bytes, purpose: str) -> None:
        """Make the tokens of one purpose."""
        self._cipher = AESSIV(derive(master, purpose, 64))

    def make(self, content: bytes, place: bytes) -> bytes:
        """Encrypt `content`, bound to `place`."""
        return self._cipher.encrypt(content, [place])

    def read(self, token: bytes, place: bytes) -> bytes:
        """Return the content of a token.

        Raises:
            SealError: it was not made here, or not for this place.
        """
        try:
            return self._cipher.decrypt(token, [place])
        except (InvalidTag, ValueError):
            raise SealError("a token was not made by this service") from None
