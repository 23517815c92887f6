"""JSON Schema in Python: the few forms that descriptions of answers are made of."""

from typing import Any

Json = dict[str, Any]
MOMENT: Json = {"type": "string", "format": "date-time"}
TEXT: Json = {"type": "string"}
OPEN: Json = {"type": "object", "additionalProperties": True}  # without the second, some clients have it empty


def closed(properties: Json, required: list[str] | None = None, **more: Any) -> Json:
    """Return the schema of an object with these members and no others; all are required unless some are stated."""
    return {
        "type": "object",
        **more,
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def listed(item: Json) -> Json:
    """Return the schema of a list of something."""
    return {"type": "array", "items": item}


def or_null(schema: Json) -> Json:
    """Return a schema that null fits too."""
    return {**schema, "type": [schema["type"], "null"]}
