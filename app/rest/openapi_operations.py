"""OpenAPI's operations of REST: parameters, bodies and answers of each endpoint."""

from __future__ import annotations

from typing import Any, Final

from app.http.edge import MAX_HEADER_BYTES, MAX_URI
from app.rest.answers import endpoint_problems, problem_answers, success_answers
from app.rest.call import JSON, JSON_PATCH, MERGE_PATCH
from app.rest.customers import PREFIX
from app.rest.endpoints import Endpoint
from app.rest.examples import EXAMPLES, PATH_EXAMPLES
from app.rest.parameters import Parameter
from app.rest.routes import ALIAS
from app.rest.shapes import UUID, bounded, ref

Document = dict[str, Any]

PATH_PARAMETERS: Final = {
    "customerId": "The customer's id.",
    "addressId": "The address's id.",
    "phoneNumberId": "The phone number's id.",
}


def rest_operation(endpoint: Endpoint) -> Document:
    """Return the operation of an endpoint."""
    scope = endpoint.operation.scope
    needs = f"Needs the scope `{scope}`." if scope else "Needs good credentials."
    instance = PREFIX + endpoint.path.format_map(PATH_EXAMPLES)
    operation: Document = {
        "operationId": endpoint.id,
        "summary": endpoint.operation.summary,
        "description": f"{needs} In GraphQL: {', '.join(f'`{name}`' for name in endpoint.operation.graphql)}.",
        "tags": [endpoint.tag],
        "parameters": [*map(_query_parameter, endpoint.parameters), *_header_parameters(endpoint)],
        "responses": {**success_answers(endpoint), **problem_answers(endpoint_problems(endpoint), instance)},
    }
    if endpoint.takes:
        operation["requestBody"] = _request_body(endpoint)
    return operation


def alias_operation(endpoint: Endpoint) -> Document:
    """Return the operation of an endpoint at its old address, which answers with a `Link` to the new one."""
    operation = rest_operation(endpoint)
    return {
        **operation,
        "operationId": f"{endpoint.id}Alias",
        "summary": f"{operation['summary']} (old address)",
        "description": f"{operation['description']} The same as `{PREFIX}{ALIAS}`, to which `Link` points.",
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
    condition = ["IfMatch"] if "{" in endpoint.path else []
    names = {
        "read": ["IfNoneMatch"] if "{" in endpoint.path else [],
        "replace": ["IfMatchRequired", "Prefer"],
        "patch": ["IfMatchRequired", "Prefer"],
        "create": [*condition, "Prefer"],
        "delete": condition,
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
        "IfMatch": _header("If-Match", "Refuse unless this is the ETag of the present version.", '"v3-d68825b3"'),
        "IfMatchRequired": {
            **_header("If-Match", "The ETag of the version that the change was made from, or `*`.", '"v3-d68825b3"'),
            "required": True,
        },
        "IfNoneMatch": _header(
            "If-None-Match", "ETags that the client has; if one is still good: 304.", '"v3-d68825b3"'
        ),
        "Prefer": _header(
            "Prefer",
            "`handling=strict` refuses unknown properties; `return=minimal` answers a change shortly.",
            "handling=strict",
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
