"""Whether the catalogue serves what the log says that views were shown: every record that they are, in those bytes."""

import hashlib
from collections.abc import Callable

from sqlalchemy import Connection, and_, exists, func, select

from app.catalogue.tables import ROW, VIEW
from app.core.db import Database
from app.custody.held import PAGE, Held
from app.custody.leaves import tail_of
from app.vault.tables import DISCLOSED, MERGER, RECORD

Progress = Callable[[str, int, int], None]


def check(database: Database, found: Held, progress: Progress = lambda *_: None) -> bool:
    """Hold what is served against what was shown, in one snapshot; faults are told to `found`.

    Held are the bytes, the id, the kind, the owner, the form, its moment, and that there is a row of each record that a
    view is shown. What rows are found, filtered and put in order by is not: a rebuild makes that anew.

    Returns:
        False, with nothing looked at, while the catalogue is closed.
    """
    return database.look(lambda connection: _check(connection, found, progress))


def _check(connection: Connection, found: Held, progress: Progress) -> bool:
    if connection.scalar(select(exists().where(VIEW.c.state == "building"))):
        return False
    views = connection.scalars(select(VIEW.c.id).where(VIEW.c.state == "live").order_by(VIEW.c.id)).all()
    total: int = connection.scalar(select(func.count()).select_from(ROW).where(ROW.c.view.in_(views))) or 0
    for view in views:
        before = found.rows
        _rows(connection, view, found, lambda: progress("rows", found.rows, total))
        is_shown = RECORD.c.views.bitwise_and(1 << view) != 0
        merged = select(MERGER.c.record)
        there = select(func.count()).select_from(RECORD).where(is_shown, RECORD.c.id.not_in(merged))
        if (wanted := connection.scalar(there) or 0) != found.rows - before:
            found.fault(f"view {view} is shown {wanted} records, and the catalogue has {found.rows - before}")
    return True


def _rows(connection: Connection, view: int, found: Held, progress: Callable[[], None]) -> None:
    r, d, after = ROW.c, DISCLOSED.c, -1
    shown = (d.id.label("of"), d.revision.label("form"), d.at, d.change, d.digest)
    noted = (RECORD.c.owner.label("held_by"), RECORD.c.kind.label("of_kind"), RECORD.c.views)
    every = (
        select(r.k, r.id, r.kind, r.owner, r.revision, r.updated, r.body, *shown, *noted)
        .select_from(
            ROW.outerjoin(DISCLOSED, and_(d.view == r.view, d.seq == r.seq)).outerjoin(RECORD, RECORD.c.id == r.id)
        )
        .where(r.view == view)
        .order_by(r.k)
        .limit(PAGE)
    )
    while page := connection.execute(every.where(r.k > after)).all():
        for one in page:
            found.rows += 1
            stated = (one.id, one.kind, one.owner, one.revision, one.updated)
            if stated != (one.of, one.of_kind, one.held_by, one.form, one.at) or not (one.views or 0) >> view & 1:
                found.fault(f"the row of {one.id} in view {view} is not of what the view was shown last")
            elif not _is_shown(bytes(one.body), one.revision, one.updated, one.owner, bytes(one.digest)):
                found.fault(f"the row of {one.id} in view {view} has other bytes than what was shown")
        after = page[-1].k
        progress()


def _is_shown(body: bytes, revision: int, at: int, owner: str, digest: bytes) -> bool:
    """Tell whether a body is that of a form, and names who holds the record."""
    tail = tail_of(revision, at)
    whole = hashlib.sha256(body[: -len(tail)] + b"}").digest()
    return body.endswith(tail) and whole == digest and b'"owner":"%s"' % owner.encode() in body
