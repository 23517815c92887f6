"""Records of the vault as something to be shown."""

from app.intake.publish import Item
from app.records import BY_NAME, references
from app.records.consent import expiry
from app.vault.append import Stored


def item_of(stored: Stored) -> Item:
    """Return a record of the vault as something to be shown."""
    named = tuple(dict.fromkeys(to for _, to, _ in references(BY_NAME[stored.kind], stored.content)))
    place = (stored.id, stored.kind, stored.k, stored.owner, stored.state)
    return Item(*place, stored.content, named, expiry(stored.content), new=False)
