"""Why a submitted record is refused: field by field, in words, and never with what was submitted in them."""

import re
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.records import base

_PATTERNS = {
    base.NO_NUL: "contains the character NUL",
    base.SLUG: "is no id: lower-case letters, digits, dots and hyphens, at most 121, the first a letter or digit",
    base.WORD: "must be lower-case letters, digits and hyphens, at most 61, as in prisoners-child",
    base.TAG: "is no language tag (BCP 47), as en or ko or zh-Hans",
    base.TEXT_KEY: "is no language tag (BCP 47), as en or ko or zh-Hans, nor original or translated_by",
    base.AUDIENCE: "is no audience: public, partner, mechanism, or a named body as mechanism:ohchr",
    base.URL: "is no address: it must begin with a scheme, as https:",
    "^tst-" + base.OPAQUE: "is no id of a testimony: tst- and 26 characters, as given by this service",
    "^inc-" + base.OPAQUE: "is no id of an incident: inc- and 26 characters, as given by this service",
    "^per-" + base.OPAQUE: "is no id of a person: per- and 26 characters, as given by this service",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "must be a day, as 2026-11-24",
}
_TYPES = {
    "missing": "is required",
    "extra_forbidden": "is no field of this kind",
    "string_type": "must be text",
    "string_unicode": "is no valid Unicode text (a surrogate without its pair)",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "too_short": "has too few members",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "union_tag_not_found": "must have a type: Point or Polygon",
    "union_tag_invalid": "has a type that is not allowed here: Point or Polygon",
}
_SUBJECT = re.compile(r"^[A-Z][a-z]+ should ")  # Input, String, List …
PLAIN = re.compile(r"[A-Za-z0-9_:.-]{1,80}", re.ASCII)  # what looks like a name, and may be said again


class Refusal(NamedTuple):
    """One reason: the field (`acts[0].date`; empty: the record as a whole), and what is wrong with it."""

    field: str
    reason: str


def refusals(error: ValidationError) -> list[Refusal]:
    """Return every reason for which a model refused a record."""
    return [
        Refusal(_field(detail), reason_of(detail)) for detail in error.errors(include_url=False, include_input=False)
    ]


def _field(detail: ErrorDetails) -> str:
    path = ""
    for step in (*detail["loc"], *(name for name in (detail.get("ctx", {}).get("field"),) if name)):
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in ("[key]", "Point", "Polygon"):
            # A key of a map is the submitter's own text: it is repeated only where it looks like a name.
            path += "." + (step if PLAIN.fullmatch(step) else "?")
    return path.removeprefix(".")


def reason_of(detail: ErrorDetails) -> str:
    """Return one reason in words: a sentence without its subject."""
    if detail["type"] == "string_pattern_mismatch":
        return _PATTERNS[detail["ctx"]["pattern"]]
    said = _TYPES.get(detail["type"]) or _SUBJECT.sub("should ", detail["msg"])
    return said[:1].lower() + said[1:]
