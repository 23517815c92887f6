"""On how many examples a property is tried: `make prove` tries it on more."""

import os

TIMES = int(os.environ.get("PROVE", "1"))


def often(examples: int) -> int:
    """Return how many examples to try, of a property for which so many are usual."""
    return examples * TIMES
