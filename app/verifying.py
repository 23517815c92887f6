"""The verb `evidence verify`: proofs that were downloaded, checked with no service and no database."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.core.moments import iso
from app.custody import verify as proofs
from app.session import errors, fail


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
    typer.echo(f"Signed by {found.checkpoint.origin}: a log of {found.checkpoint.size} leaves.")
    for item in found.items:
        leaf = item.leaf
        typer.echo(f"Proved: form {leaf.revision} of {leaf.id}, {leaf.change} {iso(leaf.at)}, in view {leaf.view}.")
    if found.shown is not None:
        newest = "the newest" if found.shown is found.items[-1] else "not the newest"
        typer.echo(f"The record is form {found.shown.leaf.revision}, {newest} of them.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
