"""The `evidence` command: serve, load, take back, erase, rebuild, and what keeps a deployment in order."""

import asyncio
import re
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.core import migrations
from app.core.db import Database, DatabaseError
from app.core.settings import SettingError, Settings
from app.intake import erase as erasing
from app.intake import retract as taking
from app.intake.builtin import load_builtin
from app.intake.bulk import Busy, collect_rarely
from app.intake.loading import Load, Report
from app.intake.much import AtOnce
from app.intake.reading import Unreadable
from app.intake.rebuild import complete
from app.intake.rebuild import rebuild as rebuild_catalogue
from app.intake.restore import restore
from app.intake.submit import PUBLIC_RECORD, Intake, Refused
from app.intake.write import Closed, Writer
from app.records.base import WORD

MOST_FAULTS = 100  # shown of one load; the count of all is shown too


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"evidence {version('accountability-evidence')}")
        raise typer.Exit


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command; what the operator can mend is said in one line."""
    try:
        app()
    except (SettingError, DatabaseError, Busy, Closed, Unreadable) as error:
        _fail(str(error))
    except Refused:
        _fail("somebody took back what these records name while they were loaded; load again")


def _fail(message: str) -> NoReturn:
    _errors.print(f"evidence: {message}", markup=False)
    raise SystemExit(2)


class _Session:
    """One use of the database by a command: opened, brought up to date, closed."""

    def __init__(self, serves: bool = False) -> None:
        self.serves = serves
        self.settings = Settings.from_env()
        self.database = Database.main(self.settings)

    def __enter__(self) -> "_Session":
        migrations.upgrade(self.database)
        self.writer = Writer.open(self.settings, self.database)
        self.intake = Intake(self.writer)
        if complete(self.writer, self.settings):
            _errors.print("A bulk load or rebuild was cut short: the catalogue was made anew.")
        if unswept := erasing.destroy_keys(self.writer):
            _errors.print(f"{unswept} erased records may have left traces in the files: `evidence sweep` removes them.")
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        try:
            if failure is None and not self.serves:  # a server goes on with it while it answers
                restore(self.writer)
        finally:
            asyncio.run(self.close())

    async def close(self) -> None:
        await self.writer.vault.keys.close()
        await self.database.close()


class _Bar:
    """A progress bar on the terminal, or nothing where there is none."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=_errors, transient=True)
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Callable[[str, int, int], None]:
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _show(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=total)
        self._bar.update(self._tasks[what], completed=done)  # type: ignore[arg-type]


def _owner(name: str) -> str:
    if not re.fullmatch(WORD, name):
        raise typer.BadParameter("must be lower-case letters, digits and hyphens, as in my-organisation")
    return name


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")] = False,
) -> None:
    """Keep a system of record for evidence of human rights abuses."""


@app.command()
def serve() -> None:
    """Bring the database up to date, load the built-in record on the first run, and answer over HTTP."""
    from app.server import run  # the other verbs need no server

    with _Session(serves=True) as session:
        settings = session.settings
        if settings.builtin:
            report = load_builtin(session.intake, settings.home)
            if report.faults:
                _tell(report)
            if report.created:
                _errors.print(f"Loaded the built-in public record: {report.created} records.")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    shown = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    _errors.print(f"Serving http://{shown}:{settings.port}/v1 (documentation: http://{shown}:{settings.port}/docs)")
    run(settings)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date, and do nothing else."""
    settings = Settings.from_env()
    database = Database.main(settings)
    migrations.upgrade(database)
    asyncio.run(database.close())
    typer.echo(f"The schema is at revision {migrations.head()}.")


@app.command()
def load(
    files: Annotated[list[Path], typer.Argument(help="JSON arrays (.json), or a record a line (.ndjson, .jsonl).")],
    owner: Annotated[str, typer.Option(help="The organisation that holds the records.", callback=_owner)],
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Apply what is right even if something is not.")
    ] = False,
    bulk: Annotated[bool, typer.Option("--bulk", help="Much faster; readers get 503 until it is done.")] = False,
) -> None:
    """Check every record of the files, then apply all of them; if one is wrong nothing is applied."""
    collect_rarely()
    with _Session() as session, _Bar() as bar:
        load_of_files = Load(session.intake, session.settings.home, owner, bar)
        report = load_of_files.run(files, keep_good, AtOnce(session.settings, closed=bulk))
    _tell(report)
    if report.faults:
        raise typer.Exit(1)


def _tell(report: Report) -> None:
    for fault in report.faults[:MOST_FAULTS]:
        where = f"{fault.file}, line {fault.line}" if fault.line else fault.file
        what = f"{fault.field}: {fault.reason}" if fault.field else fault.reason
        _errors.print(f"{where}: {what}", markup=False)
    if len(report.faults) > MOST_FAULTS:
        _errors.print(f"… and {len(report.faults) - MOST_FAULTS} more.")
    if report.applied:
        typer.echo(f"{report.created} created, {report.revised} revised, {report.unchanged} unchanged.")
    else:
        typer.echo(f"Nothing was applied: {len(report.faults)} errors.")


@app.command()
def retract(
    record: Annotated[str, typer.Argument(help="The id of the record.")],
    reason: Annotated[str, typer.Option(help="Why; kept sealed in the vault and shown to nobody.")],
    owner: Annotated[str, typer.Option(help="The organisation that holds it.")] = PUBLIC_RECORD,
) -> None:
    """Take a record back from every view, with what rests on it alone."""
    with _Session() as session:
        if not taking.retract(session.writer, record, owner, reason):
            _fail("there is no such record of this owner, or it was taken back before")
        typer.echo("Retracted.")


@app.command()
def withdraw(
    record: Annotated[str, typer.Argument(help="The id of the record.")],
    owner: Annotated[str, typer.Option(help="The organisation that holds it.", callback=_owner)],
    reason: Annotated[str, typer.Option(help="Why; kept sealed in the vault and shown to nobody.")],
) -> None:
    """End all use of a record: it leaves every view, stays sealed, and comes back with a new consent only."""
    with _Session() as session:
        if not taking.withdraw(session.writer, record, owner, reason):
            _fail("there is no such record of this owner, or it was withdrawn or erased before")
        typer.echo("Withdrawn.")


@app.command()
def erase(
    record: Annotated[str, typer.Argument(help="The id of the record.")],
    owner: Annotated[str, typer.Option(help="The organisation that holds it.", callback=_owner)],
    reason: Annotated[str, typer.Option(help="Why; it stays, sealed: say nothing in it that has to go.")],
    sweep_later: Annotated[
        bool, typer.Option("--sweep-later", help="Leave the files for `evidence sweep`, as when several are erased.")
    ] = False,
) -> None:
    """Erase a record for good: its content, salt and key, and what the files keep of it. There is no way back."""
    with _Session() as session:
        if not erasing.erase(session.writer, record, owner, reason):
            _fail("there is no such record of this owner, or it was erased before")
        typer.echo("Erased: no view shows it, and its content, salts and key are gone.")
        if sweep_later:
            typer.echo("The files may still hold traces: run `evidence sweep`.")
            return
        restore(session.writer)
        left = erasing.sweep(session.writer, session.settings.home)
    _tell_left(left)


@app.command()
def sweep() -> None:
    """Write the databases anew, so that their files keep no trace of what was erased."""
    with _Session() as session:
        left = erasing.sweep(session.writer, session.settings.home)
    _tell_left(left)


def _tell_left(left: list[str]) -> None:
    if not left:
        typer.echo("The files hold no trace of what was erased. Backups, and copies that others have, are not reached.")
        return
    _errors.print("Not all is swept. What may still hold traces of what was erased:")
    for one in left:
        _errors.print(f"- {one}", markup=False)
    _errors.print("Mend what can be mended and run `evidence sweep` again.")
    raise typer.Exit(1)


@app.command()
def rebuild() -> None:
    """Make the catalogue anew from the vault; the result is the same to the byte."""
    collect_rarely()
    with _Session() as session, _Bar() as bar:
        done = rebuild_catalogue(session.writer, session.settings, bar)
    typer.echo(f"{done.rows} rows of {done.records} records made anew, {done.changed} of them shown differently.")


@app.command()
def openapi() -> None:
    """Print the description of the API (OpenAPI 3.1)."""
    from app.registry import openapi_text

    sys.stdout.write(openapi_text())
