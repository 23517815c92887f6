"""Deciding: what an organisation says of two records is carried out, as far as one organisation may, and kept."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, func, insert, select

from app.access.bodies import wrong
from app.access.caller import Caller
from app.core import crypto
from app.core.moments import iso
from app.core.problems import Problem, invalid
from app.duplicates.proposing import One, Proposal, record_of, state_of
from app.intake.linking import linking
from app.intake.merging import Unmergeable, merge, planned
from app.intake.write import Writer
from app.vault.keys import KeyStore
from app.vault.tables import JUDGEMENT

Decision = Literal["accept", "refuse"]
DECISIONS = ("accept", "refuse")
OUTCOMES = ("merged", "linked", "unlinked", "kept")
_NOT_HERE = "Your view shows no person or incident under this id."
_LINKED = (
    "Both records stay as they are. {} has to say the same: from then on accounts of the two count as those of one "
    "witness, for as long as both are open to linkage."
)
_KEPT = (
    "What happened is on record twice, and stays so: no record of {0} is merged into yours. Ask {0}; whichever of you "
    "takes a record back does it by DELETE, or name the same testimonies and sources in both."
)


class Said(NamedTuple):
    """What is said of two records: the first is the second one, or is not."""

    records: tuple[str, str]
    decision: Decision
    reason: str
    tag: str | None


def tag_of(one: One, other: One) -> str:
    """Return what stands for two records in the very forms in which a view shows them."""
    return "-".join(sorted((f"{one.id}.{one.etag[:12]}", f"{other.id}.{other.etag[:12]}")))


def decide(connection: Connection, writer: Writer, at: int, size: int, caller: Caller, said: Said) -> Mapping[str, Any]:
    """Carry out and keep a decision; return it as it is answered.

    Raises:
        Problem: invalid-request, precondition-failed, conflict (it says why, and what to do), unavailable.
        Expired: something in the view should no longer be shown.
    """
    state_of(connection, caller.view)
    kind, one, other = _both(connection, caller, said)
    tag = tag_of(one, other)
    if said.tag is not None and said.tag != tag:
        raise Problem("precondition-failed", "One of the two was changed since: look at both again.")
    apart = one.owner != other.owner
    sealed = _sealed(writer.vault.keys, caller, one.id, other.id, said.reason)
    if apart:
        outcome = _across(connection, writer, at, size, kind, *_mine_first(caller, one, other), said)
    elif said.decision == "accept":
        outcome = "merged"
        stored = writer.vault.read(connection, [one.id, other.id])
        try:
            addition = planned(connection, writer, stored[one.id], stored[other.id], said.reason)
        except Unmergeable as error:
            raise Problem("conflict", str(error)) from None
        merge(connection, writer, at, size, addition)
    else:
        outcome = "kept"
    c = JUDGEMENT.c
    last = connection.scalar(select(func.max(c.at)).where(c.organisation == caller.organisation)) or 0
    row = {
        "organisation": str(caller.organisation),
        "at": max(at, last + 1),
        "view": caller.view,
        "kind": kind,
        "one": min(one.id, other.id),
        "other": max(one.id, other.id),
        "decision": said.decision,
        "outcome": outcome,
        "tag": tag,
        "credential": str(caller.credential),
        "reason": sealed,
    }
    connection.execute(insert(JUDGEMENT), [row])
    held = _mine_first(caller, one, other)[1].owner if apart else ""
    return _shown(row, said.reason) | {"advice": _advice(outcome, said, held) if apart else None}


def _advice(outcome: str, said: Said, holder: str) -> str | None:
    if said.decision == "refuse":
        return None
    return (_LINKED if outcome == "linked" else _KEPT).format(holder)


def _both(connection: Connection, caller: Caller, said: Said) -> tuple[str, One, One]:
    found: list[tuple[str, One]] = []
    for position, id in enumerate(said.records):
        record = record_of(connection, caller.view, id)
        if record is None:
            raise invalid([wrong(["records", str(position)], _NOT_HERE)])
        found.append(record)
    (kind, one), (other_kind, other) = found
    if kind != other_kind or one.id == other.id:
        raise invalid([wrong(["records"], "Name two records of one kind.")])
    if caller.organisation not in (one.owner, other.owner):
        raise invalid([wrong(["records"], "One of the two has to be held by your organisation.")])
    return kind, one, other


def _mine_first(caller: Caller, one: One, other: One) -> tuple[One, One]:
    return (one, other) if one.owner == caller.organisation else (other, one)


def _across(
    connection: Connection, writer: Writer, at: int, size: int, kind: str, mine: One, theirs: One, said: Said
) -> str:
    """Say of one's own person that it is another organisation's too, or no longer; of an incident nothing follows."""
    if said.decision == "accept" and not (mine.open and theirs.open):
        why = "They may not be linked: each has to be published, or its consent to allow linkage."
        raise invalid([wrong(["records"], why)])
    if kind != "person":
        return "kept"
    stored = writer.vault.read(connection, [mine.id])[mine.id]
    addition = linking(stored, theirs.id, said.decision == "accept")
    if addition is not None:
        writer.append(connection, at, size, [addition])
    return "linked" if said.decision == "accept" else "unlinked" if addition is not None else "kept"


# --- what was decided ---


def undecided(connection: Connection, caller: Caller, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals without those that were decided while both records stood as they do now.

    What an organisation said in another view is of what was shown there.
    """
    c = JUDGEMENT.c
    mine = c.organisation == caller.organisation, c.view == caller.view, c.outcome != "merged"
    decided = set(connection.scalars(select(c.tag).where(*mine)))
    return [one for one in proposals if tag_of(one.one, one.other) not in decided] if decided else [*proposals]


class Kept(NamedTuple):
    """A decision that is kept: its moment, which no other of the organisation has, and how it is answered."""

    at: int
    shown: Mapping[str, Any]


def decided(
    connection: Connection, keys: KeyStore, organisation: str, before: int | None, limit: int, view: int | None = None
) -> list[Kept]:
    """Return what an organisation decided, the newest first; a reason goes with either of the records.

    With a view only what was decided in it: other records, and reasons that speak of them, are of other views.
    """
    c = JUDGEMENT.c
    where = [c.organisation == organisation] + ([] if before is None else [c.at < before])
    where += [] if view is None else [c.view == view]
    found = connection.execute(select(JUDGEMENT).where(*where).order_by(c.at.desc()).limit(limit))
    rows = [row._asdict() for row in found]
    known = keys.get({id for row in rows for id in (row["one"], row["other"])})
    return [Kept(row["at"], _shown(row, _opened(row, known))) for row in rows]


def _shown(row: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "records": [row["one"], row["other"]],
        "decision": row["decision"],
        "outcome": row["outcome"],
        "reason": reason,
        "at": iso(row["at"]),
        "credential": row["credential"],
    }


def _sealed(keys: KeyStore, caller: Caller, one: str, other: str, reason: str) -> bytes:
    sealed = reason.encode()
    for id, key in sorted(keys.get([one, other]).items()):
        sealed = crypto.seal(key, sealed, _place(str(caller.organisation), id))
    return sealed


def _opened(row: Mapping[str, Any], keys: Mapping[str, bytes]) -> str | None:
    sealed = bytes(row["reason"])
    for id in (row["other"], row["one"]):
        if id not in keys:
            return None
        sealed = crypto.unseal(keys[id], sealed, _place(row["organisation"], id))
    return sealed.decode()


def _place(organisation: str, record: str) -> bytes:
    return b"judgement\0" + organisation.encode() + b"\0" + record.encode()
