"""API keys at a running gateway: where they are good, and what they do not wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from pymongo import MongoClient

from storage.keys import NewKey
from tests.conftest import StartGateway
from tests.faults.valve import Valve
from tests.harness import Gateway, make_new_key, running

VIEWER = "/api/v1/viewer"
TOKEN = "/oauth/token"
FORM = {"grant_type": "client_credentials"}
Use = Callable[[Gateway, NewKey], httpx2.Response]


@pytest.fixture
def valve(mongod_url: str) -> Iterator[Valve]:
    """A relay before the store that can stop a command."""
    made = Valve(mongod_url)
    with made.running():
        yield made


def test_credentials_are_good_in_their_own_header_alone_though_they_were_good_in_it_a_moment_ago(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway()
    made = make_new_key(gateway.store_url, gateway.database, ("customers:read",))
    basic = httpx2.BasicAuth(made.record.clientId, made.client_secret)
    with gateway.client() as client:
        sent = client.get(VIEWER, auth=basic)
        assert sent.status_code == 200
        assert client.get(VIEWER, headers={"X-API-Key": sent.request.headers["Authorization"]}).status_code == 401
        assert client.get(VIEWER, headers={"X-API-Key": made.key}).status_code == 200
        assert client.get(VIEWER, headers={"Authorization": made.key}).status_code == 401


def _with_key(gateway: Gateway, made: NewKey) -> httpx2.Response:
    return httpx2.get(gateway.url + VIEWER, headers={"X-API-Key": made.key}, timeout=30)


def _for_token(gateway: Gateway, made: NewKey) -> httpx2.Response:
    return httpx2.post(gateway.url + TOKEN, data=FORM, auth=(made.record.clientId, made.client_secret), timeout=30)


@pytest.mark.parametrize("use", [_with_key, _for_token])
def test_a_store_that_takes_no_note_of_a_key_s_use_keeps_it_from_nothing(
    use: Use, valve: Valve, mongod_url: str, database: str
) -> None:
    with running(valve.url, database) as gateway, valve.stopping("lastUsedAt", "before") as stop:
        answer = use(gateway, make_new_key(mongod_url, database, ("customers:read",)))
        assert stop.reached.is_set()
    assert answer.status_code == 200, answer.text


def test_a_store_that_takes_no_note_of_a_key_s_use_keeps_its_token_from_nothing(
    valve: Valve, mongod_url: str, database: str
) -> None:
    made = make_new_key(mongod_url, database, ("customers:read",))
    with running(valve.url, database) as gateway, MongoClient[dict[str, Any]](mongod_url) as client:
        bearer = {"Authorization": f"Bearer {_for_token(gateway, made).json()['access_token']}"}
        client[database]["keys"].update_one({"id": made.record.id}, {"$set": {"lastUsedAt": None}})
        with valve.stopping("lastUsedAt", "before") as stop:
            answer = httpx2.get(gateway.url + VIEWER, headers=bearer, timeout=30)
            assert stop.reached.is_set()
    assert answer.status_code == 200, answer.text
