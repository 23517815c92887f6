"""The choice of an engine: nobody but this file and the two engines knows SQLite from PostgreSQL."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Union

from sqlalchemy.engine import make_url

from app.core.engine import Limits
from app.core.sqlite import SQLite

if TYPE_CHECKING:
    from app.core.postgresql import PostgreSQL


def engine_for(url: str, limits: Limits, replicas: Sequence[str] = ()) -> Union[SQLite, "PostgreSQL"]:
    """Return the engine of an address, and of those of its replicas."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SQLite(parsed, limits)
    from app.core.postgresql import PostgreSQL  # with a driver that nobody else needs

    return PostgreSQL(parsed, limits, [make_url(one) for one in replicas])
