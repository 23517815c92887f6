"""Publishing: what each view is shown from now on, recorded in the vault and written to the catalogue."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, delete, exists, select, text, update

from app.catalogue.tables import MOST_EVER, POSTING, ROW, SEARCHED, SPOT, TERM, TERM_COUNT, VIEW, term_id
from app.core.db import Database
from app.custody import leaves, log
from app.disclosure import project
from app.disclosure.leading import led
from app.disclosure.project import Shown
from app.disclosure.view import View
from app.intake import wording
from app.intake.world import World
from app.records import BY_NAME
from app.search.document import words_of
from app.vault.append import Vault, salts
from app.vault.keys import chunks
from app.vault.tables import DISCLOSED, LED

_ADD = text(
    "INSERT INTO term_count (view, term, n) VALUES (:view, :term, :n) "
    "ON CONFLICT (view, term) DO UPDATE SET n = term_count.n + excluded.n"
)


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

    @property
    def target(self) -> str | None:
        """The record that it was merged into: then no view has a row of it, and what names it shows the survivor."""
        merger = self.content.get("merger")
        return merger["into"] if merger is not None else None


@dataclass(slots=True)
class Rendered:
    """What views are shown of a record, as bytes, with their digest; and its row, which they share."""

    shown: Shown
    core: bytes
    digest: bytes
    terms: tuple[int, ...]
    searched: str  # the terms of its texts
    since: tuple[int, int] = (0, 0)
    row: tuple[Any, ...] = ()

    def row_since(self, item: "Item", revision: int, at: int) -> tuple[Any, ...]:
        """Return the row of this form, shown as a revision since a moment, but for the view, k and seq."""
        if self.since != (revision, at):
            shown, body = self.shown, body_of(self.core, revision, at)
            packed = b"".join([term.to_bytes(6, "big") for term in self.terms])
            numbers = (*shown.bounds, *shown.given, *shown.left, shown.corroboration, revision, at)
            self.row = (item.kind, item.id, item.owner, *numbers, etag_of(body), packed, body)
            self.since = (revision, at)
        return self.row


class Known(NamedTuple):
    """What a view was last shown of a record."""

    revision: int
    at: int
    change: str
    digest: bytes
    seq: int

    @property
    def is_shown(self) -> bool:
        """Tell whether the view has a row of it."""
        return self.change in ("created", "updated")


class Change(NamedTuple):
    """One change of what one view is shown."""

    view: int
    seq: int
    item: Item
    revision: int
    change: str  # created | updated | removed | merged
    digest: bytes
    previous: int  # seq of the change before, of the same record; 0: none

    @property
    def target(self) -> str:
        """The id that a change `merged` tells of; empty for any other."""
        return self.item.target or "" if self.change == "merged" else ""


class Changes:
    """The changes of one transaction, numbered as they come: a view's generation is its last number."""

    def __init__(self, connection: Connection) -> None:
        """Go on from the views' generations."""
        rows = connection.execute(select(VIEW.c.id, VIEW.c.generation))
        self.before: dict[int, int] = {id: number for id, number in rows}
        self.generations = dict(self.before)
        self.all: list[Change] = []

    def add(self, view: int, item: Item, revision: int, change: str, digest: bytes, before: Known | None) -> int:
        """Add a change; return its number."""
        self.generations[view] = seq = self.generations[view] + 1
        self.all.append(Change(view, seq, item, revision, change, digest, before.seq if before else 0))
        return seq

    def newest(self, shown: Mapping[str, Mapping[int, int]]) -> dict[str, dict[int, int]]:
        """Return the newest change of each record and view, given what it was before."""
        newest: dict[str, dict[int, int]] = {}
        for one in self.all:
            newest.setdefault(one.item.id, dict(shown.get(one.item.id, {})))[one.view] = one.seq
        return newest


@dataclass
class Batch:
    """Rows on their way into the tables, and what is to be taken out first."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    postings: list[tuple[Any, ...]] = field(default_factory=list)
    spots: list[tuple[Any, ...]] = field(default_factory=list)
    searched: list[tuple[int, int, str]] = field(default_factory=list)  # view, k, terms
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    terms: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    gone: dict[int, list[int]] = field(default_factory=dict)  # view -> k of rows to take out
    lost: list[wording.Counted] = field(default_factory=list)  # words of rows that were taken out
    expires: dict[int, int] = field(default_factory=dict)  # view -> when the first consent of its rows runs out


def is_closed(connection: Connection) -> bool:
    """Tell whether a view is being made anew, so that its rows are not what the vault says."""
    return bool(connection.scalar(select(exists().where(VIEW.c.state == "building"))))


def views_of(connection: Connection) -> list[View]:
    """Return the views in use."""
    c = VIEW.c
    statement = select(c.id, c.audience, c.purpose, c.recipient, c.owner).where(c.state != "retired").order_by(c.id)
    return [
        View(id, audience, purpose, frozenset(orjson.loads(recipient)), owner)
        for id, audience, purpose, recipient, owner in connection.execute(statement)
    ]


def preparing_of(connection: Connection) -> set[int]:
    """Return the views that are being prepared: what they are shown is not complete yet."""
    return set(connection.scalars(select(VIEW.c.id).where(VIEW.c.state == "preparing")))


def foresee(item: Item, views: Sequence[View], world: World, secret: bytes) -> int:
    """Return which views (one bit each) will be shown a record, as far as what it names is known to be shown."""
    kind, mask = BY_NAME[item.kind], 0
    for view in views:
        content, named = led(kind, item.content, item.named, view, world)
        decision = project.decide(kind, content, named, view, world, state=item.state, secret=secret, owner=item.owner)
        mask |= (decision is not None) << view.id
    return mask


def render(item: Item, views: Sequence[View], world: World, secret: bytes) -> list[Rendered | None]:
    """Return what each view is shown of a record: rendered once for each distinct decision."""
    kind = BY_NAME[item.kind]
    common = sum(1 << view.id for view in views if view.owner is None)
    all_named = {*item.named, *map(world.leads_to, item.named)}
    alike = project.is_alike(item.content) and all(world.visible_to(common, named) for named in all_named)
    made: dict[Any, Rendered] = {}
    answers: list[Rendered | None] = []
    first: Rendered | None = None  # what all the common views are shown
    for view in views:
        if first is not None and view.owner is None:
            answers.append(first)
            continue
        content, named = led(kind, item.content, item.named, view, world)
        decision = project.decide(kind, content, named, view, world, state=item.state, secret=secret, owner=item.owner)
        if decision is None:
            answers.append(None)
            continue
        done = made.get((decision, named))
        if done is None:
            shown = project.show(kind, content, decision, item.owner, world)
            core = orjson.dumps(shown.record)
            terms = tuple([term_id(item.kind, facet, value) for facet, value in shown.terms])
            digest, searched = hashlib.sha256(core).digest(), words_of(item.kind, shown.record)
            done = made[decision, named] = Rendered(shown, core, digest, terms, searched)
        answers.append(done)
        if alike and view.owner is None:
            first = done
    return answers


def body_of(core: bytes, revision: int, at: int) -> bytes:
    """Return the whole body: what is shown, and since when in which form."""
    return core[:-1] + leaves.tail_of(revision, at)


def etag_of(body: bytes) -> str:
    """Return the entity tag of a body."""
    return hashlib.sha256(body).hexdigest()[:24]


class Publisher:
    """Writes what views are shown; one transaction at a time."""

    def __init__(self, database: Database, world: World) -> None:
        """Write to a database, with the facts of a world."""
        self._database = database
        self._world = world
        self._known_terms: set[int] = set()

    @staticmethod
    def known(
        connection: Connection, vault: Vault, items: Iterable[Item], views: int = -1
    ) -> tuple[dict[str, dict[int, int]], dict[tuple[int, str], Known]]:
        """Return what each view was last shown of records that are not new: as numbers, and (of `views`) as changes."""
        shown = vault.shown(connection, [item.id for item in items if not item.new])
        wanted: dict[int, list[int]] = {}
        for seqs in shown.values():
            for view, seq in seqs.items():
                if views >> view & 1:
                    wanted.setdefault(view, []).append(seq)
        found: dict[tuple[int, str], Known] = {}
        c = DISCLOSED.c
        for view, numbers in wanted.items():
            for chunk in chunks(numbers):
                statement = select(c.id, c.revision, c.at, c.change, c.digest, c.seq)
                for id, *rest in connection.execute(
                    statement.where(c.view == view, vault.database.among(c.seq, chunk))
                ).all():
                    found[view, id] = Known(*rest)
        return shown, found

    def add(self, batch: Batch, view: int, item: Item, rendered: Rendered, since: Known) -> None:
        """Put one row and all that finds it into a batch."""
        shown, k = rendered.shown, item.k
        s0, s1, e0, e1 = shown.bounds
        batch.postings += [(view, term, s0, k, s1, e0, e1) for term in rendered.terms]
        for index, term in enumerate(rendered.terms):
            key = (view, term)
            batch.counts[key] = batch.counts.get(key, 0) + 1
            if term not in self._known_terms:
                batch.terms[term] = (item.kind, *shown.terms[index])
        batch.searched.append((view, k, rendered.searched))
        batch.rows.append((view, k, since.seq, *rendered.row_since(item, since.revision, since.at)))
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
        batch.searched.sort()  # an index of texts takes keys that rise
        self._database.insert(connection, SEARCHED, batch.searched)
        wording.count(self._database, connection, [*wording.of(batch.searched), *batch.lost])
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
            filed: dict[bytes, list[tuple[int, int]]] = {}  # by their terms: day and k
            for chunk in chunks(ks):
                where = and_(ROW.c.view == view, self._database.among(ROW.c.k, chunk))
                taken = delete(ROW).where(where).returning(ROW.c.k, ROW.c.s0, ROW.c.terms)
                for k, s0, terms in connection.execute(taken).all():
                    filed.setdefault(terms, []).append((s0, k))
            postings: dict[int, list[tuple[int, int]]] = {}
            for terms, places in filed.items():
                places.sort()
                for at in range(0, len(terms), 6):
                    postings.setdefault(int.from_bytes(terms[at : at + 6], "big"), []).extend(places)
            for term, places in postings.items():
                batch.counts[view, term] = batch.counts.get((view, term), 0) - len(places)
            one_by_one = [(view, term, s0, k) for term, places in sorted(postings.items()) for s0, k in sorted(places)]
            self._database.delete(connection, POSTING, ("view", "term", "s0", "k"), one_by_one)
            spots = [(view, s0, k) for places in filed.values() for s0, k in places]
            self._database.delete(connection, SPOT, ("view", "s0", "k"), spots)
            batch.lost += wording.take_out(self._database, connection, view, ks)

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
            counted = and_(TERM_COUNT.c.view.in_(range(MOST_EVER)), TERM_COUNT.c.term.in_(chunk))
            connection.execute(delete(TERM_COUNT).where(counted, TERM_COUNT.c.n == 0))
            left = set(connection.scalars(select(TERM_COUNT.c.term).where(counted)))
            empty = [term for term in chunk if term not in left]
            connection.execute(delete(TERM).where(TERM.c.id.in_(empty)))
            self._known_terms.difference_update(empty)

    def forget(self) -> None:
        """Forget which terms there are: the transaction failed, or somebody else wrote."""
        self._known_terms.clear()

    def disclose(self, connection: Connection, changes: Changes, at: int, log_size: int) -> int:
        """Record changes of what views are shown; return the log's new size."""
        if not changes.all:
            return log_size
        rows: list[tuple[Any, ...]] = []
        commitments: list[bytes] = []
        for one, salt in zip(changes.all, salts(len(changes.all)), strict=True):
            id, index = one.item.id, log_size + len(commitments)
            said = (id, one.item.kind, one.revision, at, one.change, one.digest, salt, index, one.previous)
            rows.append((one.view, one.seq, *said))
            leaf = leaves.disclosed(one.view, id, one.revision, at, one.change, one.digest, one.target)
            commitments.append(leaves.commitment(leaf, salt))
        self._database.insert(connection, DISCLOSED, rows)
        self._database.insert(connection, LED, [(one.view, one.seq, one.target) for one in changes.all if one.target])
        for view, generation in changes.generations.items():
            if generation != changes.before[view]:
                connection.execute(update(VIEW).where(VIEW.c.id == view).values(generation=generation))
        return log.append(self._database, connection, commitments, log_size)
