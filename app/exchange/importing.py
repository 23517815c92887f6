"""Importing sheets by a mapping: translated row by row, then checked and applied as every load is."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.core.ids import is_opaque
from app.exchange import fields
from app.exchange.foreseeing import Foreseen, foresee
from app.exchange.mapping import FINDABLE
from app.exchange.mapping import Mapping as Sheet
from app.exchange.names import Names
from app.exchange.restating import WHY, Restated, restated
from app.exchange.sheets import SheetFile, Source
from app.exchange.translating import A_ROW, MADE_FROM, Made, Problem, Translator
from app.intake.checking import Good, opened
from app.intake.loading import Fault, Load, Much, Progress, Report
from app.intake.reading import Piece, RecordFile, Unreadable
from app.intake.staging import Named, Staged
from app.intake.submit import Asker, Intake

NOT_DRAWN = "is the id of no record of yours: ids of this form are drawn by the service; map your own with key"
MOST_KEPT = 50_000  # problems of one import; the count of all is kept too


@dataclass
class Found:
    """What came of an import.

    Attributes:
        problems: of each source, by its position.
        count: how many problems there are; no more than the first 50,000 are kept.
        warnings: what a person should look at again.
        foreseen: what applying it does, as far as it can be told beforehand; None if there is a problem.
        rows: how many rows were read.
        report: of the load below.
        refused: why nothing was applied, if that is not for the problems.
    """

    problems: list[list[Problem]]
    count: int = 0
    warnings: list[list[Problem]] = field(default_factory=list)
    foreseen: Foreseen | None = None
    rows: int = 0
    report: Report = field(default_factory=Report)
    refused: str = ""


Decide = Callable[[Foreseen], str]  # why it may not be applied; empty: it may


class Import(Load):
    """One import of sheets for one owner."""

    def __init__(
        self,
        intake: Intake,
        home: Path,
        owner: str,
        mapping: Sheet,
        progress: Progress = lambda *_: None,
        decide: Decide = lambda _: "",
        asker: Asker | None = None,
        known: Foreseen | None = None,
    ) -> None:
        """Prepare an import.

        Args:
            intake: the way in.
            home: the data folder.
            owner: the organisation that holds the records.
            mapping: how rows become records.
            progress: is told how far it is.
            decide: is asked when everything is checked, before anything is applied.
            asker: whoever imports, where it must learn of no hidden record of others.
            known: what was foreseen before, where nobody has written since.
        """
        super().__init__(intake, home, owner, progress, asker=asker)
        self._known = known
        self.mapping = mapping
        self.names = Names(intake, owner)
        self._decide = decide
        self._sources: Sequence[Source] = ()
        self._each = False
        self._bad: set[tuple[int, int]] = set()  # source and row, where others are kept
        self.found = Found([])

    def bring(self, sources: Sequence[Source], keep_good: bool = False, much: Much | None = None) -> Found:
        """Check every sheet, then apply all of them; with a problem anywhere apply nothing, unless `keep_good`."""
        self._sources, self._each = sources, keep_good
        self.found = Found([[] for _ in sources], warnings=[[] for _ in sources])
        self.found.report = self.run([Path(one.name) for one in sources], keep_good, much)
        for fault in self.report.warnings:
            number = self._names.index(fault.file)
            self.found.warnings[number].append(self._problem(fault.line, fault.field, fault.reason))
        return self.found

    def bytes_of(self, paths: Sequence[Path]) -> int:
        """Return how many bytes there are to be read."""
        return sum(one.size for one in self._sources)

    def names_of(self, paths: Sequence[Path]) -> list[str]:
        """Return what the report calls each sheet."""
        return [one.name for one in self._sources]

    def open(self, number: int, path: Path) -> RecordFile:
        """Open a sheet as a file of records.

        Raises:
            Unreadable: it is none, or its columns are not those of the mapping.
        """
        source = self._sources[number]
        return _Translated(self, number, source, source.open())

    def line_of(self, line: int) -> str:
        """Return how a line is told of: by its row."""
        return f"row {line // A_ROW}"

    def note(self, number: int, problem: Problem) -> None:
        """Keep a problem of a source."""
        self.found.count += 1
        if self._each:
            self._bad.add((number, problem.row))
        if self.found.count <= MOST_KEPT:
            self.found.problems[number].append(problem)
        if not self.report.faults:  # one is enough to know that there are some
            self.report.faults.append(Fault(self._names[number], problem.row, problem.field, problem.reason))

    def fault(self, number: int, line: int, name: str, reason: str) -> None:
        """Keep why a record cannot be taken, or a source cannot be read (line 0)."""
        self.note(number, self._problem(line, name, reason))

    def lost(self, named: Named, kinds: Sequence[str], reason: str) -> None:
        """Keep that a row names what is not there, with the nearest that is."""
        problem = self._problem(named.line, named.path, reason)
        near = (self.names.nearest(kind, named.target) for kind in kinds if kind in FINDABLE)
        self.note(named.file, problem._replace(nearest=next(filter(None, near), None)))

    def _problem(self, line: int, name: str, reason: str) -> Problem:
        row, number = divmod(line, A_ROW)
        return Problem(row, self._column(number, name), name, reason)

    def _column(self, number: int, name: str) -> str:
        """Return the column that a field of a record of this number comes from, if it comes from one."""
        if number >= len(self.mapping.records) or not name:
            return ""
        rule = self.mapping.records[number]
        if name in ("id", "slug") and rule.key is not None and "id" not in rule.fields:
            return next(iter(rule.key.read()), "")
        plain = _plain(name)
        best = ("", 0)
        for path, value in rule.fields.items():
            known = fields.field(rule.kind, path).plain.replace("[]", "")
            if (plain == known or plain.startswith(known + ".") or known.startswith(plain + ".")) and value.read():
                best = max(best, (value.read()[0], len(known)), key=lambda one: one[1])
        return best[0]

    def _check_heads(self, staged: list[Staged], good: Mapping[int, Good]) -> None:
        """Refuse what cannot be a revision of its record, and warn of what was said of it before.

        Over HTTP an id that only the service draws, and that no record of the owner has, is refused too (0071): one
        that is of others, and one that nobody has, are answered alike.
        """
        if self.asker is not None and any("id" in rule.fields for rule in self.mapping.records):
            writer, stated = self.intake.writer, [one for one in staged if is_opaque(one.id)]
            heads = writer.database.look(lambda connection: writer.vault.heads(connection, [one.id for one in stated]))
            strange = [one for one in stated if one.id not in heads or heads[one.id].owner != self.owner]
            sealed = [good[one.line].sealed for one in strange]
            for one, draft in zip(strange, opened(self.spool.key, [one.id for one in strange], sealed), strict=True):
                if self.intake.drawn(one.kind, draft.content, self.owner) != one.id:
                    self.fault(one.file, one.line, "id", NOT_DRAWN)
                    staged.remove(one)
        super()._check_heads(staged, good)
        for one, what in restated(self.intake.writer, self.spool.key, staged, good):
            if what is Restated.NARROWED:
                self.fault(one.file, one.line, "consent", WHY[what])
                staged.remove(one)
            elif len(self.found.warnings[one.file]) < MOST_KEPT:
                self.found.warnings[one.file].append(self._problem(one.line, "", WHY[what]))

    def _take(self, number: int, pieces: list[Piece], found: "list[Good | list[tuple[str, str]]]", each: bool) -> None:
        """Stage what was checked; a row is taken whole or not at all."""
        if each:
            bad = {p.line // A_ROW for p, one in zip(pieces, found, strict=True) if not isinstance(one, Good)}
            kept = [
                (piece, one)
                for piece, one in zip(pieces, found, strict=True)
                if not isinstance(one, Good) or piece.line // A_ROW not in bad or piece.line % A_ROW >= MADE_FROM
            ]
            pieces, found = [one[0] for one in kept], [one[1] for one in kept]
        super()._take(number, pieces, found, each)

    def _check_references(self, keep_good: bool) -> None:
        """Refuse what names nothing that is there and, where the good is kept, what stands in one row with it."""
        done = 0
        while True:
            super()._check_references(keep_good)
            if not keep_good or len(self._bad) == done:
                break
            done = len(self._bad)
            self.staging.drop(self.staging.of_rows(self._bad, A_ROW, MADE_FROM))
        # What a refused row made from names stays where another row names it, and else goes with the row.
        while self._bad and (loose := self.staging.unnamed(A_ROW, MADE_FROM)):
            self.staging.drop(loose)

    def may_apply(self) -> bool:
        """Foresee what applying does, and ask whether it may be."""
        self.found.foreseen = self._known or foresee(self)
        self.found.refused = self._decide(self.found.foreseen)
        return not self.found.refused


def _plain(name: str) -> str:
    """Return a field as a model names it without the positions in it: acts[0].date -> acts.date."""
    return "".join(part.partition("]")[2] if n else part for n, part in enumerate(name.split("[")))


class _Translated:
    """A sheet as a file of records, made as they are asked for."""

    def __init__(self, load: Import, number: int, source: Source, sheet: SheetFile) -> None:
        self.size = source.size
        self._load = load
        self._number = number
        self._sheet = sheet
        self._translator = Translator(load.mapping, source.stem, load.names)
        known = self._translator.columns | set(load.mapping.ignore)
        self._known = known
        if not self._translator.rules:
            sheet.close()
            raise Unreadable("no rule of the mapping takes rows of a file or sheet of this name")
        if sheet.header:
            try:
                self._check_header(sheet.header)
            except Unreadable:
                sheet.close()
                raise

    def _check_header(self, header: Sequence[str]) -> None:
        mapping = self._load.mapping
        bare = [str(n) for n, one in enumerate(header, 1) if not one]
        if bare and not {"", "*"} & set(mapping.ignore):
            where = _quoted(bare)
            raise Unreadable(f"has columns without a name in its first row: number {where}; name each, and merge none")
        if twice := [name for name, n in Counter(header).items() if n > 1 and name]:
            raise Unreadable(f"names a column twice: {_quoted(twice)}")
        missing = self._translator.columns - set(header) - set(mapping.optional)
        if missing:
            guesses = [f"{one} ({guess}?)" if (guess := fields.near(one, header)) else one for one in sorted(missing)]
            raise Unreadable(f"lacks columns that the mapping reads: {_quoted(guesses)}")
        if "*" not in mapping.ignore and (unknown := [one for one in header if one not in self._known]):
            raise Unreadable(f"has columns that the mapping neither reads nor ignores: {_quoted(unknown)}")

    def __iter__(self) -> Iterator[Piece]:
        at = 0
        for number, row, column, reason in self._sheet:
            self._load.found.rows += 1
            if reason:
                self._load.note(self._number, Problem(number, column, "", reason))
                continue
            if not self._sheet.header and (fault := self._unknown(row)):
                self._load.note(
                    self._number, Problem(number, fault, "", "is a column that the mapping neither reads nor ignores")
                )
                continue
            at = self._sheet.at()
            for one in self._translator.translate(number, row):
                if isinstance(one, Problem):
                    self._load.note(self._number, one)
                else:
                    yield _piece(one, at)
        for one in self._translator.finish():
            yield _piece(one, at)

    def _unknown(self, row: object) -> str:
        if "*" in self._load.mapping.ignore or not isinstance(row, dict):
            return ""
        return next((one for one in row if one not in self._known), "")

    def close(self) -> None:
        self._sheet.close()


def _piece(made: Made, at: int) -> Piece:
    return Piece(made.row * A_ROW + made.number, at, made.text)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
