"""Webhooks through the doors: whose they are, what is shown once, and what others' verifiers say of the signatures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient

from resolvers.webhooks import MOST
from tests import factories
from tests.app.webhooks.receiver import Got, Receiver, receiving
from tests.commands import until
from tests.contract.test_judges import JUDGES, judge
from tests.harness import Gateway, running
from tests.parity.doors import problem_outcome

WEBHOOKS = "/api/v1/webhooks"


@pytest.fixture(scope="module")
def open_gateway(mongod_url: str) -> Iterator[Gateway]:
    """A gateway that sends to this machine, and seals secrets."""
    secret = "a secret of the store, long enough for it"
    with running(mongod_url, "test_webhook_doors", webhook_allow_private=True, store_secret=secret) as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def made(gateway: Gateway, receiver: Receiver, path: str = "/hook", **more: Any) -> dict[str, Any]:
    response = gateway.http.post(WEBHOOKS, json={"url": receiver.url(path), **more})
    assert response.status_code == 201, response.text
    assert response.headers["Location"] == f"{WEBHOOKS}/{response.json()['id']}"
    assert response.headers["Cache-Control"] == "no-store"
    created: dict[str, Any] = response.json()
    return created


def verdicts(deliveries: list[tuple[str, Got]], tmp_path: Path) -> list[bool]:
    """Return what the verifier of Standard Webhooks says of deliveries."""
    lines = [{"secret": secret, "headers": got.headers, "body": got.body.decode()} for secret, got in deliveries]
    asked = tmp_path / "deliveries"
    asked.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    script = f"cd '{JUDGES}' && node standard_webhooks.mjs < '{asked}'"
    done = judge("node", "-e", f"process.stdout.write(require('child_process').execSync({json.dumps(script)}))")
    assert done.returncode == 0, done.stderr
    return [line == "true" for line in done.stdout.split()]


def test_m106_m107_the_verifier_of_standard_webhooks_takes_what_is_sent_and_nothing_else(
    open_gateway: Gateway, receiver: Receiver, tmp_path: Path
) -> None:
    webhook = made(open_gateway, receiver, types=["customer.created"])
    customer = open_gateway.create()
    until(lambda: receiver.got)
    new = open_gateway.http.post(f"{WEBHOOKS}/{webhook['id']}:rotateSecret").json()["secret"]
    again = open_gateway.create()
    until(lambda: len(receiver.got) == 2)
    before, after = receiver.got
    assert [one.event["data"]["customerId"] for one in receiver.got] == [customer["id"], again["id"]]
    altered = Got(after.path, after.headers, after.body.replace(b"created", b"updated"))
    later = Got(after.path, {**after.headers, "webhook-timestamp": "1"}, after.body)
    other = Got(after.path, {**after.headers, "webhook-id": before.id}, after.body)
    old = webhook["secret"]
    good = [(old, before), (old, after), (new, after)]
    bad = [(new, before), (new, altered), (new, later), (new, other)]
    assert verdicts([*good, *bad], tmp_path) == [True] * 3 + [False] * 4
    assert old.startswith("whsec_")
    assert len(old) >= len("whsec_") + 32
    assert old != new


def test_g067_another_callers_webhook_is_as_one_that_does_not_exist(open_gateway: Gateway, receiver: Receiver) -> None:
    webhook = made(open_gateway, receiver)
    delivery = open_gateway.http.post(f"{WEBHOOKS}/{webhook['id']}:test").json()
    nobody = "5f0c1f5e-7a7b-4f4e-9d65-0f2f3c7f5a11"
    with open_gateway.with_scopes("customers:admin") as stranger:
        assert stranger.get(WEBHOOKS).json() == {"content": []}
        for path, method, body in (
            ("", "GET", None), ("", "PATCH", {"enabled": False}), ("", "DELETE", None), (":rotateSecret", "POST", None),
            (":test", "POST", None), ("/deliveries", "GET", None), (":replay", "POST", {"since": "2026-01-01"}),
            (f"/deliveries/{delivery['id']}:replay", "POST", None),
        ):  # fmt: skip
            answers = [_asked(stranger, method, f"{WEBHOOKS}/{one}{path}", body) for one in (webhook["id"], nobody)]
            assert answers[0] == answers[1]
            assert answers[0]["status"] == 404
        told = [_graphql(stranger, one, delivery["id"]) for one in (webhook["id"], nobody)]
        assert told[0] == told[1]
        assert {outcome.problem for outcome in told[0]} == {("not-found", 1200, 404)}
    assert open_gateway.http.get(f"{WEBHOOKS}/{webhook['id']}").json()["enabled"] is True


def _asked(client: httpx2.Client, method: str, path: str, body: Any) -> dict[str, Any]:
    told: dict[str, Any] = client.request(method, path, json=body).json()
    return {name: value for name, value in told.items() if name not in {"instance", "requestId"}}


def _graphql(client: httpx2.Client, webhook_id: str, delivery_id: str) -> list[Any]:
    documents = (
        "mutation($w: ID!) { updateWebhook(id: $w, patch: {enabled: false}) { id } }",
        "mutation($w: ID!) { deleteWebhook(id: $w) { id } }",
        "mutation($w: ID!) { rotateWebhookSecret(id: $w) { secret } }",
        "mutation($w: ID!) { testWebhook(id: $w) { id } }",
        "query($w: ID!) { webhookDeliveries(webhookId: $w) { nextCursor } }",
        "mutation($w: ID!, $d: ID!) { replayWebhookDelivery(webhookId: $w, id: $d) { id } }",
        'mutation($w: ID!) { replayWebhookDeliveries(webhookId: $w, input: {since: "2026-01-01"}) { replayed } }',
    )
    assert client.post("/graphql", json={"query": f'{{ webhook(id: "{webhook_id}") {{ id }} }}'}).json()["data"] == {
        "webhook": None
    }
    found = []
    for document in documents:
        variables = {"w": webhook_id, **({"d": delivery_id} if "$d" in document else {})}
        answer = client.post("/graphql", json={"query": document, "variables": variables}).json()
        found.append(problem_outcome(answer["errors"][0]["extensions"]))
    return found


def test_m114_the_log_shows_failures_and_one_or_many_are_sent_again(open_gateway: Gateway, receiver: Receiver) -> None:
    webhook = made(open_gateway, receiver)
    log = f"{WEBHOOKS}/{webhook['id']}/deliveries"
    receiver.says(500)
    customers = [open_gateway.create()["id"] for _ in range(3)]
    until(lambda: len([one for one in _content(open_gateway, log) if one["tries"]]) == 3)
    listed = _content(open_gateway, log)
    assert [one["customerId"] for one in listed][::-1] == customers
    assert {(one["state"], one["attempts"], one["tries"][0]["status"]) for one in listed} == {("waiting", 1, 500)}
    assert _content(open_gateway, f"{log}?state=failed") == []
    for unknown in ("", "FAILED"):
        refused = open_gateway.http.get(log, params={"state": unknown})
        told = (refused.status_code, refused.json()["detail"])
        assert told == (400, "state must be one of waiting, delivered, failed.")
    pages = open_gateway.http.get(f"{log}?size=2")
    assert [one["id"] for one in pages.json()["content"]] == [one["id"] for one in listed[:2]]
    rest = open_gateway.http.get(f"{log}?size=2&cursor={pages.headers['Next-Cursor']}")
    assert [one["id"] for one in rest.json()["content"]] == [listed[2]["id"]]
    assert "Next-Cursor" not in rest.headers

    receiver.says(200)
    one = open_gateway.http.post(f"{log}/{listed[0]['id']}:replay").json()
    assert (one["state"], one["attempts"], len(one["tries"])) == ("waiting", 0, 1)
    until(lambda: len(_content(open_gateway, f"{log}?state=delivered")) == 1)
    many = {"since": "2026-01-01T00:00:00+01:00", "states": ["waiting", "failed"]}
    dry = open_gateway.http.post(f"{WEBHOOKS}/{webhook['id']}:replay?dryRun=true", json=many)
    assert (dry.json(), dry.headers["Dry-Run"]) == ({"replayed": 2}, "true")
    assert open_gateway.http.post(f"{WEBHOOKS}/{webhook['id']}:replay", json=many).json() == {"replayed": 2}
    until(lambda: len(_content(open_gateway, f"{log}?state=delivered")) == 3)
    ids = [got.id for got in receiver.got]
    assert sorted(ids[:3]) == sorted(ids[3:])
    for fault, body in (("since", {}), ("since", {"since": 5}), ("until", {**many, "until": "2020-01-01"}),
                        ("states[0]", {**many, "states": ["gone"]}), ("states", {**many, "states": []})):  # fmt: skip
        refused = open_gateway.http.post(f"{WEBHOOKS}/{webhook['id']}:replay", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, fault)
    assert open_gateway.http.get(f"{log}?cursor=nowhere").json()["type"].endswith("/invalid-cursor")


def _content(gateway: Gateway, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.http.get(url).json()["content"]
    return found


def test_all_faults_of_a_webhook_are_told_at_once_with_their_places(open_gateway: Gateway) -> None:
    body = {"url": "gopher://x", "types": ["customer.created", "customer.created", 5], "enabled": None, "other": 1}
    strict = open_gateway.http.post(WEBHOOKS, json=body, headers={"Prefer": "handling=strict"})
    assert [(fault["field"], fault["pointer"]) for fault in strict.json()["errors"]] == [
        ("url", "/url"), ("types[1]", "/types/1"), ("types[2]", "/types/2"), ("enabled", "/enabled"),
        ("other", "/other"),
    ]  # fmt: skip
    for wrong, field in (({}, "url"), ({"url": 5}, "url"), ({"url": "https://a.example", "types": {}}, "types"),
                        ({"url": "https://a.example", "types": []}, "types"),
                        ({"url": "https://a.example", "types": ["customer.created"] * 9}, "types")):  # fmt: skip
        refused = open_gateway.http.post(WEBHOOKS, json=wrong)
        assert [fault["field"] for fault in refused.json()["errors"]] == [field]
    assert open_gateway.http.post(WEBHOOKS, json=[]).status_code == 400


def test_a_webhook_is_tried_dry_changed_and_deleted(open_gateway: Gateway, receiver: Receiver) -> None:
    count = len(_content(open_gateway, WEBHOOKS))
    dry = open_gateway.http.post(f"{WEBHOOKS}?dryRun=true", json={"url": "https://hooks.example.com"})
    assert (dry.status_code, dry.headers["Dry-Run"], len(_content(open_gateway, WEBHOOKS))) == (200, "true", count)
    webhook = made(open_gateway, receiver)
    url = f"{WEBHOOKS}/{webhook['id']}"
    operations = [{"op": "replace", "path": "/types", "value": ["customer.deleted"]}]
    media = {"Content-Type": "application/json-patch+json"}
    changed = open_gateway.http.patch(url, content=json.dumps(operations), headers=media).json()
    assert (changed["types"], changed["enabled"]) == (["customer.deleted"], True)
    assert open_gateway.http.patch(url, json={"types": None}).status_code == 422
    short = open_gateway.http.patch(url, json={"enabled": False}, headers={"Prefer": "return=minimal"})
    assert short.json().keys() == {"id", "updatedAt"}
    assert open_gateway.http.patch(f"{url}?dryRun=true", json={"enabled": True}).json()["enabled"] is True
    assert open_gateway.http.get(url).json()["disabledReason"] == "owner"
    assert open_gateway.http.delete(f"{url}?dryRun=true").status_code == 204
    assert [open_gateway.http.delete(url).status_code for _ in range(2)] == [204, 404]
    assert open_gateway.http.get(f"{WEBHOOKS}/none").json()["type"].endswith("/invalid-id")


CREATE = """mutation($input: CreateWebhookInput!, $key: String) {
  createWebhook(input: $input, idempotencyKey: $key) { id url types secret } }"""
ACT = "mutation($id: ID!, $key: String) { %s(id: $id, idempotencyKey: $key) { id } }"


def test_c034_a_webhook_is_made_once_through_either_door_and_a_replay_shows_no_secret(open_gateway: Gateway) -> None:
    gateway, key = open_gateway, str(uuid4())
    body = {"url": "https://hooks.example.com/once", "types": ["customer.deleted", "customer.created"]}
    count = len(_content(gateway, WEBHOOKS))
    first, again = (gateway.http.post(WEBHOOKS, json=body, headers={"Idempotency-Key": key}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["Location"] == again.headers["Location"]
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert again.json() == {**first.json(), "secret": None}
    there = gateway.graphql(CREATE, input={**body, "types": body["types"][::-1]}, key=key)
    assert there["extensions"]["idempotentReplayed"] is True
    assert (there["data"]["createWebhook"]["id"], there["data"]["createWebhook"]["secret"]) == (
        again.json()["id"],
        None,
    )
    other = gateway.graphql(CREATE, input={"url": "https://hooks.example.com/other"}, key=key)
    assert problem_outcome(other["errors"][0]["extensions"]).problem == ("idempotency-key-reused", 1501, 422)
    refused = {"Idempotency-Key": str(uuid4())}
    assert gateway.http.post(WEBHOOKS, json={"url": "ftp://127.0.0.1"}, headers=refused).status_code == 422
    assert gateway.http.post(WEBHOOKS, json=body, headers=refused).json()["secret"].startswith("whsec_")
    assert len(_content(gateway, WEBHOOKS)) == count + 2
    with MongoClient[dict[str, Any]](gateway.store_url) as client:
        assert first.json()["secret"] not in str(list(client[gateway.database]["ledger"].find()))


@pytest.mark.parametrize("action", ["rotateSecret", "test"])
def test_c034_a_new_secret_and_a_test_have_one_effect_with_a_key_and_its_replay(
    open_gateway: Gateway, receiver: Receiver, action: str
) -> None:
    gateway, webhook = open_gateway, made(open_gateway, receiver, enabled=False)
    url, key = f"{WEBHOOKS}/{webhook['id']}", {"Idempotency-Key": str(uuid4())}
    first, again = (gateway.http.post(f"{url}:{action}", headers=key) for _ in range(2))
    secret = {"secret": None} if action == "rotateSecret" else {}
    assert again.json() == {**first.json(), **secret}
    assert again.headers["Idempotent-Replayed"] == "true"
    field = {"rotateSecret": "rotateWebhookSecret", "test": "testWebhook"}[action]
    there = gateway.graphql(ACT % field, id=webhook["id"], key=key["Idempotency-Key"])
    assert (there["data"][field]["id"], there["extensions"]["idempotentReplayed"]) == (first.json()["id"], True)
    assert gateway.http.get(url).json()["previousSecretUntil"] == first.json().get("previousSecretUntil")
    assert len(_content(gateway, f"{url}/deliveries")) == (action == "test")


UPDATE = "mutation($id: ID!, $patch: UpdateWebhookInput!) { updateWebhook(id: $id, patch: $patch) { id url types } }"
REPLAY = """mutation($webhook: ID!, $id: ID!, $key: String) {
  replayWebhookDelivery(webhookId: $webhook, id: $id, idempotencyKey: $key) { id state attempts tries { status } } }"""
REPLAY_ALL = """mutation($webhook: ID!, $input: WebhookReplayInput!, $key: String) {
  replayWebhookDeliveries(webhookId: $webhook, input: $input, idempotencyKey: $key) { replayed } }"""


def test_c034_a_change_of_a_webhook_has_one_effect_with_a_key_and_its_replay(
    open_gateway: Gateway, receiver: Receiver
) -> None:
    gateway, webhook = open_gateway, made(open_gateway, receiver, enabled=False)
    url, key = f"{WEBHOOKS}/{webhook['id']}", {"Idempotency-Key": str(uuid4())}
    body = {"url": "https://hooks.example.com/moved"}
    first = gateway.http.patch(url, json=body, headers=key)
    gateway.http.patch(url, json={"url": "https://hooks.example.com/since"}).raise_for_status()
    again = gateway.http.patch(url, json=body, headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert "secret" not in again.json()
    asked = {"query": UPDATE, "variables": {"id": webhook["id"], "patch": body}}
    there = gateway.http.post("/graphql", json=asked, headers=key).json()
    assert (there["data"]["updateWebhook"]["url"], there["extensions"]["idempotentReplayed"]) == (body["url"], True)
    assert gateway.http.get(url).json()["url"] == "https://hooks.example.com/since", "no replay makes it again"
    other = gateway.http.patch(url, json={"enabled": True}, headers=key)
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "idempotency-key-reused")
    with gateway.with_scopes("customers:admin") as stranger:
        assert stranger.patch(url, json=body, headers=key).status_code == 404, "a key belongs to its caller"
    same = {"Idempotency-Key": str(uuid4())}
    nothing = [gateway.http.patch(url, json={"enabled": False}, headers=same) for _ in range(2)]
    assert nothing[0].json() == nothing[1].json() == gateway.http.get(url).json()
    assert nothing[1].headers["Idempotent-Replayed"] == "true"
    free = {"Idempotency-Key": str(uuid4())}
    assert gateway.http.patch(url, json={"url": "ftp://x"}, headers=free).status_code == 422
    assert gateway.http.patch(f"{url}?dryRun=true", json=body, headers=free).headers["Dry-Run"] == "true"
    assert gateway.http.patch(url, json=body, headers=free).json()["url"] == body["url"], "both left the key free"


def test_c034_what_is_sent_again_is_sent_once_with_a_key_and_its_replay(
    open_gateway: Gateway, receiver: Receiver
) -> None:
    gateway, webhook = open_gateway, made(open_gateway, receiver)
    url = f"{WEBHOOKS}/{webhook['id']}"
    gateway.create()
    until(lambda: _content(gateway, f"{url}/deliveries?state=delivered"))
    (delivery,) = _content(gateway, f"{url}/deliveries")
    path, key = f"{url}/deliveries/{delivery['id']}:replay", {"Idempotency-Key": str(uuid4())}
    first = gateway.http.post(path, headers=key)
    assert (first.json()["state"], len(first.json()["tries"])) == ("waiting", 1)
    until(lambda: len(receiver.got) == 2 and _content(gateway, f"{url}/deliveries?state=delivered"))
    again = gateway.http.post(path, headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    there = gateway.graphql(REPLAY, webhook=webhook["id"], id=delivery["id"], key=key["Idempotency-Key"])
    shown = there["data"]["replayWebhookDelivery"]
    assert (shown["state"], shown["tries"], there["extensions"]["idempotentReplayed"]) == (
        "WAITING",
        [{"status": 204}],
        True,
    )
    every = {"since": "2026-01-01T00:00:00Z", "states": ["delivered"]}
    many = {"Idempotency-Key": str(uuid4())}
    first = gateway.http.post(f"{url}:replay", json=every, headers=many)
    assert (first.json(), "Idempotent-Replayed" in first.headers) == ({"replayed": 1}, False)
    until(lambda: len(receiver.got) == 3 and _content(gateway, f"{url}/deliveries?state=delivered"))
    again = gateway.http.post(f"{url}:replay", json={**every, "since": "2026-01-01T01:00:00+01:00"}, headers=many)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == ({"replayed": 1}, "true")
    asked = {**every, "states": ["DELIVERED"]}
    there = gateway.graphql(REPLAY_ALL, webhook=webhook["id"], input=asked, key=many["Idempotency-Key"])
    assert (there["data"]["replayWebhookDeliveries"], there["extensions"]["idempotentReplayed"]) == (
        {"replayed": 1},
        True,
    )
    other = gateway.http.post(f"{url}:replay", json={**every, "until": "2026-01-02"}, headers=many)
    assert other.json()["type"].endswith("/idempotency-key-reused")
    assert _content(gateway, f"{url}/deliveries?state=waiting") == []
    assert [got.id for got in receiver.got] == [delivery["eventId"]] * 3


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"enabled": False}),
        ("POST", "/deliveries/5f0c1f5e-7a7b-4f4e-9d65-0f2f3c7f5a11:replay", None),
        ("POST", ":replay", {"since": "2026-01-01"}),
        ("POST", ":rotateSecret", None),
        ("POST", ":test", None),
    ],
)
def test_c033_that_there_is_no_such_webhook_is_an_outcome(
    open_gateway: Gateway, method: str, path: str, body: Any
) -> None:
    key, url = {"Idempotency-Key": str(uuid4())}, f"{WEBHOOKS}/{uuid4()}{path}"
    first, again = (open_gateway.http.request(method, url, json=body, headers=key) for _ in range(2))
    assert first.status_code == again.status_code == 404
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")


def test_of_many_who_create_at_the_cap_no_more_get_a_webhook_than_there_may_be(open_gateway: Gateway) -> None:
    with open_gateway.with_scopes("customers:admin") as caller, ThreadPoolExecutor(12) as pool:

        def create(_number: int) -> int:
            return caller.post(WEBHOOKS, json={"url": "https://hooks.example.com", "enabled": False}).status_code

        assert {create(number) for number in range(MOST - 3)} == {201}
        statuses = list(pool.map(create, range(36)))
        assert (statuses.count(201), set(statuses)) == (3, {201, 409}), statuses
        assert len(caller.get(WEBHOOKS).json()["content"]) == MOST


def test_there_may_be_a_hundred_webhooks_and_no_more(open_gateway: Gateway) -> None:
    with open_gateway.with_scopes("customers:admin") as caller:
        statuses = [caller.post(WEBHOOKS, json={"url": "https://hooks.example.com"}).status_code for _ in range(101)]
        assert statuses == [201] * 100 + [409]
        listed = caller.post("/graphql", json={"query": "{ webhooks { id } }"}).json()["data"]["webhooks"]
        assert len(listed) == 100
        for one in listed:
            caller.delete(f"{WEBHOOKS}/{one['id']}")


def test_the_queue_and_the_outcomes_are_in_the_metrics(open_gateway: Gateway, receiver: Receiver) -> None:
    made(open_gateway, receiver)
    open_gateway.http.post("/api/v1/customers", json=factories.customer())

    def delivered() -> float:
        lines = open_gateway.http.get("/metrics").text.splitlines()
        told = next(line for line in lines if line.startswith('gateway_webhook_tries_total{outcome="del'))
        return float(told.rpartition(" ")[2])

    until(lambda: delivered() >= 1)  # the receiver has got it a moment before its answer is counted
    assert "gateway_webhook_leaders 1.0" in open_gateway.http.get("/metrics").text
