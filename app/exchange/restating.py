"""Restating: rows that say again what their records said before those were changed elsewhere.

A file may be older than what was done over HTTP or by the command since. What it puts back is told of, as a warning;
and what a witness allowed before and does not allow now, it does not put back at all.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection

from app.core import crypto
from app.intake.checking import Good, opened
from app.intake.staging import Staged
from app.intake.submit import STANDS, Draft
from app.intake.write import Writer
from app.records.consent import SCALES
from app.vault.append import Stored, commit
from app.vault.tables import GONE


class Restated(IntEnum):
    """What a row restates; the most serious last."""

    NOTHING = 0
    FORMER = 1
    MERGED = 2
    RETRACTED = 3
    NARROWED = 4


WHY = {
    Restated.FORMER: "says what the record said before it was changed last: is this file older than that change?",
    Restated.MERGED: "is of a record that was merged into another one: what it says is kept, and shown to nobody",
    Restated.RETRACTED: "brings back a record that was taken back",
    Restated.NARROWED: "allows what was allowed before and is not now: only a consent obtained since may, with its day",
}


def restated(
    writer: Writer, key: bytes, staged: Sequence[Staged], good: Mapping[int, Good]
) -> list[tuple[Staged, Restated]]:
    """Return the rows that restate something; `key` opens what was checked of them."""

    def _restated(connection: Connection) -> list[tuple[Staged, Restated]]:
        heads = writer.vault.heads(connection, [one.id for one in staged])
        changed: dict[str, Staged] = {}
        for one in staged:
            head = heads.get(one.id)
            if head is not None:
                plain = crypto.unseal(key, good[one.line].sealed, one.id.encode())
                if head.state in GONE or commit(head.salt, plain) != head.commitment:
                    changed[one.id] = one
        stored = writer.vault.read(connection, changed)
        sealed = [good[one.line].sealed for one in changed.values()]
        drafts = {one.id: one for one in opened(key, list(changed), sealed)}
        found = {id: _by_state(drafts[id], stored[id]) for id in changed}
        for id, content in writer.vault.former(connection, {id: heads[id].leaf for id in changed}):
            found[id] = max(found[id], _by_content(drafts[id], stored[id], content))
        return [(changed[id], what) for id, what in found.items() if what]

    return writer.database.look(_restated)


def _by_state(draft: Draft, stored: Stored) -> Restated:
    """Return what a row restates of a record that is gone, or is another one by now."""
    if stored.state == "withdrawn" and _promise(draft.content) == _promise(stored.content):
        return Restated.NARROWED  # withdrawn on the very day on which it was obtained
    if stored.state == "retracted":
        return Restated.RETRACTED
    is_merged = bool(stored.content.get("merger")) and _sent(stored.content) != draft.content
    return Restated.MERGED if is_merged else Restated.NOTHING


def _by_content(draft: Draft, stored: Stored, content: Mapping[str, Any]) -> Restated:
    """Return what a row restates of a former content of its record."""
    promise = _promise(draft.content)
    if promise == _promise(content) != _promise(stored.content) and _allows_more(draft.content, stored.content):
        return Restated.NARROWED
    # What stands whatever is sent is in no row.
    if stored.state not in GONE and draft.content == _sent(content) != _sent(stored.content):
        return Restated.FORMER
    return Restated.NOTHING


def _sent(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in STANDS}


def _promise(content: Mapping[str, Any]) -> list[Any]:
    """Return what was promised to whoever a record is of; nothing where none can consent to it."""
    parts = ("disclosure_basis", "consent", "protection")
    return [content[name] for name in parts] if "consent" in content else []


def _allows_more(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether a content may show anybody anything that another one of the same record does not."""
    ends, end = ((content["consent"] or {}).get("expires") for content in (one, other))
    is_longer = end is not None and (ends is None or ends > end)
    return is_longer or bool(_granted(one) - _granted(other) or _forbidden(other) - _forbidden(one))


def _granted(content: Mapping[str, Any]) -> set[tuple[str, ...]]:
    consent = content["consent"] or {}
    granted: set[tuple[str, ...]] = {
        (content["disclosure_basis"],),
        *([("linkage",)] if consent.get("linkage") else []),
    }
    for audience, allowed in consent.get("audiences", {}).items():
        for name, scale in SCALES.items():
            granted |= {(audience, name, level) for level in scale[1 : scale.index(allowed[name]) + 1]}
        granted |= {(audience, "purpose", one) for one in allowed["purposes"]}
    return granted


def _forbidden(content: Mapping[str, Any]) -> set[tuple[str, ...]]:
    forbidden: set[tuple[str, ...]] = set()
    for audience, allowed in (content["consent"] or {}).get("audiences", {}).items():
        forbidden |= {(audience, "condition", one) for one in allowed["conditions"]}
    for audience, limit in (content["protection"] or {}).get("limits", {}).items():
        for name, scale in SCALES.items():
            if limit[name] is not None:
                forbidden |= {(audience, name, level) for level in scale[scale.index(limit[name]) + 1 :]}
    return forbidden
