"""Loading files: everything is checked before anything is applied; then short transactions, safe to kill and repeat."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection

from app.core.scratch import scratch
from app.intake.order import RANK
from app.intake.reading import Piece, RecordFile, Unreadable, open_records
from app.intake.staging import Named, Staged, Staging
from app.intake.submit import IN_ITSELF, Draft, Intake, Refused
from app.records import BY_NAME
from app.records.base import Content
from app.records.refusal import refusals
from app.vocabulary.edtf import UNDATED, bounds

LONGEST = 0.2  # seconds that one transaction may take (DESIGN 7)
CHECKED_AT_ONCE = 1_000
REMEMBERED = 100_000
LAST = "link"  # names records of every other kind
Progress = Callable[[str, int, int], None]


class Fault(NamedTuple):
    """One reason why a line cannot be taken."""

    file: str
    line: int
    field: str
    reason: str


class Much(Protocol):
    """A faster way to apply the records of some kinds."""

    kinds: frozenset[str]

    def apply(self, load: "Load") -> int:
        """Apply them; return how many there were."""
        ...


@dataclass
class Report:
    """What a load did, and what it refused."""

    faults: list[Fault] = field(default_factory=list)
    created: int = 0
    revised: int = 0
    unchanged: int = 0
    applied: bool = False


class Load:
    """One load of one or more files for one owner."""

    def __init__(
        self, intake: Intake, home: Path, owner: str, progress: Progress = lambda *_: None, only_new: bool = False
    ) -> None:
        """Prepare a load into an intake; with `only_new`, records that the vault has met are passed over."""
        self.intake = intake
        self.staging: Staging
        self._home = home
        self.owner = owner
        self.progress = progress
        self._only_new = only_new
        self._size = 100  # records in a transaction: follows how long one takes
        self._files: list[tuple[str, RecordFile]] = []
        self._seen: set[tuple[str, str]] = set()
        self._above: dict[str, str | None] = {}  # of places and violations: what each lies in
        self.report = Report()

    def run(self, paths: Sequence[Path], keep_good: bool = False, much: "Much | None" = None) -> Report:
        """Check every file, then apply all of them; with a fault anywhere apply nothing, unless `keep_good`.

        `much` applies the records of some kinds in a faster way (`intake/much.py`).
        """
        with scratch(self._home) as folder:
            self.staging = Staging(folder)
            try:
                self._run(paths, keep_good, much)
            finally:
                self.staging.close()
                for _, file in self._files:
                    file.close()
        return self.report

    def _run(self, paths: Sequence[Path], keep_good: bool, much: "Much | None") -> None:
        for path in paths:
            self._check_file(path, keep_good)
        self._check_circles(keep_good)
        self._check_references(keep_good)
        if not self.report.faults or keep_good:
            self.report.applied = True
            self._apply(much)

    # --- checking ---

    def _check_file(self, path: Path, keep_good: bool) -> None:
        try:
            file = open_records(path)
        except Unreadable as error:
            self.report.faults.append(Fault(path.name, 0, "", str(error)))
            return
        number = len(self._files)
        self._files.append((path.name, file))
        for pieces in _lists(file):
            drafts = {piece.at: draft for piece in pieces if (draft := self._parse(number, piece)) is not None}
            staged = [_staged(drafts[piece.at], number, piece) for piece in pieces if piece.at in drafts]
            self._check_heads(staged)
            named: list[Named] = []
            for one in self._stage(staged):
                draft = drafts[one.at]
                named += self._named(draft, number, one.line, keep_good)
                if BY_NAME[draft.kind].hierarchical:
                    self._above[draft.id] = draft.content["parent"]
            self.staging.name(named)
            self.progress(f"checking {path.name}", min(pieces[-1].at + len(pieces[-1].text), file.size), file.size)

    def _parse(self, number: int, piece: Piece) -> Draft | None:
        try:
            return self.intake.draft(content_of(piece.text), self.owner)
        except ValidationError as error:
            self._fault(number, piece.line, [(one.field, one.reason) for one in refusals(error)])
        except Refused as error:
            self._fault(number, piece.line, [(one.field, one.reason) for one in error.refusals])
        except ValueError as error:
            self._fault(number, piece.line, [("", str(error))])
        return None

    def _fault(self, number: int, line: int, reasons: Iterable[tuple[str, str]]) -> None:
        self.report.faults += [Fault(self._files[number][0], line, name, reason) for name, reason in reasons]

    def _named(self, draft: Draft, number: int, line: int, each: bool) -> Iterator[Named]:
        """Yield what a record names: all of it if records may be dropped one by one, else each id once."""
        for path, target, allowed in draft.links:
            kinds = f"|{'|'.join(allowed)}|"
            if each:
                yield Named(target, kinds, draft.id, number, line, path)
            elif (target, kinds) not in self._seen:
                if len(self._seen) < REMEMBERED:
                    self._seen.add((target, kinds))
                yield Named(target, kinds, "", number, line, path)

    def _check_heads(self, staged: list[Staged]) -> None:
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
        first = f"{self._files[file][0]}, line {line}"
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
                kinds = " or ".join(one.allowed.strip("|").split("|"))
                self._fault(one.file, one.line, [(one.path, f"names no {kinds} that is on record or in this load")])
            if not keep_good:
                return
            self.staging.drop({one.record for one in lost})

    def _lost(self) -> list[Named]:
        lost: list[Named] = []
        for named in self.staging.dangling():
            heads = self._heads([one.target for one in named])
            lost += [one for one in named if f"|{heads.get(one.target)}|" not in one.allowed]
        return lost

    def _heads(self, ids: Sequence[str]) -> Mapping[str, str]:
        def _kinds(connection: Connection) -> dict[str, str]:
            heads = self.intake.writer.vault.heads(connection, ids)
            return {id: head.kind for id, head in heads.items() if head.state != "retracted"}

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
        for staged in self.staging.in_order(kinds):
            done += self.apply(staged, done)
        return done - before

    def apply(self, staged: list[Staged], done: int = 0) -> int:
        """Apply records in transactions as long as they may be; return how many there were."""
        count, total = len(staged), self.staging.count()
        while staged:
            batch, staged = staged[: self._size], staged[self._size :]
            started = time.monotonic()
            self._submit(batch)
            took = time.monotonic() - started
            self._size = max(25, min(2_000, int(self._size * min(2.0, LONGEST * 0.8 / max(took, 0.001)))))
            self.progress("loading", done + count - len(staged), total)
        return count

    def text(self, one: Staged) -> bytes:
        """Return the bytes of a record, as they stand in its file."""
        return self._files[one.file][1].again(one.at)

    def _submit(self, batch: Sequence[Staged]) -> None:
        drafts = []
        for one in batch:
            draft = self.intake.draft(content_of(self.text(one)), self.owner)
            if draft.id != one.id:
                raise Unreadable(f"{self._files[one.file][0]} was changed while it was loaded")
            drafts.append(draft)
        outcome = self.intake.submit(drafts, self.owner, self.staging.kind_of)
        self.report.created += len(outcome.created)
        self.report.revised += len(outcome.revised)
        self.report.unchanged += len(outcome.unchanged)


def content_of(text: bytes) -> Content:
    """Return the validated content of one submitted record, given as JSON.

    Raises:
        ValidationError: the model of its kind refuses it.
        ValueError: it is no JSON object, or states no known kind.
    """
    if not text:
        raise ValueError("is too long for one record")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is no JSON (column {error.colno})") from None
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    kind = BY_NAME.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    if kind is None:
        raise ValueError(f"states no known kind: {', '.join(BY_NAME)}")
    return kind.model.model_validate(value)


def _lists(file: RecordFile) -> Iterator[list[Piece]]:
    pieces: list[Piece] = []
    for piece in file:
        pieces.append(piece)
        if len(pieces) == CHECKED_AT_ONCE:
            yield pieces
            pieces = []
    if pieces:
        yield pieces


def _staged(draft: Draft, file: int, piece: Piece) -> Staged:
    field = BY_NAME[draft.kind].date
    date = draft.content.get(field) if field is not None else None
    day = bounds(date).s0 if date else UNDATED
    return Staged(draft.id, draft.kind, RANK[draft.kind], day, file, piece.line, piece.at)
