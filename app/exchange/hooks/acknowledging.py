"""Acknowledging: recipients say that they no longer hold what is removed; what they are asked, and what they said."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, and_, delete, insert, select

from app.access.asked import Pages, asked, one_of, page_of
from app.access.bodies import Body, wrong
from app.access.caller import Caller, Identity, unauthenticated
from app.access.identify import purpose_of
from app.access.tables import ACKNOWLEDGEMENT, AUDIT_READ
from app.catalogue.parameter import Wrong
from app.catalogue.state import unavailable
from app.catalogue.tables import VIEW
from app.core import moments
from app.core.answer import Answer, Request, private
from app.core.db import Database
from app.core.moments import iso
from app.core.problems import Fault, invalid
from app.exchange.hooks.messages import Messages
from app.vault.keys import chunks
from app.vault.removals import Removal, removal
from app.vault.tables import DISCLOSED, RECORD

MOST = 500  # records of one acknowledgement
STATES = ("asked", "acknowledged")
_BATCH = 500
_Record = Annotated[str, Field(min_length=1, max_length=200)]


class NewAcknowledgement(BaseModel):
    """Records that are no longer held."""

    model_config = ConfigDict(extra="forbid", strict=True)
    records: Annotated[
        list[_Record],
        Field(min_length=1, max_length=MOST, description="Ids of records that were told of as removed."),
    ]
    position: Annotated[
        str | None,
        Field(
            max_length=1000,
            description="Up to where changes were followed: `position` of a webhook's message, or `after` of the feed "
            "without filters. Without it: up to now.",
        ),
    ] = None


class Acknowledgements:
    """What one deployment's recipients are asked and say, each in the caller's view."""

    def __init__(
        self,
        database: Database,
        master: bytes,
        messages: Messages,
        public_url: str | None,
        clock: Callable[[], int] = moments.now,
    ) -> None:
        """Keep them in a database."""
        self._database, self._messages, self._clock = database, messages, clock
        self._pages, self._public_url = Pages(master, "acknowledgement-cursor"), public_url

    @property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The routes of acknowledgements."""
        return {"/v1/acknowledgements": {"GET": self.list_own, "POST": self.acknowledge}}

    async def acknowledge(self, request: Request, who: Identity, body: Body, _: str) -> Answer:
        """Keep that the caller's organisation no longer holds records: all of them, or none where one is wrong."""
        caller = _caller(request, who)
        asked(request.scope["query_string"], ())
        said = await body.json(NewAcknowledgement)
        ids = list(dict.fromkeys(said.records))

        def work(connection: Connection) -> list[dict[str, Any]]:
            upto = self._upto(connection, caller.view, said.position)
            found = _ends(connection, caller.view, ids, upto)
            if missing := [id for id in ids if id not in found]:
                raise invalid(_not_removed(said.records.index(id)) for id in missing[:10])
            before = _said(connection, caller, ids)
            fresh = [id for id in ids if before.get(id, (0, 0))[0] < found[id][1].seq]
            rows = [
                {
                    "organisation": str(caller.organisation),
                    "view": caller.view,
                    "record": id,
                    "seq": found[id][1].seq,
                    "at": self._clock(),
                    "credential": str(caller.credential),
                }
                for id in fresh
            ]
            a = ACKNOWLEDGEMENT.c
            mine = a.organisation == caller.organisation, a.view == caller.view
            if rows:
                connection.execute(delete(ACKNOWLEDGEMENT).where(*mine, a.record.in_(fresh)))
                connection.execute(insert(ACKNOWLEDGEMENT), rows)
            after = _said(connection, caller, ids)
            return [_shown(id, *found[id], after.get(id)) for id in ids]

        items = await asyncio.to_thread(self._database.write, work)
        return private(200, {"items": items, "next": None, "total": len(items)})

    async def list_own(self, request: Request, who: Identity, _: Body, __: str) -> Answer:
        """Answer with what the caller's organisation read in this view and is removed, in the order of the ids."""
        caller = _caller(request, who)
        given = asked(request.scope["query_string"], ("state", "limit", "cursor"))
        state, limit = one_of(given, "state", STATES), page_of(given)
        place = self._pages.after(who, given, caller.view)

        def work(connection: Connection) -> list[dict[str, Any]]:
            _live(connection, caller.view)
            found: list[dict[str, Any]] = []
            after: str | None = place[0] if place else ""
            while after is not None and len(found) <= limit:
                ids, after = _lost(connection, caller, after)
                ends, said = _ends(connection, caller.view, ids, None), _said(connection, caller, ids)
                shown = [_shown(id, *ends[id], said.get(id)) for id in ids if id in ends]
                found += [one for one in shown if state in (None, one["state"])]
            return found[: limit + 1]

        items = await asyncio.to_thread(self._database.look, work)
        following = None
        if len(items) > limit:
            here = f"{request.base(self._public_url)}/v1/acknowledgements"
            following = self._pages.next(who, given, here, [items[limit - 1]["record"]], caller.view)
        return private(200, {"items": items[:limit], "next": following})

    def _upto(self, connection: Connection, view: int, position: str | None) -> int | None:
        """Return the change that a position stands after.

        Raises:
            Problem: invalid-request, where it is none, or is from a state that is no longer there.
        """
        _live(connection, view)
        if position is None:
            return None
        try:
            seq, at = self._messages.place(view, position)
        except Wrong as fault:
            raise invalid([wrong(["position"], str(fault))]) from None
        c = DISCLOSED.c
        if seq and connection.scalar(select(c.at).where(c.view == view, c.seq == seq)) != at:
            raise invalid([wrong(["position"], "What this names is no longer there: an older state was restored.")])
        return seq


def _caller(request: Request, who: Identity) -> Caller:
    """Return who asks, in a view.

    Raises:
        Problem: unauthenticated, forbidden, invalid-request (the header Purpose).
    """
    if who.credential is None:
        raise unauthenticated("This needs a credential with the right 'read'.")
    return who.for_purpose(purpose_of(request.scope))


def _live(connection: Connection, view: int) -> None:
    """Refuse where a view is not complete.

    Raises:
        Problem: unavailable.
    """
    if connection.scalar(select(VIEW.c.state).where(VIEW.c.id == view)) != "live":
        raise unavailable("What you may see is being prepared. Try again later.")


def _ends(connection: Connection, view: int, ids: list[str], upto: int | None) -> dict[str, tuple[str, Removal]]:
    """Return the kind and the removal of each record that a view was told is gone."""
    found: dict[str, tuple[str, Removal]] = {}
    for chunk in chunks(ids):
        statement = select(RECORD.c.id, RECORD.c.kind, RECORD.c.shown).where(RECORD.c.id.in_(chunk))
        for id, kind, shown in connection.execute(statement).all():
            if (end := removal(connection, shown, view, upto)) is not None:
                found[id] = kind, end
    return found


def _said(connection: Connection, caller: Caller, ids: list[str]) -> dict[str, tuple[int, int]]:
    """Return of each record the removal that was acknowledged, and when."""
    a, found = ACKNOWLEDGEMENT.c, dict[str, tuple[int, int]]()
    mine = a.organisation == caller.organisation, a.view == caller.view
    for chunk in chunks(ids):
        rows = connection.execute(select(a.record, a.seq, a.at).where(*mine, a.record.in_(chunk)))
        found.update((record, (seq, at)) for record, seq, at in rows)
    return found


def _lost(connection: Connection, caller: Caller, after: str) -> tuple[list[str], str | None]:
    """Return records that the organisation read in this view and that are not in it now, and where to go on."""
    c, r = AUDIT_READ.c, RECORD.c
    mine = c.organisation == caller.organisation, c.view == caller.view, c.record > after
    there = r.views.bitwise_and(1 << caller.view) == 0
    statement = select(c.record).join(RECORD, and_(r.id == c.record, there)).where(*mine)
    ids = [*connection.scalars(statement.distinct().order_by(c.record).limit(_BATCH))]
    return ids, ids[-1] if len(ids) == _BATCH else None


def _shown(record: str, kind: str, end: Removal, said: tuple[int, int] | None) -> dict[str, Any]:
    holds = said is None or said[0] < end.seq
    return {
        "record": record,
        "kind": kind,
        "state": STATES[0] if holds else STATES[1],
        "removed": iso(end.at),
        "acknowledged": None if holds or said is None else iso(said[1]),
    }


def _not_removed(position: int) -> Fault:
    return wrong(["records", str(position)], "Your view was not told that this is removed, or is shown it again.")
