"""The verbs `evidence import` and `evidence map`: sheets of others, brought in by a mapping."""

from pathlib import Path
from typing import Annotated

import typer

from app.core.collector import collect_rarely
from app.exchange.drafting import draft
from app.exchange.foreseeing import Foreseen
from app.exchange.importing import Found, Import
from app.exchange.mapping import MappingError, read
from app.exchange.reporting import write_report
from app.exchange.sheets import Source
from app.exchange.sources import File, sources
from app.intake.much import AtOnce
from app.intake.reading import Unreadable
from app.session import Bar, Session, errors, fail, owner_name

MOST_SHOWN = 50


def confirmed(text: str) -> dict[str, int]:
    """Return what was confirmed: `public=120,partner=300`."""
    found: dict[str, int] = {}
    for one in filter(None, text.split(",")):
        name, _, number = one.strip().rpartition("=")
        if not name or not number.isdecimal() or name in found:
            raise typer.BadParameter("must be views with numbers, as public=120,partner=300")
        found[name] = int(number)
    return found


def import_(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, JSON, NDJSON, or a ZIP of them.")],
    mapping: Annotated[str, typer.Option(help="A mapping (YAML), or the name of one that comes with the service.")],
    owner: Annotated[str, typer.Option(help="The organisation that holds the records.", callback=owner_name)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, say what would happen, do nothing.")] = False,
    keep_good: Annotated[bool, typer.Option("--keep-good", help="Apply right rows even if others are wrong.")] = False,
    confirm_views: Annotated[
        str, typer.Option(help="What views gain, as the dry run said: public=120,partner=300.")
    ] = "",
    report: Annotated[
        Path | None, typer.Option(help="Write the report here: .json, or .csv or .xlsx as a copy of the sheet.")
    ] = None,
) -> None:
    """Check a file of rows by a mapping, then apply all of it; if a row is wrong nothing is applied."""
    numbers = confirmed(confirm_views)
    if report is not None and report.suffix not in (".json", ".csv", ".xlsx"):
        raise typer.BadParameter("must end with .json, .csv or .xlsx", param_hint="--report")
    if report is not None and not report.parent.is_dir():
        raise typer.BadParameter("is to lie in a folder that is not there", param_hint="--report")
    try:
        chosen = read(mapping)
        handed_in = File(file.name, file.stat().st_size, lambda: file.open("rb"))
        sheets = sources(handed_in, chosen)
    except (MappingError, Unreadable) as error:
        fail(f"{mapping if isinstance(error, MappingError) else file}: {error}")
    except OSError as error:
        fail(f"{file}: cannot be opened ({error.strerror})")

    def decide(foreseen: Foreseen) -> str:
        return "dry run" if dry_run else refusal(foreseen, numbers)

    collect_rarely()
    with Session() as session, Bar() as bar:
        load = Import(session.intake, session.settings.home, owner, chosen, bar, decide)
        found = load.bring(sheets, keep_good, AtOnce(session.settings, closed=False))
        unwritten = "" if report is None else _written(report, found, sheets)
    _tell(found, [one.name for one in sheets], dry_run)
    if unwritten:
        fail(unwritten)
    if found.count or (found.refused and not dry_run):
        raise typer.Exit(1)


def _written(report: Path, found: Found, sheets: list[Source]) -> str:
    """Write the report; return why that could not be done: what the import did is told all the same."""
    try:
        write_report(report, found, sheets)
    except OSError as error:
        return f"{report}: cannot be written ({error.strerror})"
    return ""


def refusal(foreseen: Foreseen, numbers: dict[str, int]) -> str:
    """Return why what was foreseen may not be applied with these numbers confirmed; empty: it may."""
    wanted = foreseen.to_confirm()
    if wanted == {name: n for name, n in numbers.items() if n}:
        return ""
    stated = ",".join(f"{name}={n}" for name, n in wanted.items())
    if not numbers:
        return f"views would gain records; if that is meant, run it again with --confirm-views {stated}"
    return f"the numbers confirmed are not those that views would gain: {stated or 'none gains anything'}"


def _tell(found: Found, names: list[str], dry_run: bool) -> None:
    shown = 0
    for lists, sort in ((found.problems, ""), (found.warnings, "warning: ")):
        for name, problems in zip(names, lists, strict=True):
            for one in problems:
                shown += 1
                if shown <= MOST_SHOWN:
                    where = ", ".join([name, *([f"row {one.row}"] if one.row else [])])
                    what = " ".join(part for part in (one.column or one.field, one.reason) if part)
                    near = f" (nearest: {one.nearest})" if one.nearest else ""
                    errors.print(f"{where}: {sort}{what}{near}", markup=False)
    if shown > MOST_SHOWN:
        errors.print(f"… and {shown - MOST_SHOWN} more: --report FILE has them.")
    if found.foreseen is not None:
        told = found.foreseen
        rows = _many(found.rows, "row")
        typer.echo(f"{rows}: {told.created} new, {told.revised} revised, {told.unchanged} unchanged records.")
        for name, n in told.gains.items():
            own = " (the owner's own view)" if name in told.own else ""
            typer.echo(f"View {name} would gain {_many(n, 'record') if n else 'none'}{own}.")
        if stated := ",".join(f"{name}={n}" for name, n in told.to_confirm().items()):
            typer.echo(f"To apply it: --confirm-views {stated}" if dry_run else f"Views gain: {stated}")
    done = found.report
    if done.applied:
        typer.echo(f"{done.created} created, {done.revised} revised, {done.unchanged} unchanged.")
    elif found.foreseen is None:
        typer.echo(f"Nothing was applied: {_many(found.count, 'problem')}.")
    else:
        refused = "this was a dry run" if dry_run else found.refused
        but = f"; {_many(found.count, 'problem')} would be left out" if found.count else ""
        typer.echo(f"Nothing was applied: {refused}{but}.")


def _many(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _name(name: str) -> str:
    return owner_name(name) if name else ""


def map_(
    file: Annotated[Path, typer.Argument(help="A file of rows; a ZIP or a workbook of one sheet too.")],
    kind: Annotated[str, typer.Option(help="The kind of record that a row is.")] = "incident",
    name: Annotated[str, typer.Option(help="The mapping's name: external ids belong to it.", callback=_name)] = "",
) -> None:
    """Draft a mapping from a file's columns, to be finished by hand; nothing is imported."""
    try:
        typer.echo(draft(File(file.name, file.stat().st_size, lambda: file.open("rb")), kind, name), nl=False)
    except Unreadable as error:
        fail(f"{file}: {error}")
    except OSError as error:
        fail(f"{file}: cannot be opened ({error.strerror})")
