"""Worker processes without processes: the same work in a thread, so that a test need not wait for them to start."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from app.core.settings import Settings
from app.intake import bulk


@contextmanager
def workers(settings: Settings, make: Callable[[Settings], Any]) -> Iterator[Executor]:
    """Give a pool of one thread whose worker is made by `make`; takes the place of `bulk.workers`."""
    worker = make(settings)
    bulk._worker = worker
    with ThreadPoolExecutor(1) as pool:
        yield pool
    asyncio.run(worker._writer.vault.keys.close())
    asyncio.run(worker._writer.database.close())
