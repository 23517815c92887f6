"""The `evidence` command: serve, load, take back, erase, rebuild, and what keeps a deployment in order."""

import asyncio
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from sqlalchemy.exc import DBAPIError
from typer.core import TyperGroup
from typer.main import get_group

from app.access.keys import Unknown, Wrong
from app.core import migrations
from app.core.collector import collect_rarely
from app.core.crypto import SealError
from app.core.db import Database, DatabaseError
from app.core.settings import SettingError, Settings
from app.core.unusable import unusable
from app.disclosure.explain import ForViewShown
from app.intake import erase as erasing
from app.intake import retract as taking
from app.intake import views
from app.intake.builtin import load_builtin
from app.intake.bulk import Busy
from app.intake.explaining import disclosure
from app.intake.loading import Load, Report
from app.intake.much import AtOnce
from app.intake.objecting import To, Unobjectable, object_to
from app.intake.reading import Unreadable
from app.intake.rebuild import rebuild as rebuild_catalogue
from app.intake.restore import restore
from app.intake.submit import PUBLIC_RECORD, Refused
from app.intake.write import Closed
from app.session import Bar, Session, Why, errors, fail, owner_name, words

KEYLESS = (
    "If the main database is an older copy, erase again what was erased since (`evidence rebuild` names it); "
    "if the key store is, put the newer one back."
)
MOST_FAULTS = 100  # shown of one load; the count of all is shown too
# Verbs, and groups of verbs, that are imported when they are asked for: a load would hold 25 MB that it does not use.
ELSEWHERE = {
    "audit": ("app.access.command", "audit"),
    "duplicates": ("app.reviewing", "verbs"),
    "export": ("app.exporting", "export"),
    "import": ("app.importing", "import_"),
    "keys": ("app.access.command", "keys"),
    "log": ("app.verifying", "log"),
    "map": ("app.importing", "map_"),
    "verify": ("app.verifying", "verify"),
    "views": ("app.viewing", "verbs"),
}


class Verbs(TyperGroup):
    """The verbs of this file, and those that stand elsewhere."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the name of every verb."""
        return sorted({*self.commands, *ELSEWHERE})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a verb, imported now if it stands elsewhere; of an unknown one the nearest is then found among all."""
        if cmd_name not in self.commands:
            for verb in {cmd_name} & ELSEWHERE.keys() or ELSEWHERE:
                self.add_command(_from_elsewhere(verb), verb)
        return super().get_command(ctx, cmd_name)


def _from_elsewhere(name: str) -> Any:
    module, stands_as = ELSEWHERE[name]
    verb, alone = getattr(import_module(module), stands_as), typer.Typer(callback=lambda: None)
    if isinstance(verb, typer.Typer):
        alone.add_typer(verb, name=name)
    else:
        alone.command(name)(verb)
    return get_group(alone).commands[name]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"evidence {version('accountability-evidence')}")
        raise typer.Exit


_OBJECTED: dict[To, str] = {"record": "Hidden from every view.", "name": "Named to nobody.", "nothing": "Lifted."}
app = typer.Typer(cls=Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def main() -> None:
    """Run the command; what the operator can mend is said in one line."""
    try:
        app()
    except SealError as error:
        fail(f"{error}. {KEYLESS}")
    except (SettingError, DatabaseError, Busy, Closed, Unreadable, views.NoView) as error:
        fail(str(error))
    except Wrong as wrong:
        fail(f"{wrong.field}: {wrong}")
    except Unknown as unknown:
        fail(f"there is no '{unknown}'")
    except Refused:
        fail("somebody took back what these records name while they were loaded; load again")
    except (DBAPIError, OSError) as error:
        if (why := unusable(error)) is None:
            raise
        fail(why)


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")] = False,
) -> None:
    """Keep a system of record for evidence of human rights abuses."""


@app.command()
def serve() -> None:
    """Bring the database up to date, load the built-in record on the first run, and answer over HTTP."""
    from app.server import listenable, run  # the other verbs need no server

    listenable(Settings.from_env())
    with Session(serves=True) as session:
        settings = session.settings
        if settings.builtin:
            report = load_builtin(session.intake, settings.home)
            if report.faults:
                _tell(report)
            if report.created:
                errors.print(f"Loaded the built-in public record: {report.created} records.")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    shown = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    errors.print(f"Serving http://{shown}:{settings.port}/v1 (documentation: http://{shown}:{settings.port}/docs)")
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
    owner: Annotated[str, typer.Option(help="The organisation that holds the records.", callback=owner_name)],
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Apply what is right even if something is not.")
    ] = False,
    bulk: Annotated[bool, typer.Option("--bulk", help="Much faster; readers get 503 until it is done.")] = False,
) -> None:
    """Check every record of the files, then apply all of them; if one is wrong nothing is applied."""
    collect_rarely()
    with Session() as session, Bar() as bar:
        load_of_files = Load(session.intake, session.settings.home, owner, bar)
        report = load_of_files.run(files, keep_good, AtOnce(session.settings, bulk, session.writer.is_empty()))
    _tell(report)
    if report.faults:
        raise typer.Exit(1)


def _tell(report: Report) -> None:
    for faults, sort in ((report.faults, ""), (report.warnings, "warning: ")):
        for fault in faults[:MOST_FAULTS]:
            where = f"{fault.file}, line {fault.line}" if fault.line else fault.file
            what = f"{fault.field}: {fault.reason}" if fault.field else fault.reason
            errors.print(f"{where}: {sort}{what}", markup=False)
        if len(faults) > MOST_FAULTS:
            errors.print(f"… and {len(faults) - MOST_FAULTS} more.")
    if report.applied:
        typer.echo(f"{report.created} created, {report.revised} revised, {report.unchanged} unchanged.")
    else:
        typer.echo(f"Nothing was applied: {len(report.faults)} errors.")


@app.command()
def retract(
    record: Annotated[str, typer.Argument(help="The id of the record.")],
    reason: Why,
    owner: Annotated[str, typer.Option(help="The organisation that holds it.")] = PUBLIC_RECORD,
) -> None:
    """Take a record back from every view, with what rests on it alone."""
    with Session() as session:
        if not taking.retract(session.writer, record, owner, reason):
            fail("there is no such record of this owner, or it was taken back before")
        typer.echo("Retracted.")


@app.command("object")
def object_(
    record: Annotated[str, typer.Argument(help="The id of a published testimony or person.")],
    reason: Why,
    owner: Annotated[str, typer.Option(help="The organisation that holds it.")] = PUBLIC_RECORD,
    name_only: Annotated[bool, typer.Option("--name-only", help="Hide who it is, and all that might say so.")] = False,
    whole: Annotated[bool, typer.Option("--record", help="Hide the record.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="The person objects no more.")] = False,
) -> None:
    """Carry out the objection of a person to what was published of them, at once and in every view."""
    asked: dict[To, bool] = {"record": whole, "name": name_only, "nothing": lift}
    chosen = [to for to, one in asked.items() if one]
    if len(chosen) != 1:
        raise typer.BadParameter("say one of --name-only, --record and --lift")
    try:
        with Session() as session:
            done = object_to(session.writer, record, owner, chosen[0], reason)
    except Unobjectable as error:
        fail(str(error))
    if done is None:
        fail("there is no such record of this owner")
    typer.echo(_OBJECTED[chosen[0]] if done.changed else "Nothing changed: it was so before.")
    if done.resting and chosen[0] != "nothing":
        errors.print("These rest on it, and their own texts stay as they are. See whether one of them says who it is:")
        for id in done.resting:
            errors.print(f"  {id}", markup=False)


@app.command()
def explain(
    record: Annotated[str, typer.Argument(help="The id of the record.")],
    view: Annotated[str, typer.Option(help="One view: its number, or public, partner, mechanism.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON, the record as shown too.")] = False,
) -> None:
    """Say what each view gets of a record, and which rule said so; for the operator's eyes."""
    with Session() as session:
        found = disclosure(session.writer, record)
    if found is None:
        fail("there is no such record")
    views = [one for one in found.views if view in ("", str(one.view), one.audience)]
    if not views:
        known = ", ".join(f"{one.view} ({one.audience})" for one in found.views)
        raise typer.BadParameter(f"is none of the views in use: {known}", param_hint="--view")
    if as_json:
        typer.echo(found.model_copy(update={"views": views}).model_dump_json(indent=2))
        return
    typer.echo(f"{found.id}: {found.kind} of {found.owner}, {found.state}")
    for one in views:
        typer.echo("\n" + "\n".join(_explained(one)))


def _explained(one: ForViewShown) -> Iterator[str]:
    yield f"view {one.view}, {one.audience} for {one.purpose}: {'shown' if one.shown else 'not shown'}"
    if one.allowed is not None:
        levels = [f"{name} {level}" for name, level in one.allowed.model_dump().items() if level is not None]
        yield f"  at most: {', '.join(levels)}"
    for reason in one.reasons:
        where = ", ".join(part for part in (reason.about, reason.field, reason.record) if part)
        yield f"  {reason.rule}{f' ({where})' if where else ''}: {reason.words}"


@app.command()
def withdraw(
    record: Annotated[str, typer.Argument(help="The id of the record.")],
    owner: Annotated[str, typer.Option(help="The organisation that holds it.", callback=owner_name)],
    reason: Why,
) -> None:
    """End all use of a record: it leaves every view, stays sealed, and comes back with a new consent only."""
    with Session() as session:
        if not taking.withdraw(session.writer, record, owner, reason):
            fail("there is no such record of this owner, or it was withdrawn or erased before")
        typer.echo("Withdrawn.")


@app.command()
def erase(
    record: Annotated[str, typer.Argument(help="The id of the record.")],
    owner: Annotated[str, typer.Option(help="The organisation that holds it.", callback=owner_name)],
    reason: Annotated[
        str, typer.Option(help="Why; it stays, sealed: say nothing in it that has to go.", callback=words)
    ],
    sweep_later: Annotated[
        bool, typer.Option("--sweep-later", help="Leave the files for `evidence sweep`, as when several are erased.")
    ] = False,
) -> None:
    """Erase a record for good: its content, salt and key, and what the files keep of it. There is no way back."""
    with Session() as session:
        if not erasing.erase(session.writer, record, owner, reason):
            fail("there is no such record of this owner, or it was erased before")
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
    with Session() as session:
        left = erasing.sweep(session.writer, session.settings.home)
    _tell_left(left)


def _tell_left(left: list[str]) -> None:
    if not left:
        typer.echo("The files hold no trace of what was erased. Backups, and copies that others have, are not reached.")
        return
    errors.print("Not all is swept. What may still hold traces of what was erased:")
    for one in left:
        errors.print(f"- {one}", markup=False)
    errors.print("Mend what can be mended and run `evidence sweep` again.")
    raise typer.Exit(1)


@app.command()
def rebuild() -> None:
    """Make the catalogue anew from the vault; the result is the same to the byte."""
    collect_rarely()
    with Session() as session, Bar() as bar:
        done = rebuild_catalogue(session.writer, session.settings, bar)
    typer.echo(f"{done.rows} rows of {done.records} records made anew, {done.changed} of them shown differently.")
    for id in done.keyless:
        errors.print(f"{id} has no key, and is shown to nobody.", markup=False)
    if done.keyless:
        typer.echo(f"{len(done.keyless)} records have no key. {KEYLESS}")
        raise typer.Exit(1)


@app.command()
def openapi(
    since: Annotated[
        Path | None, typer.Option(help="Say what has changed since the description in this file, as Markdown instead.")
    ] = None,
) -> None:
    """Print the description of the API (OpenAPI 3.1), or its changes: it fails if one of them breaks a client."""
    from app.core.comparing import as_text, compare
    from app.registry import openapi_document, openapi_text

    if since is None:
        sys.stdout.write(openapi_text())
        return
    try:
        older = orjson.loads(since.read_bytes())
        found = compare(older, openapi_document())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise typer.BadParameter("is no description of this API", param_hint="--since") from None
    sys.stdout.write(as_text(found))
    if any(one.breaks for one in found):
        raise typer.Exit(1)
