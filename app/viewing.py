"""The verbs `evidence views …`: which views there are, a new one, one less."""

import re
from typing import Annotated, get_args

import typer

from app.intake import views
from app.intake.bulk import Busy
from app.records.base import AUDIENCE
from app.records.consent import Condition, Purpose
from app.session import Bar, Session, owner_name

verbs = typer.Typer(no_args_is_help=True, help="Say which views there are, make one, retire one.")


@verbs.command("list")
def views_list() -> None:
    """Say which views there are, or were, and how many records each is shown."""
    with Session() as session:
        for one in session.database.look(views.known):
            name = f"{one.audience}/{one.purpose}" + (f" of {one.owner}" if one.owner else "")
            more = f" ({', '.join(one.recipient)})" if one.recipient else ""
            typer.echo(f"{one.id:>2}  {one.state:<9}  {one.records:>9,}  {name}{more}")


@verbs.command("create")
def views_create(
    audience: Annotated[str, typer.Argument(help="public, partner, mechanism, or a body below: mechanism:ohchr.")] = "",
    purpose: Annotated[str, typer.Argument(help=f"One of {', '.join(get_args(Purpose))}.")] = "",
    recipient: Annotated[
        list[str] | None, typer.Option(help=f"What all its readers satisfy: {', '.join(get_args(Condition))}.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Make the view of this organisation's own records instead.")] = None,
) -> None:
    """Make a view and fill it. Until it is full whoever asks in it is told to wait; others notice nothing."""
    conditions = recipient or []
    if owner is not None:
        if audience or purpose or conditions:
            raise typer.BadParameter("with --owner there is no audience, purpose or recipient to state")
        audience, purpose = views.OWN
        owner_name(owner)
    elif not re.fullmatch(AUDIENCE, audience):
        raise typer.BadParameter(
            "must be public, partner, mechanism, or a body: mechanism:ohchr", param_hint="audience"
        )
    elif purpose not in get_args(Purpose):
        raise typer.BadParameter(f"must be one of {', '.join(get_args(Purpose))}", param_hint="purpose")
    if unknown := set(conditions) - set(get_args(Condition)):
        raise typer.BadParameter(f"knows no {', '.join(sorted(unknown))}", param_hint="recipient")
    with Session() as session, Bar() as bar:
        id = views.create(session.writer, audience, purpose, conditions, owner, session.settings.views)
        typer.echo(f"View {id} is made.")
        _prepare(session, bar)


@verbs.command("prepare")
def views_prepare() -> None:
    """Go on with filling views where that was cut short."""
    with Session() as session, Bar() as bar:
        _prepare(session, bar)


def _prepare(session: Session, bar: views.Progress) -> None:
    try:
        done = views.prepare(session.writer, session.settings.home, bar)
    except Busy:
        typer.echo("Another process, such as the service, is filling it: `evidence views list` says how far.")
        return
    for id in done:
        typer.echo(f"View {id} is complete, and may be asked.")


@verbs.command("retire")
def views_retire(view: Annotated[int, typer.Argument(help="The number of the view.")]) -> None:
    """Take a view out of use for good: nobody is answered from it any more. What it was shown stays on record."""
    with Session() as session:
        views.retire(session.writer, view)
    typer.echo(f"View {view} is retired.")
