"""Queryables: what can be asked of a kind, as JSON Schema, with the values that the caller's view knows."""

import hashlib
from typing import Any

import orjson

from app.access.caller import Caller
from app.catalogue import asked, negotiate, state
from app.catalogue.answer import Answer, Request, found, unchanged
from app.catalogue.listing import Reader
from app.catalogue.parameter import Parameter
from app.catalogue.parameters import vocabulary
from app.catalogue.resolve import Resolver
from app.catalogue.state import State
from app.core.db import Snapshot
from app.records import BY_NAME, Kind

MOST_VALUES = 300  # a longer list of ids is a list of records, not of choices


class Queryables:
    """The queryables of one kind."""

    def __init__(self, reader: Reader, kind: Kind) -> None:
        """Make the address of a kind's queryables."""
        self._reader = reader
        self._kind = kind

    async def answer(self, request: Request, caller: Caller, _: str) -> Answer:
        """Answer with the JSON Schema (2020-12) of an object whose members are the parameters."""
        asked.checked({}, request.scope["query_string"])
        negotiate.chosen(None, request.accept, (negotiate.JSON,))
        base, reader, view = request.base(self._reader.public_url), self._reader, caller.view

        async def reading(snapshot: Snapshot) -> tuple[State, dict[str, Any]]:
            now = await state.read(snapshot, reader.queries, view)
            resolver = Resolver(snapshot, reader.queries, view)
            return now, {one.name: await self._schema(one, resolver, base) for one in vocabulary(self._kind).values()}

        now, properties = await state.unexpired(lambda: reader.database.read(reading, heavy=True), reader.expire, view)
        document = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"{base}/v1/{self._kind.path}/queryables",
            "title": f"What can be asked of {self._kind.title.lower()}",
            "description": self._kind.about,
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
        body = orjson.dumps(document)
        etag = f'"{hashlib.blake2b(b"%d|" % view + body, digest_size=12).hexdigest()}"'
        if request.has(etag):
            return unchanged(view, now.fresh, request.had(etag))
        links = f'<{base}/v1/{self._kind.path}>; rel="describes"'
        return found(view, now.fresh, negotiate.JSON, etag, body, links, now.generation)

    async def _schema(self, parameter: Parameter, resolver: Resolver, base: str) -> dict[str, Any]:
        one = dict(parameter.schema)
        if parameter.open:
            one["enum"] = await resolver.words(self._kind.name, str(parameter.facet))
        elif parameter.targets:
            one["x-values"] = [f"{base}/v1/{BY_NAME[name].path}" for name in parameter.targets]
            if len(parameter.targets) == 1 and not BY_NAME[parameter.targets[0]].opaque:
                ids = await resolver.ids(parameter.targets[0], MOST_VALUES + 1)
                one |= {"enum": ids} if len(ids) <= MOST_VALUES else {}
        schema = {"type": "array", "items": one} if parameter.many else one
        return {"title": parameter.name, "description": parameter.doc, **schema, "x-role": parameter.role}
