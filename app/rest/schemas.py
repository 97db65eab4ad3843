"""The schemas of OpenAPI: the Customer JSON Schema, and what the input models say of themselves."""

from __future__ import annotations

import copy
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from storage.model import MAX_PARTS, AddressInput, CustomerInput, NotificationPreferencesInput, PhoneNumberInput
from storage.schema import customer_schema

Schema = dict[str, Any]

_DEFINITIONS: Final = {
    "address": "CustomerAddress",
    "phone": "CustomerPhoneNumber",
    "notificationPreferences": "NotificationPreferences",
}
_PART_ID: Final = {"type": "string", "format": "uuid", "description": "A stable id within the customer."}


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas() -> dict[str, Schema]:
    """Return all schemas by name."""
    shown = _customer()
    given = _inputs()
    return {
        **shown,
        **given,
        "CustomerPage": _page(),
        "Address": _part(shown["CustomerAddress"], "An address with its id."),
        "PhoneNumber": _part(shown["CustomerPhoneNumber"], "A phone number with its id."),
        "Addresses": _collection("Address"),
        "PhoneNumbers": _collection("PhoneNumber"),
        "AddressInputs": _list_of("AddressInput"),
        "PhoneNumberInputs": _list_of("PhoneNumberInput"),
        "CustomerPatch": _patch(given["CustomerInput"], notificationPreferences=ref("NotificationPreferencesPatch")),
        "AddressPatch": _patch(given["AddressInput"]),
        "PhoneNumberPatch": _patch(given["PhoneNumberInput"]),
        "NotificationPreferencesPatch": _patch(given["NotificationPreferencesInput"]),
        "Changed": _object({"id": _PART_ID, "updatedAt": _time()}, "What changed, and when."),
        "Viewer": _viewer(),
        "JsonPatch": _json_patch(),
        "Problem": _problem(),
        "EnvelopedErrors": _enveloped_errors(),
        "Health": _object({"status": {"type": "string", "enum": ["live", "ready"]}}, "How the gateway is."),
    }


def _customer() -> dict[str, Schema]:
    schema = copy.deepcopy(customer_schema())
    definitions = schema.pop("$defs")
    for name in ("$schema", "$id"):
        schema.pop(name)
    properties = schema["properties"]
    properties["addresses"]["items"] = ref("CustomerAddress")
    properties["phoneNumbers"]["items"] = ref("CustomerPhoneNumber")
    properties["notificationPreferences"] = ref("NotificationPreferences")
    renamed = {_DEFINITIONS[name]: {**definition} for name, definition in definitions.items()}
    for name, definition in renamed.items():
        definition.setdefault("description", f"{name} as the Customer JSON Schema has it.")
    return {"Customer": schema, **renamed}


def _inputs() -> dict[str, Schema]:
    models = (CustomerInput, AddressInput, PhoneNumberInput, NotificationPreferencesInput)
    _, made = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    definitions: dict[str, Schema] = made["$defs"]
    return {name: _tidy(schema) for name, schema in definitions.items()}


def _tidy(schema: Schema) -> Schema:
    """Take away what pydantic adds for other readers: titles of properties."""
    properties = {
        name: {key: value for key, value in prop.items() if key != "title"}
        for name, prop in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _patch(schema: Schema, **replaced: Schema) -> Schema:
    """Return a merge patch's schema: nothing is required, what is omitted stays."""
    properties = {
        name: {key: value for key, value in prop.items() if key != "default"}
        for name, prop in {**schema["properties"], **replaced}.items()
    }
    return {"type": "object", "description": "What is omitted stays (RFC 7396).", "properties": properties}


def _object(properties: Schema, description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _part(schema: Schema, description: str) -> Schema:
    return {
        **schema,
        "description": description,
        "properties": {"id": _PART_ID, **schema["properties"]},
        "required": ["id", *schema["required"]],
    }


def _collection(name: str) -> Schema:
    items = {"type": "array", "items": ref(name), "minItems": 1, "maxItems": MAX_PARTS}
    return _object({"content": items}, "A whole nested collection.")


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": ref(name), "minItems": 1, "maxItems": MAX_PARTS}


def _time() -> Schema:
    return {"type": "string", "format": "date-time"}


def _page() -> Schema:
    number = {"type": "integer", "minimum": 0}
    page = _object(
        {"page": number, "size": number, "totalElements": number, "totalPages": number}, "Which page, of how many."
    )
    page["required"] = ["size"]
    content = {"type": "array", "items": ref("Customer"), "maxItems": 100}
    return _object({"content": content, "page": page}, "A page of customers.")


def _viewer() -> Schema:
    scopes = {"type": "array", "items": {"type": "string"}, "maxItems": 10}
    return _object({"id": _PART_ID, "name": {"type": "string"}, "scopes": scopes}, "Who the credentials belong to.")


def _json_patch() -> Schema:
    pointer = {"type": "string", "format": "json-pointer"}
    operation = {
        "type": "object",
        "properties": {
            "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": pointer,
            "from": pointer,
            "value": {"description": "Any JSON value."},
        },
        "required": ["op", "path"],
    }
    return {"type": "array", "items": operation, "maxItems": 100, "description": "A JSON Patch (RFC 6902)."}


def _problem() -> Schema:
    text = {"type": "string"}
    fault = _object({"field": text, "pointer": text, "message": text}, "One fault in what was sent.")
    schema = _object(
        {
            "type": {"type": "string", "format": "uri", "description": "The page that describes the problem."},
            "title": text,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text,
            "instance": {**text, "description": "The path of the request."},
            "code": {"type": "integer", "description": "The gateway's own number of the problem."},
            "requestId": {**text, "description": "The request's id, also in the log."},
            "resource": text,
            "errors": {"type": "array", "items": fault, "description": "All faults of a body.", "maxItems": 10_000},
        },
        "A problem (RFC 9457); other members may stand beside these.",
    )
    schema["required"].remove("errors")
    schema["additionalProperties"] = True
    return schema


def _enveloped_errors() -> Schema:
    text = {"type": "string"}
    number = {"type": "integer"}
    entry = _object(
        {"httpStatus": number, "request_id": text, "code": number, "resource": text, "title": text, "message": text},
        "One error, in the enveloped profile.",
    )
    return _object({"errors": {"type": "array", "items": entry, "maxItems": 10_000}}, "Errors, enveloped.")
