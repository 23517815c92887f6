"""Views: made, filled in the background while readers are told to wait, and retired. A number is given once."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, exists, func, insert, select, update

from app.catalogue.tables import MOST_EVER, PARTITIONED, ROW, VIEW
from app.disclosure.view import View
from app.intake.bulk import alone
from app.intake.order import RANK
from app.intake.publish import Batch, views_of
from app.intake.retract import set_next_expiry
from app.intake.write import Writer
from app.vault.tables import RECORD

OWN = ("owner", "own-records")  # audience and purpose of the view in which an organisation sees its own records whole
LONGEST = 0.1  # seconds that one transaction may take, so that others are not kept waiting
AT_ONCE = 200  # rows deleted together
_RETIRED = select(VIEW.c.id).where(VIEW.c.state == "retired")
Progress = Callable[[str, int, int], None]


class NoView(ValueError):
    """A view cannot be made or retired; the message says why, and what to do."""


class Known(NamedTuple):
    """A view as an operator is told of it."""

    id: int
    audience: str
    purpose: str
    recipient: tuple[str, ...]
    owner: str | None
    state: str
    records: int


def known(connection: Connection) -> list[Known]:
    """Return every view that there is or was."""
    counts: dict[int, int] = {
        view: n for view, n in connection.execute(select(ROW.c.view, func.count()).group_by(ROW.c.view))
    }
    c = VIEW.c
    rows = connection.execute(select(c.id, c.audience, c.purpose, c.recipient, c.owner, c.state).order_by(c.id))
    return [
        Known(id, audience, purpose, tuple(orjson.loads(recipient)), owner, state, counts.get(id, 0))
        for id, audience, purpose, recipient, owner, state in rows
    ]


def create(
    writer: Writer, audience: str, purpose: str, recipient: Iterable[str] = (), owner: str | None = None, most: int = 16
) -> int:
    """Make a view, empty and closed to readers; `prepare` fills it. Return its number.

    Args:
        writer: writes to the vault.
        audience: `public`, `partner`, `mechanism`, a named body below the last two, or that of `OWN`.
        purpose: what its readers may use it for.
        recipient: the conditions that all its readers satisfy.
        owner: the organisation whose own records it shows whole.
        most: how many views may be in use.

    Raises:
        NoView: there is such a view, or no room for another.
    """
    conditions = sorted(set(recipient))

    def _create(connection: Connection, _: int, __: int) -> int:
        views = views_of(connection)
        if View(0, audience, purpose, frozenset(conditions), owner) in [_unnumbered(view) for view in views]:
            raise NoView("there is a view for this audience, purpose and recipients already")
        id = (connection.scalar(select(func.max(VIEW.c.id))) or 0) + 1
        if len(views) >= most:
            raise NoView(f"{most} views are in use, and no more may be (EVIDENCE_VIEWS): retire one that nobody needs")
        if id >= MOST_EVER:
            raise NoView(f"{MOST_EVER} views have been made since this vault began, and no number is given twice")
        common = {"state": "preparing", "generation": 0, "next_expiry": None, "reached": None}
        stated = {"audience": audience, "purpose": purpose, "recipient": orjson.dumps(conditions).decode()}
        connection.execute(insert(VIEW).values(id=id, owner=owner, **stated, **common))
        for table in PARTITIONED:
            writer.database.part(connection, table, id)
        return id

    return writer.transact(_create)


def _unnumbered(view: View) -> View:
    return View(0, view.audience, view.purpose, view.recipient, view.owner)


def prepare(
    writer: Writer,
    home: Path,
    progress: Progress = lambda *_: None,
    goes_on: Callable[[], bool] = lambda: True,
) -> list[int]:
    """Fill every view that is being prepared, in short transactions, and open it to readers; return which.

    What is written meanwhile is shown to it too. Cut short, it goes on where it was. `goes_on` is asked before each.

    Raises:
        Busy: another process is at it.
    """
    done: list[int] = []
    if writer.database.look(_is_left_over):
        clear(writer)
    with alone(home, "views"):
        while goes_on() and (view := writer.database.look(_unprepared)) is not None:
            if _fill(writer, *view, progress, goes_on):
                done.append(view[0])
    return done


def is_unsettled(connection: Connection) -> bool:
    """Tell whether a view is to be filled, or rows of a retired one are left over."""
    return _unprepared(connection) is not None or _is_left_over(connection)


def _is_left_over(connection: Connection) -> bool:
    return bool(connection.scalar(select(exists().where(ROW.c.view.in_(_RETIRED)))))


def _unprepared(connection: Connection) -> tuple[int, str | None] | None:
    row = connection.execute(select(VIEW.c.id, VIEW.c.reached).where(VIEW.c.state == "preparing").limit(1)).first()
    return None if row is None else (row[0], row[1])


def _fill(writer: Writer, view: int, reached: str | None, progress: Progress, goes_on: Callable[[], bool]) -> bool:
    """Fill a view; tell whether it is complete."""
    total: int = writer.database.look(lambda c: c.scalar(select(func.count()).select_from(RECORD))) or 0
    begun, _, after = (reached or "").partition("/")
    kinds = sorted(RANK, key=RANK.__getitem__)
    done, size = 0, 50
    for kind in kinds[kinds.index(begun) if begun else 0 :]:
        while ids := _page(writer, kind, after, size):
            if not goes_on():
                return False
            started = time.monotonic()
            if not writer.prepare(view, ids):
                return False
            after = ids[-1]
            _keep(writer, view, f"{kind}/{after}")
            took = time.monotonic() - started
            size = max(10, min(1_000, int(size * min(2.0, LONGEST / max(took, 0.001)))))
            done += len(ids)
            progress(f"preparing view {view}", done, total)
        after = ""

    def _open(connection: Connection, at: int, _: int) -> bool:
        still = (VIEW.c.id == view) & (VIEW.c.state == "preparing")
        opened = connection.execute(update(VIEW).where(still).values(state="live", reached=None)).rowcount == 1
        set_next_expiry(connection, at)
        return opened

    return writer.transact(_open)


def _keep(writer: Writer, view: int, reached: str) -> None:
    change = update(VIEW).where(VIEW.c.id == view, VIEW.c.state == "preparing").values(reached=reached)
    writer.database.write(lambda connection: connection.execute(change))


def _page(writer: Writer, kind: str, after: str, size: int) -> Sequence[str]:
    page = select(RECORD.c.id).where(RECORD.c.kind == kind, RECORD.c.id > after).order_by(RECORD.c.id).limit(size)
    return writer.database.look(lambda connection: list(connection.scalars(page)))


def retire(writer: Writer, view: int) -> None:
    """Take a view out of use: nobody is answered from it any more, and then its rows are deleted, a few at a time.

    What it was shown stays on record in the vault.

    Raises:
        NoView: there is none of that number in use, or it is that of everybody.
    """

    def _retire(connection: Connection, _: int, __: int) -> bool:
        live = (VIEW.c.id == view) & (VIEW.c.state != "retired")
        return connection.execute(update(VIEW).where(live).values(state="retired", reached=None)).rowcount == 1

    if view == 0:
        raise NoView("view 0 is that of everybody, and stays")
    if not writer.transact(_retire):
        raise NoView(f"no view {view} is in use")
    clear(writer)


def clear(writer: Writer) -> None:
    """Delete the rows of views that are retired."""
    while writer.transact(lambda connection, _, __: _clear(writer, connection)):
        pass


def _clear(writer: Writer, connection: Connection) -> bool:
    """Delete some rows of retired views, and all that finds them; tell whether there were any."""
    some = select(ROW.c.view, ROW.c.k, ROW.c.id, RECORD.c.views).join(RECORD, RECORD.c.id == ROW.c.id)
    rows = connection.execute(some.where(ROW.c.view.in_(_RETIRED)).limit(AT_ONCE)).all()
    gone: dict[int, list[int]] = {}
    masks: dict[str, int] = {}
    for view, k, id, mask in rows:
        gone.setdefault(view, []).append(k)
        masks[id] = masks.get(id, mask) & ~(1 << view)
    writer.publisher.flush(connection, Batch(gone=gone))
    writer.vault.set_views(connection, masks)
    return bool(rows)
