"""What the description of access is made of (OpenAPI 3.1): security schemes, schemas, and examples of each."""

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.access.accounts import NewSeal
from app.access.caller import ROLES
from app.access.managing import ChangedOrganisation, NewKey, NewOrganisation, Rotation
from app.access.routes import TOKEN
from app.core.schema import MOMENT, OPEN, TEXT, Json, closed, listed, or_null

TAG, TAG_AUDIT = "Access", "Account"
TAGS = [
    {"name": TAG, "description": "Who one is: tokens, keys and organisations."},
    {"name": TAG_AUDIT, "description": "Who has read which records."},
]
READING: list[Json] = [{}, {"bearer": []}, {"oauth": ["read"]}]
SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`evk_…`), a token from `POST /v1/token`, or one of the outside issuer.",
    },
    "oauth": {
        "type": "oauth2",
        "description": "A token for a client (RFC 6749, section 4.4). Its rights are the scopes.",
        "flows": {"clientCredentials": {"tokenUrl": TOKEN, "scopes": ROLES}},
    },
    "client": {"type": "http", "scheme": "basic", "description": "The id and the secret of a client."},
}
PURPOSE: Json = {
    "name": "Purpose",
    "in": "header",
    "description": (
        "With a credential that may read for several purposes: for which one. /v1/me lists them. Without a credential "
        "it means nothing."
    ),
    "schema": TEXT,
    "example": "research",
}

KEY: Json = {
    "id": "crd-33fhnhyemnqtxtj950xaj2exh7",
    "organisation": "example-ngo",
    "kind": "key",
    "name": "Our map, on the web server",
    "roles": ["read"],
    "views": ["partner/research"],
    "created": "2026-11-24T13:51:29.210Z",
    "expires": "2027-11-24T00:00:00.000Z",
    "revoked": None,
    "issuer": None,
    "subject": None,
    "secrets": [{"prefix": "73ay550k3a", "created": "2026-11-24T13:51:29.210Z", "expires": None}],
}
SHOWN_ONCE: Json = KEY | {"secret": "evk_73ay550k3a_" + "0" * 52}
ORGANISATION: Json = {
    "id": "example-ngo",
    "name": "Example NGO",
    "operator": False,
    "views": ["partner/research"],
    "created": "2026-11-24T13:50:00.000Z",
    "revoked": None,
}
SEAL: Json = {
    "id": "sea-3axm1csk9b5fqsh2jg0nhqbp3n",
    "organisation": "a-mechanism",
    "since": "2026-11-24T13:50:00.000Z",
    "until": "2027-05-24T00:00:00.000Z",
}
READ: Json = {
    "record": "tst-68s4te5cxbccjaqbgqzy10b8jh",
    "kind": "testimony",
    "day": "2026-11-24",
    "reader": "example-ngo",
    "view": "partner/research",
    "first": "2026-11-24T13:52:11.000Z",
    "last": "2026-11-24T15:20:40.000Z",
    "times": 3,
}
MONTH: Json = {
    "record": "tst-68s4te5cxbccjaqbgqzy10b8jh",
    "kind": "testimony",
    "month": "2026-11",
    "reader": "a mechanism",
}
_ROLE: Json = {"type": "string", "enum": list(ROLES)}
_KEY_MEMBERS: Json = {
    "id": TEXT,
    "organisation": TEXT,
    "kind": {"type": "string", "enum": ["key", "client", "subject"]},
    "name": TEXT,
    "roles": listed(_ROLE),
    "views": listed(TEXT),
    "created": MOMENT,
    "expires": or_null(MOMENT),
    "revoked": or_null(MOMENT),
    "issuer": or_null(TEXT),
    "subject": or_null(TEXT),
    "secrets": listed(closed({"prefix": TEXT, "created": MOMENT, "expires": or_null(MOMENT)})),
}
_SECRET: Json = {"type": ["string", "null"], "description": "Shown now and never again. A subject has none."}
_MAY = closed({"role": _ROLE, "to": TEXT})
_COUNT: Json = {"type": "integer", "minimum": 0}


def list_of(name: str) -> Json:
    """Return the schema of a whole list of something."""
    return closed({"items": listed(ref(name)), "next": {"type": "null"}, "total": _COUNT})


def ref(name: str) -> Json:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def models(*those: type[BaseModel]) -> Json:
    """Return the schemas of bodies that are sent."""
    _, found = models_json_schema(
        [(model, "validation") for model in those], ref_template="#/components/schemas/{model}"
    )
    definitions: Json = found["$defs"]
    return definitions


SCHEMAS: Json = models(NewKey, Rotation, NewOrganisation, ChangedOrganisation, NewSeal) | {
    "Key": closed(_KEY_MEMBERS, description="A credential; of its secrets the prefixes alone."),
    "KeyWithSecret": closed({**_KEY_MEMBERS, "secret": _SECRET}, description="A credential with a fresh secret."),
    "KeyList": list_of("Key"),
    "Organisation": closed(
        {
            "id": TEXT | {"description": "The `owner` of the records that it holds."},
            "name": TEXT,
            "operator": {"type": "boolean", "description": "It runs this service."},
            "views": listed(TEXT) | {"description": "The most that its credentials may be given."},
            "created": MOMENT,
            "revoked": or_null(MOMENT),
        }
    ),
    "OrganisationList": list_of("Organisation"),
    "Me": closed(
        {
            "organisation": or_null(TEXT),
            "operator": {"type": "boolean"},
            "credential": {
                "description": "Null without one.",
                "type": ["object", "null"],
                "properties": {"id": TEXT, "kind": TEXT, "name": TEXT, "expires": or_null(MOMENT)},
                "required": ["id", "kind", "name", "expires"],
                "additionalProperties": False,
            },
            "roles": listed(_ROLE),
            "views": listed(closed({"audience": TEXT, "purpose": TEXT})),
            "purpose_needed": {"type": "boolean", "description": "Whether a read has to name its purpose."},
            "may": listed(_MAY),
            "may_not": listed(_MAY),
        },
        description="Who the caller is, what it may, and what it may not.",
    ),
    "Token": closed(
        {
            "access_token": TEXT,
            "token_type": {"type": "string", "const": "Bearer"},
            "expires_in": _COUNT | {"description": "Seconds."},
            "scope": TEXT,
        },
        description="RFC 6749, section 5.1; the token itself: RFC 9068.",
    ),
    "TokenError": closed({"error": TEXT, "error_description": TEXT}, ["error"], description="RFC 6749, section 5.2."),
    "SigningKeys": {
        "type": "object",
        "description": "A JWK set (RFC 7517).",
        "properties": {"keys": listed(ref("SigningKey"))},
        "required": ["keys"],
    },
    "SigningKey": OPEN | {"description": "A JWK (RFC 8037)."},
    "Read": {
        "description": "Reads of an owner's record on one day, as its steward is told; or a line, as the operator is.",
        "anyOf": [
            closed(
                {
                    "record": TEXT,
                    "kind": TEXT,
                    "day": TEXT | {"format": "date"},
                    "reader": TEXT,
                    "view": TEXT,
                    "first": MOMENT | {"description": "To the second."},
                    "last": MOMENT,
                    "times": _COUNT,
                    "credential": TEXT | {"description": "Where the reader is one's own organisation."},
                },
                ["record", "kind", "day", "reader", "view", "first", "last", "times"],
            ),
            closed(
                {"record": TEXT, "kind": TEXT, "month": TEXT, "reader": {"type": "string", "const": "a mechanism"}},
                description="Not which mechanism, when in the month, or how often.",
            ),
            {
                "type": "object",
                "description": "A line of the account: a read, or (with `act`) an act of managing.",
                "properties": {"entry": _COUNT, "chain": TEXT, "seq": _COUNT, "at": MOMENT, "hash": TEXT},
                "required": ["entry", "chain", "seq", "at", "hash"],
            },
        ],
    },
    "ReadList": closed({"items": listed(ref("Read")), "next": or_null(TEXT | {"format": "uri"})}),
    "Seal": closed({"id": TEXT, "organisation": TEXT, "since": MOMENT, "until": MOMENT}),
    "SealList": list_of("Seal"),
}
