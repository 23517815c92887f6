"""Who has a record: the organisations that read it, since when, and whether they say that it is gone; for its owner."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from app.access.shipping import is_mechanism
from app.access.tables import ACKNOWLEDGEMENT, AUDIT_READ
from app.catalogue.tables import VIEW
from app.core.moments import iso
from app.vault.chains import unpack
from app.vault.removals import Removal, removal
from app.vault.tables import RECORD

SHOWN, ASKED, ACKNOWLEDGED, NOT_ASKED = "shown", "asked", "acknowledged", "not-asked"
STATES = (SHOWN, ASKED, ACKNOWLEDGED, NOT_ASKED)


def recipients(connection: Connection, record: str, owner: str, now: int) -> list[dict[str, Any]] | None:
    """Return who has read a record; None where this owner has none of the id.

    A mechanism is one of them, whichever it is and however many there are, by the month (decision 0021), and nothing
    that a seal covers counts. Whether it is gone is then told of all views of mechanisms together, for the views in
    which it was read would say which mechanism that was.
    """
    c = RECORD.c
    shown = connection.scalar(select(c.shown).where(c.id == record, c.owner == owner))
    if shown is None:
        return None
    views = {view: (audience, purpose, state) for view, audience, purpose, state in connection.execute(_VIEWS)}
    gone = {view: removal(connection, shown, view) for view in unpack(bytes(shown))}
    found: list[dict[str, Any]] = []
    ours: list[Any] = []  # those of mechanisms
    for row in _reads(connection, record, owner, now):
        audience, purpose, state = views.get(row.view, ("", "", "retired"))
        if is_mechanism(audience):
            ours.append(row)
            continue
        one = {"recipient": row.organisation, "view": f"{audience}/{purpose}"}
        one |= {"since": iso(row.first), "last": iso(row.last)}
        found.append(one | _standing(gone.get(row.view), state == "retired", row.seq, row.at, iso))
    if ours:
        found.append(_mechanism(ours, views, gone))
    return found


_VIEWS = select(VIEW.c.id, VIEW.c.audience, VIEW.c.purpose, VIEW.c.state)


def _reads(connection: Connection, record: str, owner: str, now: int) -> Sequence[Any]:
    """Return each organisation and view that has read, when first and last, and the removal that it acknowledged."""
    c, a = AUDIT_READ.c, ACKNOWLEDGEMENT.c
    joined = AUDIT_READ.outerjoin(
        ACKNOWLEDGEMENT, and_(a.organisation == c.organisation, a.view == c.view, a.record == c.record)
    )
    reads = func.min(c.first_at).label("first"), func.max(c.last_at).label("last")
    # There is one acknowledgement of each: the greatest is that.
    said = func.max(a.seq).label("seq"), func.max(a.at).label("at")
    told = c.owner == owner, c.record == record, c.organisation != owner, c.shown_from <= now
    statement = select(c.organisation, c.view, *reads, *said).select_from(joined).where(*told)
    return connection.execute(statement.group_by(c.organisation, c.view).order_by(c.organisation, c.view)).all()


def _standing(gone: Removal | None, retired: bool, seq: int | None, at: int | None, told: Any) -> dict[str, Any]:
    """Return what a recipient was told of the end of it, and what it says."""
    if gone is None:
        return {"state": NOT_ASKED if retired else SHOWN, "removed": None, "acknowledged": None}
    says = seq is not None and seq >= gone.seq
    state = ACKNOWLEDGED if says else NOT_ASKED if retired else ASKED
    return {"state": state, "removed": iso(gone.at), "acknowledged": told(at) if says else None}


def _mechanism(
    reads: Sequence[Any], views: dict[int, tuple[str, str, str]], gone: dict[int, Removal | None]
) -> dict[str, Any]:
    one = {"recipient": "a mechanism", "view": None}
    one |= {"since": _month(min(row.first for row in reads)), "last": _month(max(row.last for row in reads))}
    theirs = [gone[view] for view, (audience, _, _) in views.items() if view in gone and is_mechanism(audience)]
    removals = [end for end in theirs if end is not None]
    if len(removals) < len(theirs):
        return one | _standing(None, False, None, None, _month)
    last = max(removals, key=lambda end: end.at)
    every = all(row.seq is not None and (end := gone.get(row.view)) and row.seq >= end.seq for row in reads)
    at = max((row.at for row in reads), default=0) if every else None
    return one | _standing(last, False, last.seq if every else None, at, _month)


def _month(at: int) -> str:
    return iso(at)[:7]
