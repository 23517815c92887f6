"""Whether what the vault notes of records goes with their revisions: which is newest, what became of it, its ties."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, tuple_

from app.core.ids import k_of
from app.records import BY_NAME, references
from app.records.consent import expiry
from app.vault.chains import unpack
from app.vault.keys import chunks
from app.vault.tables import DISCLOSED, LED, MERGER, RECORD, REFERENCE, REVISION

ENDS = frozenset({"expired", "retracted", "withdrawn", "erased"})  # changes that are the state from then on
_STATES = {change: {change} for change in ENDS} | {"submitted": {"live", "expired"}}
# What a view was told of a record, by what it was told before, and whether that is another form.
_FOLLOWS = {
    "created": ({"removed", "merged"}, 1),
    "updated": ({"created", "updated"}, 1),
    "removed": ({"created", "updated", "merged"}, 0),
    "merged": ({"created", "updated"}, 0),
}
_BEFORE = REVISION.alias("before")
_TOLD = DISCLOSED.alias("told")
Opened = tuple[Any, Mapping[str, Any]]


def revisions() -> "Select[Any]":
    """Return all revisions, each with what is noted of its record, and of which record the one before it is."""
    c = RECORD.c
    noted = (c.kind, c.k, c.state, c.expires, c.revision.label("newest"), c.leaf.label("head"))
    before = (_BEFORE.c.record.label("before_of"), _BEFORE.c.revision.label("before"))
    return select(REVISION, *noted, *before, MERGER.c.target.label("into")).select_from(
        REVISION.outerjoin(RECORD, c.id == REVISION.c.record)
        .outerjoin(_BEFORE, _BEFORE.c.leaf == REVISION.c.previous)
        .outerjoin(MERGER, MERGER.c.record == REVISION.c.record)
    )


def forms(view: int) -> "Select[Any]":
    """Return all changes of a view, each with what is noted of its record, and what the view was told before."""
    d, c = DISCLOSED.c, RECORD.c
    noted = (LED.c.target, c.kind.label("of_kind"), c.state, c.shown)
    before = (_TOLD.c.id.label("before_of"), _TOLD.c.revision.label("before"), _TOLD.c.change.label("before_change"))
    return (
        select(DISCLOSED, *noted, *before)
        .select_from(
            DISCLOSED.outerjoin(LED, and_(LED.c.view == d.view, LED.c.seq == d.seq))
            .outerjoin(RECORD, c.id == d.id)
            .outerjoin(_TOLD, and_(_TOLD.c.view == d.view, _TOLD.c.seq == d.previous))
        )
        .where(d.view == view)
    )


class Marks:
    """Holds what is noted against revisions and forms, as they are met in the order of the log."""

    def __init__(self, connection: Connection, fault: Callable[[str], None]) -> None:
        """Tell faults in words."""
        self._connection, self._fault = connection, fault
        self._newest: Counter[int] = Counter()  # by view: changes that are the newest of their record

    def revision(self, one: Any, what: str) -> None:
        """Hold a revision, a row of `revisions`, against what is noted of its record."""
        if one.head is None:
            self._fault(f"{what} is of no record")
            return
        first = one.revision == 1
        if (
            (one.previous is None) != first
            or not first
            and (one.before_of, one.before)
            != (
                one.record,
                one.revision - 1,
            )
        ):
            self._fault(f"{what} does not follow the one before")
        if one.revision > one.newest:
            self._fault(f"{what} is newer than what {one.record} is said to be")
        is_tombstone = one.change == "erased" and one.leaf == one.head
        if one.salt and one.state == "erased" and not is_tombstone:
            self._fault(f"{what} is still there, and {one.record} is said to be erased")
        if not one.salt and one.state != "erased":
            self._fault(f"{what} was taken out, and {one.record} was never erased")
        if one.leaf == one.head and one.state not in self._states(one):
            self._fault(f"{one.record} is said to be {one.state}, and its newest revision is {one.change}")
        if one.leaf == one.head and one.k != k_of(one.record):
            self._fault(f"{one.record} has another place in orders than its id gives it")

    def _states(self, one: Any) -> set[str]:
        """Return what a record may be after its newest revision: what it was before, unless that changed it."""
        change, leaf = one.change, one.previous
        while change not in _STATES and leaf is not None:
            before = select(REVISION.c.change, REVISION.c.previous).where(REVISION.c.leaf == leaf)
            change, leaf = self._connection.execute(before).one_or_none() or ("", None)
        return _STATES.get(change, set())

    def contents(self, newest: Sequence[Opened]) -> None:
        """Hold newest revisions, opened, against what follows from them: the kind, the expiry, references, mergers."""
        rests: dict[tuple[str, int], str] = {}
        for one, content in newest:
            if (content.get("id"), content.get("kind")) != (one.record, one.kind) or one.kind not in BY_NAME:
                self._fault(f"{one.record} is said to be of another id or kind than its newest revision states")
                continue
            if one.expires != expiry(content):
                self._fault(f"{one.record} has another end of its consent than its newest revision states")
            if one.into != (content.get("merger") or {}).get("into"):
                self._fault(f"{one.record} is led elsewhere than its newest revision states")
            rests |= {(to, one.leaf): one.record for _, to, _ in references(BY_NAME[one.kind], content)}
        for pairs in chunks(rests):
            key = tuple_(REFERENCE.c.target, REFERENCE.c.leaf)
            kept = select(REFERENCE.c.target, REFERENCE.c.leaf).where(key.in_(pairs))
            lost = set(pairs) - {(target, leaf) for target, leaf in self._connection.execute(kept)}
            gone = self._erased(to for to, _ in lost) if lost else set()
            for to, leaf in sorted(lost):
                if to not in gone:
                    self._fault(f"{rests[to, leaf]} names {to}, and is not said to rest on it")

    def _erased(self, ids: Iterable[str]) -> set[str]:
        return {
            id
            for some in chunks(set(ids))
            for id in self._connection.scalars(
                select(RECORD.c.id).where(RECORD.c.id.in_(some), RECORD.c.state == "erased")
            )
        }

    def form(self, one: Any, what: str) -> None:
        """Hold a change of a view, a row of `forms`, against what is noted of its record."""
        if one.of_kind != one.kind:
            self._fault(f"{what} is of another kind than its record")
        if not one.salt and one.state != "erased":
            self._fault(f"{what} was taken out, and its record was never erased")
        newest = _unpacked(one.shown).get(one.view, 0)
        self._newest[one.view] += one.seq == newest
        if one.seq > newest:
            self._fault(f"{what} is newer than what its record is said to be")
        before, more = _FOLLOWS.get(one.change, (set[str](), 0))
        follows = one.before_of == one.id and one.before_change in before and one.revision == one.before + more
        first = (one.revision, one.change) == (1, "created")
        if not (first if one.previous == 0 else follows and one.previous < one.seq):
            self._fault(f"{what} does not follow the one before")

    def whole(self) -> None:
        """Say whether all that is noted leads somewhere, when all is met."""
        c = RECORD.c
        newest = and_(REVISION.c.leaf == c.leaf, REVISION.c.record == c.id, REVISION.c.revision == c.revision)
        astray = select(c.id).select_from(RECORD.outerjoin(REVISION, newest)).where(REVISION.c.leaf.is_(None))
        for id in self._connection.scalars(astray):
            self._fault(f"the newest revision of {id} is not there")
        stated, there = (
            self._connection.scalar(select(of)) or 0 for of in (func.sum(c.revision), func.count(REVISION.c.leaf))
        )
        if stated != there:
            self._fault(f"records are said to have {stated} revisions, and there are {there}")
        told: Counter[int] = Counter()
        for (shown,) in self._connection.execute(select(c.shown)).yield_per(10_000):
            told.update(_unpacked(shown).keys())
        for view in sorted(told.keys() | self._newest.keys()):
            if told[view] != self._newest[view]:
                self._fault(
                    f"view {view} is said to know of {told[view]} records, and was told of {self._newest[view]}"
                )
        self._mergers()

    def _mergers(self) -> None:
        """Say which records that were merged lead elsewhere than to the end of their way."""
        c = MERGER.c
        rows = self._connection.execute(select(c.record, c.target, c.survivor)).all()
        targets = {record: target for record, target, _ in rows}
        for record, target, survivor in rows:
            for _ in rows:
                target = targets.get(target, target)
            # Where one on the way was erased, nothing says any more where that led.
            if survivor != target and not self._erased([target]):
                self._fault(f"{record} leads to {survivor}, and was merged into {target}")


def _unpacked(shown: bytes | None) -> dict[int, int]:
    """Return each view's newest change; nothing where it was damaged, so that no change goes with it."""
    whole = bytes(shown or b"")
    return unpack(whole) if len(whole) % 9 == 0 else {}
