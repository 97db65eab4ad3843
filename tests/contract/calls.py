"""One request for every REST route and every GraphQL field of every operation, with all that it needs to succeed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from graphql import (
    GraphQLArgument,
    GraphQLNonNull,
    GraphQLObjectType,
    ast_from_value,
    build_schema,
    get_named_type,
    is_composite_type,
    print_ast,
)

from app.cli.documents import graphql_schema
from app.http.event_source import EVENT_STREAM
from app.rest.customers import PREFIX
from app.rest.endpoints import ENDPOINTS
from resolvers.operation import Operation
from tests.parity.doors import upper

SDL: Final = build_schema(graphql_schema())
INSIDE: Final = {"Customer": "customer(id: {})", "CustomerConnection": "customers"}
"""Where a field stands that is an operation of its own and no root field."""
PATHS: Final = {"addresses": "addressId", "phone-numbers": "phoneNumberId"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """A customer in the store with two addresses and two phone numbers, so that one of each can go."""

    id: str
    version: int
    address: str
    phone: str


def answer(client: httpx2.Client, method: str, url: str, **options: Any) -> httpx2.Response:
    """Send a request and return its answer; of a stream, which does not end, the first piece."""
    with client.stream(method, url, **options) as response:
        if not response.headers.get("Content-Type", "").startswith(EVENT_STREAM):
            response.read()
            return response
        first = next(response.iter_bytes(), b"")
    return httpx2.Response(response.status_code, headers=response.headers, content=first)


@dataclass(frozen=True)
class Call:
    """A request of an operation; `name` is the route or the field as the operation declares it."""

    name: str
    method: str
    url: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, client: httpx2.Client, **headers: str) -> httpx2.Response:
        """Send it."""
        return answer(client, self.method, self.url, json=self.body, headers={**self.headers, **headers})


def store(client: httpx2.Client, person: Json) -> Stored:
    """Create a customer and return its ids."""
    twice = {name: person[name] * 2 for name in ("addresses", "phoneNumbers")}
    created = client.post(f"{PREFIX}/customers", json={**person, **twice})
    assert created.status_code == 201, created.text
    url = f"{PREFIX}/customers/{created.json()['id']}"
    address, phone = (client.get(f"{url}/{path}").json()["content"][0]["id"] for path in PATHS)
    return Stored(created.json()["id"], 1, address, phone)


def calls(operation: Operation[Any, Any], stored: Stored, person: Json) -> Iterator[Call]:
    """Give the requests of an operation at both doors; what they write is taken from `person`."""
    yield from (call_of(name, stored, person) for name in (*operation.rest, *operation.graphql))


def call_of(name: str, stored: Stored, person: Json) -> Call:
    """Return the request of a route, such as `GET /customers`, or of a field, such as `Query.customers`."""
    return rest_call(name, stored, person) if " " in name else graphql_call(name, stored, person)


def rest_call(route: str, stored: Stored, person: Json) -> Call:
    """Return the request of a route."""
    method, _, address = route.partition(" ")
    path, question, query = address.partition("?")
    takes = next(one.takes for one in ENDPOINTS if (one.method, one.path) == (method, path))
    known = {
        "customerId": stored.id, "addressId": stored.address, "phoneNumberId": stored.phone,
        "id": stored.id, "email": person["email"], "cursor": "",
    }  # fmt: skip
    filled = re.sub(r"\{(\w+)\}", lambda found: known[found[1]], f"{path}{question}{query}")
    headers = {"If-Match": "*"} if method in {"PUT", "PATCH"} else {}
    return Call(route, method, PREFIX + filled, _bodies(person)[takes] if takes else None, headers)


def _bodies(person: Json) -> Json:
    addresses, phones, preferences = (person[name] for name in ("addresses", "phoneNumbers", "notificationPreferences"))
    return {
        "CustomerInput": person,
        "CustomerPatch": person,
        "CustomerSearch": {"filter": f"email eq '{person['email']}'", "q": person["lastName"]},
        "AddressInput": addresses[0],
        "AddressPatch": addresses[0],
        "AddressInputs": addresses,
        "PhoneNumberInput": phones[0],
        "PhoneNumberPatch": phones[0],
        "PhoneNumberInputs": phones,
        "NotificationPreferencesInput": preferences,
        "NotificationPreferencesPatch": preferences,
    }


def graphql_call(name: str, stored: Stored, person: Json, *, literal: bool = False) -> Call:
    """Return the request of a field, its arguments as variables or as literals; queries ask for the viewer as well."""
    kind, _, field_name = name.partition(".")
    parent = SDL.type_map[kind]
    assert isinstance(parent, GraphQLObjectType)
    definition = parent.fields[field_name]
    arguments = {one: given for one, given in definition.args.items() if _demanded(given)}
    values = {one: _value(name, one, given, stored, person) for one, given in arguments.items()}
    shown = {one: _literal(values[one], given) if literal else f"${one}" for one, given in arguments.items()}
    asked = field_name + _listed({one: f": {text}" for one, text in shown.items()})
    asked += " { __typename }" if is_composite_type(get_named_type(definition.type)) else ""
    if kind in INSIDE:
        asked = f"{INSIDE[kind].format(json.dumps(stored.id))} {{ {asked} }}"
    operation = kind.lower() if kind in {"Mutation", "Subscription"} else "query"
    declared = {f"${one}": f": {given.type}" for one, given in arguments.items()}
    beside = "viewer { id } " if operation == "query" else ""
    query = f"{operation}{'' if literal else _listed(declared)} {{ {beside}{asked} }}"
    accept = {"Accept": EVENT_STREAM} if operation == "subscription" else {}
    return Call(name, "POST", "/graphql", {"query": query, "variables": {} if literal else values}, accept)


def root_of(call: Call) -> str:
    """Return the root field under which a field of GraphQL is asked for."""
    kind, _, name = call.name.partition(".")
    return INSIDE[kind].partition("(")[0] if kind in INSIDE else name


def is_nullable(call: Call) -> bool:
    """Tell whether that root field may be null, so that its error leaves the rest of the answer standing."""
    root = SDL.query_type if not call.name.startswith("Mutation.") else SDL.mutation_type
    assert root is not None
    return not isinstance(root.fields[root_of(call)].type, GraphQLNonNull)


def _demanded(argument: GraphQLArgument) -> bool:
    return isinstance(argument.type, GraphQLNonNull) and argument.default is None


def _listed(pairs: dict[str, str]) -> str:
    return f"({', '.join(name + text for name, text in pairs.items())})" if pairs else ""


def _literal(value: Any, argument: GraphQLArgument) -> str:
    node = ast_from_value(value, argument.type)
    assert node is not None
    return print_ast(node)


def _value(name: str, argument: str, given: GraphQLArgument, stored: Stored, person: Json) -> Any:
    part = stored.phone if "phonenumber" in name.lower() else stored.address
    is_part = argument == "id" and ("address" in name.lower() or "phonenumber" in name.lower())
    known = {
        "id": part if is_part else stored.id, "customerId": stored.id, "ids": [stored.id],
        "ifVersion": stored.version, "email": person["email"],
    }  # fmt: skip
    return known[argument] if argument in known else upper(_input(str(given.type), person))


def _input(kind: str, person: Json) -> Any:
    """Return the body that REST would take, as GraphQL's input type is named."""
    bodies = _bodies(person)
    name = kind.strip("[]!").removeprefix("Create").removeprefix("Update").replace("Replacement", "Input")
    return bodies[f"{name}s"] if kind.startswith("[") else bodies[name]
