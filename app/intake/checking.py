"""Checking lines of a file: what record each is, or why it cannot be taken. Needs no database, so any process can."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson
from pydantic import ValidationError

from app.core import crypto
from app.core.once import twice
from app.intake.reading import TWICE
from app.intake.submit import Draft, Intake, Refused, is_over
from app.records import BY_NAME
from app.records.base import Content
from app.records.refusal import refusals
from app.vocabulary.edtf import UNDATED, bounds

Faults = list[tuple[str, str]]  # (field, reason)


class Lines(NamedTuple):
    """Lines to be checked, and the key that what they say is sealed under."""

    owner: str
    key: bytes
    texts: list[bytes]


class Good(NamedTuple):
    """A record that is well-formed: what has to be known of it until it is applied, and the rest sealed."""

    id: str
    kind: str
    day: int  # the first on which it may have begun
    parent: str | None
    ended: bool  # its consent has run out
    links: tuple[tuple[str, str, tuple[str, ...]], ...]
    sealed: bytes


def check(intake: Intake, lines: Lines) -> list[Good | Faults]:
    """Return what each line is."""
    return [_check(intake, lines, text) for text in lines.texts]


def _check(intake: Intake, lines: Lines, text: bytes) -> Good | Faults:
    try:
        draft = intake.draft(content_of(text), lines.owner)
    except ValidationError as error:
        return [(one.field, one.reason) for one in refusals(error)]
    except Refused as error:
        return [(one.field, one.reason) for one in error.refusals]
    except ValueError as error:
        return [("", str(error))]
    kind = BY_NAME[draft.kind]
    date = draft.content.get(kind.date) if kind.date is not None else None
    parent = draft.content["parent"] if kind.hierarchical else None
    day = bounds(date).s0 if date else UNDATED
    ended = is_over(draft.content, intake.writer.clock())
    sealed = crypto.seal(lines.key, draft.plain, draft.id.encode())
    return Good(draft.id, draft.kind, day, parent, ended, draft.links, sealed)


def opened(key: bytes, ids: Sequence[str], sealed: Sequence[bytes]) -> list[Draft]:
    """Return records that were checked, from what was sealed of them."""
    pairs = zip(ids, sealed, strict=True)
    return [Draft.of(crypto.unseal(key, one, id.encode())) for id, one in pairs]


def content_of(text: bytes) -> Content:
    """Return the validated content of one submitted record, given as JSON.

    Raises:
        ValidationError: the model of its kind refuses it.
        ValueError: it is no JSON object, says something twice, or states no known kind.
    """
    if not text:
        raise ValueError("is too long for one record")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is no JSON (column {error.colno})") from None
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    if twice(text, value) is not None:
        raise ValueError(TWICE)
    kind = BY_NAME.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    if kind is None:
        raise ValueError(f"states no known kind: {', '.join(BY_NAME)}")
    return kind.model.model_validate(value)
