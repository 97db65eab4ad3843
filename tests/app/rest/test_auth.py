"""Who may: API keys by either header, scopes, and nothing for strangers."""

from __future__ import annotations

import asyncio
import base64
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from app.auth.credentials import REMEMBERED_SECONDS
from app.rest.endpoints import ENDPOINTS, Endpoint
from resolvers.context import ALL_SCOPES
from storage.keys import NewKey, new_secret
from storage.store import StoreOptions, open_store
from tests import factories
from tests.commands import until
from tests.contract.calls import answer
from tests.harness import Gateway

VIEWER = "/api/v1/viewer"
CUSTOMERS = "/api/v1/customers"


def made(gateway: Gateway, *scopes: str, expires: datetime | None = None) -> NewKey:
    async def make() -> NewKey:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            return await store.keys.create("test", scopes or ALL_SCOPES, datetime.now(UTC), expires)

    return asyncio.run(make())


def revoke(gateway: Gateway, key: NewKey) -> None:
    async def end() -> None:
        async with open_store(StoreOptions(gateway.store_url, gateway.database)) as store:
            assert await store.keys.revoke(key.record.id, datetime.now(UTC))

    asyncio.run(end())


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def ask(gateway: Gateway, headers: Any, url: str = VIEWER) -> httpx2.Response:
    with gateway.client() as client:
        return client.get(url, headers=headers)


def test_an_api_key_is_taken_as_x_api_key(gateway: Gateway) -> None:
    key = made(gateway, "customers:read")
    response = ask(gateway, {"X-API-Key": key.key})
    assert response.json() == {"id": key.record.id, "name": "test", "scopes": ["customers:read"], "quota": []}


@pytest.mark.parametrize("user", ["client id", "key"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_key_and_secret_are_taken_as_basic(gateway: Gateway, user: str, scheme: str) -> None:
    key = made(gateway)
    name = key.record.clientId if user == "client id" else key.key
    header = basic(name, key.client_secret).replace("Basic", scheme)
    assert ask(gateway, {"Authorization": header}).json()["id"] == key.record.id


def bad_credentials(key: NewKey, other: NewKey) -> dict[str, dict[str, str]]:
    tampered = key.key[:-1] + ("A" if key.key[-1] != "A" else "B")
    client, secret = key.record.clientId, key.client_secret
    return {
        "unknown": {"X-API-Key": new_secret("cgw_")},
        "tampered": {"X-API-Key": tampered},
        "empty": {"X-API-Key": ""},
        "short": {"X-API-Key": key.key[:20]},
        "long": {"X-API-Key": key.key * 50},
        "operator": {"X-API-Key": '{"$ne": null}'},
        "latin-1": {"X-API-Key": "clé"},
        "the secret as key": {"X-API-Key": secret},
        "the client id as key": {"X-API-Key": client},
        "the hash as key": {"X-API-Key": "0" * 64},
        "another's secret": {"Authorization": basic(client, other.client_secret)},
        "another's secret with the key": {"Authorization": basic(key.key, other.client_secret)},
        "key as secret": {"Authorization": basic(client, key.key)},
        "no secret": {"Authorization": basic(client, "")},
        "key without secret": {"Authorization": basic(key.key, "")},
        "no user": {"Authorization": basic("", secret)},
        "operator in basic": {"Authorization": basic('{"$ne": null}', '{"$ne": null}')},
        "NUL in basic": {"Authorization": basic(client + "\0", secret)},
        "no colon": {"Authorization": "Basic " + base64.b64encode(client.encode()).decode()},
        "not base64": {"Authorization": "Basic ***"},
        "not UTF-8": {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        "no payload": {"Authorization": "Basic"},
        "empty authorization": {"Authorization": ""},
        "another scheme": {"Authorization": f"Digest {key.key}"},
        "the key alone": {"Authorization": key.key},
        "the key as bearer": {"Authorization": f"Bearer {key.key}"},
        "a token": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."},
        "empty bearer": {"Authorization": "Bearer"},
    }


CASES = [
    "unknown", "tampered", "empty", "short", "long", "operator", "latin-1", "the secret as key",
    "the client id as key", "the hash as key", "another's secret", "another's secret with the key",
    "key as secret", "no secret", "key without secret", "no user", "operator in basic", "NUL in basic",
    "no colon", "not base64", "not UTF-8", "no payload", "empty authorization", "another scheme",
    "the key alone", "the key as bearer", "a token", "empty bearer",
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_credentials_that_are_not_good_are_401(gateway: Gateway, case: str) -> None:
    sent = bad_credentials(made(gateway), made(gateway))[case]
    response = ask(gateway, [(name.encode(), value.encode("latin-1")) for name, value in sent.items()])
    assert response.status_code == 401
    assert response.json()["type"].endswith("/problems/unauthorized")


def test_every_bad_case_is_tried(gateway: Gateway) -> None:
    assert set(CASES) == set(bad_credentials(made(gateway), made(gateway)))


@pytest.mark.parametrize("url", [VIEWER, CUSTOMERS, f"{CUSTOMERS}/00000000-0000-4000-8000-000000000000", "/customers"])
def test_without_credentials_everything_below_the_api_is_401(gateway: Gateway, url: str) -> None:
    assert ask(gateway, {}, url).status_code == 401


def test_c007_a_401_names_bearer_and_invalid_token_only_where_a_token_came(gateway: Gateway) -> None:
    without = ask(gateway, {})
    key = ask(gateway, {"X-API-Key": "wrong"})
    token = ask(gateway, {"Authorization": "Bearer wrong"})
    for response in (without, key, token):
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "error" not in without.headers["WWW-Authenticate"]
    assert "error" not in key.headers["WWW-Authenticate"]
    assert 'error="invalid_token"' in token.headers["WWW-Authenticate"]


def test_c007_a_403_has_no_challenge_and_names_the_scope(gateway: Gateway) -> None:
    with gateway.with_scopes("customers:read") as reader:
        response = reader.post(CUSTOMERS, json=factories.customer())
    problem = response.json()
    assert response.status_code == 403
    assert problem["type"].endswith("/problems/forbidden")
    assert problem["scope"] == "customers:write"
    assert "www-authenticate" not in response.headers


def test_two_kinds_of_credentials_at_once_are_401_even_where_both_are_good(gateway: Gateway) -> None:
    key = made(gateway)
    both = {"X-API-Key": key.key, "Authorization": basic(key.record.clientId, key.client_secret)}
    assert ask(gateway, both).status_code == 401


@pytest.mark.parametrize("name", ["X-API-Key", "Authorization"])
def test_one_kind_of_credentials_sent_twice_is_401(gateway: Gateway, name: str) -> None:
    key = made(gateway)
    value = key.key if name == "X-API-Key" else basic(key.record.clientId, key.client_secret)
    assert ask(gateway, [(name, value), (name, "other")]).status_code == 401


def test_an_expired_key_is_401(gateway: Gateway) -> None:
    now = datetime.now(UTC)
    assert ask(gateway, {"X-API-Key": made(gateway, expires=now - timedelta(seconds=1)).key}).status_code == 401
    assert ask(gateway, {"X-API-Key": made(gateway, expires=now + timedelta(hours=1)).key}).status_code == 200


def test_a_key_that_was_revoked_before_its_first_use_is_401(gateway: Gateway) -> None:
    key = made(gateway)
    revoke(gateway, key)
    assert ask(gateway, {"X-API-Key": key.key}).status_code == 401
    header = basic(key.record.clientId, key.client_secret)
    assert ask(gateway, {"Authorization": header}).status_code == 401


def test_a_key_in_use_is_refused_within_seconds_of_its_revocation_at_both_doors(gateway: Gateway) -> None:
    key = made(gateway)
    ways = [
        {"X-API-Key": key.key},
        {"Authorization": basic(key.record.clientId, key.client_secret)},
    ]

    def statuses() -> set[int]:
        query = {"query": "{ viewer { id } }"}
        asked = [ask(gateway, way) for way in ways]
        asked += [httpx2.post(f"{gateway.url}/graphql", json=query, headers=way) for way in ways]
        return {answer.status_code for answer in asked}

    assert statuses() == {200}
    revoke(gateway, key)
    until(lambda: statuses() == {401}, 4 * REMEMBERED_SECONDS, "the refusal")


def test_c065_a_key_in_the_query_string_is_refused(gateway: Gateway) -> None:
    for name in ("api_key", "apiKey", "access_token", "X-API-Key"):
        assert ask(gateway, {}, f"{VIEWER}?{name}={gateway.key}").status_code == 401
        assert gateway.http.get(f"{VIEWER}?{name}=x").status_code == 400


def path_of(endpoint: Endpoint) -> str:
    return "/api/v1" + re.sub(r"\{[^}]*\}", str(uuid.uuid4()), endpoint.path)


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_c062_each_endpoint_needs_its_own_scope_and_no_other(gateway: Gateway, scope: str) -> None:
    with gateway.with_scopes(scope) as client:
        for endpoint in ENDPOINTS:
            response = answer(client, endpoint.method, path_of(endpoint), headers={"If-Match": "*"})
            allowed = endpoint.operation.scope in {None, scope}
            assert (response.status_code == 403) is not allowed, (endpoint.id, response.text)


def test_c062_a_key_without_scopes_may_only_ask_who_it_is(gateway: Gateway) -> None:
    with gateway.with_scopes() as client:
        assert client.get(VIEWER).json()["scopes"] == []
        assert client.get(CUSTOMERS).status_code == 403


def test_deleting_needs_a_scope_of_its_own(gateway: Gateway) -> None:
    body = gateway.create()
    with gateway.with_scopes("customers:read", "customers:write") as writer:
        assert writer.delete(f"{CUSTOMERS}/{body['id']}").status_code == 403
    with gateway.with_scopes("customers:delete") as eraser:
        assert eraser.delete(f"{CUSTOMERS}/{body['id']}").status_code == 204


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"])
def test_c071_method_override_is_ignored(gateway: Gateway, name: str) -> None:
    body = gateway.create()
    url = f"{CUSTOMERS}/{body['id']}"
    assert gateway.http.get(url, headers={name: "DELETE"}).status_code == 200
    assert gateway.http.post(url, headers={name: "DELETE"}).status_code == 405
    assert gateway.http.post(f"{url}?_method=DELETE").status_code == 405
    assert gateway.http.get(url).status_code == 200


def test_a_401_is_the_same_whether_the_customer_exists_or_not(gateway: Gateway) -> None:
    there, nowhere = f"{CUSTOMERS}/{gateway.create()['id']}", f"{CUSTOMERS}/{uuid.uuid4()}"
    answers = [ask(gateway, {"X-API-Key": "wrong"}, url) for url in (there, nowhere)]
    first, second = ({**answer.json(), "instance": "", "requestId": ""} for answer in answers)
    assert first == second


@pytest.mark.parametrize(
    "url",
    ["/health/live", "/health/ready", "/openapi.json", "/openapi.yaml", "/schemas/customer.json", "/problems",
     "/problems/conflict"],
)  # fmt: skip
def test_what_is_public_needs_no_credentials_and_minds_no_bad_ones(gateway: Gateway, url: str) -> None:
    assert ask(gateway, {}, url).status_code == 200
    assert ask(gateway, {"X-API-Key": "wrong"}, url).status_code == 200
