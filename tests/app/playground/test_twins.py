"""The playground's twins: each operation's request at one door, and the equal one at the other, answer the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.cli import playground
from app.example import INPUT
from app.rest.examples import PATH_EXAMPLES
from resolvers.operations import OPERATIONS
from tests import factories
from tests.app.playground.twins import Json, Twins, ask_rest, common, content
from tests.harness import Gateway
from tests.streams import events

DOORS: Json = json.loads(playground.DOORS.read_text(encoding="utf-8"))
EXAMPLES: dict[str, Json] = {one["operation"]: one for one in DOORS["examples"]}
WATCHES = [one.name for one in OPERATIONS if one.graphql and one.graphql[0].startswith("Subscription.")]
BATCHES = [one.name for one in OPERATIONS if "Mutation.batchCustomers" in one.graphql]
_MANY = {"getOperation", "listOperations", "cancelOperation", "deleteCustomers"}
"""What is not about single customers; tests of their own tell of their twins."""
_SINGLE = [one for one in OPERATIONS if one.graphql and one.name not in {*_MANY, *WATCHES}]
READS = [one.name for one in _SINGLE if not one.changes]
WRITES = [one.name for one in _SINGLE if one.changes and one.name not in BATCHES and "Webhook" not in one.name]
WEBHOOK_WRITES = [one.name for one in OPERATIONS if one.changes and "Webhook" in one.name]
_OWN = {"id", "email", "createdAt", "updatedAt", "version", "etag", "deletedAt"}
"""What differs between two customers of the same content."""
_PARTS = "query($id: ID!) { customer(id: $id) { addresses { id } phoneNumbers { id } } }"
_READ_BY = {"searchCustomers": "listCustomers"}
"""A question that fits an address is asked there, and not in a body."""


def filled(gateway: Gateway, variables: Json) -> Json:
    """Return an example's variables for a new customer with two of each part."""
    made = gateway.create(
        addresses=[factories.address(), factories.address(country="DE")],
        phoneNumbers=[factories.phone_number(), factories.phone_number(number="123-4567")],
    )
    parts = gateway.data(_PARTS, id=made["id"])["customer"]
    known = {
        "customerId": made["id"],
        "ids": [made["id"]],
        "email": made["email"],
        "addressId": parts["addresses"][1]["id"],
        "phoneNumberId": parts["phoneNumbers"][1]["id"],
    }
    if "webhookId" in variables:
        body = {"url": "https://hooks.example.com/", "enabled": False}
        known["webhookId"] = gateway.http.post("/api/v1/webhooks", json=body).json()["id"]
        known["deliveryId"] = gateway.http.post(f"/api/v1/webhooks/{known['webhookId']}:test").json()["id"]
    given: Json = {name: known.get(name, value) for name, value in variables.items()}
    if "lastName" in given.get("input", ()):
        given["input"] = {**given["input"], "email": factories.unique_email()}
    return given


def plain(value: Any) -> Any:
    """Return a customer without what is its own."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name not in _OWN}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_the_mapping_is_what_the_declarations_make() -> None:
    assert playground.is_current(), "run `make docs`"
    assert list(EXAMPLES) == [one.name for one in OPERATIONS if one.graphql]


@pytest.mark.parametrize("name", READS)
def test_a_question_and_its_twins_answer_the_same(gateway: Gateway, twins: Twins, name: str) -> None:
    example = EXAMPLES[name]
    variables = filled(gateway, {"webhookId": None} if name == "listWebhooks" else example["variables"])
    variables = variables if example["variables"] else {}
    asked = gateway.data(example["query"], **variables)
    (twin,) = twins.to_rest(example["query"], variables)
    body = ask_rest(gateway, twin)
    back = twins.to_graphql(twin["curl"])
    again = gateway.data(back["query"], **back["variables"])
    if name == "countCustomers":
        total = asked["customers"]["totalCount"]
        assert body["page"]["totalElements"] == again["customerPage"]["page"]["totalElements"] == total > 0
        return
    found, repeated = content(asked), content(again)
    if name == "getCustomerByEmail":
        found, repeated = [found], [repeated]
    assert {twin["operation"], back["operation"]} == {_READ_BY.get(name, name)}
    assert common(found, content(body)) > 0
    assert common(found, repeated) > 0


@pytest.mark.parametrize("name", WRITES)
def test_a_change_and_its_twins_change_the_same(gateway: Gateway, twins: Twins, name: str) -> None:
    example = EXAMPLES[name]
    by_graphql = filled(gateway, example["variables"])
    one = next(iter(gateway.data(example["query"], **by_graphql).values()))["id"]

    by_rest = filled(gateway, example["variables"])
    (twin,) = twins.to_rest(example["query"], by_rest)
    body = ask_rest(gateway, twin)
    other = by_rest.get("customerId") or body["id"]

    curl = twins.to_rest(example["query"], filled(gateway, example["variables"]))[0]["curl"]
    back = twins.to_graphql(curl)
    third = next(iter(gateway.data(back["query"], **back["variables"]).values()))["id"]

    left = [gateway.http.get(f"/api/v1/customers/{found}") for found in (one, other, third)]
    assert {answer.status_code for answer in left} == {410 if name == "deleteCustomer" else 200}
    if name != "deleteCustomer":
        changed = [plain(answer.json()) for answer in left]
        assert changed[0] == changed[1] == changed[2]
        assert [answer.headers["etag"][:3] for answer in left] == [left[0].headers["etag"][:3]] * 3


def test_what_is_watched_and_its_twins_tell_the_same_events(gateway: Gateway, twins: Twins) -> None:
    assert WATCHES == ["watchCustomers"]
    fields = "id type timestamp customerId version changed customer { lastName }"
    document = f"""subscription($ids: [ID!], $after: ID) {{
      customerChanged(ids: $ids, types: [UPDATED, DELETED], after: $after) {{ {fields} }}
    }}"""
    with events(gateway.http) as stream:
        start = stream.first.id
    customer, etag = gateway.created()
    path = f"/api/v1/customers/{customer['id']}"
    gateway.http.patch(path, json={"lastName": "Later"}, headers={"If-Match": etag})
    gateway.http.delete(path)

    (twin,) = twins.to_rest(document, {"ids": [customer["id"]], "after": start})
    address = f"/api/v1/customer-events?types=customer.updated&types=customer.deleted&ids={customer['id']}"
    assert (twin["address"], twin["request"]["headers"]) == (address, {"Last-Event-ID": start})
    assert twin["curl"].startswith("curl -N 'http://gateway.test/api/v1/customer-events?")
    with events(gateway.http, twin["address"], headers=twin["request"]["headers"]) as stream:
        by_rest = [stream.next().json, stream.next().json]

    back = twins.to_graphql(twin["curl"])
    asked = {"query": back["query"], "variables": back["variables"]}
    with events(gateway.http, "/graphql", json=asked) as stream:
        by_graphql = [stream.next().json["data"]["customerChanged"] for _ in by_rest]
    assert [one["type"] for one in by_rest] == ["customer.updated", "customer.deleted"]
    assert by_graphql == [
        {**one["data"], "id": one["id"], "timestamp": one["timestamp"], "type": one["type"][len("customer.") :].upper()}
        for one in by_rest
    ]


def batch_of(gateway: Gateway, variables: Json) -> tuple[str, Json]:
    """Return a new customer's id, and an example's variables for it."""
    made = gateway.create()
    text = json.dumps(variables).replace(PATH_EXAMPLES["customerId"], made["id"])
    return made["id"], json.loads(text.replace(INPUT["email"], factories.unique_email()))


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_and_its_twins_change_the_same(gateway: Gateway, twins: Twins, name: str) -> None:
    example = EXAMPLES[name]
    asked, by_graphql = batch_of(gateway, example["variables"])
    first = gateway.data(example["query"], **by_graphql)["batchCustomers"]["results"]

    sent, by_rest = batch_of(gateway, example["variables"])
    (twin,) = twins.to_rest(example["query"], by_rest)
    second = ask_rest(gateway, twin)["results"]

    again, by_curl = batch_of(gateway, example["variables"])
    back = twins.to_graphql(twins.to_rest(example["query"], by_curl)[0]["curl"])
    third = gateway.data(back["query"], **back["variables"])["batchCustomers"]["results"]

    assert [one["status"] for one in first] == [one["status"] for one in second] == [one["status"] for one in third]
    assert {one["status"] for one in first} <= {200, 201}
    left = [gateway.http.get(f"/api/v1/customers/{found}") for found in (asked, sent, again)]
    assert plain(left[0].json()) == plain(left[1].json()) == plain(left[2].json())
    assert [answer.headers["etag"][:3] for answer in left] == ['"v2'] * 3


def test_a_batch_of_each_kind_keeps_its_meaning(twins: Twins) -> None:
    one = {"id": "abcdef01", "ifMatch": '"v2-abcdef01"'}
    items = {
        "POST /api/v1/customers:batch": (
            {"operations": [{"op": "delete", "id": "abcdef01"}, {"op": "delete", **one}], "atomic": True},
            [{"delete": {"id": "abcdef01"}}, {"delete": {"id": "abcdef01", "ifVersion": 2}}],
        ),
        "PUT /api/v1/customers": (
            [{**one, "firstName": "A"}, {**one, "customer": {"firstName": "A"}}],
            [{"replace": {"id": "abcdef01", "input": {"firstName": "A"}, "ifVersion": 2}}] * 2,
        ),
        "PATCH /api/v1/customers": (
            [{**one, "patch": {"firstName": "A"}}],
            [{"update": {"id": "abcdef01", "patch": {"firstName": "A"}, "ifVersion": 2}}],
        ),
    }
    for address, (body, operations) in items.items():
        twin = twins.to_graphql(f"{address} {json.dumps(body)}")
        assert twin["variables"] == {"operations": operations, "atomic": isinstance(body, dict)}
        asked = {"operations": [{"delete": {"id": "abcdef01", "ifVersion": 2}}], "atomic": False}
        (back,) = twins.to_rest(twin["query"], asked)
        assert back["request"]["body"]["operations"] == [{"op": "delete", **one}]
    for items_without in ([{"id": "abcdef01", "ifMatch": "*", "patch": {}}], [{**one, "patch": []}]):
        assert "none" in twins.to_graphql(f"PATCH /api/v1/customers {json.dumps(items_without)}")


@pytest.mark.parametrize("name", WEBHOOK_WRITES)
def test_a_change_of_a_webhook_and_its_twin_come_to_the_same(gateway: Gateway, twins: Twins, name: str) -> None:
    example = EXAMPLES[name]
    (by_graphql,) = gateway.data(example["query"], **filled(gateway, example["variables"])).values()
    (twin,) = twins.to_rest(example["query"], filled(gateway, example["variables"]))
    body = ask_rest(gateway, twin)
    back = twins.to_graphql(twins.to_rest(example["query"], filled(gateway, example["variables"]))[0]["curl"])
    (again,) = gateway.data(back["query"], **back["variables"]).values()
    told = [_told(one) for one in (by_graphql, again, body or by_graphql)]
    assert told[0] == told[1] == told[2]
    assert told[0]
    for one in gateway.http.get("/api/v1/webhooks").json()["content"]:
        gateway.http.delete(f"/api/v1/webhooks/{one['id']}")


def _told(found: Json) -> Json:
    """Return what two webhooks, or deliveries, made in the same way have in common."""
    same = ("url", "types", "enabled", "type", "state", "attempts", "replayed")
    return {name: str(value).lower() for name, value in found.items() if name in same}


@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_every_route_of_an_operation_has_a_graphql_twin_of_that_operation(twins: Twins, name: str) -> None:
    operation = next(one for one in OPERATIONS if one.name == name)
    ids = {"customerId": "d68825b3-830c-44f8-953e-a8b5cd943aa8", "addressId": "a", "phoneNumberId": "p"}
    ids["operationId"] = "o"
    for route in operation.rest:
        method, path = route.split(" ")
        for known, value in ids.items():
            path = path.replace(f"{{{known}}}", value)
        body = "[{}]" if path.endswith(("addresses", "phone-numbers")) and method != "POST" else "{}"
        if operation.name in BATCHES:
            body = '{"operations": []}' if method == "POST" else "[]"
        told = f"-H 'If-Match: \"v3-d68825b3\"' -d '{body}'" if method in {"PUT", "PATCH", "POST", "DELETE"} else ""
        if operation.rest_alone:
            assert operation.rest_alone in twins.to_graphql(f"{method} /api/v1{path}")["none"]
            continue
        twin = twins.to_graphql(f"curl -X {method} {told} 'http://gateway.test/api/v1{path}'")
        fields = {one.split(".")[1] for one in operation.graphql}
        assert any(field in twin.get("query", "") for field in fields) or name == "countCustomers", twin


def test_root_fields_are_requests_and_fragments_aliases_and_directives_are_understood(twins: Twins) -> None:
    document = """query Two($no: Boolean!) {
      mine: viewer { name }
      ...Rest
    }
    fragment Rest on Query {
      one: customer(id: "abcdef01") { lastName email @skip(if: $no) ... @include(if: $no) { firstName } }
    }"""
    assert [one["address"] for one in twins.to_rest(document, {"no": True})] == [
        "/api/v1/viewer",
        "/api/v1/customers/abcdef01?fields=lastName,firstName",
    ]


def test_operations_have_twins_and_a_filter_that_erases_says_that_it_has_none(twins: Twins) -> None:
    for document, address in (
        ('{ operation(id: "abcdef01") { status } }', "/api/v1/operations/abcdef01"),
        ("{ operations { id } }", "/api/v1/operations"),
        ('mutation { cancelOperation(id: "abcdef01") { status } }', "/api/v1/operations/abcdef01:cancel"),
    ):
        (twin,) = twins.to_rest(document)
        assert twin["address"] == address
        assert twins.to_graphql(twin["curl"])["operation"] == twin["operation"]
    assert "city" in twins.to_graphql("DELETE /api/v1/customers?city=Ulm")["none"]
    assert "filter" in twins.to_rest('mutation { deleteCustomers(filter: {id: {eq: "a"}}) { deleted } }')["none"]


def test_dry_runs_and_replays_keep_their_meaning(twins: Twins) -> None:
    document = """mutation {
      updateCustomer(id: "abcdef01", patch: {lastName: "X", middleName: null}, ifVersion: 2, dryRun: true) { id }
    }"""
    (twin,) = twins.to_rest(document)
    assert twin["address"] == "/api/v1/customers/abcdef01?dryRun=true"
    assert twin["request"]["headers"]["If-Match"] == '"v2-abcdef01"'
    assert twin["request"]["body"] == {"lastName": "X", "middleName": None}
    back = twins.to_graphql(twin["curl"])
    assert back["variables"] == {
        "customerId": "abcdef01",
        "patch": twin["request"]["body"],
        "ifVersion": 2,
        "dryRun": True,
    }


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "no operation in the editor"),
        ("{ customer(", "cannot be read"),
        ("{ nothing }", "does not fit the schema"),
        ("{ __schema { types { name } } }", "REST describes itself at /openapi.json"),
        ("query A { viewer { id } } query B { viewer { id } }", "several operations"),
        ('{ customer(id: "a") { lastName address(id: "b") { city } } }', "address beside other fields"),
        ("{ customers(filter: {}) { totalCount } }", "An empty filter"),
        ("query($id: ID!) { customer(id: $id) { id } }", "was not provided"),
    ],
)
def test_an_operation_without_a_twin_says_why(twins: Twins, query: str, why: str) -> None:
    assert why in twins.to_rest(query)["none"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Paste an address"),
        ("/elsewhere", "under /api/v1"),
        ("POST /graphql", "GraphQL already"),
        ("/api/v1/nothing", "No operation"),
        ("PUT /api/v1/viewer", "PUT does not work there; GET do"),
        ("/api/v1/customers?colour=red", "no parameter colour"),
        ("/api/v1/customers?fields=colour", "no field colour"),
        ("/api/v1/customers?size=many", "size must be a whole number"),
        ("/api/v1/customers?sort=colour", "cannot be ordered by COLOUR"),
        ("/api/v1/customers/%ff", "no address in it"),
        ("/api/v1/customers?filter=lastName eq", "cannot be read from position"),
        ("/api/v1/customers?filter=colour eq 'red'", "asks about colour"),
        ("curl -X PATCH -d '{}' /api/v1/customers/abcdef01", "GraphQL needs the version"),
        ("curl -X PUT -H 'If-Match: \"v1-abcdef01\"' /api/v1/customers/abcdef01", "no body"),
        ("curl -d '{' /api/v1/customers", "no JSON"),
        ("curl -d @file.json /api/v1/customers", "in a file"),
        (
            """curl -X PATCH -H 'Content-Type: application/json-patch+json' -H 'If-Match: "v1-abcdef01"'
            -d '[]' /api/v1/customers/abcdef01""",
            "A JSON Patch",
        ),
    ],
)
def test_a_request_without_a_twin_says_why(twins: Twins, text: str, why: str) -> None:
    assert why in twins.to_graphql(text).get("none", "")


def test_curl_lines_are_read_as_the_shell_reads_them(twins: Twins) -> None:
    line = """$ curl -s -i -G -H "X-API-Key: $KEY" http://127.0.0.1:8000/api/v1/customers \\
      -d size=2 -d sort=lastName,desc --data-urlencode "filter=lastName eq 'O''Neil'" --url-query x 2>/dev/null"""
    twin = twins.to_graphql(line.replace(" --url-query x 2>/dev/null", ""))
    assert twin["variables"] == {
        "size": 2,
        "filter": {"lastName": {"eq": "O'Neil"}},
        "orderBy": [{"field": "LAST_NAME", "direction": "DESC"}],
    }
    assert "KEY" not in json.dumps(twin)
