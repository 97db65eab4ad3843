"""customerChanged over WebSocket and over server-sent events. A number in a name is that of the statement."""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import Any

import pytest
from pymongo import MongoClient
from websockets.exceptions import InvalidStatus

from tests.app.auth.issuer import AUDIENCE, issuing
from tests.conftest import StartGateway
from tests.harness import Gateway, make_new_key
from tests.streams import BRIEF, Socket, events, narrow, revoke, socket

WATCH = """subscription Watch($ids: [ID!], $types: [CustomerEventType!], $after: ID) {
  customerChanged(ids: $ids, types: $types, after: $after) {
    id type customerId version changed customer { lastName etag addresses { city } } } }"""
STREAM = {"Accept": "text/event-stream"}


def told(message: Any) -> Any:
    assert message["type"] == "next", message
    return message["payload"]["data"]["customerChanged"]


def test_c099_changes_come_over_a_socket_until_it_is_completed(gateway: Gateway) -> None:
    customer, etag = gateway.created()
    with events(gateway.http) as stream:
        start = stream.first.id  # a subscribe is not acknowledged, so it could begin after the change
    with socket(gateway) as ws:
        ws.greet(**{"X-API-Key": gateway.key})
        ws.subscribe("one", WATCH, ids=[customer["id"]], after=start)
        ws.subscribe("two", "{ viewer { name } }")
        assert [ws.receive()["type"], ws.receive()] == ["next", {"id": "two", "type": "complete"}]
        ws.settle()
        path = f"/api/v1/customers/{customer['id']}"
        now = gateway.http.patch(path, json={"lastName": "Later"}, headers={"If-Match": etag}).headers["ETag"]
        first = told(ws.receive())
        gateway.http.delete(path)
        second = told(ws.receive())
        ws.send(id="one", type="complete")
        ws.subscribe("one", WATCH, after=first["id"])
        again = told(ws.receive())
    shown = {"lastName": "Later", "etag": now, "addresses": [{"city": "San Francisco"}]}
    assert (first["type"], first["version"], first["changed"], first["customer"]) == ("UPDATED", 2, ["lastName"], shown)
    assert (second["type"], second["version"], second["changed"], second["customer"]) == ("DELETED", 3, [], None)
    assert again == second


CLOSED = [
    ("subscribe before ack", [{"id": "1", "type": "subscribe", "payload": {"query": BRIEF}}], 4401),
    ("second init", [{"type": "connection_init", "payload": {"X-API-Key": "KEY"}}, {"type": "connection_init"}], 4429),
    ("no credentials", [{"type": "connection_init"}], 4403),
    ("bad credentials", [{"type": "connection_init", "payload": {"Authorization": "Bearer x"}}], 4403),
    ("unknown type", [{"type": "start"}], 4400),
    ("no object", [[]], 4400),
    ("payload", [{"type": "ping", "payload": 1}], 4400),
    ("too long", [{"type": "ping", "payload": {"x": "y" * 66_000}}], 1009),
]


@pytest.mark.parametrize(("messages", "code"), [case[1:] for case in CLOSED], ids=[case[0] for case in CLOSED])
def test_c099_what_the_protocol_does_not_allow_closes_the_socket(
    gateway: Gateway, messages: list[Any], code: int
) -> None:
    with socket(gateway) as ws:
        for message in messages:
            ws.connection.send(json.dumps(message).replace("KEY", gateway.key))
        assert ws.closed() == code


def test_a_token_whose_issuer_is_away_is_not_called_bad_on_a_socket(start_gateway: StartGateway) -> None:
    with issuing("ed25519") as issuer:
        gateway = start_gateway(jwt_issuer=issuer.url, jwt_audience=AUDIENCE, jwt_algorithms=("Ed25519",))
        with issuer.down(), socket(gateway) as ws:
            ws.send(type="connection_init", payload={"Authorization": f"Bearer {issuer.token()}"})
            assert ws.closed() == 1013


def test_a_key_that_nobody_has_looked_at_is_not_called_bad_on_a_socket(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="1000/hour")
    with gateway.client(**{"X-API-Key": "no"}) as client:
        assert [client.get("/api/v1/viewer").status_code for _ in range(11)][9:] == [401, 429]
    with socket(gateway) as ws:
        ws.send(type="connection_init", payload={"X-API-Key": gateway.key})
        assert ws.closed() == 1013


def test_c099_other_protocols_ids_and_forms_close_it_too(gateway: Gateway) -> None:
    with socket(gateway, "graphql-ws") as ws:
        assert ws.closed() == 4406
    with socket(gateway, **{"X-API-Key": gateway.key}) as ws:
        ws.greet()
        ws.subscribe("1", BRIEF)
        ws.subscribe("1", BRIEF)
        assert ws.closed() == 4409
    for text in ("{", b"\x00", ""):
        with socket(gateway) as ws:
            ws.connection.send(text)
            assert ws.closed() == 4400


def test_c100_a_socket_without_a_greeting_is_closed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.graphql.conversation.INIT_SECONDS", 0.1)
    with socket(gateway) as ws:
        assert ws.closed() == 4408


def errors(message: Any) -> str:
    assert message["type"] == "error", message
    return str(message["payload"][0]["extensions"]["type"].rsplit("/", 1)[1])


def test_c100_what_is_wrong_with_an_operation_is_told_to_it_alone(gateway: Gateway) -> None:
    with socket(gateway, **{"X-API-Key": gateway.key}) as ws:
        ws.greet()
        wrong: list[tuple[str, dict[str, Any], str]] = [
            ("subscription { nothing }", {}, "graphql-validation"),
            ("subscription {", {}, "graphql-syntax"),
            (WATCH, {"ids": ["1"]}, "invalid-id"),
            (WATCH, {"ids": []}, "invalid-parameter"),
            ("subscription { customerChanged(types: []) { id } }", {}, "invalid-parameter"),
            (WATCH, {"after": "1"}, "invalid-parameter"),
            (WATCH, {"ids": [str(uuid.uuid4())] * 101}, "invalid-parameter"),
            (WATCH, {"types": ["GONE"]}, "graphql-validation"),
            ("subscription { customerChanged { id } more: customerChanged { id } }", {}, "graphql-validation"),
        ]
        for query, variables, slug in wrong:
            ws.subscribe("x", query, **variables)
            assert errors(ws.receive()) == slug
        for number in range(100):
            ws.subscribe(str(number), BRIEF)
        ws.subscribe("one more", BRIEF)
        assert errors(ws.receive()) == "graphql-limit"


def test_what_goes_wrong_inside_an_operation_of_a_socket_is_masked_and_logged(
    start_gateway: StartGateway, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway = start_gateway(log_level="info")
    customer = gateway.create()
    with MongoClient[dict[str, Any]](gateway.store_url) as client:  # another hand in the store
        client[gateway.database].customers.update_one({"id": customer["id"]}, {"$unset": {"lastName": ""}})
    with socket(gateway) as ws:
        ws.greet(**{"X-API-Key": gateway.key})
        ws.subscribe("1", f'{{ customer(id: "{customer["id"]}") {{ firstName lastName }} }}')
        (error,) = ws.receive()["payload"]["errors"]
        assert ws.receive()["type"] == "complete"
        ws.settle()  # lines are written at the end of the loop's turn
    assert error["message"] == "Something went wrong in the gateway."
    lines = [line for line in capfd.readouterr().err.splitlines() if "Unexpected error" in line]
    assert [json.loads(line)["requestId"] for line in lines] == [error["extensions"]["requestId"]]


def test_a_problem_within_a_batch_on_a_socket_leads_to_its_page(gateway: Gateway) -> None:
    operations = '[{delete: {id: "x"}}]'
    batch = (
        f"mutation {{ batchCustomers(atomic: false, operations: {operations}) {{ results {{ problem {{ type }} }} }} }}"
    )
    with socket(gateway) as ws:
        ws.greet(**{"X-API-Key": gateway.key})
        ws.subscribe("1", batch)
        (result,) = ws.receive()["payload"]["data"]["batchCustomers"]["results"]
    assert result["problem"]["type"] == f"{gateway.url}/problems/invalid-id"


def test_c105_without_the_scope_nothing_is_told(gateway: Gateway) -> None:
    key = make_new_key(gateway.store_url, gateway.database, ("customers:write",)).key
    with socket(gateway) as ws:
        ws.greet(**{"x-api-key": key})
        ws.subscribe("1", BRIEF)
        assert errors(ws.receive()) == "forbidden"
    with gateway.client(**{"X-API-Key": key}, **STREAM) as client:
        response = client.post("/graphql", json={"query": BRIEF})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["status"]) == (403, 403)


def test_c101_a_socket_from_another_site_is_refused(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as refused, socket(gateway, Origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"{}")["type"].endswith("/origin-refused")
    with socket(gateway, Origin=gateway.url) as ws:
        ws.settle()


def test_a_socket_is_told_the_date_once_whether_it_is_taken_or_refused(gateway: Gateway) -> None:
    with socket(gateway) as ws:
        taken = ws.connection.response
    assert taken is not None
    with pytest.raises(InvalidStatus) as refused, socket(gateway, Origin="https://evil.example"):
        pass
    headers = refused.value.response.headers
    assert (len(taken.headers.get_all("Date")), headers.get_all("Date")) == (1, headers.get_all("Expires"))


def test_c101_a_socket_that_is_refused_makes_the_line_of_its_request_alone(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidStatus), socket(gateway, Origin="https://evil.example"):
        pass
    gateway.http.get("/health/live")  # which is served after all that the refusal has led to
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_c066_the_sockets_of_a_revoked_key_are_closed_within_five_seconds(gateway: Gateway) -> None:
    key = make_new_key(gateway.store_url, gateway.database, ("customers:read",))
    with socket(gateway) as ws:
        ws.greet(**{"X-API-Key": key.key})
        ws.subscribe("1", BRIEF)
        ws.settle()
        revoked = time.monotonic()
        revoke(gateway, key)
        assert ws.closed() == 4403
        assert time.monotonic() - revoked < 5


def test_c105_a_subscription_whose_caller_loses_the_scope_ends_and_its_socket_goes_on(gateway: Gateway) -> None:
    key = make_new_key(gateway.store_url, gateway.database, ("customers:read",))
    with socket(gateway) as ws:
        ws.greet(**{"X-API-Key": key.key})
        ws.subscribe("1", BRIEF)
        ws.settle()
        narrow(gateway, key, "customers:write")
        assert errors(ws.receive()) == "forbidden"  # though nothing has changed
        ws.subscribe("2", BRIEF)
        assert errors(ws.receive()) == "forbidden"
        gateway.create()
        ws.subscribe("3", "{ viewer { scopes } }")
        assert ws.receive()["payload"]["data"]["viewer"]["scopes"] == ["customers:write"]


def test_operations_over_a_socket_are_paid_for(start_gateway: StartGateway) -> None:
    gateway = start_gateway(rate_limit="3/minute")
    with socket(gateway) as ws:
        ws.greet(**{"X-API-Key": gateway.key})
        kinds = [asked(ws) for _ in range(4)]
    assert kinds == ["next", "next", "next", "error"]


def asked(ws: Socket) -> str:
    """Ask for the viewer, and return what the answer is."""
    ws.subscribe("1", "{ viewer { name } }")
    first = ws.receive()
    if first["type"] == "next":
        assert ws.receive()["type"] == "complete"
    else:
        assert errors(first) == "rate-limited"
    return str(first["type"])


def test_changes_come_over_server_sent_events_too_and_can_be_resumed(gateway: Gateway) -> None:
    with events(gateway.http, "/graphql", json={"query": BRIEF}) as stream:
        made = [gateway.create()["id"] for _ in range(2)]
        first, second = stream.next(), stream.next()
    assert [event.event for event in (first, second)] == ["next", "next"]
    assert [event.json["data"]["customerChanged"]["customerId"] for event in (first, second)] == made
    with events(gateway.http, "/graphql", json={"query": WATCH, "variables": {"after": first.id}}) as stream:
        assert stream.next().id == second.id


def test_a_query_over_server_sent_events_has_one_result(gateway: Gateway) -> None:
    response = gateway.http.post(
        "/graphql", json={"query": "{ viewer { name } }"}, headers={"Accept": "text/event-stream"}
    )
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.startswith('event: next\ndata: {"data":{"viewer":')
    assert response.text.endswith("\n\nevent: complete\ndata:\n\n")


def test_a_subscription_is_no_answer_in_json(gateway: Gateway) -> None:
    answer = gateway.http.post("/graphql", json={"query": BRIEF}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["type"].rsplit("/", 1)[1]) == (
        400,
        "graphql-request",
    )


def test_a_client_that_takes_every_form_gets_streams_for_subscriptions_alone(gateway: Gateway) -> None:
    anything = {"Accept": "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"}
    answer = gateway.http.post("/graphql", json={"query": "{ viewer { name } }"}, headers=anything)
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    with events(gateway.http, "/graphql", json={"query": BRIEF}, headers=anything) as stream:
        made = gateway.create()["id"]
        assert stream.next().json["data"]["customerChanged"]["customerId"] == made
