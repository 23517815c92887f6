"""Formats: ready bytes of records joined into a page; they are read again only where a format has to look inside."""

from typing import Any

import orjson

from app.catalogue.negotiate import GEOJSON, MEDIA_TYPES


def projected(body: bytes, fields: tuple[str, ...]) -> bytes:
    """Return a record with some of its members only."""
    record = orjson.loads(body)
    return orjson.dumps({name: record[name] for name in fields if name in record})


def feature(body: bytes, fields: tuple[str, ...] | None = None) -> bytes:
    """Return a record as a GeoJSON Feature (RFC 7946, section 3.2): its geometry apart, all else in `properties`."""
    record: dict[str, Any] = orjson.loads(body)
    geometry = record.pop("geometry", None)
    if fields is not None:
        record = {name: record[name] for name in fields if name in record}
    return orjson.dumps({"type": "Feature", "id": record["id"], "geometry": geometry, "properties": record})


def page(format: str, fields: tuple[str, ...] | None, bodies: list[bytes]) -> bytes:
    """Return the part of a page, as JSON or GeoJSON, that is made of records."""
    if format == GEOJSON:
        return b",".join([feature(body, fields) for body in bodies])
    if fields is not None:
        bodies = [projected(body, fields) for body in bodies]
    return b",".join(bodies)


def envelope(format: str, items: bytes, addresses: dict[str, str | None], tail: bytes) -> bytes:
    """Return a whole page; `tail` has its total and what is said of it."""
    if format == GEOJSON:
        media_type = MEDIA_TYPES[GEOJSON]
        links = [{"rel": rel, "href": address, "type": media_type} for rel, address in addresses.items() if address]
        head = b'{"type":"FeatureCollection","features":['
        return b"".join((head, items, b'],"links":', orjson.dumps(links), tail))
    return b"".join((b'{"items":[', items, b'],"next":', orjson.dumps(addresses["next"]), tail))
