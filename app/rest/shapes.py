"""The shapes that OpenAPI's schemas are made of."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

_MAX_INTEGER: Final = 2**31 - 1
UUID: Final[Schema] = {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}
TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**53}


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed_object(properties: Schema, description: str) -> Schema:
    """Return an object that has all of these members and no others."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def open_object(properties: Schema, description: str, *optional: str) -> Schema:
    """Return an object that may have other members than these."""
    required = [name for name in properties if name not in optional]
    shape = {"type": "object", "description": description, "properties": properties, "required": required}
    return {**shape, "additionalProperties": True}


def bounded(schema: Schema, longest: int) -> Schema:
    """Say the bounds that hold for every parameter: integers of 32 bits, texts of at most `longest` characters."""
    if schema["type"] == "integer":
        return {"format": "int32", "maximum": _MAX_INTEGER, **schema}
    if schema["type"] == "string" and "enum" not in schema:
        return {**schema, "maxLength": min(schema.get("maxLength", longest), longest)}
    return schema
