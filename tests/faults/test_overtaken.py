"""A run that holds its key longer than its lease, and the retry that overtakes it, have one effect between them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient

from storage import ledger
from tests import factories
from tests.commands import until
from tests.faults.valve import Moment, Valve
from tests.harness import Gateway, running
from tests.parity.doors import upper

LIST = "/api/v1/customers"
PATIENCE = 20.0
CREATE = """mutation($input: CreateCustomerInput!, $key: String) {
  done: createCustomer(input: $input, idempotencyKey: $key) { id version } }"""
ADD = """mutation($id: ID!, $input: PhoneNumberInput!, $key: String) {
  done: addPhoneNumber(customerId: $id, input: $input, idempotencyKey: $key) { id version } }"""
BATCH = """mutation($operations: [CustomerOperation!]!, $atomic: Boolean!, $key: String) {
  done: batchCustomers(operations: $operations, atomic: $atomic, idempotencyKey: $key) {
    results { op status id } } }"""


WEBHOOK = """mutation($input: CreateWebhookInput!, $key: String) {
  done: createWebhook(input: $input, idempotencyKey: $key) { id } }"""


class Told(NamedTuple):
    """What an answer says, in a form that both doors have in common."""

    status: int
    replayed: bool
    body: Any


Send = Callable[[Gateway], Told]


class Request(NamedTuple):
    """A request with a key, at either door where both have it, and how often it has had its effect."""

    rest: Send
    graphql: Send | None
    effects: Callable[[], int]


def rest(shown: Callable[[httpx2.Response], Any], method: str, path: str, key: str, **more: Any) -> Send:
    """Return what sends a request to REST."""

    def send(gateway: Gateway) -> Told:
        headers = {"Idempotency-Key": key, **more.get("headers", {})}
        answer = gateway.http.request(method, path, **{**more, "headers": headers})
        body = shown(answer) if answer.is_success else answer.json()
        return Told(answer.status_code, "Idempotent-Replayed" in answer.headers, body)

    return send


def graphql(shown: Callable[[Any], Any], document: str, **variables: Any) -> Send:
    """Return what sends a mutation to GraphQL."""

    def send(gateway: Gateway) -> Told:
        answer = gateway.graphql(document, **variables)
        if "errors" in answer:
            return Told(answer["errors"][0]["extensions"]["status"], False, answer["errors"])
        return Told(200, answer.get("extensions", {}).get("idempotentReplayed", False), shown(answer["data"]["done"]))

    return send


class Stage(NamedTuple):
    """Two gateways on one store, the link of the first of which can be stopped, and the database itself."""

    slow: Gateway
    quick: Gateway
    valve: Valve
    stored: Any


@contextmanager
def stage(mongod_url: str, database: str) -> Iterator[Stage]:
    """Set the two gateways up, of which both know one caller."""
    valve = Valve(mongod_url)
    with valve.running(), MongoClient[dict[str, Any]](mongod_url) as client:
        with running(valve.url, database, request_timeout=2 * PATIENCE) as slow, running(mongod_url, database) as quick:
            quick.http.headers["X-API-Key"] = slow.key
            yield Stage(slow, quick, valve, client[database])


def create(on: Stage) -> Request:
    """A new customer."""
    body, key = factories.customer(lastName=f"N{uuid4().hex[:12]}"), str(uuid4())
    return Request(
        rest(lambda answer: answer.json()["id"], "POST", LIST, key, json=body),
        graphql(lambda done: done["id"], CREATE, input=upper(body), key=key),
        lambda: on.stored["customers"].count_documents({"lastName": body["lastName"]}),
    )


def add(on: Stage) -> Request:
    """One more phone number of a customer, whatever the version."""
    customer, key, number = on.quick.create()["id"], str(uuid4()), factories.phone_number(number="555-01")
    path = f"{LIST}/{customer}/phone-numbers"
    return Request(
        rest(lambda answer: answer.headers["ETag"].partition("-")[0].strip('"v'), "POST", path, key, json=number),
        graphql(lambda done: str(done["version"]), ADD, id=customer, input={**number, "type": "MOBILE"}, key=key),
        lambda: _numbers(on, customer) - 1,
    )


def patch(on: Stage, *, room: int = 49) -> Request:
    """A JSON Patch that appends a phone number to whatever is there, where there is room for so many more."""
    before = 50 - room
    customer = on.quick.create(phoneNumbers=[factories.phone_number() for _ in range(before)])["id"]
    key = str(uuid4())
    sent = json.dumps([{"op": "add", "path": "/phoneNumbers/-", "value": factories.phone_number(number="555-02")}])
    headers = {"If-Match": "*", "Content-Type": "application/json-patch+json"}
    return Request(
        rest(lambda answer: answer.json(), "PATCH", f"{LIST}/{customer}", key, content=sent, headers=headers),
        None,
        lambda: _numbers(on, customer) - before,
    )


def _numbers(on: Stage, customer: str) -> int:
    return len(on.stored["customers"].find_one({"id": customer})["phoneNumbers"])


def batch(on: Stage, *, atomic: bool) -> Request:
    """Two new customers."""
    name, key = f"N{uuid4().hex[:12]}", str(uuid4())
    bodies = [factories.customer(lastName=name) for _ in range(2)]
    sent = {"operations": [{"op": "create", "customer": body} for body in bodies], "atomic": atomic}
    asked = [{"create": upper(body)} for body in bodies]
    return Request(
        rest(lambda answer: [one["id"] for one in answer.json()["results"]], "POST", f"{LIST}:batch", key, json=sent),
        graphql(
            lambda done: [one["id"] for one in done["results"]],
            BATCH,
            operations=asked,
            atomic=atomic,
            key=key,
        ),
        lambda: on.stored["customers"].count_documents({"lastName": name}) // 2,
    )


def import_file(on: Stage) -> Request:
    """An import, whose effect is the operation that does it."""
    before, key = on.stored["operations"].count_documents({}), str(uuid4())
    lines = (json.dumps(factories.customer()) + "\n").encode()
    headers = {"Content-Type": "application/x-ndjson"}
    return Request(
        rest(lambda answer: answer.headers["Location"], "POST", f"{LIST}:import", key, content=lines, headers=headers),
        None,
        lambda: on.stored["operations"].count_documents({}) - before,
    )


def delete_all(on: Stage) -> Request:
    """A deletion by a filter, whose effect is the operation that does it."""
    before, key = on.stored["operations"].count_documents({}), str(uuid4())
    path = f"{LIST}?lastName=N{uuid4().hex}"
    return Request(
        rest(lambda answer: answer.headers["Location"], "DELETE", path, key),
        None,
        lambda: on.stored["operations"].count_documents({}) - before,
    )


def webhook(on: Stage) -> Request:
    """A new webhook."""
    key, body = str(uuid4()), {"url": f"https://hooks.example.com/{uuid4().hex}", "enabled": False}
    return Request(
        rest(lambda answer: answer.json()["id"], "POST", "/api/v1/webhooks", key, json=body),
        graphql(lambda done: done["id"], WEBHOOK, input=body, key=key),
        lambda: on.stored["webhooks"].count_documents({"url": body["url"]}),
    )


def _made(on: Stage) -> str:
    body = {"url": f"https://hooks.example.com/{uuid4().hex}"}
    return str(on.quick.http.post("/api/v1/webhooks", json=body).raise_for_status().json()["id"])


def webhook_change(on: Stage) -> Request:
    """A JSON Patch of a webhook that can be made only once."""
    webhook_id, key = _made(on), str(uuid4())
    steps = [("test", True), ("replace", False)]
    sent = json.dumps([{"op": op, "path": "/enabled", "value": value} for op, value in steps])
    headers = {"Content-Type": "application/json-patch+json"}
    path = f"/api/v1/webhooks/{webhook_id}"
    return Request(
        rest(lambda answer: answer.json(), "PATCH", path, key, content=sent, headers=headers),
        None,
        lambda: on.stored["webhooks"].count_documents({"id": webhook_id, "enabled": False}),
    )


def replay(on: Stage, *, several: bool) -> Request:
    """A delivery, or a range of them, to be sent again: each time is a round of its own."""
    webhook_id, key = _made(on), str(uuid4())
    path = f"/api/v1/webhooks/{webhook_id}"
    delivery = on.quick.http.post(f"{path}:test").raise_for_status().json()["id"]
    body = {"since": "2026-01-01T00:00:00Z", "states": ["waiting", "failed", "delivered"]}
    one, more = f"{path}/deliveries/{delivery}:replay", {"json": body} if several else {}
    return Request(
        rest(lambda answer: answer.json(), "POST", f"{path}:replay" if several else one, key, **more),
        None,
        lambda: on.stored["webhook_deliveries"].find_one({"id": delivery})["round"] - 1,
    )


READING: tuple[Callable[[Stage], Request], ...] = (
    add,
    lambda on: patch(on, room=1),
    lambda on: batch(on, atomic=True),
    lambda on: batch(on, atomic=False),
)
"""Requests that are decided by what is stored: what the retry has done makes them a refusal, were they decided anew."""
WEBHOOKS: tuple[Callable[[Stage], Request], ...] = (
    webhook,
    webhook_change,
    lambda on: replay(on, several=False),
    lambda on: replay(on, several=True),
)
REQUESTS: tuple[Callable[[Stage], Request], ...] = (create, *READING, patch, import_file, delete_all, *WEBHOOKS)
READ = "find\0\n\0\0\0customers"
"""The beginning of a command that reads customers."""


def overtaken(on: Stage, first: Send, retry: Send, word: str, moment: Moment) -> tuple[Told, Told]:
    """Send a request that is stopped at a command, and its retry until that is answered; return both answers."""
    with ThreadPoolExecutor(1) as pool:
        with on.valve.stopping(word, moment) as stop:
            slow = pool.submit(first, on.slow)
            assert stop.reached.wait(PATIENCE), f"no {word}"
            quick = retry(on.quick)
            while quick.status == 409:
                quick = retry(on.quick)
        return slow.result(PATIENCE), quick


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "moment"),
    [(READ, "before"), ("startTransaction", "before"), ("commitTransaction", "before"), ("commitTransaction", "after")],
    ids=["it reads", "its change", "its commit", "the answer"],
)
def test_c041_c042_a_run_that_is_overtaken_by_its_retry_has_one_effect_with_it_and_both_answers_say_so(
    mongod_url: str, database: str, monkeypatch: pytest.MonkeyPatch, word: str, moment: Moment
) -> None:
    """Whether it is stopped before it reads, before its change, before its commit, or before the answer to that."""
    monkeypatch.setattr(ledger, "LEASE", timedelta(milliseconds=300))
    with stage(mongod_url, database) as on:
        for make in READING if word == READ else REQUESTS:
            for doors in ((0, 1), (1, 0)):
                # An import commits too, and it would be that commit that is stopped.
                until(lambda: on.stored["operations"].count_documents({"status": "running"}) == 0)
                request = make(on)
                both = (request.rest, request.graphql or request.rest)
                slow, quick = overtaken(on, both[doors[0]], both[doors[1]], word, moment)
                said = f"{make} {doors}: {slow}, {quick}"
                assert {slow.status, quick.status} <= {200, 201, 202}, said
                assert slow.body == quick.body, said
                assert (slow.replayed, quick.replayed) == (moment == "before", moment == "after"), said
                assert request.effects() == 1, said
