"""OpenAPI's operations of REST: parameters, bodies and answers of each endpoint."""

from __future__ import annotations

from typing import Any, Final

from app.http.edge import MAX_HEADER_BYTES, MAX_URI
from app.rest.answers import problem_answers, success_answers
from app.rest.call import JSON, JSON_PATCH, MERGE_PATCH
from app.rest.customers import PREFIX
from app.rest.descriptions import DESCRIPTIONS, part_descriptions
from app.rest.endpoint_problems import endpoint_problems
from app.rest.endpoints import Endpoint
from app.rest.examples import EXAMPLES, PATH_EXAMPLES
from app.rest.file_media import customer_files
from app.rest.parameters import Parameter
from app.rest.routes import ALIAS
from app.rest.shapes import UUID, bounded, ref
from resolvers.idempotency import KEY_PATTERN

Document = dict[str, Any]

PATH_PARAMETERS: Final = {
    "customerId": "The customer's id, a UUID: `id` of an answer, or the end of its `Location`.",
    "addressId": "The address's id, a UUID; the list of addresses shows it.",
    "phoneNumberId": "The phone number's id, a UUID; the list of phone numbers shows it.",
    "operationId": "The operation's id, a UUID: `id` of the 202, or the end of its `Location`.",
    "webhookId": "The webhook's id, a UUID: `id` of an answer, or the end of its `Location`.",
    "deliveryId": "The delivery's id, a UUID; the list of deliveries shows it.",
}
_NOUNS: Final = {"Addresses": ("address", "addresses"), "Phone numbers": ("phone number", "phone numbers")}


def rest_operation(endpoint: Endpoint) -> Document:
    """Return the operation of an endpoint."""
    scope = endpoint.operation.scope
    needs = f"Needs the scope `{scope}`." if scope else "Needs good credentials of any scope."
    instance = PREFIX + endpoint.path.format_map(PATH_EXAMPLES)
    operation: Document = {
        "operationId": endpoint.id,
        "summary": _summary(endpoint),
        "description": f"{_description(endpoint)}\n\n{needs} {_other_door(endpoint)}",
        "tags": [endpoint.tag],
        "parameters": [*map(_query_parameter, endpoint.parameters), *_header_parameters(endpoint)],
        "responses": {**success_answers(endpoint), **problem_answers(endpoint_problems(endpoint), instance)},
    }
    if endpoint.takes:
        operation["requestBody"] = _request_body(endpoint)
    if endpoint.kind == "import":
        operation["requestBody"] = {"required": True, "content": customer_files()}
    return operation


def _other_door(endpoint: Endpoint) -> str:
    if endpoint.operation.rest_alone:
        return f"Not in GraphQL: {endpoint.operation.rest_alone}"
    return f"In GraphQL: {', '.join(f'`{name}`' for name in endpoint.operation.graphql)}."


def _summary(endpoint: Endpoint) -> str:
    if endpoint.kind == "delete" and not _is_delete(endpoint):
        return f"Refused: one of the {endpoint.tag.lower()} must stay"
    return endpoint.operation.summary


def _is_delete(endpoint: Endpoint) -> bool:
    """Tell whether DELETE is what the operation is for."""
    return endpoint.operation.rest[0].startswith("DELETE ")


def _description(endpoint: Endpoint) -> str:
    name = endpoint.operation.name
    if name in DESCRIPTIONS:
        return DESCRIPTIONS[name]
    noun, plural = _NOUNS[endpoint.tag]
    whole = not endpoint.path.endswith("}")
    done = {"read": "list" if whole else "get", "create": "add", "delete": "clear" if whole else "remove"}
    changed = {kind: f"{said}All" if whole else said for kind, said in (("replace", "replace"), ("patch", "update"))}
    return part_descriptions(noun, plural)[{**done, **changed}[endpoint.kind]]


def alias_operation(endpoint: Endpoint) -> Document:
    """Return the operation of an endpoint at its old address, which answers with a `Link` to the new one."""
    operation = rest_operation(endpoint)
    return {
        **operation,
        "operationId": f"{endpoint.id}Alias",
        "summary": f"{operation['summary']} (old address)",
        "description": f"The same as `{PREFIX}{ALIAS}`, to which `Link` points; for old clients; new ones use that.\n\n"
        f"{operation['description']}",
    }


def _query_parameter(parameter: Parameter) -> Document:
    aliases = [name for name in parameter.names if name != parameter.name]
    also = f" Also taken as {', '.join(f'`{name}`' for name in aliases)}." if aliases else ""
    schema = bounded(dict(parameter.schema), MAX_URI)
    if parameter.repeatable:
        schema = {"type": "array", "items": schema, "maxItems": 100}
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description + also,
        "schema": schema,
        **({"example": parameter.example} if parameter.example is not None else {}),
        **({"explode": True} if parameter.repeatable else {}),
    }


def _header_parameters(endpoint: Endpoint) -> list[Document]:
    if not endpoint.versioned:
        names = [
            *(["IdempotencyKey"] if endpoint.operation.keyed else []),
            *(["Prefer"] if endpoint.kind in {"create", "patch"} else []),
        ]
        return [{"$ref": f"#/components/parameters/{name}"} for name in names]
    condition = ["IfMatch"] if "{" in endpoint.path else []
    names = {
        "read": [*condition, "IfNoneMatch"] if condition else [],
        "replace": ["IfMatchRequired", "IdempotencyKey", "Prefer"],
        "patch": ["IfMatchRequired", "IdempotencyKey", "Prefer"],
        "create": [*condition, "IdempotencyKey", "Prefer"],
        "import": ["IdempotencyKey", "Prefer"],
        "erase": ["IdempotencyKey"],
        "delete": condition,
        "batch": ["IdempotencyKey", "Prefer"],
        "bulk": ["IdempotencyKey", "Prefer"],
        "events": ["LastEventId"],
    }.get(endpoint.kind, [])
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def shared_parameters() -> Document:
    """Return the parameters that several operations refer to."""
    identifiers = {
        name: {
            "name": name,
            "in": "path",
            "required": True,
            "description": description,
            "schema": UUID,
            "example": PATH_EXAMPLES[name],
        }
        for name, description in PATH_PARAMETERS.items()
    }
    return {
        **identifiers,
        "IfMatch": _header(
            "If-Match",
            "Do it only to this version: the `ETag` of an answer, with its quotes. Another version is 412.",
            '"v3-d68825b3"',
        ),
        "IfMatchRequired": {
            **_header(
                "If-Match",
                "The `ETag` of the version that the change was made from, with its quotes; several may stand, "
                "separated by commas. `*` changes whatever is there, and may undo what somebody else did.",
                '"v3-d68825b3"',
            ),
            "required": True,
        },
        "IfNoneMatch": _header(
            "If-None-Match",
            "The `ETag` of what you have, several separated by commas: 304 without a body while one is still good.",
            '"v3-d68825b3"',
        ),
        "IdempotencyKey": {
            **_header(
                "Idempotency-Key",
                "A name of your own for this request, best a new UUID: 1 to 255 visible ASCII characters, or a string "
                "in quotes. Sent again with the same key within 24 hours, the request changes nothing twice and "
                "answers what it answered first, with `Idempotent-Replayed: true`.",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            "schema": {"type": "string", "minLength": 1, "maxLength": 512, "pattern": KEY_PATTERN},
        },
        "LastEventId": _header(
            "Last-Event-ID",
            "The `id` of the event that was read last: the stream goes on after it. Browsers send it by themselves. "
            "Without it the stream begins now. 410 where what came after it is not kept any more.",
            EXAMPLES["Event"]["id"],
        ),
        "Prefer": _header(
            "Prefer",
            "Preferences (RFC 7240), separated by commas; `Preference-Applied` tells which were kept. "
            "`handling=strict` refuses properties of the body that are unknown, or that the server makes (422); "
            "`return=minimal` answers a change by `id` and `updatedAt` alone.",
            "handling=strict, return=minimal",
        ),
    }


def _header(name: str, description: str, example: str) -> Document:
    schema = {"type": "string", "maxLength": MAX_HEADER_BYTES}
    return {"name": name, "in": "header", "description": description, "schema": schema, "example": example}


def _request_body(endpoint: Endpoint) -> Document:
    name = str(endpoint.takes)
    media: Document = {"schema": ref(name), "examples": {"example": {"summary": name, "value": EXAMPLES[name]}}}
    content: Document = {JSON: media}
    if endpoint.kind == "patch":
        content = {MERGE_PATCH: media, JSON: media, JSON_PATCH: _json_patch_media(name)}
    return {"required": True, "content": content}


def _json_patch_media(name: str) -> Document:
    """Return the JSON Patch that does to a resource what `name` does by merge patch."""
    value = EXAMPLES["ListJsonPatch" if name.endswith("Inputs") else name.replace("Patch", "JsonPatch")]
    return {"schema": ref("JsonPatch"), "examples": {"example": {"summary": "JSON Patch", "value": value}}}
