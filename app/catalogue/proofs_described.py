"""What the description of the API says of proofs. Its examples are made by the same code, and hold."""

import hashlib

import orjson
from pydantic.json_schema import models_json_schema

from app.catalogue.negotiate import JSON, bare
from app.catalogue.openapi import Description, example, name_of, of_one, ok, operation
from app.catalogue.proofs import COMPARED, LISTED, PATH
from app.core.moments import iso
from app.core.schema import Json, closed
from app.custody import leaves, merkle
from app.custody.checkpoints import WIDE
from app.custody.note import Signer
from app.custody.tree import Tree
from app.custody.verify import ConsistencyProof, RecordProof
from app.records import KINDS, Kind

_TAG = "Log"
TAGS: list[Json] = [{"name": _TAG, "description": "What the log was at fixed moments, signed: for whoever verifies."}]
_REF = "#/components/schemas/"
_AT = 1_795_888_800_000  # of the examples: 2026-11-28T18:00:00Z
_CHECKPOINT = closed(
    {
        "size": {"type": "integer", "description": "Leaves, a multiple of 256."},
        "at": {"type": "string", "format": "date-time"},
        "note": {"type": "string", "description": "Signed: C2SP tlog-checkpoint in a C2SP signed-note, Ed25519."},
    }
)
_NULLABLE: Json = {"anyOf": [{"$ref": _REF + "Checkpoint"}, {"type": "null"}]}
_SCHEMAS: Json = {
    "Checkpoint": _CHECKPOINT,
    "Log": closed(
        {
            "origin": {"type": "string", "description": "Its name, the first line of each checkpoint."},
            "key": {"type": "string", "description": "By which checkpoints are verified, as signed-note writes it."},
            "every_hours": {"type": "integer", "description": "From one checkpoint to the next."},
            "next": {"type": ["string", "null"], "format": "date-time", "description": "When the next one comes."},
            "checkpoint": _NULLABLE | {"description": "The newest; null before the first."},
        }
    ),
    "CheckpointList": closed(
        {
            "items": {"type": "array", "items": {"$ref": _REF + "Checkpoint"}},
            "next": {"type": ["string", "null"], "format": "uri", "description": "The address of the next page."},
        }
    ),
}
_STATUSES = ("406", "414", "422", "503")


def paths(description: Description) -> Json:
    """Return the paths of the log and of proofs."""
    _, definitions = models_json_schema(
        [(one, "validation") for one in (RecordProof, ConsistencyProof)], ref_template=_REF + "{model}"
    )
    description.schemas |= definitions["$defs"] | _SCHEMAS
    found: Json = {f"/v1/{kind.path}/{{id}}/proof": _proof(kind) for kind in KINDS}
    tree, signer = Tree([hashlib.sha256(b"%d" % n).digest() for n in range(2)]), Signer(bytes(32))
    old, new = ({"size": n * WIDE, "at": iso(_AT), "note": signer.checkpoint(n * WIDE, tree.root(n))} for n in (1, 2))
    about = {"origin": signer.name, "key": signer.key, "every_hours": 6, "next": iso(_AT + 21_600_000)}
    compared = {"old": old["note"], "new": new["note"], "path": [one.hex() for one in tree.consistency(1, 2)]}
    for path, name, summary, doc, asked, schema, given in (
        (
            PATH,
            "getLog",
            "The log and its key",
            "Every revision of every record, and every form of one that a view was shown, is a leaf of one Merkle log "
            "(RFC 9162). Signed checkpoints of it come at fixed moments, filled up to the next 256 leaves. Keep the "
            "key from when you trusted it.",
            {},
            "Log",
            about | {"checkpoint": new},
        ),
        (
            f"{PATH}/checkpoints",
            "listCheckpoints",
            "All checkpoints, the newest first",
            "Who keeps one can have it proved later that nothing that stood in the log by then was changed.",
            LISTED,
            "CheckpointList",
            {"items": [new, old], "next": None},
        ),
        (
            f"{PATH}/consistency",
            "getConsistency",
            "Prove that nothing was changed between two checkpoints",
            "A consistency proof (RFC 9162, section 2.1.4): `evidence verify` checks it offline.",
            COMPARED,
            "ConsistencyProof",
            compared,
        ),
    ):
        parameters = [description.parameter(KINDS[0], one, "log") for one in asked.values()]
        if "old" in asked:
            description.parameters["old-log"]["required"] = True
        content: Json = {bare(JSON): {"schema": {"$ref": _REF + schema}, "example": given}}
        told = operation(name, summary, doc, parameters, ok(content), _STATUSES)
        found[path] = {"get": told | {"tags": [_TAG]}}
    return found


def _proof(kind: Kind) -> Json:
    words = kind.name.replace("-", " ")
    told = operation(
        f"get{name_of(kind)}Proof",
        f"Prove what you are shown of one {words}",
        "The leaf of the log that commits to it as you are shown it now, and the path from there to the newest "
        "checkpoint. `evidence verify` checks it offline, with the record as it was served. Keep it with the record: "
        "earlier forms are proved to nobody.",
        [of_one(kind)],
        ok({bare(JSON): {"schema": {"$ref": _REF + "RecordProof"}, "example": _example(kind)}}),
        ("401", "404", "406", "422", "503"),
        moves=kind.name != "testimony",
    )
    return {"get": told | {"tags": [kind.title]}}


def _example(kind: Kind) -> Json:
    """Return the proof of a record in a log of 256 leaves."""
    record = example(kind)
    shown = {name: value for name, value in record.items() if name not in ("revision", "updated")}
    leaf = leaves.disclosed(0, record["id"], 1, _AT, "created", hashlib.sha256(orjson.dumps(shown)).digest())
    salt = hashlib.sha256(record["id"].encode()).digest()
    log = [hashlib.sha256(b"%d" % n).digest() for n in range(WIDE)]
    log[37] = merkle.leaf_hash(leaves.commitment(leaf, salt))
    path = [one.hex() for one in merkle.inclusion_path(merkle.over(log), WIDE, 37)]
    note = Signer(bytes(32)).checkpoint(WIDE, merkle.root(log))
    return {"checkpoint": note, "form": {"leaf": leaf, "salt": salt.hex(), "index": 37, "path": path}}
