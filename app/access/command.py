"""The verbs `evidence keys …` and `evidence audit …`: credentials, and the account of reads, for the operator."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from app.access.caller import ROLES
from app.access.keys import Keys, Wanted
from app.access.managing import shown_key, shown_organisation
from app.access.tokens import OVERLAP, Tokens
from app.access.verify import verify as verify_account
from app.core import crypto, migrations, moments
from app.core.db import Database
from app.core.settings import Settings
from app.records.base import WORD

keys = typer.Typer(no_args_is_help=True, help="Organisations and their credentials.")
audit = typer.Typer(no_args_is_help=True, help="The account of who has read what.")
Id = Annotated[str, typer.Argument(help="The id of the credential (crd-…).")]
Organisation = Annotated[str, typer.Argument(help="The id of the organisation.")]
Views = Annotated[list[str] | None, typer.Option("--view", help="A view, as partner/research; may be repeated.")]


@contextmanager
def _database() -> Iterator[tuple[Settings, Database]]:
    """Give the database of the settings, brought up to date."""
    settings = Settings.from_env()
    database = Database.main(settings)
    try:
        migrations.upgrade(database)
        yield settings, database
    finally:
        asyncio.run(database.close())


def _word(text: str) -> str:
    if not re.fullmatch(WORD, text):
        raise typer.BadParameter("must be lower-case letters, digits and hyphens, as in my-organisation")
    return text


def _moment(text: str | None) -> int | None:
    """Return a moment: `2027-11-24` (its beginning, UTC), or one with its zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("must be a day, as 2027-11-24, or a moment with its zone") from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


@keys.command()
def create_organisation(
    organisation: Annotated[str, typer.Argument(help="Its id: the owner of its records.", callback=_word)],
    name: Annotated[str, typer.Option(help="Its name, as people write it.")],
    view: Views = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="It runs this service: its admin manages every organisation.")
    ] = False,
) -> None:
    """Make an organisation, with the views that its credentials may be given."""
    with _database() as (_, database):
        row = Keys(database).create_organisation(organisation, name, view or [], operator)
    _tell_organisation(row)


@keys.command()
def organisations() -> None:
    """List the organisations."""
    with _database() as (_, database):
        for row in Keys(database).organisations():
            _tell_organisation(row)


@keys.command()
def change_views(organisation: Organisation, view: Views = None) -> None:
    """Say anew which views an organisation may have; its credentials lose the others at once."""
    with _database() as (_, database):
        row = Keys(database).change_views(organisation, view or [])
    _tell_organisation(row)


@keys.command()
def revoke_organisation(organisation: Organisation) -> None:
    """End every credential of an organisation at once, for good."""
    with _database() as (_, database):
        row = Keys(database).revoke_organisation(organisation)
    _tell_organisation(row)


@keys.command()
def create(
    organisation: Organisation,
    name: Annotated[str, typer.Option(help="Who uses it, and what for.")],
    role: Annotated[list[str] | None, typer.Option(help=f"Some of: {', '.join(ROLES)}; may be repeated.")] = None,
    view: Views = None,
    kind: Annotated[str, typer.Option(help="key; client (OAuth 2.0); subject (of the outside issuer).")] = "key",
    expires: Annotated[str | None, typer.Option(help="When it ends, as 2027-11-24.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Of a subject: its outside issuer.")] = None,
    subject: Annotated[str | None, typer.Option(help="Of a subject: its name there.")] = None,
) -> None:
    """Make a credential; its secret is shown now and never again."""
    wanted = Wanted(organisation, name, kind, role or ["read"], view or [], _moment(expires), issuer, subject)
    with _database() as (_, database):
        row, text = Keys(database).create(wanted)
    _tell(row)
    _tell_secret(text)


@keys.command("list")
def list_(
    organisation: Annotated[str | None, typer.Argument(help="Of this organisation alone.")] = None,
) -> None:
    """List credentials: of their secrets the prefixes alone."""
    with _database() as (_, database):
        for row in Keys(database).credentials(organisation):
            _tell(row)


@keys.command()
def rotate(
    credential: Id,
    overlap_hours: Annotated[int, typer.Option(help="How long the former secret still holds.")] = 24,
) -> None:
    """Give a credential a new secret; the former one holds for a while more."""
    with _database() as (_, database):
        row, text = Keys(database).rotate(credential, overlap_hours)
    _tell(row)
    _tell_secret(text)


@keys.command()
def revoke(credential: Id) -> None:
    """End a credential at once, its tokens too, for good."""
    with _database() as (_, database):
        row = Keys(database).revoke(credential)
    _tell(row)


@keys.command()
def rotate_signing_key(
    at_once: Annotated[bool, typer.Option("--at-once", help="Tokens signed by the former ones end now.")] = False,
) -> None:
    """Sign tokens with a new key; the former ones verify until their last token has ended."""
    with _database() as (settings, database):
        master = crypto.master_key(settings.master_key, settings.home)
        kid = Tokens(database, master, settings.public_url).rotate(moments.now(), 0 if at_once else OVERLAP)
    typer.echo(f"Tokens are signed with {kid} from now on.")


def _tell_organisation(row: dict[str, Any]) -> None:
    shown = shown_organisation(row)
    state = f"revoked {shown['revoked']}" if shown["revoked"] else "active"
    more = "  operator" if shown["operator"] else ""
    typer.echo(f"{shown['id']}  {shown['name']}  {', '.join(shown['views']) or 'no views'}  {state}{more}")


def _tell(row: dict[str, Any]) -> None:
    shown = shown_key(row)
    rights, views = ", ".join(shown["roles"]) or "no rights", ", ".join(shown["views"]) or "no views"
    state = f"revoked {shown['revoked']}" if shown["revoked"] else f"until {shown['expires'] or 'revoked'}"
    typer.echo(f"{shown['id']}  {shown['organisation']}  {shown['kind']}  {shown['name']}  {rights}  {views}  {state}")
    for one in shown["secrets"]:
        ends = f", ends {one['expires']}" if one["expires"] else ""
        typer.echo(f"  secret {one['prefix']}…, made {one['created']}{ends}")


def _tell_secret(text: str | None) -> None:
    if text is not None:
        typer.echo(f"\n{text}\n\nThis is shown now and never again: only its digest is kept.")


@audit.command()
def verify(
    expect: Annotated[
        str | None, typer.Option(help="Entries and head that an earlier verification stated, as 120:9f….")
    ] = None,
) -> None:
    """Verify that no line of the account was changed or taken out, in the database and in the spools."""
    with _database() as (settings, database):
        found = verify_account(database, settings.home / "audit", _expected(expect))
    for fault in found.faults:
        typer.echo(fault, err=True)
    state = f"{len(found.faults)} faults" if found.faults else "whole"
    typer.echo(f"{found.entries} entries in {found.chains} chains, {found.waiting} lines waiting in spools: {state}.")
    typer.echo(f"Head: {found.entries}:{found.head}")
    if found.faults:
        raise typer.Exit(1)


def _expected(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, head = text.partition(":")
    if not re.fullmatch("[0-9]{1,18}", number) or not re.fullmatch("[0-9a-f]{64}", head):
        raise typer.BadParameter("must be a number of entries, a colon, and a head")
    return int(number), head
