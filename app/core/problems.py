"""Errors as RFC 9457 problem details; they know their status, and nothing of HTTP frameworks."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

MEDIA_TYPE = "application/problem+json"

# Every type of problem there is: slug -> (status, title). docs/problems.md says what each means and how to mend it.
# Of two with one status, the description tells of the first.
TYPES: dict[str, tuple[int, str]] = {
    "invalid-parameter": (400, "A parameter has an error"),
    "malformed": (400, "The request is no HTTP"),
    "unauthenticated": (401, "There is no credential that holds"),
    "forbidden": (403, "This is not allowed"),
    "not-found": (404, "There is no such thing here"),
    "method-not-allowed": (405, "The method is not allowed here"),
    "not-acceptable": (406, "No offered format is acceptable"),
    "too-slow": (408, "The request took too long to come"),
    "conflict": (409, "This cannot be done as things stand"),
    "precondition-failed": (412, "What you hold is not the newest form"),
    "too-long": (414, "The address is too long"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The media type is not supported"),
    "invalid-request": (422, "The request has an error"),
    "precondition-required": (428, "The request has to say which form it changes"),
    "too-many-requests": (429, "The limit of requests is reached"),
    "headers-too-large": (431, "The headers of the request are too large"),
    "internal-error": (500, "The service failed"),
    "unavailable": (503, "The service is not ready"),
}


# What each means, and how to mend it: the page of a type, /problems/{slug}.
EXPLAINED: dict[str, tuple[str, str]] = {
    "invalid-parameter": (
        "A parameter of an address below /v1/collections cannot be answered. It is what is invalid-request elsewhere; "
        "the standard that these addresses follow (OGC API - Features) has it answered by 400.",
        "Mend each of the errors. /v1/{kind}/queryables lists what can be asked of a kind.",
    ),
    "malformed": (
        "What came cannot be read as a request of HTTP/1.1. The connection is closed.",
        "Use a client that speaks HTTP/1.1; percent-encode what is not plain in an address.",
    ),
    "unauthenticated": (
        "The request needs a credential and has none, or has one that is not known, was revoked or has ended. A "
        "credential is never ignored, and never taken from an address.",
        "Send an API key or a token as `Authorization: Bearer …`, or leave the header out: what is public is answered "
        "without it.",
    ),
    "forbidden": (
        "The credential holds and lacks a right, which the detail names. It is decided before any record is looked at.",
        "/v1/me says what a credential may. Ask an admin of your organisation, or the operator, for one that may more.",
    ),
    "not-found": (
        "There is nothing under this address that the caller may see. Hidden and absent records cannot be told apart.",
        "Check the id; /v1 links to all there is, and the lists give the address of every record.",
    ),
    "method-not-allowed": (
        "The address exists and does not know this method.",
        "Use one of the methods that the header Allow names.",
    ),
    "not-acceptable": (
        "The header Accept takes none of the formats in which this is offered.",
        "Ask for one that the detail names, by Accept or by the parameter format.",
    ),
    "too-slow": (
        "The headers or the body did not come as fast as they must. The connection is closed.",
        "Send the request at once, and a large body over a line that carries it.",
    ),
    "conflict": (
        "The request is understood, and what is on record, or another request that is under way, stands against it.",
        "The detail says what does. With the header Retry-After, send the same request again after so many seconds.",
    ),
    "precondition-failed": (
        "The record was changed since you read it, or is there although you asked for a new one. Nothing was written.",
        "Read the record as submitted again, put your change onto that, and send it with the new ETag as If-Match.",
    ),
    "precondition-required": (
        "A record that is there is changed by whoever says which form of it they saw, so that nobody undoes unseen "
        "what somebody else wrote.",
        "Read the record at its address with /submitted and send the ETag of that answer as If-Match.",
    ),
    "too-long": (
        "The address or its query string is longer, or has more parameters, than is read.",
        "Ask for less at a time: a list of ids can be cut into several requests.",
    ),
    "too-large": (
        "The body of the request is larger than is read. The connection is closed.",
        "Send it in smaller pieces.",
    ),
    "unsupported-media-type": (
        "The body of the request is in a format that is not read here.",
        "Send one of the formats that the description of the route names.",
    ),
    "invalid-request": (
        "Something in the request cannot be answered. `errors` names each fault, where it stands and what to do; an "
        "unknown parameter or value is refused with the nearest known one, never ignored.",
        "Mend each of the errors. /v1/{kind}/queryables lists what can be asked of a kind.",
    ),
    "too-many-requests": (
        "More requests came from you in one minute than are answered. The header RateLimit-Policy says how many are.",
        "Wait as many seconds as the header Retry-After says. Whoever wants everything asks for one export (NDJSON "
        "or CSV without limit), not for page after page.",
    ),
    "headers-too-large": (
        "The headers are larger, or more of them, than are read. The connection is closed.",
        "Send the headers that the request needs and no others: no cookie is read here.",
    ),
    "internal-error": (
        "The service failed. The answer says nothing of why; the operator finds it by the header X-Request-ID.",
        "Try again later; if it stays, tell the operator the X-Request-ID.",
    ),
    "unavailable": (
        "The service cannot answer now: it is being prepared, or something is just being taken out of sight.",
        "Try again after as many seconds as the header Retry-After says.",
    ),
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the input: where it stands and what to do."""

    place: str
    name: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return the member of `errors`: `in` and `name`, or `pointer` (RFC 6901) for a body."""
        where = {"pointer": self.name} if self.place == "body" else {"in": self.place, "name": self.name}
        return {**where, "detail": self.detail}


@dataclass
class Problem(Exception):
    """An answer that is an error."""

    type: str
    detail: str
    errors: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of this type."""
        return TYPES[self.type][0]

    def as_json(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        status, title = TYPES[self.type]
        document: dict[str, Any] = {
            "type": f"/problems/{self.type}",
            "title": title,
            "status": status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [fault.as_json() for fault in self.errors]
        return document

    def body(self) -> bytes:
        """Return the problem document as bytes of `application/problem+json`."""
        return orjson.dumps(self.as_json())


def invalid(faults: Iterable[Fault]) -> Problem:
    """Return the problem of a request whose parameters cannot be answered."""
    found = tuple(faults)
    return Problem("invalid-request", found[0].detail if len(found) == 1 else "The request has several errors.", found)


def not_found() -> Problem:
    """Return the one answer for what is hidden and for what is not there: they cannot be told apart."""
    return Problem("not-found", "There is nothing here under this address that you may see.")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a phrase that names the known word nearest to `word`, in whatever case; empty if none is near."""
    words = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(word[:200].casefold(), words, n=1, cutoff=0.5)
    return f"Did you mean '{words[close[0]]}'?" if close else ""
