"""The small catalogue of the tests of lists, asked for statistics."""

from tests.catalogue.conftest import client, partner, seeded

__all__ = ["client", "partner", "seeded"]
