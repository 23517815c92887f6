"""Non-interference: proposals follow from the rows of the reviewer's view alone, and name nothing that is not in it."""

from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.access.caller import operator
from app.duplicates.deciding import undecided
from app.duplicates.handling import shown, told
from app.duplicates.likeness import OF
from app.duplicates.proposing import gather
from app.records import BY_NAME
from tests.conftest import settings_for
from tests.contract.garden import VIEWS, grow, sow
from tests.contract.twins import LEVELS, hidden_parts, make, steps
from tests.contract.vault import empty, open_vault
from tests.often import often

OWNERS = ("us", "hidden-owner")


def answers(vault, view, owners):
    """Return all that every organisation would be proposed in a view."""

    found = []
    for owner in owners:
        for kind in OF:
            pairs = gather(vault.database, owner, view, kind).matched().proposals
            caller = operator(view, owner)
            left = vault.database.look(partial(undecided, caller=caller, proposals=pairs))
            found.append((owner, kind, [shown(BY_NAME[kind].path, one) for one in told(left)]))
    return found


@pytest.fixture(scope="module")
def homes(engine, new_database, tmp_path_factory):
    """Settings of a database that is made new for every example, and of one for the garden."""
    home = tmp_path_factory.mktemp("duplicates")
    return settings_for(new_database(engine), home), settings_for(new_database(engine), home)


def test_what_is_hidden_changes_no_proposal(homes, engine):
    @settings(
        max_examples=often(4 if engine == "sqlite" else 1),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(VIEWS), st.sampled_from(sorted(LEVELS)), hidden_parts(3, ties=True), hidden_parts(ties=True))
    def alike(view, identity, one, other):
        found = []
        for hidden in (one, other):
            with open_vault(homes[0]) as vault:
                empty(vault)
                make(vault, steps(view, identity, hidden))
                found.append(answers(vault, view, OWNERS))
        assert found[0] == found[1]

    alike()


def test_what_is_proposed_is_in_the_view(homes):
    garden = grow()
    owners = sorted({one.owner for one in garden.records.values()})
    with open_vault(homes[1]) as vault:
        sow(garden, vault.intake, vault.clock)
        for view in VIEWS:
            hidden = garden.hidden_from(view)
            for _, _, pairs in answers(vault, view, owners):
                named = {one[name] for one in pairs for name in ("record", "other")} - {None}
                assert named.isdisjoint(hidden)
