"""Idempotency keys over HTTP, at both doors and from one to the other."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from tests import factories
from tests.conftest import StartGateway
from tests.crowd import problem
from tests.harness import Gateway, running
from tests.parity.doors import upper
from tests.wire import exchange, head

LIST = "/api/v1/customers"
ENVELOPED = "application/json;profile=enveloped"
CREATE = """mutation($input: CreateCustomerInput!, $key: String, $dry: Boolean! = false) {
  createCustomer(input: $input, idempotencyKey: $key, dryRun: $dry) { id version etag } }"""
ADD = """mutation($id: ID!, $input: AddressInput!, $version: Int, $key: String) {
  addAddress(customerId: $id, input: $input, ifVersion: $version, idempotencyKey: $key) { id version etag } }"""
UPDATE = """mutation($id: ID!, $patch: UpdateCustomerInput!, $version: Int!) {
  updateCustomer(id: $id, patch: $patch, ifVersion: $version) { id version etag } }"""


def new_key() -> str:
    return str(uuid4())


def post(gateway: Gateway, body: Any, key: str, path: str = LIST, **headers: str) -> httpx2.Response:
    """Send a body with a key."""
    return gateway.http.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def ask(gateway: Gateway, query: str, header: str | None = None, /, **variables: Any) -> dict[str, Any]:
    """Ask GraphQL, perhaps with a key in the head."""
    headers = {} if header is None else {"Idempotency-Key": header}
    sent = {"query": query, "variables": variables}
    answer: dict[str, Any] = gateway.http.post("/graphql", json=sent, headers=headers).json()
    return answer


def slug(answer: dict[str, Any]) -> str:
    """Return the kind of the first problem of GraphQL."""
    return str(answer["errors"][0]["extensions"]["type"].rpartition("/")[2])


def without(response: httpx2.Response, *more: str) -> dict[str, str]:
    """Return the headers of an answer that do not change with time."""
    fleeting = {"date", "expires", "server-timing", "x-request-id", "request-id", "idempotent-replayed", *more}
    return {name: value for name, value in response.headers.items() if name not in fleeting}


@contextmanager
def ledger(gateway: Gateway) -> Iterator[Collection[dict[str, Any]]]:
    """Give the collection of entries."""
    with MongoClient[dict[str, Any]](gateway.store_url) as client:
        yield client[gateway.database]["ledger"]


def assert_replayed(first: httpx2.Response, again: httpx2.Response) -> None:
    """Assert that an answer is an earlier one once more."""
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert without(first) == without(again)
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")


def test_c033_a_create_that_is_sent_again_answers_the_same(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    first = post(gateway, body, key)
    assert first.status_code == 201
    path = first.headers["Location"]
    gateway.http.patch(path, json={"firstName": "Bea"}, headers={"If-Match": "*"}).raise_for_status()
    assert_replayed(first, post(gateway, body, f'"{key}"'))
    enveloped = post(gateway, body, key, Accept=ENVELOPED)
    assert (enveloped.json()["customer"], enveloped.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert gateway.http.get(LIST, params={"email": body["email"]}).json()["page"]["totalElements"] == 1


def test_c033_parts_and_changes_that_are_sent_again_answer_the_same(gateway: Gateway) -> None:
    path = f"{LIST}/{gateway.create()['id']}"
    part = gateway.http.get(f"{path}/addresses").json()["content"][0]["id"]
    requests = [
        ("POST", f"{path}/addresses", factories.address(city="Ulm")),
        ("POST", f"{path}/phone-numbers", factories.phone_number(type="work")),
        ("PATCH", path, {"firstName": "Bea"}),
        ("PUT", path, factories.customer()),
        ("PATCH", f"{path}/addresses/{part}", {"street2": "Apt. 7"}),
        ("PUT", f"{path}/addresses/{part}", factories.address(city="Bonn")),
        ("PATCH", f"{path}/phone-numbers", [factories.phone_number(type="home")]),
        ("PUT", f"{path}/notification-preferences", factories.preferences(mail=True)),
        ("PATCH", f"{path}/notification-preferences", {"mail": False}),
    ]
    keys = [{"Idempotency-Key": new_key(), "If-Match": "*"} for _ in requests]

    def send() -> list[httpx2.Response]:
        pairs = zip(requests, keys, strict=True)
        return [gateway.http.request(*to, json=body, headers=key) for (*to, body), key in pairs]

    first, again = send(), send()
    assert all(one.is_success for one in first), [one.text for one in first]
    for one, replay in zip(first, again, strict=True):
        assert_replayed(one, replay)
    assert gateway.http.get(path).headers["ETag"].startswith(f'"v{len(requests) + 1}-')


def test_c033_the_store_s_refusal_is_an_outcome(gateway: Gateway) -> None:
    customer, key = gateway.create(), new_key()
    body = factories.customer(email=customer["email"])
    first = post(gateway, body, key)
    gateway.http.delete(f"{LIST}/{customer['id']}").raise_for_status()
    again = post(gateway, body, key)
    assert problem(first)[:2] == problem(again)[:2] == (409, "conflict")
    assert again.headers["Idempotent-Replayed"] == "true"
    replayed = ask(gateway, CREATE, key, input=upper(body))
    assert (slug(replayed), replayed["errors"][0]["extensions"]["idempotentReplayed"]) == ("conflict", True)
    path = f"{LIST}/{gateway.create()['id']}"
    late = {"Idempotency-Key": new_key(), "If-Match": '"v9-00000000"'}
    stale = [gateway.http.patch(path, json={"firstName": "Bea"}, headers=late) for _ in range(2)]
    assert [(one.status_code, one.headers["ETag"]) for one in stale] == [(412, stale[0].headers["ETag"])] * 2
    assert [one.headers.get("Idempotent-Replayed") for one in stale] == [None, "true"]


def test_c034_what_one_door_has_made_the_other_answers(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    first = post(gateway, body, key).json()
    by_argument = ask(gateway, CREATE, input=upper(body), key=key)
    by_header = ask(gateway, CREATE, key, input=upper(body))
    for answer in (by_argument, by_header):
        assert answer["data"]["createCustomer"] == {"id": first["id"], "version": 1, "etag": f'"v1-{first["id"][:8]}"'}
        assert answer["extensions"]["idempotentReplayed"] is True
    body, key = factories.customer(), new_key()
    made = ask(gateway, CREATE, input=upper(body), key=key)
    assert "idempotentReplayed" not in made["extensions"]
    again = post(gateway, body, key)
    assert (again.status_code, again.json()["id"]) == (201, made["data"]["createCustomer"]["id"])
    assert (again.headers["ETag"], again.headers["Idempotent-Replayed"]) == (
        made["data"]["createCustomer"]["etag"],
        "true",
    )
    assert again.headers["Location"] == f"{LIST}/{again.json()['id']}"


def test_c034_parts_and_patches_are_the_same_through_the_other_door(gateway: Gateway) -> None:
    customer, etag = gateway.created()
    path, address, key = f"{LIST}/{customer['id']}", factories.address(city="Ulm"), new_key()
    added = ask(gateway, ADD, id=customer["id"], input=upper(address), version=1, key=key)["data"]["addAddress"]
    answer = post(gateway, address, key, f"{path}/addresses", **{"If-Match": etag})
    assert (answer.status_code, answer.headers["ETag"]) == (201, added["etag"])
    part = gateway.http.get(f"{path}/addresses").json()["content"][-1]["id"]
    assert answer.headers["Location"] == f"{path}/addresses/{part}"
    key, patch = new_key(), {"firstName": "Bea", "middleName": None}
    headers = {"Idempotency-Key": key, "If-Match": added["etag"]}
    changed = gateway.http.patch(path, json=patch, headers=headers)
    again = ask(gateway, UPDATE, key, id=customer["id"], patch=patch, version=2)
    assert again["data"]["updateCustomer"]["etag"] == changed.headers["ETag"]
    assert again["extensions"]["idempotentReplayed"] is True
    other = ask(gateway, UPDATE, key, id=customer["id"], patch=patch, version=3)
    assert slug(other) == "idempotency-key-reused"


BATCH = """mutation($operations: [CustomerOperation!]!, $atomic: Boolean!, $key: String) {
  batchCustomers(operations: $operations, atomic: $atomic, idempotencyKey: $key) { results { id status version } } }"""


@pytest.mark.parametrize("atomic", [True, False])
def test_c034_a_batch_of_one_door_is_answered_by_the_other(gateway: Gateway, *, atomic: bool) -> None:
    key, person, (customer, etag) = new_key(), factories.customer(), gateway.created()
    operations = [
        {"op": "create", "customer": person},
        {"op": "update", "id": customer["id"], "ifMatch": etag, "patch": {"lastName": "Once"}},
    ]
    body = {"atomic": atomic, "operations": operations}
    first = post(gateway, body, key, f"{LIST}:batch")
    assert_replayed(first, post(gateway, body, key, f"{LIST}:batch"))
    update = {"id": customer["id"], "patch": {"lastName": "Once"}, "ifVersion": 1}
    sent = [{"create": upper(person)}, {"update": update}]
    answer = ask(gateway, BATCH, operations=sent, atomic=atomic, key=key)
    found = answer["data"]["batchCustomers"]["results"]
    assert [(one["id"], one["status"]) for one in found] == [
        (one["id"], one["status"]) for one in first.json()["results"]
    ]
    assert answer["extensions"]["idempotentReplayed"]
    assert found[1]["version"] == 2


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_c033_items_of_the_collection_that_are_sent_again_answer_the_same(gateway: Gateway, method: str) -> None:
    customer, etag = gateway.created()
    what = {"patch": {"lastName": "Twice"}} if method == "PATCH" else {"customer": factories.customer()}
    body = [{"id": customer["id"], "ifMatch": etag, **what}]
    first, again = (
        gateway.http.request(method, LIST, json=body, headers={"Idempotency-Key": customer["id"]}) for _ in range(2)
    )
    assert first.json()["results"][0]["status"] == 200
    assert_replayed(first, again)


def test_c033_a_key_finds_the_import_and_the_deletion_that_it_has_begun(gateway: Gateway) -> None:
    key, url = new_key(), f"{LIST}:import"
    lines = (json.dumps(factories.customer()) + "\n").encode()
    headers = {"Idempotency-Key": key, "Content-Type": "application/x-ndjson"}
    first, again = (gateway.http.post(url, content=lines, headers=headers) for _ in range(2))
    assert first.status_code == 202
    assert_replayed(first, again)
    other = gateway.http.post(url, content=lines + lines, headers=headers)
    assert problem(other)[1] == "idempotency-key-reused"
    customer, _ = gateway.created()
    head = {"Idempotency-Key": new_key()}
    gone, same = (gateway.http.delete(f"{LIST}?id={customer['id']}", headers=head) for _ in range(2))
    assert gone.status_code == 202
    assert_replayed(gone, same)
    for begun in (first, gone):
        while (job := gateway.http.get(begun.headers["Location"]).json())["status"] == "running":
            time.sleep(0.02)
        assert (job["status"], job["done"]) == ("succeeded", 1)
    with ledger(gateway) as entries:
        assert customer["email"] not in str(list(entries.find()))


def test_c034_a_key_with_something_else_is_422(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    path = post(gateway, body, key).headers["Location"]
    attempts = [
        post(gateway, {**body, "lastName": "Other"}, key),
        post(gateway, factories.address(), key, f"{path}/addresses"),
        gateway.http.patch(path, json=body, headers={"Idempotency-Key": key, "If-Match": "*"}),
    ]
    assert {problem(one)[:2] for one in attempts} == {(422, "idempotency-key-reused")}
    assert all("Idempotent-Replayed" not in one.headers for one in attempts)
    assert slug(ask(gateway, CREATE, key, input=upper(factories.customer()))) == "idempotency-key-reused"


def test_c035_a_key_that_runs_is_409_and_says_when_to_come_again(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    post(gateway, body, key)
    with ledger(gateway) as entries:
        query = {"outcome.customer.email": body["email"]}
        running = {"$unset": {"outcome": 1}, "$set": {"lease": datetime.now(UTC) + timedelta(minutes=1)}}
        assert entries.update_one(query, running).modified_count == 1
    answer = post(gateway, body, key)
    assert problem(answer)[:2] == (409, "idempotency-in-progress")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["retryAfter"] == int(answer.headers["Retry-After"])
    assert slug(ask(gateway, CREATE, key, input=upper(body))) == "idempotency-in-progress"


def test_c037_another_caller_has_a_run_of_its_own(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    post(gateway, body, key)
    with gateway.with_scopes("customers:write") as other:
        answer = other.post(LIST, json=body, headers={"Idempotency-Key": key})
        assert problem(answer)[:2] == (409, "conflict")
        made = other.post(LIST, json=factories.customer(), headers={"Idempotency-Key": new_key()})
        assert (made.status_code, "Idempotent-Replayed" in made.headers) == (201, False)


def test_c038_a_malformed_key_is_400_where_none_is_kept_too(gateway: Gateway) -> None:
    search, operation = f"{LIST}:search", f"/api/v1/operations/{uuid4()}:cancel"
    for url in (search, operation):
        for sent in ("a b", '"a', "k" * 256, ""):
            assert problem(gateway.http.post(url, json={}, headers={"Idempotency-Key": sent}))[:2] == (
                400,
                "idempotency-key",
            )
    for key in ("good", "good"):
        found = gateway.http.post(search, json={"size": 1}, headers={"Idempotency-Key": key})
        assert (found.status_code, "Idempotent-Replayed" in found.headers) == (200, False)


@pytest.mark.parametrize("sent", ['{"$ne":1}', "a b", '"a', '"a","b"', "k" * 256, "k" * 10_000, ""])
def test_c038_a_malformed_key_is_400_at_both_doors(sent: str, gateway: Gateway) -> None:
    body = factories.customer()
    assert problem(post(gateway, body, sent))[:2] == (400, "idempotency-key")
    assert slug(ask(gateway, CREATE, sent, input=upper(body))) == "idempotency-key"
    assert slug(ask(gateway, CREATE, input=upper(body), key=sent)) == "idempotency-key"
    assert gateway.http.get(LIST, params={"email": body["email"]}).json()["content"] == []


@pytest.mark.parametrize("second", ["b", "a", ""])
def test_c031_two_headers_are_400(second: str, gateway: Gateway) -> None:
    body = json.dumps(factories.customer()).encode()
    lines = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Idempotency-Key: a")
    sent = head("POST", LIST, gateway.key, *lines, f"Idempotency-Key: {second}") + body
    (answer,) = exchange(gateway.url, sent)
    assert (answer.status, answer.json()["type"].rpartition("/")[2]) == (400, "idempotency-key")


def test_c039_refused_input_leaves_the_key_free(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    refused = [
        post(gateway, {**body, "email": "nobody"}, key),
        gateway.http.post(LIST, content=b"{", headers={"Idempotency-Key": key, "Content-Type": "application/json"}),
        gateway.http.post(LIST, content=b"{}", headers={"Idempotency-Key": key, "Content-Type": "text/plain"}),
        post(gateway, body, key, **{"X-API-Key": "cgw_wrong"}),
        post(gateway, {**body, "x": 1}, key, Prefer="handling=strict"),
        post(gateway, {**body, "x": "y" * 2**21}, key),
    ]
    assert [one.status_code for one in refused] == [422, 400, 415, 401, 422, 413]
    answer = post(gateway, body, key)
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False)


def test_a_dry_run_and_a_deletion_never_touch_the_ledger(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    for _ in range(2):
        dry = post(gateway, body, key, f"{LIST}?dryRun=true")
        assert (dry.status_code, "Idempotent-Replayed" in dry.headers) == (200, False)
        assert "errors" not in ask(gateway, CREATE, input=upper(body), key=key, dry=True)
        assert "errors" not in ask(gateway, CREATE, key, input=upper(body), dry=True)
    made = post(gateway, factories.customer(), key)
    deletions = [gateway.http.delete(made.headers["Location"], headers={"Idempotency-Key": key}) for _ in range(2)]
    assert [one.status_code for one in deletions] == [204, 404]
    assert all("Idempotent-Replayed" not in one.headers for one in deletions)


def test_a_replay_is_410_once_the_customer_is_erased(gateway: Gateway) -> None:
    body, key = factories.customer(), new_key()
    path = post(gateway, body, key).headers["Location"]
    gateway.http.delete(path).raise_for_status()
    answer = post(gateway, body, key)
    assert problem(answer)[:2] == (410, "gone")
    assert slug(ask(gateway, CREATE, key, input=upper(body))) == "gone"
    with ledger(gateway) as entries:
        assert body["email"] not in repr(list(entries.find()))


def test_the_request_id_is_the_key_in_the_enveloped_profile_alone(gateway: Gateway) -> None:
    identifier = new_key()
    enveloped = {"Accept": ENVELOPED, "Request-Id": identifier}
    body = factories.customer()
    first, again = (gateway.http.post(LIST, json=body, headers=enveloped) for _ in range(2))
    assert_replayed(first, again)
    own_key = gateway.http.post(LIST, json=factories.customer(), headers={**enveloped, "Idempotency-Key": new_key()})
    assert own_key.status_code == 201
    for headers in ({"Request-Id": identifier}, {**enveloped, "Request-Id": "not a key"}):
        made = gateway.http.post(LIST, json=factories.customer(), headers=headers)
        assert (made.status_code, "Idempotent-Replayed" in made.headers) == (201, False)
    x_only = {"Accept": ENVELOPED, "X-Request-Id": identifier}
    assert "Idempotent-Replayed" not in gateway.http.post(LIST, json=factories.customer(), headers=x_only).headers
    patch = {**enveloped, "If-Match": "*"}
    assert gateway.http.patch(first.headers["Location"], json={"lastName": "Other"}, headers=patch).status_code == 200
    question = gateway.http.post(f"{LIST}:search", json={"size": 1}, headers=enveloped)
    assert (question.status_code, "Idempotent-Replayed" in question.headers) == (200, False)


def test_c043_a_header_stands_for_one_mutation(gateway: Gateway) -> None:
    one, two, key = upper(factories.customer()), upper(factories.customer()), new_key()
    both = """mutation($one: CreateCustomerInput!, $two: CreateCustomerInput!, $a: String, $b: String) {
      one: createCustomer(input: $one, idempotencyKey: $a) { id }
      two: createCustomer(input: $two, idempotencyKey: $b) { id } }"""
    assert slug(ask(gateway, both, key, one=one, two=two)) == "idempotency-key"
    first, again = (ask(gateway, both, one=one, two=two, a=f"{key}-1", b=f"{key}-2") for _ in range(2))
    assert first["data"] == again["data"]
    assert first["data"]["one"]["id"] != first["data"]["two"]["id"]
    assert slug(ask(gateway, CREATE, key, input=upper(factories.customer()), key=f"{key}-3")) == "idempotency-key"
    equal = ask(gateway, CREATE.replace("createCustomer", "__typename createCustomer"), key, input=one, key=f'"{key}"')
    assert slug(equal) == "conflict"
    assert ask(gateway, "{ viewer { name } }", "no key")["data"] == {"viewer": {"name": "test"}}


def test_c044_of_many_who_race_one_has_an_effect_over_two_gateways_and_drivers(start_gateway: StartGateway) -> None:
    gateways = [start_gateway(mongodb_driver=driver) for driver in ("pymongo", "motor")]
    gateways[1].http.headers["X-API-Key"] = gateways[0].key
    bodies = {new_key(): factories.customer() for _ in range(6)}

    def send(number: int) -> tuple[str, int, str]:
        key = list(bodies)[number % len(bodies)]
        gateway = gateways[number // len(bodies) % 2]
        if number % 4 == 3:
            answer = ask(gateway, CREATE, input=upper(bodies[key]), key=key)
            return (key, 409, "") if answer["data"] is None else (key, 201, answer["data"]["createCustomer"]["id"])
        response = post(gateway, bodies[key], key)
        return key, response.status_code, response.json().get("id", "") if response.is_success else ""

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(send, range(144)))
    assert {status for _, status, _ in answers} <= {201, 409}
    found = {key: {identifier for at, _, identifier in answers if at == key and identifier} for key in bodies}
    assert all(len(ids) == 1 for ids in found.values()), found
    assert gateways[0].http.get(LIST, params={"size": 100}).json()["page"]["totalElements"] == len(bodies)
    for key, body in bodies.items():
        assert post(gateways[1], body, key).json()["id"] in found[key]


def test_c044_a_key_holds_over_a_restart(mongod_url: str, database: str) -> None:
    body, key = factories.customer(), new_key()
    with running(mongod_url, database) as before:
        first, caller = post(before, body, key), before.key
    with running(mongod_url, database) as after:
        assert_replayed(first, post(after, body, key, **{"X-API-Key": caller}))
