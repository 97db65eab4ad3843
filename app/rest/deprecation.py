"""What is deprecated at each endpoint of REST, found once; and what of it a request names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.http.deprecation import announce, use
from app.rest.endpoints import Endpoint
from app.rest.list_parameters import SEARCH_PARAMETERS
from app.rest.parameters import Parameters
from resolvers.context import Context
from resolvers.deprecation import Deprecation, Deprecations, unknown
from resolvers.filtering import camel_case
from resolvers.operations import OPERATIONS
from resolvers.problem import JsonValue
from resolvers.selection import PATHS

_BELOW: Final = {
    "Addresses": "addresses.",
    "Phone numbers": "phoneNumbers.",
    "Notification preferences": "notificationPreferences.",
}
"""Under which field of a customer the resources of a tag are."""
Named = Mapping[str, Deprecation]


@dataclass(frozen=True, slots=True)
class Notices:
    """What is deprecated at one endpoint: always, by the spelling of a parameter, by the field of what is shown.

    Fields are named as the endpoint's own resource has them.
    """

    endpoint: Endpoint
    always: tuple[Deprecation, ...]
    parameters: Named
    fields: Named

    def __bool__(self) -> bool:
        return bool(self.always or self.parameters or self.fields)

    def usage(self, request: Request, ctx: Context, given: Parameters) -> Usage:
        """Tell, and count, what a request names of it before its body is read. Raises retired."""
        chosen = given.one("fields")
        fields = None if chosen is None else {camel_case(name.strip()) for name in chosen.split(",")}
        announce(request.scope, self._shown(fields))
        pairs = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True)
        parameters = [self.parameters[name] for name, _ in pairs if name in self.parameters]
        use(
            request,
            ctx,
            [*self.always, *parameters, *(self.fields[name] for name in fields or () if name in self.fields)],
        )
        return Usage(self, request, ctx)

    def _shown(self, selected: Collection[str] | None) -> Iterator[Deprecation]:
        """Yield what the answer shows: all, or what stands below the fields that were selected."""
        for field, one in self.fields.items():
            steps = field.split(".")
            above = {".".join(steps[:count]) for count in range(1, len(steps) + 1)}
            if self.endpoint.gives and (selected is None or not above.isdisjoint(selected)):
                yield one

    def in_body(self, body: JsonValue) -> Iterator[Deprecation]:
        """Yield what a body names: fields, those of a JSON Patch too, and the parameters of a search."""
        if self.endpoint.kind == "search" and isinstance(body, dict):
            yield from (self.parameters[name] for name in body if name in self.parameters)
        batch = self.endpoint.kind in {"batch", "bulk"}
        for named in _paths(body):
            path = _IN_BATCH.sub("", named) if batch else named
            if path in self.fields:
                yield self.fields[path]


@dataclass(frozen=True, slots=True)
class Usage:
    """One request at an endpoint where something is deprecated."""

    notices: Notices
    request: Request
    ctx: Context

    def noticed(self, body: JsonValue) -> JsonValue:
        """Return the body, what it names told and counted. Raises retired."""
        use(self.request, self.ctx, self.notices.in_body(body))
        return body


_IN_BATCH: Final = re.compile(r"^(?:operations\.)?(?:(?:customer|patch)\.)?")
"""What stands before the path of a customer's field in the body of a batch."""


def _paths(value: JsonValue, above: str = "") -> Iterator[str]:
    """Yield the paths of all names in a body without the places in lists; of a patch, those that it changes."""
    if isinstance(value, list):
        for item in value:
            yield from _paths(item, above)
    elif isinstance(value, dict):
        if "op" in value and isinstance(value.get("path"), str):
            yield from _patched(value)
        for name, item in value.items():
            yield above + name
            yield from _paths(item, f"{above}{name}.")


def _patched(operation: Mapping[str, JsonValue]) -> Iterator[str]:
    steps = [step for step in str(operation["path"]).split("/")[1:] if not step.isdigit() and step != "-"]
    yield ".".join(steps)
    yield from _paths(operation.get("value"), "".join(f"{step}." for step in steps))


def check_places(deprecations: Deprecations, served: Collection[tuple[str, str]]) -> None:
    """Check that what is deprecated in REST is there; `served` are methods and addresses. Raises ValueError."""
    routes = {f"{method} {template}" for method, template in served}
    addresses = {place for _, template in served for place in _above(template)}
    known = {*routes, *addresses, *PATHS, *(operation.name for operation in OPERATIONS)}
    wanted = [place.partition("?")[0] for one in deprecations for place in (*one.rest, *one.fields, *one.operations)]
    if error := unknown(wanted, known):
        raise error


def notices_of(template: str, endpoint: Endpoint, deprecations: Deprecations) -> Notices:
    """Return what is deprecated where an endpoint is served at an address."""
    places = {f"{endpoint.method} {template}", *_above(template)}
    always = tuple(
        one for one in deprecations if places.intersection(one.rest) or endpoint.operation.name in one.operations
    )
    start = f"{endpoint.method} {template}?"
    spelled = {place.removeprefix(start): one for one in deprecations for place in one.rest if place.startswith(start)}
    known = {name for parameter in endpoint.parameters for name in parameter.names}
    if endpoint.kind == "search":
        known = {name for parameter in SEARCH_PARAMETERS for name in parameter.names}
    if error := unknown(spelled, known):
        raise error
    return Notices(endpoint, always, spelled, _fields(endpoint, deprecations))


def _above(template: str) -> Iterator[str]:
    steps = template.split("/")
    yield from ("/".join(steps[:count]) for count in range(2, len(steps) + 1))


def _fields(endpoint: Endpoint, deprecations: Deprecations) -> dict[str, Deprecation]:
    if endpoint.tag == "Customers":
        return {field: one for one in deprecations for field in one.fields}
    below = _BELOW.get(endpoint.tag)
    named = {field: one for one in deprecations for field in one.fields}
    return {field.removeprefix(below): one for field, one in named.items() if below and field.startswith(below)}
