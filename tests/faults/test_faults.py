"""The gateway keeps its word while MongoDB fails: the short form of `make faults`."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from storage.deadlines import GRACE
from tests import factories
from tests.faults.faults import KILL, LOST_REPLIES, STOP
from tests.faults.ledger import total
from tests.faults.listener import p99
from tests.faults.relay import SLOW, Relays
from tests.faults.trial import DATABASE, Trial, running, verdict
from tests.faults.wire import CUSTOMERS
from tests.harness import make_key
from tests.harness import running as running_gateway
from tests.storage.conftest import directly

CREATE = "mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { id } }"


@pytest.mark.slow
@pytest.mark.untraced
def test_c104_c115_through_kills_lost_answers_and_a_stop_nothing_is_lost_doubled_or_denied(tmp_path: Path) -> None:
    """Neither writes, nor those that clients repeat with their keys, nor events."""
    began = time.monotonic()
    with running(tmp_path, size=12, think=0.02, keyed=6) as trial:
        print(f"set up in {time.monotonic() - began:.1f} s")
        for fault in (KILL, replace(LOST_REPLIES, seconds=1.5), KILL, replace(STOP, seconds=0.0)):
            print(trial.inflict(fault))
        counts = trial.audit()
        trial.crowd.rest()
        assert trial.missing() == []
        events, keys = trial.events(), trial.crowd.keys
        reads_go_on_where_nothing_can_be_written(trial)
    for fault_name, count in counts.items():
        print(fault_name, count)
    found = total(counts.values())
    print(events._replace(lags={}), {fault: f"{p99(lags):.3f} s" for fault, lags in events.lags.items()}, keys)
    assert verdict(trial, counts) == []
    assert events.wrong == []
    assert KILL.name in events.lags
    assert keys["tries"] > keys["keys"] > 20
    assert (keys["replays"] > 0, keys["other"]) == (True, 0)
    assert found.unanswered == 0
    assert found.acknowledged > 100
    print(f"{time.monotonic() - began:.1f} s in all, {found.acknowledged} writes acknowledged")


@pytest.mark.slow
@pytest.mark.untraced
def test_c044_of_many_keys_that_race_while_the_primary_is_killed_each_makes_one_customer(tmp_path: Path) -> None:
    with running(tmp_path, size=0, think=0.02, gateways=2) as trial:
        counts, there = trial.race(keys=100, parallel=50, often=8, seconds=0.5)
        print(counts)
        assert there == counts["keys"] // 8 == 100
        assert counts["tries"] > counts["keys"]
        assert counts["other"] == 0
        trial.crowd.rest()
        assert verdict(trial, trial.audit()) == []


def test_c116_what_the_admission_takes_is_taken_from_the_time_of_the_request(mongod_url: str, database: str) -> None:
    """Each question to the store is in time alone, and all together are not."""
    relays = Relays([urlsplit(mongod_url).port or 27017], lambda _first, _near, _far: "gateway")
    with relays.running():
        through = directly(mongod_url, relays.all[0].port)
        with running_gateway(through, database, request_timeout=2 * SLOW + GRACE + 0.2) as gateway:
            relays.do(lambda: relays.all[0].set(("gateway",), "slow"))
            with gateway.with_scopes("customers:write") as client:
                answer = client.post(CUSTOMERS, json=factories.customer())
            relays.do(lambda: relays.all[0].set(("gateway",), "open"))
            assert told(answer, answer.json()) == (503, 503, "1", "none")
            assert gateway.http.get(CUSTOMERS).json()["content"] == []


def reads_go_on_where_nothing_can_be_written(trial: Trial) -> None:
    """Neither door needs the right to write for a read, not even for a key that was never used before."""
    known = next(iter(trial.crowd.customers))
    key = make_key(trial.stage.replica_set.url, DATABASE)
    trial.stage.replica_set.allow("reading")
    try:
        with trial.stage.gateway.client(key) as client:
            assert client.get(f"{CUSTOMERS}/{known}").status_code == 200
            body = factories.customer()
            refused = client.post(CUSTOMERS, json=body)
            assert told(refused, refused.json()) == (503, 503, "1", "none")
            parts: dict[str, Any] = {"addresses": [factories.graphql_address()], "phoneNumbers": []}
            parts["phoneNumbers"] = [factories.phone_number(type="MOBILE")]
            asked = client.post("/graphql", json={"query": CREATE, "variables": {"input": {**body, **parts}}})
            assert told(asked, asked.json()["errors"][0]["extensions"]) == (200, 503, "1", "none")
    finally:
        trial.stage.replica_set.allow("writing")


def told(answer: httpx2.Response, problem: dict[str, Any]) -> tuple[int, int, str | None, str]:
    """Return the status of HTTP and of the problem, when to come again, and the outcome."""
    return answer.status_code, problem["status"], answer.headers.get("Retry-After"), problem["outcome"]
