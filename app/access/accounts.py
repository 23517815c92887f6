"""Accounts over HTTP: who has read our records, for their owners; every line, for the operator; and seals."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    String,
    bindparam,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from app.access import acts
from app.access.asked import Pages, asked, page_of
from app.access.audit import unpacked
from app.access.bodies import Body, wrong
from app.access.caller import Identity
from app.access.shipping import is_mechanism
from app.access.tables import AUDIT_ENTRY, AUDIT_READ, AUDIT_SEAL, VIEW
from app.core import ids, moments
from app.core.answer import Answer, Request, private
from app.core.db import Database, Rows, Snapshot
from app.core.moments import iso
from app.core.problems import Problem, invalid
from app.vault.keys import chunks
from app.vault.tables import RECORD

LONGEST = 730 * 86_400_000  # milliseconds from now for which a mechanism may seal what it reads
PARAMETERS = ("record", "organisation", "limit", "cursor")


class NewSeal(BaseModel):
    """A time for which owners are not told what a mechanism reads from now on."""

    model_config = ConfigDict(extra="forbid", strict=True)
    until: Annotated[
        AwareDatetime, Field(strict=False, description="At most two years ahead.", examples=["2027-11-24T00:00:00Z"])
    ]


class Accounts:
    """The account of reads in one database, as far as each caller may see it."""

    def __init__(
        self, database: Database, master: bytes, public_url: str | None, clock: Callable[[], int] = moments.now
    ) -> None:
        """Answer from a database."""
        self._database = database
        self._pages = Pages(master, "audit-cursor")
        self._public_url = public_url
        self._clock = clock
        self._of_owner = {by: database.prepare(_of_owner(by)) for by in (False, True)}
        self._lines = {by: database.prepare(_lines(by)) for by in (False, True)}

    @property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The routes of accounts."""
        return {
            "/v1/audit": {"GET": self.list_reads},
            "/v1/audit/seals": {"GET": self.list_seals, "POST": self.create_seal},
        }

    async def list_reads(self, request: Request, who: Identity, _: Body, __: str) -> Answer:
        """Answer with who has read the caller's records, newest first; to the operator's steward with every line."""
        who.require("steward")
        known = [name for name in PARAMETERS if name != ("record" if who.operator else "organisation")]
        given = asked(request.scope["query_string"], known)
        limit, after = page_of(given), self._pages.after(who, given)
        if who.operator:
            items, last = await self._every_line(given.get("organisation"), limit, after)
        else:
            items, last = await self._reads(str(who.organisation), given.get("record"), limit, after)
        here = f"{request.base(self._public_url)}/v1/audit"
        return private(200, {"items": items, "next": last and self._pages.next(who, given, here, last)})

    async def _reads(
        self, owner: str, record: str | None, limit: int, after: list[Any] | None
    ) -> tuple[list[dict[str, Any]], list[Any] | None]:
        day, of, by, view = after or [1 << 62, "", "", 0]
        values = {"owner": owner, "now": self._clock(), "day": day, "of": of, "by": by, "in": view, "limit": limit + 1}

        async def reading(snapshot: Snapshot) -> Rows:
            statement = self._of_owner[record is not None]
            return await snapshot.all(statement, values | ({} if record is None else {"record": record}))

        rows = await self._database.read(reading, heavy=True)
        last = list(rows[limit - 1][:4]) if len(rows) > limit else None
        items: list[dict[str, Any]] = []
        for day, of, credential, _, organisation, first, until, times, kind, audience, purpose in rows[:limit]:
            item: dict[str, Any] = {"record": of, "kind": kind}
            if is_mechanism(audience):
                # Not which one, when, or how often: a witness's organisation learns that one has looked this month.
                item |= {"month": iso(day)[:7], "reader": "a mechanism"}
            else:
                item |= {"day": iso(day)[:10], "reader": organisation, "view": f"{audience}/{purpose}"}
                item |= {"first": iso(first), "last": iso(until), "times": times}
                if organisation == owner:
                    item["credential"] = credential
            items.append(item)
        return items, last

    async def _every_line(
        self, organisation: str | None, limit: int, after: list[Any] | None
    ) -> tuple[list[dict[str, Any]], list[Any] | None]:
        values = {"entry": after[0] if after else 1 << 62, "limit": limit + 1}

        async def reading(snapshot: Snapshot) -> Rows:
            statement = self._lines[organisation is not None]
            return await snapshot.all(statement, values | ({} if organisation is None else {"by": organisation}))

        rows = await self._database.read(reading, heavy=True)
        last = [rows[limit - 1][0]] if len(rows) > limit else None
        lines = [(entry, spool, bytes(hash), orjson.loads(bytes(text))) for entry, spool, text, hash in rows[:limit]]
        named = await asyncio.to_thread(self._named, {k for line in lines for k in unpacked(line[3].get("ids", ""))})
        return [_line(*line, named) for line in lines], last

    def _named(self, keys: set[int]) -> dict[int, str]:
        def work(connection: Connection) -> dict[int, str]:
            found: dict[int, str] = {}
            for chunk in chunks(sorted(keys)):
                rows = connection.execute(select(RECORD.c.k, RECORD.c.id).where(RECORD.c.k.in_(chunk)))
                found.update((k, id) for k, id in rows)
            return found

        return self._database.look(work) if keys else {}

    # --- seals ---

    async def create_seal(self, _: Request, who: Identity, body: Body, __: str) -> Answer:
        """Seal what the caller's organisation reads from now on, for a stated time."""
        _require_mechanism(who)
        until = int((await body.json(NewSeal)).until.timestamp() * 1000)
        now = self._clock()
        if not now < until <= now + LONGEST:
            raise invalid([wrong(["until"], "A seal ends at a moment ahead, at most two years from now.")])
        row = {
            "id": ids.new("sea"),
            "organisation": str(who.organisation),
            "since": now,
            "until": until,
            "credential": str(who.credential),
        }
        await asyncio.to_thread(self._database.write, lambda connection: _seal(connection, row, now))
        return private(201, _shown_seal(row))

    async def list_seals(self, _: Request, who: Identity, __: Body, ___: str) -> Answer:
        """Answer with the seals of the caller's organisation; with all to the operator."""
        if not who.operator:
            _require_mechanism(who)
        who.require("steward")
        c = AUDIT_SEAL.c
        statement = select(AUDIT_SEAL).order_by(c.since.desc(), c.id)
        if not who.operator:
            statement = statement.where(c.organisation == who.organisation)

        def work(connection: Connection) -> list[dict[str, Any]]:
            return [_shown_seal(dict(row)) for row in connection.execute(statement).mappings()]

        items = await asyncio.to_thread(self._database.look, work)
        return private(200, {"items": items, "next": None, "total": len(items)})


def _require_mechanism(who: Identity) -> None:
    """Refuse who is no mechanism.

    Raises:
        Problem: unauthenticated, or forbidden.
    """
    who.require("steward")
    if not any(is_mechanism(one.audience) for one in who.views):
        raise Problem("forbidden", "Only a mechanism seals what it reads: your credential has no view of one.")


def _seal(connection: Connection, row: dict[str, Any], now: int) -> None:
    connection.execute(insert(AUDIT_SEAL).values(row))
    c = AUDIT_READ.c
    still = c.organisation == row["organisation"], c.shown_from > now, c.shown_from < row["until"]
    connection.execute(update(AUDIT_READ).where(*still).values(shown_from=row["until"]))
    acts.keep(connection, now, acts.By(row["organisation"], row["credential"]), "seal", row["organisation"])


def _shown_seal(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "organisation": row["organisation"],
        "since": iso(row["since"]),
        "until": iso(row["until"]),
    }


def _line(entry: int, spool: str, hash: bytes, line: dict[str, Any], named: dict[int, str]) -> dict[str, Any]:
    """Return a line as the operator sees it."""
    keys = unpacked(line.pop("ids", ""))
    shown = {"entry": entry, "chain": spool, **line, "at": iso(line["at"]), "hash": hash.hex()}
    if "view" in line:
        shown["records"] = [named[k] for k in keys if k in named]
    return shown


def _of_owner(by_record: bool) -> "Select[Any]":
    """What an owner is told, newest first: the key (without the owner), then by whom, when, how often, and of what."""
    c = AUDIT_READ.c
    key = c.day, c.record, c.credential, c.view
    columns = *key, c.organisation, c.first_at, c.last_at, c.times, RECORD.c.kind, *_named()
    before = tuple_(*key) < tuple_(
        bindparam("day", type_=BigInteger),
        bindparam("of", type_=String),
        bindparam("by", type_=String),
        bindparam("in", type_=SmallInteger),
    )
    where = [c.owner == bindparam("owner", type_=String), c.shown_from <= bindparam("now", type_=BigInteger), before]
    where.append(or_(not_(_by_mechanism(VIEW)), not_(_told_already())))
    if by_record:
        where.append(c.record == bindparam("record", type_=String))
    joined = AUDIT_READ.join(RECORD, RECORD.c.id == c.record).outerjoin(VIEW, VIEW.c.id == c.view)
    order = [column.desc() for column in key]
    return select(*columns).select_from(joined).where(*where).order_by(*order).limit(bindparam("limit", type_=Integer))


def _told_already() -> ColumnElement[bool]:
    """Tell of a read whether the owner is told of a mechanism's for that month and record, by a line before."""
    c, other, seen = AUDIT_READ.c, AUDIT_READ.alias(), VIEW.alias()
    same = other.c.owner == c.owner, other.c.day == c.day, other.c.record == c.record
    shown = other.c.shown_from <= bindparam("now", type_=BigInteger), _by_mechanism(seen)
    sooner = tuple_(other.c.credential, other.c.view) > tuple_(c.credential, c.view)
    of = other.join(seen, seen.c.id == other.c.view)
    return exists(select(1).select_from(of).where(*same, *shown, sooner).correlate(AUDIT_READ))


def _by_mechanism(view: FromClause) -> ColumnElement[bool]:
    """Say `shipping.is_mechanism` of the audience of a view, which may be none."""
    audience = func.coalesce(view.c.audience, "")
    return or_(audience == "mechanism", audience.startswith("mechanism:", autoescape=True))


def _named() -> "tuple[ColumnElement[str], ColumnElement[str]]":
    """Audience and purpose of a view, and of what an organisation reads as it submitted it, which is in no view."""
    return func.coalesce(VIEW.c.audience, "owner"), func.coalesce(VIEW.c.purpose, "as-submitted")


def _lines(by_organisation: bool) -> "Select[Any]":
    """Lines, newest first: entry, chain, text, hash."""
    c = AUDIT_ENTRY.c
    where = [c.entry < bindparam("entry", type_=BigInteger)]
    if by_organisation:
        where.append(c.organisation == bindparam("by", type_=String))
    statement = select(c.entry, c.spool, c.line, c.hash).where(*where).order_by(c.entry.desc())
    return statement.limit(bindparam("limit", type_=Integer))
