"""Publishing: what each view is shown from now on, recorded in the vault and written to the catalogue."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, delete, exists, select, text, update

from app.catalogue.tables import POSTING, ROW, SPOT, TERM, TERM_COUNT, VIEW, term_id
from app.core.canonical import canonical_plain
from app.core.db import Database
from app.core.moments import iso
from app.custody import log
from app.disclosure import project
from app.disclosure.project import Shown
from app.disclosure.view import View
from app.intake.world import World
from app.records import BY_NAME
from app.vault.append import commit, salts
from app.vault.keys import chunks
from app.vault.tables import DISCLOSED

_ADD = text(
    "INSERT INTO term_count (view, term, n) VALUES (:view, :term, :n) "
    "ON CONFLICT (view, term) DO UPDATE SET n = term_count.n + excluded.n"
)

_DROP_POSTING = text("DELETE FROM posting WHERE view = :view AND term = :term AND s0 = :s0 AND k = :k")
_DROP_SPOT = text("DELETE FROM spot WHERE view = :view AND s0 = :s0 AND k = :k")


class Item(NamedTuple):
    """One record to be shown, or hidden, anew."""

    id: str
    kind: str
    k: int
    owner: str
    state: str
    content: Mapping[str, Any]
    named: tuple[str, ...]
    expires: int | None
    new: bool  # the vault has just met it: no view has been shown it


@dataclass(slots=True)
class Rendered:
    """What views are shown of a record, as bytes, with their digest; and its row, which they share."""

    shown: Shown
    core: bytes
    digest: bytes
    terms: tuple[int, ...]
    since: tuple[int, int] = (0, 0)
    row: tuple[Any, ...] = ()

    def row_since(self, item: "Item", revision: int, at: int) -> tuple[Any, ...]:
        """Return the row of this form, shown as a revision since a moment, but for the view."""
        if self.since != (revision, at):
            shown, body = self.shown, body_of(self.core, revision, at)
            packed = b"".join([term.to_bytes(6, "big") for term in self.terms])
            numbers = (*shown.bounds, *shown.given, *shown.left, shown.corroboration, revision, at)
            self.row = (item.k, item.kind, item.id, item.owner, *numbers, etag_of(body), packed, body)
            self.since = (revision, at)
        return self.row


class Known(NamedTuple):
    """What a view was last shown of a record."""

    revision: int
    at: int
    change: str
    digest: bytes


class Change(NamedTuple):
    """One change of what one view is shown."""

    view: int
    item: Item
    revision: int
    change: str  # created | updated | removed
    digest: bytes


@dataclass
class Batch:
    """Rows on their way into the tables, and what is to be taken out first."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    postings: list[tuple[Any, ...]] = field(default_factory=list)
    spots: list[tuple[Any, ...]] = field(default_factory=list)
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    terms: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    gone: dict[int, list[int]] = field(default_factory=dict)  # view -> k of rows to take out
    expires: dict[int, int] = field(default_factory=dict)  # view -> when the first consent of its rows runs out


def is_closed(connection: Connection) -> bool:
    """Tell whether a view is being made anew, so that its rows are not what the vault says."""
    return bool(connection.scalar(select(exists().where(VIEW.c.state == "building"))))


def views_of(connection: Connection) -> list[View]:
    """Return the views in use."""
    statement = select(VIEW.c.id, VIEW.c.audience, VIEW.c.purpose, VIEW.c.recipient).order_by(VIEW.c.id)
    rows = connection.execute(statement.where(VIEW.c.state != "retired"))
    return [
        View(id, audience, purpose, frozenset(orjson.loads(recipient))) for id, audience, purpose, recipient in rows
    ]


def foresee(item: Item, views: Sequence[View], world: World, secret: bytes) -> int:
    """Return which views (one bit each) will be shown a record, as far as what it names is known to be shown."""
    if item.state == "retracted":
        return 0
    kind, expired, mask = BY_NAME[item.kind], item.state == "expired", 0
    for view in views:
        decision = project.decide(kind, item.content, item.named, view, world, expired=expired, secret=secret)
        mask |= (decision is not None) << view.id
    return mask


def render(item: Item, views: Sequence[View], world: World, secret: bytes) -> list[Rendered | None]:
    """Return what each view is shown of a record: rendered once for each distinct decision."""
    if item.state == "retracted":
        return [None] * len(views)
    kind = BY_NAME[item.kind]
    if project.is_alike(item.content) and all(world.visible_to(views, named) for named in item.named):
        views, times = views[:1], len(views)
    else:
        times = 1
    made: dict[Any, Rendered] = {}
    answers: list[Rendered | None] = []
    for view in views:
        decision = project.decide(
            kind, item.content, item.named, view, world, expired=item.state == "expired", secret=secret
        )
        if decision is None:
            answers.append(None)
            continue
        done = made.get(decision)
        if done is None:
            shown = project.show(kind, item.content, decision, item.owner, world)
            core = orjson.dumps(shown.record)
            terms = tuple([term_id(item.kind, facet, value) for facet, value in shown.terms])
            done = made[decision] = Rendered(shown, core, hashlib.sha256(core).digest(), terms)
        answers.append(done)
    return answers * times


def body_of(core: bytes, revision: int, at: int) -> bytes:
    """Return the whole body: what is shown, and since when in which form."""
    return b'%s,"revision":%d,"updated":"%s"}' % (core[:-1], revision, iso(at).encode())


def etag_of(body: bytes) -> str:
    """Return the entity tag of a body."""
    return hashlib.sha256(body).hexdigest()[:24]


def disclosure_commitment(view: int, id: str, revision: int, at: int, change: str, digest: bytes, salt: bytes) -> bytes:
    """Return the commitment to one change of what one view is shown: over the RFC 8785 bytes of these members."""
    leaf = {"at": at, "change": change, "digest": digest.hex(), "id": id, "revision": revision, "view": view}
    return commit(salt, canonical_plain(leaf))


class Publisher:
    """Writes what views are shown; one transaction at a time."""

    def __init__(self, database: Database, world: World) -> None:
        """Write to a database, with the facts of a world."""
        self._database = database
        self._world = world
        self._known_terms: set[int] = set()

    def known(self, connection: Connection, items: Iterable[Item]) -> dict[tuple[int, str], Known]:
        """Return what each view was last shown of records that are not new."""
        found: dict[tuple[int, str], Known] = {}
        columns = (DISCLOSED.c.view, DISCLOSED.c.id, DISCLOSED.c.revision)
        more = (DISCLOSED.c.at, DISCLOSED.c.change, DISCLOSED.c.digest)
        for chunk in chunks([item.id for item in items if not item.new]):
            where = and_(DISCLOSED.c.view.in_(range(16)), DISCLOSED.c.id.in_(chunk))
            statement = select(*columns, *more).where(where).order_by(DISCLOSED.c.view, DISCLOSED.c.id, DISCLOSED.c.seq)
            for view, id, *rest in connection.execute(statement).all():
                found[view, id] = Known(*rest)
        return found

    def add(self, batch: Batch, view: int, item: Item, rendered: Rendered, revision: int, at: int) -> None:
        """Put one row and all that finds it into a batch."""
        shown, k = rendered.shown, item.k
        s0, s1, e0, e1 = shown.bounds
        batch.postings += [(view, term, s0, k, s1, e0, e1) for term in rendered.terms]
        for index, term in enumerate(rendered.terms):
            key = (view, term)
            batch.counts[key] = batch.counts.get(key, 0) + 1
            if term not in self._known_terms:
                batch.terms[term] = (item.kind, *shown.terms[index])
        batch.rows.append((view, *rendered.row_since(item, revision, at)))
        batch.spots += [(view, s0, k, part, *box) for part, box in enumerate(shown.boxes)]
        if item.expires is not None:
            batch.expires[view] = min(item.expires, batch.expires.get(view, item.expires))

    def flush(self, connection: Connection, batch: Batch) -> None:
        """Write a batch."""
        self._take_out(connection, batch)
        self._database.insert(connection, ROW, batch.rows)
        batch.postings.sort()
        self._database.insert(connection, POSTING, batch.postings)
        self._database.insert(connection, SPOT, batch.spots)
        self.count(connection, batch.counts, batch.terms)
        for view, moment in batch.expires.items():
            later = (VIEW.c.next_expiry.is_(None)) | (VIEW.c.next_expiry > moment)
            connection.execute(update(VIEW).where(VIEW.c.id == view, later).values(next_expiry=moment))

    def count(
        self,
        connection: Connection,
        counts: Mapping[tuple[int, int], int],
        terms: Mapping[int, tuple[str, str, str]],
    ) -> None:
        """Count the terms of rows that came or went, and meet those that are new."""
        self._meet_terms(connection, terms)
        self._database.many(connection, _ADD, [(view, term, n) for (view, term), n in sorted(counts.items()) if n])
        self._forget_terms(connection, [key for key, n in counts.items() if n < 0])

    def _take_out(self, connection: Connection, batch: Batch) -> None:
        for view, ks in batch.gone.items():
            postings: list[tuple[int, ...]] = []
            spots: list[tuple[int, ...]] = []
            for chunk in chunks(ks):
                where = and_(ROW.c.view == view, ROW.c.k.in_(chunk))
                for k, s0, packed in connection.execute(select(ROW.c.k, ROW.c.s0, ROW.c.terms).where(where)):
                    for start in range(0, len(packed), 6):
                        term = int.from_bytes(packed[start : start + 6], "big")
                        postings.append((view, term, s0, k))
                        batch.counts[view, term] = batch.counts.get((view, term), 0) - 1
                    spots.append((view, s0, k))
                connection.execute(delete(ROW).where(where))
            self._database.many(connection, _DROP_POSTING, postings)
            self._database.many(connection, _DROP_SPOT, spots)

    def _meet_terms(self, connection: Connection, terms: Mapping[int, tuple[str, str, str]]) -> None:
        for chunk in chunks(terms):
            columns = (TERM.c.id, TERM.c.kind, TERM.c.facet, TERM.c.value)
            rows = connection.execute(select(*columns).where(TERM.c.id.in_(chunk)))
            there = {id: (kind, facet, value) for id, kind, facet, value in rows}
            for id, value in there.items():
                if terms[id] != value:
                    raise ValueError("two terms have one number: this has to be reported to the makers of the software")
            self._database.insert(connection, TERM, [(id, *terms[id]) for id in chunk if id not in there])
        self._known_terms.update(terms)

    def _forget_terms(self, connection: Connection, lost: Iterable[tuple[int, int]]) -> None:
        for chunk in chunks({term for _, term in lost}):
            counted = and_(TERM_COUNT.c.view.in_(range(16)), TERM_COUNT.c.term.in_(chunk))
            connection.execute(delete(TERM_COUNT).where(counted, TERM_COUNT.c.n == 0))
            left = set(connection.scalars(select(TERM_COUNT.c.term).where(counted)))
            empty = [term for term in chunk if term not in left]
            connection.execute(delete(TERM).where(TERM.c.id.in_(empty)))
            self._known_terms.difference_update(empty)

    def forget(self) -> None:
        """Forget which terms there are: the transaction failed, or somebody else wrote."""
        self._known_terms.clear()

    def disclose(self, connection: Connection, changes: Sequence[Change], at: int, log_size: int) -> int:
        """Record changes of what views are shown; return the log's new size."""
        if not changes:
            return log_size
        generations = {id: number for id, number in connection.execute(select(VIEW.c.id, VIEW.c.generation))}
        before = dict(generations)
        rows: list[tuple[Any, ...]] = []
        commitments: list[bytes] = []
        for (view, item, revision, change, digest), salt in zip(changes, salts(len(changes)), strict=True):
            generations[view] += 1
            leaf = {
                "at": at,
                "change": change,
                "digest": digest.hex(),
                "id": item.id,
                "revision": revision,
                "view": view,
            }
            index = log_size + len(commitments)
            rows.append((view, generations[view], item.id, item.kind, revision, at, change, digest, salt, index))
            commitments.append(commit(salt, canonical_plain(leaf)))
        self._database.insert(connection, DISCLOSED, rows)
        for view, generation in generations.items():
            if generation != before[view]:
                connection.execute(update(VIEW).where(VIEW.c.id == view).values(generation=generation))
        return log.append(self._database, connection, commitments, log_size)
