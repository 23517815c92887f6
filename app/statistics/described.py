"""What the description of the API says of statistics."""

from typing import Any

from app.catalogue.negotiate import CSV, JSON, bare
from app.catalogue.openapi import Description, ok, operation
from app.core.schema import Json, closed
from app.records import BY_NAME
from app.statistics.counts import KINDS, parameters

_COUNT: Json = {"type": "integer", "minimum": 0}
_WORD: Json = {"type": ["string", "null"]}
_TAG = "Statistics"
TAGS = [{"name": _TAG, "description": "What is known, in numbers, each with what it leaves out."}]
_DOC = (
    "How many listed records have each value of one facet, or each pair of values of two. A record with several "
    "values counts for each, and for all that they are a part of, so the groups do not add up to `total`. An uncertain "
    "date counts for each year that it may touch; with none, for the year null. Incidents of scope pattern are left "
    "out unless `scope` asks for them. Records that may only be counted, and never listed, are not in it. The groups "
    "are in the order of their values. CSV has the groups alone."
)


def paths(description: Description) -> Json:
    """Return the paths of statistics; their parameters and schemas go to the description."""
    first, *others = [BY_NAME[name] for name in KINDS]
    facets = sorted(
        {name for kind in (first, *others) for name in parameters(kind)["group_by"].schema["items"]["enum"]}
    )
    description.schemas["Counts"] = closed(
        {
            "items": {
                "type": "array",
                "items": closed(
                    {**dict.fromkeys(facets, _WORD), "incidents": _COUNT, "testimonies": _COUNT},
                    [],
                    description="A group: its value of each facet asked for, and how many there are.",
                ),
            },
            "total": _COUNT | {"description": "How many records are counted, each once."},
            "meta": closed(
                {
                    "describes": {"type": "string", "description": "The question in words."},
                    "undated": _COUNT | {"description": "How many fit all that is not about time, and have no date."},
                    "left_out": closed(
                        {"pattern": _COUNT},
                        description="Incidents that fit all else, and were left out by their scope.",
                    ),
                },
                ["describes", "undated"],
            ),
        },
        description="Counts of listed records by facets.",
    )
    asked: dict[str, Any] = {}
    for kind in (first, *others):
        for name, parameter in parameters(kind).items():
            if name not in asked:
                shared = name not in ("kind", "group_by", "format")
                asked[name] = description.parameter(kind, parameter, "" if shared else "statistics")
    group_by = description.parameters["group_by-statistics"]
    group_by["schema"]["items"] = {"type": "string", "enum": facets}
    words = "Incidents with the violation torture or a part of it, of the scope event or situation"
    group = {"violation": "torture", "decade": "200X", "incidents": 20}
    meta = {"describes": words, "undated": 0, "left_out": {"pattern": 1}}
    example = {"items": [group], "total": 30, "meta": meta}
    content: Json = {
        bare(JSON): {"schema": {"$ref": "#/components/schemas/Counts"}, "example": example},
        bare(CSV): {"schema": {"type": "string", "description": "A header, then one group a line (RFC 4180)."}},
    }
    errors = ("401", "406", "414", "422", "503")
    told = operation("countRecords", "Counts by facets", _DOC, [*asked.values()], ok(content, paged=True), errors)
    return {"/v1/statistics/counts": {"get": told | {"tags": [_TAG]}}}
