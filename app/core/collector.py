"""When Python looks for cycles among what is no longer used: rarely, where much is made and let go of."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def collect_rarely() -> None:
    """Have the collector of cycles run rarely: records are trees, made and let go of by the thousand."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)


@contextmanager
def collected_later() -> Iterator[None]:
    """Have the collector wait: much is made in a transaction, and nearly all of it is let go of at its end."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
