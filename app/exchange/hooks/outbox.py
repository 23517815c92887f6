"""The outbox: which message of a webhook is next, fixed before it is sent, so that a kill loses and doubles none."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from app.access.tables import CREDENTIAL, CREDENTIAL_VIEW, ORGANISATION, ORGANISATION_VIEW
from app.catalogue.tables import VIEW
from app.exchange.hooks.tables import WEBHOOK, WEBHOOK_MESSAGE
from app.vault.tables import DISCLOSED

MOST = 100  # changes of one message
WINDOW = 10_000  # changes that one transaction looks through, where most are of other kinds
TRIES = 12  # attempts at one message before it is put aside; with the usual waits a little over two hours
LONGEST_WAIT = 3600.0  # seconds between two attempts
LONGEST_ASKED = 86_400.0  # seconds that a receiver may ask to wait
KEPT = 1000  # delivered messages of a webhook that are told of
DAY = 86_400_000  # milliseconds
DELIVERED, GONE = "delivered", "gone"  # outcomes; the others say what went wrong


class Told(NamedTuple):
    """One change, as it is told of."""

    id: str
    kind: str
    change: str


class Work(NamedTuple):
    """One message to be sent: everything that the attempt needs."""

    webhook: str
    view: int
    url: str
    secrets: tuple[bytes, ...]  # sealed: the present one, and while it is rotated the former
    first: int
    last: int
    at: int  # of its last change
    changes: Sequence[Told]


class Outcome(NamedTuple):
    """What came of an attempt.

    Attributes:
        word: `delivered`; `gone` (410); `refused` (any other answer); `timeout`, `connection`, `tls`, `protocol`; or
            `address`, which may not be sent to.
        status: what was answered, if anything was.
        after: seconds that the receiver asks to wait.
    """

    word: str
    status: int | None = None
    after: float | None = None


def stopped(now: int) -> ColumnElement[str | None]:
    """Say of a webhook, joined as `joined` does, what has ended it: its credential, or the view; else null."""
    return case(
        (CREDENTIAL.c.id.is_(None), "credential"),
        (or_(CREDENTIAL.c.revoked.is_not(None), ORGANISATION.c.revoked.is_not(None)), "credential"),
        (and_(CREDENTIAL.c.expires.is_not(None), CREDENTIAL.c.expires <= now), "credential"),
        (or_(VIEW.c.id.is_(None), VIEW.c.state == "retired"), "view"),
        (or_(CREDENTIAL_VIEW.c.view.is_(None), ORGANISATION_VIEW.c.view.is_(None)), "view"),
    )


def joined(*columns: Any) -> "Select[Any]":
    """Select from webhooks with what they stand on: credential, organisation, the view, and that both have it."""
    hook = WEBHOOK.c
    found = WEBHOOK.outerjoin(CREDENTIAL, CREDENTIAL.c.id == hook.credential)
    found = found.outerjoin(ORGANISATION, ORGANISATION.c.id == CREDENTIAL.c.organisation)
    mine, ours = CREDENTIAL_VIEW.c, ORGANISATION_VIEW.c
    found = found.outerjoin(CREDENTIAL_VIEW, and_(mine.credential == hook.credential, mine.view == hook.view))
    found = found.outerjoin(ORGANISATION_VIEW, and_(ours.organisation == ORGANISATION.c.id, ours.view == hook.view))
    return select(*columns).select_from(found.outerjoin(VIEW, VIEW.c.id == hook.view))


def _waiting() -> ColumnElement[bool]:
    c = WEBHOOK_MESSAGE.c
    return exists().where(c.webhook == WEBHOOK.c.id, c.state == "waiting")


def due(now: int) -> "Select[tuple[str, int, int | None]]":
    """Every webhook with something to send that nobody sends now: its id, its view, when a consent in that runs out."""
    hook = WEBHOOK.c
    statement = joined(hook.id, hook.view, VIEW.c.next_expiry)
    statement = statement.where(hook.state == "active", hook.next_at <= now, hook.leased_until <= now)
    statement = statement.where(stopped(now).is_(None), VIEW.c.state == "live")
    return statement.where(or_(VIEW.c.generation > hook.position, _waiting())).order_by(hook.next_at, hook.id)


def claim(connection: Connection, id: str, by: str, now: int, until: int) -> Work | None:
    """Take a webhook for this process until a moment, with its next message; None where there is none to send."""
    if connection.scalar(due(now).where(WEBHOOK.c.id == id)) is None:
        return None
    return _next(connection, id, by, now, until)


def settle(connection: Connection, work: Work, outcome: Outcome, by: str, now: int, until: int, rules: "Rules") -> bool:
    """Keep what came of an attempt.

    Returns:
        Whether the next message may go at once; the webhook is then still this process's.
    """
    hook = connection.execute(select(WEBHOOK).where(WEBHOOK.c.id == work.webhook)).one_or_none()
    if hook is None or hook.leased_by != by:
        return False  # it was deleted, or another process has it: that one sends the same message, by the same id
    message = _message(work)
    tries = connection.scalar(select(WEBHOOK_MESSAGE.c.tries).where(*message)) or 0
    told = {"tries": tries + 1, "tried": now, "outcome": outcome.word, "status": outcome.status}
    if outcome.word == DELIVERED:
        connection.execute(update(WEBHOOK_MESSAGE).where(*message).values(state=DELIVERED, **told))
        _forget(connection, work.webhook)
        _set(connection, hook, failures=0, failing_since=None, next_at=0, leased_until=until)
        return True
    state = "dead" if tries + 1 >= TRIES else "waiting"
    connection.execute(update(WEBHOOK_MESSAGE).where(*message).values(state=state, **told))
    since = hook.failing_since or now
    values: dict[str, Any] = {"failures": hook.failures + 1, "failing_since": since, "leased_by": None}
    values |= {"leased_until": 0, "next_at": now + int(1000 * rules.wait(hook.failures + 1, outcome.after))}
    if hook.state == "active" and (outcome.word == GONE or now - since >= rules.days * DAY):
        values |= {"state": "disabled", "reason": GONE if outcome.word == GONE else "failing"}
    _set(connection, hook, **values)
    return False


def following(connection: Connection, id: str, by: str, now: int, until: int) -> Work | None:
    """Return the next message of a webhook that this process has; without one it lets go of it."""
    hook = WEBHOOK.c
    held = joined(hook.id).where(hook.id == id, hook.leased_by == by, hook.state == "active", hook.next_at <= now)
    if connection.scalar(held.where(stopped(now).is_(None), VIEW.c.state == "live")) is not None:
        work = _next(connection, id, by, now, until)
        if work is not None:
            return work
    release(connection, by, id)
    return None


def release(connection: Connection, by: str, id: str | None = None) -> None:
    """Let go of a webhook, or of all that this process has."""
    where = [WEBHOOK.c.leased_by == by, *([WEBHOOK.c.id == id] if id is not None else [])]
    connection.execute(update(WEBHOOK).where(*where).values(leased_by=None, leased_until=0))


class Rules(NamedTuple):
    """How patient the operator is with receivers: seconds after the first failure, and days until it is enough."""

    first: float
    days: int

    def wait(self, failures: int, asked: float | None) -> float:
        """Return how many seconds to wait after so many failures in a row: doubled each time, and drawn by chance.

        By chance, so that many who failed together do not all come back together.
        """
        usual = min(LONGEST_WAIT, self.first * 2.0 ** min(failures - 1, 20)) * random.uniform(0.5, 1)  # noqa: S311
        return max(usual, min(asked or 0, LONGEST_ASKED))


def _next(connection: Connection, id: str, by: str, now: int, until: int) -> Work | None:
    """Return the first message that waits, else a new one of what was changed since the last, with the lease on it."""
    hook = connection.execute(select(WEBHOOK).where(WEBHOOK.c.id == id)).one()
    c = WEBHOOK_MESSAGE.c
    waiting = select(c.first, c.last).where(c.webhook == id, c.state == "waiting").order_by(c.last).limit(1)
    span = connection.execute(waiting).one_or_none()
    if span is not None:
        rows = _changes(connection, hook, span.first - 1, span.last)
        first = span.first
    else:
        first, position = hook.position + 1, hook.position
        newest = connection.scalar(select(VIEW.c.generation).where(VIEW.c.id == hook.view)) or 0
        top = min(newest, position + WINDOW)
        rows = _changes(connection, hook, position, top)
        last = rows[-1].seq if rows else top
        if last > position:
            connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == id).values(position=last))
        if not rows:
            return None
        row = {"webhook": id, "last": last, "first": first, "changes": len(rows), "state": "waiting", "tries": 0}
        connection.execute(insert(WEBHOOK_MESSAGE).values(**row, made=now))
    connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == id).values(leased_by=by, leased_until=until))
    former = hook.former is not None and hook.former_ends > now
    secrets = (hook.secret, hook.former) if former else (hook.secret,)
    told = [Told(row.id, row.kind, row.change) for row in rows]
    return Work(id, hook.view, hook.url, secrets, first, rows[-1].seq, rows[-1].at, told)


def _changes(connection: Connection, hook: Any, after: int, top: int) -> Sequence[Any]:
    c = DISCLOSED.c
    statement = select(c.seq, c.id, c.kind, c.change, c.at).where(c.view == hook.view, c.seq > after, c.seq <= top)
    if hook.kinds:
        statement = statement.where(c.kind.in_(hook.kinds.split()))
    return connection.execute(statement.order_by(c.seq).limit(MOST)).all()


def _message(work: Work) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return WEBHOOK_MESSAGE.c.webhook == work.webhook, WEBHOOK_MESSAGE.c.last == work.last


def _set(connection: Connection, hook: Any, **values: Any) -> None:
    connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == hook.id).values(**values))


def _forget(connection: Connection, id: str) -> None:
    """Delete delivered messages that are no longer told of."""
    c = WEBHOOK_MESSAGE.c
    mine = c.webhook == id, c.state == DELIVERED
    oldest = connection.scalar(select(c.last).where(*mine).order_by(c.last.desc()).offset(KEPT).limit(1))
    if oldest is not None:
        connection.execute(delete(WEBHOOK_MESSAGE).where(*mine, c.last <= oldest))
