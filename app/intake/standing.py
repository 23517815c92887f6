"""What an owner is told of a record of its own: all of it as it was submitted, and the tag of that form."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from app.core.moments import iso
from app.intake.write import Writer
from app.records import BY_NAME
from app.vault.tables import REVISION

# What stands in a revision beside what was submitted: why it came to be, or what holds whatever is submitted.
BESIDE = ("retraction", "withdrawal", "objection", "merger", "unmerger")


class Standing(NamedTuple):
    """A record as the vault has it; `tag` stands for this revision and for no other."""

    id: str
    kind: str
    owner: str
    state: str
    revision: int
    change: str
    at: int
    content: Mapping[str, Any]
    tag: str

    @property
    def submitted(self) -> dict[str, Any]:
        """The record as it was submitted, every field of its model in it, in their order."""
        fields = BY_NAME[self.kind].model.model_fields.items()
        names = dict.fromkeys(("kind", "id", *(field.alias or name for name, field in fields)))
        return {name: self.content[name] for name in names if name in self.content}

    @property
    def merged_into(self) -> str | None:
        """The record that it was merged into, if it was."""
        merger = self.content.get("merger")
        return merger["into"] if merger is not None else None

    def as_json(self) -> dict[str, Any]:
        """Return what the owner is answered."""
        reason = next((self.content[name]["reason"] for name in BESIDE[:2] if name in self.content), None)
        return {
            "id": self.id,
            "kind": self.kind,
            "owner": self.owner,
            "state": self.state,
            "revision": self.revision,
            "change": self.change,
            "at": iso(self.at),
            "reason": reason,
            "objection": self.content.get("objection"),
            "merged_into": self.merged_into,
            "record": self.submitted,
        }


def standing(connection: Connection, writer: Writer, id: str) -> Standing | None:
    """Return a record as the vault has it now, if it is there and was not erased."""
    head = writer.vault.heads(connection, [id]).get(id)
    if head is None or head.state == "erased":
        return None
    stored = writer.vault.read(connection, [id])[id]
    change = connection.scalar(select(REVISION.c.change).where(REVISION.c.leaf == head.leaf))
    tag = hashlib.blake2b(b"submitted|" + head.commitment, digest_size=12).hexdigest()
    return Standing(
        id, head.kind, head.owner, head.state, head.revision, str(change), head.at, stored.content, f'"{tag}"'
    )
