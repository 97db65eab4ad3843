"""OpenAPI's view of what is deprecated: marked at operations, parameters and properties, told in answers' headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from app.rest.answers import problem_answers
from app.rest.customers import PREFIX
from app.rest.deprecation import Notices, notices_of
from app.rest.endpoint_problems import endpoint_problems
from app.rest.endpoints import ENDPOINTS, Endpoint
from app.rest.examples import PATH_EXAMPLES
from app.rest.routes import ALIAS
from resolvers.deprecation import Deprecation, Deprecations
from resolvers.problems import RETIRED

Document = dict[str, Any]

_HEADERS: Final = {
    "Deprecation": {
        "description": "Since when something that the answer is about is deprecated (RFC 9745): `@` and seconds.",
        "schema": {"type": "string", "pattern": "^@[0-9]+$", "maxLength": 32},
    },
    "Sunset": {
        "description": "When that ends (RFC 8594): from then on 410.",
        "schema": {"type": "string", "maxLength": 64},
    },
}
_SCHEMAS: Final = {
    "": ("Customer", "CustomerInput", "CustomerPatch"),
    "addresses": ("CustomerAddress", "Address", "AddressInput", "AddressPatch"),
    "phoneNumbers": ("CustomerPhoneNumber", "PhoneNumber", "PhoneNumberInput", "PhoneNumberPatch"),
    "notificationPreferences": (
        "NotificationPreferences",
        "NotificationPreferencesInput",
        "NotificationPreferencesPatch",
    ),
}
"""The schemas that describe what stands below a field of a customer."""


def mark_deprecations(document: Document, deprecations: Deprecations) -> None:
    """Say in the document what is deprecated; it stays as it is where nothing is."""
    if not deprecations:
        return
    document["info"]["description"] += f"\n## Deprecations\n\n{deprecation_table(deprecations)}"
    document["components"]["headers"] |= _HEADERS
    for path, method, endpoint in _served():
        notices = notices_of(path, endpoint, deprecations)
        if notices:
            _mark_operation(document["paths"][path][method], notices)
    _mark_graphql(document["paths"]["/graphql"], deprecations)
    for one in deprecations:
        for field in one.fields:
            _mark_field(document["components"]["schemas"], field, one)


def deprecation_table(deprecations: Deprecations) -> str:
    """Return what is deprecated as a table in Markdown, or the sentence that nothing is."""
    if not deprecations:
        return "Nothing is deprecated.\n"
    head = "| What | Since | Ends | Instead | More |\n| --- | --- | --- | --- | --- |\n"
    return head + "".join(f"| {' | '.join(_cells(one))} |\n" for one in deprecations)


def _cells(one: Deprecation) -> Iterator[str]:
    yield one.what
    yield f"{one.since:%Y-%m-%d}"
    yield f"{one.sunset:%Y-%m-%d}" if one.sunset else "not decided"
    yield one.instead
    yield f"[{one.name}]({one.link})"


def _served() -> Iterator[tuple[str, str, Endpoint]]:
    for endpoint in ENDPOINTS:
        yield PREFIX + endpoint.path, endpoint.method.lower(), endpoint
        if endpoint.path == ALIAS and endpoint.method in {"GET", "POST"}:
            yield ALIAS, endpoint.method.lower(), endpoint


def _mark_operation(operation: Document, notices: Notices) -> None:
    entries = [*notices.always, *notices.parameters.values(), *notices.fields.values()]
    if notices.always:
        operation["deprecated"] = True
        operation["description"] += "".join(f"\n\n**{one.notice}**" for one in notices.always)
    spelled = {name: parameter.name for parameter in notices.endpoint.parameters for name in parameter.names}
    for name, one in notices.parameters.items():
        _mark_parameter(operation, spelled.get(name, name), name, one)
    if any(one.sunset for one in entries):
        _add_retired(operation, notices.endpoint)
    _tell_in_headers(operation["responses"])


def _mark_parameter(operation: Document, name: str, spelling: str, one: Deprecation) -> None:
    """Mark a parameter, or only tell of one spelling of it."""
    for parameter in operation["parameters"]:
        if parameter.get("name") == name:
            parameter["description"] += f" `{spelling}`: {one.notice}"
            if spelling == name:
                parameter["deprecated"] = True


def _add_retired(operation: Document, endpoint: Endpoint) -> None:
    kinds = tuple(kind for kind in (*endpoint_problems(endpoint), RETIRED) if kind.status == RETIRED.status)
    answers = {**operation["responses"], **problem_answers(kinds, PREFIX + endpoint.path.format_map(PATH_EXAMPLES))}
    operation["responses"] = dict(sorted(answers.items()))


def _tell_in_headers(answers: Mapping[str, Document]) -> None:
    for answer in answers.values():
        answer["headers"] |= {name: {"$ref": f"#/components/headers/{name}"} for name in (*_HEADERS, "Link")}


def _mark_graphql(item: Document, deprecations: Iterable[Deprecation]) -> None:
    if any(one.graphql or one.operations for one in deprecations):
        for operation in item.values():
            _tell_in_headers(operation["responses"])


def _mark_field(schemas: Document, field: str, one: Deprecation) -> None:
    above, _, name = field.rpartition(".")
    for schema in _SCHEMAS[above]:
        described = schemas[schema]["properties"][name]
        said = " ".join(filter(None, (described.get("description"), one.notice)))
        schemas[schema]["properties"][name] = {**described, "deprecated": True, "description": said}
