"""Loading files: everything is checked before anything is applied; then short transactions, safe to kill and repeat."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection

from app.intake.order import RANK
from app.intake.reading import Piece, RecordFile, Unreadable, open_records
from app.intake.staging import Named, Staged, Staging
from app.intake.submit import Draft, Intake, Refused
from app.records import BY_NAME
from app.records.base import Content
from app.records.refusal import refusals

LONGEST = 0.2  # seconds that one transaction may take (DESIGN 7)
CHECKED_AT_ONCE = 5_000
REMEMBERED = 100_000
Progress = Callable[[str, int, int], None]


class Fault(NamedTuple):
    """One reason why a line cannot be taken."""

    file: str
    line: int
    field: str
    reason: str


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

    def __init__(self, intake: Intake, home: Path, owner: str, progress: Progress = lambda *_: None) -> None:
        """Prepare a load into an intake."""
        self._intake = intake
        self._staging = Staging(home)
        self._owner = owner
        self._progress = progress
        self._files: list[tuple[str, RecordFile]] = []
        self._seen: set[tuple[str, str]] = set()
        self.report = Report()

    def run(self, paths: Sequence[Path], keep_good: bool = False) -> Report:
        """Check every file, then apply all of them; with a fault anywhere apply nothing, unless `keep_good`."""
        try:
            for path in paths:
                self._check_file(path, keep_good)
            self._check_references(keep_good)
            if not self.report.faults or keep_good:
                self._apply()
        finally:
            self._staging.close()
        return self.report

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
            staged: list[Staged] = []
            named: list[Named] = []
            for piece in pieces:
                draft = self._parse(number, piece)
                if draft is not None:
                    staged.append(Staged(draft.id, draft.kind, RANK[draft.kind], number, piece.line, piece.at))
                    named += self._named(draft, number, piece.line, keep_good)
            self._check_heads(staged)
            self._stage(staged, named)
            self._progress(f"checking {path.name}", min(pieces[-1].at + len(pieces[-1].text), file.size), file.size)

    def _parse(self, number: int, piece: Piece) -> Draft | None:
        try:
            return self._intake.draft(content_of(piece.text), self._owner)
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
        heads = self._intake.writer.database.look(
            lambda c: self._intake.writer.vault.heads(c, [one.id for one in staged])
        )
        for one in list(staged):
            head = heads.get(one.id)
            if head is not None and (head.kind, head.owner) != (one.kind, self._owner):
                self._fault(one.file, one.line, [("id", "belongs to a record of another kind or owner")])
                staged.remove(one)

    def _stage(self, staged: Sequence[Staged], named: Sequence[Named]) -> None:
        once: dict[str, Staged] = {}
        for one in staged:
            if one.id in once:
                self._twice(one, once[one.id].file, once[one.id].line)
            else:
                once[one.id] = one
        for id, (file, line) in self._staging.add(once.values(), named).items():
            self._twice(once[id], file, line)

    def _twice(self, one: Staged, file: int, line: int) -> None:
        first = f"{self._files[file][0]}, line {line}"
        self._fault(one.file, one.line, [("id", f"stands twice in this load (first in {first})")])

    def _check_references(self, keep_good: bool) -> None:
        while lost := self._lost():
            for one in lost:
                kinds = " or ".join(one.allowed.strip("|").split("|"))
                self._fault(one.file, one.line, [(one.path, f"names no {kinds} that is on record or in this load")])
            if not keep_good:
                return
            self._staging.drop({one.record for one in lost})

    def _lost(self) -> list[Named]:
        lost: list[Named] = []
        for named in self._staging.dangling():
            heads = self._heads([one.target for one in named])
            lost += [one for one in named if f"|{heads.get(one.target)}|" not in one.allowed]
        return lost

    def _heads(self, ids: Sequence[str]) -> Mapping[str, str]:
        def _kinds(connection: Connection) -> dict[str, str]:
            heads = self._intake.writer.vault.heads(connection, ids)
            return {id: head.kind for id, head in heads.items() if head.state != "retracted"}

        return self._intake.writer.database.look(_kinds)

    # --- applying ---

    def _apply(self) -> None:
        self.report.applied = True
        total, done, size = self._staging.count(), 0, 100
        for staged in self._staging.in_order():
            while staged:
                batch, staged = staged[:size], staged[size:]
                started = time.monotonic()
                self._submit(batch)
                took = time.monotonic() - started
                size = max(25, min(2_000, int(size * min(2.0, LONGEST * 0.8 / max(took, 0.001)))))
                done += len(batch)
                self._progress("loading", done, total)

    def _submit(self, batch: Sequence[Staged]) -> None:
        drafts = []
        for one in batch:
            draft = self._intake.draft(content_of(self._files[one.file][1].again(one.at)), self._owner)
            if draft.id != one.id:
                raise Unreadable(f"{self._files[one.file][0]} was changed while it was loaded")
            drafts.append(draft)
        outcome = self._intake.submit(drafts, self._owner, self._staging.kind_of)
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
