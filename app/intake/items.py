"""Records of the vault as something to be shown."""

from collections.abc import Mapping
from typing import Any

from app.core import moments
from app.intake.publish import Item
from app.records import BY_NAME, references
from app.vault.append import Stored


def expiry(content: Mapping[str, Any]) -> int | None:
    """Return the moment at which the consent in a content runs out, if it does."""
    day = (content.get("consent") or {}).get("expires")
    return moments.end_of(day) if day else None


def item_of(stored: Stored) -> Item:
    """Return a record of the vault as something to be shown."""
    named = tuple(dict.fromkeys(to for _, to, _ in references(BY_NAME[stored.kind], stored.content)))
    place = (stored.id, stored.kind, stored.k, stored.owner, stored.state)
    return Item(*place, stored.content, named, expiry(stored.content), new=False)
