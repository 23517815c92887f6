"""Fixtures of the tests of intake."""

from collections.abc import Callable

import pytest

from tests.intake.deployment import Deployment


@pytest.fixture
def deploy(engine: str, new_database: Callable[[str], str], tmp_path):
    """A function that makes deployments, which are closed afterwards."""
    made: list[Deployment] = []

    def make() -> Deployment:
        made.append(Deployment(new_database(engine), tmp_path / f"home-{len(made)}"))
        return made[-1]

    yield make
    for one in made:
        one.close()
