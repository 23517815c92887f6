"""What the server says of a request while it is answered: that it is about to end."""

from collections.abc import MutableMapping
from typing import Any

_ENDING = "evidence.ending"


def end(scope: Any) -> None:
    """Say that the server ends: whoever answers slowly has to come to an end."""
    scope[_ENDING] = True


def is_ending(scope: MutableMapping[str, Any]) -> bool:
    """Tell whether the server that a request came by ends."""
    return _ENDING in scope
