"""Formats: ready bytes of records joined into an answer; they are read again only where a format has to look inside."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from app.catalogue import flat
from app.catalogue.negotiate import CSV, GEOJSON, JSON, MEDIA_TYPES, NDJSON
from app.records import Kind


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


def page(format: str, kind: Kind, fields: tuple[str, ...] | None, base: str, bodies: list[bytes]) -> bytes:
    """Return the part of an answer that is made of records."""
    if format in (JSON, NDJSON):
        if fields is not None:
            bodies = [projected(body, fields) for body in bodies]
        return b",".join(bodies) if format == JSON else b"".join([body + b"\n" for body in bodies])
    if format == GEOJSON:
        return b",".join([feature(body, fields) for body in bodies])
    return flat.header(kind, fields) + flat.lines(kind, fields, base, bodies)


def envelope(format: str, items: bytes, addresses: dict[str, str | None], tail: bytes) -> bytes:
    """Return a whole list; `tail` has its total and what is said of it. NDJSON and CSV have no envelope."""
    if format == JSON:
        return b"".join((b'{"items":[', items, b'],"next":', orjson.dumps(addresses["next"]), tail))
    if format == GEOJSON:
        media_type = MEDIA_TYPES[GEOJSON]
        links = [{"rel": rel, "href": address, "type": media_type} for rel, address in addresses.items() if address]
        head = b'{"type":"FeatureCollection","features":['
        return b"".join((head, items, b'],"links":', orjson.dumps(links), tail))
    return items


def pieces(format: str, kind: Kind, fields: tuple[str, ...] | None, base: str) -> Callable[[Iterable[bytes]], bytes]:
    """Return the function that renders one batch of a stream (NDJSON, or CSV without its header)."""
    if format == CSV:
        return lambda bodies: flat.lines(kind, fields, base, bodies)
    return lambda bodies: page(NDJSON, kind, fields, base, list(bodies))
