"""Linking: an organisation says that a person it holds is one whom another organisation holds too; and takes it back.

What it says is a part of the revision, sealed in the vault, and of every revision after it. It counts where both say it
of each other (`disclosure/corroboration.py`): nobody makes one witness of two by themselves.
"""

from dataclasses import replace

from app.intake.retract import changed
from app.vault.append import Addition, Stored


def linking(one: Stored, other: str, same: bool) -> Addition | None:
    """Return the revision by which a person is said to be another one, or no longer said to be; None: it is so."""
    said: list[str] = list(one.content.get("linked") or ())
    if (other in said) == same:
        return None
    after = [*said, other] if same else [id for id in said if id != other]
    addition = changed(one, "linked" if same else "unlinked", {"linked": after})
    return replace(addition, state=one.state)
