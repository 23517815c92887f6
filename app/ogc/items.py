"""Features: the list of a kind, and one record of it, in the envelope of the standard. The catalogue answers."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from app.access.caller import Caller
from app.catalogue import negotiate
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.asked import Asked
from app.catalogue.listing import PAGE, Listing, Page, Reader
from app.catalogue.record import Record
from app.core.db import Snapshot
from app.core.moments import iso
from app.ogc.asking import ROOT, Json, as_list, faults_as_the_standard_has_them, items_of, nothing, read
from app.records import Kind

GEOJSON = negotiate.MEDIA_TYPES[negotiate.GEOJSON]
JSON = negotiate.MEDIA_TYPES[negotiate.JSON]


def link(rel: str, href: str, media_type: str, title: str) -> Json:
    """Return a link as the standard has it (OGC 17-069r4, 7.6)."""
    return {"rel": rel, "href": href, "type": media_type, "title": title}


def feature(body: bytes) -> Json:
    """Return a record as a feature.

    Its days stand beside its date as plain days, which programs can compare. When it was `updated` does not: GDAL takes
    any moment for the one that `datetime` asks of, and would leave out whatever did not happen then.
    """
    record: Json = orjson.loads(body)
    geometry = record.pop("geometry", None)
    del record["updated"]
    date: Json = record.get("date") or {"start": [None], "end": [None]}
    days = {"first_day": date["start"][0], "last_day": date["end"][-1]}
    return {"type": "Feature", "id": record["id"], "geometry": geometry, "properties": record | days}


class Items(Listing):
    """The features of one kind."""

    def __init__(self, reader: Reader, kind: Kind) -> None:
        """Make the list."""
        super().__init__(reader, kind)
        self._offered = (negotiate.GEOJSON,)
        self._path = items_of(kind)

    async def answer(self, request: Request, caller: Caller, one: str = "") -> Answer:
        """Answer one request.

        Raises:
            Problem: whatever is wrong with it.
        """
        with faults_as_the_standard_has_them():
            return await super().answer(request, caller, one)

    def _asked(self, request: Request) -> Asked:
        return read(self._kind, request.scope["query_string"])

    async def _of(self, snapshot: Snapshot, run: Any) -> Sequence[Any] | None:
        """Read since when the view is shown what it is shown: the time of every answer made of it."""
        return await snapshot.one(self._reader.queries.about, {"view": run.view})

    def _items(self, run: Any, bodies: list[bytes]) -> bytes:
        return b",".join([orjson.dumps(feature(body)) for body in bodies])

    def _envelope(self, run: Any, page: Page, items: bytes, addresses: dict[str, str | None], tail: bytes) -> bytes:
        titles = {"self": "This page", "next": "The next page"}
        links = [link(rel, address, GEOJSON, titles[rel]) for rel, address in addresses.items() if address]
        if (same := as_list(run.asked)) is not None:
            address = f"{run.base}/v1/{self._kind.path}" + (f"?{same}" if same else "")
            links.append(link("alternate", address, JSON, "The same records, whole, in all their formats"))
        links.append(link("collection", f"{run.base}{ROOT}/{self._kind.path}", JSON, self._kind.title))
        told = {
            "numberReturned": min(len(page.rows or ()), run.asked.limit or PAGE),
            "numberMatched": page.plan.total if page.plan is not None else 0,
            "timeStamp": iso((page.of or (None, None, None, None))[3] or 0),
            "links": links,
        }
        head = b'{"type":"FeatureCollection","features":['
        return b"".join((head, items, b"],", orjson.dumps(told)[1:-1], tail))


class Item:
    """The features of one kind, one by one."""

    def __init__(self, reader: Reader, kind: Kind) -> None:
        """Make the address of a kind's features."""
        self._reader, self._kind, self._record = reader, kind, Record(reader, kind)

    async def answer(self, request: Request, caller: Caller, one: str) -> Answer:
        """Answer with one feature.

        Raises:
            Problem: not-found for what is hidden and for what is not there alike.
        """
        nothing(request.scope["query_string"])
        format = negotiate.chosen(None, request.accept, (negotiate.GEOJSON,))
        base = request.base(self._reader.public_url)
        now, tag, body = await self._record.read(request, caller, one)
        etag = f'"{hashlib.blake2b(f"{tag}|{base}".encode(), digest_size=12).hexdigest()}"'
        if request.has(etag):
            return unchanged(caller.view, now.fresh, request.had(etag))
        path = self._kind.path
        links = [
            link("self", f"{base}{items_of(self._kind)}/{one}", GEOJSON, "This feature"),
            link("alternate", f"{base}/v1/{path}/{one}", JSON, "The record, whole"),
            link("collection", f"{base}{ROOT}/{path}", JSON, self._kind.title),
        ]
        whole = orjson.dumps(feature(body) | {"links": links})
        header = f'<{base}/v1/{path}/{one}>; rel="canonical", <{base}{ROOT}/{path}>; rel="collection"'
        return found(caller.view, now.fresh, format, etag, whole, header, now.generation)
