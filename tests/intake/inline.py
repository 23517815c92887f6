"""Worker processes without processes: the same work in a thread, so that a test need not wait for them to start."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from app.core.db import SMALL, Database
from app.core.settings import Settings
from app.intake import bulk
from app.intake.write import Writer


@contextmanager
def workers(settings: Settings, make: Callable[[Writer], Any]) -> Iterator[Executor]:
    """Give a pool of one thread whose worker is made by `make`; takes the place of `bulk.workers`."""
    worker = make(Writer.open(settings, Database(settings.database_url, SMALL)))
    bulk._worker = worker
    with ThreadPoolExecutor(1) as pool:
        yield pool
    asyncio.run(worker._writer.vault.keys.close())
    asyncio.run(worker._writer.database.close())
