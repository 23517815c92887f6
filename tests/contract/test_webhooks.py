"""Webhooks say nothing beyond the feed of their view: no mark of what is hidden, and no byte that follows from it."""

import itertools
from collections.abc import Callable
from functools import partial

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from app.access.keys import Keys, Wanted
from app.catalogue.cursor import Cursors
from app.core import crypto
from app.core.settings import Settings
from app.exchange.hooks import outbox
from app.exchange.hooks.messages import Messages
from app.exchange.hooks.outbox import DELIVERED, Outcome, Rules
from app.exchange.hooks.tables import WEBHOOK, WEBHOOK_MESSAGE
from tests.conftest import MASTER, settings_for
from tests.contract.garden import VIEWS, grow, sow
from tests.contract.test_canary import shown_once
from tests.contract.test_non_interference import rules
from tests.contract.twins import LEVELS, hidden_parts, make, steps
from tests.contract.vault import OpenVault, empty, open_vault
from tests.intake.house import ONE_ENGINE

NUMBERS = itertools.count()
BY, NOW, PATIENCE = "a-process", 1_800_000_000_000, Rules(1, 5)


def messages(vault: OpenVault, view: int) -> list[tuple[str, bytes]]:
    """Return every message, with its id, of a webhook that is told of a view from its beginning."""
    number, key = next(NUMBERS), bytes.fromhex(MASTER)
    keys, made = Keys(vault.database), Messages(key, Cursors(crypto.Tokens(key, "cursor")))
    keys.create_organisation(f"ngo-{number}", "A made-up organisation", [str(view)])
    credential, _ = keys.create(Wanted(f"ngo-{number}", "made up", views=[str(view)]))
    id = "whk-the-same"  # of twins, as is the master key
    row = {"id": id, "organisation": f"ngo-{number}", "credential": credential["id"], "view": view, "name": "made up"}
    row |= {"url": "https://hooks.example.org/", "kinds": "", "state": "active", "created": 0, "secret": b""}
    row |= {"failures": 0, "next_at": 0, "leased_until": 0, "position": 0}

    def work(connection: Connection) -> list[tuple[str, bytes]]:
        found = []
        connection.execute(WEBHOOK.delete())
        connection.execute(WEBHOOK_MESSAGE.delete())
        connection.execute(insert(WEBHOOK).values(row))
        one = outbox.claim(connection, id, BY, NOW, NOW + 1)
        while one is not None:
            found.append(made.of(one))
            assert outbox.settle(connection, one, Outcome(DELIVERED), BY, NOW, NOW + 1, PATIENCE)
            one = outbox.following(connection, id, BY, NOW, NOW + 1)
        return found

    return vault.database.write(work)


@ONE_ENGINE
def test_no_mark_of_what_is_hidden_is_in_any_message(engine, new_database, tmp_path):
    garden = grow()
    with open_vault(settings_for(new_database(engine), tmp_path)) as vault:
        sow(garden, vault.intake, vault.clock)
        for view in VIEWS:
            bodies = b"\n".join(body for _, body in messages(vault, view))
            told = {one["id"] for body in bodies.split(b"\n") for one in orjson.loads(body)["data"]["changes"]}
            assert told == vault.database.look(partial(shown_once, view))
            leaves = [garden.marks.leaves[number] for number, _ in garden.marks.found_in(bodies)]
            assert [leaf for leaf in leaves if leaf.path != ("id",)] == []
            assert {garden.records[leaf.record].id for leaf in leaves} <= told


@pytest.fixture(scope="module")
def twins(engine: str, new_database: Callable[[str], str], tmp_path_factory) -> tuple[Settings, Settings]:
    """Settings of two databases, made new for every example."""
    home = tmp_path_factory.mktemp("twins")
    return settings_for(new_database(engine), home), settings_for(new_database(engine), home)


@pytest.mark.prove
def test_what_is_hidden_changes_no_byte_of_a_message(twins, engine):
    @rules(3 if engine == "sqlite" else 1)
    @given(st.sampled_from(VIEWS[:3]), st.sampled_from(sorted(LEVELS)), hidden_parts(3, ties=True), hidden_parts())
    def alike(view, identity, one, other):
        found = []
        for settings, hidden in zip(twins, (one, other), strict=True):
            with open_vault(settings) as vault:
                empty(vault)
                make(vault, steps(view, identity, hidden))
                found.append(messages(vault, view))
        assert found[0] == found[1] != []

    alike()
