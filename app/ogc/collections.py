"""The collections: which there are, what each is, and which parts of the standard hold. Alike for everybody."""

from collections.abc import Callable
from functools import partial

import orjson

from app.access.caller import Caller
from app.catalogue import negotiate
from app.catalogue.answer import Answer, Request
from app.catalogue.landing import Handler, document
from app.catalogue.listing import Reader
from app.ogc.asking import COLLECTIONS, ROOT, Json, items_of, nothing
from app.ogc.items import GEOJSON, JSON, Item, Items, link
from app.records import Kind

CONFORMANCE = "/v1/conformance"
SCHEMA = "application/schema+json"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
# Not `oas30`: the description of this API is OpenAPI 3.1, for which that part of the standard has no class.
CONFORMS_TO = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
_QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"


def collection(kind: Kind, base: str) -> Json:
    """Return what a collection is.

    It states no extent: that of what a caller is shown would have to be worked out from it, and any other is untrue.
    """
    here, listed = f"{base}{ROOT}/{kind.path}", f"{base}/v1/{kind.path}"
    return {
        "id": kind.path,
        "title": kind.title,
        "description": kind.about,
        "itemType": "feature",
        "crs": [CRS84],
        "links": [
            link("self", here, JSON, kind.title),
            link("items", f"{here}/items", GEOJSON, f"{kind.title} as features"),
            link("alternate", listed, JSON, f"{kind.title} as records"),
            link(_QUERYABLES, f"{listed}/queryables", SCHEMA, "What can be asked of them"),
        ],
    }


def collections(base: str) -> Json:
    """Return all collections."""
    return {
        "links": [link("self", f"{base}{ROOT}", JSON, "All collections")],
        "collections": [collection(kind, base) for kind in COLLECTIONS],
    }


def fixed(reader: Reader) -> dict[str, Handler]:
    """Return the handlers of what is alike for everybody."""

    def handler(content: Callable[[str], Json]) -> Handler:
        async def answer(request: Request, _: Caller, __: str) -> Answer:
            nothing(request.scope["query_string"])
            negotiate.chosen(None, request.accept, (negotiate.JSON,))
            return document(request, orjson.dumps(content(request.base(reader.public_url))))

        return answer

    found = {CONFORMANCE: handler(lambda _: {"conformsTo": list(CONFORMS_TO)}), ROOT: handler(collections)}
    return found | {f"{ROOT}/{kind.path}": handler(partial(collection, kind)) for kind in COLLECTIONS}


def viewed(reader: Reader) -> dict[str, Handler]:
    """Return the handlers of what depends on who asks."""
    return {items_of(kind): Items(reader, kind).answer for kind in COLLECTIONS}


def single(reader: Reader) -> dict[str, Handler]:
    """Return the handlers of one feature each, by the path above it."""
    return {items_of(kind): Item(reader, kind).answer for kind in COLLECTIONS}
