"""What the description of the API says of duplicates: proposals, decisions, and what was decided."""

from typing import Any

from app.access.described import PURPOSE, models, ref
from app.access.operations import PAGED, operation, query
from app.core.schema import MOMENT, TEXT, Json, closed, listed, or_null
from app.duplicates.deciding import DECISIONS, OUTCOMES
from app.duplicates.handling import BASE, KINDS, NewDecision
from app.duplicates.model import MODELS

TAG = "Duplicates"
TAGS = [
    {"name": TAG, "description": "Records that may be one: proposed, decided by people, never merged by themselves."}
]
_ONE, _OTHER = "per-68s4te5cxbccjaqbgqzy10b8jh", "per-33fhnhyemnqtxtj950xaj2exh7"
_KIND: Json = {"type": "string", "enum": sorted(MODELS)}
PROPOSAL: Json = {
    "kind": "person",
    "record": _ONE,
    "other": _OTHER,
    "ask": None,
    "score": 0.9941,
    "reasons": [{"on": "name", "says": "same", "weight": 10.05}, {"on": "left", "says": "same-year", "weight": 2.81}],
    "tag": f"{_OTHER}.5f2b8c1de093-{_ONE}.0a1b2c3d4e5f",
}
DECIDED: Json = {
    "kind": "person",
    "records": [_OTHER, _ONE],
    "decision": "accept",
    "outcome": "merged",
    "reason": "One interview, entered by two people.",
    "at": "2026-11-24T10:31:26.123Z",
    "credential": "crd-33fhnhyemnqtxtj950xaj2exh7",
}


def schemas() -> Json:
    """Return the schemas of all that is answered here."""
    paged = {"next": or_null(TEXT | {"format": "uri"})}
    reason = closed(
        {
            "on": {"type": "string", "enum": sorted({one.on for model in MODELS.values() for one in model})},
            "says": {
                "type": "string",
                "enum": sorted({level.says for model in MODELS.values() for one in model for level in one.levels}),
            },
            "weight": {"type": "number", "description": "In bits: above 0 for their being one, below 0 against it."},
        }
    )
    proposal = closed(
        {
            "kind": _KIND,
            "record": TEXT | {"description": "Held by your organisation; of two of yours the one that came later."},
            "other": or_null(TEXT)
            | {"description": "null: another organisation holds it under consent, and is to be asked."},
            "ask": or_null(TEXT) | {"description": "The organisation that holds the other one; null: yours."},
            "score": {"type": "number", "minimum": 0, "maximum": 1, "description": "How likely it is, as modelled."},
            "reasons": listed(ref("DuplicateReason"))
            | {"description": "The weightiest first; none where there is somebody to ask."},
            "tag": or_null(TEXT) | {"description": "Of both as your view shows them now: a decision may name it."},
        },
        description="Two records that may be one.",
    )
    decided = {
        "kind": _KIND,
        "records": listed(TEXT),
        "decision": {"type": "string", "enum": list(DECISIONS)},
        "outcome": {
            "type": "string",
            "enum": list(OUTCOMES),
            "description": "merged: into one. linked: said to be one with another organisation's. unlinked: no longer. "
            "kept: nothing else came of it.",
        },
        "reason": or_null(TEXT) | {"description": "null: one of the two was erased, and the reason with it."},
        "at": MOMENT,
        "credential": TEXT,
    }
    advice = or_null(TEXT) | {"description": "What is left to do, where two organisations are concerned."}
    return models(NewDecision) | {
        "DuplicateReason": reason,
        "Duplicate": proposal,
        "DuplicateList": closed(
            {"items": listed(ref("Duplicate")), **paged, "total": {"type": "integer", "minimum": 0}}
        ),
        "DuplicateDecision": closed(decided),
        "DuplicateDecided": closed({**decided, "advice": advice}),
        "DuplicateDecisionList": closed({"items": listed(ref("DuplicateDecision")), **paged}),
    }


def _of(name: str, summary: str, doc: str, answer: Any, statuses: tuple[str, ...], **more: Any) -> Json:
    return operation(name, summary, doc, answer, ("401", "403", "422", *statuses), role="steward", tag=TAG, **more)


def paths() -> Json:
    """Return the description of every route of duplicates."""
    who = "For `steward` or `contribute`, with `read`."
    return {
        BASE: {
            "get": _of(
                "listDuplicates",
                "Which records may be one?",
                f"Pairs that nobody decided yet, the surest first, by what your view shows alone. {who}",
                ("200", "DuplicateList", {"items": [PROPOSAL], "next": None, "total": 1}),
                (),
                parameters=(
                    query("kind", "Of which kind.", {"type": "string", "enum": list(KINDS)}, "people")
                    | {"required": True},
                    query("record", "Only pairs with this one.", TEXT, _ONE),
                    *PAGED,
                    PURPOSE,
                ),
            ),
            "post": _of(
                "decideDuplicate",
                "Say whether two records are one",
                "Accepted, the first is merged into the second where your organisation holds both; of a person whom "
                "another organisation holds it is said that they are one, which counts once they say so too. Refused, "
                f"they are proposed again only once one was changed. {who}",
                ("200", "DuplicateDecided", DECIDED | {"advice": None}),
                ("409", "412", "413", "415"),
                body=("NewDecision", {"records": [_ONE, _OTHER], "decision": "accept", "reason": DECIDED["reason"]}),
                parameters=(PURPOSE,),
            ),
        },
        f"{BASE}/decisions": {
            "get": _of(
                "listDuplicateDecisions",
                "What was decided",
                f"By your organisation in this view, the newest first. {who}",
                ("200", "DuplicateDecisionList", {"items": [DECIDED], "next": None}),
                (),
                parameters=(*PAGED, PURPOSE),
            ),
        },
    }


def describe(document: Json) -> Json:
    """Add all of it to the description of the API."""
    document["paths"] |= paths()
    document["tags"] += TAGS
    components = document["components"]
    components["schemas"] = dict(sorted((components["schemas"] | schemas()).items()))
    return document
