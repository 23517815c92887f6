"""Names of types: what clients that are generated from the description call what stands in it more than once."""

from collections.abc import Iterator
from typing import Any

import orjson

from app.catalogue.openapi import pascal
from app.core.schema import Json

# A type -> a place where it stands: whatever is the same anywhere else is of this type too.
TYPES = {
    "Text": "IncidentShown/note",
    "LongText": "TestimonyShown/full_text",
    "TextByAudience": "IncidentSubmitted/title",
    "DisclosureBasis": "IncidentShown/disclosure_basis",
    "StandardOfProof": "IncidentShown/standard_of_proof",
    "Verification": "IncidentShown/verification",
    "Scope": "IncidentShown/scope",
    "ActorType": "ActorShown/type",
    "PlaceType": "PlaceShown/type",
    "WeaponsEventType": "WeaponsEventShown/type",
    "AccountType": "TestimonyShown/account_type",
    "Knowledge": "TestimonyShown/knowledge",
    "Confidence": "LinkShown/confidence",
    "PersonRole": "PersonShown/roles/items",
    "Sex": "PersonShown/sex",
    "AgeBand": "PersonShown/age_band",
    "ContentLevel": "AllowedSubmitted/content",
    "IdentityLevel": "AllowedSubmitted/identity",
    "PlaceLevel": "AllowedSubmitted/place",
    "DateLevel": "AllowedSubmitted/date",
    "Purpose": "AllowedSubmitted/purposes/items",
    "ConsentForm": "ConsentSubmitted/form",
    "WitnessForm": "WitnessSubmitted/form",
    "ObjectionTo": "ObjectionMade/to",
    "Condition": "AllowedSubmitted/conditions/items",
    "FollowUpStatus": "ShownFollowUp/status",
    "Right": "Me/roles/items",
    "CredentialKind": "Key/kind",
    "State": "IncidentStanding/state",
    "MadeBy": "IncidentStanding/change",
    "Objection": "IncidentStanding/objection",
    "Outcome": "IncidentWritten/outcome",
    "Warned": "IncidentWritten/warnings/items",
    "ChangeMade": "RecordChange/change",
    "KindName": "RecordChange/kind",
    "PastForm": "History/items/items",
    "Matched": "Meta/matched",
    "Boundary": "Meta/boundary",
    "CountsGroup": "Counts/items/items",
    "FacetValue": "Facet/values/items",
    "SecretMade": "Key/secrets/items",
    "RightInView": "Me/may/items",
    "ViewOfYours": "Me/views/items",
    "ProtectionReason": "ProtectionSubmitted/reasons/items",
    "FoundMeta": "FoundList/meta",
    "FoundOfKind": "FoundList/meta/kinds/items",
    "HighlightedText": "Highlights/items",
    "ImportedFile": "Import/file",
    "ImportForeseen": "ImportReport/foreseen",
    "ImportGain": "ImportReport/foreseen/gains/items",
    "ImportEntry": "ImportReport/entries/items",
    "WebhookChange": "RecordsChanged/data/changes/items",
    "AnswerLink": "FeatureCollection/links/items",
    "ProblemType": "Problem/type",
    "ProblemFault": "Problem/errors/items",
}
_SAID = ("title", "description", "default", "example", "examples")  # what of a schema says nothing of its type
_VALUES = ("const", "default", "enum", "example", "examples")  # members of a schema that hold no schema


def named(document: Json) -> Json:
    """Return the description with a name for each such type, and for each choice of a parameter.

    The titles that schemas of models have go: a type is called by its place, and two of one title would clash.
    """
    components: Json = document["components"]
    schemas: Json = components["schemas"]
    types = {name: _at(schemas, place) for name, place in TYPES.items()}
    known = {_content(schema): name for name, schema in types.items()}
    found = {name: _inside(schema, known) for name, schema in (schemas | types).items()}
    # Those of the plain names come first: what has the same values, for another kind, is of the same type.
    for key, parameter in sorted(components["parameters"].items(), key=lambda one: "-" in one[0]):
        for holder, member, choice in _choices(parameter):
            names = (pascal(parameter["name"]), pascal(key), f"{pascal(key)}Asked")
            of_its_own = (one for one in names if found.setdefault(one, choice) == choice)
            name = known.get(_content(choice)) or next(of_its_own, None)
            if name is None:
                raise AssertionError(f"two types would be called {pascal(key)}")
            holder[member] = _ref(name)
    for schema in found.values():
        _name_values(schema)
    components["schemas"] = dict(sorted(found.items()))
    return document


def _at(schemas: Json, place: str) -> Json:
    """Return the schema at a place, null aside, with what it says of itself but not of that place."""
    name, *path = place.split("/")
    schema: Json = schemas[name]
    for step in path:
        schema = schema["items"] if step == "items" and schema.get("type") == "array" else schema["properties"][step]
        schema = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    return {member: value for member, value in schema.items() if member not in _SAID}


def _content(schema: Json) -> bytes:
    bare = {member: value for member, value in schema.items() if member not in _SAID}
    return orjson.dumps(bare, option=orjson.OPT_SORT_KEYS)


def _inside(schema: Any, known: dict[bytes, str]) -> Any:
    """Return a schema with known types by their names in it."""
    if isinstance(schema, list):
        return [_typed(one, known) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found: Json = {}
    for member, value in schema.items():
        if member in ("properties", "patternProperties"):
            found[member] = {name: _typed(one, known) for name, one in value.items()}
        elif member in _VALUES:
            found[member] = value
        elif member != "title":
            found[member] = _typed(value, known)
    return found


def _typed(schema: Any, known: dict[bytes, str]) -> Any:
    if isinstance(schema, dict) and (name := known.get(_content(schema))) is not None:
        said = {member: schema[member] for member in _SAID[1:] if member in schema}
        return _ref(name) | said
    return _inside(schema, known)


def _choices(parameter: Json) -> Iterator[tuple[Json, str, Json]]:
    """Yield the closed list of words that a parameter, or each of its items, is: what holds it, where, and the list."""
    if "enum" in parameter["schema"]:
        yield parameter, "schema", parameter["schema"]
    elif "enum" in parameter["schema"].get("items", ()):
        yield parameter["schema"], "items", parameter["schema"]["items"]


def _name_values(schema: Json) -> None:
    """Say how values are called that are no words: generators would number them."""
    words = [str(value) for value in schema.get("enum", ())]
    if any(not word[:1].isalpha() for word in words):
        schema["x-enum-varnames"] = [_constant(word) for word in words]


def _constant(word: str) -> str:
    name = word.rpartition("/")[2] if "/" in word else word.removeprefix("-")
    return (name + ("_descending" if word.startswith("-") else "")).replace("-", "_").upper()


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
