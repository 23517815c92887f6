"""Deprecation: which addresses and parameters are on their way out, declared here and told wherever they are met.

An answer tells of it by `Deprecation` (RFC 9745) and `Sunset` (RFC 8594), the description by `deprecated: true`.
"""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Deprecation:
    """One thing that should not be used any more.

    Attributes:
        method: in capital letters.
        template: the address as the description has it: `/v1/incidents/{id}`.
        since: from when on; with a zone.
        link: where it says what to use instead.
        sunset: when it is taken away, if that is known; with a zone, never before `since`.
        parameter: the name of the parameter of the query that it is; None: the whole operation.
    """

    method: str
    template: str
    since: datetime
    link: str
    sunset: datetime | None = None
    parameter: str | None = None

    def is_met(self, method: str, template: str, query: bytes) -> bool:
        """Tell whether a request uses it; HEAD is a GET without its body."""
        if (method.replace("HEAD", "GET"), template) != (self.method, self.template):
            return False
        names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
        return self.parameter is None or self.parameter in names


# Everything that is deprecated: docs/versions.md says how a line gets here, and when it goes.
DEPRECATED: tuple[Deprecation, ...] = ()


def headers(scope: Any) -> list[Header]:
    """Return what an answer has to tell of the request that it answers: of several things what was, and goes, first."""
    if not DEPRECATED:
        return []
    asked = scope.get("method", ""), scope.get("template", ""), scope.get("query_string", b"")
    met = [one for one in DEPRECATED if one.is_met(*asked)]
    if not met:
        return []
    found = [(b"deprecation", b"@%d" % int(min(one.since for one in met).timestamp()))]
    if ends := [one.sunset for one in met if one.sunset is not None]:
        found.append((b"sunset", format_datetime(min(ends).astimezone(UTC), usegmt=True).encode()))
    return found + [(b"link", f'<{one.link}>; rel="deprecation"; type="text/html"'.encode()) for one in met]


def marked(document: dict[str, Any]) -> dict[str, Any]:
    """Return a description with all of it marked.

    Raises:
        KeyError: there is no such operation or parameter.
    """
    for one in DEPRECATED:
        operation = document["paths"][one.template][one.method.lower()]
        told = f"Deprecated since {one.since:%Y-%m-%d}" + (f", gone on {one.sunset:%Y-%m-%d}" if one.sunset else "")
        marks = {"deprecated": True, "x-deprecation": f"{told}: {one.link}"}
        if one.parameter is None:
            operation |= marks
            continue
        parameters = [_whole(document, parameter) for parameter in operation["parameters"]]
        names = [parameter["name"] if parameter["in"] == "query" else None for parameter in parameters]
        if one.parameter not in names:
            raise KeyError(f"{one.method} {one.template} has no parameter {one.parameter}")
        at = names.index(one.parameter)
        operation["parameters"][at] = copy.deepcopy(parameters[at]) | marks
    return document


def _whole(document: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in parameter:
        return parameter
    found: dict[str, Any] = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return found
