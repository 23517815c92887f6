"""Dressing: the headers that keep a browser safe, on every answer, and which other origins may read it (CORS)."""

from collections.abc import Iterable

from app.core import deprecation
from app.core.observe import Header, Scope

# Nothing of an answer is a page: it loads nothing, and no page may frame it. The documentation page states its own.
POLICY = b"default-src 'none'; frame-ancestors 'none'"
MORE = "headers.more"  # of a request's scope: headers that are to stand in its answer, whatever it is
EXPOSED = (
    b"Content-Disposition, Deprecation, ETag, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, "
    b"Repr-Digest, Retry-After, Sunset, X-Request-ID"
)
_YEAR = 31_536_000


class Dressing:
    """What is added to the headers of an answer, made once from the settings.

    - An answer that a route calls `private` (RFC 9111, 5.2.2.7) is for its asker alone: no page of another origin may
      read it, unless the operator listed that origin.
    - An answer that states its own `Cross-Origin-Resource-Policy` is part of a page of ours: nothing is opened.
    - `Access-Control-Allow-Credentials` is never sent: no cookie and no login of a browser opens anything here.
    """

    def __init__(self, origins: tuple[str, ...], https: bool) -> None:
        """Make it.

        Args:
            origins: `("*",)`, or the origins whose pages may read what is answered; none: no page of another one.
            https: whether the service is known by an https address: then browsers are told to use no other.
        """
        everybody = origins == ("*",)
        self._origins = frozenset() if everybody else frozenset(one.encode() for one in origins)
        always: list[Header] = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
        if https:
            always.append((b"strict-transport-security", b"max-age=%d" % _YEAR))
        if self._origins:
            always.append((b"vary", b"Origin"))  # whether or not there is one in this request (Fetch, 3.2.5)
        anywhere = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED)]
        policy, apart = (b"content-security-policy", POLICY), b"cross-origin-resource-policy"
        self._own = always
        self._page = [*always, policy]
        self._closed = [*always, policy, (apart, b"same-origin")]
        self._open = [*always, policy, (apart, b"cross-origin"), *anywhere] if everybody else self._closed

    def on(self, headers: list[Header], scope: Scope) -> list[Header]:
        """Return a list of the headers of an answer, with what is missing.

        Args:
            headers: as the route made them; names in small letters (ASGI).
            scope: the request.
        """
        stated = dict(headers)
        more: Iterable[Header] = (*scope.get(MORE, ()), *deprecation.headers(scope))
        if b"cross-origin-resource-policy" in stated:
            return [*headers, *(self._own if b"content-security-policy" in stated else self._page), *more]
        private = stated.get(b"cache-control", b"").startswith(b"private")
        found = [*headers, *(self._closed if private else self._open), *more]
        if self._origins and (origin := dict(scope["headers"]).get(b"origin")) in self._origins:
            found += [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", EXPOSED)]
        return found
