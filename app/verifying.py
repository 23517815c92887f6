"""The verbs that verify: `evidence verify` what was downloaded, with no database; `evidence log verify` the vault."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.catalogue import served
from app.core.moments import iso
from app.custody import held
from app.custody import verify as proofs
from app.intake.checkpointing import signer_of
from app.session import Bar, Session, errors, fail

log = typer.Typer(no_args_is_help=True, help="The log of all that was ever put on record and shown.")


def verify(
    proof: Annotated[Path, typer.Argument(help="What a record's /proof, or /v1/log/consistency, answered.")],
    key: Annotated[str, typer.Option(help="The log's key, as /v1/log has it: keep it from when you trusted it.")],
    record: Annotated[Path | None, typer.Option(help="The record, byte by byte as it was served.")] = None,
) -> None:
    """Check a proof offline: that a record was shown so, or that nothing was changed between two checkpoints."""
    try:
        given = orjson.loads(_bytes(proof))
    except orjson.JSONDecodeError:
        fail(f"{proof}: this is not JSON")
    if not isinstance(given, dict):
        fail(f"{proof}: this is no proof")
    try:
        if "old" in given:
            if record is not None:
                raise typer.BadParameter("a proof of consistency is of no record", param_hint="--record")
            old, new = proofs.consistency(given, key)
            typer.echo(f"The log of {old.size} leaves begins the log of {new.size}: nothing in it was changed.")
            return
        found = proofs.record(given, key, _bytes(record) if record is not None else None)
    except proofs.Unproved as reason:
        errors.print(f"Not proved: {reason}.", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    point, leaf = found
    typer.echo(f"Signed by {point.origin}: a log of {point.size} leaves.")
    typer.echo(f"Proved: form {leaf.revision} of {leaf.id}, {leaf.change} {iso(leaf.at)}, in view {leaf.view}.")
    if record is not None:
        typer.echo(f"{record.name} is this form, byte by byte.")


@log.command("verify")
def verify_log() -> None:
    """Work the log out anew from what is on record, and hold it to each checkpoint, and what is served to it."""
    with Session() as session, Bar() as bar:
        vault = session.writer.vault
        found = held.check(vault, signer_of(vault.keys.master).key, bar)
        is_open = served.check(session.database, found, bar)
    told = f"{found.revisions} revisions, {found.forms} forms that views were shown, {found.filled} that fill up"
    typer.echo(f"{found.rows} rows of the catalogue." if is_open else "The catalogue is closed: it was not looked at.")
    typer.echo(f"{found.leaves} leaves: {told}. {found.checkpoints} checkpoints.")
    for fault in found.faults:
        errors.print(fault, markup=False)
    if found.wrong:
        typer.echo(f"{found.wrong} things do not hold.")
        raise typer.Exit(1)
    typer.echo("All of it holds.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
