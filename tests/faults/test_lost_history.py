"""MongoDB forgets changes that somebody still wants to be told: that is told, at each stream and by webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from tests.app.webhooks.receiver import receiving
from tests.commands import until
from tests.crowd import problem
from tests.faults.relay import Mode, Relays
from tests.faults.short_history import roll_over, short_history
from tests.harness import Gateway, running
from tests.storage.conftest import directly
from tests.streams import events, socket

AFTER = "subscription($after: ID) { customerChanged(after: $after) { id customerId } }"
EVENTS = "/api/v1/customer-events"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a mongod with a short history."""
    with short_history(tmp_path_factory.mktemp("short") / "mongod") as started:
        yield started


def test_c102_who_comes_back_too_late_is_told_so_at_each_stream(url: str) -> None:
    with running(url, "late") as gateway:
        with events(gateway.http) as stream:
            last = stream.first.id
        gateway.create()
        roll_over(url)
        answer = gateway.http.get(EVENTS, headers={"Last-Event-ID": last, "Accept": "text/event-stream"})
        assert problem(answer)[:2] == (410, "history-lost")
        asked = {"query": AFTER, "variables": {"after": last}}
        refused = gateway.http.post("/graphql", json=asked, headers={"Accept": "text/event-stream"})
        assert refused.json()["errors"][0]["extensions"]["type"].endswith("/history-lost")
        with socket(gateway) as ws:
            ws.greet(**{"X-API-Key": gateway.key})
            ws.subscribe("1", AFTER, after=last)
            said = ws.receive()
            assert said["type"] == "error"
            assert said["payload"][0]["extensions"]["type"].endswith("/history-lost")
        with events(gateway.http) as stream:
            assert gateway.create()["id"] == stream.next().json["data"]["customerId"]


@contextmanager
def cut_off(url: str, database: str) -> Iterator[tuple[Gateway, Any]]:
    """Run a gateway whose link to the store can be held."""
    relays = Relays([urlsplit(url).port or 27017], lambda _first, _near, _far: "gateway")

    def let(mode: Mode) -> None:
        relays.do(lambda: relays.all[0].set(("gateway",), mode))

    with relays.running(), running(directly(url, relays.all[0].port), database) as gateway:
        yield gateway, let


def nobody_looks_on(url: str, database: str) -> None:
    """Return when the store does nothing more for the streams of a database that is cut off.

    What was asked before goes on for half a second, and if the history rolled over meanwhile it would be followed.
    """
    asked: list[dict[str, Any]] = [
        {"$currentOp": {"localOps": True}},
        {"$match": {"ns": {"$regex": f"^{database}[.]"}, "op": {"$in": ["getmore", "command"]}, "active": True}},
    ]
    with MongoClient[dict[str, Any]](url) as client:
        until(lambda: not list(client.admin.aggregate(asked)), 20, "the end of what was asked")


def test_who_watches_while_the_store_is_away_for_too_long_is_told_so_at_each_stream(url: str) -> None:
    """The process's own stream goes on where it was, and finds that this place is gone."""
    with cut_off(url, "watching") as (gateway, let), ExitStack() as stack:
        rest = stack.enter_context(events(gateway.http))
        graphql = stack.enter_context(events(gateway.http, "/graphql", json={"query": AFTER}))
        ws = stack.enter_context(socket(gateway))
        ws.greet(**{"X-API-Key": gateway.key})
        ws.subscribe("1", AFTER, after=rest.first.id)  # it is not acknowledged, and could begin after the change
        gateway.create()
        assert [rest.next().event, graphql.next().event, ws.receive()["type"]] == ["customer.created", "next", "next"]
        let("held")
        nobody_looks_on(url, "watching")
        roll_over(url)
        let("open")
        ended = rest.rest()
        assert [one.event for one in ended] == ["problem"]
        assert ended[0].json["type"].endswith("/history-lost")
        told = graphql.rest()
        assert [one.event for one in told] == ["next", "complete"]
        assert told[0].json["errors"][0]["extensions"]["type"].endswith("/history-lost")
        said = ws.receive()
        assert (said["type"], said["payload"][0]["extensions"]["status"]) == ("error", 410)
        with events(gateway.http) as stream:
            assert gateway.create()["id"] == stream.next().json["data"]["customerId"]


def test_webhooks_are_told_that_events_are_missing_and_go_on(url: str) -> None:
    with receiving() as receiver:
        with running(url, "hooks", webhook_allow_private=True) as gateway:
            made = gateway.http.post("/api/v1/webhooks", json={"url": receiver.url(), "types": ["customer.created"]})
            assert made.status_code == 201
            gateway.create()
            until(lambda: len(receiver.got) == 1)
        roll_over(url)
        with running(url, "hooks", webhook_allow_private=True) as gateway:
            until(lambda: len(receiver.got) == 2)
            customer = gateway.create()
            until(lambda: len(receiver.got) == 3)
            lines = gateway.http.get("/metrics").text.splitlines()
    assert [one.event["type"] for one in receiver.got] == ["customer.created", "history.lost", "customer.created"]
    assert receiver.got[2].event["data"]["customerId"] == customer["id"]
    assert "gateway_webhook_histories_lost_total 1.0" in lines
