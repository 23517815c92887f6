"""Made-up records for the tests of the models. Nobody in them is real."""

from typing import Any

TST = "tst-0000000000000000000000000a"
TST2 = "tst-0000000000000000000000000b"
INC = "inc-0000000000000000000000000a"
PER = "per-0000000000000000000000000a"
ACT = "act-0000000000000000000000000a"

CITATION = {"symbol": "TEST/1", "paragraph": "1", "source": "src-test"}
CONSENT = {
    "obtained_by": "A test",
    "obtained_on": "2020-05",
    "form": "written",
    "language": "ko",
    "recontact": True,
    "audiences": {"public": {"content": "summary", "purposes": ["publication"]}},
}


def a_testimony(**more: Any) -> dict[str, Any]:
    """Return a small valid testimony with some fields changed."""
    return {
        "kind": "testimony",
        "id": TST,
        "disclosure_basis": "published",
        "witness": {"form": "unnamed"},
        "recorded_by": "test-body",
        "citations": [CITATION],
        **more,
    }


def an_incident(**more: Any) -> dict[str, Any]:
    """Return a small valid incident with some fields changed."""
    return {
        "kind": "incident",
        "id": INC,
        "disclosure_basis": "published",
        "scope": "event",
        "date": "2012",
        "citations": [CITATION],
        **more,
    }


def a_place(**more: Any) -> dict[str, Any]:
    """Return a small valid place with some fields changed."""
    return {"kind": "place", "id": "test-place", "name": {"en": "A test place"}, "type": "other", **more}
