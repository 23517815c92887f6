"""The operations of access, as OpenAPI 3.1 describes them: each with its right, its errors and an example."""

from typing import Any

from app.access.asked import MOST_PAGE, PAGE
from app.access.bodies import JSON
from app.access.caller import ROLES
from app.access.described import KEY, MONTH, ORGANISATION, READ, SEAL, SHOWN_ONCE, TAG, TAG_AUDIT, ref
from app.access.oauth import FORM, GRANT
from app.access.routes import JWKS, TOKEN
from app.core.schema import TEXT, Json, closed


def operation(
    name: str,
    summary: str,
    doc: str,
    answer: tuple[str, str, Json],
    statuses: tuple[str, ...],
    body: tuple[str, Json] | None = None,
    parameters: tuple[Json, ...] = (),
    role: str | None = None,
    tag: str = TAG,
) -> Json:
    """Return an operation; `answer` is the status, the schema and an example."""
    status, schema, example = answer
    responses: Json = {status: _ok(schema, example)}
    responses |= {one: {"$ref": f"#/components/responses/{one}"} for one in (*sorted({*statuses, "429"}), "500", "503")}
    found: Json = {"operationId": name, "summary": summary, "description": doc, "tags": [tag]}
    found["security"] = [{"bearer": []}, {"oauth": [role]}] if role is not None else []
    if parameters:
        found["parameters"] = list(parameters)
    if body is not None:
        content = {JSON: {"schema": ref(body[0]), "example": body[1]}}
        found["requestBody"] = {"required": True, "content": content}
    return found | {"responses": responses}


def _ok(schema: str, example: Json, media_type: str = JSON) -> Json:
    names = {"Cache-Control": "CacheControl", "RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy"}
    headers = {name: {"$ref": f"#/components/headers/{one}"} for name, one in names.items()}
    content = {media_type: {"schema": ref(schema), "example": example}}
    return {"description": "As asked.", "headers": headers, "content": content}


def many(example: Json) -> Json:
    """Return the example of a whole list with one item."""
    return {"items": [example], "next": None, "total": 1}


def of_id(what: str, example: str) -> Json:
    """Return the parameter `id` of an address."""
    schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^/?#]+$"}
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": f"The id of {what}.",
        "schema": schema,
        "example": example,
    }


def query(name: str, doc: str, schema: Json, example: Any) -> Json:
    """Return a parameter of a query string."""
    return {"name": name, "in": "query", "description": doc, "schema": schema, "example": example}


PAGED: tuple[Json, ...] = (
    query("limit", f"Items a page; without it {PAGE}.", {"type": "integer", "minimum": 1, "maximum": MOST_PAGE}, PAGE),
    {"name": "cursor", "in": "query", "description": "From `next`.", "schema": TEXT},
)
_ASKED = ("401", "403", "422")
_GIVEN = ("401", "403", "413", "415", "422")
_OF_KEY = (of_id("a credential", KEY["id"]),)
_OF_ORGANISATION = (of_id("an organisation", "example-ngo"),)
_ONE_KEY, _NEW_SECRET = ("200", "Key", KEY), ("200", "KeyWithSecret", SHOWN_ONCE)
_ONE = ("200", "Organisation", ORGANISATION)
_OWN = "The operator's `admin` manages every organisation."


def _token() -> Json:
    form = closed(
        {
            "grant_type": {"type": "string", "const": GRANT},
            "scope": TEXT | {"description": "Some of the rights of the client; without it all."},
            "client_id": TEXT,
            "client_secret": TEXT,
        },
        ["grant_type"],
    )
    granted = {"access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZDI1NTE5In0.e30.AA", "token_type": "Bearer"}
    examples = [("400", "unsupported_grant_type", f"the only grant is {GRANT}")]
    examples += [("401", "invalid_client", "this client or its secret is not known, or has ended")]
    refused = {
        status: _ok("TokenError", {"error": error, "error_description": why})
        | {"description": "Refused, in the words of RFC 6749, section 5.2."}
        for status, error, why in examples
    }
    found = operation(
        "createToken",
        "A token for a client",
        "OAuth 2.0 client credentials. The client proves itself by `client_secret_basic` or `client_secret_post`. The "
        "token holds ten minutes, and no longer than its client and the secret do.",
        ("200", "Token", {**granted, "expires_in": 600, "scope": "read"}),
        ("413", "415", "422"),
    )
    content = {FORM: {"schema": form, "example": {"grant_type": GRANT, "scope": "read"}}}
    found |= {"security": [{"client": []}, {}], "requestBody": {"required": True, "content": content}}
    found["responses"] |= refused
    return {"post": found}


def _jwks() -> Json:
    key = {"kty": "OKP", "crv": "Ed25519", "x": "An9WAJZbB4_3980qmrCqAs3kAB0E_jKjHqk_QQqUTEI", "use": "sig"}
    found = operation(
        "getSigningKeys",
        "The keys that verify tokens",
        "The public keys that tokens of this service are signed with: a JWK set.",
        (
            "200",
            "SigningKeys",
            {"keys": [{**key, "alg": "Ed25519", "kid": "egmLF24JJtyD8yYcA3Z0aPX_zwLRBxza6wxUDeG1O7Y"}]},
        ),
        ("422",),
    )
    content = found["responses"]["200"]["content"]
    found["responses"]["200"]["content"] = {"application/jwk-set+json": content[JSON]}
    return {"get": found}


def _me() -> Json:
    may = [{"role": role, "to": what} for role, what in ROLES.items()]
    example = {
        "organisation": None,
        "operator": False,
        "credential": None,
        "roles": ["read"],
        "views": [{"audience": "public", "purpose": "publication"}],
        "purpose_needed": False,
        "may": may[:1],
        "may_not": may[1:],
    }
    found = operation(
        "getMe",
        "Who am I?",
        "Who the caller is, what it may, and what it may not.",
        ("200", "Me", example),
        ("401", "422"),
    )
    return {"get": found | {"security": [{}, {"bearer": []}, {"oauth": []}]}}


def paths() -> Json:
    """Return the description of every route of access."""
    return {
        TOKEN: _token(),
        JWKS: _jwks(),
        "/v1/me": _me(),
        "/v1/keys": {
            "get": operation(
                "listKeys",
                "List credentials",
                f"Those of your organisation. {_OWN}",
                ("200", "KeyList", many(KEY)),
                _ASKED,
                role="admin",
            ),
            "post": operation(
                "createKey",
                "Make a credential",
                f"Its rights and views are some of those that the organisation has. {_OWN}",
                ("201", "KeyWithSecret", SHOWN_ONCE),
                _GIVEN,
                ("NewKey", {"name": KEY["name"], "views": KEY["views"], "expires": "2027-11-24T00:00:00Z"}),
                role="admin",
            ),
        },
        "/v1/keys/{id}": {
            "get": operation(
                "getKey",
                "One credential",
                "Without its secrets.",
                _ONE_KEY,
                ("401", "403", "404", "422"),
                parameters=_OF_KEY,
                role="admin",
            ),
            "delete": operation(
                "revokeKey",
                "Revoke a credential",
                "It ends with the next request, its tokens too, for good.",
                _ONE_KEY,
                ("401", "403", "404", "422"),
                parameters=_OF_KEY,
                role="admin",
            ),
        },
        "/v1/keys/{id}/rotate": {
            "post": operation(
                "rotateKey",
                "Give a credential a new secret",
                "The former one holds for the stated hours more.",
                _NEW_SECRET,
                ("401", "403", "404", "413", "415", "422"),
                ("Rotation", {"overlap_hours": 24}),
                parameters=_OF_KEY,
                role="admin",
            ),
        },
        "/v1/organisations": {
            "get": operation(
                "listOrganisations",
                "List organisations",
                f"Your own. {_OWN}",
                ("200", "OrganisationList", many(ORGANISATION)),
                _ASKED,
                role="admin",
            ),
            "post": operation(
                "createOrganisation",
                "Make an organisation",
                "For the operator.",
                ("201", "Organisation", ORGANISATION),
                _GIVEN,
                ("NewOrganisation", {"id": "example-ngo", "name": "Example NGO", "views": ["partner/research"]}),
                role="admin",
            ),
        },
        "/v1/organisations/{id}": {
            "get": operation(
                "getOrganisation",
                "One organisation",
                f"Your own. {_OWN}",
                _ONE,
                ("401", "403", "404", "422"),
                parameters=_OF_ORGANISATION,
                role="admin",
            ),
            "patch": operation(
                "changeOrganisation",
                "Say which views an organisation may have",
                "For the operator. Credentials lose the other views with their next request.",
                _ONE,
                ("401", "403", "404", "413", "415", "422"),
                ("ChangedOrganisation", {"views": ["partner/research"]}),
                parameters=_OF_ORGANISATION,
                role="admin",
            ),
            "delete": operation(
                "revokeOrganisation",
                "End an organisation",
                "For the operator. All its credentials end at once, for good.",
                _ONE,
                ("401", "403", "404", "422"),
                parameters=_OF_ORGANISATION,
                role="admin",
            ),
        },
        "/v1/audit": {"get": _reads()},
        "/v1/audit/seals": {
            "get": operation(
                "listSeals",
                "List seals",
                "Those of your organisation; to the operator all.",
                ("200", "SealList", many(SEAL)),
                _ASKED,
                role="steward",
                tag=TAG_AUDIT,
            ),
            "post": operation(
                "createSeal",
                "Seal what a mechanism reads",
                "Owners are not told of what your organisation reads from now on before the seal has ended.",
                ("201", "Seal", SEAL),
                _GIVEN,
                ("NewSeal", {"until": "2027-05-24T00:00:00Z"}),
                role="steward",
                tag=TAG_AUDIT,
            ),
        },
    }


def _reads() -> Json:
    return operation(
        "listReads",
        "Who has read our records?",
        "Reads of the records of your organisation, newest first. A mechanism appears as one, with the month alone. To "
        "the operator: every line of the account, acts of managing too. Reads in the view of everybody are not kept.",
        ("200", "ReadList", {"items": [READ, MONTH], "next": None}),
        _ASKED,
        parameters=(
            query("record", "Only reads of this record (not for the operator).", TEXT, READ["record"]),
            query("organisation", "Only lines of this organisation (for the operator).", TEXT, "example-ngo"),
            *PAGED,
        ),
        role="steward",
        tag=TAG_AUDIT,
    )
