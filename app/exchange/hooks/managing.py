"""Webhooks over HTTP: made in the caller's view, shown, changed, tried, rotated, replayed, taken away."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from app.access import acts
from app.access.asked import Pages, asked, one_of, page_of
from app.access.bodies import Body, wrong
from app.access.caller import Identity, unauthenticated
from app.access.identify import purpose_of
from app.access.keys import HOUR, MOST_NAME
from app.access.managing import Rotation
from app.catalogue.tables import VIEW
from app.core import ids, moments
from app.core.answer import CLOSED, Answer, Request, private
from app.core.db import Database
from app.core.moments import iso
from app.core.problems import Problem, invalid, nearest, not_found
from app.core.settings import Settings
from app.exchange.hooks import outbox
from app.exchange.hooks.addresses import LONGEST, NotAllowed
from app.exchange.hooks.messages import Messages, a_test
from app.exchange.hooks.posting import Post
from app.exchange.hooks.tables import WEBHOOK, WEBHOOK_MESSAGE
from app.records import KINDS
from app.vault.tables import DISCLOSED

T = TypeVar("T")
STATES = ("waiting", "delivered", "dead")
MOST_REPLAYED = 1000
_KINDS = sorted(kind.name for kind in KINDS)
_Name = Annotated[
    str, Field(min_length=1, max_length=MOST_NAME, description="What it is for.", examples=["Our mirror"])
]
_Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST,
        description="Where to: `https://`, at a public address.",
        examples=["https://mirror.example.org/hooks/evidence"],
    ),
]


class NewWebhook(BaseModel):
    """A webhook to be made."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: _Name
    url: _Url
    kinds: Annotated[
        list[str], Field(max_length=len(_KINDS), description="Only changes of these kinds; without any: of all.")
    ] = []


class ChangedWebhook(BaseModel):
    """What is changed of a webhook; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: _Name | None = None
    url: _Url | None = None
    state: Annotated[
        Literal["active", "paused"] | None,
        Field(description="`active` also begins again what was disabled, where it stopped."),
    ] = None


class Replay(BaseModel):
    """Which messages that were put aside are to be sent again."""

    model_config = ConfigDict(extra="forbid", strict=True)
    messages: Annotated[
        list[str] | None, Field(max_length=100, description="By their ids; without it all.", min_length=1)
    ] = None


class Webhooks:
    """The webhooks of one deployment, as far as each caller may see them.

    A credential sees those that it made; an `admin` those of its organisation, the operator's all. Others there are
    none of.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        master: bytes,
        messages: Messages,
        post: Post,
        clock: Callable[[], int] = moments.now,
    ) -> None:
        """Manage what a database holds; `post` tries addresses out."""
        self._each, self._public_url = settings.hooks_each, settings.public_url
        self._database, self._messages, self._post, self._clock = database, messages, post, clock
        self._pages = Pages(master, "webhook-cursor")

    @property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The routes of webhooks."""
        one = "/v1/webhooks/{id}"
        return {
            "/v1/webhooks": {"GET": self.list_webhooks, "POST": self.create_webhook},
            one: {"GET": self.get_webhook, "PATCH": self.change_webhook, "DELETE": self.delete_webhook},
            f"{one}/rotate": {"POST": self.rotate_webhook},
            f"{one}/test": {"POST": self.test_webhook},
            f"{one}/deliveries": {"GET": self.list_deliveries},
            f"{one}/replay": {"POST": self.replay_webhook},
        }

    async def list_webhooks(self, request: Request, who: Identity, _: Body, __: str) -> Answer:
        """Answer with the webhooks that the caller sees."""
        mine = _mine(request, who)

        def work(connection: Connection) -> list[dict[str, Any]]:
            found = connection.scalars(select(WEBHOOK.c.id).where(mine).order_by(WEBHOOK.c.created, WEBHOOK.c.id))
            return [self._shown(connection, id) for id in found.all()]

        items = await asyncio.to_thread(self._database.look, work)
        return private(200, {"items": items, "next": None, "total": len(items)})

    async def create_webhook(self, request: Request, who: Identity, body: Body, _: str) -> Answer:
        """Make a webhook in the caller's view; its secret is in this answer and in no other."""
        _mine(request, who)
        caller = who.for_purpose(purpose_of(request.scope))
        wanted = await body.json(NewWebhook)
        self._check(wanted.url)
        for position, kind in enumerate(wanted.kinds):
            if kind not in _KINDS:
                hint = f"There is no kind of this name. {nearest(kind, _KINDS)}".rstrip()
                raise invalid([wrong(["kinds", str(position)], hint)])
        id = ids.new("whk")
        text, sealed = self._messages.sealed.make(id)
        row: dict[str, Any] = {
            "id": id,
            "organisation": str(caller.organisation),
            "credential": str(caller.credential),
            "view": caller.view,
            "name": wanted.name,
            "url": wanted.url,
            "kinds": " ".join(sorted(set(wanted.kinds))),
            "state": "active",
            "created": self._clock(),
            "secret": sealed,
            "failures": 0,
            "next_at": 0,
            "leased_until": 0,
        }

        def work(connection: Connection) -> dict[str, Any]:
            c = WEBHOOK.c
            there = connection.scalar(select(func.count()).where(c.organisation == row["organisation"])) or 0
            if there >= self._each:
                raise _too_many(self._each)
            newest = connection.scalar(select(VIEW.c.generation).where(VIEW.c.id == caller.view)) or 0
            connection.execute(insert(WEBHOOK).values(**row, position=newest))
            self._keep(connection, who, "create-webhook", row["organisation"], row["credential"])
            return self._shown(connection, id)

        made = await self._write(work)
        return private(201, made | {"secret": text}, [(b"location", f"/v1/webhooks/{id}".encode())])

    async def get_webhook(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Answer with one webhook."""
        mine = _mine(request, who)

        def work(connection: Connection) -> dict[str, Any]:
            _one(connection, id, mine)
            return self._shown(connection, id)

        return private(200, await asyncio.to_thread(self._database.look, work))

    async def change_webhook(self, request: Request, who: Identity, body: Body, id: str) -> Answer:
        """Change its name, its address or its state."""
        mine = _mine(request, who)
        wanted = await body.json(ChangedWebhook)
        values: dict[str, Any] = wanted.model_dump(exclude_none=True)
        if wanted.url is not None:
            self._check(wanted.url)

        def work(connection: Connection) -> dict[str, Any]:
            found = _one(connection, id, mine)
            if wanted.state is not None:
                values.update(reason=None)
            if wanted.state == "active" or wanted.url is not None:  # whatever went wrong before is to be tried anew
                values.update(failures=0, failing_since=None, next_at=0)
            if values:
                connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == id).values(**values))
                self._keep(connection, who, "change-webhook", found.organisation, found.credential)
            return self._shown(connection, id)

        return private(200, await self._write(work))

    async def delete_webhook(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Take a webhook away, and all that waits to be sent to it."""
        mine = _mine(request, who)

        def work(connection: Connection) -> None:
            found = _one(connection, id, mine)
            connection.execute(delete(WEBHOOK_MESSAGE).where(WEBHOOK_MESSAGE.c.webhook == id))
            connection.execute(delete(WEBHOOK).where(WEBHOOK.c.id == id))
            self._keep(connection, who, "delete-webhook", found.organisation, found.credential)

        await self._write(work)
        return Answer(204, [*CLOSED])

    async def rotate_webhook(self, request: Request, who: Identity, body: Body, id: str) -> Answer:
        """Give a webhook a new secret; while the former one holds, each message has a signature of both."""
        mine = _mine(request, who)
        overlap = (await body.json(Rotation)).overlap_hours
        text, sealed = self._messages.sealed.make(id)

        def work(connection: Connection) -> dict[str, Any]:
            found, now = _one(connection, id, mine), self._clock()
            former = {"former": found.secret, "former_ends": now + overlap * HOUR} if overlap else {}
            values: dict[str, Any] = {"former": None, "former_ends": None, "secret": sealed, **former}
            connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == id).values(**values))
            self._keep(connection, who, "rotate-webhook", found.organisation, found.credential)
            return self._shown(connection, id)

        return private(200, await self._write(work) | {"secret": text})

    async def test_webhook(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Send a message that tells of nothing, now and once; answer with what came of it."""
        mine, now = _mine(request, who), self._clock()
        found = await asyncio.to_thread(self._database.look, lambda connection: _one(connection, id, mine))
        if not self._each:
            raise _too_many(0)
        kept = (found.secret,) if found.former is None or found.former_ends <= now else (found.secret, found.former)
        message, content = a_test(id, now)
        headers = self._messages.signed(id, kept, message, content, now)
        outcome = await self._post.send(found.url, headers, content)
        return private(200, {"id": message, "outcome": outcome.word, "status": outcome.status})

    async def list_deliveries(self, request: Request, who: Identity, _: Body, id: str) -> Answer:
        """Answer with its messages, newest first."""
        mine = _mine(request, who, known=("state", "limit", "cursor"))
        given = asked(request.scope["query_string"], ("state", "limit", "cursor"))
        state, limit = one_of(given, "state", STATES), page_of(given)
        after = self._pages.after(who, given, id)

        def work(connection: Connection) -> list[Any]:
            _one(connection, id, mine)
            c = WEBHOOK_MESSAGE.c
            statement = select(WEBHOOK_MESSAGE).where(c.webhook == id)
            if state is not None:
                statement = statement.where(c.state == state)
            if after is not None:
                statement = statement.where(c.last < after[0])
            return [*connection.execute(statement.order_by(c.last.desc()).limit(limit + 1))]

        rows = await asyncio.to_thread(self._database.look, work)
        following = None
        if len(rows) > limit:
            here = f"{request.base(self._public_url)}/v1/webhooks/{id}/deliveries"
            following = self._pages.next(who, given, here, [rows[limit - 1].last], id)
        return private(200, {"items": [self._delivery(row) for row in rows[:limit]], "next": following})

    async def replay_webhook(self, request: Request, who: Identity, body: Body, id: str) -> Answer:
        """Send again what was put aside: each message by the id that it had."""
        mine = _mine(request, who)
        wanted = (await body.json(Replay)).messages

        def work(connection: Connection) -> int:
            found = _one(connection, id, mine)
            c = WEBHOOK_MESSAGE.c
            statement = select(c.first, c.last).where(c.webhook == id, c.state == "dead").order_by(c.last)
            lasts = {self._messages.sealed.id(id, first, last): last for first, last in connection.execute(statement)}
            for position, one in enumerate(wanted or ()):
                if one not in lasts:
                    raise invalid([wrong(["messages", str(position)], "This is none that was put aside.")])
            chosen = [lasts[one] for one in dict.fromkeys(wanted or lasts)][:MOST_REPLAYED]
            again = update(WEBHOOK_MESSAGE).values(state="waiting", tries=0)
            for last in chosen:
                connection.execute(again.where(c.webhook == id, c.last == last))
            connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == id).values(next_at=0))
            self._keep(connection, who, "replay-webhook", found.organisation, found.credential)
            return len(chosen)

        return private(200, {"replayed": await self._write(work)})

    # --- what is shown ---

    def _shown(self, connection: Connection, id: str) -> dict[str, Any]:
        c, now = WEBHOOK_MESSAGE.c, self._clock()
        columns = *WEBHOOK.c, VIEW.c.audience, VIEW.c.purpose, outbox.stopped(now).label("stopped")
        row = connection.execute(outbox.joined(*columns).where(WEBHOOK.c.id == id)).one()
        by_state = select(c.state, func.count(), func.min(c.first)).where(c.webhook == id).group_by(c.state)
        counts = {state: (n, first) for state, n, first in connection.execute(by_state)}
        seq = counts["waiting"][1] - 1 if "waiting" in counts else row.position
        place = DISCLOSED.c.view == row.view, DISCLOSED.c.seq == seq
        at = connection.scalar(select(DISCLOSED.c.at).where(*place)) or 0
        state = "stopped" if row.stopped is not None else row.state
        return {
            "id": row.id,
            "organisation": row.organisation,
            "credential": row.credential,
            "view": f"{row.audience}/{row.purpose}",
            "name": row.name,
            "url": row.url,
            "kinds": row.kinds.split(),
            "state": state,
            "reason": row.stopped or row.reason,
            "created": iso(row.created),
            "position": self._messages.position(row.view, seq, at),
            "waiting": counts.get("waiting", (0,))[0],
            "dead": counts.get("dead", (0,))[0],
            "failing_since": None if row.failing_since is None else iso(row.failing_since),
            "next_try": iso(row.next_at) if row.failures and state == "active" else None,
            "former_secret_ends": iso(row.former_ends) if (row.former_ends or 0) > now else None,
        }

    def _delivery(self, row: Any) -> dict[str, Any]:
        return {
            "id": self._messages.sealed.id(row.webhook, row.first, row.last),
            "state": row.state,
            "changes": row.changes,
            "made": iso(row.made),
            "tries": row.tries,
            "tried": None if row.tried is None else iso(row.tried),
            "outcome": row.outcome,
            "status": row.status,
        }

    # --- in between ---

    def _check(self, url: str) -> None:
        try:
            self._post.rules.check(url)
        except NotAllowed as fault:
            raise invalid([wrong(["url"], str(fault))]) from None

    def _keep(self, connection: Connection, who: Identity, act: str, organisation: str, credential: str) -> None:
        acts.keep(connection, self._clock(), acts.By(who.organisation, who.credential), act, organisation, credential)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._database.write, work)


def _mine(request: Request, who: Identity, known: tuple[str, ...] = ()) -> ColumnElement[bool]:
    """Return what is true of the webhooks that a caller sees.

    Raises:
        Problem: unauthenticated, forbidden; invalid-request, where there are parameters.
    """
    if who.credential is None:
        raise unauthenticated("This needs a credential with the right 'read'.")
    who.require("read", "admin")
    asked(request.scope["query_string"], known)
    if "admin" not in who.roles:
        return WEBHOOK.c.credential == who.credential
    if who.operator:
        return WEBHOOK.c.id.is_not(None)
    return or_(WEBHOOK.c.credential == who.credential, WEBHOOK.c.organisation == who.organisation)


def _one(connection: Connection, id: str, mine: ColumnElement[bool]) -> Any:
    """Return a webhook.

    Raises:
        Problem: not-found.
    """
    row = connection.execute(select(WEBHOOK).where(WEBHOOK.c.id == id, mine)).one_or_none()
    if row is None:
        raise not_found()
    return row


def _too_many(each: int) -> Problem:
    if not each:
        return Problem("conflict", "This service sends no webhooks. Follow /v1/changes instead.")
    return Problem("conflict", f"Your organisation has {each} webhooks, the most that it may: delete one first.")
