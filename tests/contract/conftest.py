"""Fixtures of the contracts: the service in the same process, over the built-in record or over a vault of a test."""

from collections.abc import Callable, Iterator

import pytest

from app.core.settings import Settings
from tests.contract.asking import Service


@pytest.fixture(scope="session")
def built_in_of(public_record_in: Callable[[str], Settings]) -> Iterator[Callable[[str], Service]]:
    """A function from an engine's name to the service over the built-in record."""
    made: dict[str, Service] = {}

    def service(engine: str) -> Service:
        if engine not in made:
            made[engine] = Service(public_record_in(engine))
        return made[engine]

    yield service
    for one in made.values():
        one.close()


@pytest.fixture(scope="session")
def built_in(engine: str, built_in_of: Callable[[str], Service]) -> Service:
    """The service over the built-in record, on each engine."""
    return built_in_of(engine)
