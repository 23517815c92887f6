"""Loading files: everything is checked before anything is applied; then short transactions, safe to kill and repeat."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from app.core.scratch import scratch
from app.disclosure.fitness import Doubt
from app.intake.checking import Faults, Good, Lines, check, opened
from app.intake.hidden import Hidden
from app.intake.order import RANK, knots
from app.intake.reading import Piece, RecordFile, Unreadable, open_records
from app.intake.spool import Spool
from app.intake.staging import Named, Staged, Staging
from app.intake.submit import IN_ITSELF, Asker, Intake, Refused, barred
from app.records import BY_NAME
from app.vault.keys import chunks
from app.vault.tables import GONE

LONGEST = 0.2  # seconds that one transaction may take (DESIGN 7)
CHECKED_AT_ONCE = 1_000
REMEMBERED = 100_000
LAST = "link"  # names records of every other kind
Progress = Callable[[str, int, int], None]


Checks = Iterable[tuple[list[Piece], Lines]]
Checked = Iterator[tuple[list[Piece], list[Good | Faults]]]


class Fault(NamedTuple):
    """One reason why a line cannot be taken, or should be looked at again."""

    file: str
    line: int
    field: str
    reason: str


class Much(Protocol):
    """A faster way to check lines, and to apply the records of some kinds."""

    kinds: frozenset[str]

    def at_work(self, size: int) -> AbstractContextManager[None]:
        """Be ready for files of so many bytes, until all is done."""
        ...

    def check(self, load: "Load", tasks: Checks) -> Checked:
        """Check lines, one list after another."""
        ...

    def apply(self, load: "Load") -> int:
        """Apply them; return how many there were."""
        ...


@dataclass
class Report:
    """What a load did, what it refused, and what of the records that it took a person should look at again."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    created: int = 0
    revised: int = 0
    unchanged: int = 0
    applied: bool = False


class Load:
    """One load of one or more files for one owner."""

    def __init__(
        self,
        intake: Intake,
        home: Path,
        owner: str,
        progress: Progress = lambda *_: None,
        only_new: bool = False,
        asker: Asker | None = None,
    ) -> None:
        """Prepare a load into an intake; with `only_new`, records that the vault has met are passed over.

        An `asker` is whoever loads, where it must learn of no hidden record of others.
        """
        self.intake = intake
        self.staging: Staging
        self.spool: Spool
        self._home = home
        self.owner = owner
        self.progress = progress
        self._only_new = only_new
        self.asker = asker
        self._hidden = Hidden(intake, asker)
        self._size = 100  # records in a transaction: follows how long one takes
        self._names: list[str] = []  # of the files
        self._seen: set[tuple[str, str]] = set()
        self._ties: dict[str, list[str]] = {}  # what records name of their own kind
        self.knots: dict[str, list[list[Staged]]] = {}  # by kind
        self._above: dict[str, str | None] = {}  # of places and violations: what each lies in
        self.report = Report()

    def run(self, paths: Sequence[Path], keep_good: bool = False, much: "Much | None" = None) -> Report:
        """Check every file, then apply all of them; with a fault anywhere apply nothing, unless `keep_good`.

        `much` applies the records of some kinds in a faster way (`intake/much.py`).
        """
        with scratch(self._home) as folder, ExitStack() as last:
            self.staging, self.spool = Staging(folder), Spool(folder)
            last.callback(self.staging.close)
            last.callback(self.spool.close)
            if much is not None:
                last.enter_context(much.at_work(self.bytes_of(paths)))
            self._run(paths, keep_good, much)
        return self.report

    def _run(self, paths: Sequence[Path], keep_good: bool, much: "Much | None") -> None:
        self._names = self.names_of(paths)
        for number, path in enumerate(paths):
            self._check_file(number, path, much, keep_good)
        self._check_circles(keep_good)
        self._check_references(keep_good)
        self._tie()
        if (not self.report.faults or keep_good) and self.may_apply():
            self.report.applied = True
            self._apply(much)

    # --- what another sort of load does in its own way ---

    def bytes_of(self, paths: Sequence[Path]) -> int:
        """Return how many bytes there are to be read."""
        return sum(path.stat().st_size for path in paths if path.is_file())

    def names_of(self, paths: Sequence[Path]) -> list[str]:
        """Return what the report calls each file."""
        return [path.name for path in paths]

    def open(self, number: int, path: Path) -> RecordFile:
        """Open a file of the load.

        Raises:
            Unreadable: it cannot be read as records.
        """
        return open_records(path)

    def fault(self, number: int, line: int, name: str, reason: str) -> None:
        """Keep why a line of a file (0: all of it) cannot be taken."""
        self.report.faults.append(Fault(self._names[number], line, name, reason))

    def line_of(self, line: int) -> str:
        """Return how a line is told of."""
        return f"line {line}"

    def may_apply(self) -> bool:
        """Tell, when all is checked, whether it may be applied."""
        return True

    # --- checking ---

    def _check_file(self, number: int, path: Path, much: "Much | None", keep_good: bool) -> None:
        try:
            file = self.open(number, path)
        except Unreadable as error:
            self.fault(number, 0, "", str(error))
            return
        try:
            key = self.spool.key
            tasks = ((pieces, Lines(self.owner, key, [one.text for one in pieces])) for pieces in _lists(file))
            for pieces, found in much.check(self, tasks) if much is not None else self.check(tasks):
                self._take(number, pieces, found, keep_good)
                self.progress(f"checking {path.name}", min(pieces[-1].at + len(pieces[-1].text), file.size), file.size)
        except Unreadable as error:
            self.fault(number, 0, "", str(error))
        finally:
            file.close()

    def check(self, tasks: Checks) -> Checked:
        """Check lines here, one list after another."""
        for pieces, lines in tasks:
            yield pieces, check(self.intake, lines)

    def _take(self, number: int, pieces: list[Piece], found: list[Good | Faults], each: bool) -> None:
        """Stage what was checked."""
        good: dict[int, Good] = {}
        for piece, one in zip(pieces, found, strict=True):
            if isinstance(one, Good):
                good[piece.line] = one
            else:
                self._fault(number, piece.line, one)
        begins = self.spool.add([one.sealed for one in good.values()])
        staged = [
            Staged(one.id, one.kind, RANK[one.kind], one.day, number, line, at, len(one.sealed))
            for (line, one), at in zip(good.items(), begins, strict=True)
        ]
        self._check_heads(staged, good)
        self._check_consents(staged, good)
        self._hidden.look(to for one in good.values() for _, to, _ in one.links)
        named: list[Named] = []
        for record in self._stage(staged):
            one = good[record.line]
            named += self._named(one, number, record.line, each)
            if BY_NAME[one.kind].hierarchical:
                self._above[one.id] = one.parent
            if alike := [to for _, to, kinds in one.links if one.kind in kinds]:
                self._ties[one.id] = alike
        self.staging.name(named)

    def _fault(self, number: int, line: int, reasons: Iterable[tuple[str, str]]) -> None:
        for name, reason in reasons:
            self.fault(number, line, name, reason)

    def _named(self, one: Good, number: int, line: int, each: bool) -> Iterator[Named]:
        """Yield what a record names: all of it if records may be dropped one by one, else each id once."""
        for path, target, allowed in one.links:
            kinds = f"|{'|'.join(allowed)}|"
            if each or target in self._hidden:
                yield Named(target, kinds, one.id, number, line, path)
            elif (target, kinds) not in self._seen:
                if len(self._seen) < REMEMBERED:
                    self._seen.add((target, kinds))
                yield Named(target, kinds, "", number, line, path)

    def _check_heads(self, staged: list[Staged], good: Mapping[int, Good]) -> None:
        heads = self.intake.writer.database.look(
            lambda c: self.intake.writer.vault.heads(c, [one.id for one in staged])
        )
        for one in list(staged):
            head = heads.get(one.id)
            if head is not None and self._only_new:
                staged.remove(one)
            elif head is not None and (head.kind, head.owner) != (one.kind, self.owner):
                self._fault(one.file, one.line, [("id", "belongs to a record of another kind or owner")])
                staged.remove(one)
            elif head is not None and head.state in GONE:
                (draft,) = opened(self.spool.key, [one.id], [good[one.line].sealed])
                if (reason := barred(head, draft.content)) is not None:
                    self._fault(one.file, one.line, [reason])
                    staged.remove(one)

    def _check_consents(self, staged: list[Staged], good: Mapping[int, Good]) -> None:
        """Refuse to give a record on record a new consent that has run out."""
        ended = [one for one in staged if good[one.line].ended]
        if ended:
            drafts = opened(self.spool.key, [one.id for one in ended], [good[one.line].sealed for one in ended])
            refusals = self.intake.writer.database.look(lambda c: self.intake.ended(c, drafts))
            for one in refusals:
                self._fault(ended[one.position].file, ended[one.position].line, [(one.field, one.reason)])
                staged.remove(ended[one.position])

    def _stage(self, staged: Sequence[Staged]) -> list[Staged]:
        """Stage records; return those that do not stand in the load already."""
        once: dict[str, Staged] = {}
        for one in staged:
            if one.id in once:
                self._twice(one, once[one.id].file, once[one.id].line)
            else:
                once[one.id] = one
        for id, (file, line) in self.staging.add(once.values()).items():
            self._twice(once.pop(id), file, line)
        return list(once.values())

    def _twice(self, one: Staged, file: int, line: int) -> None:
        first = f"{self._names[file]}, {self.line_of(line)}"
        self._fault(one.file, one.line, [("id", f"stands twice in this load (first in {first})")])

    def _check_circles(self, keep_good: bool) -> None:
        """Refuse places and violations that would lie in themselves, by way of others."""
        inside = [id for id in list(self._above) if self._is_in_itself(id)]
        for one in self.staging.find(inside):
            self._fault(one.file, one.line, [("parent", IN_ITSELF)])
        if keep_good:
            self.staging.drop(inside)

    def _is_in_itself(self, id: str) -> bool:
        above, met = self._parent(id), set[str]()
        while above is not None and above != id and above not in met:
            met.add(above)
            above = self._parent(above)
        return above == id

    def _parent(self, id: str) -> str | None:
        if id not in self._above:
            vault = self.intake.writer.vault
            stored = self.intake.writer.database.look(lambda connection: vault.read(connection, [id])).get(id)
            self._above[id] = stored.content.get("parent") if stored is not None else None
        return self._above[id]

    def _check_references(self, keep_good: bool) -> None:
        while lost := self._lost():
            for one in lost:
                kinds = one.allowed.strip("|").split("|")
                self.lost(one, kinds, f"names no {' or '.join(kinds)} that is on record or in this load")
            if not keep_good:
                return
            self.staging.drop({one.record for one in lost})

    def lost(self, named: Named, kinds: Sequence[str], reason: str) -> None:
        """Keep that a record names what is not there, one of some kinds."""
        self.fault(named.file, named.line, named.path, reason)

    def _lost(self) -> list[Named]:
        lost: list[Named] = []
        for named in self.staging.dangling():
            heads = self._heads([one.target for one in named if one.target not in self._hidden])
            before = self._hidden.named_before([one.record for one in named if one.target in self._hidden])
            for one in named:
                if f"|{heads.get(one.target)}|" not in one.allowed and one.target not in before.get(one.record, ()):
                    lost.append(one)
        return lost

    def _heads(self, ids: Sequence[str]) -> Mapping[str, str]:
        def _kinds(connection: Connection) -> dict[str, str]:
            heads = self.intake.writer.vault.heads(connection, ids)
            return {id: head.kind for id, head in heads.items() if head.state not in GONE}

        return self.intake.writer.database.look(_kinds)

    # --- applying ---

    def _apply(self, much: "Much | None") -> None:
        kinds = much.kinds if much is not None else frozenset[str]()
        done = self._apply_singly((kind for kind in RANK if kind not in kinds and kind != LAST), 0)
        if much is not None:
            done += much.apply(self)
        self._apply_singly((LAST,), done)

    def _apply_singly(self, kinds: Iterable[str], done: int) -> int:
        before = done
        for kind in sorted(kinds, key=RANK.__getitem__):
            done += self.apply(self.knots.get(kind, ()), done)
            for staged in self.staging.in_order((kind,)):
                done += self.apply([[one] for one in staged], done)
        return done - before

    def _tie(self) -> None:
        """Find what is named by others of its kind: it comes first, and what names one another in one transaction.

        Where a load is cut into transactions then leaves no trace: no record is shown before what it names.
        """
        for some in chunks(knots(self._ties)):
            staged = {one.id: one for one in self.staging.tie([id for knot in some for id in knot])}
            for knot in some:
                if here := [staged[id] for id in knot if id in staged]:
                    self.knots.setdefault(here[0].kind, []).append(here)

    def apply(self, knots: Iterable[Sequence[Staged]], done: int = 0) -> int:
        """Apply records in transactions as long as they may be, a knot in one; return how many there were."""
        before, batch = done, list[Staged]()
        for knot in knots:
            if batch and len(batch) + len(knot) > self._size:
                done, batch = done + self._apply_now(batch, done), []
            batch += knot
        return done + self._apply_now(batch, done) - before

    def _apply_now(self, batch: list[Staged], done: int) -> int:
        if batch:
            started = time.monotonic()
            self._submit(batch)
            took = time.monotonic() - started
            self._size = max(25, min(2_000, int(self._size * min(2.0, LONGEST * 0.8 / max(took, 0.001)))))
            self.progress("loading", done + len(batch), self.staging.count())
        return len(batch)

    def sealed(self, staged: Sequence[Staged]) -> list[bytes]:
        """Return records as they were sealed when they were checked."""
        return [self.spool.read(one.at, one.size) for one in staged]

    def _submit(self, batch: Sequence[Staged]) -> None:
        drafts = opened(self.spool.key, [one.id for one in batch], self.sealed(batch))
        try:
            outcome = self.intake.submit(drafts, self.owner, self.staging.kind_of, self.asker)
        except Refused as error:  # somebody wrote since it was checked
            for one in error.refusals:
                self._fault(batch[one.position].file, batch[one.position].line, [(one.field, one.reason)])
            raise
        self.report.created += len(outcome.created)
        self.report.revised += len(outcome.revised)
        self.report.unchanged += len(outcome.unchanged)
        self.warn(batch, outcome.doubts)

    def warn(self, staged: Sequence[Staged], doubts: Iterable[tuple[str, Doubt]]) -> None:
        """Report what in records that were taken should be looked at again."""
        stood = {one.id: (self._names[one.file], one.line) for one in staged}
        self.report.warnings += [Fault(*stood[id], doubt.field, doubt.reason) for id, doubt in doubts]


def _lists(file: RecordFile) -> Iterator[list[Piece]]:
    pieces: list[Piece] = []
    for piece in file:
        pieces.append(piece)
        if len(pieces) == CHECKED_AT_ONCE:
            yield pieces
            pieces = []
    if pieces:
        yield pieces
