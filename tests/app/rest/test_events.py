"""GET /customer-events: the change feed as server-sent events. A number in a name is that of the statement."""

from __future__ import annotations

import time
from typing import Any

import pytest

from storage.documents import PARTS
from tests import factories
from tests.conftest import StartGateway
from tests.harness import Gateway, make_new_key
from tests.streams import BRIEF, events, narrow, revoke

PATH = "/api/v1/customer-events"


def test_c102_each_change_is_told_with_an_id_and_without_any_value(gateway: Gateway) -> None:
    customer, etag = gateway.created()
    path = f"/api/v1/customers/{customer['id']}"
    with events(gateway.http, params={"ids": customer["id"]}) as stream:
        head = stream.response.headers
        assert head["content-type"].startswith("text/event-stream")
        assert (head["x-accel-buffering"], head["cache-control"]) == ("no", "private, no-store")
        patched = gateway.http.patch(path, json={"lastName": "Later"}, headers={"If-Match": etag})
        gateway.create()
        gateway.http.delete(path)
        updated, deleted = stream.next(), stream.next()
    assert (updated.event, deleted.event) == ("customer.updated", "customer.deleted")
    assert updated.json == {
        "id": updated.id,
        "type": "customer.updated",
        "timestamp": patched.json()["updatedAt"],
        "data": {"customerId": customer["id"], "version": 2, "changed": ["lastName"]},
    }
    assert deleted.json["data"] == {"customerId": customer["id"], "version": 3, "changed": []}
    assert 1000 <= int(stream.first.retry) <= 3000
    assert stream.first.id


def test_c102_a_stream_goes_on_after_the_last_event_without_loss_or_double(gateway: Gateway) -> None:
    with events(gateway.http) as stream:
        start = stream.first.id
        made = [gateway.create()["id"] for _ in range(6)]
        seen = [stream.next() for _ in range(3)]
    made += [gateway.create()["id"] for _ in range(3)]
    with events(gateway.http, headers={"Last-Event-ID": seen[-1].id}) as stream:
        seen += [stream.next() for _ in range(6)]
    assert [event.json["data"]["customerId"] for event in seen] == made
    assert all(event.json["data"]["changed"] == list(PARTS) for event in seen)
    with events(gateway.http, headers={"Last-Event-ID": start}, params={"types": "customer.created"}) as stream:
        assert [stream.next().id for _ in range(9)] == [event.id for event in seen]


def test_only_the_types_that_are_asked_for_are_told(gateway: Gateway) -> None:
    with events(gateway.http, params={"types": "customer.updated,customer.deleted"}) as stream:
        customer = gateway.create()
        gateway.http.delete(f"/api/v1/customers/{customer['id']}")
        event = stream.next()
    assert (event.event, event.json["data"]["customerId"]) == ("customer.deleted", customer["id"])


REFUSED = [
    ({"params": {"type": "customer.created"}}, 400, "unknown-parameter"),
    ({"params": {"types": "created"}}, 400, "invalid-parameter"),
    ({"params": {"ids": "1"}}, 400, "invalid-id"),
    ({"headers": {"Last-Event-ID": "x"}}, 400, "invalid-parameter"),
    ({"headers": {"Accept": "application/json"}}, 406, "not-acceptable"),
    ({"headers": {"X-API-Key": "x"}}, 401, "unauthorized"),
]


@pytest.mark.parametrize(("options", "status", "slug"), REFUSED)
def test_what_is_wrong_is_told_before_the_stream_begins(
    gateway: Gateway, options: dict[str, dict[str, str]], status: int, slug: str
) -> None:
    response = gateway.http.get(PATH, **options)  # type: ignore[arg-type]
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["type"].rsplit("/", 1)[1]) == (status, slug)


def test_a_caller_without_the_scope_gets_no_stream_and_head_gets_the_head(gateway: Gateway) -> None:
    with gateway.with_scopes("customers:write") as client:
        assert client.get(PATH).status_code == 403
    head = gateway.http.head(PATH)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


def test_c066_the_streams_of_a_revoked_key_end_within_five_seconds(gateway: Gateway) -> None:
    key = make_new_key(gateway.store_url, gateway.database, ("customers:read",))
    with gateway.client(**{"X-API-Key": key.key}) as client, events(client) as stream, events(gateway.http) as other:
        revoked = time.monotonic()
        revoke(gateway, key)
        last = stream.rest()
        assert time.monotonic() - revoked < 5
        gateway.create()
        assert other.next().event == "customer.created"
    assert [event.event for event in last] == ["problem"]
    assert last[0].json["type"].endswith("/unauthorized")


@pytest.mark.parametrize("door", ["rest", "graphql"])
def test_c105_a_stream_whose_caller_loses_the_scope_tells_so_and_no_event_more(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    """At once, though nothing changes and the next look for changes would be in an hour."""
    monkeypatch.setattr("app.http.event_source.PING_SECONDS", 3600.0)
    key = make_new_key(gateway.store_url, gateway.database, ("customers:read",))
    asked: dict[str, Any] = {} if door == "rest" else {"path": "/graphql", "json": {"query": BRIEF}}
    with gateway.client(**{"X-API-Key": key.key}) as client, events(client, **asked) as stream:
        gateway.create()
        assert stream.next().event == ("customer.created" if door == "rest" else "next")
        narrow(gateway, key, "customers:write")
        last = stream.rest()
    if door == "rest":
        assert [event.event for event in last] == ["problem"]
        assert last[0].json["type"].endswith("/forbidden")
    else:
        assert [event.event for event in last] == ["next", "complete"]
        assert last[0].json["errors"][0]["extensions"]["type"].endswith("/forbidden")
        assert "data" not in last[0].json


def test_c125_a_gateway_that_stops_tells_its_streams_to_reconnect(start_gateway: StartGateway) -> None:
    """Who goes on from there misses nothing, and is told nothing twice."""
    gateway, other = start_gateway(), start_gateway()
    with events(gateway.http) as stream:
        customer = gateway.create()
        told = stream.next()
        gateway.stop()
        last = stream.rest()
    assert told.json["data"]["customerId"] == customer["id"]
    assert [event.event for event in last] == ["reconnect"]
    later = other.create()
    with events(other.http, headers={"Last-Event-ID": last[0].id}) as stream:
        assert stream.next().json["data"]["customerId"] == later["id"]


def test_open_streams_and_the_changes_that_came_are_counted(gateway: Gateway) -> None:
    with events(gateway.http) as stream:
        gateway.create()
        stream.next()
        page = gateway.http.get("/metrics").text
    assert 'gateway_event_streams{kind="sse"} 1.0' in page
    assert float(page.split("\ngateway_events_total ")[1].split("\n")[0]) >= 1


def test_a_customer_with_many_parts_is_told_by_their_names(gateway: Gateway) -> None:
    customer, etag = gateway.created()
    body = factories.customer(email=customer["email"], addresses=[factories.address(city="Berlin")])
    with events(gateway.http, params={"ids": customer["id"]}) as stream:
        gateway.http.put(f"/api/v1/customers/{customer['id']}", json=body, headers={"If-Match": etag})
        assert stream.next().json["data"]["changed"] == ["addresses"]
