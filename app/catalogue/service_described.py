"""What the description of the API says of the service itself: its landing document, problems, health."""

from app.catalogue.described import SHARED
from app.catalogue.negotiate import JSON, bare
from app.catalogue.openapi import Description, ok, operation
from app.core.problems import TYPES
from app.core.schema import Json
from app.core.schema import closed as _closed

_TAG = "Service"
TAGS: list[Json] = [{"name": _TAG, "description": "Where everything is, and whether the service is well."}]
_REF = "#/components/schemas/"
_OK: Json = {"status": {"type": "string", "const": "ok"}}
_WELL: Json = {"$ref": _REF + "Well"}
_SERVERS: Json = {
    "type": "object",
    "description": "`used`, or why one is not: `behind`, `away` …",
    "additionalProperties": {"type": "string"},
}
SHARED["Ready"] = _closed(_OK | {"servers": _SERVERS}, ["status"], description="It can answer.")
_READY: Json = {"$ref": _REF + "Ready"}

# path -> operation, summary, description, schema, errors, whether it has an ETag
_SERVICE: dict[str, tuple[str, str, str, Json, tuple[str, ...], bool]] = {
    "/v1": (
        "getLanding",
        "Where everything is",
        "It links to all there is.",
        {"$ref": _REF + "Landing"},
        ("406", "422"),
        True,
    ),
    "/openapi.json": (
        "getDescription",
        "This description",
        "OpenAPI 3.1.",
        {"$ref": _REF + "Description"},
        ("406", "422"),
        True,
    ),
    "/problems": (
        "listProblemTypes",
        "All types of problem",
        "What each means, and how to mend it.",
        {"$ref": _REF + "ProblemPageList"},
        ("406", "422"),
        True,
    ),
    "/healthz": ("getHealth", "Does it run?", "It answers as long as it runs.", _WELL, ("406", "422"), False),
    "/readyz": (
        "getReadiness",
        "Can it answer?",
        "The database is reached and its schema is current. Where replicas of it are read, what state each is in.",
        _READY,
        ("406", "422", "503"),
        False,
    ),
}


def paths(_: Description) -> Json:
    """Return the paths of the service itself."""
    found: Json = {}
    for path, (name, summary, doc, schema, statuses, cached) in _SERVICE.items():
        well: Json = ok({bare(JSON): {"schema": schema}}) if cached else {"description": "It is well."}
        if not cached:
            well["content"] = {bare(JSON): {"schema": schema, "example": {"status": "ok"}}}
        found[path] = {"get": operation(name, summary, doc, [], well, statuses, cached) | {"tags": [_TAG]}}
    slug = {
        "name": "slug",
        "in": "path",
        "required": True,
        "description": "The last part of a problem's `type`.",
        "schema": {"type": "string", "enum": list(TYPES)},
        "example": "invalid-request",
    }
    found["/problems/{slug}"] = {
        "get": operation(
            "getProblemType",
            "One type of problem",
            "What it means, and how to mend it.",
            [slug],
            ok({bare(JSON): {"schema": {"$ref": _REF + "ProblemPage"}}}),
            ("404", "406", "422"),
        )
        | {"tags": [_TAG]}
    }
    return found
