"""The registry: the kinds of record that routes, import, export, statistics, OpenAPI and tests iterate over."""

from functools import cache
from typing import Any

import orjson

from app.catalogue import proofs_described as proofs
from app.catalogue import searching_described as searching
from app.catalogue import service_described as service
from app.catalogue.naming import named
from app.catalogue.openapi import Description
from app.core.deprecation import marked
from app.duplicates import described as duplicates
from app.exchange.hooks import described as hooks
from app.imports import described as imports
from app.ogc import described as ogc
from app.records import BY_NAME, BY_PATH, KINDS, Kind
from app.statistics import described as statistics
from app.writing.described import describe

__all__ = ["BY_NAME", "BY_PATH", "KINDS", "Kind", "openapi_bytes", "openapi_document", "openapi_text"]


@cache
def openapi_document() -> dict[str, Any]:
    """Return the description of the API (OpenAPI 3.1), made from the kinds and the filter vocabulary."""
    parts = (searching, statistics, ogc, proofs, service)
    read = Description().document([one.paths for one in parts], [tag for one in parts for tag in one.TAGS])
    return marked(named(duplicates.describe(hooks.describe(imports.describe(describe(read))))))


@cache
def openapi_bytes() -> bytes:
    """Return the description as it is served."""
    return orjson.dumps(openapi_document())


def openapi_text() -> str:
    """Return the description as it is committed: indented, in the order in which it is made."""
    return orjson.dumps(openapi_document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
