"""Proposing: the pairs of one view that may be one, worked out from the view's rows alone, and kept for its generation.

Only one's own records are compared, with one another and with what others hold and is open to it: what was published,
and whoever allowed linkage. Nothing here asks the vault.
"""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select

from app.access.caller import Caller
from app.catalogue import state
from app.catalogue.tables import ROW, VIEW, term_id
from app.core.db import Database
from app.core.ids import k_of
from app.core.problems import Problem
from app.disclosure.person import LINKABLE
from app.duplicates.likeness import OF, Above, Seen
from app.duplicates.matching import Pair, Reason, compared

MOST_RECORDS = 200_000  # of a kind in a view
PATIENCE = 20.0  # seconds that a request waits for pairs to be worked out
_KEPT = 8  # of the newest questions, what was found
_BATCH = 2_000
_TRIES = 3
_OPEN = {kind: term_id(kind, *LINKABLE).to_bytes(6, "big") for kind in OF}


class One(NamedTuple):
    """A record of a proposal; `open`: it may be compared with what others hold."""

    id: str
    owner: str
    updated: int
    etag: str
    published: bool
    open: bool


class Proposal(NamedTuple):
    """Two records that may be one: the first came later, the other was there before."""

    one: One
    other: One
    score: float
    reasons: tuple[Reason, ...]

    @property
    def is_across(self) -> bool:
        """Tell whether two organisations hold them."""
        return self.one.owner != self.other.owner

    @property
    def is_told_whole(self) -> bool:
        """Tell whether more is told than whom to ask: of one's own, and of what was published."""
        return not self.is_across or (self.one.published and self.other.published)


@dataclass(frozen=True)
class Found:
    """What was found in a view: the proposals, the surest first."""

    generation: int
    proposals: tuple[Proposal, ...]


_Question = tuple[str, int, str]  # organisation, view, kind


class Proposing:
    """Works out proposals, one question at a time, away from the event loop."""

    def __init__(self, database: Database, expire: state.Expire) -> None:
        """Read a database; `expire` takes away what has expired from a view."""
        self._database, self._expire = database, expire
        self._worker = ThreadPoolExecutor(1, "duplicates")
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Question, Found] = OrderedDict()
        self._going: dict[_Question, Future[Found]] = {}

    async def of(self, caller: Caller, kind: str) -> Found:
        """Return the proposals for a caller's organisation in the caller's view, as it is now.

        Raises:
            Problem: unavailable, while the view is not complete, or the pairs are not worked out in time.
        """
        question = (str(caller.organisation), caller.view, kind)

        async def reading() -> Found:
            now = await asyncio.to_thread(self._database.look, lambda connection: state_of(connection, caller.view))
            with self._lock:
                found = self._kept.get(question)
                if found is not None and found.generation == now.generation:
                    return found
                going = self._going.get(question)
                if going is None:
                    going = self._going[question] = self._worker.submit(self._work, question)
            waited = asyncio.wrap_future(going)
            waited.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may ask any more
            try:
                return await asyncio.wait_for(asyncio.shield(waited), PATIENCE)
            except TimeoutError:
                detail = "The records of your view are being compared, which takes a while. Ask again."
                raise Problem("unavailable", detail, headers={"Retry-After": "20"}) from None

        return await state.unexpired(reading, self._expire, caller.view)

    def _work(self, question: _Question) -> Found:
        try:
            found = gather(self._database, *question).matched()
            with self._lock:
                self._kept[question] = found
                self._kept.move_to_end(question)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return found
        finally:
            with self._lock:
                self._going.pop(question, None)

    async def close(self) -> None:
        """End after what is under way."""
        await asyncio.to_thread(self._worker.shutdown)


def state_of(connection: Connection, view: int) -> state.State:
    """Return the state of a view.

    Raises:
        Problem: unavailable.
        Expired: something in it should no longer be shown.
    """
    c = VIEW.c
    row = connection.execute(select(c.generation, c.state, c.next_expiry).where(c.id == view)).first()
    return state.of(view, row)


@dataclass(frozen=True)
class Gathered:
    """What is compared: the records of a kind that a view has and an organisation may compare, and their likenesses."""

    generation: int
    organisation: str
    kind: str
    records: tuple[One, ...]
    likenesses: tuple[dict[str, Any], ...]

    def matched(self) -> Found:
        """Compare them; no database is needed for it, and it may take long.

        Raises:
            Problem: unavailable, where nothing can be compared, or not so much.
        """
        mine = [one.owner == self.organisation for one in self.records]
        pairs = compared(self.kind, self.likenesses, mine)
        made = (_proposal(self.records, pair, self.organisation) for pair in pairs if _may_be_told(self.records, pair))
        return Found(self.generation, tuple(sorted(made, key=_place)))


class _Moved(Exception):
    """The view was shown something else meanwhile."""


def gather(database: Database, organisation: str, view: int, kind: str) -> Gathered:
    """Return what is to be compared in a view: read in short looks, of which all see one generation.

    Raises:
        Problem: unavailable, where the view is not complete, has too many records, or changes too fast.
        Expired: something in it should no longer be shown.
    """
    for _ in range(_TRIES):
        try:
            return _gather(database, organisation, view, kind)
        except _Moved:
            continue
    raise state.unavailable("The records change too fast to compare all of them. Try again.")


def _gather(database: Database, organisation: str, view: int, kind: str) -> Gathered:
    now, above = database.look(lambda connection: (state_of(connection, view), _above(connection, view)))
    records: list[One] = []
    likenesses: list[dict[str, Any]] = []
    for seen in _seen(database, view, kind, now.generation):
        published = seen.body["disclosure_basis"] == "published"
        is_open = published or seen.open
        if seen.owner != organisation and not is_open:
            continue
        if len(records) == MOST_RECORDS:
            raise Problem("unavailable", f"At most {MOST_RECORDS:,} records are compared; your view has more.")
        records.append(One(seen.id, seen.owner, seen.updated, seen.etag, published, is_open))
        likenesses.append(OF[kind](seen, above))
    return Gathered(now.generation, organisation, kind, tuple(records), tuple(likenesses))


def _place(one: Proposal) -> tuple[float, str, str]:
    return (-one.score, one.one.id, one.other.id)


def _may_be_told(records: Sequence[One], pair: Pair) -> bool:
    """Tell whether two records are of one organisation, or both open to being compared with what others hold."""
    one, other = records[pair.one], records[pair.other]
    return one.owner == other.owner or (one.open and other.open)


def _proposal(records: Sequence[One], pair: Pair, organisation: str) -> Proposal:
    """Return the pair: of two of one's own the newer first, else one's own first."""
    both = sorted((records[pair.one], records[pair.other]), key=lambda one: (one.updated, one.id), reverse=True)
    if both[0].owner != both[1].owner:
        both.sort(key=lambda one: one.owner != organisation)
    return Proposal(both[0], both[1], pair.score, pair.reasons)


def record_of(connection: Connection, view: int, id: str) -> tuple[str, One] | None:
    """Return one record as a view has it, with its kind; None where it has none under this id that is compared."""
    c = ROW.c
    where = c.view == view, c.k == k_of(id), c.id == id
    row = connection.execute(select(c.kind, c.owner, c.updated, c.etag, c.terms, c.body).where(*where)).first()
    if row is None or row.kind not in OF:
        return None
    published = orjson.loads(row.body)["disclosure_basis"] == "published"
    return row.kind, One(id, row.owner, row.updated, row.etag, published, published or _is_open(row.kind, row.terms))


def _seen(database: Database, view: int, kind: str, generation: int) -> Iterator[Seen]:
    """Yield the records of a kind as a view has them; what they say is opened between the looks.

    Raises:
        _Moved: the view is of another generation.
    """
    c = ROW.c
    columns = (c.k, c.id, c.owner, c.updated, c.etag, c.s0, c.s1, c.e0, c.e1, c.l0, c.l1, c.terms, c.body)
    after = -1

    def batch(connection: Connection, after: int) -> Sequence[Any]:
        if state_of(connection, view).generation != generation:
            raise _Moved
        where = c.view == view, c.kind == kind, c.k > after
        return connection.execute(select(*columns).where(*where).order_by(c.k).limit(_BATCH)).all()

    while rows := database.look(partial(batch, after=after)):
        for row in rows:
            dates, left, is_open = (row.s0, row.s1, row.e0, row.e1), (row.l0, row.l1), _is_open(kind, row.terms)
            body = orjson.loads(row.body)
            yield Seen(row.id, row.owner, row.updated, row.etag, dates, left, is_open, body)
        after = rows[-1].k


def _is_open(kind: str, terms: bytes) -> bool:
    mark = _OPEN[kind]
    return any(terms[at : at + 6] == mark for at in range(0, len(terms), 6))


def _above(connection: Connection, view: int) -> Above:
    """Return what stands above each place, as a view has it: a place that it is not shown stands above none."""
    c = ROW.c
    rows = connection.execute(select(c.id, c.body).where(c.view == view, c.kind == "place"))
    lands: set[str] = set()
    parents: dict[str, str | None] = {}
    for id, body in rows:
        place = orjson.loads(body)
        parents[id] = place["parent"]
        if place["type"] == "country":
            lands.add(id)

    @cache
    def above(place: str) -> tuple[str, ...] | None:
        if place in lands:
            return None
        found: list[str] = []
        while (up := parents.get(found[-1] if found else place)) is not None and up not in (*found, *lands):
            found.append(up)
        return tuple(found)

    return above
