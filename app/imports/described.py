"""Imports as OpenAPI 3.1 describes them: what is sent and answered, every error, and an example of each."""

from typing import Any

from pydantic.json_schema import models_json_schema

from app.access.asked import MOST_PAGE, PAGE
from app.access.bodies import JSON
from app.catalogue.negotiate import CSV, EVENTS, MEDIA_TYPES, XLSX, bare
from app.core.schema import MOMENT, TEXT, Json, closed, listed, or_null
from app.imports.asked import Confirmation, NewImport
from app.imports.keeping import AT_WORK, OVER, UNDECIDED
from app.imports.uploading import BASE, PARTIAL

TAG = "Imports"
TAGS = [{"name": TAG, "description": "Sheets of others, handed in as files, checked, confirmed and applied."}]
_ID = "imp-33fhnhyemnqtxtj950xaj2exh7"
_DIGEST = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
_COUNT: Json = {"type": "integer", "minimum": 0}
_MAYBE = or_null(_COUNT)
_STATES = [*dict.fromkeys((*UNDECIDED, *AT_WORK, *OVER))]
_DONE = {"created": 5, "revised": 0, "unchanged": 0}
_GAIN = {"view": "public", "records": 5, "own": False}
EXAMPLE: Json = {
    "id": _ID,
    "state": "ready",
    "reason": None,
    "made": "2026-11-24T13:51:29.210Z",
    "made_by": "crd-33fhnhyemnqtxtj950xaj2exh7",
    "changed": "2026-11-24T13:51:40.002Z",
    "kept_until": "2026-11-27T13:51:29.210Z",
    "file": {"name": "cases.csv", "size": 48213, "received": 48213, "digest": _DIGEST},
    "mapping": {"name": "our-cases", "version": 3},
    "keep_good": False,
    "progress": None,
    "rows": 3,
    "problems": 0,
    "warnings": 0,
    "foreseen": {**_DONE, "gains": [_GAIN]},
    "to_confirm": {"public": 5},
    "confirmed_by": None,
    "result": None,
    "links": {one: f"{BASE}/{_ID}{'' if one == 'self' else f'/{one}'}" for one in ("self", "events", "confirm")},
}
_ENTRY = {"severity": "error", "file": "cases.csv", "row": 3, "column": "Act", "field": None, "value": "Tortre"}
_ENTRY |= {"reason": "is no word of the table acts", "nearest": "Torture"}
_FOUND = {"rows": 3, "problems": 1, "foreseen": None, "applied": False, "refused": None}
REPORT: Json = {**_FOUND, "created": 0, "revised": 0, "unchanged": 0, "entries": [_ENTRY]}

_RECEIVED = {"received": 16384, "complete": False, "most": 2_048_000_000}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def schemas() -> Json:
    """Return the schemas of all that is sent and answered here."""
    _, definitions = models_json_schema(
        [(NewImport, "validation"), (Confirmation, "validation")], ref_template="#/components/schemas/{model}"
    )
    found: Json = definitions["$defs"]
    counts = {"created": _COUNT, "revised": _COUNT, "unchanged": _COUNT}
    gain = {"view": TEXT, "records": _COUNT, "own": {"type": "boolean", "description": "It is your own view."}}
    foreseen = closed({**counts, "gains": listed(closed(gain))})
    file = {"name": or_null(TEXT), "size": _MAYBE, "received": _COUNT, "digest": or_null(TEXT)}
    found["Import"] = closed(
        {
            "id": TEXT,
            "state": {"type": "string", "enum": _STATES, "description": "Where it stands: docs/imports.md."},
            "reason": or_null(TEXT) | {"description": "Why it ended, or waits again."},
            "made": MOMENT,
            "made_by": TEXT | {"description": "The credential."},
            "changed": MOMENT,
            "kept_until": or_null(MOMENT) | {"description": "When its file and report go; null: they are gone."},
            "file": closed(file),
            "mapping": {"anyOf": [closed({"name": TEXT, "version": _COUNT}), {"type": "null"}]},
            "keep_good": {"type": ["boolean", "null"]},
            "progress": {"anyOf": [closed({"phase": TEXT, "done": _COUNT, "total": _COUNT}), {"type": "null"}]},
            "rows": _MAYBE,
            "problems": _MAYBE,
            "warnings": _MAYBE,
            "foreseen": {"anyOf": [foreseen, {"type": "null"}], "description": "What applying it does."},
            "to_confirm": {
                "type": ["object", "null"],
                "additionalProperties": _COUNT,
                "description": "Send this back as `gains`: how many records views would show that they do not now.",
            },
            "confirmed_by": or_null(TEXT) | {"description": "The credential."},
            "result": {"anyOf": [closed(counts), {"type": "null"}], "description": "What it did."},
            "links": {"type": "object", "additionalProperties": TEXT, "description": "What can be done with it now."},
        },
        description="One import, as its organisation alone is told of it.",
    )
    found["ImportFile"] = closed(
        {"received": _COUNT, "complete": {"type": "boolean"}, "most": _COUNT}, description="Bytes of a file."
    )
    found["ImportList"] = closed({"items": listed(_ref("Import")), "next": or_null(TEXT | {"format": "uri"})})
    entry = {"severity": {"type": "string", "enum": ["error", "warning"]}, "file": TEXT}
    entry |= {"row": _MAYBE | {"description": "As a spreadsheet counts."}}
    entry |= {name: or_null(TEXT) for name in ("column", "field", "value")}
    entry |= {"reason": TEXT, "nearest": or_null(TEXT) | {"description": "The nearest value that could be."}}
    report = {"rows": _COUNT, "problems": _COUNT, "foreseen": {"anyOf": [foreseen, {"type": "null"}]}}
    report |= {"applied": {"type": "boolean"}, **counts, "refused": or_null(TEXT), "entries": listed(closed(entry))}
    found["ImportReport"] = closed(report, description="Every problem of an import; at most 50,000 are kept.")
    return found


def _header(name: str, doc: str, example: str, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "header",
        "description": doc,
        "required": required,
        "schema": TEXT,
        "example": example,
    }


_OFFSET: Json = {"description": "How many bytes of the file are there.", "schema": {"type": "integer"}}
_COMPLETE: Json = {"description": "`?1`: all of it is there.", "schema": TEXT}
_LIMIT: Json = {"description": "`max-size=…`: how many bytes a file may have.", "schema": TEXT}
HEADERS: Json = {
    "UploadOffset": _OFFSET,
    "UploadComplete": _COMPLETE,
    "UploadLimit": _LIMIT,
    "ImportLocation": {"description": "The address of the import.", "schema": {"type": "string"}},
}
_UPLOAD: Json = {
    "Upload-Offset": {"$ref": "#/components/headers/UploadOffset"},
    "Upload-Complete": {"$ref": "#/components/headers/UploadComplete"},
}
_LIMITED: Json = {"Upload-Limit": {"$ref": "#/components/headers/UploadLimit"}}
_ONE: Json = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The id of an import.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^/?#]+$"},
    "example": _ID,
}


def _operation(
    name: str, summary: str, doc: str, role: str, answers: Json, errors: tuple[str, ...], parameters: list[Json]
) -> Json:
    statuses = sorted({"401", "403", "422", "429", "500", "503", *errors})
    found: Json = {"operationId": name, "summary": summary, "description": doc, "tags": [TAG]}
    found["security"] = [{"bearer": []}, {"oauth": [role]}]
    if parameters:
        found["parameters"] = parameters
    refs = {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}
    return found | {"responses": answers | refs}


def _answer(description: str, schema: str, example: Any, headers: Json | None = None) -> Json:
    content = {JSON: {"schema": _ref(schema), "example": example}}
    return {"description": description, "headers": headers or {}, "content": content}


def _body(schema: str, example: Any) -> Json:
    return {"requestBody": {"required": True, "content": {JSON: {"schema": _ref(schema), "example": example}}}}


def _binary(description: str) -> Json:
    return {"schema": {"type": "string", "contentEncoding": "binary", "description": description}}


def paths() -> Json:
    """Return the operations of imports."""
    one, example = f"{BASE}/{{id}}", EXAMPLE
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_PAGE, "default": PAGE}
    asked: list[Json] = [
        {"name": "limit", "in": "query", "description": "How many.", "schema": limit, "example": 10},
        {"name": "cursor", "in": "query", "description": "From `next` of the page before.", "schema": TEXT},
    ]
    new = {"file": {"name": "cases.csv", "size": 48213}, "mapping": "acled"}
    gone, conflict = ("404",), ("404", "409", "413", "415")
    found: Json = {
        BASE: {
            "get": _operation(
                "listImports",
                "Your imports",
                "Those of your organisation, newest first; nobody else is told of them.",
                "contribute",
                {"200": _answer("As asked.", "ImportList", {"items": [example], "next": None})},
                (),
                asked,
            ),
            "post": _operation(
                "createImport",
                "Begin an import",
                "Says what will be handed in and by which mapping; then the file goes to `/file`. What it brings "
                "belongs to your organisation.",
                "contribute",
                {
                    "201": _answer(
                        "It waits for its file.",
                        "Import",
                        example | {"state": "waiting"},
                        _LIMITED | {"Location": {"$ref": "#/components/headers/ImportLocation"}},
                    )
                },
                ("409", "413", "415"),
                [{"$ref": "#/components/parameters/IdempotencyKey"}],
            )
            | _body("NewImport", new),
        },
        one: {
            "get": _operation(
                "getImport",
                "One import",
                "Its state, how far the work on it is, what was found, and what views would gain.",
                "contribute",
                {"200": _answer("As asked.", "Import", example)},
                gone,
                [_ONE],
            ),
            "delete": _operation(
                "abandonImport",
                "Abandon an import",
                "Before it is applied: nothing of it comes in. Afterwards: what is kept of it goes.",
                "contribute",
                {"204": {"description": "Nothing is kept of it."}},
                ("404", "409"),
                [_ONE],
            ),
        },
        f"{one}/confirm": {
            "post": _operation(
                "confirmImport",
                "Confirm what views gain, and have it applied",
                "The very numbers of `to_confirm`; others are 409. They are counted anew before it is applied: if they "
                "are others by then nothing is applied, and it is `ready` again with those.",
                "steward",
                {"202": _answer("It will be applied.", "Import", example | {"state": "confirmed"})},
                conflict,
                [_ONE],
            )
            | _body("Confirmation", {"gains": {"public": 5}})
        },
        f"{one}/report": {
            "get": _operation(
                "getImportReport",
                "Every problem and its row",
                "What stands in your cells is in it. Not there yet, or any more: 404.",
                "contribute",
                {"200": _answer("As asked.", "ImportReport", REPORT)},
                gone,
                [_ONE],
            )
        },
    }
    return found | _of_file(one) | _of_sheet(one) | _of_events(one)


def _of_file(one: str) -> Json:
    headers = [
        _header("Upload-Offset", "How many bytes are there already.", "0", required=True),
        _header("Upload-Complete", "`?1` with the last part, `?0` with one before it.", "?1", required=True),
        _header("Upload-Length", "How many bytes the whole file has.", "48213"),
        _header("Content-Digest", "The SHA-256 of this part (RFC 9530).", _DIGEST),
        _header("Repr-Digest", "The SHA-256 of the whole file (RFC 9530), with the last part.", _DIGEST),
    ]
    more = {"description": "It is there; go on from there.", "headers": _UPLOAD | _LIMITED}
    taken = _answer("The file is whole, and is being checked.", "Import", EXAMPLE | {"state": "received"}, _UPLOAD)
    append = _operation(
        "appendToImportFile",
        "Hand in a part of the file",
        "A part goes behind what is there (draft-ietf-httpbis-resumable-upload-12). What broke off stays: ask by HEAD "
        "how much is there, and go on. A part that begins elsewhere is 409, one with another digest 422.",
        "contribute",
        {"200": taken, "204": more},
        ("404", "409", "413", "415"),
        [_ONE, *headers],
    )
    content = {PARTIAL: {"schema": {"type": "string", "format": "binary", "description": "Bytes of the file."}}}
    return {
        f"{one}/file": {
            "get": _operation(
                "getImportFileOffset",
                "How much of the file is there",
                "HEAD says the same. The file itself is never given back.",
                "contribute",
                {"200": _answer("As asked.", "ImportFile", _RECEIVED, _UPLOAD | _LIMITED)},
                ("404",),
                [_ONE],
            ),
            "patch": append | {"requestBody": {"required": True, "content": content}},
        }
    }


def _of_sheet(one: str) -> Json:
    content = {
        bare(CSV): _binary("A last column says what is wrong. Cells are marked as in exports."),
        bare(XLSX): _binary("The same, of a workbook; all cells are text."),
    }
    return {
        f"{one}/sheet": {
            "get": _operation(
                "getImportSheet",
                "A copy of the sheet with what is wrong",
                "A workbook where one was handed in, else CSV. Where nothing is wrong there is none: 404.",
                "contribute",
                {"200": {"description": "As asked.", "headers": {}, "content": content}},
                ("404",),
                [_ONE],
            )
        }
    }


def _of_events(one: str) -> Json:
    content = {
        MEDIA_TYPES[EVENTS].partition(";")[0]: {"schema": {"type": "string", "description": "`data`: an Import"}}
    }
    return {
        f"{one}/events": {
            "get": _operation(
                "streamImport",
                "What becomes of an import, as it does",
                "Server-sent events (WHATWG HTML, section 9.2): the import whole whenever it changes, under the name "
                "of its state. It ends with the import.",
                "contribute",
                {"200": {"description": "As asked.", "headers": {}, "content": content}},
                ("404", "406"),
                [_ONE],
            )
        }
    }


def describe(document: Json) -> Json:
    """Add all of it to a description."""
    document["paths"] |= paths()
    document["tags"] = [*document["tags"], *TAGS]
    components = document["components"]
    components["schemas"] = dict(sorted((components["schemas"] | schemas()).items()))
    components["headers"] |= HEADERS
    return document
