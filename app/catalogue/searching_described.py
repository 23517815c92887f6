"""What the description of the API says of search over all kinds."""

from app.catalogue.negotiate import JSON, NDJSON, bare
from app.catalogue.openapi import Description, example, ok, operation
from app.catalogue.searching import PATH
from app.catalogue.searching_asked import NAMES, PARAMETERS
from app.core.schema import Json, closed, listed
from app.records import BY_NAME, KINDS

_COUNT: Json = {"type": "integer", "minimum": 0}
_TAG = "Search"
_REF = "#/components/schemas/"
TAGS = [{"name": _TAG, "description": "Whatever has some words in its texts, of every kind."}]
_DOC = (
    "The records of all kinds that have the words of `q` in the texts that you may see: in English by their stems, in "
    "Korean, Chinese and Japanese by pairs of signs, Korean names in either script and any usual romanisation. "
    "`total` is exact; `meta.kinds` counts the kinds whether or not `kind` asks for them. A word that is nowhere has "
    "`meta.suggestions`. Lists of one kind take the same `q` beside their filters."
)


def paths(description: Description) -> Json:
    """Return the path of search; its parameters and schemas go to the description."""
    kind: Json = {"type": "string", "enum": list(NAMES)}
    description.schemas["Found"] = closed(
        {
            "kind": kind,
            "id": {"type": "string"},
            "url": {"type": "string", "format": "uri", "description": "Where the record is."},
            "record": {"anyOf": [{"$ref": _REF + one.shown.__name__} for one in KINDS]},
            "highlights": {"$ref": _REF + "Highlights"},
        },
        ["kind", "id", "url", "record"],
        description="A record that was found, as its list has it; with `highlights`, where the words stand in it.",
    )
    meta = closed(
        {
            "describes": {"type": "string", "description": "The question in words."},
            "kinds": listed(closed({"kind": kind, "count": _COUNT}))
            | {"description": "How many of each kind have the words, `kind` aside; the most first."},
            "scored": _COUNT
            | {"description": "How many were scored, with `sort=relevance`: the newest; the others follow by date."},
            "suggestions": listed({"$ref": _REF + "Suggestion"}),
        },
        ["describes", "kinds"],
        description="What is said of all that was found.",
    )
    description.schemas["FoundList"] = closed(
        {
            "items": listed({"$ref": _REF + "Found"}),
            "next": {
                "type": ["string", "null"],
                "format": "uri",
                "description": "The next page; null on the last one.",
            },
            "total": _COUNT | {"description": "How many there are on all pages together."},
            "meta": meta,
        }
    )
    asked: list[Json] = []
    for parameter in PARAMETERS.values():
        one = description.parameter(BY_NAME["place"], parameter, "search")
        if parameter.name == "q":
            description.parameters["q-search"]["required"] = True
        asked.append(one)
    content: Json = {
        bare(JSON): {"schema": {"$ref": _REF + "FoundList"}, "example": _example()},
        bare(NDJSON): {"schema": {"type": "string", "description": "One of `items` a line; `next` is in `Link`."}},
    }
    told = operation(
        "search", "Search in all kinds", _DOC, asked, ok(content, paged=True), ("401", "406", "414", "422", "503")
    )
    return {PATH: {"get": told | {"tags": [_TAG]}}}


def _example() -> Json:
    """Return an answer with the example of a period."""
    record = example(BY_NAME["period"])
    address = f"https://evidence.example/v1/periods/{record['id']}"
    item = {"kind": "period", "id": record["id"], "url": address, "record": record}
    meta = {"describes": "Periods with the words Kim Jong Un", "kinds": [{"kind": "period", "count": 1}]}
    return {"items": [item], "next": None, "total": 1, "meta": meta}
