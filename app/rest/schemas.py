"""The schemas of OpenAPI: the Customer JSON Schema, and what the input models say of themselves."""

from __future__ import annotations

import copy
from typing import Final

from pydantic.json_schema import models_json_schema

from app.rest.batch_schemas import batch_schemas, enveloped_batch_schemas
from app.rest.events import TYPES
from app.rest.job_schemas import job_schemas
from app.rest.list_parameters import SEARCH_PARAMETERS
from app.rest.odata import MAX_LENGTH
from app.rest.parameters import Parameter
from app.rest.problem_schemas import problem_schemas
from app.rest.shapes import COUNT, TEXT, UUID, Schema, bounded, closed_object, ref
from app.rest.webhook_schemas import webhook_schemas
from resolvers.context import ALL_SCOPES
from storage.documents import PARTS
from storage.model import MAX_PARTS, AddressInput, CustomerInput, NotificationPreferencesInput, PhoneNumberInput
from storage.query import MAX_SIZE
from storage.schema import customer_schema

_DEFINITIONS: Final = {
    "address": "CustomerAddress",
    "phone": "CustomerPhoneNumber",
    "notificationPreferences": "NotificationPreferences",
}
_PART_ID: Final = {**UUID, "description": "A stable id within the customer."}
_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"
_ANY_TEXT: Final = f"^[^{_CONTROL}]*$"
_NOT_BLANK: Final = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"


def schemas() -> dict[str, Schema]:
    """Return all schemas by name."""
    shown = _customer()
    given = _inputs()
    return {
        **shown,
        **given,
        "CustomerPage": _page(),
        "Explanation": _explanation(),
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
        "Changed": closed_object({"id": _PART_ID, "updatedAt": _time()}, "What changed, and when."),
        "CustomerSearch": _search(),
        "Viewer": _viewer(),
        "Event": _event(),
        "JsonPatch": _json_patch(),
        **batch_schemas(),
        **job_schemas(),
        **_envelopes(),
        **webhook_schemas(),
        **problem_schemas(),
        "Health": closed_object({"status": {"type": "string", "enum": ["live", "ready"]}}, "How the gateway is."),
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
    canonical = customer_schema()["$defs"]
    patterns = {"AddressInput": canonical["address"], "PhoneNumberInput": canonical["phone"]}
    return {name: _tidy(_with_patterns(schema, patterns.get(name))) for name, schema in definitions.items()}


def _with_patterns(schema: Schema, canonical: Schema | None) -> Schema:
    """Say the patterns of the Customer JSON Schema, which the model checks and pydantic leaves out."""
    properties = dict(schema["properties"])
    for name, prop in canonical["properties"].items() if canonical else ():
        if "pattern" in prop:
            properties[name] = {**properties[name], "pattern": prop["pattern"]}
    return {**schema, "properties": properties}


def _tidy(schema: Schema) -> Schema:
    """Say what text may hold; leave out titles, and defaults of null, which make generators demand the property."""
    properties = {
        name: _legible({key: value for key, value in prop.items() if key not in {"title", "default"}})
        for name, prop in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _legible(schema: Schema) -> Schema:
    """Say of text that it holds no control characters, and is not blank where it may not be empty."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_legible(option) for option in schema["anyOf"]]}
    if schema.get("type") != "string" or schema.keys() & {"pattern", "format", "enum"}:
        return schema
    return {**schema, "pattern": _NOT_BLANK if schema.get("minLength") else _ANY_TEXT}


def _patch(schema: Schema, **replaced: Schema) -> Schema:
    """Return a merge patch's schema: nothing is required, what is omitted stays."""
    properties = {**schema["properties"], **replaced}
    return {"type": "object", "description": "What is omitted stays (RFC 7396).", "properties": properties}


def _part(schema: Schema, description: str) -> Schema:
    return {
        **schema,
        "description": description,
        "properties": {"id": _PART_ID, **schema["properties"]},
        "required": ["id", *schema["required"]],
    }


def _collection(name: str) -> Schema:
    items = {"type": "array", "items": ref(name), "minItems": 1, "maxItems": MAX_PARTS}
    return closed_object({"content": items}, "A whole nested collection.")


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": ref(name), "minItems": 1, "maxItems": MAX_PARTS}


def _time() -> Schema:
    return {"type": "string", "format": "date-time"}


def _page() -> Schema:
    numbers = {"page": COUNT, "size": COUNT, "totalElements": COUNT, "totalPages": COUNT}
    page = {**closed_object(numbers, "Which page, of how many."), "required": ["size"]}
    content = {"type": "array", "items": ref("Customer"), "maxItems": MAX_SIZE}
    shape = closed_object({"content": content, "page": page, "explain": ref("Explanation")}, "A page of customers.")
    return {**shape, "required": ["content", "page"]}


def _explanation() -> Schema:
    """Return the schema of what `explain` shows; a list without customers has it, so that clients need no union."""
    name = {"type": "string", "maxLength": 128}
    query = {"type": "object", "description": "MongoDB's command, bytes in hexadecimal.", "additionalProperties": True}
    shape = {
        "query": query,
        "indexes": {"type": "array", "description": "The indexes it went by.", "items": name, "maxItems": 64},
        "scansCollection": {"type": "boolean", "description": "Whether it read everything."},
        "sorts": {"type": "boolean", "description": "Whether the order was made after reading."},
        "keysExamined": COUNT,
        "documentsExamined": COUNT,
        "returned": COUNT,
        "milliseconds": {**COUNT, "description": "The store's own time."},
    }
    return closed_object(shape, "With `explain` alone: how the store answers. No customers are shown beside it.")


def _viewer() -> Schema:
    scopes = {"type": "array", "items": {"type": "string", "enum": list(ALL_SCOPES)}, "maxItems": len(ALL_SCOPES)}
    numbers = {name: {"type": "integer", "minimum": 0} for name in ("limit", "left", "window", "reset")}
    quota = {
        "type": "array",
        "description": "What is left to spend, the least first; times in seconds.",
        "items": closed_object({"name": {"type": "string", "enum": ["caller", "daily"]}, **numbers}, "One limit."),
        "maxItems": 2,
    }
    shape = {"id": TEXT, "name": TEXT, "scopes": scopes, "quota": quota}
    return closed_object(shape, "Who the credentials belong to.")


def _event() -> Schema:
    """Return the schema of an event, as streams and webhooks tell it."""
    changed = {
        "type": "array",
        "description": "The names of the parts that changed: all of a new customer, none of one that was erased.",
        "items": {"type": "string", "enum": list(PARTS)},
        "maxItems": len(PARTS),
    }
    data = closed_object({"customerId": UUID, "version": COUNT, "changed": changed}, "Which customer, and what of it.")
    shape = {
        "id": {**TEXT, "maxLength": 512},
        "type": {"type": "string", "enum": list(TYPES)},
        "timestamp": {**_time(), "maxLength": 24},
        "data": data,
    }
    return closed_object(shape, "One change of one customer, without any value of it.")


def _search() -> Schema:
    """Return the schema of a search's body: the parameters of lists that it takes."""
    properties = {
        parameter.name: {"description": parameter.description, **_one_or_more(parameter)}
        for parameter in SEARCH_PARAMETERS
    }
    return {
        "type": "object",
        "description": "A list's question; where several values can stand, a list of texts is taken too.",
        "properties": properties,
        "additionalProperties": False,
    }


def _one_or_more(parameter: Parameter) -> Schema:
    one = bounded(dict(parameter.schema), MAX_LENGTH)
    if one.get("type") != "string" or "enum" in one:
        return one
    return {"anyOf": [one, {"type": "array", "items": one, "maxItems": 100}]}


def _json_patch() -> Schema:
    pointer = {"type": "string", "format": "json-pointer", "maxLength": 1000}
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


def _envelopes() -> dict[str, Schema]:
    """Return the enveloped representation of everything (REST API Design Guidelines)."""
    pagination = closed_object({"page": COUNT, "page_size": COUNT, "total_count": COUNT}, "Which page, of how many.")
    metadata = closed_object(
        {"pagination": {**pagination, "required": ["page_size"]}}, "What is not the resource itself."
    )
    ones = {"Customer": "customer", "Address": "address", "PhoneNumber": "phoneNumber", "Viewer": "viewer"}
    ones["NotificationPreferences"] = "notificationPreferences"
    ones["Operation"] = "operation"
    lists = {"CustomerPage": ("customers", "Customer"), "Addresses": ("addresses", "Address")}
    lists["PhoneNumbers"] = ("phoneNumbers", "PhoneNumber")
    lists["Operations"] = ("operations", "Operation")
    wrapped = {name: closed_object({key: ref(name)}, f"{name}, enveloped.") for name, key in ones.items()}
    for name, (key, item) in lists.items():
        items = {"type": "array", "items": ref(item), "maxItems": MAX_SIZE}
        wrapped[name] = closed_object({key: items, "metadata": metadata}, f"{name}, enveloped.")
    wrapped["CustomerPage"]["properties"]["explain"] = ref("Explanation")
    return {f"Enveloped{name}": schema for name, schema in wrapped.items()} | enveloped_batch_schemas(metadata)
