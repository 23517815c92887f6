"""What the leaves of the log commit to where a view was shown something."""

from typing import Any

from app.core.canonical import canonical_plain
from app.core.moments import iso
from app.vault.append import commit


def disclosed(
    view: int, id: str, revision: int, at: int, change: str, digest: bytes, target: str = ""
) -> dict[str, Any]:
    """Return what is committed to of one change of what one view is shown.

    Args:
        view: its number.
        id: of the record.
        revision: the form that it was shown, counted for this view.
        at: milliseconds since 1970, UTC.
        change: `created`, `updated`, `removed` or `merged`.
        digest: SHA-256 of the record as shown, without `revision` and `updated`.
        target: what a change `merged` leads to (`into`); no other change has it.
    """
    leaf = {"at": at, "change": change, "digest": digest.hex(), "id": id, "revision": revision, "view": view}
    return leaf | ({"into": target} if target else {})


def commitment(leaf: dict[str, Any], salt: bytes) -> bytes:
    """Return the commitment to it: SHA-256 over a salt, then its RFC 8785 bytes."""
    return commit(salt, canonical_plain(leaf))


def tail_of(revision: int, at: int) -> bytes:
    """Return how a record ends as it is served: what its digest leaves out, and the leaf states."""
    return b',"revision":%d,"updated":"%s"}' % (revision, iso(at).encode())
