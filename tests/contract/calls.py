"""One request for every REST route and every GraphQL field of every operation, with all that it needs to succeed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
NOBODYS: Final = "0d047d80-eb69-4665-9395-6df5a5e569a4"
"""The id of an operation that is not the caller's own."""
OF_OTHERS: Final = ("/operations/{operationId}", "Query.operation", "Mutation.cancelOperation")
"""How the names end of requests about such an operation: they are answered as if it were not there."""
CHOSEN: Final = {"Mutation.deleteCustomers": "filter"}
"""Arguments without which a field that demands none is refused."""
PATHS: Final = {"addresses": "addressId", "phone-numbers": "phoneNumberId"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """A customer in the store with two addresses and two phone numbers, so that one of each can go."""

    id: str
    version: int
    address: str
    phone: str
    webhook: str = "0c9f5a34-8a0b-4a0c-9d2a-6f0f3f3b1a55"
    delivery: str = "6d1a52a1-2f56-4a38-9f3c-5e0c1d6f6b10"


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
    content: bytes | None = None

    def send(self, client: httpx2.Client, **headers: str) -> httpx2.Response:
        """Send it."""
        sent = {**self.headers, **headers}
        return answer(client, self.method, self.url, json=self.body, content=self.content, headers=sent)


def store(client: httpx2.Client, person: Json) -> Stored:
    """Create a customer and return its ids."""
    twice = {name: person[name] * 2 for name in ("addresses", "phoneNumbers")}
    created = client.post(f"{PREFIX}/customers", json={**person, **twice})
    assert created.status_code == 201, created.text
    url = f"{PREFIX}/customers/{created.json()['id']}"
    address, phone = (client.get(f"{url}/{path}").json()["content"][0]["id"] for path in PATHS)
    return Stored(created.json()["id"], 1, address, phone)


def with_webhook(name: str, client: httpx2.Client, stored: Stored) -> Stored:
    """Add a webhook of this caller, with a delivery, where a route or a field is about one."""
    if "ebhook" not in name:
        return stored
    made = client.post(f"{PREFIX}/webhooks", json={"url": "https://hooks.example.com/", "enabled": False})
    assert made.status_code == 201, made.text
    tested = client.post(f"{PREFIX}/webhooks/{made.json()['id']}:test")
    assert tested.status_code == 200, tested.text
    return replace(stored, webhook=made.json()["id"], delivery=tested.json()["id"])


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
        "id": stored.id, "email": person["email"], "cursor": "", "operationId": NOBODYS, "webhookId": stored.webhook,
        "deliveryId": stored.delivery,
    }  # fmt: skip
    question += {"DELETE /customers": "?id={id}"}.get(route, "")
    filled = re.sub(r"\{(\w+)\}", lambda found: known[found[1]], f"{path}{question}{query}")
    headers = {"If-Match": "*"} if method in {"PUT", "PATCH"} else {}
    if route.endswith(":import"):
        headers = {"Content-Type": "application/x-ndjson"}
        return Call(route, method, f"{PREFIX}{filled}?dryRun=true", None, headers, json.dumps(person).encode())
    return Call(route, method, PREFIX + filled, _bodies(person, stored)[takes] if takes else None, headers)


def _bodies(person: Json, stored: Stored) -> Json:
    addresses, phones, preferences = (person[name] for name in ("addresses", "phoneNumbers", "notificationPreferences"))
    anyone, patch = {"id": stored.id, "ifMatch": "*"}, {"patch": {"addresses": addresses}}
    return {
        "CustomerInput": person,
        "CustomerPatch": person,
        "CustomerBatch": {"operations": [{"op": "create", "customer": person}, {"op": "update", **anyone, **patch}]},
        "CustomerReplacements": [{**anyone, "customer": person}],
        "CustomerPatches": [{**anyone, **patch}],
        "CustomerSearch": {"filter": f"email eq '{person['email']}'", "q": person["lastName"]},
        "AddressInput": addresses[0],
        "AddressPatch": addresses[0],
        "AddressInputs": addresses,
        "PhoneNumberInput": phones[0],
        "PhoneNumberPatch": phones[0],
        "PhoneNumberInputs": phones,
        "NotificationPreferencesInput": preferences,
        "WebhookInput": {"url": "https://hooks.example.com/", "enabled": False},
        "WebhookPatch": {"types": ["customer.deleted"]},
        "WebhookReplayInput": {"since": "2026-01-01T00:00:00Z"},
        "NotificationPreferencesPatch": preferences,
    }


def graphql_call(name: str, stored: Stored, person: Json, *, literal: bool = False) -> Call:
    """Return the request of a field, its arguments as variables or as literals; queries ask for the viewer as well."""
    kind, _, field_name = name.partition(".")
    parent = SDL.type_map[kind]
    assert isinstance(parent, GraphQLObjectType)
    definition = parent.fields[field_name]
    arguments = {one: given for one, given in definition.args.items() if _demanded(given) or CHOSEN.get(name) == one}
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


def is_of_others(call: Call) -> bool:
    """Tell whether a request is about an operation that is not the caller's own."""
    return call.name.removesuffix(":cancel").removesuffix("/refused-lines").endswith(OF_OTHERS)


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
    if "ebhook" in name:
        part, is_part = (stored.delivery if "Delivery" in name else stored.webhook), argument == "id"
    known = {
        "webhookId": stored.webhook,
        "id": part if is_part else stored.id, "customerId": stored.id, "ids": [stored.id],
        "ifVersion": stored.version, "email": person["email"], "operations": _operations(stored, person),
        "filter": {"id": {"eq": stored.id}},
    }  # fmt: skip
    return known[argument] if argument in known else upper(_input(str(given.type), person, stored))


def _operations(stored: Stored, person: Json) -> list[Json]:
    """Return a batch of a new customer and a change."""
    update = {"id": stored.id, "patch": {"addresses": upper(person["addresses"])}, "ifVersion": stored.version}
    return [{"create": upper(person)}, {"update": update}]


def _input(kind: str, person: Json, stored: Stored) -> Any:
    """Return the body that REST would take, as GraphQL's input type is named."""
    bodies = _bodies(person, stored)
    if kind.startswith("UpdateWebhook"):  # what it has already would change nothing
        return bodies["WebhookPatch"]
    name = kind.strip("[]!").removeprefix("Create").removeprefix("Update").replace("Replacement", "Input")
    return bodies[f"{name}s"] if kind.startswith("[") else bodies[name]
