"""Schemas of the API's description that no kind has of its own: lists, features, problems, headers, with examples."""

import orjson

from app.catalogue.counts import meta_of_ids
from app.core.problems import TYPES
from app.core.schema import OPEN, Json
from app.core.schema import closed as _closed
from app.records import KINDS, Kind

_COUNT: Json = {"type": "integer", "minimum": 0}
_ADDRESS: Json = {"type": "string", "format": "uri"}
_REF = "#/components/schemas/"


def _counts(names: tuple[str, ...], description: str) -> Json:
    return _closed(dict.fromkeys(names, _COUNT), description=description)


_META = _closed(
    {
        "describes": {"type": "string", "description": "The question in words."},
        "undated": _COUNT
        | {"description": "How many fit all that is not about time, and have no date: they match no period."},
        "matched": _counts(
            ("possible", "certain", "within"),
            "How many fit all else and match under each `match`; where a period or a span is asked for.",
        ),
        "unlocated": _COUNT
        | {"description": "How many fit all else and name no place, or have no geometry; with `place` or `bbox`."},
        "boundary": _counts(
            ("before", "after", "straddling", "undetermined", "undated"),
            "On which side of the boundary each lies: they add up to `total`, or to what it is without `side`.",
        ),
        "facets": {
            "type": "object",
            "description": "The counts of each facet asked for.",
            "additionalProperties": {"$ref": _REF + "Facet"},
        },
        "scored": _COUNT
        | {"description": "How many were scored, with `sort=relevance`: the newest; all others follow, newest first."},
        "suggestions": {
            "type": "array",
            "description": "Where nothing is found: for each word of `q` that is in no record, those nearest to it.",
            "items": {"$ref": _REF + "Suggestion"},
        },
    },
    ["describes"],
    description="What is said of the whole list; a member is there where it applies.",
)
_FACET = _closed(
    {
        "values": {
            "type": "array",
            "items": _closed({"value": {"type": "string"}, "count": _COUNT}),
            "description": "The values that most records have, equals by name.",
        },
        "rest": _COUNT | {"description": "How many other values there are."},
        "undated": _COUNT | {"description": "Of `year` and `decade`: how many records have no date."},
    },
    ["values", "rest"],
    description="How many records have each value, the filter of the facet's own name aside. A record may have "
    "several: then it counts for each, and for all that they are a part of; a date for each year that it may touch.",
)
_SUGGESTION = _closed(
    {
        "word": {"type": "string", "description": "As it was asked for, without accents and capitals."},
        "nearest": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Words of records that you may see, the nearest first, equals by how many records have it.",
        },
    },
    description="What may have been meant by a word.",
)
_HIGHLIGHTS: Json = {
    "type": "array",
    "description": "The texts of a record that have any of the words.",
    "items": _closed(
        {
            "pointer": {
                "type": "string",
                "description": "Which text of the record, its language last (RFC 6901).",
                "examples": ["/title/en"],
            },
            "spans": {
                "type": "array",
                "description": "Where: the place of the first code point (Unicode scalar value) and of the one behind "
                "the last, from 0. Words that overlap are one span; of a text the first 200 are told.",
                "items": {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2},
            },
        }
    ),
}
_GEOMETRY: Json = {
    "description": "GeoJSON (RFC 7946), or null where it is not known.",
    "type": ["object", "null"],
    "properties": {
        "type": {"type": "string"},
        "coordinates": {"type": "array", "items": {}},
        "geometries": {"type": "array", "items": {}},
    },
    "required": ["type"],
}
_FEATURE = _closed(
    {
        "type": {"type": "string", "const": "Feature"},
        "id": {"type": "string"},
        "geometry": _GEOMETRY,
        "properties": OPEN | {"description": "The record, without its geometry."},
    },
    description="A record as a GeoJSON Feature.",
)
_LINK = _closed({"rel": {"type": "string"}, "href": _ADDRESS, "type": {"type": "string"}})

SHARED: Json = {
    "Meta": _META,
    "Facet": _FACET,
    "Suggestion": _SUGGESTION,
    "Highlights": _HIGHLIGHTS,
    "Feature": _FEATURE,
    "FeatureCollection": _closed(
        {
            "type": {"type": "string", "const": "FeatureCollection"},
            "features": {"type": "array", "items": {"$ref": _REF + "Feature"}},
            "links": {"type": "array", "items": _LINK, "description": "This page, and the next one if there is one."},
            "total": _COUNT,
            "meta": {"$ref": _REF + "Meta"},
        },
        description="A page of a list as GeoJSON.",
    ),
    "History": _closed(
        {
            "items": {
                "type": "array",
                "items": _closed(
                    {
                        "revision": _COUNT | {"description": "Counts the forms that you were shown, from 1."},
                        "at": {"type": "string", "format": "date-time"},
                        "change": {"type": "string", "enum": ["created", "updated", "removed", "merged"]},
                        "digest": {
                            "type": ["string", "null"],
                            "pattern": "^sha256:[0-9a-f]{64}$",
                            "description": "Of that form; null of a former one of a testimony, person or incident.",
                        },
                    }
                ),
            },
            "next": {"type": "null"},
            "total": _COUNT,
        },
        description="Every form of a record that you were shown, the first one first.",
    ),
    "RecordChange": _closed(
        {
            "id": {"type": "string"},
            "kind": {"type": "string", "enum": [kind.name for kind in KINDS]},
            "change": {"type": "string", "enum": ["created", "updated", "removed", "merged"]},
            "revision": _COUNT | {"description": "Of the form that you were shown then; of a removal: the last one."},
            "at": {"type": "string", "format": "date-time"},
            "digest": {
                "type": ["string", "null"],
                "pattern": "^sha256:[0-9a-f]{64}$",
                "description": "Of the form that you were shown then, as in its history; null if you no longer are "
                "shown the record, and of a former form of a testimony, a person or an incident.",
            },
            "url": _ADDRESS | {"description": "Where the record is, as long as you are shown it."},
            "into": {
                "type": "string",
                "description": "Of `merged` alone: the id of the record that this one was found to be. Its own id is "
                "answered with 308 from now on.",
            },
            "record": {
                "type": ["object", "null"],
                "additionalProperties": True,
                "description": "With `include=record`, but not of a removal: the record as you are shown it now.",
            },
        },
        ["id", "kind", "change", "revision", "at", "digest", "url"],
        description="One change of what you are shown.",
    ),
    "ChangeList": _closed(
        {
            "items": {"type": "array", "items": {"$ref": _REF + "RecordChange"}},
            "more": {
                "type": "boolean",
                "description": "Whether to ask `next` at once. A page may be short, even empty, and there is more.",
            },
            "next": _ADDRESS | {"description": "What comes after this page, now or whenever something has changed."},
        },
        description="Changes of what you are shown, in the order in which they were done.",
    ),
    "Queryables": {
        "type": "object",
        "description": "JSON Schema (2020-12) of the parameters of a list.",
        "properties": {"$schema": _ADDRESS, "$id": _ADDRESS, "properties": OPEN},
        "required": ["$schema", "$id", "properties"],
    },
    "Problem": _closed(
        {
            "type": {
                "type": "string",
                "enum": [f"/problems/{slug}" for slug in TYPES],
                "description": "Its page says how to mend it.",
            },
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong here."},
            "errors": {
                "type": "array",
                "description": "Each fault of the input.",
                "items": _closed(
                    {
                        "in": {"type": "string", "enum": ["query", "header", "path"]},
                        "name": {"type": "string"},
                        "pointer": {"type": "string", "description": "In a body: RFC 6901."},
                        "detail": {"type": "string"},
                    },
                    ["detail"],
                ),
            },
        },
        ["type", "title", "status", "detail"],
        description="An error (RFC 9457).",
    ),
    "ProblemPageList": _closed({"items": {"type": "array", "items": {"$ref": _REF + "ProblemPage"}}}),
    "Landing": OPEN | {"description": "Where everything is: kinds, examples, links."},
    "Description": OPEN | {"description": "An OpenAPI 3.1 document."},
    "Well": _closed({"status": {"type": "string", "const": "ok"}}, description="It is well."),
    "ProblemPage": _closed(
        {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "means": {"type": "string"},
            "mend": {"type": "string"},
        },
        description="A type of problem: what it means, and how to mend it.",
    ),
}


def of_lists(name: str, model: Json, model_name: str) -> Json:
    """Return the schemas of a kind's lists; with `fields` a record has some of its members only."""
    part = {**model, "required": ["id", "kind"], "title": f"{name}Part"}
    part["description"] = f"{model.get('description', '')} With `fields`, those members only."
    items = {"type": "array", "items": {"anyOf": [{"$ref": _REF + model_name}, {"$ref": f"{_REF}{name}Part"}]}}
    following = {"type": ["string", "null"], "format": "uri", "description": "The next page; null on the last one."}
    total = _COUNT | {"description": "How many there are on all pages together."}
    members = {"items": items, "next": following, "total": total, "meta": {"$ref": _REF + "Meta"}}
    marked = {
        "type": "object",
        "description": "With `highlights`: of each record of the page, by its id.",
        "additionalProperties": {"$ref": _REF + "Highlights"},
    }
    listed = _closed({**members, "highlights": marked}, list(members))
    return {f"{name}Part": part, f"{name}List": listed}


def page(kind: Kind, record: Json) -> Json:
    """Return the answer to the question for one record by its id."""
    return {"items": [record], "next": None, "total": 1, "meta": meta_of_ids(kind, record["id"])}


def feature(record: Json) -> Json:
    """Return a record as a feature."""
    properties = {name: value for name, value in record.items() if name != "geometry"}
    return {"type": "Feature", "id": record["id"], "geometry": record["geometry"], "properties": properties}


def collection(kind: Kind, record: Json) -> Json:
    """Return that answer as a feature collection."""
    listed = page(kind, record)
    address = f"https://evidence.example/v1/{kind.path}?ids={record['id']}&format=geojson"
    link = {"rel": "self", "href": address, "type": "application/geo+json"}
    rest = {"links": [link], "total": listed["total"], "meta": listed["meta"]}
    return {"type": "FeatureCollection", "features": [feature(record)], **rest}


def history() -> Json:
    """Return the content of a history."""
    one = {"revision": 1, "at": "2026-11-24T10:31:26.123Z", "change": "created", "digest": "sha256:" + "0b" * 32}
    return {"schema": {"$ref": _REF + "History"}, "example": {"items": [one], "next": None, "total": 1}}


def changes() -> Json:
    """Return the content of a page of the change feed."""
    address = "https://evidence.example/v1"
    one = {"id": "prov-north-hamgyong", "kind": "place", "change": "created", "revision": 1}
    one |= {"at": "2026-11-24T10:31:26.123Z", "digest": "sha256:" + "0b" * 32}
    one |= {"url": f"{address}/places/prov-north-hamgyong"}
    page = {"items": [one], "more": False, "next": f"{address}/changes?after=QAbc123"}
    return {"schema": {"$ref": _REF + "ChangeList"}, "example": page}


LAST_EVENT_ID: Json = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last `id` that came: it goes before `after`.",
    "schema": {"type": "string"},
}


def events() -> Json:
    """Return the content of the change feed as events."""
    one = changes()["example"]["items"][0]
    text = f"retry: 5000\n\nid: QAbc123\ndata: {orjson.dumps(one).decode()}\n\n:\n\n"
    return {"text/event-stream": {"schema": {"type": "string"}, "example": text}}


XLSX = (
    "A workbook: the columns of CSV, all text as text. A text longer than a cell goes on in the next row (`part`), "
    "rows beyond what a sheet holds in the next sheet; the sheet `about` says so, and what was asked."
)
PARQUET = (
    "The columns of CSV with types, the same for every question: days are dates, words are lists, other structure is "
    "JSON text. The metadata `evidence.*` says what was asked, in which view and generation."
)
MOVES: Json = {"308": {"$ref": "#/components/responses/moved"}}  # of an id that was merged

MOVED: Json = {
    "description": "The record was found to be another one, which you are shown: ask there. Only whoever was shown the "
    "one is told so; to all others it is 404.",
    "headers": {
        "Location": {
            "description": "The same address of the record that it was merged into.",
            "schema": {"type": "string", "format": "uri"},
        }
    },
    "content": {
        "application/json": {
            "schema": _closed({"id": {"type": "string"}, "into": {"type": "string"}}),
            "example": {"id": "camp-18-old", "into": "kwanliso-18"},
        }
    },
}
HEADERS: Json = {
    "ETag": {"description": "Stands for this very form (RFC 9110, 8.8.3).", "schema": {"type": "string"}},
    "CacheControl": {"description": "How long a cache may serve it.", "schema": {"type": "string"}},
    "Link": {"description": "This page, the next one, what can be asked (RFC 8288).", "schema": {"type": "string"}},
    "ContentDisposition": {"description": "The name of the file (RFC 6266).", "schema": {"type": "string"}},
    "ReprDigest": {
        "description": "The SHA-256 of all bytes (RFC 9530); of what is streamed it is a trailer field.",
        "schema": {"type": "string"},
        "example": "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
    },
    "RateLimit": {
        "description": "How many more requests (`r`) are answered within how many seconds (`t`), where they are "
        "counted: draft-ietf-httpapi-ratelimit-headers-11. In an answer from a cache it is somebody else's.",
        "schema": {"type": "string"},
        "example": '"public";r=2999;t=60',
    },
    "RateLimitPolicy": {
        "description": "How many requests (`q`) are answered in how many seconds (`w`), where they are counted.",
        "schema": {"type": "string"},
        "example": '"public";q=3000;w=60',
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "WWWAuthenticate": {
        "description": "What is wrong with the credential (RFC 6750, section 3).",
        "schema": {"type": "string"},
    },
}
COUNTED: Json = {
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
}
CACHED: Json = {
    "ETag": {"$ref": "#/components/headers/ETag"},
    "Cache-Control": {"$ref": "#/components/headers/CacheControl"},
    **COUNTED,
}
OF_PROBLEMS: Json = {
    "conflict": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    "too-many-requests": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}, **COUNTED},
    "unavailable": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    "unauthenticated": {"WWW-Authenticate": {"$ref": "#/components/headers/WWWAuthenticate"}},
    "forbidden": {"WWW-Authenticate": {"$ref": "#/components/headers/WWWAuthenticate"}},
}
