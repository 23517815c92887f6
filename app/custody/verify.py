"""Verifying offline: what the API gave as a proof, the log's key, and a record as it was served; pure."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.custody.leaves import commitment, tail_of
from app.custody.merkle import extends, includes, leaf_hash
from app.custody.note import Checkpoint, NotSigned, checkpoint_of

_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Path = Annotated[list[_Hash], Field(max_length=64)]


class Unproved(ValueError):
    """A proof does not prove it; the message says why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ProvedLeaf(_Strict):
    """What a leaf of the log commits to: the change after which a view is shown a record as it is."""

    at: int = Field(description="When it was done: milliseconds since 1970, UTC.")
    change: Literal["created", "updated"]
    digest: _Hash = Field(description="SHA-256 of the record as it is shown, without `revision` and `updated`.")
    id: str
    revision: int = Field(description="Which form that you were shown it is, from 1 on.")
    view: int = Field(description="Whose form it is; 0: everybody's.")


class ProvedForm(_Strict):
    """A record as it is shown, and what proves it."""

    leaf: ProvedLeaf
    salt: _Hash = Field(description="32 bytes that stand before the leaf's JSON where it is committed to.")
    index: int = Field(description="The place of the leaf in the log.")
    path: _Path = Field(description="What leads from the leaf to the root (RFC 9162, section 2.1.3.1), hexadecimal.")


class RecordProof(_Strict):
    """What proves by the newest checkpoint that you are shown a record as it is."""

    checkpoint: str | None = Field(description="A signed note; null before the first one.")
    form: ProvedForm | None = Field(description="Null where it is newer than the checkpoint: the next one proves it.")


class ConsistencyProof(_Strict):
    """What proves that an older checkpoint's log begins a newer one's, unchanged."""

    old: str = Field(description="A signed note.")
    new: str = Field(description="A signed note.")
    path: _Path = Field(description="The proof (RFC 9162, section 2.1.4.1), hexadecimal.")


class Proved(NamedTuple):
    """What was proved: the checkpoint by which, and what the leaf commits to."""

    checkpoint: Checkpoint
    leaf: ProvedLeaf


def record(proof: Mapping[str, Any], key: str, body: bytes | None = None) -> Proved:
    """Prove that a form of a record is in the log, and that a record is this form.

    Args:
        proof: the JSON under `/proof`.
        key: of the log, from a place that the proof does not come from.
        body: the bytes of the record as they were served.

    Raises:
        Unproved: something does not hold.
    """
    given = _read(RecordProof, proof)
    if given.checkpoint is None:
        raise Unproved("there was no checkpoint yet when the proof was asked for")
    point, form = _checkpoint(given.checkpoint, key), given.form
    if form is None:
        raise Unproved("the record was newer than the newest checkpoint when the proof was asked for")
    leaf = leaf_hash(commitment(form.leaf.model_dump(), bytes.fromhex(form.salt)))
    if not includes(point.root, point.size, leaf, form.index, [bytes.fromhex(one) for one in form.path]):
        raise Unproved("the form is not in the log as it was signed")
    if body is not None:
        _hold(form.leaf, body)
    return Proved(point, form.leaf)


def consistency(proof: Mapping[str, Any], key: str) -> tuple[Checkpoint, Checkpoint]:
    """Prove that nothing that stood in the log at an old checkpoint was changed until a new one; return both.

    Args:
        proof: the JSON under `/v1/log/consistency`.
        key: of the log, from a place that the proof does not come from.

    Raises:
        Unproved: something does not hold.
    """
    given = _read(ConsistencyProof, proof)
    old, new = _checkpoint(given.old, key), _checkpoint(given.new, key)
    if not extends(old.root, old.size, new.root, new.size, [bytes.fromhex(one) for one in given.path]):
        raise Unproved("what was signed first is not how the log begins that was signed later: it was changed")
    return old, new


def _hold(leaf: ProvedLeaf, body: bytes) -> None:
    """Hold a record to what was logged of it: all of its bytes, to the last."""
    tail = tail_of(leaf.revision, leaf.at)
    if not body.endswith(tail):  # whatever follows would be read, and is in no digest
        raise Unproved(
            "the record does not end with the revision and moment that were logged: "
            "it has to be the very bytes that were served"
        )
    if hashlib.sha256(body[: -len(tail)] + b"}").hexdigest() != leaf.digest:
        raise Unproved("the record has another digest than what was logged: it was changed, or is another one")
    try:
        stated = orjson.loads(body)["id"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Unproved("the record is not JSON: it has to be the very bytes that were served") from None
    if stated != leaf.id:
        raise Unproved("the record states another id than what was logged")


def _checkpoint(note: str, key: str) -> Checkpoint:
    try:
        return checkpoint_of(note, key)
    except NotSigned as reason:
        raise Unproved(str(reason)) from None


def _read(model: type[Any], proof: Mapping[str, Any]) -> Any:
    try:
        return model.model_validate(proof)
    except ValidationError as error:
        first = error.errors()[0]
        raise Unproved(f"the proof is malformed at {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
