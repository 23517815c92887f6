"""OpenAPI 3.1: the description of what is read, made from the kinds, the relations and the filter vocabulary."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.access import described as access
from app.access.operations import paths as paths_of_access
from app.catalogue import changes, described, stream
from app.catalogue.changes_asked import PARAMETERS
from app.catalogue.landing import ABOUT, TITLE, VERSION
from app.catalogue.negotiate import CSV, GEOJSON, JSON, NDJSON, PARQUET, XLSX, bare
from app.catalogue.parameter import Parameter
from app.catalogue.parameters import format_of, vocabulary
from app.catalogue.problems_described import problem as problem_of
from app.catalogue.relations import Relation, relations
from app.core.problems import MEDIA_TYPE, TYPES
from app.records import BY_NAME, KINDS, Kind

Json = dict[str, Any]

_INTRODUCTION = """\
What is public needs no credential; everything else an API key or a token, by `Authorization: Bearer`. Every address
that answers `GET` answers `HEAD`, and every one `OPTIONS`. Every error is `application/problem+json` (RFC 9457); an
unknown parameter or value is refused with the nearest known one. Every answer has a strong `ETag`: send it back as
`If-None-Match` and an unchanged answer is 304. Lists go from page to page by `next`, however far; NDJSON, CSV,
XLSX and Parquet without `limit` give everything at once. Where requests are counted, `RateLimit` says how many more
are answered, and one too many is 429 with `Retry-After`. A date is uncertain until its source says otherwise: `match`
says how surely it has to fit, and `meta` states what dropped out.
"""
_STATUS = {
    "not-modified": "You have this form of it already.",
    "400": "A parameter has an error; each is explained.",
    "401": "The credential is missing, not known, or has ended; what is public needs none.",
    "403": "The credential lacks a right: the detail names it.",
    "404": "There is nothing under this address that you may see.",
    "406": "The header Accept takes none of the formats.",
    "409": "What is on record, or another request, stands against it.",
    "412": "The record is not in the form that you state.",
    "413": "The body is too large.",
    "414": "The query string is too long.",
    "415": "The body is not of the media type that is read.",
    "422": "A parameter has an error; each is explained.",
    "428": "The request does not say which form of the record it changes.",
    "429": "More requests came from you in a minute than are answered.",
    "500": "The service failed.",
    "503": "What you may see is being prepared, or something is just being taken out of sight.",
}
_SYNC = "Changes"


def name_of(kind: Kind) -> str:
    """Return a kind's name as a type: `WeaponsEvent`."""
    return pascal(kind.name)


def pascal(text: str) -> str:
    """Return words joined by hyphens as one: `WeaponsEvents`."""
    return "".join(word.capitalize() for word in re.split("[-_]", text))


class Description:
    """The description in the making: its paths, and the parameters and schemas that they share."""

    def __init__(self) -> None:
        """Begin with the schemas of all kinds."""
        self.parameters: dict[str, Json] = {}
        self.schemas = _models(kind.shown for kind in KINDS) | described.SHARED | access.SCHEMAS

    def document(
        self, more: "Sequence[Callable[[Description], Json]]" = (), tags_of_others: Sequence[Json] = ()
    ) -> Json:
        """Return the whole description; `more` are paths of what is built upon the catalogue."""
        paths: Json = {}
        for kind in KINDS:
            paths |= self._kind(kind)
        for (path, name), relation in relations().items():
            paths[f"/v1/{path}/{{id}}/{name}"] = self._relation(relation)
        for others in more:
            paths |= others(self)
        paths |= {changes.PATH: self._changes(), stream.PATH: self._stream()}
        paths |= paths_of_access()
        tags = [{"name": kind.title, "description": kind.about} for kind in KINDS]
        tags += [*tags_of_others, {"name": _SYNC, "description": "What has changed: for whoever keeps a copy."}]
        tags += access.TAGS
        return {
            "openapi": "3.1.0",
            "info": {
                "title": TITLE,
                "version": VERSION,
                "summary": ABOUT,
                "description": _INTRODUCTION,
                "license": {"name": "Apache-2.0 (the code), CC BY 4.0 (our data)", "identifier": _LICENCE},
            },
            "servers": [{"url": "/", "description": "This service."}],
            "security": access.READING,  # of whatever states nothing else
            "tags": tags,
            "paths": paths,
            "components": {
                "schemas": dict(sorted(self.schemas.items())),
                "parameters": {"Purpose": access.PURPOSE} | dict(sorted(self.parameters.items())),
                "securitySchemes": access.SCHEMES,
                "examples": _shared_examples(),
                "headers": described.HEADERS,
                "responses": {name: _problem(name) for name in _STATUS if name.isdigit()}
                | {"not-modified": {"description": _STATUS["not-modified"], "headers": described.CACHED}}
                | {"moved": described.MOVED},
            },
        }

    def _kind(self, kind: Kind) -> Json:
        base, name, plural = f"/v1/{kind.path}", name_of(kind), pascal(kind.path)
        self.schemas |= described.of_lists(name, self.schemas[_model(kind)], _model(kind))
        return {
            base: {
                "get": self._list(kind, f"list{plural}", f"List {kind.title.lower()}", kind.about, [])
                | {"tags": [kind.title]}
            },
            f"{base}/queryables": {
                "get": operation(
                    f"get{name}Queryables",
                    f"What can be asked of {kind.title.lower()}",
                    "JSON Schema of the parameters of the list, with the values that there are.",
                    [],
                    ok({bare(JSON): {"schema": {"$ref": "#/components/schemas/Queryables"}}}),
                    ("401", "406", "422", "503"),
                )
                | {"tags": [kind.title]}
            },
            f"{base}/{{id}}": {
                "get": self._one(kind, name) | {"tags": [kind.title]},
            },
            f"{base}/{{id}}/history": {
                "get": operation(
                    f"list{name}History",
                    f"The history of one {_words(kind)}",
                    "Every form of it that you were shown: when, and the SHA-256 digest of what was shown.",
                    [of_one(kind)],
                    ok({bare(JSON): described.history()}),
                    ("401", "404", "406", "422", "503"),
                    moves=kind.name != "testimony",
                )
                | {"tags": [kind.title]}
            },
        }

    def _one(self, kind: Kind, name: str) -> Json:
        formats = (JSON, GEOJSON) if kind.geometry else (JSON,)
        content: Json = {bare(JSON): {"schema": _ref(_model(kind)), "example": example(kind)}}
        if kind.geometry:
            content[bare(GEOJSON)] = {"schema": _ref("Feature"), "example": described.feature(example(kind))}
        parameters = [of_one(kind), self.parameter(kind, format_of(formats), "record")]
        return operation(
            f"get{name}",
            f"One {_words(kind)}",
            "The record as you may see it. A hidden id and an unknown one give the same 404.",
            parameters,
            ok(content),
            ("401", "404", "406", "414", "422", "503"),
            moves=kind.name != "testimony",
        )

    def _relation(self, relation: Relation) -> Json:
        of, to = BY_NAME[relation.of], BY_NAME[relation.to]
        title = f"{relation.name.replace('-', ' ').capitalize()} of one {_words(of)}"
        operation = self._list(
            to, f"list{name_of(of)}{pascal(relation.name)}", title, relation.doc, [of_one(of)], ("404",)
        )
        if of.name != "testimony":
            operation["responses"] |= described.MOVES
        return {"get": operation | {"tags": [of.title]}}

    def _changes(self) -> Json:
        """Return the change feed."""
        parameters: list[Json] = []
        for parameter in PARAMETERS.values():
            self.parameters[f"changes-{parameter.name}"] = _described(parameter)
            parameters.append({"$ref": f"#/components/parameters/changes-{parameter.name}"})
        content: Json = {
            bare(JSON): described.changes(),
            bare(NDJSON): {"schema": {"type": "string", "description": "One change a line; `next` is in `Link`."}},
        }
        told = operation(
            "listChanges",
            "What has changed",
            "Every change of what you are shown, in the order in which it was done, and never why: `created`, "
            "`updated`, `removed`, `merged` (its id leads to the one that `into` names). What is removed is told of "
            "for ever. A copy that follows `next` and takes over each record as it is now equals the source.",
            parameters,
            ok(content, paged=True),
            ("401", "406", "414", "422", "503"),
        )
        return {"get": told | {"tags": [_SYNC]}}

    def _stream(self) -> Json:
        """Return the change feed as events."""
        parameters: list[Json] = [{"$ref": f"#/components/parameters/changes-{name}"} for name in stream.KNOWN]
        parameters.append(described.LAST_EVENT_ID)
        answer: Json = {"description": "As it is done.", "headers": described.COUNTED, "content": described.events()}
        told = operation(
            "streamChanges",
            "What changes, as it is done",
            "Server-sent events (WHATWG HTML, section 9.2): `data` is a change as in the list, `id` the place after "
            "it. It goes on until you go away, your credential ends, or the service does; then begin anew after the "
            "last `id`, as a browser does by itself.",
            parameters,
            answer,
            ("401", "406", "414", "422", "429", "503"),
            cached=False,
        )
        return {"get": told | {"tags": [_SYNC]}}

    def _list(
        self, kind: Kind, name: str, summary: str, doc: str, first: list[Json], more: tuple[str, ...] = ()
    ) -> Json:
        parameters = first + [self.parameter(kind, one) for one in vocabulary(kind).values()]
        one = name_of(kind)
        content: Json = {
            bare(JSON): {"schema": _ref(f"{one}List"), "examples": _examples(f"{one}List")},
            bare(NDJSON): {"schema": {"type": "string", "description": "One record a line."}},
            bare(CSV): {"schema": {"type": "string", "description": _CSV}},
            bare(XLSX): {"schema": {"type": "string", "contentEncoding": "binary", "description": described.XLSX}},
            bare(PARQUET): {
                "schema": {"type": "string", "contentEncoding": "binary", "description": described.PARQUET}
            },
        }
        if kind.geometry:
            content[bare(GEOJSON)] = {"schema": _ref("FeatureCollection"), "examples": _examples(f"{one}Features")}
        return operation(
            name, summary, doc, parameters, ok(content, paged=True), ("401", *more, "406", "414", "422", "503")
        )

    def parameter(self, kind: Kind, parameter: Parameter, suffix: str = "") -> Json:
        """Return a reference to a parameter: one component serves all kinds for which it is the same."""
        described = _described(parameter)
        for key in (parameter.name, f"{kind.path}-{parameter.name}"):
            key += f"-{suffix}" if suffix else ""
            if self.parameters.setdefault(key, described) == described:
                return {"$ref": f"#/components/parameters/{key}"}
        raise AssertionError(f"{parameter.name} of {kind.name} is described twice")


_CSV = (
    "A header, then one record a line (RFC 4180), its address first. A text has a column for English, one for Korean "
    "and one for the rest; a date has its EDTF text and four days; words are joined by ';', any other list is JSON. "
    "A cell that a spreadsheet would take for a formula begins with an apostrophe, as does what stands after ';', TAB "
    "or an end of line in it: take one away at each of these places and the text is as it was."
)
_LICENCE = "Apache-2.0 AND CC-BY-4.0"


def _models(models: Iterable[type[BaseModel]]) -> Json:
    _, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    found: Json = definitions["$defs"]
    return found


def _model(kind: Kind) -> str:
    return kind.shown.__name__


def example(kind: Kind) -> Json:
    """Return a record of the built-in data, from the examples of the model's fields."""
    fields = {field.alias or name: field for name, field in kind.shown.model_fields.items()}
    return {name: field.examples[0] for name, field in fields.items() if field.examples}


def _described(parameter: Parameter) -> Json:
    schema: Json = dict(parameter.schema)
    if parameter.many:
        schema = {"type": "array", "items": schema, "minItems": 1}
    described: Json = {"name": parameter.name, "in": "query", "description": parameter.doc, "schema": schema}
    if parameter.many or parameter.commas:
        described |= {"style": "form", "explode": not parameter.commas}
    if parameter.example:
        described["example"] = _example(parameter)
    return described


def _example(parameter: Parameter) -> Any:
    if parameter.name == "bbox":
        return [float(piece) for piece in parameter.example.split(",")]
    if parameter.commas:
        return parameter.example.split(",")
    value = int(parameter.example) if parameter.schema.get("type") == "integer" else parameter.example
    return [value] if parameter.many else value


def of_one(kind: Kind) -> Json:
    """Return the parameter that is the id of one record."""
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": f"The id of one {_words(kind)}.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]{0,120}$"},
        "example": example(kind)["id"],
    }


def _words(kind: Kind) -> str:
    return kind.name.replace("-", " ")


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _examples(name: str) -> Json:
    return {"one": {"$ref": f"#/components/examples/{name}"}}


def _shared_examples() -> Json:
    found: Json = {}
    for kind in KINDS:
        name, record = name_of(kind), example(kind)
        about = f"The answer to /v1/{kind.path}?ids={record['id']}"
        found[f"{name}List"] = {"summary": about, "value": described.page(kind, record)}
        if kind.geometry:
            features = {"summary": f"{about}&format=geojson", "value": described.collection(kind, record)}
            found[f"{name}Features"] = features
    return found


def ok(content: Json, paged: bool = False) -> Json:
    """Return the answer of status 200."""
    more = {"Link": "Link", "Content-Disposition": "ContentDisposition", "Repr-Digest": "ReprDigest"} if paged else {}
    headers = described.CACHED | {name: {"$ref": f"#/components/headers/{ref}"} for name, ref in more.items()}
    return {"description": "As asked.", "headers": headers, "content": content}


def operation(
    name: str,
    summary: str,
    doc: str,
    parameters: list[Json],
    good: Json,
    statuses: tuple[str, ...],
    cached: bool = True,
    moves: bool = False,
) -> Json:
    """Return an operation, with every answer that it may give."""
    responses: Json = {"200": good}
    if cached:  # the two addresses that tell how the service is are not: they are not counted either
        responses["304"] = {"$ref": "#/components/responses/not-modified"}
        statuses = (*sorted({*statuses, "429"}),)
    responses |= {status: {"$ref": f"#/components/responses/{status}"} for status in (*statuses, "500")}
    if "401" in statuses:
        parameters = [*parameters, {"$ref": "#/components/parameters/Purpose"}]
        responses["403"] = {"$ref": "#/components/responses/403"}
    if moves:
        responses |= described.MOVES
    shown: Json = {"parameters": parameters} if parameters else {}
    if "401" not in statuses:
        shown["security"] = []  # alike for everybody
    return {"operationId": name, "summary": summary, "description": doc, **shown, "responses": responses}


def _problem(status: str) -> Json:
    slug = next(slug for slug, (number, _) in TYPES.items() if str(number) == status)
    problem = {"schema": _ref("Problem"), "example": problem_of(slug)}
    headers = described.OF_PROBLEMS.get(slug, {})
    return {"description": _STATUS[status], "content": {MEDIA_TYPE: problem}} | (
        {"headers": headers} if headers else {}
    )
