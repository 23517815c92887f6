"""Handling: the routes of duplicates. What is proposed to a reviewer, what is decided, and what was."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.access.asked import Pages, asked, one_of, page_of
from app.access.audit import Trails
from app.access.bodies import Body
from app.access.caller import Caller, Identity, unauthenticated
from app.access.identify import purpose_of
from app.catalogue import state
from app.core.answer import Answer, Request, private
from app.core.db import Database
from app.core.ids import k_of
from app.core.problems import Fault, invalid
from app.duplicates import deciding
from app.duplicates.deciding import Decision, Said
from app.duplicates.proposing import Proposal, Proposing
from app.records import BY_PATH
from app.records.base import Words
from app.writing.desk import Desk

WHO = ("steward", "contribute")
KINDS = ("people", "incidents")
BASE = "/v1/duplicates"
_Record = Annotated[str, Field(min_length=1, max_length=200)]


class NewDecision(BaseModel):
    """What is said of two records."""

    model_config = ConfigDict(extra="forbid", strict=True)
    records: Annotated[
        list[_Record],
        Field(min_length=2, max_length=2, description="Two ids. Accepted, the first is merged into the second."),
    ]
    decision: Decision
    reason: Annotated[Words, Field(description="Why. It is kept sealed, and goes with either of the records.")]
    tag: Annotated[
        str | None,
        Field(max_length=200, description="Of the proposal: then it is decided only as long as both are as they were."),
    ] = None


class Duplicates:
    """The handlers of every address of duplicates."""

    def __init__(
        self, database: Database, desk: Desk, trails: Trails, proposing: Proposing, expire: state.Expire,
        public_url: str | None,
    ) -> None:  # fmt: skip
        """Propose what is found in a database, and have what is decided done at a desk."""
        self._database, self._desk, self._trails, self._proposing = database, desk, trails, proposing
        self._expire, self._public_url = expire, public_url
        self._pages, self._decided = (Pages(desk.master, f"{one}-cursor") for one in ("duplicates", "decisions"))

    @property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The routes of duplicates."""
        return {BASE: {"GET": self.list_proposed, "POST": self.decide}, f"{BASE}/decisions": {"GET": self.list_decided}}

    async def list_proposed(self, request: Request, who: Identity, _: Body, __: str) -> Answer:
        """Answer with the pairs that may be one, the surest first, and that were not decided."""
        caller = _reviewer(request, who)
        given = asked(request.scope["query_string"], ("kind", "record", "limit", "cursor"))
        path, limit, record = one_of(given, "kind", KINDS), page_of(given), given.get("record")
        if path is None:
            raise invalid([Fault("query", "kind", f"Say of which kind: {' or '.join(KINDS)}.")])
        place = self._pages.after(who, given, caller.view)
        trail = self._trails.begin(request.scope, caller, "")
        found = await self._proposing.of(caller, BY_PATH[path].name)
        left = await asyncio.to_thread(
            self._database.look, lambda connection: deciding.undecided(connection, caller, found.proposals)
        )
        every = told(left, record)
        items = [one for one in every if place is None or _place(one) > place][: limit + 1]
        following = None
        if len(items) > limit:
            here = f"{request.base(self._public_url)}{BASE}"
            following = self._pages.next(who, given, here, _place(items[limit - 1]), caller.view)
        page = [shown(path, one) for one in items[:limit]]
        await trail.shown([k_of(id) for one in page for id in (one["record"], one["other"]) if id is not None])
        await trail.answered(200)
        return private(200, {"items": page, "next": following, "total": len(every)})

    async def decide(self, request: Request, who: Identity, body: Body, _: str) -> Answer:
        """Carry out and keep what is said of two records."""
        caller = _reviewer(request, who)
        asked(request.scope["query_string"], ())
        new = await body.json(NewDecision)
        said = Said((new.records[0], new.records[1]), new.decision, new.reason, new.tag)
        trail = self._trails.begin(request.scope, caller, "")

        async def work() -> Any:
            return await self._desk.write(
                lambda writer, connection, at, size: deciding.decide(connection, writer, at, size, caller, said)
            )

        done = await state.unexpired(work, self._expire, caller.view)
        await trail.shown([k_of(id) for id in new.records])
        await trail.answered(200)
        return private(200, done)

    async def list_decided(self, request: Request, who: Identity, _: Body, __: str) -> Answer:
        """Answer with what the caller's organisation decided in this view, the newest first."""
        caller = _reviewer(request, who)
        given = asked(request.scope["query_string"], ("limit", "cursor"))
        limit, place = page_of(given), self._decided.after(who, given, caller.view)
        keys = await self._desk.think(lambda writer: writer.vault.keys)

        def work(connection: Any) -> list[Any]:
            before = place[0] if place else None
            return deciding.decided(connection, keys, str(caller.organisation), before, limit + 1, caller.view)

        rows = await asyncio.to_thread(self._database.look, work)
        following = None
        if len(rows) > limit:
            here = f"{request.base(self._public_url)}{BASE}/decisions"
            following = self._decided.next(who, given, here, [rows[limit - 1].at], caller.view)
        return private(200, {"items": [one.shown for one in rows[:limit]], "next": following})


def _reviewer(request: Request, who: Identity) -> Caller:
    """Return who reviews, in a view.

    Raises:
        Problem: unauthenticated, forbidden, invalid-request (the header Purpose).
    """
    if who.credential is None:
        raise unauthenticated("This needs a credential with the right 'steward' or 'contribute', and 'read'.")
    who.require(*WHO)
    return who.for_purpose(purpose_of(request.scope))


def told(proposals: Sequence[Proposal], record: str | None = None) -> list[Proposal]:
    """Return what is told: of records that another organisation holds under consent, one for each of one's own."""
    kept: dict[tuple[str, str], Proposal] = {}
    for one in proposals:
        if record is None or record in (one.one.id, one.other.id if one.is_told_whole else None):
            kept.setdefault((one.one.id, one.other.id if one.is_told_whole else f"?{one.other.owner}"), one)
    return [*kept.values()]


def _place(one: Proposal) -> list[Any]:
    return [-one.score, one.one.id, one.other.id]


def shown(path: str, one: Proposal) -> dict[str, Any]:
    """Return a proposal as it is answered."""
    whole = one.is_told_whole
    return {
        "kind": BY_PATH[path].name,
        "record": one.one.id,
        "other": one.other.id if whole else None,
        "ask": one.other.owner if one.is_across else None,
        "score": one.score,
        "reasons": [{"on": on, "says": says, "weight": weight} for on, says, weight in one.reasons] if whole else [],
        "tag": deciding.tag_of(one.one, one.other) if whole else None,
    }
