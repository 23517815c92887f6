"""The verbs `evidence duplicates …`: records that may be one, what is decided of them, and what was."""

import asyncio
from typing import Annotated, Any

import orjson
import typer
from sqlalchemy import Connection

from app.access.audit import Spool, Trails
from app.access.caller import PUBLIC, operator
from app.access.shipping import Shipper
from app.core.db import Database
from app.core.ids import k_of
from app.core.problems import Problem
from app.duplicates import deciding
from app.duplicates.deciding import DECISIONS, Said
from app.duplicates.handling import KINDS, shown, told
from app.duplicates.proposing import gather
from app.intake import retract
from app.records import BY_PATH
from app.session import Session, errors, fail, owner_name, view_of, words

verbs = typer.Typer(no_args_is_help=True, help="Say which records may be one, decide, and say what was decided.")
Owner = Annotated[str, typer.Option(help="The organisation that reviews, and holds at least one of the two.")]
View = Annotated[str, typer.Option(help="What is looked at: the number of a view, or as partner/research.")]


@verbs.command("list")
def duplicates_list(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")], owner: Owner, view: View
) -> None:
    """Say which records may be one, the surest first, a line of JSON each; the account says what was shown."""
    if kind not in KINDS:
        raise typer.BadParameter(f"must be one of {', '.join(KINDS)}", param_hint="kind")
    with Session() as session:
        number = view_of(session, view)
        retract.expire(session.writer)
        caller = operator(number, owner_name(owner))

        try:
            found = gather(session.database, owner, number, BY_PATH[kind].name).matched()
        except Problem as problem:
            fail(str(problem.detail))
        left = session.database.look(lambda connection: deciding.undecided(connection, caller, found.proposals))
        lines = [shown(kind, one) for one in told(left)]
        if number != PUBLIC:
            asyncio.run(_account(session, number, lines))
        for line in lines:
            typer.echo(orjson.dumps(line))


@verbs.command("decide")
def duplicates_decide(
    one: Annotated[str, typer.Argument(help="The id of a record; accepted, it is merged into the other one.")],
    other: Annotated[str, typer.Argument(help="The id of the other one.")],
    decision: Annotated[str, typer.Argument(help=f"One of {', '.join(DECISIONS)}.")],
    owner: Owner,
    view: View,
    reason: Annotated[str, typer.Option(help="Why. It is kept sealed.", callback=words)],
) -> None:
    """Say whether two records are one: what follows is done, and the decision is kept."""
    if decision not in DECISIONS:
        raise typer.BadParameter(f"must be one of {', '.join(DECISIONS)}", param_hint="decision")
    with Session() as session:
        caller = operator(view_of(session, view), owner_name(owner))
        said = Said((one, other), "accept" if decision == "accept" else "refuse", reason, None)
        retract.expire(session.writer)
        try:
            done = session.writer.transact(
                lambda connection, at, size: deciding.decide(connection, session.writer, at, size, caller, said)
            )
        except Problem as problem:
            fail("; ".join([fault.detail for fault in problem.errors] or [str(problem.detail)]))
        typer.echo(orjson.dumps(done))


@verbs.command("decisions")
def duplicates_decisions(owner: Owner) -> None:
    """Say what an organisation decided, the newest first, a line of JSON each."""
    with Session() as session:
        keys, before = session.writer.vault.keys, None
        while True:

            def page(connection: Connection, before: int | None = before) -> list[deciding.Kept]:
                return deciding.decided(connection, keys, owner_name(owner), before, 200)

            found = session.database.look(page)
            for one in found:
                typer.echo(orjson.dumps(one.shown))
            if len(found) < 200:
                break
            before = found[-1].at


async def _account(session: Session, view: int, found: list[dict[str, Any]]) -> None:
    """Take down what was shown, before it is."""
    spool = Spool(session.settings.home / "audit", session.settings.audit_fsync)
    database = Database.main(session.settings)  # its connections belong to one event loop
    try:
        scope = {"method": "REVIEW", "template": "/v1/duplicates"}
        trail = Trails(spool).begin(scope, operator(view), "")
        await trail.shown([k_of(id) for one in found for id in (one["record"], one["other"]) if id is not None])
        await trail.answered(200)
    finally:
        spool.close()
        await Shipper(database, spool, lambda error: errors.print(f"audit: {error}")).once()
        await database.close()
