"""The token endpoint: OAuth 2.0 client credentials (RFC 6749, section 4.4), with its own form of errors (5.2)."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from app.access.bodies import Body
from app.access.caller import in_address
from app.access.identify import Access
from app.access.tokens import LIFE, Tokens
from app.core.answer import Answer, Header, Request, private

FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"
_PRAGMA: Header = (b"pragma", b"no-cache")  # RFC 6749, section 5.1


class Refused(Exception):
    """The endpoint refuses in the words of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        """Name the error by its code."""
        super().__init__(description)
        self.error = error

    def answer(self) -> Answer:
        """Return the answer that it is."""
        headers: list[Header] = [_PRAGMA]
        if self.error == "invalid_client":
            headers.append((b"www-authenticate", b'Basic realm="evidence", charset="UTF-8"'))
        status = 401 if self.error == "invalid_client" else 400
        return private(status, {"error": self.error, "error_description": str(self)}, headers)


class TokenEndpoint:
    """Gives a client a short-lived token for its id and secret."""

    def __init__(self, access: Access, tokens: Tokens) -> None:
        """Look clients up, and sign."""
        self._access = access
        self._tokens = tokens

    async def answer(self, request: Request, body: Body) -> Answer:
        """Answer `POST /v1/token`.

        Raises:
            Problem: too-large, unsupported-media-type, or invalid-request for a credential in the address.
        """
        if request.scope["query_string"]:
            raise in_address()
        raw = await body.read(FORM)
        try:
            return await self._granted(request, _form(raw))
        except Refused as refused:
            return refused.answer()

    async def _granted(self, request: Request, form: Mapping[str, str]) -> Answer:
        id, secret = _client(request, form)
        grant = form.get("grant_type")
        if grant is None:
            raise Refused("invalid_request", "grant_type is missing")
        if grant != GRANT:
            raise Refused("unsupported_grant_type", f"the only grant is {GRANT}")
        found = await self._access.client(id, secret)
        if found is None:
            raise Refused("invalid_client", "this client or its secret is not known, or has ended")
        identity, prefix = found
        wanted = form["scope"].split() if "scope" in form else sorted(identity.roles)
        if not set(wanted) <= identity.roles:
            raise Refused("invalid_scope", f"this client has: {' '.join(sorted(identity.roles))}")
        scope = " ".join(dict.fromkeys(wanted))
        token = await self._tokens.issue(identity, prefix, scope, self._access.clock())
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": LIFE, "scope": scope}
        return private(200, granted, [_PRAGMA])


def _form(raw: bytes) -> dict[str, str]:
    """Read a form; what is left empty is left out, and nothing may be given twice (RFC 6749, section 3.2)."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "the body is no form in UTF-8 of at most 20 fields") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise Refused("invalid_request", "a parameter is given twice")
    return {name: value for name, value in pairs if value}


def _client(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """Return the id and the secret of the client: by the header (client_secret_basic), or in the body.

    Raises:
        Refused: there are none, or both ways are used (RFC 6749, section 2.3.1).
    """
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not given:
        if "client_id" not in form or "client_secret" not in form:
            raise Refused("invalid_client", "there is no client_id with its client_secret")
        return form["client_id"], form["client_secret"]
    if "client_secret" in form or len(given) > 1:
        raise Refused("invalid_request", "a client proves itself in one way only")
    scheme, _, rest = given[0].partition(b" ")
    try:
        if scheme.lower() != b"basic":
            raise ValueError
        id, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise Refused("invalid_client", "the header Authorization is not Basic") from None
    id, secret = unquote_plus(id), unquote_plus(secret)
    if not colon or form.get("client_id", id) != id:
        raise Refused("invalid_client", "the header Authorization and client_id do not fit")
    return id, secret
