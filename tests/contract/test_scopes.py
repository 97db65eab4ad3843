"""Who may do what: every scope against every operation at both doors, as `docs/security.md` says.

A number in a name is that of the statement that the test is about.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from pymongo import MongoClient

from resolvers.context import ALL_SCOPES
from resolvers.operation import Operation
from resolvers.operations import OPERATIONS
from tests import factories
from tests.contract.asking import RESPONSE, error_of, refused, slug
from tests.contract.calls import (
    Call,
    call_of,
    graphql_call,
    is_nullable,
    is_of_others,
    rest_call,
    root_of,
    store,
    with_webhook,
)
from tests.harness import Gateway, running

PAGE: Final = Path(__file__).parents[2] / "docs" / "security.md"
ALLOWED, LACKING, STRANGER = "✓", "403", "401"
COLUMNS: Final = ("none", *ALL_SCOPES, "all")
CALLERS: Final = (*COLUMNS, "no scope", "all but the needed one")
BY_NAME: Final = {operation.name: operation for operation in OPERATIONS}
CASES: Final = [
    (operation.name, name, caller)
    for operation in OPERATIONS
    for name in (*operation.rest, *operation.graphql)
    for caller in CALLERS
    if operation.scope or caller != "all but the needed one"
]
NEVER_EMPTY: Final = ("DELETE /customers/{customerId}/addresses", "DELETE /customers/{customerId}/phone-numbers")
"""Routes that only refuse: one address and one phone number must stay."""
OVERRIDES: Final = ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method")
CHANGES: Final = [
    route for operation in OPERATIONS if operation.changes for route in operation.rest if ":" not in route
]


class Doors:
    """A gateway of this module's own, a client for each set of scopes, and what is stored."""

    def __init__(self, gateway: Gateway, stack: ExitStack) -> None:
        self.gateway = gateway
        self.target = store(gateway.http, factories.customer())
        database = stack.enter_context(MongoClient[dict[str, Any]](gateway.store_url))[gateway.database]
        self._kept = (database.customers, database.tombstones)
        self.client = cache(lambda scopes: stack.enter_context(self._new_client(scopes)))

    def _new_client(self, scopes: frozenset[str] | None) -> httpx2.Client:
        return self.gateway.client() if scopes is None else self.gateway.with_scopes(*sorted(scopes))

    def as_caller(self, caller: str, operation: Operation[Any, Any]) -> httpx2.Client:
        """Return the client of a caller, by its name in `CALLERS`."""
        every = frozenset(ALL_SCOPES)
        lacking = every - {str(operation.scope)}
        scopes = {"none": None, "all": every, "no scope": frozenset[str](), "all but the needed one": lacking}
        return self.client(scopes[caller] if caller in scopes else frozenset({caller}))

    def stored(self) -> list[list[tuple[str, int]]]:
        """Return the ids and versions of all customers, and of those that were erased."""
        return [sorted((one["id"], one["version"]) for one in kept.find()) for kept in self._kept]


@pytest.fixture(scope="module")
def doors(mongod_url: str) -> Iterator[Doors]:
    """A gateway that only this module asks, so that everything in its store is known."""
    with running(mongod_url, f"test_{uuid.uuid4().hex[:16]}") as gateway, ExitStack() as stack:
        yield Doors(gateway, stack)


@cache
def documented() -> dict[str, tuple[str, ...]]:
    """Return the rows of the matrix in the documentation, by operation."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    return {cells[0].strip("`"): tuple(cells[1:]) for cells in lines if cells[0].strip("`") in BY_NAME}


def expected(operation: Operation[Any, Any], caller: str) -> str:
    """Return what the documentation says of a caller."""
    if caller in COLUMNS:
        return documented()[operation.name][3 + COLUMNS.index(caller)]
    return LACKING if operation.scope else ALLOWED


def test_c062_every_operation_has_its_row_with_its_routes_its_fields_and_its_scope() -> None:
    rows = documented()
    assert list(rows) == [operation.name for operation in OPERATIONS]
    for operation in OPERATIONS:
        routes, fields, scope = (re.findall(r"`([^`]+)`", cell) for cell in rows[operation.name][:3])
        assert [route.replace(" /api/v1", " ") for route in routes] == list(operation.rest)
        assert fields == list(operation.graphql)
        assert scope == ([operation.scope] if operation.scope else [])
        assert len(rows[operation.name]) == 3 + len(COLUMNS)


def test_the_cases_are_every_caller_at_every_route_and_every_field() -> None:
    print(f"{len(CASES)} cases: {len(OPERATIONS)} operations, {len(CALLERS)} callers")
    entries = sum(len(operation.rest) + len(operation.graphql) for operation in OPERATIONS)
    without_scope = sum(len(one.rest) + len(one.graphql) for one in OPERATIONS if one.scope is None)
    assert len(CASES) == entries * len(CALLERS) - without_scope


@pytest.mark.parametrize(("name", "entry", "caller"), CASES, ids=[" ".join(case) for case in CASES])
def test_c062_the_operation_answers_the_caller_as_documented(name: str, entry: str, caller: str, doors: Doors) -> None:
    operation = BY_NAME[name]
    client = doors.as_caller(caller, operation)
    outcome = expected(operation, caller)
    if outcome == ALLOWED:
        stored = with_webhook(entry, client, store(doors.gateway.http, factories.customer()))
        check_allowed(call_of(entry, stored, factories.customer()), client)
        return
    before = doors.stored()
    call = call_of(entry, doors.target, factories.customer())
    if outcome == STRANGER:
        check_stranger(call, client)
    else:
        assert outcome == LACKING
        check_lacking(call, client, str(operation.scope))
    assert doors.stored() == before


def check_allowed(call: Call, client: httpx2.Client) -> None:
    """The operation is done, or there is none of the caller's own to be told of."""
    response = call.send(client)
    if call.name in NEVER_EMPTY:
        assert (response.status_code, response.json()["code"]) == (422, 1500)
    elif is_of_others(call):
        assert "not-found" in response.text or response.json()["data"]["operation"] is None
        return
    else:
        assert response.status_code in {200, 201, 202, 204}, response.text
    if call.url == "/graphql":
        assert '"errors"' not in response.text


def check_stranger(call: Call, client: httpx2.Client) -> None:
    """Nobody in particular is told to say who they are, with the same status at both doors."""
    response = call.send(client)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert "error=" not in response.headers["WWW-Authenticate"]
    if call.url == "/graphql":
        refused(call.send(client, Accept=RESPONSE), 401, "unauthorized")
    else:
        assert response.json()["type"].endswith("/problems/unauthorized")


def check_lacking(call: Call, client: httpx2.Client, scope: str) -> None:
    """The scope that is lacking is named, and all else that was asked for is answered."""
    response = call.send(client)
    assert "WWW-Authenticate" not in response.headers
    body = response.json()
    if call.url != "/graphql":
        assert (response.status_code, body["type"].rpartition("/")[2]) == (403, "forbidden")
        assert (body["error"], body["scope"]) == ("insufficient_scope", scope)
        return
    (error,) = body["errors"]
    if call.name.startswith("Subscription."):
        assert (response.status_code, slug(response), "data" in body) == (403, "forbidden", False)
        assert (error_of(response)["error"], error_of(response)["scope"]) == ("insufficient_scope", scope)
        return
    assert response.status_code == 200
    told = error_of(response)
    assert (error["path"], slug(response), told["status"]) == ([root_of(call)], "forbidden", 403)
    assert (told["error"], told["scope"]) == ("insufficient_scope", scope)
    if is_nullable(call):
        assert body["data"].keys() == {"viewer", root_of(call)}
        assert (body["data"]["viewer"] is not None, body["data"][root_of(call)]) == (True, None)
    else:
        assert body["data"] is None  # what may not be null takes with it what it stands in


GETS: Final = [route for operation in OPERATIONS for route in operation.rest if route.startswith("GET ")]


@pytest.mark.parametrize("route", GETS)
def test_c062_head_needs_the_scope_of_get(route: str, doors: Doors) -> None:
    operation = next(one for one in OPERATIONS if route in one.rest)
    for caller in CALLERS:
        client = doors.as_caller(caller, operation)
        allowed = expected(operation, caller) == ALLOWED
        stored = with_webhook(route, client, doors.target) if allowed else doors.target
        call = rest_call(route, stored, factories.customer())
        head, got = client.head(call.url), call.send(client)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert ("WWW-Authenticate" in head.headers) == (head.status_code == 401) == (caller == "none")


def test_c062_graphql_by_get_and_head_needs_the_same_scopes(doors: Doors) -> None:
    query = {"query": "{ customers { __typename } }"}
    for scopes, status in ((None, 401), (frozenset[str](), 200), (frozenset(ALL_SCOPES), 200)):
        got, head = (doors.client(scopes).request(one, "/graphql", params=query) for one in ("GET", "HEAD"))
        assert (got.status_code, head.status_code, head.content) == (status, status, b"")
        assert ("errors" in got.json()) == (scopes != frozenset(ALL_SCOPES))


def test_options_needs_nothing_tells_the_methods_and_does_nothing(doors: Doors) -> None:
    before = doors.stored()
    urls = {rest_call(route, doors.target, factories.customer()).url.partition("?")[0] for route in (*GETS, *CHANGES)}
    for url in (*urls, "/graphql"):
        response = doors.client(None).options(url)
        assert (response.status_code, response.content) == (204, b"")
        assert "OPTIONS" in response.headers["Allow"]
    assert doors.stored() == before


@pytest.mark.parametrize("route", CHANGES)
def test_c071_no_header_and_no_parameter_makes_another_method_of_a_request(route: str, doors: Doors) -> None:
    reader, every = doors.client(frozenset({"customers:read"})), doors.client(frozenset(ALL_SCOPES))
    before = doors.stored()
    call = rest_call(route, with_webhook(route, every, doors.target), factories.customer())
    headers = dict.fromkeys(OVERRIDES, call.method) | {"If-Match": "*"}
    reads = ":" not in route  # what is named by its action is not read
    assert every.get(call.url, headers=headers).status_code == (200 if reads else 405)
    assert every.get(call.url, params={"_method": call.method}).status_code == (400 if reads else 405)
    for posted in (every.post(call.url, headers=headers), every.post(call.url, data={"_method": call.method})):
        assert posted.status_code in ({200, 202, 415} if "}:" in route else {400, 405, 415})
    pretended = dict.fromkeys(OVERRIDES, "GET")
    assert call.send(reader, **pretended).status_code == 403
    assert doors.stored() == before


def test_c071_no_header_makes_a_mutation_of_a_get(doors: Doors) -> None:
    before = doors.stored()
    asked = graphql_call("Mutation.deleteCustomer", doors.target, factories.customer(), literal=True).body
    client = doors.client(frozenset(ALL_SCOPES))
    for name in OVERRIDES:
        assert client.get("/graphql", params={"query": asked["query"]}, headers={name: "POST"}).status_code == 405
    assert doors.stored() == before
