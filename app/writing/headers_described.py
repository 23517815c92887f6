"""Headers and parameters of writing, as the description of the API has them."""

from app.core.schema import TEXT, Json

TAG = '"9f1f2a7c3c1b5d0e8a42b6cf"'

HEADERS: Json = {
    "Location": {"description": "The address of the record.", "schema": {"type": "string", "format": "uri-reference"}},
    "PreferenceApplied": {
        "description": "`return=minimal`, where no body was wanted (RFC 7240).",
        "schema": {"type": "string"},
    },
}


def _header(name: str, doc: str, example: str, required: bool = False) -> Json:
    found: Json = {"name": name, "in": "header", "description": doc, "schema": TEXT, "example": example}
    return found | ({"required": True} if required else {})


PARAMETERS: Json = {
    "IfMatch": _header(
        "If-Match", "The ETag of the record as submitted that you change (RFC 9110, 13.1.1). Without it 428.", TAG
    ),
    "IfMatchIfWanted": _header(
        "If-Match",
        "The ETag of the record as submitted, where it must not have changed since. It may be left out.",
        TAG,
    ),
    "IfNoneMatch": _header("If-None-Match", "`*`: the record must not be there yet.", "*"),
    "IdempotencyKey": _header(
        "Idempotency-Key",
        "A key of your own for this request, fresh for each. Sent again within 24 hours with the same request it is "
        "answered the same and done once; with another request it is 422.",
        "8e03978e-40d5-43e8-bc93-6894a57f9324",
    ),
    "Prefer": _header("Prefer", "`return=minimal`: no body, please (RFC 7240).", "return=minimal"),
    "DryRun": {
        "name": "dry_run",
        "in": "query",
        "description": "`true`: answer what would happen, with what each view would be shown, and write nothing.",
        "schema": {"type": "boolean"},
        "example": True,
    },
    "Reason": {
        "name": "reason",
        "in": "query",
        "description": "Why, where the request has no body. Proxies keep addresses: nothing confidential goes here.",
        "schema": TEXT,
        "example": "entered twice",
    },
}
