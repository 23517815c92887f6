"""What a write states beside its record: which form it changes, whether it may come again, what is to be answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from app.access.bodies import JSON
from app.access.caller import NOT_HERE, in_address, names_a_credential
from app.access.secret import looks_like_one
from app.core.answer import Receive, Request
from app.core.bodies import read_json, whole
from app.core.problems import Fault, Problem, invalid, nearest

_TAGS = re.compile(r'\s*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+', re.ASCII)
_TAG = re.compile(r'(?:W/)?"[^"]*"')
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_MISSING = "Say which form of the record you change: its ETag, from its address with /submitted, as If-Match."


@dataclass(frozen=True)
class Wishes:
    """The headers and parameters of a write.

    Attributes:
        if_match: the tags of which one has to be that of the record; `("*",)`: any; None: not stated.
        only_new: the record must not be there yet.
        key: of the request, should it come again.
        minimal: no body is wanted.
        dry_run: nothing is to be written.
        reason: the parameter of that name.
    """

    if_match: tuple[str, ...] | None = None
    only_new: bool = False
    key: str | None = None
    minimal: bool = False
    dry_run: bool = False
    reason: str | None = None

    def hold(self, tag: str, needed: bool = True) -> None:
        """Hold a record that is there, and has this tag, to what the request says of it.

        Raises:
            Problem: precondition-failed, precondition-required.
        """
        if self.only_new:
            raise Problem("precondition-failed", "There is a record with this id already.")
        if self.if_match is None and needed:
            raise Problem("precondition-required", _MISSING)
        if self.if_match is not None and tag not in self.if_match and self.if_match != ("*",):
            raise Problem("precondition-failed", "The record was changed since: read it as submitted again.")


def wishes(request: Request, parameters: tuple[str, ...]) -> Wishes:
    """Read them.

    Raises:
        Problem: invalid-request.
    """
    given = _query(request.scope["query_string"], parameters)
    none_match = _header(request, b"if-none-match") if request.scope["method"] == "PUT" else []
    if none_match not in ([], ["*"]):
        raise _wrong("If-None-Match", "Here only `*` has a meaning: the record must not be there yet.")
    prefer = [one.strip().lower().replace('"', "") for line in _header(request, b"prefer") for one in line.split(",")]
    return Wishes(
        if_match=_tags(_header(request, b"if-match")),
        only_new=bool(none_match),
        key=key_of(request),
        minimal="return=minimal" in prefer,
        dry_run=given.get("dry_run") == "true",
        reason=given.get("reason"),
    )


def key_of(request: Request) -> str | None:
    """Return the key under which a request may come again, if it has one.

    Raises:
        Problem: invalid-request.
    """
    keys = _header(request, b"idempotency-key")
    if len(keys) > 1 or (keys and not _KEY.fullmatch(keys[0].strip())):
        raise _wrong("Idempotency-Key", "One key of 1 to 255 visible ASCII characters, a fresh one for each request.")
    return keys[0].strip().strip('"') if keys else None


def _header(request: Request, name: bytes) -> list[str]:
    return [value.decode("latin-1") for one, value in request.scope["headers"] if one == name]


def _tags(lines: list[str]) -> tuple[str, ...] | None:
    if not lines:
        return None
    text = ", ".join(lines).strip()
    if text == "*":
        return ("*",)
    if not _TAGS.fullmatch(text):
        raise _wrong("If-Match", 'An ETag as it was answered, with its quotation marks: "0123…".')
    return tuple(_TAG.findall(text))  # a weak one is equal to none (RFC 9110, 13.1.1)


def _query(raw: bytes, known: tuple[str, ...]) -> dict[str, str]:
    if not raw:
        return {}
    if looks_like_one(raw):
        raise in_address()
    faults, found = [], dict[str, str]()
    try:
        given = parse_qsl(raw.decode("ascii", "replace"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise invalid([Fault("query", "", "This is not UTF-8, percent-encoded.")]) from None
    for name, text in given[:20]:
        if name not in known:
            hint = f"There is no parameter of this name here. {nearest(name, known)}".rstrip()
            faults.append(Fault("query", name[:60], NOT_HERE if names_a_credential(name) else hint))
        elif name in found or not text or "\0" in text:
            faults.append(Fault("query", name, "One value, please."))
        elif name == "dry_run" and text not in ("true", "false"):
            faults.append(Fault("query", name, "It is true or false."))
        found[name] = text
    if faults:
        raise invalid(faults[:10])
    return found


def _wrong(name: str, detail: str) -> Problem:
    return invalid([Fault("header", name, detail)])


async def body(request: Request, receive: Receive, media_type: str = JSON) -> tuple[bytes, dict[str, Any]]:
    """Return the body of a request, and the object that it is. How large it may be is the gate's to say.

    Raises:
        Problem: unsupported-media-type, invalid-request.
    """
    raw = await whole(request, receive, media_type)
    content = read_json(raw)
    if not isinstance(content, dict):
        detail = "The body has to be a JSON object."
        raise Problem("invalid-request", detail, (Fault("body", "", detail),))
    return raw, content


def merged(target: Any, patch: Any) -> Any:
    """Return what a merge patch makes of a value (RFC 7396, section 2)."""
    if not isinstance(patch, Mapping):
        return patch
    made = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made
