"""What the description of the API says of features."""

from typing import Any

import orjson

from app.catalogue import described
from app.catalogue.negotiate import GEOJSON, JSON, bare
from app.catalogue.openapi import Description, example, name_of, of_one, ok, operation, pascal
from app.core.schema import TEXT, Json, closed, listed, or_null
from app.ogc.asking import COLLECTIONS, ROOT, items_of, parameters
from app.ogc.collections import CONFORMANCE, CONFORMS_TO, collection
from app.ogc.items import feature
from app.records import Kind

_TAG = "Features"
TAGS = [
    {
        "name": _TAG,
        "description": "Kinds with a geometry as OGC API - Features, Part 1 (OGC 17-069r4), for QGIS, GDAL and others.",
    }
]
_BASE = "https://evidence.example"
_COUNT: Json = {"type": "integer", "minimum": 0}
_ADDRESS: Json = {"type": "string", "format": "uri"}
_ERRORS = ("400", "401", "406", "414", "503")
_ALIKE = ("400", "406")


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> Json:
    shared: Json = described.SHARED["Feature"]
    days = dict.fromkeys(("first_day", "last_day"), or_null({"type": "string", "format": "date"}))
    about = (
        "The record without its geometry, and without `updated`; the first day on which it may have begun and the last "
        "on which it may have ended, null where there is none."
    )
    properties: Json = {"type": "object", "description": about, "properties": days, "required": [*days]}
    feature: Json = shared["properties"] | {"properties": properties | {"additionalProperties": True}}
    links = listed(_ref("TitledLink"))
    return {
        "TitledLink": closed({"rel": TEXT, "href": _ADDRESS, "type": TEXT, "title": TEXT}),
        "Conformance": closed({"conformsTo": listed(_ADDRESS)}, description="Which parts of the standard hold."),
        "Collection": closed(
            {
                "id": TEXT,
                "title": TEXT,
                "description": TEXT,
                "itemType": {"type": "string", "const": "feature"},
                "crs": listed(_ADDRESS) | {"description": "In which coordinates: longitude and latitude (CRS84)."},
                "links": links,
            },
            description="Features of one kind.",
        ),
        "CollectionList": closed(
            {"links": links, "collections": listed(_ref("Collection"))}, description="All collections."
        ),
        "CollectionFeature": closed(
            feature | {"links": links}, description="A record as a feature of a collection, alone."
        ),
        "PlainFeature": closed(feature, description="A record as a feature of a collection."),
        "CollectionItems": closed(
            {
                "type": {"type": "string", "const": "FeatureCollection"},
                "features": listed(_ref("PlainFeature")),
                "numberReturned": _COUNT | {"description": "How many there are on this page."},
                "numberMatched": _COUNT | {"description": "How many there are on all pages together."},
                "timeStamp": {
                    "type": "string",
                    "format": "date-time",
                    "description": "Since when you are shown what you are shown: what it was made of.",
                },
                "links": links,
                "total": _COUNT | {"description": "As `numberMatched`."},
                "meta": _ref("Meta"),
            },
            description="A page of features.",
        ),
    }


def paths(description: Description) -> Json:
    """Return the paths of features; their parameters and schemas go to the description."""
    description.schemas |= _schemas()
    first = COLLECTIONS[0]
    every = {"links": [collection(first, _BASE)["links"][0]], "collections": [collection(first, _BASE)]}
    found: dict[str, Any] = {
        CONFORMANCE: _alike("getConformance", "Which parts of the standard hold", "OGC API - Features, Part 1.")(
            "Conformance", {"conformsTo": list(CONFORMS_TO)}
        ),
        ROOT: _alike("listCollections", "All collections", "One for each kind with a geometry.")(
            "CollectionList", every
        ),
    }
    for kind in COLLECTIONS:
        name, plural, words = name_of(kind), pascal(kind.path), kind.title.lower()
        found[f"{ROOT}/{kind.path}"] = _alike(f"get{plural}Collection", f"The collection of {words}", kind.about)(
            "Collection", collection(kind, _BASE)
        )
        found[items_of(kind)] = {"get": _items(description, kind, f"list{name}Features")}
        found[items_of(kind) + "/{id}"] = {"get": _item(kind, f"get{name}Feature")}
    return {path: {"get": these["get"] | {"tags": [_TAG]}} for path, these in found.items()}


def _alike(name: str, summary: str, doc: str) -> Any:
    def one(schema: str, shown: Json) -> Json:
        answer = ok({bare(JSON): {"schema": _ref(schema), "example": shown}})
        return {"get": operation(name, summary, doc, [], answer, _ALIKE)}

    return one


def _items(description: Description, kind: Kind, name: str) -> Json:
    asked = [
        description.parameter(kind, one, "features" if one.name in ("limit", "bbox", "datetime") else "")
        for one in parameters(kind).values()
    ]
    content = {bare(GEOJSON): {"schema": _ref("CollectionItems")}}
    doc = (
        f"{kind.about} All filters of the list of the kind may be asked too; an unknown parameter or value is 400, as "
        "the standard has it. `date` is uncertain: `datetime` finds what may have happened then."
    )
    told = operation(name, f"{kind.title} as features", doc, asked, ok(content, paged=True), _ERRORS)
    del told["responses"]["200"]["headers"]["Content-Disposition"], told["responses"]["200"]["headers"]["Repr-Digest"]
    return told


def _item(kind: Kind, name: str) -> Json:
    record = example(kind)
    link = {"rel": "self", "href": f"{_BASE}{items_of(kind)}/{record['id']}", "type": "application/geo+json"}
    shown = feature(orjson.dumps(record)) | {"links": [link | {"title": "This feature"}]}
    content = {bare(GEOJSON): {"schema": _ref("CollectionFeature"), "example": shown}}
    doc = "The record as you may see it, as a feature. A hidden id and an unknown one give the same 404."
    title = f"One of {kind.title.lower()} as a feature"
    return operation(name, title, doc, [of_one(kind)], ok(content), ("400", "401", "404", "406", "503"))
