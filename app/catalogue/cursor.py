"""Cursors: where a page begins, as an opaque token that cannot be forged and fits one question in one order only."""

import base64
import re
import struct
from typing import NamedTuple

from app.catalogue.parameter import Wrong
from app.core.crypto import SealError, Tokens

_HEAD = struct.Struct(">16s8sq")
_FORM = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SORTS = ("date", "-date", "updated", "-updated", "id", "-id", "relevance")


class Place(NamedTuple):
    """The last record of a page: what it is sorted by, and its tie-break."""

    value: int | str
    k: int


class Cursors:
    """Makes and reads the cursors of one deployment.

    The first byte of a token is its length, so that one which was cut off can be told from one which was forged. Then
    AES-SIV over the question's digest, the order, k and the sort value, bound to the view.
    """

    def __init__(self, tokens: Tokens) -> None:
        """Make cursors with a deployment's key."""
        self._tokens = tokens

    def make(self, view: int, digest: bytes, sort: str, place: Place) -> str:
        """Return the cursor of the page after a place."""
        content = _HEAD.pack(digest, _code(sort), place.k) + str(place.value).encode()
        token = self._tokens.make(content, _bound(view))
        return base64.urlsafe_b64encode(bytes([len(token) & 255]) + token).rstrip(b"=").decode()

    def read(self, view: int, digest: bytes, sort: str, text: str) -> Place:
        """Return the place of a cursor.

        Raises:
            Wrong: it is no cursor, cut off, not made here, or made for another question or order.
        """
        token = _token(text)
        try:
            content = self._tokens.read(token, _bound(view))
        except SealError:
            raise Wrong("This cursor was not made by this service for you; take it from 'next' of a page.") from None
        found, code, k = _HEAD.unpack_from(content)
        if found != digest:
            raise Wrong("This cursor belongs to a list with other filters; it is good for the very same filters only.")
        if code != _code(sort):
            other = next((name for name in _SORTS if _code(name) == code), "another")
            raise Wrong(f"This cursor belongs to the order '{other}', and the order asked for is '{sort}'.")
        value = content[_HEAD.size :].decode()
        return Place(value if sort in ("id", "-id") else int(value), k)


def _token(text: str) -> bytes:
    if _FORM.fullmatch(text) is None:
        raise Wrong("This is no cursor: letters, digits, '-' and '_' only. Take it whole from 'next' of a page.")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raw = b""
    if len(raw) <= 1 + _HEAD.size or raw[0] != (len(raw) - 1) & 255:
        raise Wrong("This cursor was cut off, or something was added to it. Take it whole from 'next' of a page.")
    return raw[1:]


def _code(sort: str) -> bytes:
    return sort.encode()[:8].ljust(8, b"\0")


def _bound(view: int) -> bytes:
    return b"cursor/%d" % view
