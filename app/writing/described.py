"""Writing as OpenAPI 3.1 describes it: what is sent and answered, every error, and a real record as the example."""

from functools import cache
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

from app.access.bodies import JSON
from app.catalogue.openapi import name_of, of_one
from app.core.bodies import MERGE_PATCH
from app.core.schema import MOMENT, OPEN, TEXT, Json, closed, listed, or_null
from app.disclosure.explain import DisclosureShown
from app.intake.builtin import FOLDER
from app.intake.world import PEOPLE
from app.records import KINDS, Kind
from app.writing.headers_described import HEADERS, PARAMETERS
from app.writing.recipients import STATES

_SENT = "Submitted"  # after the name of what a submitter fills in
_AT = "2026-11-24T10:31:26.123Z"
_OWNER = "example-ngo"
_COUNT: Json = {"type": "integer", "minimum": 0}
_TO: Json = {"type": "string", "enum": ["record", "name", "nothing"]}
_FAULT = closed({"pointer": TEXT | {"description": "Where in the record (RFC 6901)."}, "detail": TEXT})
_RECIPIENTS: Json = {
    "items": [
        {
            "recipient": "another-ngo",
            "view": "partner/research",
            "since": "2026-11-20T09:10:11.000Z",
            "last": "2026-11-22T17:02:40.000Z",
            "state": "acknowledged",
            "removed": _AT,
            "acknowledged": "2026-11-24T11:00:00.000Z",
        }
    ],
    "next": None,
    "total": 1,
}
_HEADERS: Json = {name: {"$ref": f"#/components/headers/{name}"} for name in ("ETag",)}
_ALWAYS = ("401", "403", "413", "415", "422", "429", "500", "503")
_SEEN = "Its ETag is what a change has to state. Nobody else is shown it, and no cache keeps it."
_OF_OTHERS = "One of others that you are shown is 403, one that you are not shown 404, as if there were none."


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameters(*names: str) -> list[Json]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


@cache
def sample(kind: str) -> Json | None:
    """Return a record of the built-in data as it was submitted: the shortest of its kind."""
    file = FOLDER / f"{kind}.json"
    found: list[Json] = orjson.loads(file.read_bytes()) if file.exists() else []
    shortest = min(found, key=lambda one: len(orjson.dumps(one)), default=None)
    return None if shortest is None else {"kind": kind, **shortest}


def _standing(kind: Kind) -> Json:
    """The members of a record as its owner is told of it."""
    objection = closed({"to": _TO, "reason": TEXT})
    return {
        "id": TEXT,
        "kind": {"type": "string", "const": kind.name},
        "owner": TEXT,
        "state": {"type": "string", "enum": ["live", "expired", "retracted", "withdrawn"]},
        "revision": _COUNT | {"description": "Counts what was submitted, from 1; other than the `revision` of a view."},
        "change": {
            "type": "string",
            "enum": [
                "submitted",
                "expired",
                "retracted",
                "withdrawn",
                "objected",
                "merged",
                "unmerged",
                "linked",
                "unlinked",
            ],
            "description": "What made this revision.",
        },
        "at": MOMENT | {"description": "When."},
        "reason": or_null(TEXT) | {"description": "Why it was taken back or withdrawn."},
        "objection": {"anyOf": [objection, {"type": "null"}], "description": "What the person objects to."},
        "merged_into": or_null(TEXT) | {"description": "The record that it was found to be, and was merged into."},
        "record": _ref(_sent(kind)),
    }


def _sent(kind: Kind) -> str:
    return f"{kind.model.__name__}{_SENT}"


def schemas() -> Json:
    """Return the schemas of all that is sent and answered here."""
    _, definitions = models_json_schema(
        [(kind.model, "validation") for kind in KINDS], ref_template="#/components/schemas/{model}" + _SENT
    )
    found: Json = {f"{name}{_SENT}": schema for name, schema in definitions["$defs"].items()}
    shown = DisclosureShown.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    found |= {**shown.pop("$defs"), "DisclosureShown": shown}
    outcome = {"type": "string", "enum": ["created", "revised", "unchanged", "merged", "unmerged"]}
    warnings = listed(_FAULT) | {"description": "What a person should look at again: texts that may say too much."}
    resting = listed(TEXT) | {"description": "After an objection: records with texts of their own that rest on it."}
    for kind in KINDS:
        name, standing = name_of(kind), _standing(kind)
        found[f"{name}Standing"] = closed(standing, description="A record of your own, as you submitted it.")
        written = {**standing, "outcome": outcome, "warnings": warnings}
        required = list(written)
        if kind.name in PEOPLE:
            written["resting"] = resting
        found[f"{name}Written"] = closed(written, required, description="A record of your own after a write.")
        found[f"{name}DryRun"] = closed(
            {
                "dry_run": {"type": "boolean", "const": True},
                "status": {"type": "integer", "description": "What the request would be answered with."},
                "outcome": {"type": "string", "enum": [*outcome["enum"], "retracted"]},
                "record": _ref(_sent(kind)),
                "warnings": warnings,
                "views": listed(_ref("ForViewShown")),
            },
            description="What would happen; nothing was written.",
        )
    reason = closed({"reason": TEXT | {"minLength": 1, "maxLength": 20_000, "description": "Kept sealed."}})
    to = _TO | {"description": "nothing: it is lifted."}
    members: Json = reason["properties"]
    found["Reason"] = reason
    found["Recipient"] = closed(
        {
            "recipient": TEXT | {"description": "An organisation, or `a mechanism`."},
            "view": or_null(TEXT) | {"description": "Null of a mechanism."},
            "since": TEXT | {"description": "When it first read it; of a mechanism the month."},
            "last": TEXT,
            "state": {
                "type": "string",
                "enum": list(STATES),
                "description": "shown: it is shown it now; asked: it is removed there; acknowledged: it says that it "
                "is gone; not-asked: its view has ended.",
            },
            "removed": or_null(MOMENT),
            "acknowledged": or_null(TEXT) | {"description": "When; of a mechanism the month."},
        },
        description="Who has read a record.",
    )
    found["RecipientList"] = closed({"items": listed(_ref("Recipient")), "next": {"type": "null"}, "total": _COUNT})
    into = TEXT | {"minLength": 1, "description": "The id of the survivor: of the same kind, and of your organisation."}
    found["Merger"] = closed({"into": into, **members}, description="Which record this one was found to be.")
    found["ObjectionMade"] = closed({"to": to, **members}, description="What a published person objects to.")
    found["MergePatch"] = OPEN | {
        "description": "The members to change, null for those to take out (RFC 7396); the others stay.",
    }
    return found


def _example(kind: Kind, more: Json | None = None) -> Json:
    """Return an example of an answer."""
    record = sample(kind.name)
    if record is None:
        return {}
    standing = {"id": record.get("id"), "kind": kind.name, "owner": _OWNER, "state": "live", "revision": 1}
    standing |= {
        "change": "submitted",
        "at": _AT,
        "reason": None,
        "objection": None,
        "merged_into": None,
        "record": record,
    }
    return {"example": {**standing, **(more or {})}}


def _answers(schema: str | list[str], example: Json, description: str, headers: Json) -> Json:
    one: Json = _ref(schema) if isinstance(schema, str) else {"anyOf": [_ref(name) for name in schema]}
    return {"description": description, "headers": headers, "content": {JSON: {"schema": one, **example}}}


def _operation(
    name: str, summary: str, doc: str, parameters: list[Json], answers: Json, more: tuple[str, ...], role: str
) -> Json:
    errors = {status: {"$ref": f"#/components/responses/{status}"} for status in sorted({*_ALWAYS, *more})}
    return {
        "operationId": name,
        "summary": summary,
        "description": doc,
        "parameters": parameters,
        "security": [{"bearer": []}, {"oauth": [role]}],
        "responses": {**answers, **errors},
    }


def paths() -> Json:
    """Return the operations of every address, those that are read under the same address left out."""
    return {path: operations for kind in KINDS for path, operations in _of(kind).items()}


def _body(media_type: str, schema: Json, example: Any) -> Json:
    content = {"schema": schema} | ({"example": example} if example is not None else {})
    return {"requestBody": {"required": True, "content": {media_type: content}}}


_LOCATION: Json = {**_HEADERS, "Location": {"$ref": "#/components/headers/Location"}}
_APPLIED: Json = {**_HEADERS, "Preference-Applied": {"$ref": "#/components/headers/PreferenceApplied"}}
_NO_BODY: Json = {"204": {"description": "Done; no body was wanted.", "headers": _APPLIED}}


def _of(kind: Kind) -> Json:
    base, name, words = f"/v1/{kind.path}", name_of(kind), kind.name.replace("-", " ")
    written, dry = f"{name}Written", f"{name}DryRun"
    made: Json = {"outcome": "created", "warnings": []}
    changed: Json = {"outcome": "revised", "warnings": []}
    sent = _body(JSON, _ref(_sent(kind)), sample(kind.name))
    here, patch = [of_one(kind)], _body(MERGE_PATCH, _ref("MergePatch"), {"note": {"en": "Read again."}})
    created = {"201": _answers(written, _example(kind, made), "It was not there, and is now.", _LOCATION)}
    revised = {"200": _answers([written, dry], _example(kind, changed), "As asked.", _HEADERS)}
    only_dry = {"200": _answers(dry, {}, "With `dry_run`: what would happen.", {})}
    drawn = " The service draws its id." if kind.opaque else " It states its id."
    operations: Json = {
        base: {
            "post": _operation(
                f"create{name}",
                f"Submit a {words}",
                f"It belongs to your organisation.{drawn} An id that is taken is 409.",
                _parameters("DryRun", "IdempotencyKey", "Prefer"),
                only_dry | created,
                ("409",),
                "contribute",
            )
            | sent
        },
        f"{base}/{{id}}": {
            "put": _operation(
                f"put{name}",
                f"Submit a {words} whole, or anew",
                "What you hold under this id is revised by this whole record; where nobody has one and ids of this "
                f"kind are readable, it is made. {_OF_OTHERS}",
                [*here, *_parameters("DryRun", "IfMatch", "IfNoneMatch", "Prefer")],
                revised | created | _NO_BODY,
                ("404", "412", "428"),
                "contribute",
            )
            | sent,
            "patch": _operation(
                f"change{name}",
                f"Change a {words}",
                f"A merge patch (RFC 7396) onto the record as you submitted it. {_OF_OTHERS}",
                [*here, *_parameters("DryRun", "IfMatch", "Prefer")],
                revised | _NO_BODY,
                ("404", "412", "428"),
                "contribute",
            )
            | patch,
            "delete": _operation(
                f"retract{name}",
                f"Take a {words} back",
                "It leaves every view, with what rests on it alone. The vault keeps it, sealed, and the reason. "
                f"{_OF_OTHERS}",
                [*here, *_parameters("DryRun", "Reason", "IfMatch", "Prefer")],
                only_dry | {"204": {"description": "It is taken back."}},
                ("404", "409", "412", "428"),
                "contribute",
            )
            | {"requestBody": {"content": {JSON: {"schema": _ref("Reason"), "example": {"reason": "Entered twice."}}}}},
        },
        f"{base}/{{id}}/submitted": {
            "get": _read(
                f"get{name}Submitted",
                f"A {words} as you submitted it",
                f"All of it, whatever views are shown. {_SEEN} {_OF_OTHERS}",
                here,
                _answers(f"{name}Standing", _example(kind), "As asked.", _HEADERS),
            )
        },
        f"{base}/{{id}}/disclosure": {
            "get": _read(
                f"get{name}Disclosure",
                f"What each view gets of a {words}",
                f"And which rule said so; for its owner alone. {_OF_OTHERS}",
                here,
                _answers("DisclosureShown", {}, "As asked.", _HEADERS),
            )
        },
    }
    operations[f"{base}/{{id}}/recipients"] = {
        "get": _read(
            f"list{name}Recipients",
            f"Who has a {words}",
            f"Organisations that read it, as the account knows; for its steward alone, whatever became of it. A "
            f"mechanism appears as one, by the month. {_OF_OTHERS}",
            here,
            _answers("RecipientList", {"example": _RECIPIENTS}, "As asked.", {}),
            cached=False,
        )
    }
    operations |= _merging(kind, base, name, words)
    if kind.name in PEOPLE:
        operations |= _ending(kind, base, name, words, _answers(written, {}, "Done, at once.", _HEADERS))
    return {
        path: {method: one | {"tags": [kind.title]} for method, one in these.items()}
        for path, these in operations.items()
    }


def _read(name: str, summary: str, doc: str, parameters: list[Json], answer: Json, cached: bool = True) -> Json:
    known: Json = {"304": {"$ref": "#/components/responses/not-modified"}} if cached else {}
    found = _operation(name, summary, doc, parameters, {"200": answer, **known}, ("404",), "steward")
    for status in ("413", "415"):
        del found["responses"][status]
    return found


def _merging(kind: Kind, base: str, name: str, words: str) -> Json:
    merged = {"outcome": "merged", "change": "merged", "merged_into": "the-other", "warnings": []}
    answer: Json = {"200": _answers([f"{name}Written", f"{name}DryRun"], _example(kind, merged), "As asked.", _HEADERS)}
    back = {"outcome": "unmerged", "change": "unmerged", "warnings": []}
    undone: Json = {"200": _answers(f"{name}Written", _example(kind, back), "As asked.", _HEADERS)}
    doc = (
        "Both stay in the vault. Whoever names this one is shown the survivor; where a view was shown this one and is "
        "shown the survivor, this address is answered with 308 and its change is `merged`, else it is gone. A view "
        "that might not be shown this one is not led from it either."
    )
    if kind.name == "testimony":
        doc = "Always 422: accounts are never merged. Two of one witness are tied by `same_witness`."
    of = [of_one(kind)]
    return {
        f"{base}/{{id}}/merge": {
            "post": _operation(
                f"merge{name}",
                f"Say that a {words} is another one",
                f"{doc} {_OF_OTHERS}",
                [*of, *_parameters("DryRun", "IfMatch", "IdempotencyKey", "Prefer")],
                answer | _NO_BODY,
                ("404", "409", "412", "428"),
                "steward",
            )
            | _body(JSON, _ref("Merger"), {"into": of[0]["example"], "reason": "Entered twice."}),
            "delete": _operation(
                f"unmerge{name}",
                f"Undo the merger of a {words}",
                f"It stands for itself again, and so does what names it. {_OF_OTHERS}",
                [*of, *_parameters("Reason", "IfMatch", "Prefer")],
                undone | _NO_BODY,
                ("404", "409", "412", "428"),
                "steward",
            )
            | {"requestBody": {"content": {JSON: {"schema": _ref("Reason"), "example": {"reason": "They are two."}}}}},
        }
    }


def _ending(kind: Kind, base: str, name: str, words: str, answer: Json) -> Json:
    at_once = [of_one(kind), *_parameters("IfMatchIfWanted", "Prefer")]
    return {
        f"{base}/{{id}}/withdrawal": {
            "post": _operation(
                f"withdraw{name}",
                f"End all use of a {words}",
                f"At once, in every view. It comes back only with a consent obtained since. {_OF_OTHERS}",
                at_once,
                {"200": answer, **_NO_BODY},
                ("404", "412"),
                "contribute",
            )
            | _body(JSON, _ref("Reason"), {"reason": "The witness asked."})
        },
        f"{base}/{{id}}/objection": {
            "post": _operation(
                f"objectTo{name}",
                f"Carry out an objection to a published {words}",
                f"The record or the name is hidden at once, in every view, whatever is submitted later. {_OF_OTHERS}",
                at_once,
                {"200": answer, **_NO_BODY},
                ("404", "409", "412"),
                "contribute",
            )
            | _body(JSON, _ref("ObjectionMade"), {"to": "name", "reason": "The person asked."})
        },
    }


def describe(document: Json) -> Json:
    """Add all of it to the description of what is read."""
    for path, operations in paths().items():
        document["paths"].setdefault(path, {}).update(operations)
    components = document["components"]
    components["schemas"] = dict(sorted((components["schemas"] | schemas()).items()))
    components["parameters"] |= PARAMETERS
    components["headers"] |= HEADERS
    return document
