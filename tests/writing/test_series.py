"""A random series of writes over HTTP leaves the same vault and the same views as the same series of loads."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import select

from app.catalogue.tables import ROW
from app.core.db import Database
from app.intake.checking import content_of
from app.intake.retract import retract
from app.intake.submit import Intake
from app.intake.write import Writer
from app.vault.tables import GONE, RECORD, REVISION
from tests.intake.house import a_testimony, consent
from tests.writing.conftest import Hand, another

SLUGS = ("one", "two")
CONSENTS: tuple[Any, ...] = (
    None,
    consent(public={}, partner={}, mechanism={}),
    consent(partner={"identity": "withheld", "date": "year"}),
    consent(mechanism={}),
)
ACTS = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(("post", "put", "patch", "delete")),
        strategies.sampled_from(SLUGS),
        strategies.integers(0, len(CONSENTS) - 1),
        strategies.sampled_from(("2001-03-04", "2012", None)),
    ),
    min_size=1,
    max_size=8,
)


def an_account(slug: str, chosen: int, date: str | None) -> dict[str, Any]:
    """Return a testimony with no id, as both ways are given it."""
    agreed = CONSENTS[chosen]
    content = a_testimony(slug=slug, date=date, **({} if agreed is None else {"consent": agreed}))
    del content["id"]
    return content


def left(database: Database, owner: str) -> tuple[list[Any], list[Any]]:
    """Return the revisions of an owner's records, and what every view is shown of them, but for moments and ids."""

    def looking(connection: Any) -> tuple[list[Any], list[Any]]:
        joined = RECORD.join(REVISION, REVISION.c.record == RECORD.c.id)
        own = select(RECORD.c.id, RECORD.c.state, REVISION.c.revision, REVISION.c.change).select_from(joined)
        revisions = connection.execute(own.where(RECORD.c.owner == owner)).all()
        rows = connection.execute(select(ROW.c.view, ROW.c.body).where(ROW.c.owner == owner)).all()
        shown = []
        for view, body in rows:
            record = orjson.loads(body)
            id, _, _ = record.pop("id"), record.pop("updated"), record.pop("owner")
            shown.append((view, id, record))
        return [tuple(one) for one in revisions], shown

    return database.look(looking)


def named(found: tuple[list[Any], list[Any]], names: dict[str, str]) -> Any:
    """Return what is left with slugs for ids: each owner has ids of its own."""
    revisions, shown = found
    return (
        sorted((names[id], *rest) for id, *rest in revisions),
        sorted(((names[id], view, orjson.dumps(record)) for view, id, record in shown)),
    )


def by_http(hand: Hand, act: str, slug: str, content: dict[str, Any], ids: dict[str, str]) -> bool:
    """Do one act over HTTP; tell whether anything was asked for that there is."""
    if act == "post":
        answer = hand.ask("POST", "/v1/testimonies", content)
        if answer.status_code == 201:
            ids[slug] = answer.json()["id"]
        return bool(answer.status_code == 201)
    if slug not in ids:
        return False
    here = f"/v1/testimonies/{ids[slug]}"
    body: dict[str, Any] = content if act != "delete" else {"reason": "x"}
    if act == "patch":  # of a consent all members are stated, so that the former one leaves nothing behind
        body = {**content, "consent": content.get("consent")}
        was = hand.ask("GET", f"{here}/submitted").json()["record"]["consent"] or {"audiences": {}}
        if body["consent"] is not None:
            gone = dict.fromkeys(was["audiences"].keys() - body["consent"]["audiences"].keys())
            body["consent"] = {**body["consent"], "audiences": {**gone, **body["consent"]["audiences"]}}
    answer = hand.ask(act.upper(), here, body, if_match=hand.tag(here))
    assert answer.status_code in (200, 204, 409), answer.text
    return bool(answer.status_code != 409)


def by_load(writer: Writer, owner: str, act: str, content: dict[str, Any]) -> str:
    """Do the same as the command does it; return the id."""
    intake = Intake(writer)
    draft = intake.draft(content_of(orjson.dumps(content)), owner)
    if act == "delete":
        retract(writer, draft.id, owner, "x")
    else:
        intake.submit([draft], owner)
    return draft.id


@pytest.fixture
def beside(house):
    """A writer of the same vault, as a command has it."""
    import asyncio

    database = Database.main(house.settings)
    writer = Writer.open(house.settings, database)
    yield writer
    asyncio.run(writer.vault.keys.close())
    asyncio.run(database.close())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_a_series_of_writes_leaves_what_the_same_series_of_loads_leaves(house, beside, acts):
    hand, loader = another(house), house.organisation()
    ids: dict[str, str] = {}
    names: dict[str, str] = {}
    for act, slug, chosen, date in acts:
        content = an_account(slug, chosen, date)
        if by_http(hand, act, slug, content, ids):
            names[by_load(beside, loader, act, content)] = slug
            names[ids[slug]] = slug
    assert named(left(house.database, hand.owner), names) == named(left(house.database, loader), names)
    for id in ids.values():
        state = hand.ask("GET", f"/v1/testimonies/{id}/submitted").json()["state"]
        assert (house.client.get(f"/v1/testimonies/{id}").status_code == 404) or state not in GONE
